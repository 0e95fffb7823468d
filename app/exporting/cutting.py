"""One clip through ffmpeg: the command lines of the two modes, and what is checked of their results."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.ffmpeg_binary import ExportError
from app.exporting.graph import (
    AUDIO_BITS_A_SECOND,
    CRF,
    LEAD_SECONDS,
    MOST_TIME_UNITS,
    QUIET,
    SOURCE,
    TARGET,
    Told,
    decimal,
    ratio,
    reading_from,
    run_graph,
    sound_filters,
)
from app.exporting.survey import Survey, keyframe_before

_REORDER_SECONDS = Fraction(3, 23)
"""What ffmpeg seeks too early by where frames are reordered and the container is sought by decoding times."""


_FRAMES = re.compile(r"^frame=\s*(\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A file as it was written: what its name should end in and what is in it."""

    suffix: str
    frames: int
    has_audio: bool
    copied: int = 0  # of the frames, packets as they are in the source
    early_seconds: Fraction = Fraction(0)
    late_seconds: Fraction = Fraction(0)
    note: str | None = None


def cut_exact(program: str, found: Survey, draft: Path, told: Told | None = None) -> Cut:
    """Encode exactly the frames of `found` to the MP4 file `draft`. Raises ExportError.

    ffmpeg's own count is compared with the survey's: where a seek has landed too late, reading begins earlier.
    """
    wanted, before = len(found.pts), -1
    for lead in LEAD_SECONDS if found.sought else (None,):
        cut = _encode_with_or_without_sound(program, found, draft, lead, told)
        if cut.frames == wanted:
            return cut
        if cut.frames == before:
            break  # not a seek that landed too late: reading from further back brought nothing
        before = cut.frames
    if cut.frames == 0:
        raise ExportError("ffmpeg could decode no frame of the range; the file is damaged there")
    damage = f"{cut.frames} of {wanted} frames, because the file is damaged there"
    return replace(cut, note=f"{damage}; {cut.note}" if cut.note else damage)


def _encode_with_or_without_sound(
    program: str, found: Survey, draft: Path, lead: Fraction | None, told: Told | None
) -> Cut:
    """Sound that cannot be decoded is no reason to do without the picture. Raises ExportError if there is another."""
    sound = found.audio_index is not None
    try:
        return Cut(suffix=".mp4", frames=_encode(program, found, draft, lead, told, sound=sound), has_audio=sound)
    except ExportError as error:
        if not sound:
            raise
        try:
            frames = _encode(program, found, draft, lead, told, sound=False)
        except ExportError:
            raise error from None
        return Cut(suffix=".mp4", frames=frames, has_audio=False, note=f"without its sound ({error})")


def _encode(program: str, found: Survey, draft: Path, lead: Fraction | None, told: Told | None, *, sound: bool) -> int:
    """The number of frames written."""
    import ffmpeg

    def heard(line: str) -> None:
        if told is not None and (count := _FRAMES.fullmatch(line)):
            told(min(1.0, int(count[1]) / len(found.pts)))

    start, end = found.container_seconds(found.pts[0]), found.container_seconds(found.end_pts)
    source = ffmpeg.input(SOURCE, **reading_from(found, start, lead))
    streams = [_picture(source[str(found.video_index)], found)]
    if sound:
        streams.append(sound_filters(source[str(found.audio_index)], start, end))
    units = found.time_base if found.sought else 1 / found.frame_rate
    options: dict[str, Any] = {
        "f": "mp4",
        "fps_mode:v": "passthrough",
        # Explicit, because ffmpeg would otherwise round times to its guess of a constant frame rate.
        "enc_time_base:v": ratio(max(units, Fraction(1, MOST_TIME_UNITS))),
        "c:v": "libx265" if found.deep else "libx264",
        "crf": CRF,
        "preset": "medium",
        "pix_fmt": "yuv420p10le" if found.deep else "yuv420p",
        "movflags": "+faststart",
        "write_tmcd": 0,  # the source's timecode belongs to its own first frame
        "map_chapters": -1,
    }
    if found.deep:
        options |= {
            "tag:v": "hvc1",
            "x265-params": "log-level=error",
        }  # hvc1: the name by which Apple's players know it
    if sound:
        options |= {"c:a": "aac", "b:a": AUDIO_BITS_A_SECOND}
    output = ffmpeg.output(*streams, TARGET, **options)
    report = run_graph(
        [program, *QUIET, "-progress", "pipe:1"], output, {SOURCE: found.path, TARGET: draft}, heard if told else None
    )
    counts = _FRAMES.findall(report)
    return int(counts[-1]) if counts else 0


def _picture(stream: Any, found: Survey) -> Any:
    """The filters that leave the frames of the range, the first of them at 0. Rotation is applied by ffmpeg itself."""
    if found.sought:
        base = ratio(found.time_base, "/")
        stream = stream.filter("settb", base).filter("trim", start_pts=found.pts[0], end_pts=found.pts[-1] + 1)
        stream = stream.filter("setpts", f"PTS-({found.pts[0]})")
    else:
        first, last = found.first_number, (found.first_number or 0) + len(found.pts) - 1
        stream = stream.filter("trim", start_frame=first, end_frame=last + 1)
        stream = stream.filter("settb", ratio(1 / found.frame_rate, "/")).filter("setpts", "N")
    stream = stream.filter("crop", "max(2,trunc(iw/2)*2)", "max(2,trunc(ih/2)*2)", 0, 0)
    if found.rgb:
        # Said in the file, because players guess the matrix by the size of the picture otherwise.
        stream = stream.filter("scale", out_color_matrix="bt709", out_range="tv")
        stream = stream.filter("format", "yuv420p10le" if found.deep else "yuv420p")
        stream = stream.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv")
    return stream


def cut_copy(program: str, found: Survey, draft: Path) -> Cut:
    """Copy the packets from the key frame at or before the range to its end into `draft`. Raises ExportError.

    ffmpeg lists the packets that it copied, with the source's own times: that is how early and late are known.
    """
    if not found.sought:
        raise ExportError("the file has no times that could be sought, so it cannot be copied from; use the exact mode")
    begin = found.pts[0]
    key = keyframe_before(found.path, begin)
    own = found.container_seconds(begin if key is None else key)
    starts: list[Fraction | None] = [own + _REORDER_SECONDS, own, own - 1, own - 5, own - 30, None]
    problem: ExportError | None = None
    for suffix, format_name in _containers(found):
        for start in starts:
            try:
                copied = _copy(program, found, draft, start, format_name)
            except ExportError as error:
                problem = error
                break  # this container cannot hold the streams; the next one may
            if not copied or copied[0][0] > begin:
                continue
            ends = max(pts + duration for pts, duration in copied)
            return Cut(
                suffix=suffix,
                frames=len(copied),
                copied=len(copied),
                has_audio=found.audio_index is not None,
                early_seconds=(begin - copied[0][0]) * found.time_base,
                late_seconds=max(Fraction(0), (ends - found.end_pts) * found.time_base),
            )
    raise problem or ExportError("no key frame was found before the range; use the exact mode")


def _copy(program: str, found: Survey, draft: Path, start: Fraction | None, format_name: str) -> list[tuple[int, int]]:
    """(pts, duration) of the copied packets of the picture, in the source's time base, in their order in the file."""
    import ffmpeg

    shift = _shift(found)
    reading: dict[str, Any] = {"itsoffset": shift} if shift else {}
    if start is not None and start > found.container_seconds(found.first_pts):
        reading |= {"seek_timestamp": 1, "ss": decimal(start)}
    source = ffmpeg.input(SOURCE, **reading)
    streams = [source[str(found.video_index)]]
    if found.audio_index is not None:
        streams.append(source[str(found.audio_index)])
    end = decimal(found.container_seconds(found.end_pts) + shift)
    options: dict[str, Any] = {"c": "copy", "to": end, "map_chapters": -1, "avoid_negative_ts": "make_zero"}
    if format_name in ("mp4", "mov"):
        options |= {"movflags": "+faststart", "write_tmcd": 0}
        if found.codec == "hevc":
            options["tag:v"] = "hvc1"
    clip = ffmpeg.output(*streams, TARGET, f=format_name, **options)
    listing = ffmpeg.output(streams[0], "pipe:1", f="framecrc", c="copy", to=end)
    report = run_graph([program, *QUIET], ffmpeg.merge_outputs(clip, listing), {SOURCE: found.path, TARGET: draft})
    return _listed(report, shift, found.time_base)


def _listed(report: str, shift: int, base: Fraction) -> list[tuple[int, int]]:
    """From FFmpeg's framecrc: `#tb 0: 1/12800`, then `stream, dts, pts, duration, size, checksum` a packet."""
    stated = re.search(r"^#tb 0: (\d+)/(\d+)", report, re.MULTILINE)
    scale = Fraction(int(stated[1]), int(stated[2])) / base if stated else Fraction(1)
    packets = []
    for line in report.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) >= 6 and fields[0] == "0":
            packets.append((round(int(fields[2]) * scale - shift / base), round(int(fields[3]) * scale)))
    return packets


def _containers(found: Survey) -> list[tuple[str, str]]:
    """(suffix, FFmpeg's name) of the source's own container where it is a usual one, and Matroska, which holds all."""
    own = Path(found.path).suffix.lower()
    names = set(found.format_name.split(","))
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


def _shift(found: Survey) -> int:
    """Whole seconds, and whole pts units, that move a stream which starts below 0 above it: -to cannot be negative."""
    first = found.container_seconds(found.first_pts)
    if first > 1:
        return 0
    step = found.time_base.numerator
    return step * -int((first - 1) // step)
