"""Labelled clips of the demo world: nothing of them was trained on, and only what a class means tells it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from demo import captions, labelled, world


def test_every_take_is_held_out_of_training() -> None:
    takes = [take for take, _ in labelled.motions_and_backgrounds() + labelled.things_to_tell_apart()]
    assert len(takes) == 320 + 64
    assert set(takes) <= captions.held_out()


def test_motions_and_backgrounds_are_shown_by_other_things_in_the_test() -> None:
    takes = labelled.motions_and_backgrounds()
    things = {split: {take.thing for take, each in takes if each == split} for split in ("train", "test")}
    assert not things["train"] & things["test"]
    for split in ("train", "test"):
        assert set(Counter(take.motion for take, each in takes if each == split).values()) == {20}
        assert set(Counter(take.background for take, each in takes if each == split).values()) == {16}


def test_things_are_told_by_nothing_but_themselves() -> None:
    takes = labelled.things_to_tell_apart()
    assert len({take.background for take, _ in takes}) == 1
    motions = {split: {take.motion for take, each in takes if each == split} for split in ("train", "test")}
    assert not motions["train"] & motions["test"]
    assert len({take.thing for take, _ in takes}) == labelled.THINGS_TO_TELL_APART


def test_a_clip_is_a_video(tmp_path: Path) -> None:
    from encoder import ClipSpec
    from indexer.media.clip import read_clip

    labelled.write_clip(world.Take("dog", "red", "grow"), tmp_path / "a.mp4", np.random.default_rng(0))
    clip = read_clip(str(tmp_path / "a.mp4"), ClipSpec(4, 32))
    assert clip[..., 0].mean() > clip[..., 2].mean() + 30, "on a red background"
