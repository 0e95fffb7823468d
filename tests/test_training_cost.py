"""What a plan computes: operations as the paper states them, parameters as they are, and captions' scores."""

from __future__ import annotations

import numpy as np
import pytest

from app.tuning.caption_scores import caption_task, difference, score_captions
from app.tuning.examples import Example
from app.tuning.plan import SLOWER, LibrarySize, make_plan
from app.tuning.run_data import RunData
from encoder.config import CONFIGS, DEMO
from encoder.model import build
from training import cost
from training.configuration import config_of
from training.stage_defaults import STAGES
from training.trained_parts import parameters, trained_parameters

BASE = CONFIGS["videoprism_lvt_public_v1_base"]


def test_operations_are_those_that_the_specification_computes() -> None:
    assert cost.forward_flops(BASE, 8) == pytest.approx(0.48e12, rel=0.03)
    stage2 = config_of({"stage": "stage2", "batch": 1, "frames": 8})
    assert cost.step_cost(stage2, BASE).flops == pytest.approx(2.3e12, rel=0.03)


def test_a_deeper_stage_costs_more_and_checkpointing_saves_memory() -> None:
    costs = [cost.step_cost(config_of({"stage": stage, "batch": 8}), BASE) for stage in ("lit", "adapter")]
    assert costs[0].flops < costs[1].flops
    thrifty = cost.step_cost(config_of({"stage": "adapter", "batch": 8, "checkpointing": True}), BASE)
    assert thrifty.activation_bytes < costs[1].activation_bytes / 5
    assert thrifty.flops > costs[1].flops
    chunks = cost.step_cost(config_of({"stage": "adapter", "batch": 8, "micro": 2}), BASE)
    tokens = 8 * 4096 * 768 * 4
    assert chunks.activation_bytes == pytest.approx(costs[1].activation_bytes / 4)
    assert chunks.flops == pytest.approx(costs[1].flops * 4 / 3)
    locked = cost.step_cost(config_of({"stage": "lit", "batch": 8, "micro": 2}), BASE)
    assert locked.activation_bytes - tokens == pytest.approx((costs[0].activation_bytes - tokens) / 4)
    halved = cost.step_cost(config_of({"stage": "stage1", "batch": 8}), BASE)
    whole = cost.step_cost(config_of({"stage": "stage1", "batch": 8, "drop": 0}), BASE)
    assert halved.flops < 0.6 * whole.flops


def test_parameters_are_counted_without_the_network() -> None:
    network = build(DEMO)
    count = sum(each.numel() for each in network.parameters())
    assert parameters(DEMO) == count
    assert trained_parameters(config_of({"stage": "stage1"}), DEMO) == count
    vision = sum(each.numel() for each in network.get_submodule("vision_encoder").parameters())
    assert trained_parameters(config_of({"stage": "stage2"}), DEMO) == vision
    assert trained_parameters(config_of({"stage": "lit"}), DEMO) == count - vision
    last = network.get_submodule("text_encoder.stack.layers.1")
    norm = network.get_submodule("text_encoder.norm")
    expected = sum(each.numel() for part in (last, norm) for each in part.parameters())
    assert trained_parameters(config_of({"tuned": "last", "layers": 1}), DEMO) == expected


@pytest.mark.parametrize("stage", STAGES)
def test_a_plan_tells_what_must_be_indexed_again(stage: str) -> None:
    config = config_of({"stage": stage, "batch": 4, "loop.steps": 10})
    examples = [Example(f"/{at}.mp4", None, None, (f"a {at % 3}",), str(at), "train") for at in range(6)]
    plan = make_plan(
        config, BASE, RunData(examples, None), 2, None, LibrarySize(5, 100.0, 40), seconds_a_step=None,
        flops_a_second=1e11,
    )  # fmt: skip
    assert plan.index_again == (stage != "text")
    assert (plan.clips, plan.captions, plan.left_out, plan.steps, plan.batch) == (6, 3, 2, 10, 4)
    assert plan.epochs == pytest.approx(40 / 6, abs=0.01)
    assert plan.seconds == pytest.approx(10 * plan.seconds_a_step)
    assert plan.seconds_a_step == pytest.approx(plan.tera_flops_a_step * SLOWER[stage] * 1e12 / 1e11)
    assert not plan.measured
    assert plan.memory_bytes > 4 * parameters(BASE)
    again = 0 if stage == "text" else 40 * cost.forward_flops(BASE, 16) / 1e11
    assert plan.index_seconds == pytest.approx(again)
    timed = make_plan(
        config, BASE, RunData(examples, None), 2, None, LibrarySize(), seconds_a_step=3.0, flops_a_second=1e11
    )
    assert (timed.seconds, timed.measured, timed.flops_a_second) == (30.0, True, None)


def test_each_stage_has_a_factor_of_its_own() -> None:
    assert SLOWER.keys() == set(STAGES)
    assert SLOWER["stage2"] < SLOWER["lit"], "its decoders multiply large matrices"


def captioned(*captions: str, content: str) -> Example:
    return Example("/a.mp4", None, None, captions, content, "test")


def test_a_sentence_about_several_clips_is_right_with_any_of_them() -> None:
    task = caption_task(
        [captioned("A zorp", content="1"), captioned("a  zorp", "a bee", content="2"), captioned("a bee", content="3")]
    )
    assert task.sentences == ("A zorp", "a bee")
    assert task.clips == ((0, 1), (1, 2))
    assert task.sentences_of == ((0,), (0, 1), (1,))
    rows = np.eye(3, dtype=np.float32)
    texts = np.array([[0, 1, 0], [1, 0, 0]], np.float32)
    scores = score_captions(task, texts, rows)
    assert scores.by_words.recall(1) == 0.5
    assert scores.by_words.hits[1].tolist() == [1.0, 0.0]
    assert scores.by_clips.recall(1) == pytest.approx((0 + 1 + 0.5) / 3)
    record = scores.record()
    assert record["words_to_clips"]["questions"] == 2
    better = score_captions(task, rows[[0, 2]], rows)
    assert better.by_words.recall(1) == 1
    gain, interval = difference(scores.by_words, better.by_words, 1)
    assert gain == 0.5
    assert interval is not None
    assert interval[0] <= 0.5 <= interval[1]
