"""NAL units, of which H.264 and HEVC streams consist, and the interface to the two codecs that smart cutting needs.

Units are separated by start codes (Annex B) or preceded by their length (MP4, Matroska).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

_START_CODE = re.compile(rb"\x00\x00\x01")


class BrokenStream(ValueError):
    """The bytes do not follow the codec's standard."""


class NotJoinable(Exception):
    """No part of a range can be copied. The message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class SpsInfo:
    """The content of a sequence parameter set. Sizes are in pixels as shown, cropping applied."""

    id: int
    profile: int
    constraints: int
    level: int
    chroma_format: int  # chroma_format_idc; 1: 4:2:0
    bit_depth: int  # luma depth; chroma has the same, or `chroma_format` is unsupported
    max_ref_frames: int
    frames_only: bool  # progressive, never fields
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Parameter sets as NAL units without length or start code, in the order found. vps: HEVC only."""

    sps: tuple[bytes, ...] = ()
    pps: tuple[bytes, ...] = ()
    vps: tuple[bytes, ...] = ()

    def __contains__(self, unit: bytes) -> bool:
        return unit in self.sps or unit in self.pps or unit in self.vps

    def __bool__(self) -> bool:
        return bool(self.sps and self.pps)


class Codec(Protocol):
    """The properties of a codec that joining copied and encoded packets depends on.

    `units` are the NAL units of one packet. Methods raise BrokenStream for bytes that cannot be parsed.
    """

    sample_entry: ClassVar[bytes]  # four-character code in MP4: avc1, hvc1
    configuration_box: ClassVar[bytes]  # four-character code of the decoder configuration in MP4: avcC, hvcC
    profiles: ClassVar[Mapping[int, str]]  # those that edges can be encoded in, by the names of the encoder
    pixel_formats: ClassVar[tuple[str, ...]]  # decoded formats that edges can be encoded from
    end_of_sequence: ClassVar[bytes]

    def is_parameter_set(self, unit: bytes) -> bool:
        """Return whether the unit is a parameter set."""

    def can_start_copy(self, units: Sequence[bytes]) -> bool:
        """Return whether copying can begin here: no frame shown after this packet refers to one before it."""

    def is_key(self, units: Sequence[bytes]) -> bool:
        """Return whether the packet is a key frame, from which players may begin."""

    def is_leading(self, units: Sequence[bytes]) -> bool:
        """Return whether the packet is a leading picture: shown before the key frame that it follows."""

    def parse_extradata(self, extradata: bytes | None) -> tuple[ParameterSets, int]:
        """Return a stream's parameter sets, and the size in bytes of the length before each unit (0: start codes)."""

    def parameter_sets(self, units: Sequence[bytes]) -> ParameterSets:
        """Return the parameter sets among units, each once."""

    def parse_sps(self, sps: bytes) -> SpsInfo:
        """Parse a sequence parameter set."""

    def parameter_set_ids(self, sets: ParameterSets) -> set[int]:
        """Return all ids in use, of any kind of parameter set."""

    def decoder_configuration(self, *sets: ParameterSets) -> bytes:
        """Return the content of the configuration box with all the parameter sets."""

    def encoder_options(
        self, sets: ParameterSets, sps: SpsInfo, *, reordered: bool, interlaced: bool = False
    ) -> dict[str, Any]:
        """Return ffmpeg options that encode frames compatible with those of the source.

        Args:
            sets: The source's parameter sets, whose ids are taken.
            sps: The source's sequence parameter set.
            reordered: Whether the source has B frames.
            interlaced: Whether the frames to encode are interlaced.

        Raises:
            NotJoinable: No id is free.
        """

    def renumbered(self, unit: bytes) -> bytes:
        """Return a unit of the encoded edges with parameter set ids that the source does not use.

        Raises:
            NotJoinable: The encoder numbers its parameter sets in an unexpected way.
        """

    def needs_end_of_sequence(self, units: Sequence[bytes]) -> bool:
        """Return whether `end_of_sequence` must precede this packet for copying to begin here."""


def split_units(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """Yield the NAL units of a packet.

    Args:
        data: The packet.
        length_bytes: Size of the length before each unit (1, 2 or 4); 0 for start codes.

    Raises:
        BrokenStream: The lengths do not add up.
    """
    if not length_bytes:
        yield from split_annex_b(data)
        return
    at = 0
    while at < len(data):
        begin = at + length_bytes
        at = begin + int.from_bytes(data[at:begin], "big")
        if at > len(data):
            raise BrokenStream("a NAL unit is longer than its packet")
        if at > begin:
            yield data[begin:at]


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a stream with start codes."""
    starts = [match.end() for match in _START_CODE.finditer(data)]
    for number, begin in enumerate(starts):
        end = starts[number + 1] - 3 if number + 1 < len(starts) else len(data)
        unit = data[begin:end].rstrip(b"\0")  # zeros before a start code belong to neither
        if unit:
            yield unit


def length_prefixed(units: Sequence[bytes]) -> bytes:
    """Return a packet as MP4 stores it, with four bytes of length before each unit."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


class BitReader:
    """Reads the content of a NAL unit bit by bit, most significant first, without emulation prevention bytes."""

    def __init__(self, content: bytes) -> None:
        plain = content[:512].replace(b"\x00\x00\x03", b"\x00\x00")
        self._value, self._left = int.from_bytes(plain, "big"), 8 * len(plain)

    def read(self, count: int) -> int:
        """Read an unsigned number of `count` bits."""
        if count > self._left:
            raise BrokenStream("a parameter set is cut off")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def read_ue(self) -> int:
        """Read an unsigned Exp-Golomb code: ue(v) of the standards."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 32:
                raise BrokenStream("a number in a parameter set is too large")
        return (1 << zeros) - 1 + self.read(zeros)

    def read_se(self) -> int:
        """Read a signed Exp-Golomb code: se(v) of the standards."""
        value = self.read_ue()
        return (value + 1) // 2 if value % 2 else -(value // 2)
