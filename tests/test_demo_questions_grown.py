"""Questions about grown scenes: present ones are answered, absent ones are not; the benchmark asks them like others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import _quality_grown
from benchmarks._quality_chains import chains
from benchmarks._quality_composed import composed
from benchmarks._quality_strength import ask_world
from benchmarks._quality_table import Table
from demo import questions_grown, scenes
from encoder import load_encoder


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def content() -> questions_grown.SceneWorld:
    return questions_grown.make_world(0)


def test_a_world_lacks_what_it_says_and_shows_nothing_that_was_trained_on(content: questions_grown.SceneWorld) -> None:
    for scene in content.takes:
        assert scenes.is_held_out(scene)
        assert scene.background not in content.absent_backgrounds
        for actor in scene.actors:
            assert actor.thing not in content.absent_things
            assert not set(actor.acts) & content.absent_motions
    assert len(set(content.takes)) == len(content.takes) > 250
    assert len(questions_grown.make_world(3, 640).takes) == 640
    assert len({motion for seed in range(13) for motion in questions_grown.make_world(seed, 1).absent_motions}) == 13


def test_present_questions_are_answered_and_absent_ones_are_not(content: questions_grown.SceneWorld) -> None:
    present = questions_grown.present_questions(content, chance(), 20)
    assert {question.kind for question in present} == {
        "sentence", "without background", "thing+background", "word", "motion-only",
    }  # fmt: skip
    assert all(question.present and any(map(question.answered_by, content.takes)) for question in present)
    absent = [
        *questions_grown.absent_questions(content, chance(), 20),
        *questions_grown.combination_questions(content, chance(), 20),
    ]
    assert not any(question.present or any(map(question.answered_by, content.takes)) for question in absent)
    assert {question.kind for question in absent} == {
        "thing", "motion", "background", "word", "motion-only", "other-world", "combination",
    }  # fmt: skip
    assert not {question.text for question in present} & {question.text for question in absent}


def test_composed_questions_have_one_answer() -> None:
    takes = questions_grown.gallery()
    asked = questions_grown.composed_questions(takes, chance(), 100)
    for question in asked:
        (example,), (target,) = takes[question.example].actors, takes[question.target].actors
        assert example.thing == target.thing
        assert example.acts != target.acts


def test_only_the_right_video_answers_among_those_made_for_a_question() -> None:
    videos, asked = questions_grown.edited_videos(chance(), two_steps=10, three_steps=4)
    roles = Counter(video.role for video in videos)
    assert roles["right"] == roles["too far"] == roles["other order"] == 14
    for video in videos:
        assert asked[video.question].answered_in(video) == (video.role == "right"), video.role


@pytest.mark.slow
def test_benchmarks_ask_about_scenes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = load_encoder("demo", "cpu")

    def random_rows(encoder: object, shown: tuple[scenes.Scene, ...], seed: int) -> np.ndarray:
        rows = chance(seed).standard_normal((len(shown), 128)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    monkeypatch.setattr(_quality_grown, "evaluate_grown", SimpleNamespace(clip_rows=random_rows))
    footage = _quality_grown.make_scenes(encoder, tmp_path)
    assert footage.found == 1
    assert (footage.rows == _quality_grown.make_scenes(encoder, tmp_path).rows).all(), "kept for the next run"
    asked = ask_world(encoder, footage, 0, 20, 2, 0, questions_grown)
    assert {each.present for each in asked} == {True, False}
    table = Table(draws=20)
    composed(table, encoder, footage, 10, questions_grown)
    chains(table, encoder, footage, 3, 2, questions_grown.edited_videos)
    names = [row["name"] for row in table.rows]
    assert any(name.startswith("example + words") for name in names)
    assert any(name.startswith("3 steps: R@1") for name in names)
    capsys.readouterr()
