"""Opening of video files. A file that is not a video raises UnreadableVideo with the reason in one sentence."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NoReturn

import av.error
from av.format import Flags
from av.stream import Disposition

from indexer.media.errors import UnreadableVideo
from indexer.media.nominal_rate import nominal_rate
from indexer.media.opening import open_media
from indexer.media.refusals import NO_DECODER, refused, why_not_decoded, why_not_opened
from indexer.media.stated_colours import StatedColours
from indexer.media.timecode import read_timecode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_THREADS = 8  # per decoder; each holds a frame, and more threads gain little

_PICTURE_BRANDS = frozenset({"heic", "heix", "heim", "heis", "mif1", "avif", "avis", "miaf"})
_PICTURE_FORMATS = frozenset({"gif", "apng", "ico", "webp", "webp_anim"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """An open video file: the container, the video stream that is shown, and facts known without decoding.

    Must not be used after the `with` block of `open_source`.
    """

    path: str
    container: InputContainer
    stream: VideoStream
    size_bytes: int
    modified_ns: int
    time_base: Fraction  # seconds per pts unit
    nominal_rate: Fraction  # frames per second, at which frames are counted: see indexer.media.nominal_rate
    sample_aspect: Fraction  # width of a pixel divided by its height
    colours: StatedColours
    codec: str
    has_audio: bool
    timecode: str  # of the first frame: hh:mm:ss:ff, drop-frame hh:mm:ss;ff; "" if the file has none
    may_be_picture: bool  # the container is also used for still pictures: a single frame is not a video

    @property
    def on_device(self) -> bool:
        """Whether a hardware device decodes it; certain once the first frame is decoded."""
        return bool(self.stream.codec_context.is_hwaccel)

    @property
    def decoding_times_only(self) -> bool:
        """Whether the container stores no presentation times, like AVI; see indexer.media.clock."""
        return self.container.format.name == "avi"

    @property
    def free_running_clock(self) -> bool:
        """Whether times come from a clock that may jump, as in transport and program streams; see `timeline`."""
        return Flags.ts_discont in Flags(self.container.format.flags)

    @property
    def seeks_exactly(self) -> bool:
        """Whether frames have the same times after a seek.

        MPEG program streams state the times of some frames only, and after a seek these go to the wrong frames.
        """
        return self.container.format.name != "mpeg"

    @property
    def high_bit_depth(self) -> bool:
        """Whether the pictures have more than 8 bits per channel."""
        pixels = self.stream.codec_context.format
        return pixels is not None and any(part.bits > 8 for part in pixels.components)

    @property
    def stated_seconds(self) -> Fraction | None:
        """Length of the whole file, sound included, as the container states it; None if it does not."""
        duration = self.container.duration  # microseconds
        return Fraction(duration, 10**6) if duration and duration > 0 else None

    @property
    def step(self) -> int:
        """pts units from one frame to the next at the nominal rate, at least 1."""
        return max(1, round(1 / (self.nominal_rate * self.time_base)))

    def check_unchanged(self) -> None:
        """Raise UnreadableVideo if the file was changed or removed since it was opened."""
        now = _stat(self.path)
        if (now.st_size, now.st_mtime_ns) != (self.size_bytes, self.modified_ns):
            raise UnreadableVideo(
                self.path, "error", "The file changed while it was read; index it again once it is complete."
            )


def _stat(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableVideo(path, "missing", "The file is no longer there.") from None
    except PermissionError:
        raise UnreadableVideo(path, "permission", "The file cannot be read; change its permissions.") from None
    except OSError as problem:
        raise read_error(path, problem) from problem


def read_error(path: str, problem: OSError) -> UnreadableVideo:
    """Return an operating system error on reading a file as UnreadableVideo of kind "error"."""
    return UnreadableVideo(
        path, "error", f"Reading stopped ({problem.strerror or problem}); check the disk or the connection and retry."
    )


@contextmanager
def open_source(path: str, *, threads: int = 0, device: str | None = None) -> Iterator[Source]:
    """Open a video file for decoding; a context manager.

    A still picture may be accepted as a video, because only decoding shows that it has one frame: see
    Source.may_be_picture.

    Args:
        path: Path of the file.
        threads: Decoder threads; 0 for one per core, at most MAX_THREADS.
        device: The device to decode on if it can, see `hardware.choose_device`; None for the CPU. Source.on_device
            reports which one is used.

    Returns:
        A Source, open within the `with` block.

    Raises:
        UnreadableVideo: If the file cannot be read or is not a video.
    """
    info = _stat(path)
    if not stat.S_ISREG(info.st_mode):
        what = "a folder" if stat.S_ISDIR(info.st_mode) else "not a regular file"
        raise UnreadableVideo(path, "not_video", f"This is {what}, not a video.")
    if info.st_size == 0:
        raise UnreadableVideo(path, "empty", "The file is empty (0 bytes).")
    try:
        container = open_media(path, device=device)
    except PermissionError:
        raise UnreadableVideo(path, "permission", "The file cannot be read; change its permissions.") from None
    except FileNotFoundError:
        raise UnreadableVideo(path, "missing", "The file is no longer there.") from None
    except OSError as problem:
        raise read_error(path, problem) from problem
    except MemoryError:
        raise
    except av.error.FFmpegError as problem:
        _raise_unreadable(path, problem)
    with container:
        yield _source(path, container, info, threads)


def _raise_unreadable(path: str, problem: av.error.FFmpegError) -> NoReturn:
    """Raise the error for a file that no demuxer accepts: a damaged video or something else."""
    try:
        kind, reason = why_not_opened(path)
    except OSError as second:
        raise read_error(path, second) from second
    raise UnreadableVideo(path, kind, reason) from problem


def shown_streams(container: InputContainer) -> list[VideoStream]:
    """Return the video streams of a container, without covers."""
    return [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]


def _source(path: str, container: InputContainer, info: os.stat_result, threads: int) -> Source:
    has_audio = bool(container.streams.audio)
    shown = shown_streams(container)
    if not shown:
        if has_audio:
            raise UnreadableVideo(path, "audio_only", "The file has sound but no video.")
        raise UnreadableVideo(path, "not_video", "The file has no video.")
    best = container.streams.best("video")
    stream = next((s for s in shown if best is not None and s.index == best.index), shown[0])
    context = stream.codec_context
    try:
        refusal = refused(path, container.format.name, stream.metadata)
        if refusal is None and context is None:
            refusal = why_not_decoded(path)
    except OSError as problem:
        raise read_error(path, problem) from problem
    if refusal is not None or context is None:
        raise UnreadableVideo(path, *(refusal or NO_DECODER))
    context.thread_type = "AUTO"
    context.thread_count = threads or min(MAX_THREADS, os.cpu_count() or 1)
    rate = nominal_rate(stream)
    name = container.format.name
    brand = container.metadata.get("major_brand", "").strip()
    return Source(
        path=path,
        container=container,
        stream=stream,
        size_bytes=info.st_size,
        modified_ns=info.st_mtime_ns,
        time_base=_fraction(stream.time_base) or Fraction(1, 1000),
        nominal_rate=rate,
        sample_aspect=_plausible_aspect(stream),
        colours=StatedColours.of(context),
        codec=context.codec.canonical_name,
        has_audio=has_audio,
        timecode=read_timecode(path, container, stream, rate),
        may_be_picture=name.endswith("_pipe")
        or name in _PICTURE_FORMATS
        or brand in _PICTURE_BRANDS
        or bool(stream.disposition & Disposition.still_image),
    )


def _fraction(value: Fraction | None) -> Fraction | None:
    """Return a fraction, or None if unknown: None in PyAV before 19, 0/1 since."""
    return Fraction(value.numerator, value.denominator) if value and value.denominator else None


def _plausible_aspect(stream: VideoStream) -> Fraction:
    found = _fraction(stream.sample_aspect_ratio)
    return found if found is not None and Fraction(1, 10) <= found <= 10 else Fraction(1)
