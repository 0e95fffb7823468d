"""Decoding of the key frames of a video, and of a few frames where key frames are far apart.

The demuxer reads the whole file, as packets state when frames are shown; the decoder gets packets of key frames only.
That is 0.05 of the cost of decoding every frame with a key frame every 2 to 6 s, 0.2 to 0.4 with one each second. Where
every frame is a key frame (ProRes, MJPEG), one is decoded each second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import av.error
from av.video.frame import PictureType

from indexer.media.decode import Decoding
from indexer.media.frame_times import has_frame_times

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

    from indexer.media.probe import Source

DENSE_SECONDS = 0.9
"""A key frame is left out if the next one is no more than this after the last one that was decoded."""

FAR_SECONDS = 12.0
"""So long after a key frame without another, frames in between are decoded. x264 makes one every 10 s, if no more."""

SPARSE_SECONDS = 2.0
"""Between frames that are decoded in between."""

MAX_HELD_BYTES = 64 * 1024 * 1024
"""Of packets since the last key frame, kept to be decoded if no other one follows. More are decoded earlier."""

_PREDICTED = frozenset((PictureType.P, PictureType.B))


class NoKeyFrames(Exception):
    """The key frames of a file cannot be read alone."""


def has_key_frames(source: Source) -> bool:
    """Return whether packets of a source state which frames are key frames, and when each frame is shown."""
    return has_frame_times(source)


class KeyFrameDecoding(Decoding):
    """Decodes the key frames of one source, for which `has_key_frames` holds; iterate it once.

    All other frames count as skipped: their times come with the key frames.

    Attributes:
        longest_seconds: The longest time from one key frame to the next where frames in between were decoded; else 0.
    """

    def __init__(self, source: Source, *, on_packet: Callable[[], None] = lambda: None) -> None:
        """Prepare to decode; see `Decoding`.

        Raises:
            NoKeyFrames: During the iteration, before the first frame: no packet is that of a key frame, or none of them
                can be decoded without others.
        """
        super().__init__(source, reference_only=True, on_packet=on_packet)
        self.longest_seconds = 0.0
        self._sent: set[int | None] = set()  # times of key frames that the decoder has not returned yet
        self._last_shown: int | None = None
        self._held: list[Packet[Any]] = []  # a key frame that is not decoded yet, and what follows it
        self._held_bytes = 0
        self._between = False  # whether frames between key frames are decoded at the moment
        self._decoded_key: int | None = None  # time of the last key frame that was decoded

    def _pts_of(self, seconds: float) -> int:
        return round(seconds / self.source.time_base)

    def _pictures(self, source: Source) -> Iterator[VideoFrame]:
        first = True
        for picture in self._all_pictures(source):
            if self._is_wanted(picture):
                first = False
                yield picture
        if first:
            raise NoKeyFrames

    def _recover_end(self) -> Iterator[VideoFrame]:
        """Recover nothing: frames after the last key frame are missing on purpose."""
        return iter(())

    def _all_pictures(self, source: Source) -> Iterator[VideoFrame]:
        far = self._pts_of(FAR_SECONDS)
        begun: int | None = None  # time of the key frame of the packets that are read
        for packet in self._packets(source):
            if packet.is_keyframe:
                yield from self._end_group(packet.pts)
                self._held, self._held_bytes = [packet], packet.size
                begun = packet.pts
                if packet.is_discard:  # the frames shown first are decoded from it
                    yield from self._decode_between()
                continue
            if self._between:
                yield from self._sent_to_decoder(packet)
                continue
            if not self._held:  # what precedes the first key frame
                continue
            self._held.append(packet)
            self._held_bytes += packet.size
            late = packet.pts is not None and begun is not None and packet.pts - begun > far
            if late or self._held_bytes > MAX_HELD_BYTES:
                yield from self._decode_between()
        yield from self._end_group(None)
        yield from self._sent_to_decoder(None)

    def _end_group(self, next_key: int | None) -> Iterator[VideoFrame]:
        """Decode the key frame that is held, unless the next one is close enough to the last one decoded."""
        if self._between:
            self._between = False
            self.source.stream.codec_context.skip_frame = "DEFAULT"
        elif self._held:
            key = self._held[0]
            times = self._decoded_key, next_key, key.pts
            if None in times or next_key - self._decoded_key > self._pts_of(DENSE_SECONDS):  # type: ignore[operator]
                self._decoded_key = key.pts
                self._sent.add(key.pts)
                yield from self._sent_to_decoder(key)
        self._held, self._held_bytes = [], 0

    def _decode_between(self) -> Iterator[VideoFrame]:
        """Decode what is held, and what follows up to the next key frame, but for frames that no other needs."""
        held, self._held, self._held_bytes, self._between = self._held, [], 0, True
        self._decoded_key = held[0].pts
        if not held[0].is_discard:
            self._sent.add(held[0].pts)
        yield from self._sent_to_decoder(held[0])
        self.source.stream.codec_context.skip_frame = "NONREF"
        for packet in held[1:]:
            yield from self._sent_to_decoder(packet)

    def _sent_to_decoder(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        try:
            return self.source.stream.codec_context.decode(packet)
        except (MemoryError, av.error.EOFError):
            if packet is None:
                return []
            raise
        except av.error.FFmpegError:
            self.damaged += 1
            return []

    def _is_wanted(self, picture: VideoFrame) -> bool:
        """Return whether a decoded frame is a key frame, or far enough after the last one in between key frames."""
        since = None if None in (picture.pts, self._last_shown) else picture.pts - self._last_shown  # type: ignore[operator]
        if picture.pts in self._sent:
            self._sent.discard(picture.pts)
            if picture.pict_type in _PREDICTED:  # a file that takes every frame for a key frame
                self.damaged += 1
                return False
        elif since is not None and since < self._pts_of(SPARSE_SECONDS):
            return False
        elif since is not None:
            self.longest_seconds = max(self.longest_seconds, float(since * self.source.time_base))
        self._last_shown = picture.pts
        return True
