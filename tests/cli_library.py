"""A small library for the tests of the shell: made directly, without decoding, of files that are there.

films/red.mp4       red 0-2 s, blue 2-4 s
films/green.mp4     green 0-3 s
films/gone.mp4      white 0-10 s; the file is not there
other/red@home.mp4  darker red 0-2 s
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from fakes import ColourEncoder

from db.library import Library
from db.records import Failure, Segment, Shot, Video
from encoder import Encoder

RATE = 1000  # pts per second
START = 500  # pts of the first frame shown: not 0, so that a forgotten offset is seen
Part = tuple[tuple[int, int, int], int, int]  # colour, from and to in seconds

FILMS: dict[str, Sequence[Part]] = {
    "films/red.mp4": [((255, 0, 0), 0, 2), ((0, 0, 255), 2, 4)],
    "films/green.mp4": [((0, 255, 0), 0, 3)],
    "films/gone.mp4": [((255, 255, 255), 0, 10)],
    "other/red@home.mp4": [((150, 0, 0), 0, 2)],
}


def build(root: Path, encoder: ColourEncoder) -> Path:
    """Make files below `root` and a library in root/library that knows them; gives the library's folder."""
    directory = root / "library"
    with Library.open(directory) as library:
        for name, parts in FILMS.items():
            add(library, encoder, root / name, parts, there="gone" not in name)
        broken = root / "films" / "broken.mp4"
        broken.write_bytes(b"not a video")
        library.record_failure(
            Failure(path=str(broken), size_bytes=11, modified_ns=1, kind="not_video", reason="This is not a video.")
        )
    return directory


def add(
    library: Library,
    encoder: Encoder,
    path: Path,
    parts: Sequence[Part],
    *,
    there: bool = True,
    size: tuple[int, int] = (64, 48),
    shot_numbers: Sequence[int] | None = None,
    quick_of: str | None = None,
    **values: Any,
) -> None:
    """One video whose shots are plain colours.

    shot_numbers: the shot that each part is of; None: one each. size: width and height as shown. quick_of: Of a quick
    pass, the id of the full encoder. values: Other fields of the Video.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.fsencode(path.name))
    stat = path.stat()
    if not there:
        path.unlink()
    numbers = range(len(parts)) if shot_numbers is None else shot_numbers
    segments = [
        Segment(number=i, shot_number=shot, start_pts=START + a * RATE, end_pts=START + b * RATE)
        for i, (shot, (_, a, b)) in enumerate(zip(numbers, parts, strict=True))
    ]
    shots = [
        Shot(number=number, start_pts=min(each.start_pts for each in of), end_pts=max(each.end_pts for each in of))
        for number in sorted(set(numbers))
        for of in [[each for each in segments if each.shot_number == number]]
    ]
    spec = encoder.clip_spec
    clips = np.zeros((len(parts), spec.frames, spec.size, spec.size, 3), np.uint8)
    for clip, (colour, _, _) in zip(clips, parts, strict=True):
        clip[:] = colour
    given: dict[str, Any] = {
        "path": str(path),
        "fingerprint": f"{abs(hash(path.name)):032x}"[:32],
        "size_bytes": stat.st_size,
        "modified_ns": stat.st_mtime_ns,
        "time_base": Fraction(1, RATE),
        "start_pts": START,
        "end_pts": shots[-1].end_pts,
        "frame_rate": Fraction(25),
        "frames": 25 * parts[-1][2],
        "width": size[0],
        "height": size[1],
        "codec": "h264",
    }
    video = Video(**(given | values))
    library.add_video(
        video,
        shots,
        segments,
        encoder.encode_clips(clips),
        encoder_id=encoder.id,
        recipe="test",
        media=None,
        quick_of=quick_of,
    )
