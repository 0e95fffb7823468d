"""Storing of a complete video: what one decoding and one or several encoders made of it, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from indexer.scan import Problem

if TYPE_CHECKING:
    from db.claims import Claim
    from db.library import Library
    from db.records import Video
    from db.video_rows import VideoRows
    from indexer.messages import Decoded
    from indexer.report import ReportBuilder

TAKEN_OVER = (
    "this machine did not answer for a while, so another took the video over; what was made of it here was dropped, "
    "and nothing is there twice"
)


def store_video(
    library: Library,
    decoded: Decoded,
    video: Video,
    made: Sequence[VideoRows],
    report: ReportBuilder,
    claim: Claim | None,
) -> int:
    """Store a video with the rows of its encoders, and count it. Return its id.

    Args:
        library: The library.
        decoded: What was decoded.
        video: The record of it to store.
        made: Rows of all its segments, by at least one encoder.
        report: Counts all but the file itself.
        claim: The run's claim on it, if that may have lapsed.

    Raises:
        ValueError, OSError, LibraryError: As `Library.add_video` does.
    """
    first, *further = made
    with report.timed("store"):
        video_id = library.add_video(
            video,
            decoded.shots,
            decoded.segments,
            first.embeddings,
            encoder_id=first.encoder_id,
            recipe=first.recipe,
            media=decoded.media,
            quick_of=first.quick_of,
            further=further,
            claim=claim,
        )
    report.add(
        video_seconds=video.duration_seconds,
        clips=len(decoded.segments),
        rows=Counter({each.encoder_id: len(decoded.segments) for each in made}),
        frames=video.frames,
        fell_back=decoded.fell_back,
        notes=tuple(Problem(path=video.path, reason=note) for note in decoded.notes),
    )
    report.add_seconds("hash", decoded.seconds_hashing)
    return video_id


def reason_of(problems: Mapping[str, str], *, several: bool, stored: bool) -> str:
    """Return why a video failed that encoders could not encode.

    Args:
        problems: What each of them said, by its id.
        several: Whether the run has several encoders, so that they are named.
        stored: Whether rows of others were stored.
    """
    said = [f"the encoder {name if several else ''}".rstrip() + f" failed on it: {text.rstrip('.')}"
            for name, text in problems.items()]  # fmt: skip
    reason = "; ".join([*said, *(["what the other made of it is stored"] if stored else [])])
    return f"{reason[0].upper()}{reason[1:]}."
