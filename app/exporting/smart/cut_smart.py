"""Exact clips of which only the edges are encoded again: every packet between is the source's own.

The edges get parameter sets with an id that the source does not use, and all sets stand in the header of the file: so
pictures of both kinds follow each other without a word in between. Times are the source's, exact. What cannot be
joined is encoded as a whole, as in `exact` mode, and says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.cut import Cut
from app.exporting.cut_exact import CRF, PRESET, cut_exact
from app.exporting.ffmpeg_binary import ExportError
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
from app.exporting.smart.check import check
from app.exporting.smart.intra import cut_intra
from app.exporting.smart.mp4 import IDENTITY, Mp4Writer, Track
from app.exporting.smart.nal import BrokenStream, NotJoinable, ParameterSets, joined, split
from app.exporting.smart.plan import Copyable, copyable, units_to_copy
from app.exporting.survey import Survey, survey_range

_AUDIO = "prismsearch-audio"
_AUDIO_LEAD_SECONDS = Fraction(5)  # seconds, where no edge has shown from how far back reading must begin


@dataclass(frozen=True, slots=True)
class _Edge:
    """Frames that were encoded again: (units, pts in the source's time base, key) in decoding order."""

    sets: ParameterSets
    packets: list[tuple[list[bytes], int, bool]]
    lead: Fraction | None


def cut_smart(
    program: str, path: str, start: Fraction, end: Fraction, draft: Path, told: OnProgress | None = None
) -> tuple[Survey, Cut]:
    """Write exactly the frames with start <= time < end to `draft`, copied where that can be done.

    Seconds count from the first frame shown. Raises UnreadableVideo, ExportError, OSError.
    """
    found = survey_range(path, start, end, decoding=False)
    try:
        cut = cut_intra(program, found, draft) if found.intra_only else _join(program, found, draft)
        return found, cut
    except NotJoinable as problem:
        reason = str(problem)
    except ValueError as problem:  # BrokenStream, and what the demuxer says about damage
        reason = f"the file is damaged ({problem})"
    except ExportError as problem:
        reason = f"joining failed ({problem})"
    found = survey_range(path, start, end)
    cut = cut_exact(program, found, draft, told)
    whole = f"encoded again as a whole: {reason}"
    return found, replace(cut, note=f"{cut.note}; {whole}" if cut.note else whole)


def _join(program: str, found: Survey, draft: Path) -> Cut:
    if found.time_base < Fraction(1, MAX_TIME_BASE_HZ):
        raise NotJoinable("its times are finer than MP4 can hold")
    plan = copyable(found)
    with _beside(draft, "edge") as edge_file, _beside(draft, "video") as video_file:
        head = _edge(program, found, plan, 0, plan.first, edge_file)
        tail = _edge(program, found, plan, plan.end, len(found.pts), edge_file)
        _write_video(found, plan, head, tail, video_file)
        lead = head.lead if head.packets else _AUDIO_LEAD_SECONDS
        cut = _with_audio(program, found, video_file, draft, lead)
    check(draft, found, [place for place in (plan.first, plan.end) if 0 < place < len(found.pts)])
    copied = plan.end - plan.first
    note = f"{copied} of {len(found.pts)} frames copied as they are"
    return replace(cut, copied=copied, note=f"{note}; {cut.note}" if cut.note else note)


def _edge(program: str, found: Survey, plan: Copyable, first: int, end: int, file: Path) -> _Edge:
    """Encode the frames first to end. Raises NotJoinable where they come out as others."""
    if first == end:
        return _Edge(ParameterSets(), [], None)
    times = found.pts[first:end]
    for lead in LEAD_SECONDS:
        edge = _encoded(program, found, plan, times, file, lead)
        if sorted(pts for _, pts, _ in edge.packets) == list(times):
            return edge
    raise NotJoinable("the file is damaged there")


def _encoded(
    program: str, found: Survey, plan: Copyable, times: tuple[int, ...], file: Path, lead: Fraction | None
) -> _Edge:
    import ffmpeg

    reading = seek_options(found, found.container_seconds(times[0]), lead)
    stream = ffmpeg.input(SOURCE, noautorotate=None, **reading)[str(found.video_index)]
    stream = stream.filter("settb", ratio(found.time_base, "/"))
    stream = stream.filter("trim", start_pts=times[0], end_pts=times[-1] + 1).filter("setpts", f"PTS-({times[0]})")
    options: dict[str, Any] = {
        "f": "mp4",
        "fps_mode:v": "passthrough",
        "enc_time_base:v": ratio(found.time_base),
        "crf": CRF,
        "preset": PRESET,
        "write_tmcd": 0,
        "map_chapters": -1,
    }
    options |= plan.coding.encoder(plan.sets, plan.picture, reordered=plan.reordered)
    run_graph([program, *QUIET], ffmpeg.output(stream, TARGET, **options), {SOURCE: found.path, TARGET: file})
    return _read_edge(found, plan, times[0], file, lead)


def _read_edge(found: Survey, plan: Copyable, first_pts: int, file: Path, lead: Fraction | None) -> _Edge:
    from indexer.media.errors import UnreadableVideo
    from indexer.media.probe import open_source

    packets = []
    try:
        with open_source(str(file)) as source:
            context, coding = source.stream.codec_context, plan.coding
            told, length_bytes = coding.header(context.extradata)
            sets = coding.sets_in([coding.fitted(unit) for unit in (*told.vps, *told.sps, *told.pps)])
            if (context.width, context.height) != (plan.picture.width, plan.picture.height):
                raise NotJoinable("the pictures change their size")
            for packet in source.container.demux(source.stream):
                if packet.size:
                    units = [coding.fitted(unit) for unit in split(bytes(packet), length_bytes)]
                    pts = round(Fraction(packet.pts or 0) * source.time_base / found.time_base)
                    packets.append((units, first_pts + pts, coding.is_key(units)))
    except UnreadableVideo:
        return _Edge(ParameterSets(), [], lead)  # no frame was encoded: reading began too late
    if not sets or plan.coding.ids(sets) & plan.coding.ids(plan.sets):
        raise NotJoinable("this ffmpeg has another encoder than x264 or x265")
    return _Edge(sets, packets, lead)


def _write_video(found: Survey, plan: Copyable, head: _Edge, tail: _Edge, file: Path) -> None:
    coding, begin = plan.coding, found.pts[0]
    try:
        header_of_all = coding.configuration(plan.sets, head.sets, tail.sets)
    except BrokenStream as problem:
        raise NotJoinable(str(problem)) from problem
    track = Track(
        entry=coding.entry,
        box=coding.box,
        configuration=header_of_all,
        width=plan.picture.width,
        height=plan.picture.height,
        time_base=found.time_base,
        matrix=found.display_matrix or IDENTITY,
        sample_aspect=found.sample_aspect,
        colours=plan.colours,
    )
    with file.open("wb") as stream:
        writer = Mp4Writer(stream, track)
        waiting: tuple[list[bytes], int, bool] | None = None
        for packet in head.packets:
            if waiting is not None:
                writer.add(joined(waiting[0]), waiting[1] - begin, key=waiting[2])
            waiting = packet
        for units, pts in units_to_copy(found, plan):
            if waiting is not None:
                last = [*waiting[0], coding.end_of_sequence] if coding.needs_end_before(units) else waiting[0]
                writer.add(joined(last), waiting[1] - begin, key=waiting[2])
                waiting = None
            writer.add(joined(units), pts - begin, key=coding.is_key(units))
        for units, pts, key in tail.packets:
            writer.add(joined(units), pts - begin, key=key)
        writer.finish(found.end_pts - begin)


def _with_audio(program: str, found: Survey, video: Path, draft: Path, lead: Fraction | None) -> Cut:
    """The picture as it is, and the audio as in exact mode. Raises ExportError if the picture is the problem."""
    audio = found.audio_index is not None
    try:
        _mux(program, found, video, draft, lead, audio=audio)
    except ExportError as error:
        if not audio:
            raise
        _mux(program, found, video, draft, lead, audio=False)
        return Cut(suffix=".mp4", frames=len(found.pts), has_audio=False, note=f"without its sound ({error})")
    return Cut(suffix=".mp4", frames=len(found.pts), has_audio=audio)


def _mux(program: str, found: Survey, video: Path, draft: Path, lead: Fraction | None, *, audio: bool) -> None:
    import ffmpeg

    streams = [ffmpeg.input(SOURCE)["v:0"]]
    files: dict[str, str | Path] = {SOURCE: video, TARGET: draft}
    options: dict[str, Any] = {
        "f": "mp4", "c:v": "copy", "movflags": "+faststart", "write_tmcd": 0, "map_chapters": -1,
    }  # fmt: skip
    if found.codec == "hevc":
        options["tag:v"] = "hvc1"  # the name by which Apple's players know it
    if audio:
        start, end = found.container_seconds(found.pts[0]), found.container_seconds(found.end_pts)
        audio_input = ffmpeg.input(_AUDIO, **seek_options(found, start, lead))[str(found.audio_index)]
        streams.append(audio_filters(audio_input, start, end))
        options |= {"c:a": "aac", "b:a": AUDIO_BITRATE}
        files[_AUDIO] = found.path
    run_graph([program, *QUIET], ffmpeg.output(*streams, TARGET, **options), files)


@contextmanager
def _beside(draft: Path, what: str) -> Iterator[Path]:
    """A passing file, which a later run sweeps as it does drafts if this one is killed."""
    file = draft.with_name(f"{draft.name}-{what}")
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
