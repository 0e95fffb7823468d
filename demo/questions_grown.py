"""Questions about libraries of grown scenes, with what answers them; the grown counterpart of `questions` and `edits`.

The functions have the names and results that those of `questions` and `edits` have, so that benchmarks can ask either.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from demo import edits, evaluate_grown, scenes, words, world
from demo.other_worlds import plain_questions
from demo.questions import ABSENT_THINGS, ComposedQuestion, Question, World, different, drawn, one_of
from demo.scenes import Scene
from demo.sentences import Meaning, Said, holds, meaning_of, sentence
from demo.things import THINGS

_TRIES = 40  # for a question that no shot answers


SceneWorld = World[Scene]
SceneQuestion = Question[Scene]


@functools.cache
def pool() -> tuple[Scene, ...]:
    """Return the held-out scenes that libraries are made of."""
    return tuple(evaluate_grown.gallery())


def gallery() -> list[Scene]:
    """Return every thing in every motion before one background, for `composed_questions`."""
    return [scene for group in evaluate_grown.motions_of_things() for scene in group]


def make_world(seed: int, shots: int | None = None) -> SceneWorld:
    """Return held-out scenes without ten things, one motion and one background, which are left out in turn."""
    rng = np.random.default_rng((seed, 1402))
    things = frozenset(str(thing) for thing in rng.choice(world.THINGS, ABSENT_THINGS, replace=False))
    motion = scenes.MOTIONS[seed % len(scenes.MOTIONS)]
    background = world.BACKGROUNDS[(seed * 3 + seed // 8) % 10]
    left = [
        scene
        for scene in pool()
        if scene.background != background
        and not any(actor.thing in things or motion in actor.acts for actor in scene.actors)
    ]
    order = rng.permutation(len(left))
    count = len(left) if shots is None else shots
    return SceneWorld(
        tuple(left[order[at % len(left)]] for at in range(count)),
        things, frozenset({motion}), frozenset({background}),
    )  # fmt: skip


def present_questions(content: SceneWorld, rng: np.random.Generator, each: int) -> list[SceneQuestion]:
    """Return up to `each` questions of each kind that a shot answers, which mention all of it or parts."""
    asked = []
    for kind in ("sentence", "without background", "thing+background", "word", "motion-only"):
        for scene in drawn(content.takes, rng, each):
            meaning = _part(meaning_of(scene), kind)
            asked.append(_question(_words(meaning, kind, rng), kind, True, meaning))
    return different(asked)


def absent_questions(content: SceneWorld, rng: np.random.Generator, each: int) -> list[SceneQuestion]:
    """Return up to `each` questions of each kind that no shot answers, because one thing named is nowhere."""
    asked = []
    for kind in ("thing", "motion", "background", "word", "motion-only"):
        for scene in drawn(content.takes, rng, each):
            full = meaning_of(scene)
            if kind in ("thing", "word"):
                full = replace(full, subject=replace(full.subject, thing=one_of(content.absent_things, rng)))
            elif kind == "background":
                full = replace(full, background=one_of(content.absent_backgrounds, rng), camera=None)
            else:
                acts = (one_of(content.absent_motions, rng),)
                full = Meaning(Said(scene.actors[0].thing, acts), background=scene.background)
            meaning = _part(full, kind) if kind in ("word", "motion-only") else full
            if not any(holds(meaning, other) for other in content.takes):
                asked.append(_question(_words(meaning, kind, rng), kind, False, meaning))
    ours = _our_words()
    for form, text in plain_questions(each, rng):
        if not set(text.split()) & ours:
            asked.append(SceneQuestion(text, "other-world", False, f"other-world:{form}:{text}", lambda _: False))
    return different(asked)


def combination_questions(content: SceneWorld, rng: np.random.Generator, count: int) -> list[SceneQuestion]:
    """Return sentences of which every part occurs, but in no shot together: other motions, orders, roles, relations."""
    asked: list[SceneQuestion] = []
    for scene in drawn(content.takes, rng, _TRIES * count):
        meaning = meaning_of(scene)
        if meaning.other is not None:
            meaning = replace(meaning, subject=replace(meaning.other, acts=()), other=replace(meaning.subject, acts=()))
        elif len(meaning.subject.acts) > 1:
            meaning = replace(meaning, subject=replace(meaning.subject, acts=meaning.subject.acts[::-1]))
        else:
            other = content.takes[int(rng.integers(len(content.takes)))].actors[0]
            meaning = replace(meaning, subject=replace(meaning.subject, acts=other.acts))
        if len(asked) < count and not any(holds(meaning, each) for each in content.takes):
            asked.append(_question(sentence(meaning, rng), "combination", False, meaning))
    return different(asked)


def composed_questions(takes: Sequence[Scene], rng: np.random.Generator, count: int) -> list[ComposedQuestion]:
    """Return examples with words, "this, but zigzagging", for the scenes of `gallery`."""
    place = {scene: at for at, scene in enumerate(takes)}
    asked = []
    for example in rng.permutation(np.tile(np.arange(len(takes)), -(-count // len(takes))))[:count]:
        scene = takes[int(example)]
        (actor,) = scene.actors
        motion = one_of([each for each in scenes.MOTIONS if each != actor.acts[0]], rng)
        verbs = [v for v in words.MOTION_VERBS[motion] if motion in scenes.NEW_MOTIONS or not v.key]
        target = place[scenes.one(actor.thing, scene.background, motion)]
        asked.append(ComposedQuestion(int(example), verbs[int(rng.integers(len(verbs)))].saying, target))
    return asked


def edited_videos(
    rng: np.random.Generator, *, two_steps: int = 200, three_steps: int = 100
) -> tuple[list[edits.Edit], list[edits.ChainQuestion]]:
    """Return videos of held-out scenes and questions "A, then B", as `edits.edited_videos` does of takes."""
    every = pool()
    videos: list[edits.Edit] = []
    asked: list[edits.ChainQuestion] = []
    for number in range(two_steps + three_steps):
        count, kind = (2 if number < two_steps else 3), ("sentence", "without background")[number % 2]
        while True:
            shown = drawn(every, rng, count)
            meanings = [_part(meaning_of(scene), kind) for scene in shown]
            if all(holds(m, s) == (at == on) for at, m in enumerate(meanings) for on, s in enumerate(shown)):
                break
        judges = tuple(functools.partial(holds, meaning) for meaning in meanings)
        texts = tuple(sentence(meaning, rng) for meaning in meanings)
        question = edits.ChainQuestion(texts, judges, float(rng.integers(5, 13)), kind)  # type: ignore[arg-type]
        asked.append(question)
        videos += edits.videos_about(question, shown, every, number, rng)  # type: ignore[arg-type]
    order = rng.permutation(len(videos))
    return [videos[int(at)] for at in order], asked


def _part(meaning: Meaning, kind: str) -> Meaning:
    """Return the part of a meaning that a kind of question mentions."""
    thing, acts = meaning.subject.thing, meaning.subject.acts
    if kind == "without background":
        return replace(meaning, background=None, camera=None)
    if kind == "thing+background":
        return Meaning(Said(thing), background=meaning.background)
    if kind == "word":
        return Meaning(Said(thing))
    if kind == "motion-only":
        return replace(
            meaning, subject=Said(None, acts), other=meaning.other and Said(None), background=None, camera=None
        )
    return meaning


def _words(meaning: Meaning, kind: str, rng: np.random.Generator) -> str:
    if kind != "word":
        return sentence(meaning, rng)
    assert meaning.subject.thing is not None
    phrases = THINGS[meaning.subject.thing][1]
    single = [phrase for phrase in phrases if " " not in phrase]
    return one_of(single, rng) if single else phrases[0]


def _question(text: str, kind: str, present: bool, meaning: Meaning) -> SceneQuestion:
    return SceneQuestion(text, kind, present, f"{kind}:{meaning}", functools.partial(holds, meaning))


@functools.cache
def _our_words() -> frozenset[str]:
    verbs = [v for table in (words.MOTION_VERBS, words.CAMERA_VERBS) for of in table.values() for v in of]
    pairs = [*words.CHASING, *words.HIDING, *words.EMERGING, *((v.says, v.saying) for v in verbs)]
    said = {word for pair in pairs for form in pair for word in form.split()}
    return frozenset(said - {"in", "a", "the", "to", "from", "of", "at", "and", "behind", "is"})
