"""Stream copy (`copy` mode): packets as they are, from the key frame at or before the start of the range.

The source's container is kept if it can hold the streams; otherwise the clip becomes Matroska.
"""

from __future__ import annotations

import math
import re
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.exporting.audio_choice import tracks_text
from app.exporting.clip_tags import joined_notes, tag_options
from app.exporting.copy_containers import containers
from app.exporting.cut import Cut
from app.exporting.ffmpeg_binary import ExportError, OutsideError
from app.exporting.graph import QUIET, SOURCE, SPHERICAL_MP4, TARGET, framecrc_packets, microseconds, run_graph
from app.exporting.range_frames import keyframe_before
from app.exporting.survey import Survey
from app.exporting.tracks import SoundTrack
from app.exporting.words.track import wants_track, words_track

_REORDER_SECONDS = Fraction(3, 23)
"""How much too early ffmpeg seeks in containers that seek by decoding times, if frames are reordered."""

_WITH_CHAPTERS = frozenset({"mp4", "mov", "matroska", "webm"})


def cut_copy(program: str, survey: Survey, draft: Path) -> Cut:
    """Copy the packets from the key frame at or before the range up to its end: pictures, sound tracks, subtitles.

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
        raise ExportError("this file cannot be copied (it has no timestamps to seek by); use the exact mode")
    begin = survey.pts[0]
    key = keyframe_before(survey.path, begin)
    own = survey.container_seconds(begin if key is None else key)
    starts: list[Fraction | None] = [own + _REORDER_SECONDS, own, own - 1, own - 5, own - 30, None]
    problem: ExportError | None = None
    left_out: list[int] = []
    for suffix, format_name, subtitles, tracks in _attempts(survey):
        left_out += [track.number for track in survey.sound if track not in tracks]
        survey = replace(survey, sound=tracks)
        for start in starts:
            try:
                copied = _copy(program, survey, draft, start, format_name, subtitles=subtitles, first=key)
                if copied and _begins_otherwise(survey, copied, key):
                    first = copied[0][0]
                    copied = _copy(
                        program, survey, draft, start, format_name, subtitles=subtitles, first=first, from_first=True
                    )
            except OutsideError:
                raise
            except ExportError as error:
                problem = error
                break  # this container cannot hold the streams; try the next one
            if not copied or copied[0][0] > begin:
                continue
            ends = max(pts + duration for pts, duration in copied)
            early = (begin - copied[0][0]) * survey.time_base
            late = max(Fraction(0), (ends - survey.end_pts) * survey.time_base)
            return Cut(
                suffix=suffix,
                frames=len(copied),
                copied=len(copied),
                has_audio=bool(survey.sound),
                early_seconds=early,
                late_seconds=late,
                has_subtitles=subtitles,
                has_chapters=format_name in _WITH_CHAPTERS,
                note=joined_notes(
                    _early_text(early),
                    _late_text(survey, copied, late),
                    f"without sound {tracks_text(left_out)} (in an unknown format)" if left_out else "",
                ),
            )
    if problem is not None:
        raise ExportError(f"this file cannot be copied ({problem}); use the exact mode") from problem
    raise ExportError("this file cannot be copied (no key frame was found before the range); use the exact mode")


def _begins_otherwise(survey: Survey, copied: list[tuple[int, int]], key: int | None) -> bool:
    """Return whether a copy does not begin with the key frame that was expected to be its first.

    After the key frame of an open group, frames follow that are shown before it and refer to frames before the clip.
    They cannot be decoded, and the clip's timecode would count from them.
    """
    first = copied[0][0]
    if first > survey.pts[0]:
        return False
    return min(pts for pts, _ in copied) < first or (
        first != key and bool(survey.extras.timecode or survey.extras.chapters or wants_track(survey))
    )


def _early_text(early: Fraction) -> str:
    return f"begins {float(early):.3f} s earlier, at the key frame" if early else ""


def _late_text(survey: Survey, copied: list[tuple[int, int]], late: Fraction) -> str:
    """Return what is said of frames after the range, which come along because frames in it refer to them."""
    if not late:
        return ""
    times = sorted(each for each in copied if each[0] >= survey.pts[-1])
    gaps = any(pts + duration < after for (pts, duration), (after, _) in pairwise(times))
    return f"ends {float(late):.3f} s later{', with frames missing there' if gaps else ''}"


def _copy(
    program: str,
    survey: Survey,
    draft: Path,
    start: Fraction | None,
    format_name: str,
    *,
    subtitles: bool,
    first: int | None,
    from_first: bool = False,
) -> list[tuple[int, int]]:
    """Return (pts, duration) of the copied video packets, in the source's time base and in file order.

    `first` is the pts that the clip is expected to begin with, for its timecode and chapters; if `from_first`, frames
    before it are left out.
    """
    import ffmpeg

    shift = _shift(survey)
    reading: dict[str, Any] = {"itsoffset": shift} if shift else {}
    if start is not None and start > survey.container_seconds(survey.first_pts):
        reading |= {"seek_timestamp": 1, "ss": microseconds(start)}
    source = ffmpeg.input(SOURCE, **reading)
    video = source[str(survey.video_index)]
    streams = [video, *(source[str(track.index)] for track in survey.sound)]
    if subtitles:
        streams += [source[str(index)] for index in survey.extras.subtitles]
    end = microseconds(survey.container_seconds(survey.end_pts) + shift)
    first_pts = survey.first_pts if first is None else first
    options: dict[str, Any] = {"c": "copy", "to": end, "avoid_negative_ts": "make_zero"}
    options |= tag_options(survey, survey.seconds(first_pts), format_name, copying=True)
    for place, track in enumerate(survey.sound):  # MP4 has titles under a name of its own, which is lost when copied
        options[f"metadata:s:a:{place}"] = f"title={track.title}"
    if format_name in ("mp4", "mov"):
        options |= {"movflags": "+faststart", **SPHERICAL_MP4}
        if survey.codec == "hevc":
            options["tag:v"] = "hvc1"
    leaving_out: dict[str, Any] = {}
    if from_first:
        half = survey.time_base / 2
        seconds = survey.container_seconds(first_pts) + shift - half
        leaving_out["bsf:v"] = f"noise=drop=lt(pts*tb\\,{float(seconds):.9f})"
    options |= leaving_out
    listing = ffmpeg.output(video, "pipe:1", f="framecrc", c="copy", to=end, **leaving_out)
    files: dict[str, str | Path] = {SOURCE: survey.path, TARGET: draft}
    with ExitStack() as stack:
        chapters = None
        if survey.extras.chapters and format_name in _WITH_CHAPTERS:
            chapters = draft.with_name(f"{draft.name}-chapters")
            with chapters.open("x", encoding="utf-8") as text:
                stack.callback(chapters.unlink, missing_ok=True)
                text.write(_chapters_text(survey, first_pts))
        else:
            options["map_chapters"] = -1
        words = stack.enter_context(
            words_track(
                survey, draft, format_name, start_seconds=survey.seconds(first_pts),
                offset_seconds=survey.container_seconds(first_pts) + shift,
            )
        )  # fmt: skip
        files.update(words.files)
        options |= words.options
        clip = ffmpeg.output(*streams, *words.streams, TARGET, f=format_name, **options)
        graph = ffmpeg.merge_outputs(clip, listing)
        report = run_graph([program, *QUIET], graph, files, chapters=chapters)
    offset = round(shift / survey.time_base)
    return [(pts - offset, duration) for pts, duration in framecrc_packets(report, survey.time_base)]


def _chapters_text(survey: Survey, first_pts: int) -> str:
    """Return the chapters of a clip in FFmpeg's metadata format."""
    zero, end = survey.container_seconds(first_pts), survey.container_seconds(survey.end_pts)
    lines = [";FFMETADATA1"]
    for chapter in survey.extras.chapters:
        begins, ends = max(zero, chapter.start), min(end, chapter.end)
        if begins < ends:
            title = re.sub(r"([=;#\\\n])", r"\\\1", chapter.title)
            span = [round((each - zero) * 1000) for each in (begins, ends)]
            lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={span[0]}", f"END={span[1]}", f"title={title}"]
    return "\n".join(lines) + "\n"


def _attempts(survey: Survey) -> list[tuple[str, str, bool, tuple[SoundTrack, ...]]]:
    """Return what to try: (suffix, FFmpeg's name of the container, with the source's subtitles, sound tracks).

    Tracks that say nothing of their channels, because they are empty or of an unknown format, are left out last.
    """
    # A track of ours stands in place of the source's own.
    with_subtitles = (True, False) if survey.extras.subtitles and not wants_track(survey) else (False,)
    known = tuple(track for track in survey.sound if track.channels)
    return [
        (*container, subtitles, tracks)
        for tracks in dict.fromkeys((survey.sound, known))
        for container in containers(survey)
        for subtitles in with_subtitles
    ]


def _shift(survey: Survey) -> int:
    """Return the shift that makes all times positive, because -to cannot be negative.

    Whole seconds that are also a whole number of units of every track: in AVI, MP3 may count in packets.
    """
    first = survey.container_seconds(survey.first_pts)
    if first > 1:
        return 0
    step = math.lcm(survey.time_base.numerator, *(track.time_base.numerator for track in survey.sound))
    return step * -int((first - 1) // step)
