"""The training loop: what it trains, and that a run that is cut anywhere goes on to the same bits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training_tasks import Numbers, Regression, everything, require_same_bits, settings

from encoder.errors import EncoderUnavailable
from training import journal
from training.errors import DamagedCheckpoint, SettingsDiffer, TrainingError
from training.loop import Progress, RunResult, run
from training.loop_settings import LoopSettings, resolve_precision
from training.run_folder import RunFolder
from training.run_state import load_trained


def train(path: Path, chosen: LoopSettings | None = None, **options: Any) -> tuple[RunFolder, RunResult]:
    chosen = chosen or settings()
    folder = RunFolder.open(path, chosen)
    options = {"task": Regression(), "batches": Numbers(), **options}
    return folder, run(options.pop("task"), options.pop("batches"), chosen, folder, **options)


def stop_after(steps: int) -> dict[str, Callable[..., Any]]:
    """Options that stop a run after so many steps of it."""
    seen: list[Progress] = []
    return {"on_step": seen.append, "stop": lambda: len(seen) >= steps}


@pytest.fixture(scope="module")
def uncut(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunResult]:
    return train(tmp_path_factory.mktemp("uncut") / "run")


def _bests(validated: list[dict[str, Any]]) -> list[int]:
    """Steps of validations that were better than all before."""
    values = [line["figures"]["quality"] for line in validated]
    return [line["step"] for place, line in enumerate(validated) if values[place] > max([-2.0, *values[:place]])]


def test_a_run_trains_and_ends_where_its_settings_plan(uncut: tuple[RunFolder, RunResult]) -> None:
    folder, result = uncut
    assert (result.step, result.finished, result.resumed_from) == (24, True, None)
    lines = [line for line in folder.journal.read() if line["event"] == journal.STEP]
    assert [line["step"] for line in lines] == [5, 10, 15, 20, 24]
    assert lines[-1]["figures"]["loss"] < 0.5 * lines[0]["figures"]["loss"]
    assert lines[-1]["figures"].keys() == {"loss", "error"}
    assert result.best is not None
    assert result.best.name == "quality"
    validated = [line for line in folder.journal.read() if line["event"] == journal.VALIDATED]
    assert [line["step"] for line in validated] == [5, 10, 15, 20, 24]
    assert result.best.value == max(line["figures"]["quality"] for line in validated)
    newest = sorted({4, 8, 12, 16, 20, 24, *_bests(validated)})[-3:]
    assert folder.checkpoints.steps() == sorted({result.best.step, *newest})
    assert folder.journal.read()[-1]["event"] == journal.FINISHED


@pytest.mark.parametrize("cuts", [[1], [0, 4], [7, 3, 9], [23], [5] * 4])
def test_a_run_that_is_cut_and_goes_on_ends_with_the_same_bits(
    cuts: list[int], uncut: tuple[RunFolder, RunResult], tmp_path: Path
) -> None:
    """Weights, optimizer, average, dropout, schedule, buffers, best: at several cuts, whatever was drawn between."""
    done = 0
    for steps in cuts:
        _, part = train(tmp_path / "run", **stop_after(steps))
        done += steps
        assert (part.step, part.finished) == (done, False)
        torch.rand(done)
        np.random.random(done)  # noqa: NPY002
    folder, result = train(tmp_path / "run")
    assert (result.finished, result.resumed_from) == (True, done)
    require_same_bits(everything(folder), everything(uncut[0]))
    assert result.best == uncut[1].best


def test_dropout_and_average_are_part_of_what_is_compared(uncut: tuple[RunFolder, RunResult], tmp_path: Path) -> None:
    """Or equality would show nothing."""
    dry, _ = train(tmp_path / "dry", task=Regression(dropout=0.0))
    assert not torch.equal(everything(dry)["module"]["head.weight"], everything(uncut[0])["module"]["head.weight"])
    found = everything(uncut[0])
    assert found["average"].keys() == {"0.weight", "0.bias"}
    assert not torch.equal(found["average"]["0.weight"], found["module"]["network.0.weight"])
    assert not any(name.startswith("frozen") for name in found["module"])
    assert found["module"]["seen"] == 24 * 8


def test_dropout_differs_from_step_to_step_and_the_task_has_the_last_word(tmp_path: Path) -> None:
    class Drawing(Regression):
        def forward(self, batch: Any) -> Any:
            drawn.append(float(torch.rand(())))
            return super().forward(batch)

        def after_step(self) -> None:
            with torch.no_grad():
                self.scale.fill_(0.75)

    drawn: list[float] = []
    folder, _ = train(tmp_path / "run", task=Drawing())
    assert len(set(drawn)) == 24
    assert everything(folder)["module"]["scale"] == 0.75


def test_a_finished_run_says_so_and_does_nothing(uncut: tuple[RunFolder, RunResult]) -> None:
    notes: list[str] = []
    before = uncut[0].journal.path.read_bytes()
    _, again = train(uncut[0].path, on_note=notes.append)
    assert (again.finished, again.resumed_from, again.best) == (True, 24, uncut[1].best)
    assert notes == ["the run is finished: all 24 planned steps are done"]
    assert uncut[0].journal.path.read_bytes() == before


def test_the_average_follows_the_weights_by_its_formula(tmp_path: Path) -> None:
    weights: list[torch.Tensor] = []
    task = Regression()
    first = task.network[0].weight.detach().clone()
    folder, _ = train(
        tmp_path / "run", task=task, on_step=lambda _: weights.append(task.network[0].weight.detach().clone())
    )
    for step, weight in enumerate(weights):
        kept = min(0.9, (1 + step) / (10 + step))
        first = kept * first + (1 - kept) * weight
    torch.testing.assert_close(everything(folder)["average"]["0.weight"], first, rtol=1e-6, atol=1e-7)


def test_validation_sees_averaged_weights_and_leaves_the_plain_ones(tmp_path: Path) -> None:
    class Watching(Regression):
        def validate(self) -> dict[str, float]:
            seen.append(self.network[0].weight.detach().clone())
            return {"quality": 1.0}

    seen: list[torch.Tensor] = []
    task = Watching()
    folder, result = train(tmp_path / "run", task=task)
    found = everything(folder)
    assert torch.equal(seen[-1], found["average"]["0.weight"])
    assert torch.equal(task.network[0].weight, found["module"]["network.0.weight"])
    assert result.best is not None
    assert result.best.step == 5  # the first of equals


def test_weights_of_a_run_are_the_averaged_ones_of_its_best_checkpoint(uncut: tuple[RunFolder, RunResult]) -> None:
    folder, result = uncut
    assert result.best is not None
    task = Regression()
    assert load_trained(folder, task) == result.best.step
    average = folder.checkpoints.load(result.best.step).state["average"]
    assert torch.equal(task.network[0].weight, average["0.weight"])
    assert load_trained(folder, task, "last") == 24
    assert torch.equal(task.network[0].weight, everything(folder)["average"]["0.weight"])
    assert torch.equal(task.head.weight, everything(folder)["module"]["head.weight"])


def test_other_settings_are_refused_by_name(uncut: tuple[RunFolder, RunResult], tmp_path: Path) -> None:
    with pytest.raises(SettingsDiffer, match=r"seed was 0, now 1; learning_rate was 0\.02, now 0\.03") as refused:
        RunFolder.open(uncut[0].path, settings(seed=1, learning_rate=0.03))
    assert refused.value.differences == ("seed was 0, now 1", "learning_rate was 0.02, now 0.03")
    RunFolder.open(uncut[0].path, settings(save_every=7, journal_every=3, keep=1))  # these shape nothing


def test_a_checkpoint_of_other_settings_is_refused(uncut: tuple[RunFolder, RunResult], tmp_path: Path) -> None:
    other = RunFolder.open(tmp_path / "run", settings(seed=1))
    uncut[0].checkpoints.directory.rename(other.checkpoints.directory)
    try:
        with pytest.raises(SettingsDiffer, match="seed was 0, now 1"):
            run(Regression(), Numbers(), settings(seed=1), other)
    finally:
        other.checkpoints.directory.rename(uncut[0].checkpoints.directory)


def test_other_frozen_weights_are_refused(tmp_path: Path) -> None:
    train(tmp_path / "run", **stop_after(2))
    other = Regression()
    with torch.no_grad():
        other.frozen.bias[0] += 1
    with pytest.raises(TrainingError, match="frozen weights are not those that the run began with"):
        train(tmp_path / "run", task=other)


def test_a_run_ends_when_its_patience_is_over_and_stays_ended(tmp_path: Path) -> None:
    class Worse(Regression):
        def validate(self) -> dict[str, float]:
            return {"quality": -float(self.seen)}

    chosen = settings(patience=2, validate_every=3, save_every=100)
    folder, result = train(tmp_path / "run", chosen, task=Worse())
    assert (result.step, result.finished) == (9, True)
    assert folder.journal.read()[-1]["reason"] == "2 validations were no better than that of step 3"
    assert folder.checkpoints.steps() == [3, 9]
    assert folder.checkpoints.facts(9)["finished"]
    notes: list[str] = []
    _, again = train(tmp_path / "run", chosen, task=Worse(), on_note=notes.append)
    assert (again.step, again.finished) == (9, True)
    assert notes == ["the run is finished: 2 validations were no better than that of step 3"]


@pytest.mark.parametrize("part", ["loss", "gradient"])
def test_a_run_stops_where_its_loss_is_not_finite(part: str, tmp_path: Path) -> None:
    """Before the weights are touched, and with the last checkpoint in place."""

    class Breaking(Regression):
        def forward(self, batch: Any) -> Any:
            loss, figures = super().forward(batch)
            if self.seen == 10 * 8:
                loss = loss * float("nan") if part == "loss" else loss + torch.sqrt(0 * self.scale)
            return loss, figures

    task, weights = Breaking(), []
    with pytest.raises(TrainingError, match=f"the {part} of step 10 is not finite.* the checkpoint of step 8 is kept"):
        train(tmp_path / "run", task=task, on_step=lambda _: weights.append(task.head.weight.detach().clone()))
    assert torch.equal(weights[-1], task.head.weight)
    folder = RunFolder.existing(tmp_path / "run")
    assert folder.checkpoints.steps()[-1] == 8
    assert folder.journal.read()[-1]["event"] == journal.FAILED


def test_a_batch_that_cannot_be_read_ends_the_run_without_loss(
    uncut: tuple[RunFolder, RunResult], tmp_path: Path
) -> None:
    class Unplugged(Numbers):
        def draw(self, number: int) -> Any:
            if number == 6:
                raise OSError("disk/fox.mp4 is gone")
            return super().draw(number)

    with pytest.raises(TrainingError, match=r"batch 6 could not be read: disk/fox\.mp4 is gone"):
        train(tmp_path / "run", batches=Unplugged())
    folder, result = train(tmp_path / "run")
    assert result.resumed_from == 6
    require_same_bits(everything(folder), everything(uncut[0]))


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    folder = RunFolder.open(tmp_path / "run", settings())
    with folder.lock():
        assert folder.is_locked()
        with pytest.raises(TrainingError, match="another process trains"):
            train(tmp_path / "run")
    assert not folder.is_locked()


def test_the_learning_rate_is_that_of_the_schedule_and_long_gradients_are_shortened(tmp_path: Path) -> None:
    task = Regression(dropout=0.0)
    chosen = settings(steps=4, warmup_steps=2, clip_norm=1e-3, journal_every=1, schedule="linear", final_factor=0.5)
    folder, _ = train(tmp_path / "run", chosen, task=task)
    lines = [line for line in folder.journal.read() if line["event"] == journal.STEP]
    assert [line["learning_rate"] for line in lines] == [0.0, 0.01, 0.02, 0.015]
    assert all(line["gradient_norm"] > 0.01 for line in lines)
    moment = everything(folder)["optimizer"]["state"][0]["exp_avg"]
    assert float(moment.norm()) <= 1e-3


def test_a_folder_can_be_moved_and_names_no_path(uncut: tuple[RunFolder, RunResult], tmp_path: Path) -> None:
    folder, _ = train(tmp_path / "a", environment={"version": "1.2", "commit": "abc"}, **stop_after(3))
    for file in folder.path.rglob("*"):
        assert not file.is_file() or str(tmp_path).encode() not in file.read_bytes()
    facts = json.loads((folder.path / "environment.json").read_text())
    assert (facts["commit"], facts["torch"]) == ("abc", torch.__version__)
    assert facts["threads"] >= 1
    (tmp_path / "a").rename(tmp_path / "b")
    notes: list[str] = []
    moved, _ = train(tmp_path / "b", on_note=notes.append)
    require_same_bits(everything(moved), everything(uncut[0]))
    assert notes[0] == "the run goes on after step 3 of 24"
    assert "commit was abc, now None" in notes[1]


def test_settings_out_of_range_are_refused() -> None:
    for wrong in (
        {"steps": 0}, {"learning_rate": 0.0}, {"learning_rate": float("nan")}, {"beta2": 1.0}, {"optimizer": "sgd"},
        {"warmup_steps": 24}, {"average_decay": 1.0}, {"schedule": "steps"}, {"precision": "int8"}, {"keep": 0},
        {"clip_norm": -1.0}, {"final_factor": 2.0}, {"validate_every": -1},
    ):  # fmt: skip
        with pytest.raises(ValueError):
            settings(**wrong)


def test_an_unknown_figure_to_be_best_in_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no figure speed; it has odd, quality"):
        train(tmp_path / "run", settings(best_by="speed"))


def test_precision_is_float32_unless_the_device_computes_in_bfloat16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoder.runtime.precision._native_bfloat16", lambda device: False)
    assert resolve_precision("auto", "cpu") == resolve_precision("auto", "cuda") == "float32"
    with pytest.raises(EncoderUnavailable, match="only be slow"):
        resolve_precision("bfloat16", "cpu")
    monkeypatch.setattr("encoder.runtime.precision._native_bfloat16", lambda device: True)
    assert (resolve_precision("auto", "cpu"), resolve_precision("auto", "cuda")) == ("float32", "bfloat16")

    class Seeing(Regression):
        def forward(self, batch: Any) -> Any:
            kinds.add(self.network(torch.zeros(1, 6)).dtype)
            return super().forward(batch)

    kinds: set[torch.dtype] = set()
    folder, _ = train(tmp_path / "run", settings(steps=4, precision="bfloat16"), task=Seeing())
    assert kinds == {torch.bfloat16}
    assert all(value.dtype != torch.bfloat16 for value in everything(folder)["module"].values())


@pytest.mark.parametrize("key", ["module", "optimizer", "average", "frozen"])
@pytest.mark.parametrize("value", [None, {}, {"0.weight": "a text", "network.0.weight": "a text"}, [1]])
def test_a_checkpoint_of_something_else_is_refused_in_a_sentence(
    uncut: tuple[RunFolder, RunResult], tmp_path: Path, key: str, value: Any
) -> None:
    folder = RunFolder.open(tmp_path / "run", settings())
    found = uncut[0].checkpoints.load(24)
    folder.checkpoints.save(24, found.state | {key: value}, found.facts | {"best": None, "finished": False, "step": 23})
    with pytest.raises(TrainingError):
        train(folder.path)
    if key == "module" or (key == "average" and value):
        with pytest.raises(TrainingError):
            load_trained(folder, Regression())


def test_a_lost_best_checkpoint_is_said_and_the_last_one_can_be_had(
    uncut: tuple[RunFolder, RunResult], tmp_path: Path
) -> None:
    folder = RunFolder.open(tmp_path / "run", settings())
    found = uncut[0].checkpoints.load(24)
    best = {"step": 3, "name": "quality", "value": 1.0, "figures": {}}
    folder.checkpoints.save(24, found.state, found.facts | {"best": best})
    with pytest.raises(DamagedCheckpoint, match=r"the best checkpoint is lost .* that of step 24 is the last"):
        load_trained(folder, Regression())
    assert load_trained(folder, Regression(), "last") == 24
    folder.checkpoints.save(24, found.state, found.facts | {"best": {"step": "three"}})
    with pytest.raises(DamagedCheckpoint, match="names is none"):
        load_trained(folder, Regression())


def test_a_validation_without_numbers_ends_the_run_and_keeps_what_was_saved(tmp_path: Path) -> None:
    class Growing(Regression):
        def validate(self) -> dict[str, float]:
            raise ValueError("a score is not a number")

    task = Growing()
    folder = tmp_path / "run"
    with pytest.raises(TrainingError, match=r"failed \(a score is not a number\), .* lower learning rate"):
        train(folder, task=task)
    assert RunFolder.existing(folder).journal.read()[-1]["event"] == journal.FAILED
