"""The grown world's galleries, all of scenes that training never shows, and what an encoder makes of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from demo import painting, sampler, scenes, words, world
from demo.scenes import Scene, is_held_out, one, two
from demo.sentences import Meaning, Pick, Said, canonical, holds, meaning_of, sentence
from demo.words import Verb
from encoder import Encoder

Rows = NDArray[np.float32]
Group = tuple[Scene, ...]
"""Clips to choose among; the first is the one that is asked for."""

QUESTIONS = 160  # of each kind
_ACTS = ("left", "right", "rise", "fall", "grow", "shrink", "spin")  # which can come first and second


def motions_of_things() -> list[Group]:
    """Return every thing in every motion before a background that it was never shown on: 80 groups of 13."""
    return [
        tuple(one(thing, scenes.whole_background(thing), motion) for motion in scenes.MOTIONS) for thing in world.THINGS
    ]


def orders(count: int = QUESTIONS) -> list[Group]:
    """Return groups of two motions in order, the other way round, and each alone."""

    def make(rng: np.random.Generator) -> Group:
        first, second = (str(act) for act in rng.choice(_ACTS, 2, replace=False))
        thing, background = str(rng.choice(world.THINGS)), str(rng.choice(world.BACKGROUNDS))
        return tuple(one(thing, background, *acts) for acts in ((first, second), (second, first), (first,), (second,)))

    return _groups(make, count, 1)


def pairs(count: int = QUESTIONS) -> list[Group]:
    """Return groups of two things: in a relation, with swapped roles, and both ways in another relation."""

    def make(rng: np.random.Generator) -> Group:
        a, b = (str(thing) for thing in rng.choice(world.THINGS, 2, replace=False))
        background, way = str(rng.choice(world.BACKGROUNDS)), str(rng.choice(("left", "right")))
        relation, other = (str(each) for each in rng.choice(scenes.RELATIONS, 2, replace=False))
        return tuple(two(each, *who, background, way) for each in (relation, other) for who in ((a, b), (b, a)))

    return _groups(make, count, 2)


def cameras(count: int = QUESTIONS // 2) -> list[Group]:
    """Return groups of one thing under four cameras."""

    def make(rng: np.random.Generator) -> Group:
        thing, background = str(rng.choice(world.THINGS)), str(rng.choice(scenes.PATTERNED))
        motion = str(rng.choice(("still", "spin", "left", "right")))
        four = (str(each) for each in rng.permutation(scenes.CAMERAS[1:])[:4])
        return tuple(one(thing, background, motion, camera=camera) for camera in four)

    return _groups(make, count, 3)


def _groups(make: Callable[[np.random.Generator], Group], count: int, seed: int) -> list[Group]:
    rng, found = np.random.default_rng((seed, 17)), dict[Scene, Group]()
    while len(found) < count:
        group = make(rng)
        asked = meaning_of(group[0])
        if is_held_out(group[0]) and _is_for_tests(group[0]) and not any(holds(asked, scene) for scene in group[1:]):
            found.setdefault(group[0], group)
    return list(found.values())


def _is_for_tests(scene: Scene) -> bool:
    """Return whether a held-out scene belongs to the galleries; the others are for the validation of a training."""
    return zlib.crc32(canonical(meaning_of(scene)).encode()) % 4 != 0


def gallery() -> list[Scene]:
    """Return 640 scenes of all kinds: three motions of every thing, and the first of each group that is asked for."""
    alone = [scene for at, group in enumerate(motions_of_things()) for scene in np.roll(np.array(group), -at)[::5]]
    return [*alone, *(group[0] for group in (*orders(), *pairs(), *cameras()))]


def validation_scenes(count: int) -> list[Scene]:
    """Return scenes that neither training nor a gallery of `evaluate.py` shows, each with another meaning."""
    rng, found = np.random.default_rng(18), dict[Meaning, Scene]()
    while len(found) < count:
        thing, other = (str(each) for each in rng.choice(world.THINGS, 2, replace=False))
        background, kind = str(rng.choice(world.BACKGROUNDS)), int(rng.integers(4))
        if kind < 2:
            scene = one(thing, background, str(rng.choice(scenes.MOTIONS)))
        elif kind == 2:
            scene = one(thing, background, *(str(act) for act in rng.choice(_ACTS, 2, replace=False)))
        else:
            scene = two(str(rng.choice(scenes.RELATIONS)), thing, other, background, str(rng.choice(("left", "right"))))
        alone = kind > 1 or scenes.whole_background(thing) != background  # those are the galleries' own
        if alone and is_held_out(scene) and not _is_for_tests(scene):
            found.setdefault(meaning_of(scene), scene)
    return list(found.values())


def clip_rows(encoder: Encoder, shown: Sequence[Scene], seed: int) -> Rows:
    """Return unit rows of newly drawn clips, float32 (N, D)."""
    rng, spec = np.random.default_rng((seed, 79)), encoder.clip_spec
    rows = [
        encoder.encode_clips(painting.render(shown[at : at + 32], frames=spec.frames, size=spec.size, rng=rng))
        for at in range(0, len(shown), 32)
    ]
    return np.concatenate(rows)


def measure(encoder: Encoder, seed: int = 1) -> dict[str, float]:
    """Return all measures of the grown world, as shares of 1."""
    things = motions_of_things()
    asked = {"order": orders(), "two_things": pairs(), "camera": cameras()}
    every = {scene: at for at, scene in enumerate(dict.fromkeys(
        scene for groups in (things, *asked.values()) for group in groups for scene in group
    ))}  # fmt: skip
    rows = clip_rows(encoder, list(every), seed)
    figures = _retrieval(encoder, rows, every, seed)
    for name, groups in asked.items():
        rng = np.random.default_rng(seed)
        meanings = [meaning_of(group[0]) for group in groups]
        for suffix, said in (
            ("", [canonical(meaning) for meaning in meanings]),
            ("_varied", [sentence(meaning, rng) for meaning in meanings]),
        ):
            texts = encoder.encode_texts(said)
            right = [_picked(text, group, rows, every) == 0 for text, group in zip(texts, groups, strict=True)]
            figures[f"{name}_among_{len(groups[0])}{suffix}"] = float(np.mean(right))
        if name == "two_things":
            for relation in scenes.RELATIONS:
                mine = [r for r, group in zip(right, groups, strict=True) if group[0].relation == relation]
                figures[f"two_things_{relation.replace(' ', '_')}_varied"] = float(np.mean(mine))
    figures |= _verbs(encoder, rows, every, {group[0].actors[0].thing: group for group in things})
    return figures


def _retrieval(encoder: Encoder, rows: Rows, every: dict[Scene, int], seed: int) -> dict[str, float]:
    shown = gallery()
    meanings = [meaning_of(scene) for scene in shown]
    true = sampler.positives(meanings, shown).T  # (sentences, clips)
    clips = rows[[every[scene] for scene in shown]]
    rng = np.random.default_rng(seed)
    plain = encoder.encode_texts([canonical(meaning) for meaning in meanings])
    varied = encoder.encode_texts([sentence(meaning, rng) for meaning in meanings])
    figures = {"gallery": float(len(shown))}
    for name, scores, right in (
        ("text_to_video", plain @ clips.T, true), ("varied_text_to_video", varied @ clips.T, true),
        ("video_to_text", clips @ plain.T, true.T),
    ):  # fmt: skip
        ranked = np.take_along_axis(right, np.argsort(-scores, axis=1, kind="stable"), axis=1)
        figures[f"{name}_r1"], figures[f"{name}_r5"] = float(ranked[:, 0].mean()), float(ranked[:, :5].any(1).mean())
    first = np.take_along_axis(true, (plain @ clips.T).argmax(1)[:, None], axis=1)[:, 0]
    kinds = {"one_motion": slice(0, 240), "two_motions": slice(240, 400), "two_things": slice(400, 560),
             "camera": slice(560, 640)}  # fmt: skip
    return figures | {f"text_to_video_r1_{name}": float(first[part].mean()) for name, part in kinds.items()}


def _picked(text: Rows, group: Group, rows: Rows, every: dict[Scene, int]) -> int:
    return int((rows[[every[scene] for scene in group]] @ text).argmax())


def _verbs(encoder: Encoder, rows: Rows, every: dict[Scene, int], of: dict[str, Group]) -> dict[str, float]:
    """Measure by verb: the sentence picks its clip among the 13 of its thing."""
    questions: dict[str, list[tuple[str, str, Verb]]] = {
        "motion_by_new_verb_held_out": [
            (thing, motion, verb) for key, (motion, verb) in words.NEW_VERBS.items()
            for thing in sorted(scenes.held_out_things(key))
        ],
        "motion_by_new_verb_trained": [
            (thing, motion, verb) for key, (motion, verb) in words.NEW_VERBS.items()
            for thing in [each for each in world.THINGS if verb.allowed(each)][::4]
        ],
        "motion_by_old_verb": [
            (thing, motion, words.MOTION_VERBS[motion][0]) for motion in world.MOTIONS for thing in world.THINGS[::5]
        ],
    }  # fmt: skip
    for motion, verbs in words.UNSEEN_VERBS.items():
        for verb in verbs:
            questions[f"unseen_{verb.says.replace(' ', '_')}"] = [(thing, motion, verb) for thing in world.THINGS[::5]]
    figures = {}
    for name, asked in questions.items():
        texts = encoder.encode_texts([_said(thing, motion, verb) for thing, motion, verb in asked])
        right = [
            scenes.MOTIONS[_picked(text, of[thing], rows, every)] == motion
            for text, (thing, motion, _) in zip(texts, asked, strict=True)
        ]
        figures[name] = float(np.mean(right))
        if name == "motion_by_new_verb_held_out":
            new = [r for r, (_, motion, _) in zip(right, asked, strict=True) if motion in scenes.NEW_MOTIONS]
            figures["of_these_new_motions"] = float(np.mean(new))
    unseen = [value for name, value in figures.items() if name.startswith("unseen_")]
    return figures | {"motion_by_unseen_verb": float(np.mean(unseen))}


def _said(thing: str, motion: str, verb: Verb) -> str:
    pick: Pick = lambda *_: verb  # noqa: E731
    return canonical(Meaning(Said(thing, (motion,)), background=scenes.whole_background(thing)), pick=pick)
