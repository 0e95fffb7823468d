"""Sentences about scenes: what they mean, of which scenes that is true, and how it is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from demo import words
from demo.captions import PLACES
from demo.scenes import Actor, Scene, relations_of
from demo.things import THINGS
from demo.words import Verb

_OPENINGS = ("", "", "", "a video of ", "a clip of ", "a shot of ", "we see ", "here is ")
_CHASED = ("is chased by", "is followed by")


@dataclass(frozen=True)
class Said:
    """What a sentence says of one thing: its name (None for "something"), and its motions; () if none are said."""

    thing: str | None
    acts: tuple[str, ...] = ()

    def true_of(self, actor: Actor) -> bool:
        """Return whether it is true of an actor: one motion is, if it is one of the actor's; two are its motions."""
        if self.thing is not None and self.thing != actor.thing:
            return False
        return self.acts == actor.acts or (len(self.acts) < 2 and set(self.acts) <= set(actor.acts))


@dataclass(frozen=True)
class Meaning:
    """What a sentence says of a scene; what it does not mention is None or "".

    Attributes:
        subject: What it says of one thing.
        relation: A relation of `scenes.relations_of` between the subject and `other`; "" with an `other`: both are
            there.
        other: What it says of the other thing.
        background: Where.
        camera: How the camera moves.
    """

    subject: Said
    relation: str = ""
    other: Said | None = None
    background: str | None = None
    camera: str | None = None


def holds(meaning: Meaning, scene: Scene) -> bool:
    """Return whether a sentence of this meaning is true of a scene: for training and for judging alike."""
    if meaning.background not in (None, scene.background) or meaning.camera not in (None, scene.camera):
        return False
    if meaning.other is None:
        return any(meaning.subject.true_of(actor) for actor in scene.actors)
    related = relations_of(scene)
    return any(
        meaning.subject.true_of(scene.actors[one])
        and meaning.other.true_of(scene.actors[two])
        and (not meaning.relation or (meaning.relation, one, two) in related)
        for one, two in ((0, 1), (1, 0))
        if len(scene.actors) > 1
    )


def meaning_of(scene: Scene) -> Meaning:
    """Return all that can be said of a scene. (Of two things at rest, or behind each other, motions go unsaid.)"""
    first = scene.actors[0]
    camera = None if scene.camera == "fixed" else scene.camera
    if not scene.relation:
        return Meaning(Said(first.thing, first.acts), background=scene.background, camera=camera)
    acts = first.acts if scene.relation == "chase" else ()
    return Meaning(Said(first.thing, acts), scene.relation, Said(scene.actors[1].thing), scene.background, camera)


def random_meaning(scene: Scene, rng: np.random.Generator, *, still: bool = False) -> Meaning:
    """Return a part of what can be said of a scene; all of it in two of five cases.

    Args:
        scene: The scene.
        rng: The source of all randomness.
        still: Whether it is to be said of a single picture, which neither moves nor is moved.
    """
    meaning = meaning_of(scene)
    if meaning.relation in ("left of", "above") and rng.random() < 0.5:  # the same, seen from the other thing
        turned = {"left of": "right of", "above": "below"}[meaning.relation]
        assert meaning.other is not None
        meaning = replace(meaning, subject=meaning.other, relation=turned, other=meaning.subject)
    if still:
        meaning = replace(meaning, subject=replace(meaning.subject, acts=()), camera=None)
        if rng.random() < 0.3:
            meaning = replace(meaning, background=None)
        return meaning
    if rng.random() < 0.4:
        return meaning
    if rng.random() < 0.5:
        meaning = replace(meaning, background=None)
    if rng.random() < 0.3:
        meaning = replace(meaning, camera=None)
    if rng.random() < 0.12 and (meaning.subject.acts or meaning.relation):
        meaning = replace(meaning, subject=replace(meaning.subject, thing=None))
    elif rng.random() < 0.12 and not meaning.relation:
        meaning = replace(meaning, subject=replace(meaning.subject, acts=()))
    elif rng.random() < 0.12 and meaning.relation not in ("", "then"):
        meaning = replace(meaning, relation="", subject=replace(meaning.subject, acts=()))
    elif rng.random() < 0.3 and meaning.relation == "chase":
        meaning = replace(meaning, subject=replace(meaning.subject, acts=()))
    return meaning


Option = TypeVar("Option")
Pick = Callable[[str, str | None], Verb]
"""From a motion and the thing it is said of, the verb to use."""


def sentence(meaning: Meaning, rng: np.random.Generator, *, pick: Pick | None = None) -> str:
    """Return a random sentence of a meaning, in words that training may use.

    Args:
        meaning: What to say.
        rng: The source of all randomness.
        pick: Decides the verbs of motions; by default a random one that training may say of that thing. Of
            "something" no new word for an old motion is said, as it might be any thing.
    """

    def verb(motion: str, thing: str | None) -> Verb:
        old = motion not in words.NEW_VERBS
        able = [v for v in words.MOTION_VERBS[motion] if not old or not v.key or (thing and v.allowed(thing))]
        return able[rng.integers(len(able))]

    return _Speaker(lambda count: int(rng.integers(count)), pick or verb).say(meaning)


def canonical(meaning: Meaning, *, pick: Pick | None = None) -> str:
    """Return the one plain sentence of a meaning: the first form of everything."""
    return _Speaker(lambda count: 0, pick or (lambda motion, _: words.MOTION_VERBS[motion][0])).say(meaning)


class _Speaker:
    """Says meanings; `choose` chooses among numbers of ways to say the same, of which 0 is the plainest."""

    def __init__(self, choose: Callable[[int], int], verb: Pick) -> None:
        self.choose, self.verb = choose, verb

    def one(self, options: Sequence[Option]) -> Option:
        return options[self.choose(len(options))]

    def say(self, meaning: Meaning) -> str:
        text = self._core(meaning)
        if meaning.background is not None:
            place = self.one(PLACES[meaning.background])
            text = self.one((f"{text} {place}", f"{text} {place}", f"{place}, {text}"))
        if meaning.camera is not None:
            verb = self.one(words.CAMERA_VERBS[meaning.camera])
            text = self.one(
                (f"{text}, the camera {verb.says}", f"{text} while the camera {verb.says}",
                 f"the camera {verb.says}, {text}", f"{text}, camera {verb.saying}")
            )  # fmt: skip
        return text

    def _thing(self, name: str | None) -> str:
        if name is None:
            return "something"
        noun = self.one(THINGS[name][1])
        article = "an" if noun[0] in "aeiou" else "a"
        return self.one((f"{article} {noun}", f"{article} {noun}", f"the {noun}", noun))

    def _core(self, meaning: Meaning) -> str:
        thing, acts = self._thing(meaning.subject.thing), meaning.subject.acts
        if meaning.other is not None:
            return self._pair(meaning, thing, self._thing(meaning.other.thing))
        opening = self.one(_OPENINGS)
        if not acts:
            return self.one((f"{opening}{thing}", f"there is {thing}", f"{opening}{thing}"))
        first = self.verb(acts[0], meaning.subject.thing)
        if len(acts) == 1:
            return self.one(
                (f"{thing} {first.says}", f"{opening}{thing} {first.saying}", f"{thing} is {first.saying}",
                 f"{first.saying} {thing}" if meaning.subject.thing else f"{thing} {first.says}")
            )  # fmt: skip
        second = self.verb(acts[1], meaning.subject.thing)
        return self.one(
            (
                f"{thing} {first.says}, then {second.says}",
                f"{thing} {first.says} and then {second.says}",
                f"first {thing} {first.says}, then it {second.says}",
                f"{opening}{thing} {first.saying}, then {second.saying}",
                f"{thing} {second.says} after {first.saying}",
                f"after {first.saying}, {thing} {second.says}",
            )
        )

    def _pair(self, meaning: Meaning, a: str, b: str) -> str:
        relation = meaning.relation
        if relation in ("chase", "hide", "emerge"):
            forms = {"chase": words.CHASING, "hide": words.HIDING, "emerge": words.EMERGING}[relation]
            says, saying = self.one(forms)
            where = ""
            if relation == "chase" and meaning.subject.acts:
                where = " " + self.one((f"to the {meaning.subject.acts[0]}", f"toward the {meaning.subject.acts[0]}"))
            ways = [f"{a} {says} {b}{where}", f"{a} {saying} {b}{where}", f"{a} is {saying} {b}{where}"]
            if relation == "chase":
                ways.append(f"{b} {self.one(_CHASED)} {a}{where}")
            return self.one(ways)
        if relation == "then":
            return self.one((f"{a}, then {b}", f"first {a}, then {b}", f"{a} and then {b}", f"{b} after {a}"))
        if relation in ("left of", "right of"):
            side = relation.split()[0]
            other = "right" if side == "left" else "left"
            return self.one(
                (f"{a} to the {side} of {b}", f"{a} {side} of {b}", f"{a} is on the {side} of {b}",
                 f"on the {side} {a}, on the {other} {b}", f"{a} on the {side} and {b} on the {other}")
            )  # fmt: skip
        if relation in ("above", "below"):
            over = {"above": ("above", "over"), "below": ("below", "under")}[relation]
            return self.one((f"{a} {over[0]} {b}", f"{a} {over[1]} {b}", f"{a} is {over[0]} {b}"))
        return self.one((f"{a} and {b}", f"{a} with {b}", f"{a} and {b} together"))
