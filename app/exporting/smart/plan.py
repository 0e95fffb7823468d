"""Which packets of a range can be copied as they are, so that only the frames before and after them are encoded again.

Copying begins at a picture after which nothing needs what came before it: an IDR, or in HEVC a CRA, whose leading
pictures are left out. It ends behind any packet up to which the packets hold the first frames shown and no others,
which is seldom more than two or three frames before the end of the range. Nothing is decoded here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from app.exporting.smart.h264 import H264
from app.exporting.smart.hevc import Hevc
from app.exporting.smart.nal import Coding, NotJoinable, ParameterSets, Picture, split
from app.exporting.survey import STEPS_BACK, Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Copyable:
    """The frames `first` to `end` of a survey's, which lie whole in packets; at least one."""

    first: int
    end: int
    coding: Coding
    sets: ParameterSets
    length_bytes: int  # before each unit in the source's packets
    picture: Picture
    reordered: bool
    colours: tuple[int, int, int, bool] | None


def copyable(found: Survey) -> Copyable:
    """The longest run of frames that can be copied. Raises NotJoinable, or BrokenStream for a damaged file."""
    codings: dict[str, Coding] = {"h264": H264(), "hevc": Hevc()}
    coding = codings.get(found.codec)
    if coding is None:
        raise NotJoinable(f"{found.codec} video cannot be joined")
    if not found.seekable:
        raise NotJoinable("the file has no times that could be sought")
    from indexer.media.probe import open_source

    with open_source(found.path) as source:
        beside, length_bytes = coding.header(source.stream.codec_context.extradata)
        sets, first, end = _run(found, coding, beside, length_bytes)
        context = source.stream.codec_context
        told = {coding.picture(unit) for unit in sets.sps}
        picture = next(iter(told))
        if any((each.width, each.height) != (context.width, context.height) for each in told):
            raise NotJoinable("the container shows only a part of the pictures")
        plan = Copyable(
            first=first,
            end=end,
            coding=coding,
            sets=sets,
            length_bytes=length_bytes,
            picture=picture,
            reordered=bool(context.has_b_frames),
            colours=_colours(context),
        )
        if end - first < len(found.pts):
            _check_edges(plan, told, context)
    return plan


def units_to_copy(found: Survey, plan: Copyable) -> Iterator[tuple[list[bytes], int]]:
    """(NAL units, pts) of every packet to copy, in decoding order."""
    left = plan.end - plan.first
    begun = leading = False
    for packet, units in _packets(found, plan.length_bytes):
        if not begun and packet.pts == found.pts[plan.first] and plan.coding.starts(units):
            begun = leading = True
        elif leading and plan.coding.leads(units):
            continue
        elif begun and plan.coding.is_key(units):
            leading = False
        if begun:
            yield units, packet.pts
            left -= 1
            if not left:
                return
    raise NotJoinable("the file changed while it was read")


def _run(found: Survey, coding: Coding, beside: ParameterSets, length_bytes: int) -> tuple[ParameterSets, int, int]:
    """The parameter sets that hold for the frames first to end, which can be copied."""
    sets: ParameterSets | None = None
    first = count = whole = highest = 0
    leading = False
    for packet, units in _packets(found, length_bytes):
        place = _place(found.pts, packet.pts)
        if sets is None:
            if packet.dts is not None and packet.dts > found.pts[-1]:
                break
            if place is None or not coding.starts(units):
                continue
            own = coding.sets_in(units)
            chosen = own or beside
            if not chosen or not _known(units, coding, chosen):
                continue
            sets, first, leading = chosen, place, True
        elif leading and coding.leads(units):
            continue  # shown before the first one: encoded again
        elif coding.is_key(units):
            leading = False
        if place is None or place < first or not _known(units, coding, sets):
            break
        count, highest = count + 1, max(highest, place)
        if highest - first + 1 == count:
            whole = count
    if sets is None or not whole:
        raise NotJoinable("no key frame that could be copied from lies in the range")
    return sets, first, first + whole


def _packets(found: Survey, length_bytes: int) -> Iterator[tuple[Any, list[bytes]]]:
    """Packets, with their units, from the last key frame at or before the range on, or from somewhat earlier."""
    from indexer.media.probe import open_source

    for back in (*STEPS_BACK, None):
        seek_pts = None if back is None else found.pts[0] - int(back / found.time_base)
        if seek_pts is not None and seek_pts <= found.first_pts:
            seek_pts = None
        with open_source(found.path) as source:
            if seek_pts is not None:
                source.container.seek(seek_pts, stream=source.stream, backward=True)
            packets = (each for each in source.container.demux(source.stream) if each.size and not each.is_discard)
            first = next(packets, None)
            if first is None or (seek_pts is not None and (first.pts is None or first.pts > found.pts[0])):
                continue  # a seek that landed too late: transport streams have no index
            for packet in chain((first,), packets):
                yield packet, list(split(bytes(packet), length_bytes))
            return


def _place(times: tuple[int, ...], pts: int | None) -> int | None:
    if pts is None:
        return None
    place = bisect_left(times, pts)
    return place if place < len(times) and times[place] == pts else None


def _known(units: list[bytes], coding: Coding, sets: ParameterSets) -> bool:
    """Whether no unit changes the parameter sets."""
    return all(unit in sets for unit in units if coding.is_set(unit))


def _check_edges(plan: Copyable, told: set[Picture], context: Any) -> None:
    """Whether we can encode pictures that fit between those of the source. Raises NotJoinable."""
    picture, name = plan.picture, context.format.name
    if len({(each.profile, each.chroma, each.bits, each.frames_only) for each in told}) > 1:
        raise NotJoinable("the file changes its format within")
    if not picture.frames_only:
        raise NotJoinable("interlaced H.264 cannot be joined")
    if picture.profile not in plan.coding.profiles or picture.chroma != 1 or name not in plan.coding.formats:
        raise NotJoinable(f"{context.name} as {name} ({context.profile}) cannot be joined")


def _colours(context: Any) -> tuple[int, int, int, bool] | None:
    told = int(context.color_primaries), int(context.color_trc), int(context.colorspace)
    return None if set(told) <= {0, 2} else (*told, int(context.color_range) == 2)
