"""Files over HTTP, from disk in ranges: a request holds a quarter of a megabyte, however large the file.

Opened before anything is answered, so that what cannot be read becomes a sentence; checked as opened, so that nothing
can be put in its place meanwhile.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from starlette.responses import Response

from app.web.http.responses import ApiError, Call

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_GONE = "The file is not there now; is its drive connected?"

VIDEO_TYPES = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/mp4",  # what Chromium and Firefox play as MP4 they refuse under QuickTime's own name
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
    """The content type for the name of a video; never one that a browser would run or show as text."""
    extension = os.path.splitext(path)[1][1:].strip().lower()
    return VIDEO_TYPES.get(extension, "video/x-unknown")


def send_file(
    call: Call,
    path: str | Path,
    *,
    media_type: str,
    seconds: int = 3600,
    inside: Path | None = None,
    check: Callable[[os.stat_result], None] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The file, the part of it that was asked for, or 304 where the browser has it already.

    seconds: how long a browser may use it without asking. inside: the folder that it must lie in, links followed.
    check: looks at the file as opened, and raises what is to be answered instead.
    Raises ApiError (404) where there is no such file, PermissionError and other OSErrors as they come.
    """
    descriptor = _open(path, inside)
    streaming = False
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise ApiError(404, "There is no such file.")
        if check is not None:
            check(info)
        etag = f'"{info.st_mtime_ns:x}-{info.st_size:x}-{info.st_ino:x}"'
        about = {
            "ETag": etag,
            "Cache-Control": f"private, max-age={seconds}" if seconds else "private, no-cache",
            "Accept-Ranges": "bytes",
            **(headers or {}),
        }
        if _has(call.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=about)
        wanted = call.headers.get("range") if call.headers.get("if-range", etag) == etag else None
        start, end, status = _part(wanted, info.st_size)
        if status == 416:
            raise ApiError(416, f"The file has only {info.st_size} bytes.")
        if status == 206:
            about["Content-Range"] = f"bytes {start}-{end - 1}/{info.st_size}"
        about["Content-Length"] = str(end - start)
        if end - start <= CHUNK_BYTES:  # a poster: read here and now, in the thread that opened it
            content = b"" if call.method == "HEAD" else _read(descriptor, start, end - start)
            return Response(content, status, about, media_type)
        streaming = True
        return _Stream(status, about, media_type, descriptor, start, end)
    finally:
        if not streaming:
            os.close(descriptor)


class _Stream(Response):
    """The bytes from `start` to `end` of an open file, a chunk at a time; stops where the browser goes away."""

    def __init__(
        self, status: int, headers: dict[str, str], media_type: str, descriptor: int, start: int, end: int
    ) -> None:
        super().__init__(None, status, headers, media_type)
        self._descriptor = descriptor
        self._start = start
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            async with anyio.create_task_group() as group:

                async def stop_when_nobody_listens() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(stop_when_nobody_listens)
                await self._send_all(send)
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(os.close, self._descriptor)

    async def _send_all(self, send: Send) -> None:
        at = self._start
        while at < self._end:
            chunk = await anyio.to_thread.run_sync(_read, self._descriptor, at, min(CHUNK_BYTES, self._end - at))
            if not chunk:  # the file became shorter: the connection is closed, and the browser sees that
                return
            at += len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": at < self._end})


def _open(path: str | Path, inside: Path | None) -> int:
    # Nonblocking: opening a pipe that somebody put there must not wait for its other end.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        if inside is not None:
            path = os.path.realpath(path)
            if not Path(path).is_relative_to(os.path.realpath(inside)):
                raise ApiError(404, "There is no such file.")
            flags |= getattr(os, "O_NOFOLLOW", 0)
        return os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ApiError(404, _GONE) from error
    except ValueError as error:  # a null character in the name
        raise ApiError(404, "There is no such file.") from error


def _read(descriptor: int, at: int, length: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.read(descriptor, length)


def _has(header: str | None, etag: str) -> bool:
    return header is not None and (header.strip() == "*" or etag in [each.strip() for each in header.split(",")])


def _part(header: str | None, size: int) -> tuple[int, int, int]:
    """(start, end, status) of a Range header. What is no single range of bytes is answered with the whole file."""
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
