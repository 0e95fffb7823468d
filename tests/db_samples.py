"""Small videos for the tests of db: made up, but of the shape that the indexer hands over."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.library import Library
from db.media import StagedMedia
from db.records import Segment, Shot, Video

SECOND = 90_000  # pts
DIM = 16


def make_video(path: str = "/films/a.mp4", fingerprint: str = "abcd01", seconds: int = 12, **values: Any) -> Video:
    given: dict[str, Any] = {
        "path": path,
        "fingerprint": fingerprint,
        "size_bytes": 1000,
        "modified_ns": 1_700_000_000_123_456_789,
        "time_base": Fraction(1, SECOND),
        "start_pts": 900,
        "end_pts": 900 + seconds * SECOND,
        "frame_rate": Fraction(30_000, 1001),
        "frames": 30 * seconds,
        "width": 64,
        "height": 48,
        "codec": "h264",
    }
    return Video(**(given | values))


def make_parts(video: Video, count: int = 3) -> tuple[list[Shot], list[Segment]]:
    """`count` segments of equal length; the first two share a shot, as the parts of a long one do."""
    step = (video.end_pts - video.start_pts) // count
    edges = [video.start_pts + step * i for i in range(count)] + [video.end_pts]
    segments = [
        Segment(number=i, shot_number=max(0, i - 1), start_pts=edges[i], end_pts=edges[i + 1]) for i in range(count)
    ]
    first_end = edges[min(2, count)]
    shots = [Shot(number=0, start_pts=edges[0], end_pts=first_end)]
    shots += [Shot(number=i - 1, start_pts=edges[i], end_pts=edges[i + 1]) for i in range(2, count)]
    return shots, segments


def unit_rows(count: int, seed: int = 0, dim: int = DIM) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def stage(library: Library, video: Video, count: int, text: str = "poster", recipe: str = "r1") -> StagedMedia:
    media = library.stage_media(video.fingerprint, recipe)
    for number in range(count):
        media.add(number, f"{text} {number}".encode(), f"{text} moves {number}".encode())
    return media


def add(
    library: Library,
    video: Video | None = None,
    *,
    count: int = 3,
    encoder_id: str = "enc",
    recipe: str = "r1",
    seed: int = 0,
    dim: int = DIM,
    media: StagedMedia | None = None,
) -> int:
    video = video or make_video()
    shots, segments = make_parts(video, count)
    rows = unit_rows(count, seed, dim)
    return library.add_video(video, shots, segments, rows, encoder_id=encoder_id, recipe=recipe, media=media)


def ids_of(library: Library, video_id: int) -> list[int]:
    return [segment.id for segment in library.segments_of(video_id) if segment.id is not None]
