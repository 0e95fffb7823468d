"""Synthetic timed text: cues of Zipf-distributed words in seven languages, as many as a library of years of film has.

The ranks of words follow Zipf's law with exponent 1 over 40,000 words of a language: the most common one is in about
every second cue, and half of all words are in fewer than a hundred of a million cues. A cue has 3 to 12 words, or 6 to
20 characters in the languages without spaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks._row_library import make_rows
from db.library import Library
from db.timed_text import TextKind, TextSource, TimedLine

WORDS = 40_000
EACH = 1000  # cues of a video
_STEP_MS = 3000
_KINDS: tuple[TextKind, ...] = ("subtitle", "speech", "subtitle", "screen")


@dataclass(frozen=True)
class Language:
    """A made-up language.

    Attributes:
        name: After the language whose letters it has.
        onsets, nuclei: What a syllable is made of.
        spaced: Whether words are separated by spaces.
    """

    name: str
    onsets: str
    nuclei: str
    spaced: bool = True

    @cached_property
    def words(self) -> list[str]:
        """Its words, the most common one first; every twentieth is a number."""
        chance = np.random.default_rng([ord(letter) for letter in self.name])
        found: dict[str, None] = {}
        while len(found) < WORDS:
            if self.spaced and len(found) % 20 == 19:
                found[str(int(chance.integers(2, 10_000)))] = None
                continue
            syllables = int(chance.choice([1, 2, 2, 3, 3, 4])) if self.spaced else int(chance.choice([1, 2, 2, 2, 3]))
            draws = chance.integers(0, 1 << 30, (syllables, 2)).tolist()
            word = "".join(
                self.onsets[a % len(self.onsets)] + (self.nuclei[b % len(self.nuclei)] if self.nuclei else "")
                for a, b in draws
            )
            found[word] = None
        return list(found)

    def cues(self, count: int, chance: np.random.Generator) -> Iterator[str]:
        """Yield random cues."""
        shares = 1 / np.arange(1, WORDS + 1)
        drawn = chance.choice(WORDS, size=count * 12, p=shares / shares.sum()).reshape(count, 12).tolist()
        lengths = chance.integers(3, 13, count).tolist()
        for ranks, length in zip(drawn, lengths, strict=True):
            yield (" " if self.spaced else "").join(self.words[rank] for rank in ranks[:length])


_HAN = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 2500))
LANGUAGES = (
    Language("english", "bcdfghjklmnprstvwz", "aeiouy"),
    Language("french", "bcdfghjlmnprstvç", "aàâeéèêiîoôuû"),
    Language("german", "bdfghklmnprstwzß", "aäeioöuü"),
    Language("russian", "бвгджзклмнпрстфхш", "аеёиоуыэюя"),
    Language("spanish", "bcdfghlmnñprstvz", "aáeéiíoóuú"),
    Language(
        "japanese",
        "かきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわん" + _HAN[:800],
        "",
        False,
    ),
    Language("chinese", _HAN, "", False),
)


def language_of(video: int) -> Language:
    """Return the language of a video."""
    return LANGUAGES[video % len(LANGUAGES)]


@dataclass(frozen=True, slots=True)
class Made:
    """What it took to store the cues: seconds of writing alone, without making them up."""

    cues: int
    wall_seconds: float
    cpu_seconds: float


def make_text(directory: Path, cues: int) -> tuple[Library, Made | None]:
    """Make a library of `cues` cues, a thousand in each video, or open the one that is there (nothing made: None)."""
    library = make_rows(directory, cues // EACH * 10, 10)
    if library.texts.counts():
        return library, None
    chance = np.random.default_rng(18)
    wall = cpu = 0.0
    for video in range(1, cues // EACH + 1):
        texts = list(language_of(video).cues(EACH, chance))
        lines = [TimedLine(at * _STEP_MS, at * _STEP_MS + 2800, text) for at, text in enumerate(texts)]
        began = perf_counter(), process_time()
        library.texts.replace(video, TextSource(kind=_KINDS[video % len(_KINDS)], origin="made"), lines)
        wall, cpu = wall + perf_counter() - began[0], cpu + process_time() - began[1]
    return library, Made(cues // EACH * EACH, wall, cpu)


def sampled_lines(library: Library, count: int, seed: int) -> list[tuple[Language, str, str]]:
    """Return random cues: their language, their text, and the text of the cue after each."""
    chance = np.random.default_rng(seed)
    videos = sorted(library.texts.sources_of())
    found = []
    for video in chance.choice(videos, count).tolist():
        at = int(chance.integers(0, EACH - 1))
        pair = library.texts.lines(video, start_ms=at * _STEP_MS, end_ms=(at + 1) * _STEP_MS + 1)
        found.append((language_of(video), pair[0].line.text, pair[1].line.text))
    return found


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    """Return p50, p95 and the maximum."""
    values: NDArray[np.float64] = np.array(milliseconds)
    return {
        "p50_ms": float(np.median(values)),
        "p95_ms": float(np.percentile(values, 95)),
        "max_ms": float(values.max()),
    }
