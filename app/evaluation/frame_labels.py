"""Labels of the frames of videos, as data sets of animal behaviour have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Labels: TypeAlias = "frozenset[str] | None"
"""The behaviours that a frame shows; None where nobody looked."""


@dataclass(frozen=True, slots=True)
class FrameLabels:
    """A video and what its frames show.

    Attributes:
        name: What the data set calls it.
        path: The video, or the folder with its frames as pictures (see `app.evaluation.picture_folder`).
        labels: Of each frame, from the first.
        rest: Of every frame after these.
        split: `train`, `validation`, `test`, or "" where the data set names none.
    """

    name: str
    path: str
    labels: tuple[Labels, ...]
    rest: Labels = None
    split: str = ""

    def at(self, frame: int) -> Labels:
        """Return what a frame shows, counted from 0."""
        return self.labels[frame] if frame < len(self.labels) else self.rest


@dataclass(frozen=True, slots=True)
class LabelledVideos:
    """What a reader found.

    Attributes:
        classes: In the order of the data set.
        background: The one of them that stands for none of the others; None if there is no such class.
        exclusive: Whether a frame has exactly one class.
        videos: Those that are there.
        missing: Names of those that are not.
        notes: Sentences on what was left out, and why.
    """

    classes: tuple[str, ...]
    background: str | None
    exclusive: bool
    videos: tuple[FrameLabels, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
