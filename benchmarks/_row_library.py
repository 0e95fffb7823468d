"""Synthetic libraries of any size that consist of rows alone, for costs that depend on their number, not on vectors.

Embeddings have four columns and there are no pictures, so that a million segments take seconds and little space.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from db.library import Library
from db.media_facts import AudioTrack, MediaFacts, facts_to_text

ENCODER = "rows@benchmark"
_DIM = 4
_VIDEO = (
    "INSERT INTO videos (id, path, fingerprint, size_bytes, modified_ns, time_base_num, time_base_den, start_pts,"
    " end_pts, frame_rate_num, frame_rate_den, frames, width, height, codec, facts, rotation, has_audio, damaged)"
    " VALUES (?, ?, ?, ?, ?, 1, 90000, 0, ?, 25, 1, ?, ?, ?, ?, ?, 0, 1, 0)"
)


def make_rows(directory: Path, segments: int, each: int = 100, *, random_seed: int = 1) -> Library:
    """Make a library of `segments` segments of 1 to 9 s, `each` per video, in folders of a hundred videos."""
    library = Library.open(directory)
    if library.encoders():
        return library
    chance = np.random.default_rng(random_seed)
    shapes = [(1920, 1080), (1080, 1920), (3840, 2160), (1280, 720), (720, 720)]
    row = np.full(_DIM, _DIM**-0.5, "<f2").tobytes()
    lengths = chance.integers(90_000, 9 * 90_000, size=segments)
    with library._database.writing() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("INSERT INTO encoders (number, id, dim) VALUES (1, ?, ?)", (ENCODER, _DIM))
        for at in range(0, segments, each):
            video, count = at // each + 1, min(each, segments - at)
            ends = np.cumsum(lengths[at : at + count]).tolist()
            width, height = shapes[int(chance.integers(len(shapes)))]
            path = f"/footage/reel {video // 100:04d}/take {video:07d}.mp4".encode()
            when = (1_700_000_000 + 3600 * video) * 10**9
            frames = ends[-1] // 3600
            stated = ("hevc" if video % 3 else "h264", facts_of(video))
            shape = (ends[-1], frames, width, height, *stated)
            driver.execute(_VIDEO, (video, path, f"rows{video:012d}", 10**9, when, *shape))
            spans = list(enumerate(zip([0, *ends[:-1]], ends, strict=True)))
            driver.executemany("INSERT INTO shots VALUES (?, ?, ?, ?)", [(video, n, *span) for n, span in spans])
            driver.executemany(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)",
                [(at + n + 1, video, n, n, *span) for n, span in spans],
            )
            driver.executemany("INSERT INTO embeddings VALUES (1, ?, ?)", [(at + n + 1, row) for n, _ in spans])
            driver.execute("INSERT INTO encodings (video_id, encoder, recipe) VALUES (?, 1, 'rows')", (video,))
    return library


def facts_of(video: int) -> str | None:
    """Return the stored facts of a video, of one of three rates and sixteen cameras."""
    rate = (Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001))[video % 3]
    sound = (AudioTrack(codec="aac", channels=2, layout="stereo", language="eng"),)
    return facts_to_text(
        MediaFacts(
            nominal_rate=rate, audio=sound, reel=f"A{video:06d}", recorded_at="2024-05-06T07:08:09Z",
            camera_make="SONY", camera_model=f"ILCE-{video % 16}",
        )
    )  # fmt: skip
