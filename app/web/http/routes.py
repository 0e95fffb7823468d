"""Routes under /api/: each is a plain function of an ApiRequest, run in a thread because it does blocking I/O."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import anyio
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.web.http.requests import ApiRequest, read_json
from app.web.http.responses import CLOSING, json_response, response_for_error
from app.web.http.roles import require, role_of
from app.web.http.visitor import visitor_of

_LOOK_SECONDS = 0.3


def route(
    path: str,
    handler: Callable[[ApiRequest], Any],
    method: str = "GET",
    *,
    max_concurrent: int | None = None,
    tell_gone: bool = False,
) -> Route:
    """Return a Starlette route for a handler.

    Args:
        path: Address with parameters in braces, such as `/api/segment/{segment}`.
        handler: Returns a Response or a JSON value. Its exceptions become JSON errors with a sentence (see
            `response_for_error`).
        method: HTTP method; GET includes HEAD. With the path, it is what `app.web.http.roles` asks a role for.
        max_concurrent: Number of these requests handled at a time, for slow handlers. A waiting request whose browser
            disconnects is dropped.
        tell_gone: Let the handler know, by `ApiRequest.gone`, that its browser disconnects while it works.
    """
    run = _run_told if tell_gone else _run
    role = role_of(f"{method} {path}")
    limiter_of_loop: RunVar[CapacityLimiter] = RunVar(f"{method} {path}")

    async def endpoint(request: Request) -> Response:
        async def respond() -> Response:
            visitor = visitor_of(request.scope)
            require(visitor, role)
            body = await read_json(request) if method not in ("GET", "HEAD") else None
            received = ApiRequest(
                request.method, request.path_params, request.query_params, request.headers, body, visitor
            )
            limiter = None if max_concurrent is None else _limiter(limiter_of_loop, max_concurrent)
            async with visitor.turn or nullcontext(), limiter or nullcontext():
                if (visitor.turn or limiter) and await request.is_disconnected():
                    raise ClientDisconnect
                result = await run(handler, received, request)
            return result if isinstance(result, Response) else json_response(result)

        return await errors_as_responses(respond)

    return Route(path, endpoint, methods=[method])


async def _run(handler: Callable[[ApiRequest], Any], received: ApiRequest, request: Request) -> Any:
    return await run_in_threadpool(handler, received)


async def _run_told(handler: Callable[[ApiRequest], Any], received: ApiRequest, request: Request) -> Any:
    """Run a handler while watching its browser."""
    gone = threading.Event()
    outcome: list[Any] = []
    errors: list[Exception] = []  # not raised inside the group, which would wrap it

    async def watch() -> None:
        while not await request.is_disconnected():
            await anyio.sleep(_LOOK_SECONDS)
        gone.set()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        try:
            outcome.append(await run_in_threadpool(handler, replace(received, gone=gone.is_set)))
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
        group.cancel_scope.cancel()
    if errors:
        raise errors[0]
    return outcome[0]


async def errors_as_responses(respond: Callable[[], Awaitable[Response]]) -> Response:
    """Await `respond()` and return its response, or the response for its exception."""
    try:
        return await respond()
    except ClientDisconnect:
        return Response(status_code=499, headers=CLOSING)  # the browser has disconnected
    except Exception as error:  # noqa: BLE001 - the last place before the browser, which needs a sentence
        return response_for_error(error)


def _limiter(limiter_of_loop: RunVar[CapacityLimiter], max_concurrent: int) -> CapacityLimiter:
    try:
        return limiter_of_loop.get()
    except LookupError:
        limiter = CapacityLimiter(max_concurrent)
        limiter_of_loop.set(limiter)
        return limiter
