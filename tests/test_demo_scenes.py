"""The grown world: drawn scenes do what they say, sentences are true of what they are said of, held out stays out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import sentencepiece
import torch
from numpy.typing import NDArray

from demo import captions, film, make_vocabulary, painting, sampler, scenes, sentences, words, world
from demo.paths import Path, Staging, stage
from demo.scenes import Actor, Scene, one, two
from demo.sentences import Meaning, Said, holds, meaning_of
from demo.whereabouts import NOTHING, UNKNOWN, unknown, whereabouts
from encoder.config import DEMO
from encoder.tokenizer import canonical

TIMES = np.linspace(0, 1, 9)
SEVERAL = world.THINGS[::8]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def gone(times: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.tile([9.0, 9.0, -1.0, 0.0, 1.0], (len(times), 1))


def seen(staging: Staging, actor: int = 0, times: NDArray[np.floating] = TIMES) -> tuple[NDArray[np.float64], ...]:
    """Centre x, centre y and area in pixels of one actor, each (B, T): it is what differs when it is taken away."""

    def only(kept: int | None) -> NDArray[np.float32]:
        paths: Sequence[tuple[Path, ...]] = [
            tuple(path if at == kept else gone for at, path in enumerate(of)) for of in staging.paths
        ]
        alone = dataclasses.replace(staging, paths=tuple(paths))
        return painting.paint(alone, np.tile(times, (len(paths), 1)), 48, 48).numpy()

    shown = np.abs(only(actor) - only(None)).max(2) > 0.04
    y, x = np.mgrid[0:48, 0:48] / 48 + 0.5 / 48
    area = shown.sum((2, 3)).astype(float)
    with np.errstate(invalid="ignore"):
        return (shown * x).sum((2, 3)) / area, (shown * y).sum((2, 3)) / area, area


def staged(motion: str, aspect: float = 1.0) -> Staging:
    shown = [one(thing, world.BACKGROUNDS[at % 10], motion) for at, thing in enumerate(SEVERAL)]
    return stage(shown, rng(3), aspect)


@pytest.mark.parametrize("aspect", [16 / 9, 9 / 16])
@pytest.mark.parametrize(
    ("motion", "across", "down"), [("left", -1, 0), ("right", 1, 0), ("rise", 0, -1), ("fall", 0, 1)]
)
def test_plain_scenes_move_as_takes_do(motion: str, across: int, down: int, aspect: float) -> None:
    x, y, _ = seen(staged(motion, aspect))
    for centre, sign in ((x, across), (y, down)):
        if sign:
            assert ((centre[:, -1] - centre[:, 0]) * sign).min() > 0.2
        else:
            assert np.abs(centre - centre[:, :1]).max() < 0.07


def test_new_motions_are_what_they_are_called() -> None:
    x, y, area = seen(staged("zigzag"))
    along, across = np.where(np.ptp(x, 1) > np.ptp(y, 1), (x.T, y.T), (y.T, x.T))
    assert (np.abs(along[-1] - along[0]) > 0.2).all()
    assert ((np.diff(np.sign(np.diff(across, axis=0)), axis=0) != 0).sum(0) >= 2).all(), "it turns at least twice"

    x, y, _ = seen(staged("bounce"))
    assert np.ptp(x, axis=1).max() < 0.08
    assert (np.ptp(y, axis=1) > 0.15).all()
    assert (y[:, 0] > y.min(1) + 0.12).all(), "it begins on the ground"

    x, y, _ = seen(staged("circle"))
    cx, cy = x[:, :8].mean(1, keepdims=True), y[:, :8].mean(1, keepdims=True)
    turned = np.unwrap(np.arctan2(y - cy, x - cx), axis=1)
    assert (np.abs(np.abs(turned[:, -1] - turned[:, 0]) - 2 * np.pi) < 0.5).all()
    assert turned[:, -1].min() < turned[:, 0].min(), "either way round"
    assert turned[:, -1].max() > turned[:, 0].max(), "either way round"

    _, _, area = seen(staged("appear"))
    assert (area[:, 0] == 0).all()
    assert (area[:, -1] > 40).all()
    _, _, area = seen(staged("disappear"))
    assert (area[:, 0] > 40).all()
    assert (area[:, -1] == 0).all()


def test_two_motions_come_one_after_the_other() -> None:
    x, y, _ = seen(stage([one(thing, "red", "left", "rise") for thing in SEVERAL], rng()))
    assert (x[:, 0] - x[:, 4] > 0.15).all()
    assert np.abs(x[:, 5] - x[:, -1]).max() < 0.05
    assert np.abs(y[:, 0] - y[:, 3]).max() < 0.05
    assert (y[:, 5] - y[:, -1] > 0.1).all()
    _, _, area = seen(stage([one(thing, "white", "grow", "disappear") for thing in SEVERAL], rng()))
    assert (area[:, 3] > 1.3 * area[:, 0]).all()
    assert (area[:, -1] == 0).all()


def pair(relation: str, direction: str = "right") -> tuple[NDArray[np.float64], ...]:
    shown = [
        two(relation, first, second, "purple", direction)
        for first, second in zip(SEVERAL, world.THINGS[3::8], strict=True)
    ]
    staging = stage(shown, rng(1), np.where(np.arange(len(shown)) % 2, 16 / 9, 1.0))
    return (*seen(staging, 0), *seen(staging, 1))


def test_relations_are_where_they_say() -> None:
    ax, ay, _, bx, by, _ = pair("left of")
    assert (bx - ax > 0.3).all()
    assert np.abs(by - ay).max() < 0.2
    ax, ay, _, bx, by, _ = pair("above")
    assert (by - ay > 0.3).all()
    assert np.abs(bx - ax).max() < 0.2


@pytest.mark.parametrize(("direction", "sign"), [("left", -1), ("right", 1)])
def test_who_chases_is_behind_and_both_move(direction: str, sign: int) -> None:
    ax, _, _, bx, _, _ = pair("chase", direction)
    assert ((bx - ax) * sign > 0.2).all()
    for x in (ax, bx):
        assert ((x[:, -1] - x[:, 0]) * sign > 0.12).all()


def test_hiding_ends_behind_and_emerging_begins_there() -> None:
    for relation, hidden, beside in (("hide", -1, 0), ("emerge", 0, -1)):
        ax, _, _, bx, _, _ = pair(relation, "left")
        assert np.abs(ax[:, hidden] - bx[:, hidden]).max() < 0.08
        assert (np.abs(ax[:, beside] - bx[:, beside]) > 0.25).all()
        assert ((ax[:, -1] - ax[:, 0]) < -0.2).all()
        assert np.abs(bx - bx[:, :1]).max() < 0.02
    behind = two("hide", "mouse", "house", "red")
    staging = stage([behind], rng())
    both = painting.paint(staging, np.ones((1, 1)), 48, 48)
    alone = painting.paint(dataclasses.replace(staging, paths=((gone, staging.paths[0][1]),)), np.ones((1, 1)), 48, 48)
    assert ((both - alone).abs().amax(2) > 0.04).sum() < 0.4 * seen(staging, 0)[2][0, -1], "little of it is to be seen"


def test_then_is_one_thing_in_the_place_of_another() -> None:
    _, _, first, _, _, second = pair("then")
    assert (first[:, 0] > 60).all()
    assert (second[:, -1] > 60).all()
    assert (first[:, -1] == 0).all()
    assert (second[:, 0] == 0).all()


@pytest.mark.parametrize(
    ("camera", "dx", "dy", "dz"),
    [("pan left", 1, 0, 0), ("pan right", -1, 0, 0), ("tilt up", 0, 1, 0), ("tilt down", 0, -1, 0),
     ("zoom in", 0, 0, 1), ("zoom out", 0, 0, -1)],
)  # fmt: skip
def test_a_camera_moves_the_thing_and_what_is_behind_it(camera: str, dx: int, dy: int, dz: int) -> None:
    staging = stage([one(thing, "brick wall", "still", camera=camera) for thing in SEVERAL], rng(2))
    x, y, area = seen(staging)
    for values, sign in ((x, dx), (y, dy), (np.log(area) / 3, dz)):
        if sign:
            assert ((values[:, -1] - values[:, 0]) * sign > 0.15).all()
    bare = dataclasses.replace(staging, paths=tuple((gone,) for _ in staging.paths))
    moving = painting.paint(bare, np.tile(TIMES, (len(SEVERAL), 1)), 48, 48)
    assert ((moving[:, 1:] - moving[:, :-1]).abs().mean((2, 3, 4)) > 0.005).all()


def test_labels_of_patches_are_where_things_are() -> None:
    shown = [one(thing, "blue", "left") for thing in SEVERAL] + [two("chase", "dog", "cat", "blue")]
    staging = stage(shown, rng(3), 16 / 9)
    times = np.tile(TIMES[[0, 4, 8]], (len(shown), 1))
    labels = whereabouts(staging, times, 4)
    there = labels.things != NOTHING
    bare = dataclasses.replace(staging, paths=tuple((gone,) * len(each) for each in staging.paths))
    pictures, empty = (painting.paint(each, times, 72, 72) for each in (staging, bare))
    painted = (pictures - empty).abs().amax(2)  # (B, T, 72, 72)
    share = (painted > 0.1).unflatten(2, (4, 18)).unflatten(4, (4, 18)).float().mean((3, 5)).flatten(2).numpy()
    assert (share[there] > 0).mean() > 0.9, "a thing reaches into its patches"
    assert (share[~there] < 0.3).all(), "and fills no other"
    assert set(np.unique(labels.things[-1])) == {world.THINGS.index("dog"), world.THINGS.index("cat"), NOTHING}
    x, y, size, angle, _ = staging.pose(0, 0, times[0]).T
    at = int(np.flatnonzero(there[0, 0])[0])
    across, down, log_size, sine, cosine = labels.poses[0, 0, at]
    assert across / (16 / 9) + (at % 4 + 0.5) / 4 == pytest.approx(x[0], abs=1e-5)
    assert down + (at // 4 + 0.5) / 4 == pytest.approx(y[0], abs=1e-5)
    assert (np.exp(log_size), sine, cosine) == pytest.approx((size[0], np.sin(angle[0]), np.cos(angle[0])), abs=1e-5)
    assert not labels.poses[~there].any()
    assert (unknown(2, 3, 16).things == UNKNOWN).all()


def test_film_changes_clips_within_limits_and_repeats() -> None:
    shown = [one(thing, world.BACKGROUNDS[at % 10], "circle") for at, thing in enumerate(world.THINGS[:24])]
    clips = painting.render(shown, frames=4, size=36, rng=rng(1))
    assert clips.shape == (24, 4, 36, 36, 3)
    assert clips.dtype == np.uint8
    np.testing.assert_array_equal(clips, painting.render(shown, frames=4, size=36, rng=rng(1)))
    look = film.look(2000, rng(2))
    plain = (look.texture == 0) & (look.grain == 0) & ~look.blur & (look.flicker == 0) & (look.vignette == 0)
    assert 0.3 < plain.mean() < 0.55
    for effect in (look.texture, look.grain, look.blur, look.flicker, look.vignette, look.shadow.any(1)):
        assert 0.05 < np.mean(effect != 0) < 0.6
    assert 20 < clips.mean() < 235


def test_blurred_things_are_smeared_and_shadows_are_dark() -> None:
    staging = stage([one("dog", "white", "right")], rng())
    times = np.linspace(0, 0.9, 4)[None]
    clean = painting.paint(staging, times, 48, 48)
    look = film.plain(1)
    blurred = painting.paint(staging, times, 48, 48, dataclasses.replace(look, blur=np.array([True])))
    sharpness = [picture.diff(dim=-1).abs().amax(-1).mean() for picture in (clean, blurred)]
    assert sharpness[1] < 0.9 * sharpness[0]
    shaded = painting.paint(staging, times, 48, 48, dataclasses.replace(look, shadow=np.array([[3, 3]])))
    assert 0.001 < (clean - shaded).mean() < 0.05
    assert (shaded <= clean + 1e-6).all()


def test_a_scene_of_another_world_is_refused() -> None:
    for strange in (
        lambda: one("dragon", "red", "left"),
        lambda: one("dog", "red", "explode"),
        lambda: one("dog", "red", "left", camera="pan left"),  # nothing tells it from the dog's own motion
        lambda: two("left of", "dog", "dog", "red"),
        lambda: two("eats", "dog", "cat", "red"),
        lambda: Scene((Actor("dog", ()),), "red"),
        lambda: Scene((Actor("dog", ("left",)),), "red", "above"),
    ):
        with pytest.raises(ValueError, match="not of this world"):
            strange()


def test_a_take_is_a_plain_scene() -> None:
    take = world.Take("dog", "red", "spin")
    assert scenes.scene_of(take).take == take
    assert one("dog", "brick wall", "spin", camera="zoom in").take is None
    assert one("dog", "red", "circle").take is None
    assert one("dog", "red", "spin", "left").take is None
    assert two("then", "dog", "cat", "red").take is None
    assert all(scenes.is_held_out(scenes.scene_of(take)) for take in captions.held_out())


def test_sentences_hold_where_they_should() -> None:
    chase = two("chase", "dog", "cat", "red", "left")
    assert holds(Meaning(Said("dog"), "chase", Said("cat")), chase)
    assert not holds(Meaning(Said("cat"), "chase", Said("dog")), chase)
    assert holds(Meaning(Said("dog"), "right of", Said("cat")), chase)
    assert holds(Meaning(Said("cat", ("left",)), "left of", Said("dog")), chase)
    assert not holds(Meaning(Said("dog", ("right",)), "chase", Said("cat")), chase)
    assert holds(Meaning(Said(None), "chase", Said("cat")), chase)
    assert holds(Meaning(Said("cat"), "", Said("dog")), chase)
    assert not holds(Meaning(Said("cat"), "", Said("bus")), chase)
    assert not holds(Meaning(Said("dog"), background="blue"), chase)
    turned = one("dog", "brick wall", "left", "spin", camera="pan left")
    assert holds(Meaning(Said("dog", ("spin",))), turned)
    assert holds(Meaning(Said("dog", ("left", "spin")), camera="pan left"), turned)
    assert not holds(Meaning(Said("dog", ("spin", "left"))), turned)
    assert not holds(Meaning(Said("dog", ("spin",)), camera="zoom in"), turned)
    assert not holds(Meaning(Said("dog"), "above", Said("cat")), turned)
    stacked = two("above", "dog", "cat", "red")
    assert holds(Meaning(Said("cat"), "below", Said("dog")), stacked)
    assert not holds(Meaning(Said("cat"), "above", Said("dog")), stacked)


def drawn(count: int, *, still: bool = False, seed: int = 0) -> list[Scene]:
    source = sampler.drawn_scenes(rng(seed), still=still, size=count)
    return [scene for scene, _ in zip(source, range(count), strict=False)]


@pytest.mark.parametrize("still", [False, True])
def test_nothing_held_out_is_drawn_or_said(still: bool) -> None:
    chance = rng(4)
    for scene in drawn(2500, still=still):
        assert not scenes.is_held_out(scene)
        assert scene.take not in captions.held_out()
        things = [actor.thing for actor in scene.actors]
        assert all(scenes.whole_background(thing) != scene.background for thing in things)
        for actor in scene.actors:
            for act in set(actor.acts) & set(scenes.NEW_MOTIONS):
                assert actor.thing not in scenes.held_out_things(act)
        if scene.relation in ("chase", "hide", "emerge"):
            assert things[0] not in scenes.held_out_things(scene.relation)
        meaning = sentences.random_meaning(scene, chance, still=still)
        assert holds(meaning, scene)
        text = sentences.sentence(meaning, chance)
        for key, (_, verb) in words.NEW_VERBS.items():
            if key not in scenes.NEW_MOTIONS and (f"{verb.says} " in f"{text} " or f"{verb.saying} " in f"{text} "):
                assert scene.actors[0].thing not in scenes.held_out_things(key), text
                assert "something" not in text, "of any thing, it would be said of those it is held out from"


def test_every_new_verb_is_trained_on_and_held_out_from_a_fifth_of_the_things() -> None:
    keys = [*words.NEW_VERBS, "chase", "hide", "emerge"]
    sets = [scenes.held_out_things(key) for key in keys]
    assert {len(held) for held in sets} == {16}
    assert len(set(sets)) == len(keys)
    chance = rng(5)
    said = {sentences.sentence(sentences.random_meaning(scene, chance), chance) for scene in drawn(5000, seed=1)}
    text = f" {' . '.join(said)} "
    for motion, verbs in words.MOTION_VERBS.items():
        for verb in verbs:
            assert f" {verb.says} " in text, (motion, verb)
            assert f" {verb.saying} " in text, (motion, verb)
    for verbs in words.UNSEEN_VERBS.values():
        for verb in verbs:
            assert f" {verb.says} " not in text
            assert f" {verb.saying} " not in text
    for forms in (words.CHASING, words.HIDING, words.EMERGING):
        assert all(f" {form} " in text for pair in forms for form in pair)


def test_all_kinds_of_scenes_are_drawn() -> None:
    shown = drawn(1500, seed=2)
    assert {scene.relation for scene in shown} == {"", *scenes.RELATIONS}
    assert {scene.camera for scene in shown} == set(scenes.CAMERAS)
    assert {act for scene in shown for actor in scene.actors for act in actor.acts} == set(scenes.MOTIONS)
    assert {scene.background for scene in shown} == set(world.BACKGROUNDS)
    assert {scene.actors[0].thing for scene in shown} == set(world.THINGS)
    held = np.mean([scenes.is_held_out(scene) for scene in map(scenes.scene_of, captions.held_out())])
    assert held == 1


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    source = sampler.SceneBatches(7, 16, 4, 36)
    batch, again = source.draw(5), sampler.SceneBatches(7, 16, 4, 36).draw(5)
    np.testing.assert_array_equal(batch.clips, again.clips)
    assert batch.sentences == again.sentences
    assert batch.clips.shape == (16, 4, 36, 36, 3)
    assert len(batch.sentences) == 32
    assert source.draw(6).sentences != batch.sentences
    assert sampler.SceneBatches(8, 16, 4, 36).draw(5).sentences != batch.sentences
    own = np.concatenate([np.eye(16, dtype=bool)] * 2, axis=1)
    assert batch.positives[own].all(), "each sentence holds for the clip that it was made for"
    assert batch.labels.shape == (16, len(sampler.LABELS))
    assert (batch.labels < np.array(list(sampler.LABELS.values()))).all()
    assert batch.told.shape == (32, len(sampler.LABELS))
    assert batch.moves[np.eye(16, dtype=bool)].all()
    assert batch.places.things.shape == (16, 4, 16)
    named = batch.places.things[:, 0]
    alone = [at for at, scene in enumerate(batch.labels) if scene[1] == len(world.THINGS)]
    assert {*np.unique(named[alone][named[alone] < NOTHING])} <= {UNKNOWN, *batch.labels[alone, 0]}


def test_positives_are_what_holds() -> None:
    shown, chance = drawn(48, seed=3), rng(6)
    meanings = [sentences.random_meaning(scene, chance) for scene in shown]
    expected = [[holds(meaning, scene) for meaning in meanings] for scene in shown]
    np.testing.assert_array_equal(sampler.positives(meanings, shown), expected)


def test_canonical_sentences_tell_scenes_apart() -> None:
    shown = set(drawn(1500, seed=4))
    plain = {sentences.canonical(meaning_of(scene)): meaning_of(scene) for scene in shown}
    assert len(plain) == len({meaning_of(scene) for scene in shown})
    assert sentences.canonical(meaning_of(scenes.scene_of(world.Take("dog", "red", "spin")))) == captions.describe(
        world.Take("dog", "red", "spin")
    )


def test_the_vocabulary_of_the_grown_world_is_made_alike_each_time_and_spells_it() -> None:
    model = make_vocabulary.make(2500, 512)
    assert model == make_vocabulary.make(2500, 512)
    spelling = sentencepiece.SentencePieceProcessor()
    spelling.LoadFromSerializedProto(model)
    assert (spelling.pad_id(), spelling.eos_id(), spelling.unk_id(), spelling.bos_id()) == (0, 1, 2, -1)
    plain = [canonical(sentences.canonical(meaning_of(scene))) for scene in drawn(500, seed=5)]
    assert min(map(min, spelling.EncodeAsIds(plain))) > 258, "a canonical caption is spelt in bytes"
    assert np.mean([len(ids) > DEMO.text_tokens for ids in spelling.EncodeAsIds(plain)]) < 0.01
