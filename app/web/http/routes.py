"""Routes under /api/: each is a plain function of an ApiRequest, run in a thread because it does blocking I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.web.http.requests import ApiRequest, read_json
from app.web.http.responses import CLOSING, json_response, response_for_error


def route(
    path: str, handler: Callable[[ApiRequest], Any], method: str = "GET", *, max_concurrent: int | None = None
) -> Route:
    """Return a Starlette route for a handler.

    Args:
        path: Address with parameters in braces, such as `/api/segment/{segment}`.
        handler: Returns a Response or a JSON value. Its exceptions become JSON errors with a sentence (see
            `response_for_error`).
        method: HTTP method; GET includes HEAD.
        max_concurrent: Number of these requests handled at a time, for slow handlers. A waiting request whose browser
            disconnects is dropped.
    """
    limiter_of_loop: RunVar[CapacityLimiter] = RunVar(f"{method} {path}")

    async def endpoint(request: Request) -> Response:
        async def respond() -> Response:
            body = await read_json(request) if method not in ("GET", "HEAD") else None
            received = ApiRequest(request.method, request.path_params, request.query_params, request.headers, body)
            if max_concurrent is None:
                result = await run_in_threadpool(handler, received)
            else:
                async with _limiter(limiter_of_loop, max_concurrent):
                    if await request.is_disconnected():
                        raise ClientDisconnect
                    result = await run_in_threadpool(handler, received)
            return result if isinstance(result, Response) else json_response(result)

        return await errors_as_responses(respond)

    return Route(path, endpoint, methods=[method])


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
