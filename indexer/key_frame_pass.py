"""The quick pass over a video: its key frames only, which divide it into coarse shots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from indexer.media.key_frames import KeyFrameDecoding, NoKeyFrames, has_key_frames
from indexer.notes import EVERY_FRAME_NOTE, key_frame_notes
from indexer.shots.key_segmenter import KeySegmenter
from indexer.video_pass import SegmentClip, VideoPass

if TYPE_CHECKING:
    from indexer.media.decode import Frame
    from indexer.media.probe import Source


class KeyFramePass(VideoPass):
    """A VideoPass that reads key frames, always on the CPU. Shots begin with key frames, and so do segments.

    Where key frames cannot be read alone, every frame is decoded as in a full pass, and the notes say so: a quick pass
    never costs more than a full one and a first stretch of the file that was read in vain.
    """

    def _passes(self) -> Iterator[SegmentClip]:
        try:
            yield from self._pass(self._read_key_frames)
        except NoKeyFrames:  # before a segment was complete
            self.frames, self.seconds_done = 0, 0.0
            yield from super()._passes()
            self.notes += (EVERY_FRAME_NOTE,)

    def _read_key_frames(self, source: Source) -> Iterator[SegmentClip]:
        if not has_key_frames(source):
            raise NoKeyFrames

        def segmenter_for(first: Frame) -> KeySegmenter:
            return KeySegmenter(source, first, self.specs, self.settings)

        decoding = KeyFrameDecoding(source, on_packet=self._raise_if_cancelled)
        yield from self._segmented(decoding, segmenter_for)
        self.notes += key_frame_notes(decoding.longest_seconds)
