"""The route for the moment of a hit: the stretch of its shot that answers the search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.search_link import parse_address
from app.shell.moment_options import BACKWARDS, moment_record
from app.web.http.errors import ApiError
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.moments import Moments
from app.web.services.segment_cache import SegmentCache

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.records import Segment
    from search.moments.moment import Moment

MAX_LINK_CHARACTERS = 16_384


def moment_routes(segments: SegmentCache, moments: Moments) -> list[Route]:
    """Return the route `/api/moment/ID?link=...`; `link` is a search as the page's address has it.

    One moment is found at a time: others wait, and those whose browser has gone on are given up.
    """

    def moment(request: ApiRequest) -> dict[str, Any]:
        found = segments.get(request.id("segment"))
        text = request.query.get("link", "")
        if len(text) > MAX_LINK_CHARACTERS:
            raise ApiError(400, f"`link` must have at most {MAX_LINK_CHARACTERS} characters.")
        link, _ = parse_address(text)
        if not link.has_query:
            raise ApiError(400, "`link` must be a search, with words or an example.")
        if link.is_chain:
            raise ApiError(400, "`link` must be a search for single shots: the parts of a chain say when it is.")
        if link.has_text:
            raise ApiError(400, "`link` must be a search by the picture alone: words in quotes say when it is.")
        result = moments.find(found.segment, found.video, link, request.gone)
        record = moment_record(result, found.video)
        assert record is not None, "there is a moment"
        note = BACKWARDS if result.may_run_backwards else None
        return {
            "segment": found.segment.id,
            "video": found.video.id,
            "note": note,
            "preview": preview_part(result, found.segment),
            **record,
        }

    return [route("/api/moment/{segment}", moment, max_concurrent=1, tell_gone=True)]


def preview_part(moment: Moment, segment: Segment) -> dict[str, float] | None:
    """Return where a moment lies in the preview of a segment, from 0 to 1; None if it lies outside.

    A preview shows all of its segment, at an even speed.
    """
    start, end = max(moment.start_pts, segment.start_pts), min(moment.end_pts, segment.end_pts)
    if end <= start:
        return None
    length = segment.end_pts - segment.start_pts
    return {
        "from": round((start - segment.start_pts) / length, 4),
        "to": round((end - segment.start_pts) / length, 4),
    }
