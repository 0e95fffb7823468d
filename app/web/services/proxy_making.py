"""Transcoding of a range of a video with ffmpeg for any browser: H.264 8-bit 4:2:0 and AAC in a small MP4.

Frames keep their own times (a variable frame rate stays one), with the first at 0. A key frame at least every GOP
frames makes stepping back cheap. Interlaced video is deinterlaced frame by frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.exporting.ffmpeg_binary import ExportError, OutsideError, run_ffmpeg
from app.exporting.fields import deinterlace, reading_options
from app.exporting.graph import (
    QUIET,
    SOURCE,
    TARGET,
    audio_filters,
    compile_graph,
    ratio,
    seek_options,
    time_units,
    trim_pictures,
)
from app.media_workers import ReadMedia, read_here
from app.web.services.proxy_colours import can_tone_map, over_grey, tagged, tone_mapped

if TYPE_CHECKING:
    from app.exporting.survey import Survey

MAX_PIXELS = 960  # longer side
GOP = 12
STALLED_SECONDS = 60.0
_MEMORY_BYTES = 8 << 30  # address space of ffmpeg, whose many threads reserve more of it than they use
_FIRST_SECONDS = Fraction(1)
_LEAD_SECONDS = (Fraction(2), Fraction(10), None)  # lead of reading before the range; None: from the start of the file


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTimes:
    """The times that a proxy covers: seconds from the first frame shown of the source."""

    offset_seconds: Fraction  # time of the first frame
    duration_seconds: Fraction


class ProxyCancelled(Exception):
    """`cancelled()` returned True."""


def make_proxy(
    program: str,
    path: str,
    start: Fraction,
    end: Fraction,
    target: Path,
    *,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
    stalled_seconds: float = STALLED_SECONDS,
    read: ReadMedia = read_here,
) -> ProxyTimes:
    """Write the frames with start <= time < end to the MP4 file `target`.

    Args:
        program: The ffmpeg program.
        path: The source video.
        start: Seconds from the first frame shown.
        end: Seconds from the first frame shown.
        target: File to write.
        progress: Called with the finished fraction, 0 to 1.
        cancelled: Called several times a second; True ends ffmpeg.
        stalled_seconds: Time without progress after which ffmpeg is killed.
        read: Calls the functions that read videos.

    Returns:
        The times that the proxy covers; its first frame may come after `start`.

    Raises:
        ExportError: Ffmpeg failed or made no progress; the message says why.
        UnreadableVideo: The source cannot be decoded.
        ProxyCancelled: `cancelled()` returned True.
    """
    from app.exporting.survey import survey_range

    try:  # the first frame is enough; decoding the whole range would take as long as transcoding it
        found = read(survey_range, path, start, min(end, start + _FIRST_SECONDS), path=path)
    except ExportError:  # no frame within a second
        found = read(survey_range, path, start, end, path=path)
    if not found.seekable:
        found = read(survey_range, path, start, end, path=path)
    final = found.first_pts + int(end / found.time_base)
    sound = found.audio_index is not None
    problem: ExportError | None = None
    for lead in _LEAD_SECONDS if found.seekable else (None,):
        for with_sound in (True, False) if sound else (False,):
            command = _command(program, found, final, end, target, lead, sound=with_sound)
            try:
                _run(command, lambda done: progress(min(1.0, done / float(end - start))), cancelled, stalled_seconds)
            except OutsideError:
                raise
            except ExportError as error:  # undecodable audio is no reason to show nothing
                problem = error
                continue
            if lead is None or read(_begins_at_once, target, path=str(target)):
                return ProxyTimes(offset_seconds=found.start_seconds, duration_seconds=end - found.start_seconds)
            break  # the seek landed too late: start reading earlier
        else:
            raise problem or AssertionError
    raise problem or ExportError("no frame of this range can be decoded; the file is damaged there")


def _begins_at_once(target: Path) -> bool:
    """Return whether the proxy's first frame is the first one of the range, at time 0."""
    from indexer.media.decode import Decoding
    from indexer.media.errors import UnreadableVideo
    from indexer.media.probe import open_source

    try:
        with open_source(str(target), threads=1) as source:
            first = next(iter(Decoding(source)), None)
            return first is not None and first.pts * source.time_base < Fraction(1, 1000)
    except UnreadableVideo:  # no picture at all
        return False


def _command(
    program: str, found: Survey, final: int, end: Fraction, target: Path, lead: Fraction | None, *, sound: bool
) -> list[str]:
    import ffmpeg

    begin = found.container_seconds(found.pts[0])
    source = ffmpeg.input(SOURCE, **seek_options(found, begin, lead), **reading_options(found))
    streams = [_picture(program, source[str(found.video_index)], found, final)]
    if sound:
        finish = begin + (end - found.start_seconds)
        streams.append(audio_filters(source[str(found.audio_index)], begin, finish, pad=False))
    options: dict[str, Any] = {
        "f": "mp4",
        "fps_mode:v": "passthrough",
        "enc_time_base:v": ratio(time_units(found)),
        "c:v": "libx264",
        "preset": "veryfast",
        "crf": 23,
        "pix_fmt": "yuv420p",
        "g": GOP,
        "bf": 2,
        "movflags": "+faststart",
        "write_tmcd": 0,
        "map_chapters": -1,
        "map_metadata": -1,
    }
    if sound:
        options |= {"c:a": "aac", "b:a": 128_000, "ac": 2, "ar": 48_000}
    graph = ffmpeg.output(*streams, TARGET, **options)
    command = [program, *QUIET, "-progress", "pipe:1", "-stats_period", "0.25"]
    return compile_graph(command, graph, {SOURCE: found.path, TARGET: target})


def _picture(program: str, stream: Any, found: Survey, final: int) -> Any:
    from indexer.media.colour_tags import BT709

    stream = deinterlace(trim_pictures(stream, found, final), found)
    is_mapped = found.is_hdr and can_tone_map(program)
    is_rgb = found.is_rgb
    if found.has_alpha and not found.is_hdr:
        stream, is_rgb = over_grey(stream), True
    extra = {"out_range": "tv", "out_color_matrix": "bt709"} if is_rgb else {"out_range": "tv"}
    shrink = f"min(1,{MAX_PIXELS}/max(iw*sar,ih))"
    stream = stream.filter(
        "scale",
        f"max(2,2*round(iw*sar*{shrink}/2))",
        f"max(2,2*round(ih*{shrink}/2))",
        **({} if is_mapped else extra),  # what is tone mapped keeps its depth and range until then
    )
    stream = stream.filter("setsar", 1)
    if is_mapped and found.colours is not None:
        return tone_mapped(stream, found.colours, is_rgb=is_rgb)
    stream = stream.filter("format", "yuv420p")
    return stream if found.colours is None else tagged(stream, BT709 if is_rgb else found.colours)


def _run(
    command: list[str], on_progress: Callable[[float], None], cancelled: Callable[[], bool], stalled_seconds: float
) -> None:
    """Run ffmpeg to its end, and kill it when cancelled or stalled."""
    last, changed = "", time.monotonic()

    def read_line(line: str) -> None:
        nonlocal last, changed
        name, _, value = line.partition("=")
        if name == "out_time_us" and value != last:
            last, changed = value, time.monotonic()
            if value.lstrip("-").isdigit():
                on_progress(max(0.0, int(value) / 1e6))

    def check() -> None:
        if cancelled():
            raise ProxyCancelled
        if time.monotonic() - changed > stalled_seconds:
            raise OutsideError("reading the file stalled; check its drive and retry")

    run_ffmpeg(command, read_line, check=check, memory_bytes=_MEMORY_BYTES)
