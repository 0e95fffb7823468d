"""Held-out demo takes as an indexer leaves them: drawn, cut together, encoded to files, found and embedded by `index`.

Files differ in codec, shape and rate. What is made is kept in a folder, and used again by the next run.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from db.library import Library
from db.records import Video
from demo import captions
from demo.make_library import File, encode, h264
from demo.world import Take
from encoder import Encoder
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings

SHOTS_A_FILE = 8
SECONDS = 1.6
_KINDS = (
    ("mp4", "libx264", 320, 180, 15, h264(preset="fast")),
    ("mkv", "libx264", 240, 240, 12, h264(preset="fast", bf="2")),
    ("mp4", "libx264", 180, 320, 15, h264(preset="fast")),
    ("avi", "mpeg4", 320, 240, 12, {"qscale": "6", "bf": "0"}),
)


@dataclass(frozen=True)
class Footage:
    """Rows of takes by drawing.

    Attributes:
        takes: All held-out takes.
        rows: float32 (drawings, takes, D); NaN where a shot was not found.
    """

    takes: tuple[Take, ...]
    rows: NDArray[np.float32]

    @property
    def found(self) -> float:
        """Share of the shots that were found where they were cut."""
        return float((~np.isnan(self.rows[..., 0])).mean())

    def row(self, take: Take, drawing: int) -> NDArray[np.float32]:
        """Return the row of a take, of another drawing if that one's shot was not found."""
        of_take = self.rows[:, self.takes.index(take)]
        found = np.flatnonzero(~np.isnan(of_take[:, 0]))
        return of_take[drawing if drawing in found else found[0]]


def make_footage(encoder: Encoder, folder: Path, drawings: int = 2, seed: int = 14) -> Footage:
    """Return every held-out take, drawn so many times, as the product embeds it."""
    takes = tuple(sorted(captions.held_out()))
    kept = folder / f"rows-{encoder.id.replace(':', '-')}-{drawings}-{seed}.npy"
    if not kept.exists():
        rows = np.stack([_indexed(encoder, folder / f"drawing-{at}", takes, (seed, at)) for at in range(drawings)])
        np.save(kept, rows)
    return Footage(takes, np.load(kept))


def _indexed(encoder: Encoder, folder: Path, takes: tuple[Take, ...], seed: tuple[int, int]) -> NDArray[np.float32]:
    videos = folder / "videos"
    videos.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    rows = np.full((len(takes), encoder.dim), np.nan, dtype=np.float32)
    ordered = apart(takes, rng)
    files = [ordered[at : at + SHOTS_A_FILE] for at in range(0, len(ordered), SHOTS_A_FILE)]
    for number, shown in enumerate(files):
        path = videos / _file(number, len(shown)).name
        if not path.exists():
            part = path.with_name(f"making-{path.name}")  # a run that is stopped leaves no half of a video
            encode(_file(number, len(shown)), shown, part, np.random.default_rng((*seed, number)))
            part.replace(path)
    with Library.open(folder / "library") as library:
        report = index_folders(library, encoder, [videos], IndexSettings())
        if report.failed:
            raise SystemExit(f"videos that were just made could not be indexed: {report}")
        for number, shown in enumerate(files):
            video = library.video_at(str(videos / _file(number, len(shown)).name))
            if video is not None and video.id is not None:
                for at, row in _rows_of_shots(library, encoder.id, video, len(shown)).items():
                    rows[takes.index(shown[at])] = row
    return rows


def _file(number: int, shots: int) -> File:
    suffix, codec, width, height, rate, options = _KINDS[number % len(_KINDS)]
    return File(f"{number:04d}.{suffix}", codec, width, height, Fraction(rate), (SECONDS,) * shots, dict(options))


def apart(takes: tuple[Take, ...], rng: np.random.Generator) -> list[Take]:
    """Return the takes in random order, neighbours differing in thing and background as far as possible."""
    pool = [takes[int(at)] for at in rng.permutation(len(takes))]
    ordered = [pool.pop()]
    while pool:
        last = ordered[-1]
        apart = (n for n, take in enumerate(pool) if take.thing != last.thing and take.background != last.background)
        ordered.append(pool.pop(next(apart, 0)))
    return ordered


def _rows_of_shots(library: Library, encoder_id: str, video: Video, shots: int) -> dict[int, NDArray[np.float32]]:
    """Return the row of the segment that lies in each shot, where one does by more than half of its length."""
    assert video.id is not None
    found: dict[int, NDArray[np.float32]] = {}
    for segment in library.segments_of(video.id):
        start, end = video.seconds(segment.start_pts), video.seconds(segment.end_pts)
        at = int((start + end) / 2 / SECONDS)
        shared = min(end, (at + 1) * SECONDS) - max(start, at * SECONDS)
        if at < shots and segment.id is not None and shared > (end - start) / 2 and shared > SECONDS / 2:
            found[at] = library.embedding_rows(encoder_id, [segment.id])[0]
    return found
