"""The grown world: scenes of one or two things, in one motion or one after the other, with relations and a camera.

A `world.Take` is the plain case of a scene (`scene_of`), and stays as it was: its drawing, captions and gallery are
those of `world`, `captions` and `evaluate`. What training never shows is decided by `is_held_out` alone.
"""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass

from demo import captions, world
from demo.world import BACKGROUNDS, THINGS, Take

NEW_MOTIONS: tuple[str, ...] = ("zigzag", "bounce", "circle", "appear", "disappear")
MOTIONS: tuple[str, ...] = world.MOTIONS + NEW_MOTIONS
FIRST_ACTS: tuple[str, ...] = ("left", "right", "rise", "fall", "grow", "shrink", "spin", "appear")
"""Motions short enough for half a shot. Nothing appears later than it acts, or acts after it is gone."""
SECOND_ACTS: tuple[str, ...] = ("left", "right", "rise", "fall", "grow", "shrink", "spin", "disappear")

RELATIONS: tuple[str, ...] = ("left of", "above", "chase", "hide", "emerge", "then")
"""What the first thing of a scene is to the second. Who chases is behind; "hide" and "emerge" are behind the other
thing; "then" is the first thing, and the second in its place later."""
CAMERAS: tuple[str, ...] = ("fixed", "pan left", "pan right", "tilt up", "tilt down", "zoom in", "zoom out")
PATTERNED: tuple[str, ...] = ("starry night", "brick wall", "ocean waves", "checkerboard")
"""Backgrounds on which a camera's motion can be told from the thing's."""

HELD_FROM = 16
"""Of the 80 things, those that no new verb is shown or said with in training; others for each verb."""
_ONE_IN = 8  # of pairs of things, of two acts, and of a thing with a camera, held out


@dataclass(frozen=True, order=True)
class Actor:
    """A thing and its motions, in order."""

    thing: str
    acts: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Scene:
    """The content of one shot.

    Attributes:
        actors: One or two.
        background: One of `world.BACKGROUNDS`.
        relation: What the first actor is to the second, one of `RELATIONS`; "" for one actor.
        camera: One of `CAMERAS`.
    """

    actors: tuple[Actor, ...]
    background: str
    relation: str = ""
    camera: str = "fixed"

    def __post_init__(self) -> None:
        named = all(a.thing in THINGS and 1 <= len(a.acts) <= 2 and set(a.acts) <= set(MOTIONS) for a in self.actors)
        paired = len(self.actors) == 2 and self.relation in RELATIONS and self.actors[0].thing != self.actors[1].thing
        alone = len(self.actors) == 1 and not self.relation
        filmed = self.camera in CAMERAS and (self.camera == "fixed" or self.background in PATTERNED)
        if not (named and (paired or alone) and filmed and self.background in BACKGROUNDS):
            raise ValueError(f"not of this world: {self}")

    @property
    def take(self) -> Take | None:
        """The take that this scene is, if today's world has it."""
        if len(self.actors) > 1 or self.camera != "fixed" or self.actors[0].acts[0] not in world.MOTIONS:
            return None
        (actor,) = self.actors
        return Take(actor.thing, self.background, actor.acts[0]) if len(actor.acts) == 1 else None


def scene_of(take: Take) -> Scene:
    """Return the plain scene of a take."""
    return one(take.thing, take.background, take.motion)


def one(thing: str, background: str, *acts: str, camera: str = "fixed") -> Scene:
    """Return a scene of one thing."""
    return Scene((Actor(thing, acts),), background, camera=camera)


def two(relation: str, first: str, second: str, background: str, direction: str = "right") -> Scene:
    """Return a scene of two things.

    Args:
        relation: What the first is to the second, one of `RELATIONS`.
        first, second: The things.
        background: Where.
        direction: "left" or "right", where things move: both in a chase, the first in "hide" and "emerge".
    """
    acts = {
        "chase": (direction, direction), "hide": (direction, "still"), "emerge": (direction, "still"),
        "then": ("disappear", "appear"),
    }.get(relation, ("still", "still"))  # fmt: skip
    return Scene((Actor(first, (acts[0],)), Actor(second, (acts[1],))), background, relation)


def relations_of(scene: Scene) -> frozenset[tuple[str, int, int]]:
    """Return every relation that holds in a scene from beginning to end, as (relation, subject, object).

    Besides those of `RELATIONS` there are "right of" and "below"; numbers are positions among the actors.
    """
    if not scene.relation:
        return frozenset()
    found = {(scene.relation, 0, 1)}
    if scene.relation == "chase":
        found.add(("left of", 0, 1) if scene.actors[0].acts == ("right",) else ("left of", 1, 0))
    found |= {("right of", b, a) for name, a, b in found if name == "left of"}
    found |= {("below", b, a) for name, a, b in found if name == "above"}
    return frozenset(found)


@functools.cache
def held_out_things(verb: str) -> frozenset[str]:
    """Return the things that a new verb is never shown or said with in training.

    Args:
        verb: A new motion, "chase", "hide", "emerge", or a new word for an old motion.
    """
    return frozenset(sorted(THINGS, key=lambda thing: (zlib.crc32(f"{verb}|{thing}".encode()), thing))[:HELD_FROM])


@functools.cache
def whole_background(thing: str) -> str:
    """Return the background before which training never shows a thing."""
    held = captions.held_out()
    return next(b for b in BACKGROUNDS if all(Take(thing, b, motion) in held for motion in world.MOTIONS))


def is_held_out(scene: Scene) -> bool:
    """Return whether training never shows a scene.

    Held out are: today's held-out takes; every scene with a thing before its background of `whole_background`; new
    motions, chasing, hiding and emerging of 16 things each; and one in eight of the pairs of things, of (thing, first
    act, second act) and of (thing, background, camera).
    """
    if scene.take in captions.held_out():
        return True
    for actor in scene.actors:
        if whole_background(actor.thing) == scene.background:
            return True
        if any(act in NEW_MOTIONS and actor.thing in held_out_things(act) for act in actor.acts):
            return True
        if len(actor.acts) > 1 and _struck(actor.thing, *actor.acts):
            return True
    first = scene.actors[0].thing
    if scene.relation in ("chase", "hide", "emerge") and first in held_out_things(scene.relation):
        return True
    if scene.camera != "fixed" and _struck(first, scene.background, scene.camera):
        return True
    return len(scene.actors) > 1 and pair_held_out(first, scene.actors[1].thing)


@functools.cache
def pair_held_out(first: str, second: str) -> bool:
    """Return whether training never shows two things in one picture, in either order."""
    return _struck(*sorted((first, second)))


@functools.cache
def _struck(*words: str) -> bool:
    return zlib.crc32("|".join(words).encode()) % _ONE_IN == 0
