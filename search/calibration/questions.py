"""Null questions, and the form of a question.

Null questions ask for subjects that few libraries hold; what their best hits score shows what chance alone gives. The
demo encoder, which reads 600 pieces of words only, has questions of its own: a quarter is in its own words, each
naming so many things that no shot answers it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.calibration.verbs import has_verb

FORMS = 4
"""Bins: a short question without a verb, a long one without, a short one with a verb, a long one with."""

_SHORT, _LONG = 1, 4
"""Content words at which a question is wholly short or wholly long; between, by the logarithm, it is partly both."""

_FUNCTION_WORDS = frozenset(Path(__file__).with_name("function_words.txt").read_text("utf-8").split())
"""Words that say little: articles, prepositions, pronouns, and openings such as "a video of"."""

_DEMO = "videoprism_lvt_demo@"


def null_questions(encoder_id: str) -> list[str]:
    """Return the null questions for an encoder, all different."""
    name = "demo_questions.txt" if encoder_id.startswith(_DEMO) else "questions.txt"
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def forms(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the form of each text: its shares in the bins, float64 (n, FORMS), with sum 1."""
    words, verbs = np.array([_words_and_verb(text) for text in texts], dtype=np.float64).reshape(-1, 2).T
    long = np.clip((np.log(words) - np.log(_SHORT)) / (np.log(_LONG) - np.log(_SHORT)), 0, 1)
    shares = [(1 - long) * (1 - verbs), long * (1 - verbs), (1 - long) * verbs, long * verbs]
    return np.stack(shares, axis=1)


@lru_cache(256)  # a text is searched again with every change of a weight or filter
def _words_and_verb(text: str) -> tuple[int, bool]:
    """Return the number of content words, at least 1, and whether there is a verb."""
    return max(1, _content_words(text)), has_verb(text)


def _content_words(text: str) -> int:
    return sum(word not in _FUNCTION_WORDS for word in re.findall(r"[^\W_]+", text.lower()))
