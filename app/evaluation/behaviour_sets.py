"""The public data sets of animal behaviour: how each is read, and which windows are taken of it.

The windows are those of VideoPrism's evaluation on such sets (arXiv 2402.13217, appendix H) as far as they are
published: 16 consecutive frames (CalMS21, Fly vs. Fly), every fifth frame (KABR), 64 frames (ChimpACT). Ours: windows
do not overlap, but for those of ChimpACT, which are around each labelled frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.evaluation.datasets.calms21 import read_calms21
from app.evaluation.datasets.chimpact import read_chimpact
from app.evaluation.datasets.fly_vs_fly import read_fly_vs_fly
from app.evaluation.datasets.kabr import read_kabr

if TYPE_CHECKING:
    from app.evaluation.frame_labels import LabelledVideos
    from app.media_workers import ReadMedia


@dataclass(frozen=True, slots=True)
class BehaviourSet:
    """A data set: what it is called, and its windows.

    Attributes:
        title: For people.
        read: Reads labels and finds videos; the last argument reads files in a process that may fail.
        span: Frames from the first to the last of a window.
        stride: Frames from one centre to the next.
    """

    title: str
    read: Callable[[Path, Path, ReadMedia], LabelledVideos]
    span: int
    stride: int


def _alone(read: Callable[[Path, Path], LabelledVideos]) -> Callable[[Path, Path, ReadMedia], LabelledVideos]:
    """Return a reader of a set whose files of labels need no process of their own."""
    return lambda labels, videos, _: read(labels, videos)


BEHAVIOUR_SETS: Mapping[str, BehaviourSet] = MappingProxyType(
    {
        "calms21": BehaviourSet("CalMS21", _alone(read_calms21), span=16, stride=16),
        "chimpact": BehaviourSet("ChimpACT", _alone(read_chimpact), span=64, stride=10),
        "kabr": BehaviourSet("KABR", _alone(read_kabr), span=80, stride=80),
        "flyvsfly": BehaviourSet("Fly vs. Fly", read_fly_vs_fly, span=16, stride=16),
    }
)
"""By the name of the option. A span of 80 gives an encoder of 16 frames every fifth one."""
