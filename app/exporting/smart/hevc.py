"""HEVC for smart cutting: kinds of packets, parsed parameter sets, and the hvcC box (ISO/IEC 23008-2 and 14496-15).

Copying can begin at open GOPs too, because after an end-of-sequence unit a CRA picture is a valid start.

x265 gives all parameter sets the id 0, as nearly every other encoder does. Those of encoded edges are renumbered to 15,
so that they can coexist with the source's own. In Exp-Golomb code 15 is eight bits longer than 0, so everything that
follows in a header moves by a whole byte, and what is byte-aligned stays so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from app.exporting.smart.nal import BitReader, BrokenStream, NotJoinable, ParameterSets, SpsInfo, split_annex_b

_VPS, _SPS, _PPS, _END_OF_SEQUENCE = 32, 33, 34, 36
_IDR = (19, 20)
_KEYS = range(16, 24)
_LEADING = range(6, 10)
_UNSPECIFIED = range(48, 64)  # a second layer, such as that of Dolby Vision, which encoded edges would lack
_ID = 15
_ID_BITS = 0b000010000  # 15 as ue(v), nine bits; 0 is the one bit 1
_ESCAPED = re.compile(rb"\x00\x00(?=[\x00-\x03])")


class Hevc:
    """Implementation of Codec for HEVC."""

    sample_entry: ClassVar[bytes] = b"hvc1"
    configuration_box: ClassVar[bytes] = b"hvcC"
    profiles: ClassVar[Mapping[int, str]] = {1: "main", 2: "main10"}
    pixel_formats: ClassVar[tuple[str, ...]] = ("yuv420p", "yuvj420p", "yuv420p10le")
    end_of_sequence: ClassVar[bytes] = bytes([_END_OF_SEQUENCE << 1, 1])

    def is_parameter_set(self, unit: bytes) -> bool:
        return _kind(unit) in (_VPS, _SPS, _PPS)

    def can_start_copy(self, units: Sequence[bytes]) -> bool:
        return self.is_key(units) and not any(_kind(unit) in _UNSPECIFIED for unit in units)

    def needs_end_of_sequence(self, units: Sequence[bytes]) -> bool:
        return not any(_kind(unit) in _IDR for unit in units)

    def is_key(self, units: Sequence[bytes]) -> bool:
        return any(_kind(unit) in _KEYS for unit in units)

    def is_leading(self, units: Sequence[bytes]) -> bool:
        return any(_kind(unit) in _LEADING for unit in units)

    def parse_extradata(self, extradata: bytes | None) -> tuple[ParameterSets, int]:
        if not extradata or len(extradata) < 23:
            return ParameterSets(), 0
        if extradata[0] != 1:
            return self.parameter_sets(list(split_annex_b(extradata))), 0
        units, at = [], 23
        for _ in range(extradata[22]):
            count = int.from_bytes(extradata[at + 1 : at + 3], "big")
            at += 3
            for _ in range(count):
                size = int.from_bytes(extradata[at : at + 2], "big")
                unit = extradata[at + 2 : at + 2 + size]
                if not size or len(unit) < size:
                    raise BrokenStream("the header of the stream is cut off")
                units.append(unit)
                at += 2 + size
        return self.parameter_sets(units), (extradata[21] & 3) + 1

    def parameter_sets(self, units: Sequence[bytes]) -> ParameterSets:
        sps, pps, vps = (
            tuple(dict.fromkeys(unit for unit in units if _kind(unit) == kind)) for kind in (_SPS, _PPS, _VPS)
        )
        return ParameterSets(sps=sps, pps=pps, vps=vps)

    def parameter_set_ids(self, sets: ParameterSets) -> set[int]:
        found = {self.parse_sps(unit).id for unit in sets.sps} | {BitReader(unit[2:]).read_ue() for unit in sets.pps}
        return found | {BitReader(unit[2:]).read(4) for unit in sets.vps}

    def parse_sps(self, sps: bytes) -> SpsInfo:
        bits = BitReader(sps[2:])
        bits.read(4)  # sps_video_parameter_set_id
        layers = bits.read(3)  # sps_max_sub_layers_minus1
        bits.read(1 + 2 + 1)  # temporal id nesting, profile space, tier
        profile = bits.read(5)
        bits.read(32 + 48)  # compatibility and constraint flags
        level = bits.read(8)
        sub_layers = [(bits.read(1), bits.read(1)) for _ in range(layers)]
        bits.read(2 * (8 - layers) if layers else 0)
        for has_profile, has_level in sub_layers:
            bits.read(88 * has_profile + 8 * has_level)
        number, chroma = bits.read_ue(), bits.read_ue()
        if chroma == 3:
            bits.read(1)  # separate_colour_plane_flag
        width, height = bits.read_ue(), bits.read_ue()
        if bits.read(1):
            left, right, top, bottom = (bits.read_ue() for _ in range(4))
            width -= (2 if chroma in (1, 2) else 1) * (left + right)
            height -= (2 if chroma == 1 else 1) * (top + bottom)
        depth = 8 + bits.read_ue()
        return SpsInfo(number, profile, 0, level, chroma, depth, 1, True, width, height)

    def decoder_configuration(self, *sets: ParameterSets) -> bytes:
        kinds = {
            kind: list(dict.fromkeys(unit for each in sets for unit in getattr(each, name)))
            for kind, name in ((_VPS, "vps"), (_SPS, "sps"), (_PPS, "pps"))
        }
        if not all(kinds.values()):
            raise BrokenStream("the stream says nothing about its pictures")
        parsed = [(self.parse_sps(unit), _unescaped(unit[2:40])) for unit in kinds[_SPS]]
        main, content = max(parsed, key=lambda each: each[0].profile)
        layers, nested = (content[0] >> 1 & 7) + 1, content[0] & 1
        box = b"\x01" + content[1:12] + bytes([max(each.level for each, _ in parsed)])
        box += bytes(
            [0xF0, 0, 0xFC, 0xFC | main.chroma_format, 0xF8 | (main.bit_depth - 8), 0xF8 | (main.bit_depth - 8), 0, 0]
        )
        box += bytes([layers << 3 | nested << 2 | 3, len(kinds)])
        for kind, units in kinds.items():
            box += bytes([0x80 | kind]) + len(units).to_bytes(2, "big")
            box += b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
        return box

    def encoder_options(
        self, sets: ParameterSets, sps: SpsInfo, *, reordered: bool, interlaced: bool = False
    ) -> dict[str, Any]:
        if interlaced:
            raise NotJoinable("interlaced HEVC cannot be joined")
        if _ID in self.parameter_set_ids(sets):
            raise NotJoinable("the file uses the number of parameter sets that edges need")
        # No B frames: before an end of sequence, decoders drop the frames that are not shown yet.
        parameters = "log-level=error:bframes=0:open-gop=0:repeat-headers=0:info=0"
        return {"c:v": "libx265", "x265-params": parameters}

    def renumbered(self, unit: bytes) -> bytes:
        kind, head, content = _kind(unit), unit[:2], _unescaped(unit[2:])
        if kind == _VPS:
            return head + _escaped(bytes([_ID << 4 | content[0] & 15]) + content[1:])
        if kind == _SPS:
            if content[0] >> 1 & 7:
                raise NotJoinable("this x265 encodes in layers")
            return head + _escaped(bytes([_ID << 4 | content[0] & 15]) + content[1:13] + _with_id(content[13:], 0))
        if kind == _PPS:
            return head + _escaped(_with_id(_with_id(content, 0), 9))
        if kind < _VPS:
            return head + _escaped(_with_id(content, 2 if kind in _KEYS else 1))
        return unit


def _kind(unit: bytes) -> int:
    return unit[0] >> 1 & 0x3F


def _with_id(content: bytes, at: int) -> bytes:
    """Replace the id 0 that begins at bit `at` by _ID, which moves all later bits by eight."""
    byte, bit = divmod(at, 8)
    if byte >= len(content) or not content[byte] >> (7 - bit) & 1:
        raise NotJoinable("this x265 numbers its parameter sets differently")
    before = content[byte] >> (8 - bit)
    after = content[byte] & ((1 << (7 - bit)) - 1)
    word = (before << 9 | _ID_BITS) << (7 - bit) | after
    return content[:byte] + word.to_bytes(2, "big") + content[byte + 1 :]


def _unescaped(content: bytes) -> bytes:
    """Remove emulation prevention bytes."""
    return content.replace(b"\x00\x00\x03", b"\x00\x00")


def _escaped(content: bytes) -> bytes:
    """Insert emulation prevention bytes, which keep start codes out of the content."""
    return _ESCAPED.sub(b"\x00\x00\x03", content)
