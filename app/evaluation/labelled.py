"""Labelled stretches of videos: what classification, probes and the readers of data sets have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """A video file, or a part of one.

    Attributes:
        path: The file.
        start_seconds, end_seconds: From the first frame shown, end exclusive; None for the beginning and the end.
    """

    path: str
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LabelledStretch:
    """A stretch of a video and what it shows.

    Attributes:
        stretch: Where.
        labels: Names of its classes; several, if the classes do not exclude each other, or none.
        group: What belongs together and must not be split between training and test, such as the video or the animal.
        split: `train`, `validation`, `test`, or "" where the data set names none.
    """

    stretch: Stretch
    labels: frozenset[str]
    group: str
    split: str = ""
