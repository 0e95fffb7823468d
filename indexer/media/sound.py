"""The sound of a video as speech recognition takes it: mono, 16 kHz, from the first frame shown to the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av.error
import numpy as np
from av.audio.resampler import AudioResampler
from av.stream import Discard

from indexer.media.packets import read_packets
from indexer.media.probe import open_source
from indexer.media.timeline import Timeline, stamp_of, watched_streams

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from numpy.typing import NDArray

    from indexer.media.probe import Source

    Samples = NDArray[np.float32]

RATE = 16_000
_TOLERANCE = RATE // 10  # by which times may differ from the samples before; more is a gap, or an overlap
_LONGEST_SILENCE = 5 * RATE  # of one block


def read_sound(
    path: str, *, start: Fraction, seconds: Fraction, on_packet: Callable[[], None] = lambda: None
) -> Iterator[Samples]:
    """Decode the track that a player would choose, in blocks of at most a few seconds. Damaged packets are skipped.

    Gaps become silence, so that a sample's place tells its time. Nothing is read without a sound track.

    Args:
        path: The video.
        start: When its first frame is shown, in seconds on the clock of the file.
        seconds: How long it is shown; sound before and after is left out.
        on_packet: Called for every packet; its exceptions end the iteration.

    Yields:
        float32 (n,), -1 to 1.

    Raises:
        UnreadableVideo: The file cannot be opened, or not be read any further.
    """
    with open_source(path, threads=1) as source:
        stream = _track(source)
        if stream is not None:
            yield from _placed(_decoded(source, stream, on_packet), start=start, end=round(seconds * RATE))


def _track(source: Source) -> AudioStream | None:
    """Return the sound track that FFmpeg considers the best; None without one that can be decoded."""
    best = source.container.streams.best("audio")
    known = [stream for stream in source.container.streams.audio if stream.codec_context is not None]
    return next((stream for stream in known if best is not None and stream.index == best.index), None) or next(
        iter(known), None
    )


def _decoded(
    source: Source, stream: AudioStream, on_packet: Callable[[], None]
) -> Iterator[tuple[Fraction | None, Samples]]:
    """Yield samples with the time of the first of them, in seconds; None where the file does not state it."""
    timeline = Timeline.of(source)
    wanted = sorted({stream.index, *(watched_streams(source) if source.free_running_clock else ())})
    for each in source.container.streams:
        if each.index not in wanted:
            each.discard = Discard.all
    convert = _Converter()
    shift = Fraction(0)
    for packet in read_packets(source, wanted):
        on_packet()
        if packet.stream_index == source.stream.index:
            timeline.picture(stamp_of(packet, source.time_base))
            continue
        timeline.sound(packet.stream_index, stamp_of(packet, source.time_base))
        if packet.stream_index == stream.index:
            shift = timeline.shift * source.time_base
            yield from _samples(stream, packet, convert, shift)
    yield from _samples(stream, None, convert, shift)
    yield None, convert(None)


def _samples(
    stream: AudioStream, packet: Any, convert: _Converter, shift: Fraction
) -> Iterator[tuple[Fraction | None, Samples]]:
    try:
        frames = stream.codec_context.decode(packet)
    except MemoryError:
        raise
    except av.error.FFmpegError:
        return
    for frame in frames:
        at = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base + shift
        yield at, convert(frame)


class _Converter:
    """Converts frames of any format to mono float32 at `RATE`; the format may change midway."""

    def __init__(self) -> None:
        self._format: tuple[object, ...] | None = None
        self._resampler = _resampler()

    def __call__(self, frame: AudioFrame | None) -> Samples:
        """Return the samples that are ready; None asks for the last ones."""
        if frame is not None:
            layout = frame.format.name, frame.layout.name, frame.sample_rate
            if self._format not in (None, layout):
                self._resampler = _resampler()
            self._format = layout
        elif self._format is None:
            return np.empty(0, np.float32)
        made = [np.asarray(each.to_ndarray(), np.float32).reshape(-1) for each in self._resampler.resample(frame)]
        return np.nan_to_num(np.concatenate(made)).clip(-1, 1) if made else np.empty(0, np.float32)


def _resampler() -> AudioResampler:
    return AudioResampler(format="flt", layout="mono", rate=RATE)


def _placed(decoded: Iterator[tuple[Fraction | None, Samples]], *, start: Fraction, end: int) -> Iterator[Samples]:
    """Yield samples without gaps, from `start` on, `end` at most: silence where there are none."""
    done = 0
    for at, samples in decoded:
        if done >= end:
            return
        off = 0 if at is None else round((at - start) * RATE) - done
        if off > _TOLERANCE:
            gap = min(off, end - done)
            for first in range(0, gap, _LONGEST_SILENCE):
                yield np.zeros(min(_LONGEST_SILENCE, gap - first), np.float32)
            done += gap
        elif off < -_TOLERANCE or (done == 0 and off < 0):
            samples = samples[-off:]
        samples = samples[: end - done]
        if len(samples):
            yield samples
            done += len(samples)
