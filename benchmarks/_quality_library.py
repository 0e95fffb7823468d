"""Libraries of given rows: synthetic edits without files, and an engine of the product over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import compose
from benchmarks._clustered_rows import unit
from db.library import Library
from db.records import Segment, Shot, Video
from encoder import Encoder
from search.engine import SearchEngine
from search.query import Query

SPREAD = 0.35  # length of what is added to a row for one that resembles it
SHOTS_A_VIDEO = 100


@dataclass(frozen=True)
class Cut:
    """A video to be made of rows: its path, the lengths of its shots, and a row for each."""

    path: str
    seconds: tuple[float, ...]
    rows: NDArray[np.float32]


def fill(library: Library, encoder_id: str, cuts: Iterable[Cut]) -> None:
    """Add videos, with one segment for each shot."""
    for cut in cuts:
        ends = np.cumsum(np.round(np.asarray(cut.seconds) * 1000)).astype(int).tolist()
        spans = list(zip([0, *ends[:-1]], ends, strict=True))
        video = Video(
            path=cut.path, fingerprint=f"made:{cut.path}", size_bytes=1, modified_ns=1, time_base=Fraction(1, 1000),
            start_pts=0, end_pts=ends[-1], frame_rate=Fraction(25), frames=ends[-1] // 40, width=320, height=180,
            codec="h264",
        )  # fmt: skip
        library.add_video(
            video,
            [Shot(number=at, start_pts=start, end_pts=end) for at, (start, end) in enumerate(spans)],
            [Segment(number=at, shot_number=at, start_pts=start, end_pts=end) for at, (start, end) in enumerate(spans)],
            cut.rows,
            encoder_id=encoder_id,
            recipe="made",
        )


def padding(rows: NDArray[np.float32], count: int, rng: np.random.Generator) -> Iterable[Cut]:
    """Yield `count` shots that resemble given ones, in videos below /padding."""
    for number in range(0, count, SHOTS_A_VIDEO):
        size = min(SHOTS_A_VIDEO, count - number)
        noise = rng.normal(size=(size, rows.shape[1])) * (SPREAD / np.sqrt(rows.shape[1]))
        like = unit(rows[rng.integers(len(rows), size=size)] + noise.astype(np.float32))
        yield Cut(f"/padding/{number:08d}.mp4", (4.0,) * size, like)


def open_engine(directory: Path, encoder: Encoder, cuts: Iterable[Cut]) -> SearchEngine:
    """Return an engine over a new library of these videos; who asks closes `engine.library`."""
    library = Library.open(directory)
    fill(library, encoder.id, cuts)
    return compose.open_engine(compose.Settings(library=directory), library, encoder)


def ask(engine: SearchEngine, terms: tuple[Any, ...], **options: Any) -> list[Any]:
    """Return hits, near-duplicates among them: takes drawn twice are no noise here."""
    known = {each.name for each in fields(Query)}
    if "duplicates" in known:
        options.setdefault("duplicates", "show")
    return engine.search(Query(terms=terms, **{name: value for name, value in options.items() if name in known}))
