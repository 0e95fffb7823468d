"""A subtitle track in a clip: an input of ffmpeg beside the pictures, in all modes of cutting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.exporting.clip_words import without_overlaps
from app.exporting.graph import WORDS, microseconds, repeated
from app.exporting.words.cue_files import srt_bytes, substation_bytes, vtt_bytes
from indexer.text.languages import iso_639_2

if TYPE_CHECKING:
    from app.exporting.survey import Survey

_ENCODED = {"mp4": "mov_text", "mov": "mov_text", "matroska": "copy", "webm": "copy"}
_NO_STYLE = "Default,sans-serif,16,&HFFFFFF,&HFFFFFF,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1"


@dataclass(frozen=True, slots=True)
class WordsTrack:
    """What a subtitle track adds to a graph: streams, output options, and files by their placeholders."""

    streams: list[Any] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def wants_track(survey: Survey) -> bool:
    """Return whether a clip is to get a subtitle track."""
    return survey.words is not None and survey.words.place == "track"


def can_hold_track(format_name: str) -> bool:
    """Return whether a container holds text, by FFmpeg's name."""
    return format_name in _ENCODED


@contextmanager
def words_track(
    survey: Survey,
    draft: Path,
    format_name: str,
    *,
    start_seconds: Fraction | None = None,
    offset_seconds: Fraction = Fraction(0),
) -> Iterator[WordsTrack]:
    """Write the cues of a clip to a temporary file, and yield what a graph needs to make a track of it.

    Args:
        survey: The range, with the words.
        draft: The clip that is written. If this run is killed, a later one sweeps the file together with it.
        format_name: FFmpeg's name of the container, which can_hold_track.
        start_seconds: Time of the clip's first frame, from the first frame shown; None for that of the survey.
        offset_seconds: Time of that frame in the output, before ffmpeg shifts what it copies.
    """
    words = survey.words
    cues = []
    if words is not None and words.place == "track":
        cues = words.cues(survey.start_seconds if start_seconds is None else start_seconds, survey.end_seconds)
    if words is None or not cues:
        yield WordsTrack()
        return
    import ffmpeg

    codec = _ENCODED[format_name]
    if codec == "mov_text":  # from SubRip, ffmpeg would take markup over
        kind, content = "ass", substation_bytes(without_overlaps(cues), _NO_STYLE, (384, 288), drawn=False)
    elif format_name == "webm":
        kind, content = "webvtt", vtt_bytes(cues)
    else:
        kind, content = "srt", srt_bytes(cues)
    file = draft.with_name(f"{draft.name}-words")
    file.write_bytes(content)
    reading = {"itsoffset": microseconds(offset_seconds)} if offset_seconds else {}
    options = {
        "c:s": codec,
        "metadata:s:s:0": repeated(f"language={iso_639_2(words.language)}", f"title={words.title}"),
        "disposition:s:0": "default",
    }
    try:
        yield WordsTrack([ffmpeg.input(WORDS, f=kind, **reading)["s:0"]], options, {WORDS: file})
    finally:
        file.unlink(missing_ok=True)
