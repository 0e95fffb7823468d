"""Reasons why a run of training cannot begin, go on, or be kept. Each message is one sentence for the person."""

from __future__ import annotations

from collections.abc import Sequence


class ConfigurationError(ValueError):
    """A configuration that cannot be used; one sentence says what is wrong with it."""


class TrainingError(Exception):
    """A run cannot go on; the message says why, and what to do."""


class RunError(TrainingError):
    """A folder holds no run, or another process trains in it."""


class SettingsDiffer(TrainingError):
    """A run would go on with other settings than it began with.

    Attributes:
        differences: One for each setting, such as "seed was 1, now 2".
    """

    def __init__(self, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        super().__init__(
            f"the run began with other settings: {'; '.join(differences)}; go on with its own, or begin another run"
        )


class DamagedCheckpoint(TrainingError):
    """A checkpoint is not what was written."""
