"""Edited videos of demo takes, and questions "A, then B", with distractors that only the sequence tells apart.

For each question there is a video that answers it, and videos with the same shots in another order, with one of them
missing, further apart than the question allows, or with everything in a single shot. Other videos may answer a question
by chance, so answers are judged by their takes and times (`answers`), never by the video meant.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from demo import captions
from demo.world import Take

Judge = Callable[[Take], bool]


@dataclass(frozen=True)
class Edit:
    """A video: its shots' takes and lengths, what it is to which question, and the number of that question."""

    takes: tuple[Take, ...]
    seconds: tuple[float, ...]
    role: str
    question: int

    def spans(self) -> list[tuple[float, float]]:
        """Return start and end of each shot in seconds."""
        ends = list(itertools.accumulate(self.seconds))
        return list(zip([0.0, *ends[:-1]], ends, strict=True))


@dataclass(frozen=True)
class ChainQuestion:
    """Steps in words, which takes match each, and the most seconds between one part's end and the next one's start."""

    steps: tuple[str, ...]
    judges: tuple[Judge, ...]
    within: float
    kind: str

    def answers(self, edit: Edit, shots: Sequence[int]) -> bool:
        """Return whether these shots of a video, one for each step, are such a chain."""
        spans = edit.spans()
        return (
            len(shots) == len(self.steps)
            and all(judge(edit.takes[at]) for judge, at in zip(self.judges, shots, strict=True))
            and all(
                first < second and spans[second][0] - spans[first][1] <= self.within
                for first, second in itertools.pairwise(shots)
            )
        )

    def answered_in(self, edit: Edit, *, any_order: bool = False) -> bool:
        """Return whether any shots of a video are such a chain."""
        fitting = [[at for at, take in enumerate(edit.takes) if judge(take)] for judge in self.judges]
        if not any_order:
            return any(self.answers(edit, shots) for shots in itertools.product(*fitting))
        spans = edit.spans()
        return any(
            len(set(shots)) == len(shots)
            and all(
                spans[second][0] - spans[first][1] <= self.within for first, second in itertools.pairwise(sorted(shots))
            )
            for shots in itertools.product(*fitting)
        )


def edited_videos(
    rng: np.random.Generator, *, two_steps: int = 200, three_steps: int = 100
) -> tuple[list[Edit], list[ChainQuestion]]:
    """Return videos of 5 to 12 held-out takes, and the questions about them.

    The kinds of questions: `sentence` (each step a whole caption), `thing+motion`, and `thing, motion` (a thing, then
    something else in a motion; two steps only), where a single shot can show both.
    """
    pool = sorted(captions.held_out())
    edits: list[Edit] = []
    questions: list[ChainQuestion] = []
    for number in range(two_steps + three_steps):
        count = 2 if number < two_steps else 3
        kind = ("sentence", "thing+motion", "sentence", "thing, motion" if count == 2 else "thing+motion")[number % 4]
        takes = _step_takes(pool, count, kind, rng)
        question = _question(takes, kind, float(rng.integers(5, 13)), rng)
        questions.append(question)
        edits += videos_about(question, takes, pool, number, rng)
    order = rng.permutation(len(edits))
    return [edits[int(at)] for at in order], questions


def _step_takes(pool: list[Take], count: int, kind: str, rng: np.random.Generator) -> list[Take]:
    """Return a take for each step; no two share a thing, and with `thing, motion` the second has another motion."""
    while True:
        takes = [pool[int(at)] for at in rng.integers(len(pool), size=count)]
        if len({take.thing for take in takes}) == count and (kind == "sentence" or len({t.motion for t in takes}) > 1):
            return takes


def _question(takes: list[Take], kind: str, within: float, rng: np.random.Generator) -> ChainQuestion:
    if kind == "thing, motion":
        first, second = takes
        return ChainQuestion(
            (captions.caption(first, rng, (True, False, False)), captions.motion_words(second.motion, rng)),
            (lambda take: take.thing == first.thing, lambda take: take.motion == second.motion),
            within,
            kind,
        )
    whole = kind == "sentence"
    return ChainQuestion(
        tuple(captions.caption(take, rng, (True, whole, True)) for take in takes),
        tuple(
            (lambda other, take=take: other == take)  # type: ignore[misc]
            if whole
            else (lambda other, take=take: (other.thing, other.motion) == (take.thing, take.motion))  # type: ignore[misc]
            for take in takes
        ),
        within,
        kind,
    )


def videos_about(
    question: ChainQuestion, takes: list[Take], pool: list[Take], number: int, rng: np.random.Generator
) -> list[Edit]:
    """Return videos that almost answer a question, and one that does.

    Args:
        question: The question.
        takes: A take for each of its steps.
        pool: Takes of which those that no step asks for stand between the steps.
        number: Of the question, kept in each video.
        rng: The source of all randomness.
    """

    def filler() -> Take:
        while True:
            take = pool[int(rng.integers(len(pool)))]
            if not any(judge(take) for judge in question.judges):
                return take

    def video(role: str, parts: list[Take], *, far: int | None = None) -> Edit:
        """Cut parts together; between those numbered `far` and `far + 1` more time passes than the question allows."""
        shots = [(filler(), _length(rng)) for _ in range(int(rng.integers(1, 4)))]
        for at, take in enumerate(parts):
            shots.append((take, _length(rng)))
            room = question.within
            if at == far:
                while room >= 0:
                    shots.append((filler(), _length(rng)))
                    room -= shots[-1][1]
            elif at + 1 < len(parts):
                for _ in range(int(rng.integers(0, 3))):
                    length = _length(rng)
                    if length > room:
                        break
                    shots.append((filler(), length))
                    room -= length
        shots += [(filler(), _length(rng)) for _ in range(int(rng.integers(1, 4)))]
        return Edit(tuple(take for take, _ in shots), tuple(length for _, length in shots), role, number)

    shown = list(takes)
    videos = [video("right", shown), video("too far", shown, far=int(rng.integers(len(shown) - 1)))]
    turned = [shown[1], shown[0], *shown[2:]] if rng.random() < 0.5 else shown[::-1]
    videos.append(video("other order", turned))
    videos += [video("a part alone", [take]) for take in shown]
    if len(shown) == 3:
        videos += [video("a part missing", [take for take in shown if take is not left]) for left in shown]
    both = [take for take in pool if all(judge(take) for judge in question.judges)]
    if both:
        videos.append(video("both in one shot", [both[int(rng.integers(len(both)))]]))
    return videos


def _length(rng: np.random.Generator) -> float:
    return round(float(rng.uniform(2, 5)), 2)
