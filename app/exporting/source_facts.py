"""Facts of a source file that edit lists state: length, frame rates, timecode, size, sound. One constructor per source.

All of them have what a header states from one reader, `indexer.media.facts`: through the library, or now from the file.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from app.timelines.timecode import counted_rate

if TYPE_CHECKING:
    from db.media_facts import AudioTrack, FieldOrder, MediaFacts
    from db.records import Subclip, Video
    from indexer.media.interlacing import FieldsSeen
    from indexer.media.probe import Source

_VARIES = Fraction(1, 100)
"""Relative difference of average and nominal rate from which on a rate varies. Below, some frames were dropped."""
_FEW_FRAMES = 3  # missing or too many: no sign of a rate that varies, in however short a video

_DURATION = re.compile(r"(\d+):(\d{2}):(\d{2}(?:\.\d{1,9})?)")
_MIN_BYTES = 1000  # of a video per second; where a clock jumps, a header counts hours that the file does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """A source file as edit lists describe it. See TimelineClip for the meaning of the fields."""

    video_seconds: Fraction
    frame_rate: Fraction
    stated_rate: Fraction | None = None
    timecode: str = ""
    width: int = 0
    height: int = 0
    square_pixels: bool = True
    has_audio: bool = False
    audio: tuple[AudioTrack, ...] = ()
    field_order: FieldOrder = ""
    reel: str = ""

    @property
    def rate(self) -> Fraction:
        """The rate at which frames of the file are numbered, on the page and in tables."""
        return counted_rate(self.stated_rate or self.frame_rate)

    @property
    def varies(self) -> bool:
        """Whether the frame rate is known to vary."""
        if self.stated_rate is None:
            return False
        difference = abs(self.frame_rate - self.stated_rate)
        return difference > _VARIES * self.stated_rate and difference * self.video_seconds > _FEW_FRAMES

    @classmethod
    def of_video(cls, video: Video) -> SourceFacts:
        """Return the facts of an indexed video."""
        return cls(
            video_seconds=(video.end_pts - video.start_pts) * video.time_base,
            frame_rate=video.frame_rate,
            timecode=video.timecode,
            width=video.width,
            height=video.height,
            has_audio=video.has_audio,
            **_stated(video.facts),
        )

    @classmethod
    def of_subclip(cls, subclip: Subclip) -> SourceFacts:
        """Return the facts of the video that a subclip was taken from, which need not be in the library any more."""
        return cls(
            video_seconds=(subclip.video_end_pts - subclip.video_start_pts) * subclip.time_base,
            frame_rate=subclip.frame_rate,
            timecode=subclip.timecode,
            width=subclip.width,
            height=subclip.height,
            has_audio=subclip.has_audio,
            **_stated(subclip.facts),
        )

    @classmethod
    def of_file(cls, path: str) -> SourceFacts | None:
        """Return what the file itself says, or None if it cannot be opened.

        Decodes one frame, and reads through the packets of a file whose header claims an absurd length.
        """
        from indexer.media.errors import UnreadableVideo
        from indexer.media.facts import read_facts
        from indexer.media.interlacing import FieldsSeen
        from indexer.media.nominal_rate import MAX_RATE
        from indexer.media.probe import open_source

        try:
            with open_source(path) as source:
                average, fields = Fraction(source.stream.average_rate or 0), FieldsSeen(source)
                width, height = _look(source, fields)
                facts = read_facts(source, fields)
                return cls(
                    video_seconds=_length(source),
                    # FFmpeg states an average of 60,000 for raw DV.
                    frame_rate=average if 0 < average <= MAX_RATE else facts.nominal_rate,
                    timecode=source.timecode,
                    width=width,
                    height=height,
                    has_audio=source.has_audio,
                    **_stated(facts),
                )
        except UnreadableVideo:
            return None


def _stated(facts: MediaFacts | None) -> dict[str, Any]:
    """Return the fields that a header states; none for a video indexed by a version that did not read them."""
    if facts is None:
        return {}
    return {
        "stated_rate": facts.nominal_rate,
        "square_pixels": facts.sample_aspect == 1,
        "audio": facts.audio,
        "field_order": facts.field_order,
        "reel": facts.reel,
    }


def _look(source: Source, fields: FieldsSeen) -> tuple[int, int]:
    """Return width and height as shown; as coded if the first frame is damaged.

    Only that frame has the rotation, and knows surely whether it is interlaced, which goes to `fields`.
    """
    from indexer.media.decode import Decoding
    from indexer.media.errors import UnreadableVideo
    from indexer.media.orientation import Orientation

    width, height = source.stream.codec_context.width, source.stream.codec_context.height
    orientation = Orientation()
    with suppress(UnreadableVideo):
        for frame in Decoding(source):
            width, height, orientation = frame.picture.width, frame.picture.height, Orientation.of(frame.picture)
            fields.look(frame.picture)
            break
    return orientation.shown_size(width, height, float(source.sample_aspect))


def _length(source: Source) -> Fraction:
    """Return the length in seconds, as stated unless that is absurd and the clock of the file jumps."""
    from indexer.media.clock_map import clock_map

    stated = _stated_length(source)
    if source.size_bytes >= _MIN_BYTES * stated:
        return stated
    clock = clock_map(source.path)
    if clock is None:
        return stated
    first, last = clock.pieces[0], clock.pieces[-1]
    return (last.end + last.shift + source.step - first.start - first.shift) * source.time_base


def _stated_length(source: Source) -> Fraction:
    """Return the length of the pictures in seconds by the header; 0 if it states none.

    Matroska states the end of the whole file, sound included, and often that of each stream in a tag: both count from
    0, even if the first frame comes later.
    """
    stream = source.stream
    if stream.duration:
        return stream.duration * source.time_base
    tag = _DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    if tag is None:
        end = source.stated_seconds or Fraction(0)
    else:
        end = 3600 * int(tag[1]) + 60 * int(tag[2]) + Fraction(tag[3])
    begin = max(0, stream.start_time or 0) * source.time_base
    return end - begin if end > begin else end
