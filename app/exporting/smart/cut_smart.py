"""Smart cutting (`smart` mode): exact clips of which only the edges are encoded, while all packets between are copied.

The edges get parameter sets with an id that the source does not use, and the file header holds the sets of both, so
that copied and encoded frames can follow each other with nothing between them. Times are exactly the source's. A clip
that cannot be joined is encoded as a whole, as in `exact` mode, and its note says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.audio_choice import ALL_TRACKS
from app.exporting.clip_tags import joined_notes, tag_options
from app.exporting.clip_words import ClipWords
from app.exporting.cut import Cut
from app.exporting.cut_exact import CRF, PRESET, cut_exact
from app.exporting.ffmpeg_binary import ExportError, OutsideError
from app.exporting.graph import (
    LEAD_SECONDS,
    MAX_TIME_BASE_HZ,
    QUIET,
    SOURCE,
    TARGET,
    OnProgress,
    ratio,
    run_graph,
    seek_options,
)
from app.exporting.smart.check import check_clip
from app.exporting.smart.intra import AUDIO_LEAD_SECONDS, cut_intra
from app.exporting.smart.mp4 import IDENTITY, Mp4Writer, Track
from app.exporting.smart.nal import BrokenStream, NotJoinable, ParameterSets, length_prefixed, split_units
from app.exporting.smart.plan import CopyPlan, packets_to_copy, plan_copy
from app.exporting.sound import AUDIO, clip_container, decode_sound, leave_out_broken, read_sound, select_sound
from app.exporting.survey import Survey, survey_range
from app.exporting.words.track import words_track
from files.durability import create_empty


@dataclass(frozen=True, slots=True)
class _Edge:
    """The encoded frames before or after the copied ones. `lead`: the reading lead in seconds that worked."""

    sets: ParameterSets
    packets: list[tuple[list[bytes], int, bool]]  # (NAL units, pts in the source's time base, key), in decoding order
    lead: Fraction | None


def cut_smart(
    program: str,
    path: str,
    start: Fraction,
    end: Fraction,
    draft: Path,
    on_progress: OnProgress | None = None,
    *,
    audio: str = ALL_TRACKS,
    words: ClipWords | None = None,
) -> tuple[Survey, Cut]:
    """Write exactly the frames of a range, copied as far as possible.

    Args:
        program: The ffmpeg program.
        path: The source.
        start: Start of the range in seconds from the first frame shown, inclusive.
        end: End of the range, exclusive.
        draft: The file to write; replaced if it exists.
        on_progress: Called with the finished share, 0 to 1, if the clip is encoded as a whole.
        audio: The sound tracks, as `audio_choice.parse_audio` returns them.
        words: What is to go into the clip.

    Returns:
        The survey of the range, and the written file. Its `note` says how many frames were copied, or why none were.

    Raises:
        UnreadableVideo: The source is missing or broken.
        ExportError: No frame lies in the range, or ffmpeg failed.
        OSError: The file cannot be written.
    """
    survey = replace(select_sound(survey_range(path, start, end, decoding=False), audio), words=words)
    try:
        cut = cut_intra(program, survey, draft) if survey.intra_only else _join(program, survey, draft)
        return survey, cut
    except NotJoinable as problem:
        reason = str(problem)
    except ValueError as problem:  # BrokenStream, and errors of the demuxer about damage
        reason = f"the file is damaged ({problem})"
    except OutsideError:
        raise
    except ExportError as problem:
        reason = f"joining failed ({problem})"
    survey = replace(select_sound(survey_range(path, start, end), audio), words=words)
    cut = cut_exact(program, survey, draft, on_progress)
    return survey, replace(cut, note=joined_notes(cut.note, f"re-encoded as a whole: {reason}"))


def _join(program: str, survey: Survey, draft: Path) -> Cut:
    if survey.time_base < Fraction(1, MAX_TIME_BASE_HZ):
        raise NotJoinable("its timestamps are finer than MP4 can hold")
    plan = plan_copy(survey)
    with _temporary(draft, "edge") as edge_file, _temporary(draft, "video") as video_file:
        head = _edge(program, survey, plan, 0, plan.first, edge_file)
        tail = _edge(program, survey, plan, plan.end, len(survey.pts), edge_file)
        _write_video(survey, plan, head, tail, video_file)
        lead = head.lead if head.packets else AUDIO_LEAD_SECONDS
        cut = _with_sound(program, survey, video_file, draft, lead)
    check_clip(draft, survey, [join for join in (plan.first, plan.end) if 0 < join < len(survey.pts)])
    copied = plan.end - plan.first
    note = f"{copied} of {len(survey.pts)} frames copied as they are"
    return replace(cut, copied=copied, note=joined_notes(note, cut.note))


def _edge(program: str, survey: Survey, plan: CopyPlan, first: int, end: int, file: Path) -> _Edge:
    """Encode the frames with index `first` to `end`. Raises NotJoinable if others come out."""
    if first == end:
        return _Edge(ParameterSets(), [], None)
    times = survey.pts[first:end]
    for lead in LEAD_SECONDS:
        edge = _encode_edge(program, survey, plan, times, file, lead)
        if sorted(pts for _, pts, _ in edge.packets) == list(times):
            return edge
    raise NotJoinable("the file is damaged there")


def _encode_edge(
    program: str, survey: Survey, plan: CopyPlan, times: tuple[int, ...], file: Path, lead: Fraction | None
) -> _Edge:
    import ffmpeg

    reading = seek_options(survey, survey.container_seconds(times[0]), lead)
    stream = ffmpeg.input(SOURCE, noautorotate=None, **reading)[str(survey.video_index)]
    stream = stream.filter("settb", ratio(survey.time_base, "/"))
    stream = stream.filter("trim", start_pts=times[0], end_pts=times[-1] + 1).filter("setpts", f"PTS-({times[0]})")
    interlaced = survey.field_order is not None
    if interlaced:
        stream = stream.filter("setfield", survey.field_order)
    options: dict[str, Any] = {
        "f": "mp4",
        "fps_mode:v": "passthrough",
        "enc_time_base:v": ratio(survey.time_base),
        "crf": CRF,
        "preset": PRESET,
        "write_tmcd": 0,
        "map_chapters": -1,
    }
    options |= plan.codec.encoder_options(plan.sets, plan.sps, reordered=plan.reordered, interlaced=interlaced)
    run_graph([program, *QUIET], ffmpeg.output(stream, TARGET, **options), {SOURCE: survey.path, TARGET: file})
    return _read_edge(survey, plan, times[0], file, lead)


def _read_edge(survey: Survey, plan: CopyPlan, first_pts: int, file: Path, lead: Fraction | None) -> _Edge:
    from indexer.media.errors import UnreadableVideo
    from indexer.media.probe import open_source

    packets = []
    try:
        with open_source(str(file)) as source:
            context, codec = source.stream.codec_context, plan.codec
            encoded_sets, length_bytes = codec.parse_extradata(context.extradata)
            sets = codec.parameter_sets(
                [codec.renumbered(unit) for unit in (*encoded_sets.vps, *encoded_sets.sps, *encoded_sets.pps)]
            )
            if (context.width, context.height) != (plan.sps.width, plan.sps.height):
                raise NotJoinable("the frames change size")
            for packet in source.container.demux(source.stream):
                if packet.size:
                    units = [codec.renumbered(unit) for unit in split_units(bytes(packet), length_bytes)]
                    pts = round(Fraction(packet.pts or 0) * source.time_base / survey.time_base)
                    packets.append((units, first_pts + pts, codec.is_key(units)))
    except UnreadableVideo:
        return _Edge(ParameterSets(), [], lead)  # no frame was encoded, because reading started too late
    if not sets or plan.codec.parameter_set_ids(sets) & plan.codec.parameter_set_ids(plan.sets):
        raise NotJoinable("this ffmpeg has another encoder than x264 or x265")
    return _Edge(sets, packets, lead)


def _write_video(survey: Survey, plan: CopyPlan, head: _Edge, tail: _Edge, file: Path) -> None:
    codec, begin = plan.codec, survey.pts[0]
    try:
        configuration = codec.decoder_configuration(plan.sets, head.sets, tail.sets)
    except BrokenStream as problem:
        raise NotJoinable(str(problem)) from problem
    track = Track(
        sample_entry=codec.sample_entry,
        configuration_box=codec.configuration_box,
        configuration=configuration,
        width=plan.sps.width,
        height=plan.sps.height,
        time_base=survey.time_base,
        matrix=survey.display_matrix or IDENTITY,
        sample_aspect=survey.sample_aspect,
        colours=plan.colours,
    )
    with file.open("wb") as stream:
        writer = Mp4Writer(stream, track)
        pending: tuple[list[bytes], int, bool] | None = None
        for packet in head.packets:
            if pending is not None:
                writer.add(length_prefixed(pending[0]), pending[1] - begin, key=pending[2])
            pending = packet
        for units, pts in packets_to_copy(survey, plan):
            if pending is not None:
                last = [*pending[0], codec.end_of_sequence] if codec.needs_end_of_sequence(units) else pending[0]
                writer.add(length_prefixed(last), pending[1] - begin, key=pending[2])
                pending = None
            writer.add(length_prefixed(units), pts - begin, key=codec.is_key(units))
        for units, pts, key in tail.packets:
            writer.add(length_prefixed(units), pts - begin, key=key)
        writer.finish(survey.end_pts - begin)


def _with_sound(program: str, survey: Survey, video: Path, draft: Path, lead: Fraction | None) -> Cut:
    """Add the sound, cut as in exact mode, without the tracks that cannot be decoded."""
    _, kept, note = leave_out_broken(
        survey.sound,
        lambda tracks: _mux(program, replace(survey, sound=tracks), video, draft, lead),
        lambda track: decode_sound(program, survey, track, lead),
    )
    return Cut(suffix=clip_container(kept)[0], frames=len(survey.pts), has_audio=bool(kept), note=note or None)


def _mux(program: str, survey: Survey, video: Path, draft: Path, lead: Fraction | None) -> None:
    import ffmpeg

    _, format_name = clip_container(survey.sound)
    options: dict[str, Any] = {"f": format_name, "c:v": "copy", "movflags": "+faststart", "map_chapters": -1}
    options |= tag_options(survey, survey.start_seconds, format_name, copying=True)
    if survey.codec == "hevc":
        options["tag:v"] = "hvc1"  # Apple's players accept HEVC only under this tag
    sound, sound_options = read_sound(survey, lead)
    with words_track(survey, draft, format_name) as words:
        options |= sound_options | words.options
        output = ffmpeg.output(ffmpeg.input(SOURCE)["v:0"], *sound, *words.streams, TARGET, **options)
        run_graph([program, *QUIET], output, {SOURCE: video, AUDIO: survey.path, TARGET: draft, **words.files})


@contextmanager
def _temporary(draft: Path, suffix: str) -> Iterator[Path]:
    """Yield a temporary path. If this run is killed, a later one sweeps the file together with the draft."""
    file = draft.with_name(f"{draft.name}-{suffix}")
    create_empty(file)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
