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
            NoKeyFrames: During the iteration, before the second frame: no packet is that of a key frame, or these
                cannot be decoded without others.
        """
        super().__init__(source, reference_only=True, on_packet=on_packet)
        self.longest_seconds = 0.0
        self._dense, self._far, self._sparse = (
            round(seconds / source.time_base) for seconds in (DENSE_SECONDS, FAR_SECONDS, SPARSE_SECONDS)
        )
        self._held: list[Packet[Any]] = []  # a key frame that is not decoded yet, and what follows it
        self._held_bytes = 0
        self._between = False  # whether frames between key frames are decoded at the moment
        self._begun: int | None = None  # time of the last key frame that was read
        self._decoded_key: int | None = None  # time of the last one that was decoded
        self._sent: set[int | None] = set()  # times of those that the decoder has not returned yet
        self._keys = self._shown = 0  # key frames given to the decoder, and frames returned
        self._last_shown: int | None = None

    def _pictures(self, source: Source) -> Iterator[VideoFrame]:
        for picture in self._decoded(source):
            if self._is_wanted(picture):
                self._shown += 1
                yield picture
        if self._shown < min(2, self._keys):
            raise NoKeyFrames

    def _recover_end(self) -> Iterator[VideoFrame]:
        """Recover nothing: frames after the last key frame are missing on purpose."""
        return iter(())

    def _decoded(self, source: Source) -> Iterator[VideoFrame]:
        first: int | None = None
        for packet in self._packets(source):
            first = packet.pts if first is None else first
            if packet.is_keyframe:
                yield from self._end_group(packet.pts)
                self._held, self._held_bytes, self._begun = [packet], packet.size, packet.pts
                if packet.is_discard:  # the frames shown first are decoded from it
                    yield from self._decode_between()
            elif self._between:
                yield from self._from_decoder(packet)
            elif self._held:
                self._held.append(packet)
                self._held_bytes += packet.size
                if self._is_far(packet.pts, self._begun) or self._held_bytes > MAX_HELD_BYTES:
                    yield from self._decode_between()
            elif self._is_far(packet.pts, first):  # the first key frame should have come
                break
        yield from self._end_group(None)
        if not self._keys:
            raise NoKeyFrames

    def _is_far(self, pts: int | None, since: int | None) -> bool:
        return pts is not None and since is not None and pts - since > self._far

    def _end_group(self, next_key: int | None) -> Iterator[VideoFrame]:
        """Decode the key frame that is held, unless the next one is close enough to the last one decoded."""
        if self._between:
            yield from self._drained()
            self._between = False
            self.source.stream.codec_context.skip_frame = "DEFAULT"
            end = self._fed_to if next_key is None else next_key
            if self._is_far(end, self._begun):
                assert end is not None
                assert self._begun is not None
                self.longest_seconds = max(self.longest_seconds, float((end - self._begun) * self.source.time_base))
        elif self._held:
            before = self._decoded_key
            if before is None or next_key is None or next_key - before > self._dense:
                yield from self._key(self._held[0])
                yield from self._drained()
        self._held, self._held_bytes = [], 0

    def _decode_between(self) -> Iterator[VideoFrame]:
        """Decode what is held, and from now on what follows up to the next key frame, but what no other frame needs."""
        held, self._held, self._held_bytes, self._between = self._held, [], 0, True
        yield from self._key(held[0])
        self.source.stream.codec_context.skip_frame = "NONREF"
        for packet in held[1:]:
            yield from self._from_decoder(packet)

    def _key(self, packet: Packet[Any]) -> list[VideoFrame]:
        self._decoded_key = packet.pts
        self._keys += 1
        self._sent.add(packet.pts)
        return self._from_decoder(packet)

    def _drained(self) -> list[VideoFrame]:
        """Return the frames that the decoder still holds, and make it ready for another key frame.

        Without the frames in between, a decoder returns key frames of open groups in the wrong order.
        """
        pictures = self._from_decoder(None)
        self.source.stream.codec_context.flush_buffers()
        return pictures

    def _from_decoder(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        try:
            return self.source.stream.codec_context.decode(packet)
        except MemoryError:
            raise
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self.damaged += 1
            return []

    def _is_wanted(self, picture: VideoFrame) -> bool:
        """Return whether a decoded frame is a key frame, or far enough after the last one in between key frames."""
        if picture.pts in self._sent:
            self._sent.discard(picture.pts)
            if picture.pict_type in _PREDICTED:  # of a file that takes other frames for key frames
                if self._shown < 2:
                    raise NoKeyFrames
                self.damaged += 1
                return False
        elif picture.pts is not None and self._last_shown is not None and picture.pts - self._last_shown < self._sparse:
            return False
        self._last_shown = picture.pts
        return True
