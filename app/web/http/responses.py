"""What every route of ours shares: bounded requests in, JSON or a sentence out.

A route is a plain function of a Call; it runs in a thread, because it asks the library and the disk.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.datastructures import Headers

MOST_BODY_BYTES = 1 << 20
CLOSING = {"Connection": "close"}
"""Of an answer that is given before all of the request was read: else the server would go on to read the rest."""
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class ApiError(Exception):
    """Why a request is not answered as asked: an HTTP status, a sentence for a person, and facts for the page."""

    def __init__(self, status: int, sentence: str, **facts: Any) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Call:
    """A request as routes see it. Everything in it is text that anybody may have written."""

    method: str
    path: Mapping[str, str]  # the parameters of the path
    query: Mapping[str, str]
    headers: Headers
    body: Any = None  # parsed JSON; None where nothing was sent

    def id(self, name: str) -> int:
        """A whole number in the path. 404 for anything else."""
        text = self.path[name]
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise ApiError(404, f"There is no such {name}.")
        return int(text)

    def number(self, name: str, default: float) -> float:
        """A number in the query, finite."""
        text = self.query.get(name)
        if text is None:
            return default
        try:
            value = float(text[:64])
        except ValueError:
            value = float("nan")
        if not abs(value) < 1e12:
            raise ApiError(400, f"`{name}` must be a number.")
        return value

    def whole(self, name: str, default: int, most: int) -> int:
        """A whole number from 0 to `most` in the query; larger ones become `most`."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal()):
            raise ApiError(400, f"`{name}` must be a whole number.")
        return min(int(text[:9]), most)

    def fields(self, required: Mapping[str, Field], optional: Mapping[str, Field] | None = None) -> dict[str, Any]:
        """The JSON object that was sent, each member checked by its Field; optional ones only where they are there."""
        body, optional = self.body, optional or {}
        if not isinstance(body, dict):
            raise ApiError(400, "A JSON object is needed.")
        for name in required:
            if name not in body:
                raise ApiError(400, f"`{name}` is missing.")
        known = {**required, **optional}
        return {name: known[name](name, value) for name, value in body.items() if name in known}


Field = Callable[[str, Any], Any]
"""Checks one member of a JSON object and gives it back. Raises ApiError. See app.web.http.validation."""


@contextmanager
def not_found(what: str) -> Iterator[None]:
    """KeyError inside means that there is no such thing: 404."""
    try:
        yield
    except KeyError as error:
        raise ApiError(404, f"There is no such {what}; it may have been removed meanwhile.") from error


@contextmanager
def bad_request() -> Iterator[None]:
    """ValueError inside says in a sentence what was wrong with the request: 400."""
    try:
        yield
    except ValueError as error:
        raise ApiError(400, _sentence(str(error))) from error


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON in ASCII, so that a file name that is not UTF-8 passes too. Not kept by browsers unless `headers` say so."""
    body = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def error_answer(status: int, sentence: str, headers: Mapping[str, str] | None = None, **facts: Any) -> Response:
    """`{"error": sentence, ...}`."""
    return json_answer({"error": sentence, **facts}, status, headers)


def route(path: str, answer: Callable[[Call], Any], method: str = "GET", *, at_once: int | None = None) -> Route:
    """A route whose answer is a Response, or what becomes JSON. Whatever `answer` raises becomes a sentence.

    at_once: how many such requests are worked on at a time, where each may take long; one whose browser has gone while
    it waited is left out.
    """
    turns: RunVar[CapacityLimiter] = RunVar(f"{method} {path}")  # of one event loop

    async def endpoint(request: Request) -> Response:
        async def asked() -> Response:
            body = await _body(request) if method not in ("GET", "HEAD") else None
            call = Call(request.method, request.path_params, request.query_params, request.headers, body)
            if at_once is None:
                given = await run_in_threadpool(answer, call)
            else:
                async with _limiter(turns, at_once):
                    if await request.is_disconnected():
                        raise ClientDisconnect
                    given = await run_in_threadpool(answer, call)
            return given if isinstance(given, Response) else json_answer(given)

        return await answered(asked)

    return Route(path, endpoint, methods=[method])


def _limiter(turns: RunVar[CapacityLimiter], at_once: int) -> CapacityLimiter:
    try:
        return turns.get()
    except LookupError:
        limiter = CapacityLimiter(at_once)
        turns.set(limiter)
        return limiter


async def answered(work: Callable[[], Awaitable[Response]]) -> Response:
    """What `work` gives, or the sentence for what it raises."""
    try:
        return await work()
    except ClientDisconnect:
        return Response(status_code=499, headers=CLOSING)  # nobody reads it
    except Exception as error:  # noqa: BLE001 - the last place before the browser, which needs a sentence
        return _error(error)


def _error(error: Exception) -> Response:
    from app.exporting.ffmpeg_binary import ExportError
    from db.errors import LibraryBusy, LibraryError, LibraryFull
    from indexer.media.errors import UnreadableVideo

    if isinstance(error, ApiError):
        return error_answer(error.status, error.sentence, CLOSING if error.status == 413 else None, **error.facts)
    if isinstance(error, LibraryBusy):
        return error_answer(503, str(error), {"Retry-After": "2"})
    if isinstance(error, LibraryFull):
        return error_answer(507, str(error))
    if isinstance(error, LibraryError):
        return error_answer(500, str(error))
    if isinstance(error, UnreadableVideo):
        return error_answer({"missing": 404, "permission": 403}.get(error.kind, 422), error.reason)
    if isinstance(error, ExportError):
        return error_answer(422, _sentence(str(error)))
    if isinstance(error, OSError):
        return _disk_error(error)
    logging.getLogger(__name__).error("a route failed", exc_info=error)
    return error_answer(
        500, f"An error in prismsearch itself ({type(error).__name__}); its terminal shows more. Please report it."
    )


def _disk_error(error: OSError) -> Response:
    if error.errno in _FULL:
        return error_answer(507, "The disk is full; free some space and try again.")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return error_answer(404, "The file is not there now; is its drive connected?")
    if isinstance(error, PermissionError):
        return error_answer(403, "The file may not be read; change its permissions.")
    logging.getLogger(__name__).warning("a file could not be used: %s", error)
    return error_answer(500, f"Reading or writing stopped ({error.strerror or error}); check the disk and try again.")


def _sentence(words: str) -> str:
    words = " ".join(words.split())
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


async def _body(request: Request) -> Any:
    """The JSON that was sent, at most MOST_BODY_BYTES of it; None where nothing was."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:18]) > MOST_BODY_BYTES:
        raise _too_large()
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY_BYTES:
            raise _too_large()
        parts.append(part)
    if not size:
        return None
    if "json" not in request.headers.get("content-type", ""):
        raise ApiError(415, "Only JSON is taken here.")
    try:
        return json.loads(b"".join(parts))
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "What was sent is not JSON.") from error


def _too_large() -> ApiError:
    return ApiError(413, f"More than {MOST_BODY_BYTES >> 20} MiB was sent; send less at a time.")
