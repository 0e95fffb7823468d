"""Dropping a file to search with: streamed to disk, bounded whatever is sent."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from app.web.http.errors import ApiError, not_found
from app.web.http.file_sending import send_file
from app.web.http.requests import ApiRequest
from app.web.http.responses import CLOSING, json_response
from app.web.http.routes import errors_as_responses, route
from app.web.services.examples import MOST_BYTES, Example, Examples, Incoming

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_MOST_NAME = 255
_AT_ONCE = 2
_SPARE_BYTES = 256 << 20  # of the disk, for the library itself
_WRITE_BYTES = 1 << 20


def example_routes(examples: Examples, *, most_bytes: int = MOST_BYTES) -> list[Route]:
    """`POST /api/examples` takes the file as it is; `/api/examples/TOKEN/poster` shows it."""
    arriving: set[int] = set()

    async def receive(request: Request) -> Response:
        async def work() -> Response:
            declared = _declared(request, most_bytes)
            if len(arriving) >= _AT_ONCE:
                raise ApiError(503, "Other files are still arriving; drop this one when they are done.")
            arriving.add(id(request))
            try:
                return json_response(told(await _received(request, examples, declared, most_bytes)))
            finally:
                arriving.discard(id(request))

        answer = await errors_as_responses(work)
        if answer.status_code >= 400:
            answer.headers.update(CLOSING)
        return answer

    def told(example: Example) -> dict[str, str]:
        return {"token": example.token, "name": example.name, "kind": example.kind}

    def about(request: ApiRequest) -> dict[str, str]:
        with not_found("example"):
            return told(examples.get(request.path["token"]))

    def poster(request: ApiRequest) -> Response:
        with not_found("example"):
            example = examples.get(request.path["token"])
        return send_file(request, example.poster, media_type="image/jpeg", inside=examples.directory)

    return [
        Route("/api/examples", receive, methods=["POST"]),
        route("/api/examples/{token}", about),
        route("/api/examples/{token}/poster", poster),
    ]


async def _received(request: Request, examples: Examples, declared: int, most_bytes: int) -> Example:
    """The file, whole and looked at. Whatever goes wrong, nothing of it stays on disk."""
    incoming = await run_in_threadpool(_place, examples, request.headers.get("x-file-name", ""), declared)
    try:
        waiting = bytearray()
        async for part in request.stream():
            waiting += part
            if incoming.size + len(waiting) > most_bytes:
                raise _too_large(most_bytes)
            if len(waiting) >= _WRITE_BYTES:
                await run_in_threadpool(incoming.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(incoming.write, bytes(waiting))
        if not incoming.size:
            raise ApiError(400, "The file is empty (0 bytes).")
        return await run_in_threadpool(incoming.finish)
    finally:
        # Not in a thread: a request that was cancelled must not wait for one.
        incoming.discard()


def _declared(request: Request, most_bytes: int) -> int:
    """The length that the request says it has, 0 where it says none. Nothing of it has been read yet."""
    text = request.headers.get("content-length", "0")
    if not (text.isascii() and text.isdecimal()):
        raise ApiError(400, "The length of the file makes no sense.")
    declared = int(text[:19])
    if declared > most_bytes:
        raise _too_large(most_bytes)
    return declared


def _place(examples: Examples, header: str, declared: int) -> Incoming:
    examples.directory.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(examples.directory).free < declared + _SPARE_BYTES:
        raise ApiError(507, "The disk of the library has no room for this file; free some space and drop it again.")
    return examples.receive(file_name(header))


def file_name(header: str) -> str:
    """What the person called the file, of the X-File-Name header (percent-encoded UTF-8): one line, without folders."""
    name = unquote(header[: _MOST_NAME * 9], errors="replace").replace("\\", "/").rpartition("/")[2]
    shown = "".join(each if each.isprintable() else " " for each in name)
    return " ".join(shown.split())[:_MOST_NAME] or "example"


def _too_large(most_bytes: int) -> ApiError:
    limit = f"{most_bytes >> 30} GB" if most_bytes >= 1 << 30 else f"{most_bytes:,} bytes"
    return ApiError(
        413,
        f"The file is larger than {limit}, more than a search needs. Cut a piece out of it, or index its folder "
        "and search with one of its shots.",
    )
