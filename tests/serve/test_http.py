"""The HTTP gateway: the same answers as JSON, and every mistake a clear 4xx."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
import uvicorn
from fastapi.testclient import TestClient
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine import errors
from nowthen.serve.failure import KINDS, Failure
from nowthen.serve.http import gateway, status_of
from nowthen.serve.online import Features, online

from . import bank

GOOD: dict[str, Any] = {
    "service": "risk",
    "keys": {"customer_id": [1, 3], "shop": "bar"},
    "request": {"amount": [1.0, "NaN"]},
    "at": bank.NOW.isoformat(),
}


@pytest.fixture
def web(features: Features) -> Iterator[TestClient]:
    with TestClient(gateway(features)) as client:
        yield client


def pushed(store: Any) -> int:
    return sum(frame.height for frame in store.log("tx").read()[0])


def test_an_answer_is_the_shards(web: TestClient, features: Features) -> None:
    direct = features.get("risk", GOOD["keys"], request=GOOD["request"], at=bank.NOW)
    reply = web.post("/v1/get", json=GOOD)
    assert reply.status_code == 200
    assert reply.json() == direct.as_json()
    assert reply.json()["features"]["ratio"][1] == "NaN"


def test_a_push_is_seen_by_the_next_get(web: TestClient) -> None:
    before = web.post("/v1/get", json=GOOD).json()["features"]["count_1d"][1]
    row = {**bank.row(), "time": bank.row()["time"].isoformat()}
    token = web.post("/v1/push", json={"source": "tx", "rows": [row]}).json()["token"]
    after = web.post("/v1/get", json={**GOOD, "after": token, "deadline": "10s"}).json()
    assert after["features"]["count_1d"][1] == before + 1


def test_rows_may_come_with_the_question(web: TestClient) -> None:
    before = web.post("/v1/get", json=GOOD).json()["features"]["count_1d"][1]
    row = {**bank.row(), "time": bank.row()["time"].isoformat()}
    asked = web.post("/v1/get", json={**GOOD, "with_rows": {"tx": [row]}}).json()
    assert asked["features"]["count_1d"][1] == before + 1


def test_services_say_what_they_need(web: TestClient) -> None:
    found = web.get("/v1/services").json()["risk"]
    assert found["keys"] == {"customer_id": "Int64", "shop": "String"}
    assert found["request"] == {"amount": "Float64"}
    assert web.get("/v1/services/risk").json() == found
    assert web.get("/v1/services/nope").status_code == 404
    assert web.get("/healthz").json() == {"status": "ok", "services": ["risk"]}


@pytest.mark.parametrize(
    "body, status, error",
    [
        (b"", 400, "Invalid"),
        (b"[]", 400, "Invalid"),
        (b"\xff", 400, "Invalid"),
        (b"[" * 100_000, 400, "Invalid"),
        (b'{"service": NaN}', 400, "Invalid"),
        (b'{"service": Infinity}', 400, "Invalid"),
        (b'{"service": 1e999}', 400, "Invalid"),
        (b'{"service": 1' + b"0" * 5000 + b"}", 400, "Invalid"),
        (b'{"service": "\\ud800", "keys": {}}', 400, "Invalid"),
        (b'{"service": "risk", "service": "risk", "keys": {}}', 400, "Invalid"),
        (b'{"keys": {}}', 400, "Invalid"),
        (b'{"service": ["risk"], "keys": {}}', 400, "Invalid"),
        (b'{"service": "risk", "keys": [1]}', 400, "WrongType"),
        (b'{"service": "risk", "keys": {"customer_id": 1}}', 400, "Invalid"),
        (b'{"service": "rsik", "keys": {}}', 404, "NotFound"),
        (b'{"service": "risk", "keys": {}, "kyes": 1}', 400, "Invalid"),
    ],
)
def test_a_bad_body_is_a_typed_4xx(web: TestClient, body: bytes, status: int, error: str) -> None:
    reply = web.post("/v1/get", content=body)
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.json()["message"]


@pytest.mark.parametrize(
    "change, error",
    [
        ({"keys": {"customer_id": "1", "shop": "bar"}}, "WrongType"),
        ({"keys": {"customer_id": [1, 2, 3], "shop": "bar"}}, "Invalid"),
        ({"request": {}}, "Invalid"),
        ({"request": {"amount": "much"}}, "WrongType"),
        ({"at": "yesterday"}, "Invalid"),
        ({"at": 7}, "Invalid"),
        ({"deadline": "soon"}, "Invalid"),
        ({"push": 1}, "Invalid"),
        ({"after": 7}, "Invalid"),
        ({"after": "x"}, "Invalid"),
        ({"with_rows": [1]}, "WrongType"),
        ({"with_rows": {"tx": [{"id": 1}]}}, "UnknownColumn"),
    ],
)
def test_a_bad_field_is_a_typed_400(web: TestClient, change: dict[str, Any], error: str) -> None:
    reply = web.post("/v1/get", json={**GOOD, **change})
    assert (reply.status_code, reply.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    "rows, error",
    [
        ([{"id": 1}], "UnknownColumn"),
        ([{**bank.row(time="2024-04-01T00:00:00Z"), "amount": "much"}], "WrongType"),
        ([bank.row(time="2999-01-01T00:00:00Z")], "Invalid"),
        ([bank.row(time=None)], "Invalid"),
        ([bank.row(time="2024-04-01T00:00:00Z"), {"id": 1}], "Invalid"),
        ("rows", "WrongType"),
        (7, "WrongType"),
    ],
)
def test_a_bad_push_is_a_typed_400_and_writes_nothing(web: TestClient, store: Any, rows: Any, error: str) -> None:
    reply = web.post("/v1/push", json={"source": "tx", "rows": rows})
    assert (reply.status_code, reply.json()["error"]) == (400, error)
    assert pushed(store) == 0


def test_a_push_to_an_unknown_source_is_a_404(web: TestClient) -> None:
    assert web.post("/v1/push", json={"source": "txx", "rows": []}).status_code == 404


def test_what_is_not_there_is_said_in_json(web: TestClient) -> None:
    assert web.get("/v2").json()["error"] == "NotFound"
    assert web.get("/v1/get").status_code == 405


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_error_has_a_status_and_comes_back_as_itself(kind: str) -> None:
    error = KINDS[kind]("what went wrong")
    assert 400 <= status_of(error) < 600
    again = Failure.from_json(Failure.of(error).as_json()).error()
    assert (type(again), str(again)) == (type(error), "what went wrong")


@pytest.mark.parametrize("kind", [nt.Unavailable, nt.Overloaded])
def test_when_to_try_again_comes_back_too(kind: type[nt.Unavailable]) -> None:
    again = Failure.from_json(json.loads(json.dumps(Failure.of(kind("busy", retry_after=30)).as_json()))).error()
    assert isinstance(again, kind)
    assert again.retry_after == 30


def test_bad_input_is_never_a_server_error() -> None:
    mine = (errors.Invalid, errors.NotFound, errors.Conflict, errors.Forbidden)
    assert {status_of(kind("")) // 100 for kind in KINDS.values() if issubclass(kind, mine)} == {4}


@pytest.fixture
def url(features: Features) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(gateway(features), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_the_client_over_http_gives_what_the_one_in_the_process_gives(url: str, features: Features) -> None:
    remote = online(url)
    keys, options = bank.question(bank.asked())
    assert_frame_equal(
        remote.get("risk", keys, **options).to_polars(), features.get("risk", keys, **options).to_polars()
    )
    assert remote.services() == features.services()
    assert remote.service("risk") == features.service("risk")


def test_the_client_over_http_pushes_frames(url: str, features: Features) -> None:
    question = ({"customer_id": 3, "shop": "bar"},)
    before = features.get("risk", *question, request={"amount": 1.0}, at=bank.NOW).row()["count_1d"]
    token = online(url).push("tx", pl.DataFrame([bank.row()]))
    answer = online(url).get("risk", *question, request={"amount": float("inf")}, at=bank.NOW, after=token)
    assert answer.row()["count_1d"] == before + 1
    assert answer.row()["ratio"] == float("inf")


def test_errors_come_through_http_as_what_they_are(url: str) -> None:
    with pytest.raises(nt.NotFound, match="Did you mean 'risk'"):
        online(url).get("rsik", {})
    with pytest.raises(nt.WrongType, match="customer_id"):
        online(url).get("risk", {"customer_id": "x", "shop": "bar"}, request={"amount": 1})


def test_when_to_try_again_comes_through_http(url: str) -> None:
    with pytest.raises(nt.Unavailable) as late:
        online(url).get("risk", GOOD["keys"], request={"amount": 1.0}, after=f"tx@{2**62}")
    assert late.value.retry_after == 0.05


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(nt.Unavailable, match="does not answer"):
        online("http://127.0.0.1:9").services()


def test_a_client_shows_its_address_without_the_password() -> None:
    assert repr(online("http://me:secret@host:8000/features")).startswith(
        "<Features of http://host:8000/features: get("
    )


@pytest.mark.parametrize("address", ["host:8000", "ftp://host", "", "http://"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(nt.Invalid, match="address"):
        online(address)


def test_json_of_an_answer_is_strict(web: TestClient) -> None:
    json.loads(web.post("/v1/get", json=GOOD).text, parse_constant=pytest.fail)
