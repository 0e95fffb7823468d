"""Training batches of the grown world: batch n depends on the seed and n alone, and shows nothing that is held out.

Half of a batch are families, scenes of the same things on the same background that differ in one respect: the motion,
the order of two motions, who is what to whom, the camera. So nothing but that respect can tell them apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo import captions, painting, scenes, world
from demo.augment import augment
from demo.scenes import Scene, is_held_out, one, two
from demo.sentences import Meaning, holds, random_meaning, sentence
from demo.whereabouts import Whereabouts, unknown, whereabouts

TODAY = 0.1
"""Share of the clips of takes that are drawn by today's world; its painter is slower than the grown one's."""
_PLAIN_CAMERA_MOTIONS = ("still", "still", "spin", "left", "right", "rise", "fall")
_STILL_FORMS = ((True, True, False), (True, False, False))
_FORMS = (*((True, True, True),) * 9, (True, False, False), (True, True, False), (True, False, True))

LABELS: dict[str, int] = {
    "first": len(world.THINGS), "second": len(world.THINGS) + 1, "background": len(world.BACKGROUNDS),
    "act": len(scenes.MOTIONS), "next act": len(scenes.MOTIONS) + 1, "relation": len(scenes.RELATIONS) + 1,
    "camera": len(scenes.CAMERAS),
}  # fmt: skip
"""What can be told of a scene, and the number of its values."""
OF_CLIPS = frozenset({"act", "next act", "camera"})
"""What a single picture cannot show."""


@dataclass(frozen=True)
class SceneBatch:
    """Clips and sentences, of which more than one may be true of a clip.

    Attributes:
        clips: uint8 (B, T, S, S, 3).
        sentences: Two for each clip, 2 B: sentence j was made for clip j % B.
        positives: bool (B, 2 B), true where sentence j holds for clip i.
        labels: int64 (B, 7), the values of `LABELS` of each clip.
        told: bool (2 B, 7), which of them sentence j says of the clip that it was made for.
        moves: bool (B, B), whether two clips move alike.
        places: What is on each patch; unknown of clips that today's world drew.
        number: The number of the batch.
    """

    clips: NDArray[np.uint8]
    sentences: tuple[str, ...]
    positives: NDArray[np.bool_]
    labels: NDArray[np.int64]
    told: NDArray[np.bool_]
    moves: NDArray[np.bool_]
    places: Whereabouts
    number: int


class SceneBatches:
    """A source of batches (`training.batches.BatchSource`).

    Args:
        seed: Of all batches.
        size: B, the clips of a batch; a multiple of 16.
        frames: T; 1 for single pictures, with sentences that leave out what a picture cannot show.
        side: S in pixels.
        grid: Patches in a row and in a column of a picture.
    """

    def __init__(self, seed: int, size: int, frames: int, side: int, grid: int = 4) -> None:
        self.seed, self.size, self.frames, self.side, self.grid = seed, size, frames, side, grid

    def draw(self, number: int) -> SceneBatch:
        """Return batch `number`."""
        rng = np.random.default_rng((self.seed, number, self.frames))
        shown = list(itertools.islice(drawn_scenes(rng, still=self.frames == 1, size=self.size), self.size))
        as_today = np.array([scene.take is not None for scene in shown]) & (rng.random(self.size) < TODAY)
        clips = np.empty((self.size, self.frames, self.side, self.side, 3), np.uint8)
        places = unknown(self.size, self.frames, self.grid**2)
        if as_today.any():
            clips[as_today] = self._today([shown[at] for at in np.flatnonzero(as_today)], rng)
        if not as_today.all():
            rest = [shown[at] for at in np.flatnonzero(~as_today)]
            staging, times = painting.staged(rest, self.frames, rng)
            clips[~as_today] = painting.filmed(staging, times, self.side, rng)
            known = whereabouts(staging, times, self.grid)
            places.things[~as_today], places.poses[~as_today] = known.things, known.poses
        still = self.frames == 1
        said = [_say(scene, rng, still) for _ in range(2) for scene in shown]
        return SceneBatch(
            clips,
            tuple(text for text, _ in said),
            positives([meaning for _, meaning in said], shown),
            np.array([labels(scene) for scene in shown]),
            np.array([_told(meaning) for _, meaning in said]),
            _alike(shown),
            places,
            number,
        )

    def _today(self, shown: Sequence[Scene], rng: np.random.Generator) -> NDArray[np.uint8]:
        aspect = float(rng.choice(painting.ASPECTS, p=painting.ASPECT_SHARES))
        takes = [scene.take for scene in shown]
        side = self.side
        clips = world.render(takes, frames=self.frames, height=side, width=side, rng=rng, aspect=aspect)  # type: ignore[arg-type]
        return augment(clips, side, rng)


def positives(meanings: Sequence[Meaning], shown: Sequence[Scene]) -> NDArray[np.bool_]:
    """Return bool (scenes, meanings): which meaning holds for which scene (`sentences.holds`)."""
    table = np.zeros((len(shown), len(meanings)), bool)
    by_thing: dict[str | None, list[int]] = {None: list(range(len(shown)))}
    for at, scene in enumerate(shown):
        for actor in scene.actors:
            by_thing.setdefault(actor.thing, []).append(at)
    for column, meaning in enumerate(meanings):
        for row in by_thing.get(meaning.subject.thing, ()):  # no other scene has the thing
            table[row, column] = holds(meaning, shown[row])
    return table


def labels(scene: Scene) -> tuple[int, ...]:
    """Return the values of `LABELS` of a scene; the last value of a list stands for none."""
    first, acts = scene.actors[0], scene.actors[0].acts
    return (
        world.THINGS.index(first.thing),
        world.THINGS.index(scene.actors[1].thing) if scene.relation else len(world.THINGS),
        world.BACKGROUNDS.index(scene.background),
        scenes.MOTIONS.index(acts[0]),
        scenes.MOTIONS.index(acts[1]) if len(acts) > 1 else len(scenes.MOTIONS),
        scenes.RELATIONS.index(scene.relation) if scene.relation else len(scenes.RELATIONS),
        scenes.CAMERAS.index(scene.camera),
    )


def _told(meaning: Meaning) -> tuple[bool, ...]:
    ordered = meaning.relation in scenes.RELATIONS  # "right of" and "below" name the second thing first
    alone = meaning.other is None
    acts = meaning.subject.acts
    named = meaning.subject.thing is not None
    return (
        named and (alone or ordered), (alone and bool(acts)) or (ordered and meaning.other is not None),
        meaning.background is not None, bool(acts), bool(acts), (alone and bool(acts)) or ordered,
        meaning.camera is not None,
    )  # fmt: skip


def _alike(shown: Sequence[Scene]) -> NDArray[np.bool_]:
    keys = [(tuple(actor.acts for actor in scene.actors), scene.relation, scene.camera) for scene in shown]
    numbers = np.array([sorted(set(keys)).index(key) for key in keys])
    return np.asarray(numbers[:, None] == numbers[None])


def _say(scene: Scene, rng: np.random.Generator, still: bool) -> tuple[str, Meaning]:
    take = scene.take
    if take is not None and rng.random() < 0.5:  # in the words of today's captions
        forms = _STILL_FORMS if still else _FORMS
        thing, background, motion = forms[rng.integers(len(forms))]
        meaning = random_meaning(scene, rng, still=True)
        subject = type(meaning.subject)(take.thing, (take.motion,) if motion else ())
        return captions.caption(take, rng, (thing, background, motion)), Meaning(
            subject, background=take.background if background else None
        )
    meaning = random_meaning(scene, rng, still=still)
    return sentence(meaning, rng), meaning


def drawn_scenes(rng: np.random.Generator, *, still: bool, size: int) -> Iterator[Scene]:
    """Yield scenes of a batch that are not held out: families first, then scenes that have nothing in common.

    Args:
        rng: The source of all randomness.
        still: Whether single pictures are to be drawn of them: then things are at rest, alone or beside each other.
        size: How many scenes the batch has.
    """
    makers = (_beside,) if still else (_motions, _orders, _roles, _motions, _cameras, _roles, _motions, _orders)
    count = 0
    for number in itertools.count():
        if count >= (size // 4 if still else size // 2):
            break
        family = [scene for scene in makers[number % len(makers)](rng) if not is_held_out(scene)]
        count += len(family)
        yield from family
    while True:
        thing, background = _one(world.THINGS, rng), _one(world.BACKGROUNDS, rng)
        if still:
            scene = one(thing, background, "still")
        elif (kind := rng.random()) < 0.55:
            scene = one(thing, background, _one(scenes.MOTIONS, rng))
        elif kind < 0.7:
            scene = one(thing, background, *_acts(rng))
        elif kind < 0.9:
            other = _one([name for name in world.THINGS if name != thing], rng)
            scene = two(_one(scenes.RELATIONS, rng), thing, other, background, _one(("left", "right"), rng))
        else:
            acts = _one(_PLAIN_CAMERA_MOTIONS, rng)
            scene = one(thing, _one(scenes.PATTERNED, rng), acts, camera=_one(scenes.CAMERAS[1:], rng))
        if not is_held_out(scene):
            yield scene


def _motions(rng: np.random.Generator) -> list[Scene]:
    """One thing in eight motions, as far as they are not held out."""
    thing, background = _one(world.THINGS, rng), _one(world.BACKGROUNDS, rng)
    return [one(thing, background, str(motion)) for motion in rng.permutation(scenes.MOTIONS)[:8]]


def _orders(rng: np.random.Generator) -> list[Scene]:
    """Two motions in both orders, and each with a third one."""
    thing, background = _one(world.THINGS, rng), _one(world.BACKGROUNDS, rng)
    first, second = _acts(rng)
    third = _one([act for act in world.MOTIONS if act not in (first, second, "still")], rng)
    every = [(first, second), (second, first), (first, third), (third, second)]
    return [one(thing, background, *acts) for acts in every if _possible(acts)]


def _roles(rng: np.random.Generator) -> list[Scene]:
    """Two things in two relations, each with both in either role."""
    a, b = (str(name) for name in rng.choice(world.THINGS, 2, replace=False))
    background = _one(world.BACKGROUNDS, rng)
    some = rng.permutation(scenes.RELATIONS)[:2]
    ways = (_one(("left", "right"), rng), _one(("left", "right"), rng))
    return [
        two(str(relation), *pair, background, direction)
        for relation in some
        for pair, direction in zip(((a, b), (b, a)), ways, strict=True)
    ]


def _cameras(rng: np.random.Generator) -> list[Scene]:
    thing, background = _one(world.THINGS, rng), _one(scenes.PATTERNED, rng)
    motion = _one(_PLAIN_CAMERA_MOTIONS, rng)
    return [one(thing, background, motion, camera=str(camera)) for camera in rng.permutation(scenes.CAMERAS)[:4]]


def _beside(rng: np.random.Generator) -> list[Scene]:
    a, b = (str(name) for name in rng.choice(world.THINGS, 2, replace=False))
    background = _one(world.BACKGROUNDS, rng)
    return [two(relation, *pair, background) for relation in ("left of", "above") for pair in ((a, b), (b, a))]


def _acts(rng: np.random.Generator) -> tuple[str, str]:
    while True:
        acts = (_one(scenes.FIRST_ACTS, rng), _one(scenes.SECOND_ACTS, rng))
        if _possible(acts):
            return acts


def _possible(acts: tuple[str, str]) -> bool:
    return acts[0] != acts[1] and acts[0] in scenes.FIRST_ACTS and acts[1] in scenes.SECOND_ACTS


def _one(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
