"""Questions about libraries of demo takes, with what answers them: for measuring search, never for fitting it.

A `World` is a library's content: the takes of its shots, and which things, motions and backgrounds it lacks entirely.
Every set is drawn from a generator that the caller seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from demo import captions, world
from demo.other_worlds import plain_questions
from demo.things import THINGS
from demo.world import Take

ABSENT_THINGS = 10
Shown = TypeVar("Shown")  # what a shot shows: a take, or a scene of the grown world


@dataclass(frozen=True)
class World(Generic[Shown]):
    """The content of a library: a take (or a scene) for each shot, and what none of them shows."""

    takes: tuple[Shown, ...]
    absent_things: frozenset[str]
    absent_motions: frozenset[str]
    absent_backgrounds: frozenset[str]


@dataclass(frozen=True)
class Question(Generic[Shown]):
    """Words, and whether a shot of the library answers them.

    Attributes:
        text: The words.
        kind: What is mentioned (if present), or what is missing (if absent).
        present: Whether a shot answers it.
        group: Questions of one group share what decides the answer, so they are drawn together in a bootstrap.
        answered_by: True for takes that answer the question.
    """

    text: str
    kind: str
    present: bool
    group: str
    answered_by: Callable[[Shown], bool]


def make_world(seed: int, shots: int | None = None) -> World[Take]:
    """Return held-out takes without ten things, one motion and one background.

    Motions and backgrounds are left out in turn, so that eight seeds leave each motion out once.

    Args:
        seed: Decides what is left out, and the order of takes.
        shots: Number of takes, each as often as the others (within one). None means each of those that are left once.
    """
    rng = np.random.default_rng((seed, 1401))
    things = frozenset(str(thing) for thing in rng.choice(world.THINGS, ABSENT_THINGS, replace=False))
    motion, background = world.MOTIONS[seed % 8], world.BACKGROUNDS[(seed * 3 + seed // 8) % 10]
    pool = [
        take
        for take in sorted(captions.held_out())
        if take.thing not in things and take.motion != motion and take.background != background
    ]
    rng.shuffle(pool)  # type: ignore[arg-type]
    count = len(pool) if shots is None else shots
    return World(
        tuple(pool[at % len(pool)] for at in range(count)), things, frozenset({motion}), frozenset({background})
    )


def present_questions(content: World[Take], rng: np.random.Generator, each: int) -> list[Question[Take]]:
    """Return up to `each` different questions of each kind that a shot answers.

    The kinds: `sentence` (thing, motion and background), `thing+motion`, `thing+background`, `word` (a thing in one
    word), `motion-only`.
    """
    questions = []
    for kind, mentions in _KINDS.items():
        for take in drawn(content.takes, rng, each):
            questions.append(
                Question(
                    _words(kind, take, rng), kind, True, f"{kind}:{_topic(take, mentions)}", _sharing(take, mentions)
                )
            )
    return different(questions)


def absent_questions(content: World[Take], rng: np.random.Generator, each: int) -> list[Question[Take]]:
    """Return up to `each` different questions of each kind that no shot answers.

    The kinds: `thing`, `motion`, `background` (whole sentences in which only that is missing from the library),
    `word` (a missing thing in one word), `motion-only`, `other-world` (plain questions about the real world).
    """
    questions = []
    for kind in ("thing", "motion", "background", "word", "motion-only"):
        for take in drawn(content.takes, rng, each):
            if kind in ("thing", "word"):
                take = Take(one_of(content.absent_things, rng), take.background, take.motion)
            elif kind in ("motion", "motion-only"):
                take = Take(take.thing, take.background, one_of(content.absent_motions, rng))
            else:
                take = Take(take.thing, one_of(content.absent_backgrounds, rng), take.motion)
            text = _words(kind if kind in _KINDS else "sentence", take, rng)
            missing = {"thing": take.thing, "word": take.thing, "background": take.background}.get(kind, take.motion)
            questions.append(Question(text, kind, False, f"{kind}:{missing}", _nothing))
    for form, text in plain_questions(each, rng):
        questions.append(Question(text, "other-world", False, f"other-world:{form}:{text}", _nothing))
    return different(questions)


def combination_questions(content: World[Take], rng: np.random.Generator, count: int) -> list[Question[Take]]:
    """Return whole sentences whose thing, motion and background all occur in the library, but in no shot together.

    They are harder than absent ones, as two of three parts match; a library answers them with its nearest shots.
    """
    takes, questions = set(content.takes), []
    for take in drawn(content.takes, rng, 8 * count):
        other = Take(take.thing, take.background, content.takes[int(rng.integers(len(content.takes)))].motion)
        if other not in takes and len(questions) < count:
            questions.append(
                Question(captions.caption(other, rng), "combination", False, f"{other.thing}:{other.motion}", _nothing)
            )
    return different(questions)


@dataclass(frozen=True)
class ComposedQuestion:
    """An example with words that change it ("this thing, but spinning"): positions in the takes of a library."""

    example: int
    text: str
    target: int


def composed_questions(takes: list[Take], rng: np.random.Generator, count: int) -> list[ComposedQuestion]:
    """Return questions for a gallery in which every thing on its background has all motions (`evaluate.gallery`).

    The one right answer is the same thing on the same background in the motion of the words.
    """
    place = {take: at for at, take in enumerate(takes)}
    questions = []
    for example in rng.permutation(np.tile(np.arange(len(takes)), -(-count // len(takes))))[:count]:
        take = takes[int(example)]
        motion = one_of([motion for motion in world.MOTIONS if motion != take.motion], rng)
        target = place[Take(take.thing, take.background, motion)]
        questions.append(ComposedQuestion(int(example), captions.motion_words(motion, rng), target))
    return questions


@dataclass(frozen=True)
class Exclusion:
    """Words to look for and words to leave out; `right` and `wrong` judge a take among the hits."""

    text: str
    without: str
    right: Callable[[Take], bool]
    wrong: Callable[[Take], bool]


def exclusions(takes: list[Take], rng: np.random.Generator, count: int) -> list[Exclusion]:
    """Return questions such as "a dog", without "spinning": right are its other takes, wrong those of the motion."""
    questions = []
    for take in drawn(tuple(takes), rng, count):
        questions.append(
            Exclusion(
                captions.caption(take, rng, (True, bool(rng.random() < 0.5), False)),
                captions.motion_words(take.motion, rng),
                lambda other, take=take: other.thing == take.thing and other.motion != take.motion,  # type: ignore[misc]
                lambda other, take=take: other.motion == take.motion,  # type: ignore[misc]
            )
        )
    return questions


_PLAIN = frozenset({"red", "blue", "green", "yellow", "purple", "white"})
_SOME_THINGS = frozenset(world.THINGS[3::4])

CONCEPTS: dict[str, Callable[[Take], bool]] = {
    "spins": lambda take: take.motion == "spin",
    "rises or falls": lambda take: take.motion in ("rise", "fall"),
    "one of 20 things": lambda take: take.thing in _SOME_THINGS,
    "still on a plain colour": lambda take: take.motion == "still" and take.background in _PLAIN,
    "sideways before bricks or sea": lambda take: (
        take.motion in ("left", "right") and take.background in ("brick wall", "ocean waves")
    ),
}
"""What several examples have in common: single traits, and compounds that no single direction describes."""

_KINDS: dict[str, tuple[bool, bool, bool]] = {
    "sentence": (True, True, True),
    "thing+motion": (True, False, True),
    "thing+background": (True, True, False),
    "word": (True, False, False),
    "motion-only": (False, False, True),
}


def _words(kind: str, take: Take, rng: np.random.Generator) -> str:
    if kind == "word":
        words = [phrase for phrase in THINGS[take.thing][1] if " " not in phrase]
        return one_of(words, rng) if words else THINGS[take.thing][1][0]
    if kind == "motion-only" and rng.random() < 0.5:
        return captions.motion_words(take.motion, rng)
    return captions.caption(take, rng, _KINDS[kind])


def _topic(take: Take, mentions: tuple[bool, bool, bool]) -> str:
    parts = (take.thing, take.background, take.motion)
    return "|".join(part for part, said in zip(parts, mentions, strict=True) if said)


def _sharing(take: Take, mentions: tuple[bool, bool, bool]) -> Callable[[Take], bool]:
    return lambda other: _topic(other, mentions) == _topic(take, mentions)


def _nothing(take: Take) -> bool:
    return False


def drawn(takes: Sequence[Shown], rng: np.random.Generator, count: int) -> list[Shown]:
    """Return so many of what shots show; one may come several times."""
    return [takes[int(at)] for at in rng.integers(len(takes), size=count)]


def one_of(choices: Iterable[str], rng: np.random.Generator) -> str:
    """Return one of some words, whose order does not matter."""
    ordered = sorted(choices)
    return ordered[int(rng.integers(len(ordered)))]


def different(questions: list[Question[Shown]]) -> list[Question[Shown]]:
    """Return each question of a kind once."""
    return list({(question.text, question.kind): question for question in questions}.values())
