"""Strength of a hit: how far it stands above what unrelated questions get, with the probability of chance and a level.

Levels are probabilities, so they mean the same for every encoder, library and form of question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Level = Literal["strong", "likely", "weak"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""Best first."""

STRONG_CHANCE = 0.01
LIKELY_CHANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """How far a hit stands above what unrelated questions get.

    Attributes:
        value: Standard deviations of the hit above the best hits of unrelated questions of the same form: 0 is what
            chance alone gives. For an example, above the best hits of other shots, their kin set aside.
        chance: Probability that the best hit of an unrelated question is at least as strong, above 0 to 1.
        normal: True if `chance` is the tail of a normal distribution, because there are too few null questions to
            count.
    """

    value: float
    chance: float
    normal: bool = False

    @property
    def level(self) -> Level:
        """Return strong for a chance of at most STRONG_CHANCE, likely for at most LIKELY_CHANCE, else weak."""
        return "strong" if self.chance <= STRONG_CHANCE else "likely" if self.chance <= LIKELY_CHANCE else "weak"

    def reaches(self, level: Level) -> bool:
        """Return whether this is at least as strong as `level`."""
        return LEVELS.index(self.level) <= LEVELS.index(level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one encoder thinks of a hit, in an answer of several spaces.

    Attributes:
        encoder_id: The space by whose row it judges the shot.
        strength: In that space alone, as a search of it alone would say; None without a calibration.
        quick: Whether the row is a quick one, in place of one that the encoder has not made yet.
    """

    encoder_id: str
    strength: Strength | None
    quick: bool = False
