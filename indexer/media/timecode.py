"""The timecode of a file's first frame, from wherever its container keeps one."""

from __future__ import annotations

import re
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING

import av.error

from indexer.media.errors import UnreadableVideo
from indexer.media.opening import open_media

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_TIMECODE = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)([:;.,])(\d{2,3})", re.ASCII)
_HANDLER = re.compile(r"time ?code|tcd", re.IGNORECASE)  # names of QuickTime's handlers of timecode tracks
_SAMPLE_BYTES = 4  # of a timecode track: the number of the frame


def read_timecode(path: str, container: InputContainer, stream: VideoStream, rate: Fraction) -> str:
    """Return the timecode of the first frame, hh:mm:ss:ff or in drop-frame hh:mm:ss;ff; "" if the file has none.

    QuickTime stores it in a separate track (tmcd), MXF in the container, MPEG-2 and others in the stream. The video
    stream takes precedence.

    Args:
        path: The file, which is opened a second time if FFmpeg does not tell what its timecode track says.
        container: The open file.
        stream: The video stream.
        rate: Nominal, in frames per second.
    """
    others = [other for other in container.streams if other.index != stream.index]
    for metadata in (stream.metadata, container.metadata, *(other.metadata for other in others)):
        stated = next((value for key, value in metadata.items() if key.lower() == "timecode"), "")  # Matroska: TIMECODE
        found = _TIMECODE.fullmatch(stated.strip())
        if found is not None:
            hours, minutes, seconds, mark, frames = found.groups()
            # Some writers use a point or a comma for drop-frame.
            return f"{hours}:{minutes}:{seconds}{':' if mark == ':' else ';'}{frames}"
    tracks = [each.index for each in container.streams.data if _HANDLER.search(each.metadata.get("handler_name", ""))]
    return _from_track(path, tracks[0], rate) if tracks else ""


def _from_track(path: str, index: int, rate: Fraction) -> str:
    """Return the timecode of a timecode track as a count of frames, or "" if it cannot be read.

    FFmpeg is silent about a track that is marked as drop-frame at a rate where no frame can be dropped, such as 24. A
    file without any timecode that FFmpeg knows has its frames counted without dropping here.
    """
    base = max(1, round(rate))
    with (
        suppress(av.error.FFmpegError, OSError, UnreadableVideo, StopIteration),
        open_media(path) as container,
    ):
        sample = bytes(next(container.demux(container.streams[index])))
        if len(sample) == _SAMPLE_BYTES:
            seconds, frames = divmod(int.from_bytes(sample, "big"), base)
            hours, minutes = seconds // 3600 % 24, seconds // 60 % 60
            return f"{hours:02}:{minutes:02}:{seconds % 60:02}:{frames:02}"
    return ""
