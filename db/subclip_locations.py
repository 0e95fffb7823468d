"""Locations of subclips: the video and segment that have their content now: of its fingerprint and, if known, hash.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, RowMapping, select

from db.media_facts import facts_from_text
from db.records import Subclip
from db.rows import SUBCLIP, chunks
from db.schema import segments, videos

_SPANS = select(segments.c.id, segments.c.video_id, segments.c.start_pts, segments.c.end_pts)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A video of the library that has the content of a subclip."""

    video_id: int
    content_hash: str  # "": not known
    path: str
    timecode: str
    facts: str | None  # as stored

    def may_be_of(self, row: RowMapping) -> bool:
        """Return whether this is the video that a subclip was created from, or may have its content."""
        hashes = {self.content_hash, row["content_hash"]}
        return self.video_id == row["video_id"] or "" in hashes or len(hashes) == 1


def load_subclips(connection: Connection, stored: Sequence[RowMapping]) -> list[Subclip]:
    """Return rows of the table `subclips` as records, in order, with their current locations; without damaged rows."""
    sound = {subclip.id for subclip in SUBCLIP.load_sound(stored, "name")}
    stored = [row for row in stored if row["id"] in sound]
    copies = _choose_copies(connection, stored)
    found = _choose_segments(connection, stored, copies)
    return [_to_subclip(row, copies.get(row["id"]), found.get(row["id"])) for row in stored]


def _choose_copies(connection: Connection, stored: Sequence[RowMapping]) -> dict[int, _Copy]:
    """Return, by subclip id, a video that has its content.

    Prefer one of the same hash, then the one at the subclip's path, then the one it was created from, then the oldest.
    Subclips whose content is not in the library are omitted.
    """
    by_fingerprint: dict[str, list[_Copy]] = {}
    for chunk in chunks(dict.fromkeys(row["fingerprint"] for row in stored)):
        for fingerprint, *values in connection.execute(
            select(
                videos.c.fingerprint,
                videos.c.id,
                videos.c.content_hash,
                videos.c.path,
                videos.c.timecode,
                videos.c.facts,
            )
            .where(videos.c.fingerprint.in_(chunk))
            .order_by(videos.c.id)
        ):
            by_fingerprint.setdefault(fingerprint, []).append(_Copy(*values))
    chosen: dict[int, _Copy] = {}
    for row in stored:
        ranked = [
            (
                copy.content_hash != row["content_hash"],
                copy.path != row["path"],
                copy.video_id != row["video_id"],
                number,
                copy,
            )
            for number, copy in enumerate(by_fingerprint.get(row["fingerprint"], ()))
            if copy.may_be_of(row)
        ]
        if ranked:
            chosen[row["id"]] = min(ranked)[-1]
    return chosen


def _choose_segments(connection: Connection, stored: Sequence[RowMapping], copies: dict[int, _Copy]) -> dict[int, int]:
    """Return, by subclip id, the segment it was created from, else the one that overlaps it most."""
    own = {
        span.id: span
        for chunk in chunks(dict.fromkeys(row["segment_id"] for row in stored))
        for span in connection.execute(_SPANS.where(segments.c.id.in_(chunk)))
        if all(type(value) is int for value in span)
    }
    found: dict[int, int] = {}
    rest: dict[int, list[RowMapping]] = {}  # by video
    for row in stored:
        span, copy = own.get(row["segment_id"]), copies.get(row["id"])
        if copy is None:
            continue
        if span is not None and span.video_id == copy.video_id and _overlap(span.start_pts, span.end_pts, row) > 0:
            found[row["id"]] = span.id
        else:
            rest.setdefault(copy.video_id, []).append(row)
    for video_id, rows in rest.items():
        spans = [
            span
            for span in connection.execute(_SPANS.where(segments.c.video_id == video_id).order_by(segments.c.number))
            if all(type(value) is int for value in span)
        ]
        starts, ends = (np.fromiter((span[at] for span in spans), dtype=np.int64, count=len(spans)) for at in (2, 3))
        for row in rows:
            overlaps = np.minimum(ends, row["end_pts"]) - np.maximum(starts, row["start_pts"])
            best = int(overlaps.argmax()) if spans else 0
            if spans and overlaps[best] > 0:
                found[row["id"]] = spans[best].id
    return found


def _overlap(start_pts: int, end_pts: int, row: RowMapping) -> int:
    """Return the pts shared by a segment and a subclip; 0 or less if they do not overlap."""
    return int(min(end_pts, row["end_pts"]) - max(start_pts, row["start_pts"]))


def _to_subclip(row: RowMapping, copy: _Copy | None, segment_id: int | None) -> Subclip:
    if copy is None:
        return SUBCLIP.load(row, video_id=None, segment_id=segment_id)
    return SUBCLIP.load(
        row,
        video_id=copy.video_id,
        segment_id=segment_id,
        path=copy.path,
        timecode=copy.timecode or row["timecode"],
        facts=facts_from_text(copy.facts or row["facts"]),
    )
