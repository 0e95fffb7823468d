"""NAL units, which H.264 and HEVC streams are made of: between start codes or lengths, and read bit by bit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

_START = re.compile(rb"\x00\x00\x01")


class BrokenStream(ValueError):
    """The bytes are not what the codec's standard says."""


class NotJoinable(Exception):
    """Nothing of a range can be copied; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
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
    """NAL units without their length or start code, in the order found. vps: HEVC only."""

    sps: tuple[bytes, ...] = ()
    pps: tuple[bytes, ...] = ()
    vps: tuple[bytes, ...] = ()

    def __contains__(self, unit: bytes) -> bool:
        return unit in self.sps or unit in self.pps or unit in self.vps

    def __bool__(self) -> bool:
        return bool(self.sps and self.pps)


class Coding(Protocol):
    """What joining needs to know of a codec. Methods raise BrokenStream for what cannot be read."""

    entry: ClassVar[bytes]  # the name of its pictures in MP4, and of the box with what is said beside them
    box: ClassVar[bytes]
    profiles: ClassVar[Mapping[int, str]]  # those that edges can be encoded in, as the encoder calls them
    formats: ClassVar[tuple[str, ...]]  # of decoded pictures that edges can be encoded from
    end_of_sequence: ClassVar[bytes]

    def is_set(self, unit: bytes) -> bool:
        """Whether it is a parameter set."""

    def starts(self, units: Sequence[bytes]) -> bool:
        """Whether copying can begin at this packet: nothing shown after it needs what came before."""

    def is_key(self, units: Sequence[bytes]) -> bool:
        """Whether players may begin at this packet."""

    def leads(self, units: Sequence[bytes]) -> bool:
        """Whether the packet belongs to a key picture that is shown later than it."""

    def header(self, extradata: bytes | None) -> tuple[ParameterSets, int]:
        """The parameter sets beside a stream, and how many bytes of length its packets have before a unit (0: start
        codes)."""

    def sets_in(self, units: Sequence[bytes]) -> ParameterSets:
        """The parameter sets among units."""

    def picture(self, sps: bytes) -> Picture:
        """Read a sequence parameter set."""

    def ids(self, sets: ParameterSets) -> set[int]:
        """Every id that one of them has."""

    def configuration(self, *sets: ParameterSets) -> bytes:
        """The content of the box that holds all of them."""

    def encoder(self, sets: ParameterSets, picture: Picture, *, reordered: bool) -> dict[str, Any]:
        """Options of ffmpeg that encode pictures which fit between those of the source. Raises NotJoinable."""

    def fitted(self, unit: bytes) -> bytes:
        """A unit of what was encoded so, with ids that the source does not use. Raises NotJoinable."""

    def needs_end_before(self, units: Sequence[bytes]) -> bool:
        """Whether `end_of_sequence` must stand before this packet for copying to begin there."""


def split(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """The NAL units of a packet. length_bytes: of the length before each (1, 2, 4), 0 where start codes are between.

    Raises BrokenStream where the lengths do not add up.
    """
    if not length_bytes:
        yield from between_start_codes(data)
        return
    at = 0
    while at < len(data):
        begin = at + length_bytes
        at = begin + int.from_bytes(data[at:begin], "big")
        if at > len(data):
            raise BrokenStream("a NAL unit is longer than its packet")
        if at > begin:
            yield data[begin:at]


def between_start_codes(data: bytes) -> Iterator[bytes]:
    """The NAL units of a stream that has start codes."""
    starts = [match.end() for match in _START.finditer(data)]
    for number, begin in enumerate(starts):
        end = starts[number + 1] - 3 if number + 1 < len(starts) else len(data)
        unit = data[begin:end].rstrip(b"\0")  # zeros before a start code belong to neither
        if unit:
            yield unit


def joined(units: Sequence[bytes]) -> bytes:
    """A packet as MP4 holds it: four bytes of length before each unit."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


class Bits:
    """Bits of a NAL unit's content, most significant first; the bytes that keep start codes out are left out."""

    def __init__(self, content: bytes) -> None:
        plain = content[:512].replace(b"\x00\x00\x03", b"\x00\x00")
        self._value, self._left = int.from_bytes(plain, "big"), 8 * len(plain)

    def take(self, count: int) -> int:
        """The next bits as a number."""
        if count > self._left:
            raise BrokenStream("a parameter set is cut off")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """ue(v) of the standards."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise BrokenStream("a number in a parameter set is too large")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v) of the standards."""
        value = self.unsigned()
        return (value + 1) // 2 if value % 2 else -(value // 2)
