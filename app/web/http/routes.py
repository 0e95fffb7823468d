"""Routes under /api/: each is a plain function of an ApiRequest, run in a thread because it reads library and disk."""

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
        handler: Returns a Response, or what becomes JSON. Whatever it raises becomes a JSON error with a sentence
            (see `response_for_error`).
        method: HTTP method; GET includes HEAD.
        max_concurrent: Number of such requests handled at a time, for a handler that may take long. A request whose
            browser has gone while it waited is dropped.
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
    """Await `respond()` and return its response, or the response for what it raised."""
    try:
        return await respond()
    except ClientDisconnect:
        return Response(status_code=499, headers=CLOSING)  # nobody reads it
    except Exception as error:  # noqa: BLE001 - the last place before the browser, which needs a sentence
        return response_for_error(error)


def _limiter(limiter_of_loop: RunVar[CapacityLimiter], max_concurrent: int) -> CapacityLimiter:
    try:
        return limiter_of_loop.get()
    except LookupError:
        limiter = CapacityLimiter(max_concurrent)
        limiter_of_loop.set(limiter)
        return limiter
