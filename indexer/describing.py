"""The record of a video that was read to its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from db.recording_date import recorded_at
from db.records import Video

if TYPE_CHECKING:
    from indexer.media.decode import Decoding
    from indexer.media.interlacing import FieldsSeen
    from indexer.shots.key_segmenter import KeySegmenter
    from indexer.shots.segmenter import Segmenter


def describe_video(
    decoding: Decoding,
    segmenter: Segmenter | KeySegmenter,
    fields: FieldsSeen,
    end: int,
    *,
    path: str,
    fingerprint: str,
) -> Video:
    """Return the record of a video.

    Args:
        decoding: Its decoding, at the end, with the file still open.
        segmenter: Of its frames.
        fields: What is known of interlacing.
        end: pts at which it ends.
        path, fingerprint: Of the file.
    """
    from indexer.media.facts import header_kinds, read_facts

    source = decoding.source
    width, height = segmenter.scaler.shown_size(*segmenter.scaler.first_size)
    exact = segmenter.frames / ((end - segmenter.start_pts) * source.time_base)
    facts = read_facts(source, fields)
    return Video(
        path=os.path.abspath(path),
        fingerprint=fingerprint,
        size_bytes=source.size_bytes,
        modified_ns=source.modified_ns,
        time_base=source.time_base,
        start_pts=segmenter.start_pts,
        end_pts=end,
        frame_rate=exact.limit_denominator(1001) or exact,  # 30000/1001 even if times are in milliseconds
        frames=segmenter.frames,
        width=width,
        height=height,
        codec=source.codec,
        rotation=segmenter.scaler.orientation.clockwise_degrees,
        has_audio=source.has_audio,
        damaged=decoding.damaged + segmenter.unusable,
        timecode=source.timecode,
        facts=facts,
        kinds=header_kinds(source, fields) | ({"clock"} if decoding.timeline.jumps else set()),
        recorded_at=recorded_at(facts.recorded_at, path),
    )
