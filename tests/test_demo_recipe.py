"""The recipe of the demo encoder: planned, cut and continued with the same result, refused with other settings."""

from __future__ import annotations

import dataclasses
import itertools
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from demo import recipe, recipe_result
from demo.evaluate_grown import validation_scenes
from demo.patch_heads import PatchHeads
from demo.recipe import Recipe
from demo.recipe_task import SceneTask, TaskSettings
from demo.sampler import LABELS, OF_CLIPS, SceneBatches
from demo.whereabouts import NOTHING, UNKNOWN
from encoder.config import DEMO
from encoder.tokenizer import Tokenizer
from training.errors import TrainingError
from training.loop import run
from training.run_folder import RunFolder
from training.run_state import load_trained

SMALL = replace(
    DEMO, dim=16, heads=2, mlp=32, frames=2, patch=9, rows=4, columns=4, spatial_layers=1, temporal_layers=1,
    auxiliary_layers=1, text_layers=1,
)  # fmt: skip
PLAN = Recipe(image_steps=2, short_steps=2, clip_steps=2, image_batch=16, clip_batch=16, validation=8, sentences=2500)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert recipe.make(PLAN, folder, config=SMALL, renderers=0, tell=quiet)
    return folder


def test_cut_at_every_step_it_ends_with_the_same_weights(whole: Path, tmp_path: Path) -> None:
    (tmp_path / recipe.VOCABULARY).write_bytes((whole / recipe.VOCABULARY).read_bytes())
    asked = itertools.cycle([False, True])  # one step a sitting
    sittings = 1
    while not recipe.make(PLAN, tmp_path, config=SMALL, renderers=0, tell=quiet, stop=lambda: next(asked)):
        sittings += 1
    assert sittings > 2
    with np.load(whole / recipe.WEIGHTS) as first, np.load(tmp_path / recipe.WEIGHTS) as second:
        assert first.files == second.files
        for name in first.files:
            np.testing.assert_array_equal(first[name], second[name])


def test_what_was_made_says_how(whole: Path) -> None:
    made = json.loads((whole / recipe_result.MADE).read_text(encoding="utf-8"))
    assert made["recipe"] == dataclasses.asdict(PLAN)
    assert len(made["commit"].rstrip("+")) in (0, 40)
    assert set(made["stages"]) == set(recipe.STAGES)
    assert 0 <= made["stages"]["clips"]["validation"]["R@1"] <= 1
    assert made["sha256"].keys() == {recipe.WEIGHTS, recipe.VOCABULARY}


def test_other_settings_are_refused_by_name(whole: Path) -> None:
    with pytest.raises(TrainingError, match=r"clip_rate was 0\.0006, now 0\.002"):
        recipe.make(replace(PLAN, clip_rate=2e-3), whole, config=SMALL, renderers=0, tell=quiet)


def test_it_is_installed_only_where_the_shape_fits(whole: Path, tmp_path: Path) -> None:
    recipe.install(whole, tmp_path)
    assert (tmp_path / recipe.WEIGHTS).read_bytes() == (whole / recipe.WEIGHTS).read_bytes()
    made = json.loads((whole / recipe_result.MADE).read_text(encoding="utf-8"))
    other = tmp_path / "other"
    other.mkdir()
    for name in (recipe.WEIGHTS, recipe.VOCABULARY):
        (other / name).write_bytes((whole / name).read_bytes())
    (other / recipe_result.MADE).write_text(json.dumps(made | {"vocabulary": DEMO.vocabulary + 1}))
    with pytest.raises(SystemExit, match="vocabulary="):
        recipe.install(other, tmp_path)
    (other / recipe.VOCABULARY).write_bytes(b"other")
    (other / recipe_result.MADE).write_text(json.dumps(made))
    with pytest.raises(SystemExit, match="is not what"):
        recipe.install(other, tmp_path)


def test_the_plan_fits_its_minutes() -> None:
    plan, half = recipe.plan(recipe.MINUTES), recipe.plan(recipe.MINUTES / 2)
    assert [plan.image_steps, plan.short_steps, plan.clip_steps] == list(recipe.STEPS.values())
    for whole, part in zip(recipe.STEPS.values(), (half.image_steps, half.short_steps, half.clip_steps), strict=True):
        assert abs(part - whole / 2) <= 0.5
    assert recipe.plan(0.001).clip_steps > 0


def test_batches_drawn_by_another_process_are_the_same() -> None:
    """It gets the source pickled; test_training_sampling.py has the processes themselves."""
    batches = SceneBatches(3, 16, 2, 36)
    sent = pickle.loads(pickle.dumps(batches))
    for number in (1, 2):  # as after a break
        batch, expected = sent.draw(number), batches.draw(number)
        assert batch.sentences == expected.sentences
        np.testing.assert_array_equal(batch.clips, expected.clips)


def test_the_second_stage_begins_with_all_of_the_first(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / recipe.VOCABULARY).write_bytes((whole / recipe.VOCABULARY).read_bytes())
    begun = []

    def spy(task: SceneTask, *more: Any, **others: Any) -> Any:
        begun.append({name: value.clone() for name, value in task.state_dict().items()})
        return run(task, *more, **others)

    monkeypatch.setattr(recipe, "run", spy)
    assert recipe.make(PLAN, tmp_path, config=SMALL, renderers=0, tell=quiet)
    first = SceneTask(SMALL, Tokenizer(whole / recipe.VOCABULARY, SMALL.text_tokens), TaskSettings(), 1)
    load_trained(RunFolder.existing(tmp_path / "images"), first, "last")
    assert begun[1].keys() == first.state_dict().keys()
    for name, value in first.state_dict().items():
        torch.testing.assert_close(begun[1][name], value, atol=0, rtol=0)
    assert any(value.any() for name, value in begun[1].items() if name.startswith("patch_heads.things"))
    moving = [at for at, name in enumerate(LABELS) if name in OF_CLIPS]
    for at, _ in enumerate(LABELS):
        assert bool(begun[1][f"heads.{at}.weight"].any()) == (at not in moving), "pictures do not show motion"


def test_patch_heads_learn_what_is_there_and_how_it_moves() -> None:
    places = SceneBatches(0, 16, 4, SMALL.size).draw(0).places
    heads = PatchHeads(8)
    zero = torch.zeros(16, 64, 8)
    flat = float(heads(zero, zero, places)[0].detach())
    labels = torch.from_numpy(np.concatenate([places.poses, (places.things == NOTHING)[..., None]], axis=-1))
    after = labels.roll(-1, 1)  # with what a head on one picture could not know
    changes = torch.cat([labels[..., :3], (labels - labels.roll(1, 1))[..., :5]], dim=-1).flatten(1, 2)
    tokens = torch.cat([labels, after[..., :2]], dim=-1).flatten(1, 2)
    with torch.no_grad():
        heads.poses.weight[:, :5] = torch.eye(5)
        posed = float(heads(tokens, zero, places)[0])
        heads.changes.weight[:, 3:] = 4 * torch.eye(5)
        moved = float(heads(tokens, changes, places)[0])
        heads.things.bias[NOTHING] = -50
        heads.things.weight[NOTHING, 5] = 100
        found = float(heads(tokens, changes, places)[0])
    assert posed < flat - 0.01, "poses are read from the tokens of pictures"
    assert moved < posed - 0.01, "and their changes from the tokens after the temporal stack"
    assert found < moved - 0.1
    nothing = replace(places, things=np.full_like(places.things, UNKNOWN))
    assert float(heads(tokens, changes, nothing)[0]) == 0


def test_the_validation_is_no_gallery() -> None:
    from demo import captions, evaluate, evaluate_grown, scenes

    shown = validation_scenes(60)
    assert len(set(shown)) == 60
    assert all(map(scenes.is_held_out, shown))
    tested = {*evaluate_grown.gallery(), *map(scenes.scene_of, evaluate.gallery())}
    assert not set(shown) & tested
    assert captions.held_out()


def test_the_temperature_is_clipped_after_the_step(whole: Path) -> None:
    tokenizer = Tokenizer(whole / recipe.VOCABULARY, SMALL.text_tokens)
    task = SceneTask(SMALL, tokenizer, TaskSettings(), 0)
    with torch.no_grad():
        task.temperature.log_scale.fill_(9.0)
    task.after_step()
    assert task.temperature.value == pytest.approx(100)
    decayed, plain = task.parameter_groups()
    assert decayed["weight_decay"] == 0.05
    assert plain["weight_decay"] == 0
    for name in ("spatial_positions", "temporal_positions"):
        table = getattr(task.network.vision_encoder, name)
        assert any(table is parameter for parameter in plain["params"])
    assert any(task.network.text_encoder.token_embedding.weight is parameter for parameter in plain["params"])
