"""HEVC for joining. Its open groups can be copied from, too: an end-of-sequence mark makes a CRA picture a start.

x265 gives all parameter sets the id 0, as nearly every other encoder does. For edges to stand beside the source's own
sets, theirs become 15: in Exp-Golomb code that is eight bits longer than 0, so that all that follows in the headers of
pictures moves by a whole byte, and what is aligned to bytes stays so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from app.exporting.smart.nal import Bits, BrokenStream, NotJoinable, ParameterSets, Picture, between_start_codes

_VPS, _SPS, _PPS, _END_OF_SEQUENCE = 32, 33, 34, 36
_IDR = (19, 20)
_KEYS = range(16, 24)
_LEADING = range(6, 10)
_UNSPECIFIED = range(48, 64)  # a second layer, such as Dolby Vision's, which edges would lack
_ID = 15
_ID_BITS = 0b000010000  # 15 as ue(v), nine bits; 0 is the one bit 1
_ESCAPED = re.compile(rb"\x00\x00(?=[\x00-\x03])")


class Hevc:
    """See Coding."""

    entry: ClassVar[bytes] = b"hvc1"
    box: ClassVar[bytes] = b"hvcC"
    profiles: ClassVar[Mapping[int, str]] = {1: "main", 2: "main10"}
    formats: ClassVar[tuple[str, ...]] = ("yuv420p", "yuvj420p", "yuv420p10le")
    end_of_sequence: ClassVar[bytes] = bytes([_END_OF_SEQUENCE << 1, 1])

    def is_set(self, unit: bytes) -> bool:
        return _kind(unit) in (_VPS, _SPS, _PPS)

    def starts(self, units: Sequence[bytes]) -> bool:
        return self.is_key(units) and not any(_kind(unit) in _UNSPECIFIED for unit in units)

    def needs_end_before(self, units: Sequence[bytes]) -> bool:
        return not any(_kind(unit) in _IDR for unit in units)

    def is_key(self, units: Sequence[bytes]) -> bool:
        return any(_kind(unit) in _KEYS for unit in units)

    def leads(self, units: Sequence[bytes]) -> bool:
        return any(_kind(unit) in _LEADING for unit in units)

    def header(self, extradata: bytes | None) -> tuple[ParameterSets, int]:
        if not extradata or len(extradata) < 23:
            return ParameterSets(), 0
        if extradata[0] != 1:
            return self.sets_in(list(between_start_codes(extradata))), 0
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
        return self.sets_in(units), (extradata[21] & 3) + 1

    def sets_in(self, units: Sequence[bytes]) -> ParameterSets:
        sps, pps, vps = (
            tuple(dict.fromkeys(unit for unit in units if _kind(unit) == kind)) for kind in (_SPS, _PPS, _VPS)
        )
        return ParameterSets(sps=sps, pps=pps, vps=vps)

    def ids(self, sets: ParameterSets) -> set[int]:
        found = {self.picture(unit).id for unit in sets.sps} | {Bits(unit[2:]).unsigned() for unit in sets.pps}
        return found | {Bits(unit[2:]).take(4) for unit in sets.vps}

    def picture(self, sps: bytes) -> Picture:
        bits = Bits(sps[2:])
        bits.take(4)
        layers = bits.take(3)
        bits.take(1 + 2 + 1)
        profile = bits.take(5)
        bits.take(32 + 48)
        level = bits.take(8)
        told = [(bits.take(1), bits.take(1)) for _ in range(layers)]
        bits.take(2 * (8 - layers) if layers else 0)
        for has_profile, has_level in told:
            bits.take(88 * has_profile + 8 * has_level)
        number, chroma = bits.unsigned(), bits.unsigned()
        if chroma == 3:
            bits.take(1)
        width, height = bits.unsigned(), bits.unsigned()
        if bits.take(1):
            left, right, top, bottom = (bits.unsigned() for _ in range(4))
            width -= (2 if chroma in (1, 2) else 1) * (left + right)
            height -= (2 if chroma == 1 else 1) * (top + bottom)
        depth = 8 + bits.unsigned()
        return Picture(number, profile, 0, level, chroma, depth, 1, True, width, height)

    def configuration(self, *sets: ParameterSets) -> bytes:
        kinds = {
            kind: list(dict.fromkeys(unit for each in sets for unit in getattr(each, name)))
            for kind, name in ((_VPS, "vps"), (_SPS, "sps"), (_PPS, "pps"))
        }
        if not all(kinds.values()):
            raise BrokenStream("the stream says nothing about its pictures")
        told = [(self.picture(unit), _plain(unit[2:40])) for unit in kinds[_SPS]]
        main, content = max(told, key=lambda each: each[0].profile)
        layers, nested = (content[0] >> 1 & 7) + 1, content[0] & 1
        box = b"\x01" + content[1:12] + bytes([max(each.level for each, _ in told)])
        box += bytes([0xF0, 0, 0xFC, 0xFC | main.chroma, 0xF8 | (main.bits - 8), 0xF8 | (main.bits - 8), 0, 0])
        box += bytes([layers << 3 | nested << 2 | 3, len(kinds)])
        for kind, units in kinds.items():
            box += bytes([0x80 | kind]) + len(units).to_bytes(2, "big")
            box += b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
        return box

    def encoder(self, sets: ParameterSets, picture: Picture, *, reordered: bool) -> dict[str, Any]:
        if _ID in self.ids(sets):
            raise NotJoinable("the file uses the number of parameter sets that edges need")
        # No reordering: where an end of sequence follows, decoders drop what has not been shown yet.
        coding = "log-level=error:bframes=0:open-gop=0:repeat-headers=0:info=0"
        return {"c:v": "libx265", "x265-params": coding}

    def fitted(self, unit: bytes) -> bytes:
        kind, head, content = _kind(unit), unit[:2], _plain(unit[2:])
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
    """Replace the id 0 that begins at this bit: all bits after it come eight later."""
    byte, bit = divmod(at, 8)
    if byte >= len(content) or not content[byte] >> (7 - bit) & 1:
        raise NotJoinable("this x265 numbers its parameter sets otherwise")
    before = content[byte] >> (8 - bit)
    after = content[byte] & ((1 << (7 - bit)) - 1)
    word = (before << 9 | _ID_BITS) << (7 - bit) | after
    return content[:byte] + word.to_bytes(2, "big") + content[byte + 1 :]


def _plain(content: bytes) -> bytes:
    """Without the bytes that keep start codes out."""
    return content.replace(b"\x00\x00\x03", b"\x00\x00")


def _escaped(content: bytes) -> bytes:
    return _ESCAPED.sub(b"\x00\x00\x03", content)
