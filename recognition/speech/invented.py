"""Filters against phrases that nobody said: a speech model invents some over music, noise and silence.

Three of the four measures are those of Whisper's own decoding (Radford et al., arXiv 2212.04356, section 4.5), where
they decide whether a passage is decoded again with random sampling. Here nothing is sampled, so that the same sound
always gives the same words: what fails is left out.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeechFilter:
    """The limits beyond which a line is left out.

    Attributes:
        no_speech: Largest probability that nobody speaks, of a line whose words are also unlikely.
        log_probability: Smallest mean log probability of its tokens, of a line that is probably not speech.
        compression: Largest ratio by which its text can be compressed; text that goes round in circles has more.
        confidence: Smallest mean probability of its words.
        repeats: How often the same phrase may follow itself, in a line or from line to line.
        silence_seconds: Unlikely words between silences of this length are passed over; None keeps them. An engine
            judges this while it decodes, because it then goes on behind the silence.
    """

    no_speech: float = 0.6
    log_probability: float = -1.0
    compression: float = 2.4
    confidence: float = 0.35
    repeats: int = 2
    silence_seconds: float | None = 2.0


@dataclass(frozen=True, slots=True)
class Said:
    """What a filter asks about a line."""

    text: str
    no_speech: float  # probability, 0 to 1
    log_probability: float  # mean of its tokens, natural logarithm
    confidence: float  # mean probability of its words, 0 to 1


def credible(lines: Iterable[Said], limits: SpeechFilter) -> list[bool]:
    """Return which lines of a passage were probably said.

    Args:
        lines: The lines of one passage, in order.
        limits: What is left out.
    """
    kept: list[bool] = []
    previous, times = "", 0
    for line in lines:
        plain = _plain(line.text)
        times = times + 1 if plain == previous else 1
        previous = plain
        kept.append(
            bool(plain)
            and not (line.no_speech > limits.no_speech and line.log_probability < limits.log_probability)
            and line.confidence >= limits.confidence
            and compression_ratio(line.text) <= limits.compression
            and times <= limits.repeats
            and repeats(plain.split(), limits.repeats + 2) < limits.repeats + 2
        )
    return kept


def compression_ratio(text: str) -> float:
    """Return the bytes of a text in UTF-8 over its bytes compressed by zlib; 0 for none."""
    data = text.encode("utf-8", "replace")
    return len(data) / len(zlib.compress(data)) if data else 0.0


def repeats(words: list[str], enough: int) -> int:
    """Return how often a phrase of two words or more follows itself in a text, at most `enough`; 1 if none does.

    A single word may be said often ("no no no no"); whole phrases are not.
    """
    most = 1
    for length in range(2, len(words) // 2 + 1):
        run = 0  # words in a row that are the same as `length` words before
        for i in range(length, len(words)):
            run = run + 1 if words[i] == words[i - length] else 0
            most = max(most, run // length + 1)
            if most >= enough:
                return enough
    return most


def _plain(text: str) -> str:
    """Return a text without what does not tell phrases apart: case, punctuation, spaces."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
