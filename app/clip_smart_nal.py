"""The parts of an H.264 stream that joining needs: NAL units, parameter sets, and what these say about pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

IDR, SPS, PPS = 5, 7, 8
_START = re.compile(rb"\x00\x00\x01")
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class BrokenStream(ValueError):
    """The bytes are not what the codec's standard says."""


@dataclass(frozen=True, slots=True)
class Sps:
    """What a sequence parameter set says about its pictures. Sizes in pixels as shown, cropping applied."""

    id: int
    profile: int
    constraints: int
    level: int
    chroma: int  # 1: 4:2:0
    bits: int  # of luma; chroma has as many, or `chroma` is not what we join
    refs: int
    frames_only: bool  # never fields
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """NAL units without their length or start code, in the order found."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def ids(self) -> set[int]:
        """Every id that one of them has."""
        return {sps_of(unit).id for unit in self.sps} | {pps_id(unit) for unit in self.pps}

    def __contains__(self, unit: bytes) -> bool:
        return unit in self.sps or unit in self.pps


def kind(unit: bytes) -> int:
    """The type of a NAL unit."""
    return unit[0] & 0x1F


def split(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """The NAL units of a packet. length_bytes: of the length before each (1, 2, 4), 0 where start codes are between.

    Raises BrokenStream where the lengths do not add up.
    """
    if not length_bytes:
        yield from _between_start_codes(data)
        return
    at = 0
    while at < len(data):
        begin = at + length_bytes
        at = begin + int.from_bytes(data[at:begin], "big")
        if at > len(data):
            raise BrokenStream("a NAL unit is longer than its packet")
        if at > begin:
            yield data[begin:at]


def _between_start_codes(data: bytes) -> Iterator[bytes]:
    starts = [match.end() for match in _START.finditer(data)]
    for number, begin in enumerate(starts):
        end = starts[number + 1] - 3 if number + 1 < len(starts) else len(data)
        unit = data[begin:end].rstrip(b"\0")  # zeros before a start code belong to neither
        if unit:
            yield unit


def joined(units: Iterator[bytes] | list[bytes]) -> bytes:
    """A packet as MP4 holds it: four bytes of length before each unit."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def header(extradata: bytes | None) -> tuple[ParameterSets, int]:
    """The parameter sets beside a stream, and how many bytes of length its packets have before a unit (0: start codes).

    Raises BrokenStream.
    """
    if not extradata or len(extradata) < 7:
        return ParameterSets((), ()), 0
    if extradata[0] != 1:
        return sets_in(_between_start_codes(extradata)), 0
    found: list[list[bytes]] = [[], []]
    at = 5
    for units, mask in zip(found, (0x1F, 0xFF), strict=True):
        count = extradata[at] & mask if at < len(extradata) else 0
        at += 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            unit = extradata[at + 2 : at + 2 + size]
            if not size or len(unit) < size:
                raise BrokenStream("the header of the stream is cut off")
            units.append(unit)
            at += 2 + size
    return ParameterSets(tuple(found[0]), tuple(found[1])), (extradata[4] & 3) + 1


def sets_in(units: Iterator[bytes] | list[bytes]) -> ParameterSets:
    """The parameter sets among units."""
    sps, pps = [], []
    for unit in units:
        if kind(unit) == SPS:
            sps.append(unit)
        elif kind(unit) == PPS:
            pps.append(unit)
    return ParameterSets(tuple(dict.fromkeys(sps)), tuple(dict.fromkeys(pps)))


def configuration(*sets: ParameterSets) -> bytes:
    """The content of an `avcC` box that holds all of them. Raises BrokenStream where they are too many."""
    sps = list(dict.fromkeys(unit for each in sets for unit in each.sps))
    pps = list(dict.fromkeys(unit for each in sets for unit in each.pps))
    told = [sps_of(unit) for unit in sps]
    if not told or len(sps) > 31 or len(pps) > 255:
        raise BrokenStream(f"{len(sps)} and {len(pps)} parameter sets do not fit a header")
    main = max(told, key=lambda each: each.profile)
    box = bytes([1, main.profile, main.constraints, max(each.level for each in told), 0xFF, 0xE0 | len(sps)])
    box += b"".join(len(unit).to_bytes(2, "big") + unit for unit in sps)
    box += bytes([len(pps)]) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in pps)
    if main.profile in (100, 110, 122, 144):
        box += bytes([0xFC | main.chroma, 0xF8 | (main.bits - 8), 0xF8 | (main.bits - 8), 0])
    return box


def sps_of(unit: bytes) -> Sps:
    """Read a sequence parameter set. Raises BrokenStream."""
    bits = _Bits(unit[4:])
    profile, constraints, level = unit[1:4] if len(unit) > 4 else (0, 0, 0)
    number = bits.unsigned()
    chroma, depth, separate = 1, 8, 0
    if profile in _HIGH_PROFILES:
        chroma = bits.unsigned()
        if chroma == 3:
            separate = bits.take(1)
        depth = 8 + bits.unsigned()
        bits.unsigned()
        bits.take(1)
        if bits.take(1):
            for each in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if each < 6 else 64)
    bits.unsigned()  # log2_max_frame_num_minus4
    counting = bits.unsigned()
    if counting == 0:
        bits.unsigned()
    elif counting == 1:
        bits.take(1)
        bits.signed(), bits.signed()
        for _ in range(bits.unsigned()):
            bits.signed()
    refs = bits.unsigned()
    bits.take(1)
    width, rows = bits.unsigned() + 1, bits.unsigned() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    left = right = top = bottom = 0
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
    across = 2 if chroma in (1, 2) and not separate else 1
    down = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
    return Sps(
        id=number,
        profile=profile,
        constraints=constraints,
        level=level,
        chroma=chroma,
        bits=depth,
        refs=refs,
        frames_only=bool(frames_only),
        width=16 * width - across * (left + right),
        height=16 * rows * (2 - frames_only) - down * (top + bottom),
    )


def pps_id(unit: bytes) -> int:
    """The id of a picture parameter set. Raises BrokenStream."""
    return _Bits(unit[1:]).unsigned()


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


class _Bits:
    """Bits of a NAL unit's content, most significant first; the bytes that keep start codes out are left out."""

    def __init__(self, content: bytes) -> None:
        plain = content[:512].replace(b"\x00\x00\x03", b"\x00\x00")
        self._value, self._left = int.from_bytes(plain, "big"), 8 * len(plain)

    def take(self, count: int) -> int:
        if count > self._left:
            raise BrokenStream("a parameter set is cut off")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise BrokenStream("a number in a parameter set is too large")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        value = self.unsigned()
        return (value + 1) // 2 if value % 2 else -(value // 2)
