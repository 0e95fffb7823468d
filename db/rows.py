"""Table rows to records and back, and matrices to the bytes that are stored. Knows no connection."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import RowMapping

from db.records import Segment, Shot, Video

STORED = np.dtype("<f2")
"""How an embedding is stored: half the bytes of float32, for 3e-8 of cosine (measured: tests/test_db_vectors.py)."""


def video_values(video: Video) -> dict[str, Any]:
    """A video as values of the table `videos`, without id and media."""
    return {
        "path": video.path,
        "fingerprint": video.fingerprint,
        "size_bytes": video.size_bytes,
        "modified_ns": video.modified_ns,
        "time_base_num": video.time_base.numerator,
        "time_base_den": video.time_base.denominator,
        "start_pts": video.start_pts,
        "end_pts": video.end_pts,
        "frame_rate_num": video.frame_rate.numerator,
        "frame_rate_den": video.frame_rate.denominator,
        "frames": video.frames,
        "width": video.width,
        "height": video.height,
        "codec": video.codec,
        "rotation": video.rotation,
        "has_audio": video.has_audio,
        "damaged": video.damaged,
        "timecode": video.timecode,
    }


def to_video(row: RowMapping) -> Video:
    return Video(
        id=row["id"],
        path=row["path"],
        fingerprint=row["fingerprint"],
        size_bytes=row["size_bytes"],
        modified_ns=row["modified_ns"],
        time_base=Fraction(row["time_base_num"], row["time_base_den"]),
        start_pts=row["start_pts"],
        end_pts=row["end_pts"],
        frame_rate=Fraction(row["frame_rate_num"], row["frame_rate_den"]),
        frames=row["frames"],
        width=row["width"],
        height=row["height"],
        codec=row["codec"],
        rotation=row["rotation"],
        has_audio=row["has_audio"],
        damaged=row["damaged"],
        timecode=row["timecode"],
    )


def to_shot(row: RowMapping) -> Shot:
    return Shot(number=row["number"], start_pts=row["start_pts"], end_pts=row["end_pts"])


def to_segment(row: RowMapping) -> Segment:
    return Segment(
        id=row["id"],
        number=row["number"],
        shot_number=row["shot_number"],
        start_pts=row["start_pts"],
        end_pts=row["end_pts"],
    )


def to_bytes(rows: NDArray[np.float32]) -> list[bytes]:
    """(n, D) of any float type -> n times the bytes of D float16."""
    return [row.tobytes() for row in np.ascontiguousarray(rows).astype(STORED)]


def to_matrix(stored: Sequence[bytes], dim: int) -> NDArray[np.float32]:
    """n times the bytes of `dim` float16 -> float32 (n, dim). Raises ValueError where a length does not fit."""
    if any(len(row) != dim * STORED.itemsize for row in stored):
        raise ValueError(f"an embedding is not {dim * STORED.itemsize} bytes long")
    return np.frombuffer(b"".join(stored), dtype=STORED).reshape(len(stored), dim).astype(np.float32)
