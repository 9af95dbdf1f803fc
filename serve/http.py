"""The HTTP gateway: JSON in, JSON out, every typed error a status of its own. Thin: it holds the client that everybody holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ..engine import errors
from ..engine.errors import Invalid, NowThenError, Unavailable
from .failure import Failure
from .json_values import parsed
from .online import Features

# The first class in this order that an error is of decides.
STATUS: dict[type[NowThenError], int] = {
    errors.UnknownColumn: 400,
    errors.Invalid: 400,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Overloaded: 429,
    errors.Corrupt: 500,
    errors.CommitUnknown: 503,
    errors.Unavailable: 503,
    errors.Deadline: 504,
    errors.StorageFull: 507,
    errors.NowThenError: 500,
}
_GET = {"service", "keys", "request", "at", "with_rows", "push", "after", "key", "deadline"}
_PUSH = {"source", "rows", "key", "deadline"}


def gateway(features: Features) -> FastAPI:
    """The web application over a client."""
    # The pages FastAPI would show load scripts from elsewhere.
    app = FastAPI(title="NowThen", docs_url=None, redoc_url=None)
    app.add_exception_handler(NowThenError, _typed)
    app.add_exception_handler(HTTPException, _known)
    app.add_exception_handler(Exception, _unknown)

    @app.post("/v1/get")
    async def get(request: Request) -> Response:
        """Features of a service for keys."""
        body = _fields(parsed(await request.body()), _GET, ("service", "keys"))
        body["at"] = _times(body.get("at"))
        answer = await features.aget(body.pop("service"), body.pop("keys"), **body)
        return JSONResponse(answer.as_json())

    @app.post("/v1/push")
    async def push(request: Request) -> Response:
        """Rows of a source, made durable."""
        body = _fields(parsed(await request.body()), _PUSH, ("source", "rows"))
        return JSONResponse({"token": await features.apush(body.pop("source"), body.pop("rows"), **body)})

    @app.get("/v1/services")
    async def services() -> Response:
        """What can be asked, by service."""
        return JSONResponse(await features.aservices())

    @app.get("/v1/services/{name}")
    async def service(name: str) -> Response:
        """What one service can be asked."""
        return JSONResponse(await features.aservice(name))

    @app.get("/healthz")
    async def healthz() -> Response:
        """Whether features can be served."""
        return JSONResponse({"status": "ok", "services": sorted(await features.aservices())})

    return app


def status_of(error: NowThenError) -> int:
    """The HTTP status of an error."""
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def _fields(body: dict[str, Any], known: set[str], needed: tuple[str, ...]) -> dict[str, Any]:
    for name in body:
        if name not in known:
            raise Invalid(f"the body has an unknown field {name!a}. {errors.did_you_mean(name, known)}")
    for name in needed:
        if body.get(name) is None:
            raise Invalid(f"the body has no field {name!r}. It needs {', '.join(needed)}.")
    for name in ("service", "source", "after", "key", "deadline"):
        if not isinstance(body.get(name, ""), str | None):
            raise Invalid(f"the body's {name!r} is {type(body[name]).__name__}; it must be text.")
    if not isinstance(body.get("push", False), bool):
        raise Invalid("the body's 'push' must be true or false.")
    return body


def _times(at: Any) -> Any:
    return [time_of(one) for one in at] if isinstance(at, list) else time_of(at)


def time_of(at: Any) -> datetime | None:
    """The time an ISO text says; None for none."""
    if at is None:
        return None
    try:
        return datetime.fromisoformat(at)
    except (TypeError, ValueError):
        raise Invalid(f"at is {ascii(at)[:80]}; write an ISO time such as '2026-11-24T12:00:00Z'.") from None


async def _typed(_: Request, error: Exception) -> Response:
    assert isinstance(error, NowThenError), "registered for these alone"
    headers: Mapping[str, str] = (
        {"Retry-After": f"{max(error.retry_after, 1):.0f}"} if isinstance(error, Unavailable) else {}
    )
    return JSONResponse(Failure.of(error).as_json(), status_of(error), dict(headers))


async def _known(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for these alone"
    return JSONResponse(
        {"error": "Invalid" if error.status_code != 404 else "NotFound", "message": str(error.detail)},
        error.status_code,
    )


async def _unknown(_: Request, error: Exception) -> Response:
    return JSONResponse(
        {"error": "NowThenError", "message": f"{type(error).__name__} inside the server; see its log."}, 500
    )
