"""The demo world: what is drawn is what is named, what is said can be read, and what is held out stays out."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from numpy.typing import NDArray

from demo import captions, evaluate, scenes, world
from demo.augment import augment
from demo.things import THINGS as PHRASES
from encoder.config import DEMO
from encoder.tokenizer import canonical

VOCABULARY = Path(__file__).parent.parent / "encoder" / "demo" / "vocabulary.model"
EVERY_TAKE = [world.Take(t, b, m) for t in world.THINGS for b in world.BACKGROUNDS for m in world.MOTIONS]
MENTIONS = [(True, True, True), (True, True, False), (True, False, True), (True, False, False), (False, True, True)]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def shapes(takes: list[world.Take], frames: int, aspect: float, seed: int) -> tuple[NDArray[np.float64], ...]:
    """What can be measured of the thing in each frame: centre x and y as fractions of the picture, area in pixels, and
    the direction of its longest axis in radians; each (B, T). The thing is what differs from the empty background."""
    staging = world.stage(takes, np.random.default_rng(seed))
    times = np.broadcast_to(np.linspace(0, 1, frames, dtype=np.float32), (len(takes), frames))
    away = dataclasses.replace(
        staging, start=staging.start + np.array([9, 9, 0, 0], np.float32), change=staging.change * 0
    )
    empty = world.draw(away, times[:, :1], 72, 72, aspect=aspect).astype(int)
    seen = np.abs(world.draw(staging, times, 72, 72, aspect=aspect) - empty).max(-1) > 10
    y, x = np.mgrid[0:72, 0:72] / 72 + 0.5 / 72
    area = seen.sum((2, 3))
    assert area.min() > 0, "the thing left the picture"
    cx, cy = (seen * x).sum((2, 3)) / area, (seen * y).sum((2, 3)) / area
    u, v = (x - cx[..., None, None]) * aspect, y - cy[..., None, None]
    axis = np.arctan2(2 * (seen * u * v).sum((2, 3)), (seen * (u**2 - v**2)).sum((2, 3))) / 2
    return cx, cy, area.astype(float), axis


@pytest.mark.parametrize("aspect", [16 / 9, 1.0, 9 / 16])
@pytest.mark.parametrize(
    ("motion", "across", "down"), [("left", -1, 0), ("right", 1, 0), ("rise", 0, -1), ("fall", 0, 1)]
)
def test_things_go_where_the_motion_says(motion: str, across: int, down: int, aspect: float) -> None:
    takes = [world.Take(t, world.BACKGROUNDS[i % 10], motion) for i, t in enumerate(world.THINGS)]
    cx, cy, _, _ = shapes(takes, 5, aspect, 1)
    for centre, sign in ((cx, across), (cy, down)):
        if sign:
            assert (np.diff(centre, axis=1) * sign > 0).all()
            assert ((centre[:, -1] - centre[:, 0]) * sign).min() > 0.2
        else:
            assert np.abs(centre - centre[:, :1]).max() < 0.06


def test_still_is_at_rest() -> None:
    takes = [world.Take(t, world.BACKGROUNDS[i % 10], "still") for i, t in enumerate(world.THINGS)]
    clips = world.render(takes, frames=4, height=72, width=72, rng=np.random.default_rng(2))
    np.testing.assert_array_equal(clips, np.broadcast_to(clips[:, :1], clips.shape))


@pytest.mark.parametrize(("motion", "sign"), [("grow", 1), ("shrink", -1)])
def test_sizes_change_in_place(motion: str, sign: int) -> None:
    takes = [world.Take(t, world.BACKGROUNDS[i % 10], motion) for i, t in enumerate(world.THINGS)]
    cx, cy, area, _ = shapes(takes, 4, 16 / 9, 3)
    assert (np.diff(area, axis=1) * sign > 0).all()
    assert (np.abs(np.log(area[:, -1] / area[:, 0])) > np.log(1.8)).all()
    assert np.abs(cx - cx[:, :1]).max() < 0.1
    assert np.abs(cy - cy[:, :1]).max() < 0.1


def test_spinning_turns_both_ways_by_half_a_turn_or_more() -> None:
    long_things = [t for t in ("carrot", "banana", "guitar", "hammer", "trumpet", "key") for _ in range(4)]
    takes = [world.Take(t, "white" if t != "key" else "purple", "spin") for t in long_things]
    cx, cy, _, axis = shapes(takes, 33, 1.0, 4)
    turned = np.unwrap(axis, axis=1, period=np.pi)
    turns = (turned[:, -1] - turned[:, 0]) / (2 * np.pi)
    assert np.abs(turns).min() > 0.45
    assert np.abs(turns).max() < 1.4
    assert turns.min() < 0 < turns.max()
    assert np.abs(cx - cx.mean(1, keepdims=True)).max() < 0.12
    assert np.abs(cy - cy.mean(1, keepdims=True)).max() < 0.12


def test_everything_looks_different_when_turned() -> None:
    """Otherwise spinning could not be told from being still."""
    sprites = world._sprites()[2]
    assert sprites.shape == (80, 4, 32, 32)
    for angle in (60, 90, 180):
        radians = torch.tensor(angle * np.pi / 180)
        turn = torch.tensor([[torch.cos(radians), -torch.sin(radians), 0], [torch.sin(radians), torch.cos(radians), 0]])
        grid = torch.nn.functional.affine_grid(turn.repeat(80, 1, 1), [80, 4, 32, 32], align_corners=False)
        turned = torch.nn.functional.grid_sample(sprites, grid, align_corners=False)
        difference = (turned - sprites).abs().sum((1, 2, 3)) / sprites[:, 3].sum((1, 2))
        assert difference.min() > 0.3, (angle, world.THINGS[int(difference.argmin())])


def test_no_two_things_and_no_two_backgrounds_look_alike() -> None:
    flat = world._sprites()[2].flatten(1)
    assert (torch.cdist(flat, flat, p=1) / flat.shape[1] + torch.eye(80)).min() > 0.02
    bare = world.stage([world.Take("dog", b, "still") for b in world.BACKGROUNDS], np.random.default_rng(5))
    bare = dataclasses.replace(bare, start=bare.start + np.array([9, 9, 0, 0], np.float32))
    pictures = world.draw(bare, np.zeros((10, 1), np.float32), 72, 72).reshape(10, -1).astype(float)
    apart = np.abs(pictures[:, None] - pictures[None]).mean(-1) + 255 * np.eye(10)
    assert apart.min() > 25


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    takes = EVERY_TAKE[::97]
    first, again, other = (
        augment(world.render(takes, frames=3, height=36, width=64, rng=rng), 36, rng)
        for rng in map(np.random.default_rng, (6, 6, 7))
    )
    np.testing.assert_array_equal(first, again)
    assert (np.abs(first.astype(int) - other).mean((1, 2, 3, 4)) > 2).all()


def test_drawn_squashed_is_squashed_afterwards() -> None:
    """Training draws wide pictures on small squares; the indexer squashes wide frames: it must come to the same."""
    takes = EVERY_TAKE[5::331]
    staging = world.stage(takes, np.random.default_rng(8))
    times = np.full((len(takes), 1), 0.4, np.float32)
    direct = world.draw(staging, times, 72, 72, aspect=16 / 9).astype(float)
    wide = torch.from_numpy(world.draw(staging, times, 288, 512)[:, 0]).permute(0, 3, 1, 2).float()
    squashed = torch.nn.functional.interpolate(wide, (72, 72), mode="bilinear", antialias=True).permute(0, 2, 3, 1)
    assert np.abs(direct[:, 0] - squashed.numpy()).mean() < 8


def test_wear_keeps_shape_and_picture() -> None:
    takes = EVERY_TAKE[3::400]
    for seed in range(6):
        rng = np.random.default_rng(seed)
        clips = world.render(takes, frames=8, height=72, width=72, rng=rng)
        worn = augment(clips, 72, rng)
        assert worn.shape == (len(takes), 8, 72, 72, 3)
        assert worn.dtype == np.uint8
        change = np.abs(worn.astype(int) - clips).mean((1, 2, 3, 4))
        assert (change > 0.2).any(), "nothing was worn"
        assert change.max() < 60, "nothing is left of the picture"


def test_a_take_of_another_world_is_refused() -> None:
    for strange in (("dragon", "red", "left"), ("dog", "pink", "left"), ("dog", "red", "explode")):
        with pytest.raises(ValueError, match="not of this world"):
            world.Take(*strange)


def test_held_out_takes_leave_every_pair_to_train_on() -> None:
    held = captions.held_out()
    assert 0.09 < len(held) / len(EVERY_TAKE) < 0.15
    trained = {take for take in EVERY_TAKE if not scenes.is_held_out(scenes.scene_of(take))}
    assert trained.isdisjoint(held)
    assert len(trained) + len(held) == len(EVERY_TAKE)
    assert {(t.thing, t.motion) for t in trained} == {(t.thing, t.motion) for t in EVERY_TAKE}
    assert {(t.background, t.motion) for t in trained} == {(t.background, t.motion) for t in EVERY_TAKE}
    motions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for take in held:
        motions[take.thing, take.background].add(take.motion)
    whole = {pair for pair, of in motions.items() if len(of) == 8}
    assert len(whole) >= 40
    assert {t for t, _ in whole} == set(world.THINGS)
    assert {b for _, b in whole} == set(world.BACKGROUNDS)
    assert {(t.thing, t.background) for t in EVERY_TAKE} - {(t.thing, t.background) for t in trained} == whole


def test_the_gallery_was_never_trained_on() -> None:
    gallery = evaluate.gallery()
    assert len(gallery) == len(set(gallery)) >= 500
    assert set(gallery) <= captions.held_out()
    assert [take.motion for take in gallery] == list(world.MOTIONS) * (len(gallery) // 8)


@pytest.mark.parametrize("mentions", MENTIONS)
def test_captions_mention_what_they_should(mentions: tuple[bool, bool, bool]) -> None:
    rng = np.random.default_rng(9)
    motion_words = {m: captions._MOVES[m] + captions.MOVING[m] for m in world.MOTIONS}
    for take in EVERY_TAKE[::3]:
        sentence = captions.caption(take, rng, mentions=mentions)
        named = any(phrase in sentence for phrase in PHRASES[take.thing][1])
        placed = any(phrase in sentence for phrase in captions.PLACES[take.background])
        moved = any(phrase in sentence for phrase in motion_words[take.motion])
        assert (named or not mentions[0], placed or not mentions[1], moved or not mentions[2]) == (True,) * 3, (
            take,
            sentence,
        )
        if not mentions[0]:
            assert "something" in sentence
        if not mentions[1]:
            assert not any(p in sentence for places in captions.PLACES.values() for p in places), sentence


def test_words_for_one_thing_are_not_words_for_another() -> None:
    tables = ([p for _, p in PHRASES.values()], captions.PLACES.values())
    for phrases in (*tables, [captions._MOVES[m] + captions.MOVING[m] for m in world.MOTIONS]):
        every = [phrase for group in phrases for phrase in group]
        assert len(every) == len(set(every))


def test_captions_vary_and_canonical_ones_are_told_apart() -> None:
    rng = np.random.default_rng(10)
    take = world.Take("dog", "brick wall", "spin")
    assert len({captions.caption(take, rng) for _ in range(400)}) > 150
    assert len({captions.describe(take) for take in EVERY_TAKE}) == len(EVERY_TAKE)


def test_the_vocabulary_spells_every_caption() -> None:
    spelling = sentencepiece.SentencePieceProcessor()
    spelling.LoadFromSerializedProto(VOCABULARY.read_bytes())
    assert spelling.GetPieceSize() == DEMO.vocabulary
    assert (spelling.pad_id(), spelling.eos_id(), spelling.unk_id(), spelling.bos_id()) == (0, 1, 2, -1)
    assert [spelling.IsByte(i) for i in range(2, 260)] == [False, *[True] * 256, False]
    rng = np.random.default_rng(11)
    sure = [canonical(captions.describe(take)) for take in EVERY_TAKE]
    free = [
        canonical(captions.caption(take, rng, mentions=mentions)) for take in EVERY_TAKE for mentions in MENTIONS[:2]
    ]
    assert min(map(min, spelling.EncodeAsIds(sure))) > 258, "a canonical caption is spelt in bytes"
    for sentence, ids in zip(sure + free, spelling.EncodeAsIds(sure + free), strict=True):
        assert spelling.unk_id() not in ids
        assert spelling.DecodeIds(ids) == sentence
        assert len(ids) <= DEMO.text_tokens


class _Ideal:
    """Knows each sentence by heart; with `wrong`, takes each motion for the next."""

    def __init__(self) -> None:
        self.number = {captions.describe(take): i for i, take in enumerate(evaluate.gallery())}

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        return np.eye(len(self.number), dtype=np.float32)[[self.number.get(text, 0) for text in texts]]


@pytest.mark.parametrize(("shift", "share"), [(0, 1.0), (1, 0.0)])
def test_evaluation_gives_what_an_encoder_deserves(monkeypatch: pytest.MonkeyPatch, shift: int, share: float) -> None:
    ideal = _Ideal()
    takes = evaluate.gallery()
    numbers = np.arange(len(takes)).reshape(-1, 8)
    rows = np.eye(len(takes), dtype=np.float32)[np.roll(numbers, shift, axis=1).ravel()]
    monkeypatch.setattr(evaluate, "clip_rows", lambda encoder, takes, seed: rows)
    figures = evaluate.measure(ideal)  # type: ignore[arg-type]
    assert figures["gallery"] == len(takes)
    for name in ("text_to_video_r1", "video_to_text_r1", "motion_by_text", "motion_of_clip"):
        assert figures[name] == share, name
    assert figures["same_take_again_among_8"] == 1.0
