"""The stages of VideoPrism at width 32: losses fall, runs go on exactly, results load, what is frozen stays."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from training_tasks import everything, require_same_bits

from encoder.checkpoints.checkpoint import network_from_state
from encoder.config import DEMO, VideoPrismConfig
from encoder.model import VideoPrismLvT, build
from encoder.model_files import DEMO_FOLDER
from encoder.tokenizer import Tokenizer
from encoder.weights import flax_from_state_dict, state_dict_from_flax
from training.batches import CaptionedBatch
from training.decoders import DecoderShape
from training.initialisation import initialise, is_identity
from training.loop import run
from training.loop_settings import LoopSettings
from training.run_folder import RunFolder
from training.run_state import load_trained
from training.stage_defaults import FIGURES
from training.stages.lit import Lit
from training.stages.pairs import PairsStage, in_parts
from training.stages.stage1 import Stage1
from training.stages.stage2 import Distillation, Stage2

SMALL = VideoPrismConfig(
    name="small", patch=4, frames=4, rows=4, columns=4, dim=32, heads=2, mlp=64, spatial_layers=1,
    temporal_layers=1, auxiliary_layers=1, text_layers=1, vocabulary=DEMO.vocabulary, text_tokens=8,
)  # fmt: skip
DECODERS = DecoderShape(layers=1, width=32, hidden=64, heads=2)
COLOURS = {"red": (205, 45, 45), "green": (50, 150, 65), "blue": (45, 80, 205), "white": (235, 235, 232)}
SIDES = ("left", "right")
Task = PairsStage | Stage2


@functools.cache
def tokenizer() -> Tokenizer:
    return Tokenizer(DEMO_FOLDER / "vocabulary.model", SMALL.text_tokens)


def network(*, seed: int = 0, identity: tuple[str, ...] = ("auxiliary",)) -> VideoPrismLvT:
    made = build(SMALL)
    assert isinstance(made, VideoPrismLvT)
    initialise(made, seed, identity=identity)
    return made


class Squares:
    """Batches of a coloured square on the left or on the right, with a sentence about it."""

    def __init__(self, size: int = 8, frames: int = 4, seed: int = 1) -> None:
        self.size, self.frames, self.seed = size, frames, seed

    def draw(self, number: int) -> CaptionedBatch:
        rng = np.random.default_rng((self.seed, number))
        clips = rng.integers(0, 40, (self.size, self.frames, 16, 16, 3), dtype=np.uint8)
        captions = []
        for clip in clips:
            colour, side = list(COLOURS)[rng.integers(len(COLOURS))], int(rng.integers(2))
            clip[:, 4:12, 8 * side : 8 * side + 8] = COLOURS[colour]
            captions.append(f"{colour} on the {SIDES[side]}")
        same = np.array(captions)[:, None] == np.array(captions)[None]
        return CaptionedBatch(clips, tuple(captions), same, number)


HELD_OUT = tuple(in_parts(Squares(size=12, seed=2).draw(0), 8))


def stage1() -> Task:
    return Stage1(network(), tokenizer(), held_out=HELD_OUT)


def lit() -> Task:
    return Lit(network(), tokenizer(), temperature=20.0, held_out=HELD_OUT)


def adapter() -> Task:
    return Lit(network(), tokenizer(), rank=2, temperature=20.0, held_out=HELD_OUT)


def stage2() -> Task:
    return Stage2(network(), decoders=DECODERS, held_out=HELD_OUT)


STAGES = pytest.mark.parametrize("stage", [stage1, lit, adapter, stage2], ids=lambda each: each.__name__)
SETTINGS = LoopSettings(
    steps=20, learning_rate=3e-3, average_decay=0.9, validate_every=10, save_every=8, journal_every=4
)


def train(task: Task, path: Path, steps: int | None = None) -> RunFolder:
    """Train, or go on training, until a step; None for the planned end."""
    folder, done = RunFolder.open(path, SETTINGS), [0]
    result = run(
        task, Squares(), SETTINGS, folder,
        stop=lambda: done[0] == steps, on_step=lambda progress: done.__setitem__(0, progress.step),
    )  # fmt: skip
    assert result.finished == (steps is None)
    return folder


def figures(folder: RunFolder, event: str) -> list[dict[str, float]]:
    return [line["figures"] for line in folder.journal.read() if line["event"] == event]


@STAGES
def test_the_loss_falls_a_run_goes_on_exactly_and_the_result_loads(stage: Callable[[], Task], tmp_path: Path) -> None:
    task = stage()
    folder = train(task, tmp_path / "whole")
    told = figures(folder, "step")
    assert told[-1]["loss"] < 0.95 * told[0]["loss"], told
    assert len(figures(folder, "validated")) == 2

    train(stage(), tmp_path / "cut", steps=9)
    require_same_bits(everything(folder), everything(train(stage(), tmp_path / "cut")))

    task = stage()
    load_trained(folder, task, "last")
    found = task.exported()
    arrays = flax_from_state_dict(found.state_dict(), SMALL)
    again = network_from_state(SMALL, state_dict_from_flax(arrays, SMALL))
    clips = torch.from_numpy(HELD_OUT[0].clips)
    assert isinstance(again, VideoPrismLvT)
    with torch.no_grad():
        assert float((again.encode_video(clips) - found.encode_video(clips)).abs().max()) < 1e-6
        assert float((network().encode_video(clips) - found.encode_video(clips)).abs().max()) > 1e-3


@STAGES
def test_exactly_what_belongs_to_a_stage_is_trained(stage: Callable[[], Task]) -> None:
    task = stage()
    before = {name: value.clone() for name, value in task.state_dict().items()}
    task(Squares().draw(0))[0].backward()
    moved = {name for name, value in task.named_parameters() if value.grad is not None}
    assert moved == {name for name, value in task.named_parameters() if value.requires_grad}
    roots = {name.removeprefix("network.").split(".")[0] for name in moved}
    assert (
        roots
        == {
            "stage1": {"vision_encoder", "pooler", "text_encoder", "temperature"},
            "lit": {"auxiliary", "pooler", "text_encoder", "temperature"},
            "adapter": {"vision_encoder", "auxiliary", "pooler", "text_encoder", "temperature"},
            "stage2": {"student", "local", "global_"},
        }[stage.__name__]
    )
    if stage is adapter:
        assert all(name.split(".")[-2] in ("a", "b") for name in moved if "vision_encoder" in name)
    assert {id(p) for group in task.parameter_groups() for p in group["params"]} == {
        id(p) for p in task.parameters() if p.requires_grad
    }
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items() if "recall" not in name)


@pytest.mark.parametrize("stage", [lit, stage2])
def test_what_is_frozen_is_untouched_to_the_bit(stage: Callable[[], Task], tmp_path: Path) -> None:
    task, fresh = stage(), network().vision_encoder.state_dict()
    before = task.teacher.digest() if isinstance(task, Stage2) else ""
    train(task, tmp_path, steps=6)
    frozen = task.teacher if isinstance(task, Stage2) else task.network
    assert all(torch.equal(value, fresh[name]) for name, value in frozen.vision_encoder.state_dict().items())
    assert not frozen.vision_encoder.training
    if isinstance(task, Stage2):
        assert task.teacher.digest() == before
        assert not task.teacher.pooler.training


def test_forgetting_is_measured_before_the_first_step_and_kept(tmp_path: Path) -> None:
    task = stage1()
    assert isinstance(task, PairsStage)
    before = task.held_out_recall()
    first = figures(train(task, tmp_path, steps=11), "validated")[0]
    assert first["recall_before"] == pytest.approx(before)
    again = stage1()
    last = figures(train(again, tmp_path), "validated")[-1]
    assert last["recall_before"] == pytest.approx(before)  # of the first run, not of where this one began
    assert list(last) == ["recall", "recall_before"]


@pytest.mark.parametrize("rank", [None, 0, 2])
def test_a_batch_in_parts_has_the_gradients_of_the_whole(rank: int | None) -> None:
    def gradients(micro: int | None) -> dict[str, Tensor]:
        if rank is None:
            task: PairsStage = Stage1(network(), tokenizer(), micro=micro, temperature=5.0)
        else:
            task = Lit(network(), tokenizer(), rank=rank, micro=micro, temperature=5.0)
        task(Squares().draw(0))[0].backward()
        return {name: p.grad for name, p in task.named_parameters() if p.grad is not None}

    whole, parts = gradients(None), gradients(3)
    assert whole.keys() == parts.keys()
    for name, value in whole.items():
        assert float((value - parts[name]).abs().max()) <= 1e-6 * max(1.0, float(value.abs().max())), name


@STAGES
def test_a_checkpoint_may_be_best_in_each_figure_of_its_stage(stage: Callable[[], Task]) -> None:
    figures = [name for name in stage().validate() if name != "recall_before"]
    assert tuple(figures) == FIGURES[stage.__name__]


def test_without_held_out_clips_there_is_nothing_to_say() -> None:
    assert Stage1(network(), tokenizer()).validate() == {}
    assert Stage2(network(), decoders=DECODERS).validate() == {}


def noisy(clips: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Clips with other pixels under hidden tokens."""
    pixels = hidden.reshape(*hidden.shape[:2], 4, 4).repeat(4, 2).repeat(4, 3)[..., None]
    return np.where(pixels, np.random.default_rng(9).integers(0, 256, clips.shape, dtype=np.uint8), clips)


@pytest.mark.parametrize("mask", ["bevt", "tube", "random"])
def test_hidden_pixels_reach_no_prediction(mask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Stage2(network(), distillation=Distillation(mask=mask), decoders=DECODERS)  # type: ignore[arg-type]
    batch = Squares().draw(3)
    hidden = task.hidden_tokens(8, np.random.default_rng((0, 2, batch.number, 0)))  # as forward draws them
    assert (hidden.reshape(8, -1).sum(1) == hidden[0].sum()).all()
    other = CaptionedBatch(noisy(batch.clips, hidden), batch.captions, batch.positives, batch.number)
    targets = task.teacher(torch.from_numpy(batch.clips))
    with torch.no_grad():
        assert not torch.equal(targets[0], task.teacher(torch.from_numpy(other.clips))[0])  # the teacher sees them
        one, two = (task.student_tokens(torch.from_numpy(each.clips), hidden) for each in (batch, other))
        assert torch.equal(one, two)
        assert one.shape == (8, 64 - int(hidden[0].sum()), 32)
        monkeypatch.setattr(task.teacher, "forward", lambda clips: targets)
        assert torch.equal(task(batch)[0], task(other)[0])


def test_masks_depend_on_the_number_of_the_batch_alone() -> None:
    task, batch = Stage2(network(), decoders=DECODERS), Squares().draw(0)
    again = CaptionedBatch(batch.clips, (), batch.positives, 1)
    with torch.no_grad():
        assert torch.equal(task(batch)[0], task(batch)[0])
        assert not torch.equal(task(batch)[0], task(again)[0])


def test_with_nothing_hidden_the_student_sees_what_the_teacher_sees() -> None:
    task = Stage2(network(), distillation=Distillation(ratio=0.0, shuffle=False), decoders=DECODERS)
    clips = torch.from_numpy(Squares().draw(0).clips)
    with torch.no_grad():
        tokens = task.student_tokens(clips, task.hidden_tokens(8, np.random.default_rng(0)))
        assert torch.equal(tokens, task.teacher(clips)[0])


def test_a_loss_can_be_left_out() -> None:
    for weights, left in (((1.0, 0.0), {"local"}), ((0.0, 1.0), {"global"})):
        settings = Distillation(local_weight=weights[0], global_weight=weights[1])
        task = Stage2(network(), distillation=settings, decoders=DECODERS)
        loss, parts = task(Squares().draw(0))
        assert set(parts) == left
        assert float(loss.detach()) == pytest.approx(float(parts[left.pop()]))
    with pytest.raises(ValueError, match="one is above"):
        Distillation(local_weight=0, global_weight=0)
    with pytest.raises(ValueError, match="one of bevt, tube, random"):
        Distillation(mask="cube")  # type: ignore[arg-type]


def test_tubes_are_other_patches_in_each_clip_and_batch() -> None:
    task = Stage1(network(), tokenizer(), drop=0.5)
    clips = torch.from_numpy(Squares().draw(0).clips)
    kept = task.kept_patches(clips, 0)
    assert kept.shape == (8, 8)
    assert len({tuple(row) for row in kept.tolist()}) > 4
    assert torch.equal(kept, task.kept_patches(clips, 0))
    assert not torch.equal(kept, task.kept_patches(clips, 1))
    with pytest.raises(ValueError, match="masking ratio"):
        Stage1(network(), tokenizer(), drop=1.0)


def test_pictures_take_the_first_row_of_the_temporal_table_or_a_resized_one() -> None:
    batch = Squares(frames=1).draw(0)

    def touched(crop_time: bool) -> list[bool]:
        task = Stage1(network(), tokenizer(), drop=0, crop_time=crop_time)
        task(batch)[0].backward()
        grad = task.network.vision_encoder.temporal_positions.grad
        assert grad is not None
        return [bool(row.any()) for row in grad]

    assert touched(True) == [True, False, False, False]
    assert sum(touched(False)) > 1


def test_auxiliary_layers_that_were_trained_take_part_in_stage_1() -> None:
    plain, trained = Stage1(network(), tokenizer()), Stage1(network(identity=()), tokenizer())
    assert not any(p.requires_grad for p in plain.network.auxiliary.parameters())
    assert all(p.requires_grad for p in trained.network.auxiliary.parameters())
    clips = torch.from_numpy(Squares().draw(0).clips)

    def rows(task: Stage1) -> Tensor:
        with torch.no_grad():
            return task.video_rows(clips, None)

    for task in (plain, trained):
        with torch.no_grad():
            assert torch.equal(rows(task), task.network.encode_video(clips, normalize=False))


def test_stages_follow_one_another() -> None:
    distilled = Stage2(network(identity=()), decoders=DECODERS).exported()
    task = Lit(distilled, tokenizer(), fresh_auxiliary=True)
    assert is_identity(task.network.auxiliary)
    loss, told = task(Squares().draw(0))
    assert torch.isfinite(loss)
    assert 0 <= float(told["hit"]) <= 1
    with pytest.raises(ValueError, match="without clips"):
        task(CaptionedBatch(np.zeros((0, 4, 16, 16, 3), np.uint8), (), np.zeros((0, 0), bool), 0))
