"""Every way to `get` names its options, and they are the shard's."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import pytest

from nowthen.serve.call_options import GetOptions
from nowthen.serve.handle import _Get
from nowthen.serve.online import Features
from nowthen.serve.shard import Shard

NOTHING: dict[str, Any] = {
    "request": None, "at": None, "with_rows": None, "push": False, "after": None, "key": None
}  # fmt: skip


def options(call: Callable[..., Any]) -> dict[str, Any]:
    """The keyword-only parameters of a call, with their defaults."""
    found = signature(call).parameters.values()
    return {one.name: one.default for one in found if one.kind is Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("call", [Features.get, Features.aget, _Get.remote])
def test_the_options_are_the_shards_and_a_deadline(call: Callable[..., Any]) -> None:
    assert options(call) == {**options(Shard.get), "deadline": None}


@pytest.mark.parametrize("call", ["get", "aget"])
def test_a_wrong_name_fails_where_it_is_written(features: Features, call: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'requests'") as wrong:
        getattr(features, call)("risk", {}, requests={"amount": 1.0})
    assert [str(entry.path) for entry in wrong.traceback] == [__file__]


def test_options_that_are_not_set_are_not_passed_on() -> None:
    assert GetOptions(**NOTHING).given() == {}
    assert GetOptions(**{**NOTHING, "at": 0, "request": {}}).given() == {"at": 0, "request": {}}


def test_a_push_gets_a_key_of_its_own_unless_it_has_one() -> None:
    first, second = (GetOptions(**{**NOTHING, "push": True}).given()["key"] for _ in range(2))
    assert first != second
    assert GetOptions(**{**NOTHING, "push": True, "key": "mine"}).given()["key"] == "mine"
