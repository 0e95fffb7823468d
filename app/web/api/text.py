"""Routes for the transcript of a video: where its words come from, and its lines, part by part.

Texts are sent as text, and the page shows them as such. A long film has ten thousand lines: each request answers for a
stretch of time, and says where the next one begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.web.http.errors import not_found
from app.web.http.requests import ApiRequest
from app.web.http.routes import route

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.library import Library
    from db.text.reading import StoredLine
    from db.timed_text import TextSource

MAX_SOURCES = 100  # of a video, and in a request
MAX_SECONDS = 1800.0  # that a request answers for
MAX_LINES = 2_000  # likewise
MAX_CHARACTERS = 2_000  # of a line; what is longer was not written to be read beside a picture


def text_routes(library: Library) -> list[Route]:
    """Return the routes `/api/text/VIDEO` and `/api/text/VIDEO/lines?sources=1,2&from=SECONDS`."""

    def sources(request: ApiRequest) -> dict[str, Any]:
        with not_found("video"):
            library.video(request.id("video"))
        return {"sources": [_source_json(each) for each in timed_sources(library, request.id("video"))[:MAX_SOURCES]]}

    def lines(request: ApiRequest) -> dict[str, Any]:
        with not_found("video"):
            video = library.video(request.id("video"))
        chosen = request.ids("sources", MAX_SOURCES)
        begin = max(0, round(1000 * request.number("from", 0.0)))
        end = begin + int(1000 * MAX_SECONDS)
        found = [
            line
            for source in chosen
            for line in library.texts.lines(video.id or 0, source_id=source, start_ms=begin, end_ms=end)
            if line.line.start_ms >= begin  # those that began earlier were sent with their beginning
        ]
        found.sort(key=lambda each: (each.line.start_ms, each.kind != "chapter", each.line.end_ms, each.id))
        after = end if end < 1000 * video.duration_seconds else None
        if len(found) > MAX_LINES:
            # The next request begins at the last line's time: lines of one moment may be sent twice, and are told
            # apart by their ids. Where more than all that are sent begin at one moment, the rest is left out.
            last = found[MAX_LINES - 1].line.start_ms
            found, after = found[:MAX_LINES], last if last > begin else begin + 1
        segments = library.segments_at([(each.video_id, each.line.start_ms, each.line.start_ms) for each in found])
        return {
            "lines": [_line_json(line, at) for line, at in zip(found, segments, strict=True)],
            "next": None if after is None else after / 1000,
        }

    return [
        route("/api/text/{video}", sources),
        route("/api/text/{video}/lines", lines, max_concurrent=4),
    ]


def timed_sources(library: Library, video_id: int) -> list[TextSource]:
    """Return the sources of a video whose lines have times of their own: all that have lines, except tags."""
    return [each for each in library.texts.sources(video_id) if each.kind != "tag" and each.lines > 0]


def _source_json(source: TextSource) -> dict[str, Any]:
    return {
        "id": source.id,
        "kind": source.kind,
        "language": source.language[:MAX_CHARACTERS],
        "title": source.title[:MAX_CHARACTERS],
        "origin": source.origin[:MAX_CHARACTERS],
        "engine": source.engine[:MAX_CHARACTERS],
        "default": source.default,
        "forced": source.forced,
        "for_deaf": source.for_deaf,
        "lines": source.lines,
    }


def _line_json(stored: StoredLine, segments: tuple[int, ...]) -> dict[str, Any]:
    """Return a line as the page receives it.

    Args:
        stored: The line.
        segments: Those that are shown when it begins.
    """
    line = stored.line
    return {
        "id": stored.id,
        "source": stored.source_id,
        "start": line.start_ms / 1000,
        "end": line.end_ms / 1000,
        "text": line.text if len(line.text) <= MAX_CHARACTERS else f"{line.text[: MAX_CHARACTERS - 1]}…",
        "segment": segments[0] if segments else None,
    }
