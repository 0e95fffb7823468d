"""Time that recognising words takes: as fast as the last time in this library, or by figures of other machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from app.word_engines import cores

if TYPE_CHECKING:
    from app.jobs.state import JobState

_CPU_SECONDS_A_SHOT = 1.0
"""Of reading text: 0.4 s a frame, one to four frames of most shots (benchmarks/README.md, "Words")."""
_CPU_SECONDS_OF_SPEECH: Mapping[str, float] = MappingProxyType({"small": 1.3, "base": 0.43})
"""For a second of sound, by model: the authors of faster-whisper state 2:04 for 13 minutes with `small` in int8, with
beam search, on 8 threads; `base` is a third of the work. Not measured by us."""
_MOST_THREADS = 8  # that figure holds for no more
_LEAST_SECONDS = 2.0  # of an earlier job that say how fast it was


def reading_seconds(jobs: Iterable[JobState], *, video_seconds: float, shots: int) -> float:
    """Return about how long reading the text of videos takes.

    Args:
        jobs: Of the library, the newest first.
        video_seconds: Length of the videos together.
        shots: Number of their shots.
    """
    speed = _last_speed(jobs, "read-text")
    return video_seconds / speed if speed else shots * _CPU_SECONDS_A_SHOT / cores()


def transcribing_seconds(jobs: Iterable[JobState], *, video_seconds: float, model: str) -> float | None:
    """Return about how long transcribing videos takes; None for an unknown model that was not used before.

    Args:
        jobs: Of the library, the newest first.
        video_seconds: Length of the videos together.
        model: As orders name it.
    """
    speed = _last_speed((each for each in jobs if each.order and each.order.get("model") == model), "transcribe")
    if speed:
        return video_seconds / speed
    cost = _CPU_SECONDS_OF_SPEECH.get(model)
    return None if cost is None else video_seconds * cost / min(cores(), _MOST_THREADS)


def _last_speed(jobs: Iterable[JobState], kind: str) -> float | None:
    """Return the seconds of video per second of the newest job of a kind that says it."""
    for state in jobs:
        seconds, elapsed = (_number(state.report.get(name)) for name in ("seconds", "elapsed_seconds"))
        if state.kind == kind and seconds and elapsed >= _LEAST_SECONDS:
            return seconds / elapsed
    return None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e12 else 0.0
