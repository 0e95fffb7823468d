"""Facts of a source file that edit lists state: length, frame rate, timecode, size. One constructor per source."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.records import Subclip, Video


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """A source file as edit lists describe it. See TimelineClip for the meaning of the fields."""

    video_seconds: Fraction
    frame_rate: Fraction
    timecode: str = ""
    width: int = 0
    height: int = 0
    has_audio: bool = False

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
        )

    @classmethod
    def of_file(cls, path: str) -> SourceFacts | None:
        """Return what the file's own header says, or None if it cannot be opened. Decodes nothing."""
        from indexer.media.errors import UnreadableVideo
        from indexer.media.probe import open_source

        try:
            with open_source(path) as source:
                stream, container = source.stream, source.container
                return cls(
                    video_seconds=stream.duration * source.time_base
                    if stream.duration
                    else Fraction(container.duration or 0, 10**6),
                    frame_rate=source.nominal_rate,
                    timecode=source.timecode,
                    width=stream.codec_context.width,
                    height=stream.codec_context.height,
                    has_audio=source.has_audio,
                )
        except UnreadableVideo:
            return None
