"""Joined takes of the demo world have the times that their questions state; the table of directions is made."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from demo import directions, joined_takes
from demo.joined_takes import LONG_SECONDS, RATE, frame_count


def test_videos_have_the_takes_that_are_asked_for(tmp_path: Path) -> None:
    counts = joined_takes.make(tmp_path, videos=1, long=0)
    assert counts == {"things": 3, "motions": 3, "whole": 1}
    for kind, count in counts.items():
        rows = list(csv.DictReader((tmp_path / f"{kind}.csv").read_text().splitlines()))
        assert len(rows) == count
        (video,) = (tmp_path / kind).iterdir()
        with av.open(str(video)) as container:
            frames = sum(1 for _ in container.decode(video=0))
        assert {row["file"] for row in rows} == {video.name}
        assert float(rows[0]["start"]) == 0
        assert float(rows[-1]["end"]) == pytest.approx(frames / RATE, abs=1e-5)
        assert all(float(a["end"]) == float(b["start"]) for a, b in itertools.pairwise(rows))


def test_ten_minutes_have_forty_questions() -> None:
    parts = joined_takes.long_take(np.random.default_rng(1))
    assert sum(seconds for _, seconds in parts) == pytest.approx(LONG_SECONDS)
    asked = list(joined_takes.questions_of("long.mp4", parts, np.random.default_rng(1)))
    assert len(asked) == joined_takes.EVENTS
    assert len({parts[at][0].thing for at in range(len(parts))}) == joined_takes.EVENTS + 1
    assert sum(frame_count(seconds) for _, seconds in parts) / RATE == pytest.approx(LONG_SECONDS, abs=4)


def test_every_motion_is_asked_for_with_its_opposite(capsys: pytest.CaptureFixture[str]) -> None:
    from encoder import load_encoder

    found = directions.trials(load_encoder("demo", "cpu"), ["penguin", "taxi"], 1)
    assert len(found) == 2 * 2 * len(directions.OPPOSITES)
    assert all(trial.ordered for trial in found)
    assert np.mean([trial.opposite > trial.right for trial in found]) > 0.5
    assert capsys.readouterr().out == ""
