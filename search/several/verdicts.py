"""Verdicts of several voices on shots: the strength that each gives a shot, and the strength of their sum.

A shot that some voice has no row of is judged by the others alone. That is fair both ways: sums of two are compared
with sums of two that chance gives, and one encoder's strength with what chance gives it, so what is missing neither
helps nor harms.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.calibration.hit_judge import HitJudge
from search.query import TextTerm
from search.several.fisher import together
from search.several.question import Asking, Question, Seen
from search.several.sum_null import SumNull, shot_null, word_null
from search.space import Space
from search.strength import Opinion, Strength


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is thought of shots.

    Attributes:
        strengths: Of each shot by all voices; None where none can tell.
        opinions: What each voice thinks of each shot.
    """

    strengths: list[Strength | None]
    opinions: list[tuple[Opinion, ...]]

    def values(self) -> NDArray[np.float64] | None:
        """Return the values of all strengths, float64 (n,), or None if one is not known."""
        known = [each.value for each in self.strengths if each is not None]
        return np.array(known, np.float64) if len(known) == len(self.strengths) else None


class Jury:
    """Gives verdicts. What sums get by chance is measured when it is first needed, and again when rows change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nulls: dict[tuple[object, ...], SumNull] = {}

    def verdicts(self, question: Question, seen: Seen, total: int) -> Verdicts:
        """Return the verdicts on shots.

        Args:
            question: What is asked.
            seen: What the voices see of these shots.
            total: Number of shots that are asked.

        Raises:
            LibraryError: The library cannot be read.
        """
        judges = [[_judge(asking) for asking in voice] for voice in question.asked]
        own: list[list[Strength | None]] = [[None] * len(seen.ids) for _ in question.asked]
        for voice, askings in enumerate(question.asked):
            for number, (asking, judge) in enumerate(zip(askings, judges[voice], strict=True)):
                at = seen.at(voice, number)
                if judge is not None and at.size:
                    ids, cosines = seen.ids[at].tolist(), seen.cosines[voice][number]
                    for place, strength in zip(at.tolist(), judge.strengths(asking.terms, ids, cosines), strict=True):
                        own[voice][place] = strength
        together: list[Strength | None] = [None] * len(seen.ids)
        opinions: list[tuple[Opinion, ...]] = [()] * len(seen.ids)
        for pattern, at in seen.patterns():
            places = at.tolist()
            by = [(voice, number) for voice, number in enumerate(pattern) if number >= 0]
            ids = [(question.asked[voice][number].space, voice) for voice, number in by]
            for place in places:
                opinions[place] = tuple(
                    Opinion(encoder_id=space.id, strength=own[voice][place], quick=space.is_quick)
                    for space, voice in ids
                )
            known = [(voice, number) for voice, number in by if own[voice][places[0]] is not None]
            if known:
                sayers = [question.asked[voice][number] for voice, number in known]
                of_voices = [[own[voice][place] for place in places] for voice, _ in known]
                sure = [judge for voice, number in known if (judge := judges[voice][number]) is not None]
                for place, strength in zip(places, self._together(sayers, sure, of_voices, total), strict=True):
                    together[place] = strength
        return Verdicts(together, opinions)

    def _together(
        self,
        askings: Sequence[Asking],
        judges: Sequence[HitJudge],
        strengths: Sequence[Sequence[Strength | None]],
        total: int,
    ) -> Sequence[Strength | None]:
        """Return the strength of each sum of strengths, one of each asking."""
        has_words = any(isinstance(term, TextTerm) and term.weight > 0 for term in askings[0].terms)
        (judge, *others) = judges
        if not others:
            count = len(judge.statistics.ids) if has_words else total
            if count == total:
                return strengths[0]
            null = SumNull(0.0, 1.0, count, judge.word_null.tail)
        else:
            spaces = [each.space for each in askings]
            make: Callable[[], SumNull] = (
                (lambda: word_null(spaces, judges)) if has_words else (lambda: shot_null(spaces, judges, total))
            )
            null = self._null((has_words, *_states(spaces, judges)), make)
        values = np.array([[0.0 if each is None else each.value for each in row] for row in strengths], np.float64)
        return null.strengths(together(values), total)

    def _null(self, key: tuple[object, ...], make: Callable[[], SumNull]) -> SumNull:
        with self._lock:
            if key not in self._nulls:
                if len(self._nulls) >= _KEPT:
                    self._nulls.clear()
                self._nulls[key] = make()
            return self._nulls[key]


_KEPT = 32  # nulls of former states of the library, at most


def _judge(asking: Asking) -> HitJudge | None:
    calibration = asking.space.calibration
    return None if calibration is None else calibration.judge()


def _states(spaces: Sequence[Space], judges: Sequence[HitJudge]) -> tuple[object, ...]:
    """Return what a null of these spaces depends on."""
    return tuple((space.id, judge.statistics.stamp) for space, judge in zip(spaces, judges, strict=True))
