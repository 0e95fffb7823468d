"""Exact cutting (`exact` mode): precisely the frames of the range, encoded again.

H.264 with CRF 18 in 8-bit 4:2:0. Sources with more bits per channel (10-bit, HDR) become HEVC Main 10, so that neither
depth nor colour tags are lost. Frames keep their own times, so a variable frame rate stays variable. Interlaced frames
stay interlaced in H.264; in HEVC they are deinterlaced.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.cut import Cut
from app.exporting.ffmpeg_binary import ExportError, OutsideError
from app.exporting.fields import encoding_options, field_note, keeps_fields, reading_options, treat_fields
from app.exporting.graph import (
    AUDIO_BITRATE,
    LEAD_SECONDS,
    MAX_TIME_BASE_HZ,
    QUIET,
    SOURCE,
    TARGET,
    OnProgress,
    audio_filters,
    ratio,
    run_graph,
    seek_options,
)
from app.exporting.survey import Survey

CRF = 18
"""Constant rate factor of x264 and x265 for exact clips, and for the encoded edges of smart ones."""
PRESET = "medium"
_FRAMES = re.compile(r"^frame=\s*(\d+)\s*$", re.MULTILINE)


def cut_exact(program: str, survey: Survey, draft: Path, on_progress: OnProgress | None = None) -> Cut:
    """Encode exactly the frames of the range as an MP4 file.

    The number of frames that ffmpeg reports is compared with the survey's. If a seek landed too late, reading begins
    earlier.

    Args:
        program: The ffmpeg program.
        survey: The range to cut.
        draft: The file to write; replaced if it exists.
        on_progress: Called with the finished share, 0 to 1.

    Returns:
        The written file. `note` says if frames are missing because the source is damaged, if they were deinterlaced, or
        if the audio could not be decoded.

    Raises:
        ExportError: No frame of the range can be decoded, or ffmpeg failed.
    """
    wanted, before = len(survey.pts), -1
    for lead in LEAD_SECONDS if survey.seekable else (None,):
        cut = _encode_with_fallback(program, survey, draft, lead, on_progress)
        if note := field_note(survey):
            cut = replace(cut, note=f"{note}; {cut.note}" if cut.note else note)
        if cut.frames == wanted:
            return cut
        if cut.frames == before:
            break  # not a seek that landed too late: reading from further back brought nothing
        before = cut.frames
    if cut.frames == 0:
        raise ExportError("ffmpeg could decode no frame of the range; the file is damaged there")
    damage = f"{cut.frames} of {wanted} frames, because the file is damaged there"
    return replace(cut, note=f"{damage}; {cut.note}" if cut.note else damage)


def _encode_with_fallback(
    program: str, survey: Survey, draft: Path, lead: Fraction | None, on_progress: OnProgress | None
) -> Cut:
    """Encode the range, without its audio if the audio alone is the problem."""
    audio = survey.audio_index is not None
    try:
        return Cut(
            suffix=".mp4", frames=_encode(program, survey, draft, lead, on_progress, audio=audio), has_audio=audio
        )
    except OutsideError:
        raise
    except ExportError as error:
        if not audio:
            raise
        try:
            frames = _encode(program, survey, draft, lead, on_progress, audio=False)
        except OutsideError:
            raise
        except ExportError:
            raise error from None
        return Cut(suffix=".mp4", frames=frames, has_audio=False, note=f"without its sound ({error})")


def _encode(
    program: str, survey: Survey, draft: Path, lead: Fraction | None, on_progress: OnProgress | None, *, audio: bool
) -> int:
    """Return the number of frames written."""
    import ffmpeg

    def read_line(line: str) -> None:
        if on_progress is not None and (count := _FRAMES.fullmatch(line)):
            on_progress(min(1.0, int(count[1]) / len(survey.pts)))

    start, end = survey.container_seconds(survey.pts[0]), survey.container_seconds(survey.end_pts)
    source = ffmpeg.input(SOURCE, **seek_options(survey, start, lead), **reading_options(survey))
    streams = [_picture(source[str(survey.video_index)], survey)]
    if audio:
        streams.append(audio_filters(source[str(survey.audio_index)], start, end))
    units = survey.time_base if survey.seekable else 1 / survey.frame_rate
    options: dict[str, Any] = {
        "f": "mp4",
        "fps_mode:v": "passthrough",
        # Explicit, because ffmpeg would otherwise round times to its guess of a constant frame rate.
        "enc_time_base:v": ratio(max(units, Fraction(1, MAX_TIME_BASE_HZ))),
        "c:v": "libx265" if survey.high_bit_depth else "libx264",
        "crf": CRF,
        "preset": PRESET,
        "pix_fmt": "yuv420p10le" if survey.high_bit_depth else "yuv420p",
        "movflags": "+faststart",
        "write_tmcd": 0,  # the source's timecode belongs to its own first frame
        "map_chapters": -1,
    }
    if survey.high_bit_depth:
        # hvc1: Apple's players accept HEVC only under this tag.
        options |= {"tag:v": "hvc1", "x265-params": "log-level=error"}
    options |= encoding_options(survey)
    if audio:
        options |= {"c:a": "aac", "b:a": AUDIO_BITRATE}
    output = ffmpeg.output(*streams, TARGET, **options)
    report = run_graph(
        [program, *QUIET, "-progress", "pipe:1"],
        output,
        {SOURCE: survey.path, TARGET: draft},
        read_line if on_progress else None,
    )
    counts = _FRAMES.findall(report)
    return int(counts[-1]) if counts else 0


def _picture(stream: Any, survey: Survey) -> Any:
    """Trim to the frames of the range, the first of them at 0. ffmpeg itself applies the rotation."""
    if survey.seekable:
        base = ratio(survey.time_base, "/")
        stream = stream.filter("settb", base).filter("trim", start_pts=survey.pts[0], end_pts=survey.pts[-1] + 1)
        stream = stream.filter("setpts", f"PTS-({survey.pts[0]})")
    else:
        first, last = survey.first_frame_number, (survey.first_frame_number or 0) + len(survey.pts) - 1
        stream = stream.filter("trim", start_frame=first, end_frame=last + 1)
        stream = stream.filter("settb", ratio(1 / survey.frame_rate, "/")).filter("setpts", "N")
    stream = treat_fields(stream, survey)
    stream = stream.filter("crop", "max(2,trunc(iw/2)*2)", "max(2,trunc(ih/2)*2)", 0, 0)
    if survey.is_rgb:
        # Tagged in the file, because players otherwise guess the matrix from the picture size.
        interlaced = {"interl": 1} if keeps_fields(survey) else {}
        stream = stream.filter("scale", out_color_matrix="bt709", out_range="tv", **interlaced)
        stream = stream.filter("format", "yuv420p10le" if survey.high_bit_depth else "yuv420p")
        stream = stream.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv")
    return stream
