"""Which packets of a range can be copied as they are, so that only the frames before and after them are encoded again.

Copying begins at an IDR picture: nothing after it in the file is shown before it or needs what came before. It ends
behind any packet up to which the packets hold the first frames shown and no others, which is seldom more than two or
three frames before the end of the range. Nothing is decoded here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from app.clip_smart_nal import IDR, PPS, SPS, ParameterSets, Sps, header, kind, sets_in, split, sps_of
from app.clip_survey import STEPS_BACK, Survey

_PROFILES = {66: "baseline", 77: "main", 100: "high"}
_FORMATS = ("yuv420p", "yuvj420p")


class NotJoinable(Exception):
    """Nothing of this range can be copied; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copyable:
    """The frames `first` to `end` of a survey's, which lie whole in packets; at least one."""

    first: int
    end: int
    sets: ParameterSets
    length_bytes: int  # before each unit in the source's packets
    sps: Sps
    reordered: bool
    colours: tuple[int, int, int, bool] | None

    @property
    def profile(self) -> str:
        """As x264 calls the profile that edges must have."""
        return _PROFILES[self.sps.profile]

    @property
    def free_id(self) -> int:
        """For the parameter sets of the edges. Raises NotJoinable where the source has taken them all."""
        taken = self.sets.ids
        free = next((each for each in range(1, 32) if each not in taken), None)
        if free is None:
            raise NotJoinable("the file has used up the numbers of parameter sets")
        return free


def copyable(found: Survey) -> Copyable:
    """The longest run of frames that can be copied. Raises NotJoinable, or BrokenStream for a damaged file."""
    if found.codec != "h264":
        raise NotJoinable(f"{found.codec} video cannot be joined")
    if not found.sought:
        raise NotJoinable("the file has no times that could be sought")
    from indexer.probe import open_source

    with open_source(found.path) as source:
        beside, length_bytes = header(source.stream.codec_context.extradata)
        sets, first, end = _run(found, beside, length_bytes)
        context = source.stream.codec_context
        told = {sps_of(unit) for unit in sets.sps}
        sps = next(iter(told))
        if any((each.width, each.height) != (context.width, context.height) for each in told):
            raise NotJoinable("the container shows only a part of the pictures")
        plan = Copyable(
            first=first,
            end=end,
            sets=sets,
            length_bytes=length_bytes,
            sps=sps,
            reordered=bool(context.has_b_frames),
            colours=_colours(context),
        )
        if end - first < len(found.pts):
            _check_edges(plan, told, context)
    return plan


def units_to_copy(found: Survey, plan: Copyable) -> Iterator[tuple[list[bytes], int]]:
    """(NAL units, pts) of every packet to copy, in decoding order."""
    left = plan.end - plan.first
    begun = False
    for packet, units in _packets(found, plan.length_bytes):
        begun = begun or (packet.pts == found.pts[plan.first] and any(kind(unit) == IDR for unit in units))
        if begun:
            yield units, packet.pts
            left -= 1
            if not left:
                return
    raise NotJoinable("the file changed while it was read")


def _run(found: Survey, beside: ParameterSets, length_bytes: int) -> tuple[ParameterSets, int, int]:
    """The parameter sets that hold for the frames first to end, which can be copied."""
    sets: ParameterSets | None = None
    first = count = whole = highest = 0
    for packet, units in _packets(found, length_bytes):
        if sets is None:
            if packet.dts is not None and packet.dts > found.pts[-1]:
                break
            place = _place(found.pts, packet.pts)
            own = sets_in(units)
            if place is None or not any(kind(unit) == IDR for unit in units):
                continue
            chosen = own if own.sps and own.pps else beside
            if not chosen.sps or not chosen.pps or not _known(units, chosen):
                continue
            sets, first = chosen, place
        place = _place(found.pts, packet.pts)
        if place is None or place < first or not _known(units, sets):
            break
        count, highest = count + 1, max(highest, place)
        if highest - first + 1 == count:
            whole = count
    if sets is None or not whole:
        raise NotJoinable("no key frame that could be copied from lies in the range")
    return sets, first, first + whole


def _packets(found: Survey, length_bytes: int) -> Iterator[tuple[Any, list[bytes]]]:
    """Packets, with their units, from the last key frame at or before the range on, or from somewhat earlier."""
    from indexer.probe import open_source

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


def _known(units: list[bytes], sets: ParameterSets) -> bool:
    """Whether no unit changes the parameter sets."""
    return all(unit in sets for unit in units if kind(unit) in (SPS, PPS))


def _check_edges(plan: Copyable, told: set[Sps], context: Any) -> None:
    """Whether we can encode pictures that fit between those of the source. Raises NotJoinable."""
    sps = plan.sps
    if len({(each.profile, each.chroma, each.bits, each.frames_only) for each in told}) > 1:
        raise NotJoinable("the file changes its format within")
    if not sps.frames_only:
        raise NotJoinable("interlaced H.264 cannot be joined")
    if sps.profile not in _PROFILES or sps.chroma != 1 or sps.bits != 8 or context.format.name not in _FORMATS:
        raise NotJoinable(f"H.264 as {context.format.name} ({context.profile}) cannot be joined")


def _colours(context: Any) -> tuple[int, int, int, bool] | None:
    told = int(context.color_primaries), int(context.color_trc), int(context.colorspace)
    return None if set(told) <= {0, 2} else (*told, int(context.color_range) == 2)
