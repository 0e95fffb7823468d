"""Windows of consecutive frames at the native rate, and the labels of their centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.as_indexed import ReadAsIndexed
from app.evaluation.frame_labels import FrameLabels
from app.evaluation.labelled import LabelledStretch, Stretch
from app.evaluation.picture_folder import RATE, pictures, pictures_between

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.media_workers import ReadMedia
    from encoder import ClipSpec

    Clip = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a video.

    Attributes:
        labelled: Where it is, and the labels of its centre.
        centre: Number of the frame in its middle, from 0; of an even number of frames, the second of the two.
    """

    labelled: LabelledStretch
    centre: int


def windows_of(video: FrameLabels, times: Sequence[float], *, span: int, stride: int) -> list[Window]:
    """Return the windows of a video that lie wholly in it and whose centre has labels.

    The label of a window is that of its centre: which frame of a window counts is not published for VideoPrism.

    Args:
        video: The video.
        times: When each of its frames is shown, in seconds from the first.
        span: Frames from the first to the last of a window, both included; 1 or more.
        stride: Frames from one centre to the next at least; 1 or more. Labels of every tenth frame give windows around
            these.

    Raises:
        ValueError: `span` or `stride` is below 1.
    """
    if span < 1 or stride < 1:
        raise ValueError(f"a window of 1 frame or more and a stride of 1 or more are needed, got {span} and {stride}")
    found: list[Window] = []
    following = span // 2
    for start in range(len(times) - span + 1):
        centre = start + span // 2
        labels = video.at(centre)
        if centre < following or labels is None:
            continue
        end = (
            times[start + span] if start + span < len(times) else 2 * times[-1] - times[-2] if len(times) > 1 else None
        )
        stretch = Stretch(video.path, float(times[start]), None if end is None else float(end))
        found.append(Window(LabelledStretch(stretch, labels, group=video.name, split=video.split), centre))
        following = centre + stride
    return found


def times_of(video: FrameLabels, read: ReadMedia) -> Sequence[float]:
    """Return when each frame of a video is shown, in seconds; of a folder of pictures, at its own rate.

    Raises:
        UnreadableVideo: It cannot be decoded.
        OSError: A folder of pictures cannot be read.
    """
    import os

    from indexer.media.frame_seconds import frame_seconds

    if os.path.isdir(video.path):
        known = pictures(video.path)
        return [number / RATE for number in range(min(known), max(known) + 1)] if known else []
    times: NDArray[np.float64] = read(frame_seconds, video.path, path=video.path)
    return [*map(float, times)]


class ReadWindow:
    """A ReadStretch that takes the frames of the stretch, or evenly spaced ones of them, as they are.

    From a window of T frames an encoder of T frames gets each of them, and from one of 5 T frames every fifth.
    """

    name = "frames"

    def __init__(self, read: ReadMedia) -> None:
        """Read with `read`, in worker processes for files that somebody else made."""
        self._read = read

    def __call__(self, stretch: Stretch, spec: ClipSpec) -> Clip:
        """Return uint8 (T, S, S, 3). Raises UnreadableVideo, OSError or ValueError."""
        import os

        from indexer.media.pictures import read_pictures

        if os.path.isdir(stretch.path):
            end = stretch.end_seconds
            paths = pictures_between(stretch.path, stretch.start_seconds or 0.0, 0.0 if end is None else end)
            return self._read(read_pictures, paths, spec, path=stretch.path)
        return ReadAsIndexed(self._read)(stretch, spec)
