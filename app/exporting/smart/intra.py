"""Smart cutting of intra-only codecs (ProRes, DNxHD, MJPEG ...), where the packets of a range are exactly the clip.

The clip becomes a QuickTime file, which holds all these codecs with exact times. Audio is cut to the sample and encoded
again; PCM stays PCM.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.clip_tags import joined_notes, tag_options
from app.exporting.cut import Cut
from app.exporting.graph import (
    MAX_TIME_BASE_HZ,
    QUIET,
    SOURCE,
    TARGET,
    framecrc_packets,
    last_duration_filter,
    microseconds,
    run_graph,
)
from app.exporting.smart.nal import NotJoinable
from app.exporting.sound import AUDIO, decode_sound, leave_out_broken, read_sound
from app.exporting.survey import Survey
from app.exporting.words.track import words_track

SUFFIX = ".mov"
AUDIO_LEAD_SECONDS = Fraction(5)  # of reading before the range, to find its sound


def cannot_copy(survey: Survey) -> str:
    """Return why the frames of a survey cannot be copied, as far as that is known before; blank if they may be."""
    if not survey.seekable:
        return "the file has no timestamps to seek by"
    if survey.time_base < Fraction(1, MAX_TIME_BASE_HZ):
        return "its timestamps are finer than QuickTime can hold"
    return ""


def cut_intra(program: str, survey: Survey, draft: Path) -> Cut:
    """Copy exactly the frames of a survey into `draft`.

    Raises:
        NotJoinable: The frames cannot be copied exactly.
        ExportError: Ffmpeg failed.
    """
    if reason := cannot_copy(survey):
        raise NotJoinable(reason)
    note = f"{len(survey.pts)} of {len(survey.pts)} frames copied as they are"
    own = survey.container_seconds(survey.pts[0])
    step = (survey.end_pts - survey.pts[0]) * survey.time_base / len(survey.pts)
    tracks, left_out = survey.sound, ""
    # Where ffmpeg begins to copy depends on how it seeks in the container, so the copied frames are compared.
    for start in (own, own + step / 2, own - step / 2, None):
        copied, tracks, broken = leave_out_broken(
            tracks,
            lambda kept, start=start: _copy(program, replace(survey, sound=kept), draft, start),  # type: ignore[misc]
            lambda track: decode_sound(program, survey, track, AUDIO_LEAD_SECONDS),
        )
        left_out = left_out or broken
        if copied == list(survey.pts):
            return Cut(
                suffix=SUFFIX,
                frames=len(copied),
                has_audio=bool(tracks),
                copied=len(copied),
                note=joined_notes(note, left_out),
            )
    raise NotJoinable("the file's packets are not its frames")


def _copy(program: str, survey: Survey, draft: Path, start: Fraction | None) -> list[int]:
    """Return the pts of the copied frames. Reading begins at `start`, or at the beginning of the file if None."""
    import ffmpeg

    reading: dict[str, Any] = {}
    if start is not None and survey.pts[0] > survey.first_pts:
        reading = {"seek_timestamp": 1, "ss": microseconds(start)}
    video = ffmpeg.input(SOURCE, **reading)[str(survey.video_index)]
    copying: dict[str, Any] = {"c:v": "copy", "frames:v": len(survey.pts), "map_chapters": -1}
    length, last = survey.end_pts - survey.pts[0], survey.pts[-1] - survey.pts[0]
    times = f"setts=pts=PTS-STARTPTS:dts=DTS-STARTDTS,{last_duration_filter(length, last)}"
    options: dict[str, Any] = {"f": "mov", "movflags": "+faststart", "bsf:v": times}
    options |= tag_options(survey, survey.start_seconds, "mov", copying=True)
    sound, sound_options = read_sound(survey, AUDIO_LEAD_SECONDS, keep_pcm=True)
    listing = ffmpeg.output(video, "pipe:1", f="framecrc", **copying)
    options |= sound_options
    with words_track(survey, draft, "mov") as words:
        clip = ffmpeg.output(video, *sound, *words.streams, TARGET, **copying, **options, **words.options)
        files: dict[str, str | Path] = {SOURCE: survey.path, AUDIO: survey.path, TARGET: draft, **words.files}
        report = run_graph([program, *QUIET], ffmpeg.merge_outputs(clip, listing), files)
    return [pts for pts, _ in framecrc_packets(report, survey.time_base)]
