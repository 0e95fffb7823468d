"""Galleries of the grown world: nothing of them was trained on, and each question has one answer."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from demo import evaluate_grown, scenes, words, world
from demo.sentences import canonical, holds, meaning_of


@pytest.mark.parametrize("groups", [evaluate_grown.orders(40), evaluate_grown.pairs(40), evaluate_grown.cameras(20)])
def test_each_question_is_held_out_and_has_one_answer_among_its_hard_negatives(
    groups: list[evaluate_grown.Group],
) -> None:
    assert len({group[0] for group in groups}) == len(groups)
    for right, *wrong in groups:
        assert len(wrong) == 3
        assert scenes.is_held_out(right)
        assert holds(meaning_of(right), right)
        assert not any(holds(meaning_of(right), scene) for scene in wrong)
        assert {actor.thing for scene in wrong for actor in scene.actors} == {actor.thing for actor in right.actors}
        assert {scene.background for scene in wrong} == {right.background}


def test_the_gallery_has_every_kind_and_was_never_trained_on() -> None:
    shown = evaluate_grown.gallery()
    assert len(shown) == len(set(shown)) == 640
    assert all(map(scenes.is_held_out, shown))
    assert {scene.relation for scene in shown} == {"", *scenes.RELATIONS}
    assert {scene.camera for scene in shown} == set(scenes.CAMERAS)
    assert {act for scene in shown for actor in scene.actors for act in actor.acts} == set(scenes.MOTIONS)
    assert {actor.thing for scene in shown for actor in scene.actors} == set(world.THINGS)


def test_measures_are_those_that_an_encoder_deserves(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    every: dict[str, int] = {}

    def clip_rows(encoder: object, shown: list[scenes.Scene], seed: int) -> NDArray[np.float32]:
        for scene in shown:
            every.setdefault(canonical(meaning_of(scene)), len(every))
        return np.eye(len(every), 2600, dtype=np.float32)[[every[canonical(meaning_of(scene))] for scene in shown]]

    def knows(texts: list[str]) -> NDArray[np.float32]:
        random = rng.standard_normal((len(texts), 2600)).astype(np.float32) / 2600
        for at, text in enumerate(texts):
            if text in every:
                random[at, every[text]] += 1
        return random

    monkeypatch.setattr(evaluate_grown, "clip_rows", clip_rows)
    figures = evaluate_grown.measure(SimpleNamespace(encode_texts=knows))  # type: ignore[arg-type]
    assert figures["gallery"] == 640
    for name in ("text_to_video_r1", "video_to_text_r1", "order_among_4", "two_things_among_4", "camera_among_4"):
        assert figures[name] == 1, name
    assert figures["motion_by_old_verb"] == 1
    assert figures["motion_by_unseen_verb"] < 0.2, "it knows canonical sentences only"
    assert sum(name.startswith("unseen_") for name in figures) == sum(map(len, words.UNSEEN_VERBS.values()))
