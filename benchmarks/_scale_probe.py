"""Costs of a library of any tree on any engine: adding videos, opening, searching, filtering, listing.

`benchmarks._scale_engines` runs it in its own process, over a folder and over a server, and through
benchmarks/_tree_worker.py over another tree. So it imports only what commits before there were servers have, too.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from db.library import Library
from db.records import Filters, Segment, Shot, Video
from search.engine import SearchEngine
from search.query import Query, TextTerm
from search.vectors.faiss_index import FaissIndex

DIM = 768
ENCODER = "probe@benchmark"
SHOTS = 50  # of a video
_SHOT_FRAMES = 100
_QUESTIONS = 64


def unit_rows(count: int, seed: int) -> NDArray[np.float32]:
    """Return random rows of length 1, float32 (count, DIM)."""
    rows = np.random.default_rng(seed).standard_normal((count, DIM), dtype=np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def video_of(path: str, number: int, shots: int) -> tuple[Video, list[Shot], list[Segment]]:
    """Return a video with its shots, one segment each."""
    frames = shots * _SHOT_FRAMES
    spans = [(at, at * _SHOT_FRAMES, (at + 1) * _SHOT_FRAMES) for at in range(shots)]
    video = Video(
        path=path, fingerprint=fingerprint_of(number), size_bytes=10**9, modified_ns=number,
        time_base=Fraction(1, 25), start_pts=0, end_pts=frames, frame_rate=Fraction(25), frames=frames, width=1920,
        height=1080, codec="h264",
    )  # fmt: skip
    return (
        video,
        [Shot(number=at, start_pts=start, end_pts=end) for at, start, end in spans],
        [Segment(number=at, shot_number=at, start_pts=start, end_pts=end) for at, start, end in spans],
    )


def fingerprint_of(number: int) -> str:
    return f"video{number:012d}"


class _Words:
    """A stand-in for an encoder that costs nothing."""

    id, text_id, dim = ENCODER, "probe:text@benchmark", DIM

    def __init__(self) -> None:
        self._rows = unit_rows(_QUESTIONS, 1)

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        return self._rows[[int(text) for text in texts]]


class Worker:
    """A library and what is asked of it. Every method but `origin` and `fill` returns wall and CPU milliseconds."""

    def __init__(self, place: str, footage: str) -> None:
        """Open or make a library.

        Args:
            place: Where it is.
            footage: A folder for the files of its videos, which are empty.
        """
        self._place, self._footage = place, Path(footage)
        self._footage.mkdir(parents=True, exist_ok=True)
        self._library = Library.open(place)
        self._engine: SearchEngine | None = None
        self._videos = 0

    def origin(self) -> str:
        """Return the file that the library was imported from."""
        return inspect.getfile(Library)

    def add(self, videos: int) -> tuple[float, float]:
        """Add videos, and return the cost of one."""
        made = []
        for number in range(self._videos, self._videos + videos):
            path = self._footage / f"reel {number // 20:03d}" / f"take {number:06d}.mp4"
            path.parent.mkdir(exist_ok=True)
            path.touch()
            made.append((*video_of(str(path), number, SHOTS), unit_rows(SHOTS, number)))
        self._videos += videos

        def store() -> None:
            for each in made:
                self._library.add_video(*each, encoder_id=ENCODER, recipe="probe")

        return _milliseconds(store, videos)

    def open(self, times: int) -> tuple[float, float]:
        """Open the library once more, in a process that has it open, and close it again."""
        return _milliseconds(lambda: _repeat(lambda number: Library.open(self._place).close(), times), times)

    def search(self, times: int) -> tuple[float, float]:
        """Search by words, which costs no encoding here: bring the copy up to date, find 20 hits, look them up."""
        if self._engine is None:
            index = FaissIndex.open(self._library, ENCODER, self._library.directory / "vectors")
            self._engine = SearchEngine(self._library, cast(Any, _Words()), index)
        engine = self._engine

        def ask(number: int) -> None:
            engine.refresh()
            if len(engine.answer(Query([TextTerm(str(number % _QUESTIONS))], k=20)).hits) != 20:
                raise RuntimeError("a search has found fewer than 20 hits")

        ask(0)
        return _milliseconds(lambda: _repeat(ask, times), times)

    def filter(self, times: int) -> tuple[float, float]:
        """Evaluate a filter that is always another one."""
        folder = str(self._footage / "reel 000")

        def ask(number: int) -> None:
            self._library.segment_ids(Filters(folder=folder, min_seconds=1 + number / 1000), ENCODER)

        ask(-1)
        return _milliseconds(lambda: _repeat(ask, times), times)

    def list(self, times: int) -> tuple[float, float]:
        """List all videos with counts of their parts, as `info` and the page do, and the sums of `stats`."""

        def ask(number: int) -> None:
            self._library.overview()
            self._library.stats()

        return _milliseconds(lambda: _repeat(ask, times), times)

    def close(self) -> None:
        self._library.close()


def _repeat(act: Callable[[int], object], times: int) -> None:
    for number in range(times):
        act(number)


def _milliseconds(act: Callable[[], object], times: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return 1000 * (time.perf_counter() - wall) / times, 1000 * (time.process_time() - cpu) / times
