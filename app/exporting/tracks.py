"""Contents of a file beside its pictures: sound tracks, subtitles, data, chapters, timecode, time of recording."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.media.probe import Source

_DISPOSITIONS = (
    "default", "dub", "original", "comment", "lyrics", "karaoke", "forced", "hearing_impaired", "visual_impaired",
    "clean_effects",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundTrack:
    """A sound track of a file."""

    index: int  # among all streams of the file
    number: int  # among its sound tracks, from 1
    time_base: Fraction = Fraction(1, 48_000)  # seconds per unit of its times
    codec: str = ""  # FFmpeg's name; "" if there is no decoder for it
    sample_rate: int = 0  # per second, as the header states it; it may change within the file
    channels: int = 0
    layout: str = ""  # FFmpeg's name: mono, stereo, 5.1(side) ...; "" if the file does not say what the channels are
    sample_format: str = ""  # FFmpeg's name, of decoded samples
    language: str = ""
    title: str = ""
    disposition: str = "0"  # as ffmpeg's option takes it: default+dub


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter: a range in seconds of the container's own time, and its title."""

    start: Fraction
    end: Fraction
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """The rest of a file."""

    sound_tracks: int = 0  # how many there are
    subtitles: tuple[int, ...] = ()  # indices among all streams
    data_tracks: int = 0  # of telemetry and the like; timecode and chapter tracks are not counted
    chapters: tuple[Chapter, ...] = ()
    timecode: str = ""  # of the first frame shown; "": none
    creation_time: str = ""  # as the file states it
    comment: str = ""  # likewise


NO_EXTRAS = Extras()


def sound_tracks(source: Source) -> tuple[SoundTrack, ...]:
    """Return the sound tracks of an open file, in its order."""
    from indexer.media.facts import audio_tracks

    streams = source.container.streams.audio
    tracks = []
    for number, (stream, facts) in enumerate(zip(streams, audio_tracks(source), strict=True), start=1):
        context = stream.codec_context
        sample_format = None if context is None else context.format
        set_ = [each.name for each in stream.disposition if each.name in _DISPOSITIONS]
        tracks.append(
            SoundTrack(
                index=stream.index,
                number=number,
                time_base=Fraction(stream.time_base or 1),
                codec=facts.codec,
                sample_rate=0 if context is None else context.sample_rate,
                channels=facts.channels,
                layout=facts.layout,
                sample_format="" if sample_format is None else sample_format.name,
                language=facts.language,
                title=facts.title,
                disposition="+".join(map(str, set_)) or "0",
            )
        )
    return tuple(tracks)


def extras(source: Source) -> Extras:
    """Return what else an open file holds."""
    streams = source.container.streams
    chapters = tuple(
        Chapter(
            chapter["start"] * (chapter["time_base"] or Fraction(0)),
            chapter["end"] * (chapter["time_base"] or Fraction(0)),
            str(chapter["metadata"].get("title", "")),
        )
        for chapter in source.container.chapters()
    )
    # In MP4, chapters are a track as well, which FFmpeg reads as data.
    data = [stream for stream in streams.data if "timecode" not in stream.metadata]
    metadata = {key.lower(): value for key, value in source.container.metadata.items()}
    return Extras(
        sound_tracks=len(streams.audio),
        subtitles=tuple(stream.index for stream in streams.subtitles),
        data_tracks=max(0, len(data) - bool(chapters and source.container.format.name.startswith("mov"))),
        chapters=chapters,
        timecode=source.timecode,
        creation_time=metadata.get("creation_time", ""),
        comment=metadata.get("comment", ""),
    )
