"""Routes for one segment: its facts, its neighbours, and the frames around it; and for the cards of several."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from app.exporting.source_facts import SourceFacts
from app.media_workers import ReadMedia
from app.web.api.text import timed_sources
from app.web.http.errors import ApiError, not_found
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.frames_in_range import frames_in_range
from app.web.services.playability import Playability
from app.web.services.segment_cache import SegmentCache
from app.web.services.shot_cards import Parts, part_fields, shot_card
from app.web.services.source_check import SourceCheck

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.library import Library
    from db.records import Segment, Video

MAX_SECONDS = 120.0
MAX_NEIGHBOURS = 100
MAX_CARDS = 200


def segment_routes(library: Library, segments: SegmentCache, check: SourceCheck, read: ReadMedia) -> list[Route]:
    """Return the routes `/api/segment/ID`, `/api/neighbours/ID`, `/api/frames/ID` and `/api/cards?ids=1,2,3`."""
    playability = Playability(read)

    def segment(request: ApiRequest) -> dict[str, Any]:
        found = segments.get(request.id("segment"))
        parts = library.shot_parts([request.id("segment")])
        facts = segment_json(found.segment, found.video, parts, playability, source=check.reachable(found.video))
        return {**facts, "has_text": bool(timed_sources(library, found.video.id or 0))}

    def neighbours(request: ApiRequest) -> dict[str, Any]:
        before, after = (request.integer(name, 6, MAX_NEIGHBOURS) for name in ("before", "after"))
        with not_found("shot"):
            found = library.segments_around(request.id("segment"), before=before, after=after)
        parts = library.shot_parts(each.id for each, _ in found if each.id is not None)
        return {
            "items": [
                {
                    "id": each.id,
                    "start": video.seconds(each.start_pts),
                    "end": video.seconds(each.end_pts),
                    "number": each.number,
                    **part_fields(each, parts),
                }
                for each, video in found
            ]
        }

    def frames(request: ApiRequest) -> dict[str, Any]:
        video = check.reachable(segments.get(request.id("segment")).video)
        start, end = (Fraction(request.number(name, value)) for name, value in (("from", 0.0), ("to", MAX_SECONDS)))
        if not 0 <= start < end:
            raise ApiError(400, "`from` must be 0 or more, and `to` greater than that.")
        if end - start > MAX_SECONDS + 1:
            raise ApiError(400, f"At most {MAX_SECONDS:g} s of frames are told at a time; ask for less.")
        check.require_unchanged(video, os.stat(video.path))
        pts = read(frames_in_range, video, start, end, path=video.path)
        return {"pts": pts, "seconds": [round(video.seconds(each), 9) for each in pts]}

    def cards(request: ApiRequest) -> dict[str, Any]:
        ids = request.ids("ids", MAX_CARDS)
        found = library.segments(ids)
        parts = library.shot_parts(found)
        return {"items": [shot_card(*found[each], parts) for each in ids if each in found]}

    return [
        route("/api/cards", cards),
        route("/api/segment/{segment}", segment),
        route("/api/neighbours/{segment}", neighbours),
        route("/api/frames/{segment}", frames, max_concurrent=2),  # some videos must be decoded
    ]


def segment_json(
    segment: Segment, video: Video, parts: Parts, playability: Playability, *, source: Video
) -> dict[str, Any]:
    """Return a segment as the player receives it. Seconds count from the first frame shown.

    Args:
        segment: The segment.
        video: Its video.
        parts: Its place among the parts of its shot.
        playability: Tells what browsers play.
        source: The video whose file is played: this one, or one of the same content.
    """
    missing = not os.path.isfile(source.path)
    folder, name = os.path.split(video.path)
    return {
        "id": segment.id,
        "video": video.id,
        "name": name,
        "path": video.path,
        "folder": folder,
        "missing": missing,
        "number": segment.number,
        "shot": segment.shot_number,
        **part_fields(segment, parts),
        "start": video.seconds(segment.start_pts),
        "end": video.seconds(segment.end_pts),
        "start_pts": segment.start_pts,
        "end_pts": segment.end_pts,
        "video_start_pts": video.start_pts,
        "video_end_pts": video.end_pts,
        "time_base": ratio(video.time_base),
        "rate": ratio(SourceFacts.of_video(video).rate),
        "timecode": video.timecode,
        "duration": video.duration_seconds,
        "width": video.width,
        "height": video.height,
        "codec": video.codec,
        "has_audio": video.has_audio,
        "playable": None if missing else playability.of(source),
    }


def ratio(value: Fraction) -> list[int]:
    """Return [numerator, denominator]."""
    return [value.numerator, value.denominator]
