"""JSON fields that hits and chains, and the documents around them, have in common."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from app.asked_encoders import AskedEncoders
from app.times import format_timestamp

if TYPE_CHECKING:
    from encoder import Encoder
    from search.chain_query import Chain
    from search.query import Hit


def encoder_fields(encoders: AskedEncoders | Encoder) -> dict[str, Any]:
    """Return what a document says of the encoder that gave the answer; of several, the first, and the ids of all."""
    encoder = encoders.first if isinstance(encoders, AskedEncoders) else encoders
    fields: dict[str, Any] = {"encoder": encoder.id, "text_id": encoder.text_id, "notice": encoder.notice}
    if isinstance(encoders, AskedEncoders) and len(encoders.every) > 1:
        fields["encoders"] = list(encoders.ids)
    return fields


def place_fields(result: Hit | Chain, start: Fraction, end: Fraction) -> dict[str, Any]:
    """Return rank, score, video, file and range. `start` and `end` are exact fractions as text; others are rounded.

    Args:
        result: A hit or a chain.
        start, end: Its range in seconds from the first frame shown.
    """
    return {
        "rank": result.rank,
        "score": round(float(result.score), 6),
        "video_id": result.video.id,
        "path": result.video.path,
        "start_seconds": round(float(start), 6),
        "end_seconds": round(float(end), 6),
        "start": str(start),
        "end": str(end),
        "start_timecode": format_timestamp(start),
        "end_timecode": format_timestamp(end),
    }
