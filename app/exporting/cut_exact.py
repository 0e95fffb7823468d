"""Exact cutting (`exact` mode): precisely the frames of the range, encoded again.

H.264 with CRF 18 in 8-bit 4:2:0. Sources with more bits per channel (10-bit, HDR) become HEVC Main 10, so that neither
depth nor colour tags are lost. Frames keep their own times, so a variable frame rate stays variable. Interlaced frames
stay interlaced in H.264; in HEVC they are deinterlaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.clip_tags import joined_notes, tag_options
from app.exporting.cut import Cut
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.fields import encoding_options, field_note, keeps_fields, reading_options, treat_fields
from app.exporting.graph import (
    LEAD_SECONDS,
    QUIET,
    SOURCE,
    SPHERICAL_MP4,
    TARGET,
    OnProgress,
    last_duration_filter,
    ratio,
    run_graph,
    seek_options,
    time_units,
    trim_pictures,
)
from app.exporting.sound import clip_container, decode_sound, leave_out_broken, sound_output
from app.exporting.survey import Survey
from app.exporting.words.burning import burning
from app.exporting.words.track import words_track

CRF = 18
"""Constant rate factor of x264 and x265 for exact clips, and for the encoded edges of smart ones."""
PRESET = "medium"
Draw = Callable[[Any], Any]
"""Draws into a stream of pictures, of which the first is at 0."""
_FRAMES = re.compile(r"^frame=\s*(\d+)\s*$", re.MULTILINE)


def cut_exact(program: str, survey: Survey, draft: Path, on_progress: OnProgress | None = None) -> Cut:
    """Encode exactly the frames of the range, and the sound tracks of the survey, as an MP4 file (see `sound`).

    The number of frames that ffmpeg reports is compared with the survey's. If a seek landed too late, reading begins
    earlier.

    Args:
        program: The ffmpeg program.
        survey: The range to cut.
        draft: The file to write; replaced if it exists.
        on_progress: Called with the finished share, 0 to 1.

    Returns:
        The written file. `note` says if frames are missing because the source is damaged, if they were deinterlaced, or
        if a sound track could not be decoded.

    Raises:
        ExportError: No frame of the range can be decoded, or ffmpeg failed.
    """
    with burning(program, survey) as (draw, note):
        cut = _cut(program, survey, draft, on_progress, draw)
        return replace(cut, note=joined_notes(cut.note, note))


def _cut(program: str, survey: Survey, draft: Path, on_progress: OnProgress | None, draw: Draw) -> Cut:
    wanted, before = len(survey.pts), -1
    for lead in LEAD_SECONDS if survey.seekable else (None,):
        cut = _encode_with_fallback(program, survey, draft, lead, on_progress, draw)
        cut = replace(cut, note=joined_notes(field_note(survey), cut.note))
        if cut.frames == wanted:
            return cut
        if cut.frames == before:
            break  # not a seek that landed too late: reading from further back brought nothing
        before = cut.frames
    if cut.frames == 0:
        raise ExportError("ffmpeg could decode no frame of the range; the file is damaged there")
    damage = f"{cut.frames} of {wanted} frames, because the file is damaged there"
    return replace(cut, note=joined_notes(damage, cut.note))


def _encode_with_fallback(
    program: str, survey: Survey, draft: Path, lead: Fraction | None, on_progress: OnProgress | None, draw: Draw
) -> Cut:
    """Encode the range, without the sound tracks that cannot be decoded."""
    frames, kept, note = leave_out_broken(
        survey.sound,
        lambda tracks: _encode(program, replace(survey, sound=tracks), draft, lead, on_progress, draw),
        lambda track: decode_sound(program, survey, track, lead),
    )
    return Cut(suffix=clip_container(kept)[0], frames=frames, has_audio=bool(kept), note=note or None)


def _encode(
    program: str, survey: Survey, draft: Path, lead: Fraction | None, on_progress: OnProgress | None, draw: Draw
) -> int:
    """Return the number of frames written."""
    import ffmpeg

    def read_line(line: str) -> None:
        if on_progress is not None and (count := _FRAMES.fullmatch(line)):
            on_progress(min(1.0, int(count[1]) / len(survey.pts)))

    reading = seek_options(survey, survey.container_seconds(survey.pts[0]), lead) | reading_options(survey)
    source = ffmpeg.input(SOURCE, **reading)
    sound, sound_options = sound_output(survey, source)
    _, format_name = clip_container(survey.sound)
    units = time_units(survey)
    options: dict[str, Any] = {
        "f": format_name,
        "fps_mode:v": "passthrough",
        # Explicit, because ffmpeg would otherwise round times to its guess of a constant frame rate.
        "enc_time_base:v": ratio(units),
        "c:v": "libx265" if survey.high_bit_depth else "libx264",
        "crf": CRF,
        "preset": PRESET,
        "pix_fmt": "yuv420p10le" if survey.high_bit_depth else "yuv420p",
        "bsf:v": last_duration_filter(_length(survey, units)),
        "movflags": "+faststart",
        "map_chapters": -1,
    }
    if survey.high_bit_depth:
        # hvc1: Apple's players accept HEVC only under this tag.
        options |= {"tag:v": "hvc1", "x265-params": "log-level=error"}
    options |= encoding_options(survey) | SPHERICAL_MP4
    if survey.is_variable:
        options["bf"] = 0  # reordered frames of a variable rate have decoding times that do not add up to the length
    options |= sound_options | tag_options(survey, survey.start_seconds, format_name, copying=False)
    picture = draw(_picture(source[str(survey.video_index)], survey))
    with words_track(survey, draft, format_name) as words:
        report = run_graph(
            [program, *QUIET, "-progress", "pipe:1"],
            ffmpeg.output(picture, *sound, *words.streams, TARGET, **options, **words.options),
            {SOURCE: survey.path, TARGET: draft, **words.files},
            read_line if on_progress else None,
        )
    counts = _FRAMES.findall(report)
    return int(counts[-1]) if counts else 0


def _length(survey: Survey, units: Fraction) -> int:
    """Return the length of the clip in units of its own time base."""
    if survey.seekable:
        return round((survey.end_pts - survey.pts[0]) * survey.time_base / units)
    return len(survey.pts)


def _picture(stream: Any, survey: Survey) -> Any:
    """Trim to the frames of the range, the first of them at 0. ffmpeg itself applies the rotation."""
    stream = treat_fields(trim_pictures(stream, survey, survey.pts[-1] + 1), survey)
    if survey.is_hdr and survey.colours is not None:  # ffmpeg loses what the container alone states
        tags = survey.colours
        stream = stream.filter(
            "setparams", color_primaries=tags.primaries, color_trc=tags.transfer, colorspace=tags.matrix
        )
    stream = stream.filter("crop", "max(2,trunc(iw/2)*2)", "max(2,trunc(ih/2)*2)", 0, 0)
    if survey.is_rgb:
        # Tagged in the file, because players otherwise guess the matrix from the picture size.
        interlaced = {"interl": 1} if keeps_fields(survey) else {}
        stream = stream.filter("scale", out_color_matrix="bt709", out_range="tv", **interlaced)
        stream = stream.filter("format", "yuv420p10le" if survey.high_bit_depth else "yuv420p")
        stream = stream.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv")
    return stream
