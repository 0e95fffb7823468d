"""A list format whose package is not installed is refused before anything is cut."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.exporting.request import ExportOptions
from app.timelines import writing

HERE = Path(__file__).parent
HIDDEN = """
import sys
from fractions import Fraction
sys.modules["opentimelineio"] = None
from app.timelines import writing
from timeline_samples import several, timeline
clips = timeline(several(Fraction(25)))
for name in writing.FORMATS:
    if name != "otio":
        assert writing.render_timeline(clips, name, "list").content
"""


def test_only_otio_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"otio needs the package opentimelineio, .* choose fcpxml or edl"):
        ExportOptions(folder=tmp_path, lists=("csv", "otio"))
    others = tuple(name for name in writing.FORMATS if name != "otio")
    assert ExportOptions(folder=tmp_path, lists=others).lists == others
    with pytest.raises(ValueError, match="there is no list format 'omf'"):
        ExportOptions(folder=tmp_path, lists=("omf",))


def test_all_other_lists_are_written_without_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parent)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
