"""Routes for example files dropped into the page: uploads are streamed to disk, within limits."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from app.web.http.errors import ApiError, not_found
from app.web.http.file_response import file_response
from app.web.http.requests import STALLED_SECONDS, ApiRequest, body_parts
from app.web.http.responses import CLOSING, json_response
from app.web.http.roles import require, role_of
from app.web.http.routes import errors_as_responses, route
from app.web.http.visitor import visitor_of
from app.web.services.examples import MAX_BYTES, Examples, ExampleUpload, StoredExample

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_MAX_NAME = 255
_MAX_UPLOADS = 2  # of one person at a time
_MAX_OF_ALL = 8
_SPARE_BYTES = 256 << 20  # disk space reserved for the library
_WRITE_BYTES = 1 << 20


def example_routes(
    examples: Examples, *, max_bytes: int = MAX_BYTES, stalled_seconds: float = STALLED_SECONDS
) -> list[Route]:
    """Return the routes of the examples.

    `POST /api/examples` takes the file as the body of the request, `/api/examples/TOKEN` describes it, and
    `/api/examples/TOKEN/poster` is its poster.

    Args:
        examples: The folder of the examples.
        max_bytes: Size of the largest file accepted.
        stalled_seconds: Time after which a file is given up that stops arriving.
    """
    uploading: dict[int, int | None] = {}  # by request: the person

    async def receive(request: Request) -> Response:
        async def respond() -> Response:
            require(visitor_of(request.scope), role_of("POST /api/examples"))
            declared = _declared(request, max_bytes)
            person = visitor_of(request.scope).id
            if list(uploading.values()).count(person) >= _MAX_UPLOADS or len(uploading) >= _MAX_OF_ALL:
                raise ApiError(503, "Other files are still being sent; drop this one again when they are done.")
            uploading[id(request)] = person
            try:
                parts = body_parts(request, stalled_seconds=stalled_seconds)
                return json_response(as_json(await _receive(request, parts, examples, declared, max_bytes)))
            finally:
                uploading.pop(id(request), None)

        answer = await errors_as_responses(respond)
        if answer.status_code >= 400:
            answer.headers.update(CLOSING)
        return answer

    def as_json(example: StoredExample) -> dict[str, str]:
        return {"token": example.token, "name": example.name, "kind": example.kind}

    def about(request: ApiRequest) -> dict[str, str]:
        with not_found("example"):
            return as_json(examples.get(request.path["token"]))

    def poster(request: ApiRequest) -> Response:
        with not_found("example"):
            example = examples.get(request.path["token"])
        return file_response(request, example.poster, media_type="image/jpeg", inside=examples.directory)

    return [
        Route("/api/examples", receive, methods=["POST"]),
        route("/api/examples/{token}", about),
        route("/api/examples/{token}/poster", poster),
    ]


async def _receive(
    request: Request, parts: AsyncIterator[bytes], examples: Examples, declared: int, max_bytes: int
) -> StoredExample:
    """Receive the whole file and return it as an example. On errors, nothing stays on disk."""
    upload = await run_in_threadpool(_begin_upload, examples, request.headers.get("x-file-name", ""), declared)
    try:
        buffered = bytearray()
        async for part in parts:
            buffered += part
            if upload.size + len(buffered) > max_bytes:
                raise _too_large(max_bytes)
            if len(buffered) >= _WRITE_BYTES:
                await run_in_threadpool(upload.write, bytes(buffered))
                buffered.clear()
        await run_in_threadpool(upload.write, bytes(buffered))
        if not upload.size:
            raise ApiError(400, "The file is empty (0 bytes).")
        return await run_in_threadpool(upload.finish)
    finally:
        # Not in a thread, because a cancelled request must not wait for one.
        upload.discard()


def _declared(request: Request, max_bytes: int) -> int:
    """Return the length that the request declares, 0 if none. Nothing of the body has been read yet."""
    text = request.headers.get("content-length", "0")
    if not (text.isascii() and text.isdecimal()):
        raise ApiError(400, "The length of the file is not valid; drop it again.")
    declared = int(text[:19])
    if declared > max_bytes:
        raise _too_large(max_bytes)
    return declared


def _begin_upload(examples: Examples, header: str, declared: int) -> ExampleUpload:
    examples.directory.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(examples.directory).free < declared + _SPARE_BYTES:
        raise ApiError(507, "The library's disk has no space for this file; free some and drop it again.")
    return examples.receive(file_name(header))


def file_name(header: str) -> str:
    """Return the file's name from the X-File-Name header (percent-encoded UTF-8) as one line, without folders."""
    name = unquote(header[: _MAX_NAME * 9], errors="replace").replace("\\", "/").rpartition("/")[2]
    shown = "".join(each if each.isprintable() else " " for each in name)
    return " ".join(shown.split())[:_MAX_NAME] or "example"


def _too_large(max_bytes: int) -> ApiError:
    limit = f"{max_bytes >> 30} GB" if max_bytes >= 1 << 30 else f"{max_bytes:,} bytes"
    return ApiError(
        413,
        f"The file is larger than {limit}, more than a search needs. Cut a piece out of it, or index its folder "
        "and search with one of its shots.",
    )
