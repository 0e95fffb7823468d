"""Files from disk over HTTP, in ranges and with bounded memory.

A file is opened before anything is sent, so that an error becomes a proper response. The open file is both checked and
sent, so that it cannot be replaced in between. (Starlette's FileResponse reopens the path to send it, and supports
neither 304 nor ignoring bytes appended to the file in the meantime.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from starlette.responses import Response, StreamingResponse

from app.web.http.errors import CANNOT_BE_FOUND, ApiError
from app.web.http.requests import ApiRequest
from app.web.http.responses import has_etag
from db.media_roots import absent_text
from files.links import leads_outside
from files.regular import NotRegularFile, open_regular
from indexer.media.containers import extension_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

VIDEO_TYPES = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/mp4",  # Chromium and Firefox play it as MP4, but refuse QuickTime's own media type
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "mk3d": "video/x-matroska",
    "ogv": "video/ogg",
    "avi": "video/x-msvideo",
    "ts": "video/mp2t",
    "mts": "video/mp2t",
    "m2ts": "video/mp2t",
    "mpg": "video/mpeg",
    "mpeg": "video/mpeg",
    "wmv": "video/x-ms-wmv",
    "3gp": "video/3gpp",
}


def video_type(path: str) -> str:
    """Return the content type for a video's file name; never one that a browser would execute or show as text."""
    return VIDEO_TYPES.get(extension_of(path), "video/x-unknown")


def file_response(
    request: ApiRequest,
    path: str | Path,
    *,
    media_type: str,
    max_age_seconds: int = 3600,
    inside: Path | None = None,
    check: Callable[[os.stat_result], None] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the file, the single range that the request names, or 304 if the browser has it cached.

    Args:
        request: Its If-None-Match, Range and If-Range headers are honoured. For several ranges, the whole file is sent.
        path: The file. It may be a link unless `inside` is given.
        media_type: Content type of the response.
        max_age_seconds: Time for which a browser may cache the file; with 0 it revalidates each time.
        inside: Folder that the file must lie in; links on the way from there are not followed.
        check: Called with the status of the open file; may raise an ApiError to send instead.
        headers: Further headers of the response.

    Raises:
        ApiError: 404 if there is no such file, 416 for a range beyond its end.
        OSError: The file cannot be read.
    """
    file = _open(path, inside)
    streaming = False
    try:
        info = os.fstat(file.fileno())
        if check is not None:
            check(info)
        etag = f'"{info.st_mtime_ns:x}-{info.st_size:x}-{info.st_ino:x}"'
        about = {
            "ETag": etag,
            "Cache-Control": f"private, max-age={max_age_seconds}" if max_age_seconds else "private, no-cache",
            "Accept-Ranges": "bytes",
            **(headers or {}),
        }
        if has_etag(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=about)
        wanted = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
        start, end, status = _byte_range(wanted, info.st_size)
        if status == 416:
            raise ApiError(416, f"The file has only {info.st_size} bytes.")
        if status == 206:
            about["Content-Range"] = f"bytes {start}-{end - 1}/{info.st_size}"
        about["Content-Length"] = str(end - start)
        chunks = _chunks(file, start, end)
        if request.method == "HEAD" or end - start <= CHUNK_BYTES:  # a poster is read in the thread that opened it
            return Response(b"" if request.method == "HEAD" else b"".join(chunks), status, about, media_type)
        streaming = True
        return _FileStream(file, chunks, status, about, media_type)
    finally:
        if not streaming:
            file.close()


class _FileShrankError(OSError):
    """The file was truncated while it was read."""


class _FileStream(StreamingResponse):
    """Sends chunks of an open file until the browser goes away, and closes the file."""

    def __init__(
        self, file: FileIO, chunks: Iterator[bytes], status: int, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(chunks, status, headers, media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except _FileShrankError:
            pass  # the server closes a connection whose response is not complete
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._file.close)


def _chunks(file: FileIO, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from `start` to `end`."""
    file.seek(start)
    while start < end:
        chunk = file.read(min(CHUNK_BYTES, end - start))
        if not chunk:
            raise _FileShrankError
        start += len(chunk)
        yield chunk


def _open(path: str | Path, inside: Path | None) -> FileIO:
    try:
        if inside is not None and leads_outside(Path(path), inside):
            raise ApiError(404, "There is no such file.")
        return open_regular(path, follow_links=inside is None)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ApiError(404, absent_text(str(path), CANNOT_BE_FOUND)) from error
    except NotRegularFile as error:
        raise ApiError(404, "There is no such file.") from error
    except ValueError as error:  # a null character in the name
        raise ApiError(404, "There is no such file.") from error


def _byte_range(header: str | None, size: int) -> tuple[int, int, int]:
    """Return (start, end, status) for a Range header. Anything but a single range of bytes means the whole file."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return 0, size, 200
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
    if match[1] and match[2] and int(match[2]) < int(match[1]):
        return 0, size, 200
    return (start, end, 206) if start < end else (0, 0, 416)
