"""The plan of a smart cut: the packets of a range that can be copied, between edges that must be encoded again.

Copying begins at a picture after which no frame refers to an earlier one: an IDR, or a CRA in HEVC, whose leading
pictures are left out. It ends after a packet up to which the packets hold exactly the first frames shown, which is
rarely more than two or three frames before the end of the range. Nothing is decoded here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from app.exporting.range_frames import STEPS_BACK
from app.exporting.smart.h264 import H264
from app.exporting.smart.hevc import Hevc
from app.exporting.smart.nal import Codec, NotJoinable, ParameterSets, SpsInfo, split_units
from app.exporting.survey import Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPlan:
    """The frames to copy: index `first` (inclusive) to `end` (exclusive) in a survey's `pts`, at least one."""

    first: int
    end: int
    codec: Codec
    sets: ParameterSets
    length_bytes: int  # size of the length before each unit in the source's packets; 0: start codes
    sps: SpsInfo
    reordered: bool  # the source has B frames
    colours: tuple[int, int, int, bool] | None  # see mp4.Track


def plan_copy(survey: Survey) -> CopyPlan:
    """Find the frames of a range that can be copied.

    Raises:
        NotJoinable: No frame can be copied, or frames encoded for the edges would not be compatible.
        BrokenStream: The file is damaged.
    """
    codecs: dict[str, Codec] = {"h264": H264(), "hevc": Hevc()}
    codec = codecs.get(survey.codec)
    if codec is None:
        raise NotJoinable(f"{survey.codec} video cannot be joined")
    if not survey.seekable:
        raise NotJoinable("the file has no timestamps to seek by")
    if survey.is_spherical:
        raise NotJoinable("a joined file could not say that its pictures are spherical")
    from indexer.media.probe import open_source

    with open_source(survey.path) as source:
        extradata_sets, length_bytes = codec.parse_extradata(source.stream.codec_context.extradata)
        sets, first, end = _longest_run(survey, codec, extradata_sets, length_bytes)
        context = source.stream.codec_context
        parsed = {codec.parse_sps(unit) for unit in sets.sps}
        if any((each.width, each.height) != (context.width, context.height) for each in parsed):
            raise NotJoinable("the container shows only a part of the pictures")
        plan = CopyPlan(
            first=first,
            end=end,
            codec=codec,
            sets=sets,
            length_bytes=length_bytes,
            sps=next(iter(parsed)),
            reordered=bool(context.has_b_frames),
            colours=_colours(context),
        )
        if end - first < len(survey.pts):
            _check_edges(plan, parsed, context)
    return plan


def packets_to_copy(survey: Survey, plan: CopyPlan) -> Iterator[tuple[list[bytes], int]]:
    """Yield (NAL units, pts) of every packet to copy, in decoding order. Raises NotJoinable if the file has changed."""
    remaining = plan.end - plan.first
    started = leading = False
    for packet, units in _packets(survey, plan.length_bytes):
        if not started and packet.pts == survey.pts[plan.first] and plan.codec.can_start_copy(units):
            started = leading = True
        elif leading and plan.codec.is_leading(units):
            continue
        elif started and plan.codec.is_key(units):
            leading = False
        if started:
            yield units, packet.pts
            remaining -= 1
            if not remaining:
                return
    raise NotJoinable("the file changed while it was read")


def _longest_run(
    survey: Survey, codec: Codec, extradata_sets: ParameterSets, length_bytes: int
) -> tuple[ParameterSets, int, int]:
    """Return the parameter sets that are valid for the copyable frames, and the indices `first` and `end` of these."""
    sets: ParameterSets | None = None
    first = count = contiguous = highest = 0
    leading = False
    for packet, units in _packets(survey, length_bytes):
        index = _index(survey.pts, packet.pts)
        if sets is None:
            if packet.dts is not None and packet.dts > survey.pts[-1]:
                break
            if index is None or not codec.can_start_copy(units):
                continue
            own = codec.parameter_sets(units)
            chosen = own or extradata_sets
            if not chosen or not _keeps_parameter_sets(units, codec, chosen):
                continue
            sets, first, leading = chosen, index, True
        elif leading and codec.is_leading(units):
            continue  # shown before the first copied frame, so it is encoded again
        elif codec.is_key(units):
            leading = False
        if index is None or index < first or not _keeps_parameter_sets(units, codec, sets):
            break
        count, highest = count + 1, max(highest, index)
        if highest - first + 1 == count:
            contiguous = count
    if sets is None or not contiguous:
        raise NotJoinable("no key frame that could be copied from lies in the range")
    return sets, first, first + contiguous


def _packets(survey: Survey, length_bytes: int) -> Iterator[tuple[Any, list[bytes]]]:
    """Yield packets with their units, from the last key frame at or before the range on, or from somewhat earlier.

    A packet that is the second field of a frame is joined to that of the first one, as in MP4.
    """
    from indexer.media.probe import open_source

    for back in (*STEPS_BACK, None):
        seek_pts = None if back is None else survey.pts[0] - int(back / survey.time_base)
        if seek_pts is not None and seek_pts <= survey.first_pts:
            seek_pts = None
        with open_source(survey.path) as source:
            if seek_pts is not None:
                source.container.seek(seek_pts, stream=source.stream, backward=True)
            packets = (each for each in source.container.demux(source.stream) if each.size and not each.is_discard)
            first = next(packets, None)
            if first is None or (seek_pts is not None and (first.pts is None or first.pts > survey.pts[0])):
                continue  # the seek landed too late: transport streams have no index
            frame: tuple[Any, list[bytes]] | None = None
            for packet in chain((first,), packets):
                units = list(split_units(bytes(packet), length_bytes))
                if frame is not None and _is_second_field(survey, packet.pts):
                    frame[1].extend(units)
                    continue
                if frame is not None:
                    yield frame
                frame = packet, units
            if frame is not None:
                yield frame
            return


def _is_second_field(survey: Survey, pts: int | None) -> bool:
    """Return whether a packet within the range is no frame of it: it has no time, or one between two frames."""
    if survey.field_order is None:
        return False
    return pts is None or (survey.pts[0] < pts < survey.end_pts and _index(survey.pts, pts) is None)


def _index(times: tuple[int, ...], pts: int | None) -> int | None:
    if pts is None:
        return None
    index = bisect_left(times, pts)
    return index if index < len(times) and times[index] == pts else None


def _keeps_parameter_sets(units: list[bytes], codec: Codec, sets: ParameterSets) -> bool:
    """Return whether no unit changes the parameter sets."""
    return all(unit in sets for unit in units if codec.is_parameter_set(unit))


def _check_edges(plan: CopyPlan, parsed: set[SpsInfo], context: Any) -> None:
    """Raise NotJoinable unless frames compatible with those of the source can be encoded."""
    sps, name = plan.sps, context.format.name
    if len({(each.profile, each.chroma_format, each.bit_depth, each.frames_only) for each in parsed}) > 1:
        raise NotJoinable("the file changes its format midway")
    if sps.profile not in plan.codec.profiles or sps.chroma_format != 1 or name not in plan.codec.pixel_formats:
        raise NotJoinable(f"{context.name} as {name} ({context.profile}) cannot be joined")


def _colours(context: Any) -> tuple[int, int, int, bool] | None:
    parsed = int(context.color_primaries), int(context.color_trc), int(context.colorspace)
    return None if set(parsed) <= {0, 2} else (*parsed, int(context.color_range) == 2)
