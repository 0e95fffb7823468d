"""Smart cutting of intra-only codecs (ProRes, DNxHD, MJPEG ...), where the packets of a range are exactly the clip.

The clip becomes a QuickTime file, which holds all these codecs with exact times. Audio is cut to the sample and encoded
again; PCM stays PCM.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.cut import Cut
from app.exporting.ffmpeg_binary import ExportError, OutsideError
from app.exporting.graph import (
    AUDIO_BITRATE,
    MAX_TIME_BASE_HZ,
    QUIET,
    SOURCE,
    TARGET,
    audio_filters,
    framecrc_packets,
    microseconds,
    run_graph,
    seek_options,
)
from app.exporting.smart.nal import NotJoinable
from app.exporting.survey import Survey

_AUDIO = "prismsearch-audio"
_AUDIO_LEAD_SECONDS = Fraction(5)  # seconds
_PCM = frozenset({"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le"})


def cut_intra(program: str, survey: Survey, draft: Path) -> Cut:
    """Copy exactly the frames of a survey into `draft`.

    Raises:
        NotJoinable: The frames cannot be copied exactly.
        ExportError: Ffmpeg failed.
    """
    if not survey.seekable:
        raise NotJoinable("the file has no times that could be sought")
    if survey.time_base < Fraction(1, MAX_TIME_BASE_HZ):
        raise NotJoinable("its times are finer than QuickTime can hold")
    audio = survey.audio_index is not None
    note = f"{len(survey.pts)} of {len(survey.pts)} frames copied as they are"
    own = survey.container_seconds(survey.pts[0])
    step = (survey.end_pts - survey.pts[0]) * survey.time_base / len(survey.pts)
    # Where ffmpeg begins to copy depends on how it seeks in the container, so the copied frames are compared.
    for start in (own, own + step / 2, own - step / 2, None):
        try:
            copied = _copy(program, survey, draft, start, audio=audio)
        except OutsideError:
            raise
        except ExportError as error:
            if not audio:
                raise
            copied, audio = _copy(program, survey, draft, start, audio=False), False
            note += f"; without its sound ({error})"
        if copied == list(survey.pts):
            return Cut(suffix=".mov", frames=len(copied), has_audio=audio, copied=len(copied), note=note)
    raise NotJoinable("the file's packets are not its frames")


def _copy(program: str, survey: Survey, draft: Path, start: Fraction | None, *, audio: bool) -> list[int]:
    """Return the pts of the copied frames. Reading begins at `start`, or at the beginning of the file if None."""
    import ffmpeg

    own, end = survey.container_seconds(survey.pts[0]), survey.container_seconds(survey.end_pts)
    reading: dict[str, Any] = {}
    if start is not None and survey.pts[0] > survey.first_pts:
        reading = {"seek_timestamp": 1, "ss": microseconds(start)}
    video = ffmpeg.input(SOURCE, **reading)[str(survey.video_index)]
    copying: dict[str, Any] = {
        "c:v": "copy",
        "frames:v": len(survey.pts),
        "map_chapters": -1,
    }
    streams, options = [video], {"f": "mov", "movflags": "+faststart", "write_tmcd": 0}
    options |= {"bsf:v": "setts=pts=PTS-STARTPTS:dts=DTS-STARTDTS"}
    files: dict[str, str | Path] = {SOURCE: survey.path, TARGET: draft}
    if audio:
        audio_input = ffmpeg.input(_AUDIO, **seek_options(survey, own, _AUDIO_LEAD_SECONDS))[str(survey.audio_index)]
        streams.append(audio_filters(audio_input, own, end))
        is_pcm = survey.audio_codec in _PCM
        options |= {"c:a": survey.audio_codec} if is_pcm else {"c:a": "aac", "b:a": AUDIO_BITRATE}
        files[_AUDIO] = survey.path
    clip = ffmpeg.output(*streams, TARGET, **copying, **options)
    listing = ffmpeg.output(video, "pipe:1", f="framecrc", **copying)
    report = run_graph([program, *QUIET], ffmpeg.merge_outputs(clip, listing), files)
    return [pts for pts, _ in framecrc_packets(report, survey.time_base)]
