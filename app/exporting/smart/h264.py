"""H.264 for joining: which packets are which, what parameter sets say, and the header that MP4 keeps them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from app.exporting.smart.nal import Bits, BrokenStream, NotJoinable, ParameterSets, Picture, between_start_codes

_IDR, _SPS, _PPS = 5, 7, 8
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class H264:
    """See Coding."""

    entry: ClassVar[bytes] = b"avc1"
    box: ClassVar[bytes] = b"avcC"
    profiles: ClassVar[Mapping[int, str]] = {66: "baseline", 77: "main", 100: "high"}
    formats: ClassVar[tuple[str, ...]] = ("yuv420p", "yuvj420p")
    end_of_sequence: ClassVar[bytes] = b""

    def is_set(self, unit: bytes) -> bool:
        return _kind(unit) in (_SPS, _PPS)

    def starts(self, units: Sequence[bytes]) -> bool:
        return any(_kind(unit) == _IDR for unit in units)

    def is_key(self, units: Sequence[bytes]) -> bool:
        return self.starts(units)

    def leads(self, units: Sequence[bytes]) -> bool:
        return False  # nothing is shown before the IDR picture that it comes after

    def needs_end_before(self, units: Sequence[bytes]) -> bool:
        return False

    def encoder(self, sets: ParameterSets, picture: Picture, *, reordered: bool) -> dict[str, Any]:
        taken = self.ids(sets)
        free = next((each for each in range(1, 32) if each not in taken), None)
        if free is None:
            raise NotJoinable("the file has used up the numbers of parameter sets")
        coding = {
            "sps-id": free,
            "bframes": 2 if reordered else 0,
            "b-pyramid": "none",
            "ref": max(1, min(3, picture.refs)),
            "open-gop": 0,
        }
        return {
            "c:v": "libx264",
            "profile:v": self.profiles[picture.profile],
            "x264-params": ":".join(f"{name}={value}" for name, value in coding.items()),
        }

    def fitted(self, unit: bytes) -> bytes:
        return unit  # x264 has taken a free id itself

    def header(self, extradata: bytes | None) -> tuple[ParameterSets, int]:
        if not extradata or len(extradata) < 7:
            return ParameterSets(), 0
        if extradata[0] != 1:
            return self.sets_in(list(between_start_codes(extradata))), 0
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

    def sets_in(self, units: Sequence[bytes]) -> ParameterSets:
        found = [tuple(dict.fromkeys(unit for unit in units if _kind(unit) == kind)) for kind in (_SPS, _PPS)]
        return ParameterSets(sps=found[0], pps=found[1])

    def ids(self, sets: ParameterSets) -> set[int]:
        return {self.picture(unit).id for unit in sets.sps} | {Bits(unit[1:]).unsigned() for unit in sets.pps}

    def configuration(self, *sets: ParameterSets) -> bytes:
        sps = list(dict.fromkeys(unit for each in sets for unit in each.sps))
        pps = list(dict.fromkeys(unit for each in sets for unit in each.pps))
        told = [self.picture(unit) for unit in sps]
        if not told or len(sps) > 31 or len(pps) > 255:
            raise BrokenStream(f"{len(sps)} and {len(pps)} parameter sets do not fit a header")
        main = max(told, key=lambda each: each.profile)
        box = bytes([1, main.profile, main.constraints, max(each.level for each in told), 0xFF, 0xE0 | len(sps)])
        box += b"".join(len(unit).to_bytes(2, "big") + unit for unit in sps)
        box += bytes([len(pps)]) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in pps)
        if main.profile in (100, 110, 122, 144):
            box += bytes([0xFC | main.chroma, 0xF8 | (main.bits - 8), 0xF8 | (main.bits - 8), 0])
        return box

    def picture(self, sps: bytes) -> Picture:
        bits = Bits(sps[4:])
        profile, constraints, level = sps[1:4] if len(sps) > 4 else (0, 0, 0)
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
        return Picture(
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


def _kind(unit: bytes) -> int:
    return unit[0] & 0x1F


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
