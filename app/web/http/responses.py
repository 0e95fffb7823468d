"""JSON responses, and the response for each kind of error."""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

from app.web.http.errors import CANNOT_BE_FOUND, ApiError, as_sentence
from db.media_roots import absent_text

CLOSING = {"Connection": "close"}
"""Headers of responses sent before the whole request was read; without them, the server would read the rest first."""
AWAY = "The library cannot be reached at the moment: its server does not answer. This page goes on when it is back."
"""A sentence for everybody, also for who is not logged in: without the server's name."""
_AWAY_HEADERS = {"Retry-After": "5"}
_AWAY_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    f'<meta http-equiv="refresh" content="5"><title>prismsearch</title></head><body><p role="alert">{AWAY}</p></body>'
    "</html>"
)
_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `content` as JSON.

    The JSON is ASCII, so that it can carry file names that are not UTF-8. Browsers do not cache it unless `headers`
    says so.

    Raises:
        ValueError: `content` holds a number that is not finite.
    """
    body = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def error_response(status: int, sentence: str, headers: Mapping[str, str] | None = None, **facts: Any) -> Response:
    """Return the JSON object `{"error": sentence, ...facts}`."""
    return json_response({"error": sentence, **facts}, status, headers)


def has_etag(header: str | None, etag: str) -> bool:
    """Return whether an If-None-Match header names this ETag, so that 304 is the response."""
    return header is not None and (header.strip() == "*" or etag in [each.strip() for each in header.split(",")])


def response_for_error(error: Exception) -> Response:
    """Return the response for an exception that a route raised.

    Errors of the library, of media and of the disk have their own status and sentence. Anything else is a bug: status
    500, with the traceback in the log.
    """
    from app.exporting.ffmpeg_binary import ExportError
    from db.errors import LibraryBusy, LibraryError, LibraryFull, LibraryUnreachable, NotAllowed
    from indexer.media.errors import UnreadableVideo

    if isinstance(error, ApiError):
        return error_response(
            error.status, error.sentence, CLOSING if error.status in (408, 413) else None, **error.facts
        )
    if isinstance(error, NotAllowed):
        return error_response(403, str(error))
    if isinstance(error, LibraryBusy):
        return error_response(503, str(error), {"Retry-After": "2"})
    if isinstance(error, LibraryUnreachable):
        return error_response(503, AWAY, _AWAY_HEADERS)
    if isinstance(error, LibraryFull):
        return error_response(507, str(error))
    if isinstance(error, LibraryError):
        return error_response(500, str(error))
    if isinstance(error, UnreadableVideo):
        return error_response({"missing": 404, "permission": 403}.get(error.kind, 422), error.reason)
    if isinstance(error, ExportError):
        return error_response(422, as_sentence(str(error)))
    if isinstance(error, OSError):
        return _disk_error(error)
    logging.getLogger(__name__).error("a route failed", exc_info=error)
    return error_response(
        500,
        f"An error in prismsearch itself ({type(error).__name__}); its terminal shows the details. Please report it.",
    )


def away_page() -> Response:
    """Return what a browser shows in place of a page while the library cannot be reached. It tries again by itself."""
    return HTMLResponse(_AWAY_PAGE, 503, {**_AWAY_HEADERS, "Cache-Control": "no-store"})


def _disk_error(error: OSError) -> Response:
    if error.errno in _DISK_FULL:
        return error_response(507, "The disk is full; free some space and try again.")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return error_response(404, absent_text(str(error.filename or ""), CANNOT_BE_FOUND))
    if isinstance(error, PermissionError):
        return error_response(403, "You do not have permission to read the file; change its permissions.")
    logging.getLogger(__name__).warning("a file could not be used: %s", error)
    return error_response(500, f"Reading or writing failed ({error.strerror or error}); check the disk and try again.")
