"""Forecast of what cutting a clip will yield, made without cutting it, so that it can be named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from app.exporting.request import ClipRequest, ExportMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Start and end of the frames that a clip will hold, in seconds from the first frame shown, and its suffix."""

    path: str  # of the source, which may be a copy of the one requested
    start_seconds: Fraction
    end_seconds: Fraction
    suffix: str


def forecast_clip(request: ClipRequest, mode: ExportMode, pad: Fraction, audio: str) -> Forecast:
    """Look at the source of a clip as an export does before it cuts.

    The suffix is that of a source which is as sound as it seems: damage that shows only while a clip is cut can make it
    another one.

    Args:
        request: The clip. Of its words, only the place counts: not every container holds a track of them.
        mode: How it would be cut.
        pad: Handles in seconds.
        audio: The sound tracks, as `audio_choice.parse_audio` returns them.

    Raises:
        UnreadableVideo: The file is missing or broken.
        ExportError: It is not what was indexed, or no frame lies in the range.
    """
    from app.exporting.copy_containers import copy_suffix
    from app.exporting.ffmpeg_binary import ExportError
    from app.exporting.smart.intra import SUFFIX, cannot_copy
    from app.exporting.sound import clip_container, select_sound
    from app.exporting.sources import Sources
    from app.exporting.survey import survey_range

    found = Sources().find(request)
    if found.problem:
        raise ExportError(found.problem)
    start, end = request.padded(pad)
    seen = survey_range(found.path, start, end, decoding=False, clock_jumps=request.clock_jumps)
    survey = replace(select_sound(seen, audio), words=request.words)
    if mode == "copy":
        suffix = copy_suffix(survey)
    elif mode == "smart" and survey.intra_only and not cannot_copy(survey):
        suffix = SUFFIX
    else:
        suffix = clip_container(survey.sound)[0]
    return Forecast(path=found.path, start_seconds=survey.start_seconds, end_seconds=survey.end_seconds, suffix=suffix)
