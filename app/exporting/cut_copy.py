"""Stream copy (`copy` mode): packets as they are, from the key frame at or before the start of the range.

The source's container is kept if it can hold the streams; otherwise the clip becomes Matroska.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.cut import Cut
from app.exporting.ffmpeg_binary import ExportError, OutsideError
from app.exporting.graph import QUIET, SOURCE, TARGET, framecrc_packets, microseconds, run_graph
from app.exporting.survey import Survey, keyframe_before

_REORDER_SECONDS = Fraction(3, 23)
"""How much too early ffmpeg seeks in containers that seek by decoding times, if frames are reordered."""


def cut_copy(program: str, survey: Survey, draft: Path) -> Cut:
    """Copy the packets from the key frame at or before the range up to its end.

    ffmpeg lists the packets that it copied with their source times, which show how early and how late the clip is.

    Args:
        program: The ffmpeg program.
        survey: The range to cut.
        draft: The file to write; replaced if it exists.

    Returns:
        The written file: `early_seconds` is the time before the range's first frame, `late_seconds` the time after its
        end, and every frame counts as copied.

    Raises:
        ExportError: The file cannot be sought, no key frame precedes the range, or no container holds the streams.
    """
    if not survey.seekable:
        raise ExportError("this file cannot be copied (it has no times that could be sought); use the exact mode")
    begin = survey.pts[0]
    key = keyframe_before(survey.path, begin)
    own = survey.container_seconds(begin if key is None else key)
    starts: list[Fraction | None] = [own + _REORDER_SECONDS, own, own - 1, own - 5, own - 30, None]
    problem: ExportError | None = None
    for suffix, format_name in _containers(survey):
        for start in starts:
            try:
                copied = _copy(program, survey, draft, start, format_name)
            except OutsideError:
                raise
            except ExportError as error:
                problem = error
                break  # this container cannot hold the streams; try the next one
            if not copied or copied[0][0] > begin:
                continue
            ends = max(pts + duration for pts, duration in copied)
            return Cut(
                suffix=suffix,
                frames=len(copied),
                copied=len(copied),
                has_audio=survey.audio_index is not None,
                early_seconds=(begin - copied[0][0]) * survey.time_base,
                late_seconds=max(Fraction(0), (ends - survey.end_pts) * survey.time_base),
            )
    if problem is not None:
        raise ExportError(f"this file cannot be copied ({problem}); use the exact mode") from problem
    raise ExportError("this file cannot be copied (no key frame was found before the range); use the exact mode")


def _copy(program: str, survey: Survey, draft: Path, start: Fraction | None, format_name: str) -> list[tuple[int, int]]:
    """Return (pts, duration) of the copied video packets, in the source's time base and in file order."""
    import ffmpeg

    shift = _shift(survey)
    reading: dict[str, Any] = {"itsoffset": shift} if shift else {}
    if start is not None and start > survey.container_seconds(survey.first_pts):
        reading |= {"seek_timestamp": 1, "ss": microseconds(start)}
    source = ffmpeg.input(SOURCE, **reading)
    streams = [source[str(survey.video_index)]]
    if survey.audio_index is not None:
        streams.append(source[str(survey.audio_index)])
    end = microseconds(survey.container_seconds(survey.end_pts) + shift)
    options: dict[str, Any] = {"c": "copy", "to": end, "map_chapters": -1, "avoid_negative_ts": "make_zero"}
    if format_name in ("mp4", "mov"):
        options |= {"movflags": "+faststart", "write_tmcd": 0}
        if survey.codec == "hevc":
            options["tag:v"] = "hvc1"
    clip = ffmpeg.output(*streams, TARGET, f=format_name, **options)
    listing = ffmpeg.output(streams[0], "pipe:1", f="framecrc", c="copy", to=end)
    report = run_graph([program, *QUIET], ffmpeg.merge_outputs(clip, listing), {SOURCE: survey.path, TARGET: draft})
    offset = round(shift / survey.time_base)
    return [(pts - offset, duration) for pts, duration in framecrc_packets(report, survey.time_base)]


def _containers(survey: Survey) -> list[tuple[str, str]]:
    """Return (suffix, FFmpeg's name) of the source's own container if it is a usual one, then of Matroska."""
    own = Path(survey.path).suffix.lower()
    names = set(survey.format_name.split(","))
    matroska = (".mkv", "matroska")
    if "mp4" in names:
        return [
            (own, "mov" if own == ".mov" else "mp4") if own in (".mp4", ".m4v", ".mov") else (".mp4", "mp4"),
            matroska,
        ]
    if "webm" in names and own == ".webm":
        return [(".webm", "webm"), matroska]
    if "mpegts" in names:
        return [(own if own in (".ts", ".m2ts", ".mts") else ".ts", "mpegts"), matroska]
    return [matroska]


def _shift(survey: Survey) -> int:
    """Return the shift that makes all times positive, because -to cannot be negative.

    Whole seconds that are also a whole number of pts units.
    """
    first = survey.container_seconds(survey.first_pts)
    if first > 1:
        return 0
    step = survey.time_base.numerator
    return step * -int((first - 1) // step)
