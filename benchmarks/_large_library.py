"""Synthetic libraries of any size without videos: rows, embeddings and media as indexing would have left them.

Segments have real posters and previews (hard links to those of a small indexed library), and embeddings near the real
ones, so that words find the right things and scores are distributed as in practice.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np

from db.library import Library
from db.records import Segment, Shot, Video
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings

SEGMENTS_A_VIDEO = 100
SHOT_SECONDS = 4
RATE = 25
SPREAD = 0.35  # standard deviation of what is added to a real row before it is brought to length 1, over all columns


def seed_library(directory: Path, videos: Path) -> Library:
    """Return a small library, really indexed with the demo encoder; made once, then opened."""
    from encoder import load_encoder

    library = Library.open(directory)
    if not library.stats().segments:
        report = index_folders(library, load_encoder("demo", "cpu"), [videos], IndexSettings())
        if report.failed or not report.added:
            raise SystemExit(f"the demo library could not be indexed: {report}")
    return library


def grow(seed: Library, directory: Path, segments: int, *, random_seed: int = 1) -> Library:
    """Return a library in `directory` with at least so many segments; an existing one that is large enough is kept."""
    library = Library.open(directory)
    held = library.stats().segments
    encoder_id = seed.encoders()[0].id
    known = [
        (segment, video)
        for video in seed.videos()
        for segment in seed.segments_of(video.id or 0)
        if segment.id is not None
    ]
    rows = seed.embedding_rows(encoder_id, [segment.id or 0 for segment, _ in known])
    chance = np.random.default_rng(random_seed)
    number = held // SEGMENTS_A_VIDEO
    while held < segments:
        picks = chance.integers(len(known), size=SEGMENTS_A_VIDEO)
        noise = chance.normal(size=(SEGMENTS_A_VIDEO, rows.shape[1])) * (SPREAD / np.sqrt(rows.shape[1]))
        matrix = rows[picks] + noise
        matrix = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
        _add(library, seed, [known[pick] for pick in picks], matrix, encoder_id, number)
        number += 1
        held += SEGMENTS_A_VIDEO
    return library


def _add(
    library: Library,
    seed: Library,
    picked: list[tuple[Segment, Video]],
    matrix: np.ndarray,
    encoder_id: str,
    number: int,
) -> None:
    frames = SEGMENTS_A_VIDEO * SHOT_SECONDS * RATE
    fingerprint = f"synthetic{number:08d}"
    video = Video(
        path=f"/synthetic/footage/reel {number // 100:03d}/take {number:06d}.mp4",
        fingerprint=fingerprint,
        size_bytes=10**9,
        modified_ns=(1_700_000_000 + 3600 * number) * 10**9,
        time_base=Fraction(1, RATE),
        start_pts=0,
        end_pts=frames,
        frame_rate=Fraction(RATE),
        frames=frames,
        width=1920,
        height=1080,
        codec="h264",
    )
    length = SHOT_SECONDS * RATE
    spans = [(at, at * length, (at + 1) * length) for at in range(SEGMENTS_A_VIDEO)]
    shots = [Shot(number=at, start_pts=start, end_pts=end) for at, start, end in spans]
    segments = [Segment(number=at, shot_number=at, start_pts=start, end_pts=end) for at, start, end in spans]
    with library.stage_media(fingerprint, "synthetic") as media:
        _link_media(media, seed, picked)
        library.add_video(video, shots, segments, matrix, encoder_id=encoder_id, recipe="synthetic", media=media)


def _link_media(media: object, seed: Library, picked: list[tuple[Segment, Video]]) -> None:
    """Create hard links to the seed's files: a hundred thousand posters take the space of a hundred."""
    folder: Path = media._folder  # type: ignore[attr-defined]  # the one place that does without copying bytes
    folder.mkdir(parents=True, exist_ok=True)
    for at, (segment, video) in enumerate(picked):
        poster, preview = seed.poster_path(video, segment.number), seed.preview_path(video, segment.number)
        for file, name in ((poster, f"poster-{at:05d}.jpg"), (preview, f"preview-{at:05d}.mp4")):
            if file.is_file():
                os.link(file, folder / name)
                media.bytes += file.stat().st_size  # type: ignore[attr-defined]
    media.numbers.update(range(len(picked)))  # type: ignore[attr-defined]
