"""One timeline in every format, byte for byte: each file in golden/lists was read through once, against its format.

After an intended change, write them again with `python tests/test_timelines_golden.py` and read the difference.
"""

from __future__ import annotations

import os
import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from timeline_samples import MONO, NTSC24, known, timeline

from app.timelines.model import Timeline
from app.timelines.writing import FORMATS, write_timeline

GOLDEN = Path(__file__).with_name("golden") / "lists"


def selects() -> Timeline:
    """Clips with and without sound, size, timecode, fields, reel and note, one of them at another rate."""
    goal = {"name": "goal", "note": "first line\nsecond", "timecode": "10:00:00:00", "rank": 1, "score": 0.75}
    mono = {"has_audio": True, "audio": (MONO,), "nominal_rate": Fraction(30)}
    clips = [
        known(5, 10, has_audio=True, **goal),
        known(48, 72, NTSC24, path="/films/silent.mov", width=0, height=0),
        known(50, 60, has_audio=True),
        known(0, 25, path="/card 2/a.mp4", has_audio=True, audio=(MONO,) * 4, field_order="tff", reel="A001C002_R1"),
        known(0, 30, Fraction(30), path="/phone/b.mov", width=1080, height=1920, timecode="16:37:10;02", **mono),
    ]
    return timeline(clips, start_timecode="01:00:00:00")


@pytest.mark.skipif(os.name == "nt", reason="the paths of the golden files are those of POSIX")
@pytest.mark.parametrize("name", FORMATS)
def test_the_file_is_the_one_that_was_read_through(name: str, tmp_path: Path) -> None:
    written = write_timeline(selects(), name, tmp_path, "selects")
    assert written.path.read_bytes() == (GOLDEN / written.path.name).read_bytes()


def test_no_golden_file_is_without_its_format() -> None:
    assert {path.suffix for path in GOLDEN.iterdir()} == {form.suffix for form in FORMATS.values()}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            written = write_timeline(selects(), name, folder, "selects")
            written.path.replace(GOLDEN / written.path.name)
