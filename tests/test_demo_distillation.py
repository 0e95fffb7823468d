"""The runs that ask whether masked distillation teaches motion: what they draw, and that they can be stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from demo import captions, distillation, distillation_figures, world
from demo.distillation_clips import Batches, shown_takes
from training.errors import TrainingError


def test_no_caption_tells_the_motion_and_positives_are_true() -> None:
    batch = Batches(seed=3, size=48, frames=2).draw(5)
    assert batch.clips.shape == (48, 2, 72, 72, 3)
    moving = {words for motion in world.MOTIONS for words in captions.MOVING[motion]}
    assert not [sentence for sentence in batch.captions if any(words in sentence for words in moving)]
    assert batch.positives.diagonal().all()
    told = [any(word in s for place in captions.PLACES.values() for word in place) for s in batch.captions]
    assert 0.4 < np.mean(told) < 0.95
    again = Batches(seed=3, size=48, frames=2).draw(5)
    assert np.array_equal(batch.clips, again.clips)
    assert batch.captions == again.captions


def test_nothing_that_is_held_out_is_shown() -> None:
    shown = set(shown_takes())
    assert not shown & captions.held_out()
    assert len(shown) + len(captions.held_out()) == len(world.THINGS) * len(world.BACKGROUNDS) * len(world.MOTIONS)


def test_verdicts_are_those_of_the_plan() -> None:
    a = {"things_by_words": 0.93, "motion_by_probe": 0.3, "background_by_probe": 0.99}
    b = {"loss_local": 0.2, "loss_local_at_first": 1.0, "loss_global": 0.4, "loss_global_at_first": 0.9}
    found = distillation_figures.verdicts({"A": a, "B": {**b, "background_by_probe": 0.985}})
    assert all(found.values())
    worse = distillation_figures.verdicts({"A": a, "B": {**b, "loss_global": 0.5, "background_by_probe": 0.97}})
    assert [name for name, held in worse.items() if not held] == ["B: both losses fall by half", "B keeps backgrounds"]
    assert distillation_figures.table({"A": a, "B": b})[1].split() == ["things_by_words", "0.930"]


def test_a_sitting_that_is_over_ends_with_a_word_and_leaves_a_run_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        distillation.main(["--folder", str(tmp_path), "--scale", "0.001", "--minutes", "0"])
    assert ended.value.code == 3
    assert "run the same command again" in capsys.readouterr().out
    assert (tmp_path / "seed-0" / "images" / "settings.json").exists()
    with pytest.raises(SystemExit, match="steps"):  # other settings are refused by name
        distillation.main(["--folder", str(tmp_path), "--scale", "0.01", "--minutes", "0"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "remove it to measure again"),
        (b"[]", "its figures are not loss_local, loss_global"),
        (b'{"loss_local": 0.1}', "its figures are not loss_local, loss_global"),
        (b'{"loss_local": 0.1, "loss_global": "low"}', "one of its figures is no number"),
        (b'{"loss_local": 0.1, "loss_global": NaN}', "remove it to measure again"),
    ],
)
def test_figures_that_were_not_measured_here_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    seed = distillation.Seed(tmp_path, 0, 1.0, lambda: False)
    assert seed.once("A", ("loss_local",), lambda: {"loss_local": 0.5}) == {"loss_local": 0.5}
    (tmp_path / "seed-0/B.json").write_bytes(content)
    with pytest.raises(TrainingError, match=said) as refused:
        seed.once("B", distillation_figures.LOSSES, dict)
    assert "B.json is not what was measured" in str(refused.value)


@pytest.mark.parametrize("damage", ["a file", "another's", "settings"])
def test_a_folder_that_is_something_else_is_one_line(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    images = tmp_path / "out/seed-0/images"
    if damage == "a file":
        (tmp_path / "out").write_text("mine")
    else:
        images.mkdir(parents=True)
        (images / ("settings.json" if damage == "settings" else "mine.txt")).write_text("{")
    with pytest.raises(SystemExit) as ended:
        distillation.main(["--folder", str(tmp_path / "out"), "--scale", "0.001", "--minutes", "0"])
    assert isinstance(ended.value.code, str), "a sentence, not a traceback"
    assert "out" in ended.value.code


@pytest.mark.slow
def test_a_short_form_runs_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    distillation.main(["--folder", str(tmp_path), "--scale", "0.002"])
    lines = capsys.readouterr().out.splitlines()
    [summary] = json.loads(lines[-1])
    assert set(summary["A"]) == {"things_by_words", "motion_by_probe", "background_by_probe"}
    assert {"loss_local", "loss_local_at_first", "loss_global", "loss_global_at_first"} <= set(summary["F"])
