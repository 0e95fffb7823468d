"""H.264 for smart cutting: kinds of packets, parsed parameter sets, and the avcC box (ISO/IEC 14496-10 and -15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from app.exporting.fields import INTERLACED_X264
from app.exporting.smart.nal import BitReader, BrokenStream, NotJoinable, ParameterSets, SpsInfo, split_annex_b

_IDR, _SPS, _PPS = 5, 7, 8
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class H264:
    """Implementation of Codec for H.264."""

    sample_entry: ClassVar[bytes] = b"avc1"
    configuration_box: ClassVar[bytes] = b"avcC"
    profiles: ClassVar[Mapping[int, str]] = {66: "baseline", 77: "main", 100: "high"}
    pixel_formats: ClassVar[tuple[str, ...]] = ("yuv420p", "yuvj420p")
    end_of_sequence: ClassVar[bytes] = b""

    def is_parameter_set(self, unit: bytes) -> bool:
        return _kind(unit) in (_SPS, _PPS)

    def can_start_copy(self, units: Sequence[bytes]) -> bool:
        return any(_kind(unit) == _IDR for unit in units)

    def is_key(self, units: Sequence[bytes]) -> bool:
        return self.can_start_copy(units)

    def is_leading(self, units: Sequence[bytes]) -> bool:
        return False  # H.264 has none: no frame that follows an IDR frame is shown before it

    def needs_end_of_sequence(self, units: Sequence[bytes]) -> bool:
        return False

    def encoder_options(
        self, sets: ParameterSets, sps: SpsInfo, *, reordered: bool, interlaced: bool = False
    ) -> dict[str, Any]:
        used = self.parameter_set_ids(sets)
        free = next((each for each in range(1, 32) if each not in used), None)
        if free is None:
            raise NotJoinable("the file has used up the numbers of parameter sets")
        parameters = {
            "sps-id": free,
            "bframes": 2 if reordered else 0,
            "b-pyramid": "none",
            "ref": max(1, min(3, sps.max_ref_frames)),
            "open-gop": 0,
        }
        options = {
            "c:v": "libx264",
            "profile:v": self.profiles[sps.profile],
            "x264-params": ":".join(f"{name}={value}" for name, value in parameters.items()),
        }
        return options | (INTERLACED_X264 if interlaced else {})

    def renumbered(self, unit: bytes) -> bytes:
        return unit  # x264 already uses a free id: sps-id

    def parse_extradata(self, extradata: bytes | None) -> tuple[ParameterSets, int]:
        if not extradata or len(extradata) < 7:
            return ParameterSets(), 0
        if extradata[0] != 1:
            return self.parameter_sets(list(split_annex_b(extradata))), 0
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

    def parameter_sets(self, units: Sequence[bytes]) -> ParameterSets:
        found = [tuple(dict.fromkeys(unit for unit in units if _kind(unit) == kind)) for kind in (_SPS, _PPS)]
        return ParameterSets(sps=found[0], pps=found[1])

    def parameter_set_ids(self, sets: ParameterSets) -> set[int]:
        return {self.parse_sps(unit).id for unit in sets.sps} | {BitReader(unit[1:]).read_ue() for unit in sets.pps}

    def decoder_configuration(self, *sets: ParameterSets) -> bytes:
        sps = list(dict.fromkeys(unit for each in sets for unit in each.sps))
        pps = list(dict.fromkeys(unit for each in sets for unit in each.pps))
        parsed = [self.parse_sps(unit) for unit in sps]
        if not parsed or len(sps) > 31 or len(pps) > 255:
            raise BrokenStream(f"{len(sps)} and {len(pps)} parameter sets do not fit a header")
        main = max(parsed, key=lambda each: each.profile)
        box = bytes([1, main.profile, main.constraints, max(each.level for each in parsed), 0xFF, 0xE0 | len(sps)])
        box += b"".join(len(unit).to_bytes(2, "big") + unit for unit in sps)
        box += bytes([len(pps)]) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in pps)
        if main.profile in _HIGH_PROFILES:
            box += bytes([0xFC | main.chroma_format, 0xF8 | (main.bit_depth - 8), 0xF8 | (main.bit_depth - 8), 0])
        return box

    def parse_sps(self, sps: bytes) -> SpsInfo:
        bits = BitReader(sps[4:])
        profile, constraints, level = sps[1:4] if len(sps) > 4 else (0, 0, 0)
        number = bits.read_ue()
        chroma, depth, separate = 1, 8, 0
        if profile in _HIGH_PROFILES:
            chroma = bits.read_ue()
            if chroma == 3:
                separate = bits.read(1)
            depth = 8 + bits.read_ue()
            bits.read_ue()  # bit_depth_chroma_minus8
            bits.read(1)  # qpprime_y_zero_transform_bypass_flag
            if bits.read(1):  # seq_scaling_matrix_present_flag
                for each in range(12 if chroma == 3 else 8):
                    if bits.read(1):
                        _skip_scaling_list(bits, 16 if each < 6 else 64)
        bits.read_ue()  # log2_max_frame_num_minus4
        pic_order_cnt_type = bits.read_ue()
        if pic_order_cnt_type == 0:
            bits.read_ue()  # log2_max_pic_order_cnt_lsb_minus4
        elif pic_order_cnt_type == 1:
            bits.read(1)  # delta_pic_order_always_zero_flag
            bits.read_se(), bits.read_se()  # offset_for_non_ref_pic, offset_for_top_to_bottom_field
            for _ in range(bits.read_ue()):
                bits.read_se()  # offset_for_ref_frame
        refs = bits.read_ue()
        bits.read(1)  # gaps_in_frame_num_value_allowed_flag
        width, rows = bits.read_ue() + 1, bits.read_ue() + 1
        frames_only = bits.read(1)
        if not frames_only:
            bits.read(1)  # mb_adaptive_frame_field_flag
        bits.read(1)  # direct_8x8_inference_flag
        left = right = top = bottom = 0
        if bits.read(1):
            left, right, top, bottom = (bits.read_ue() for _ in range(4))
        across = 2 if chroma in (1, 2) and not separate else 1
        down = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
        return SpsInfo(
            id=number,
            profile=profile,
            constraints=constraints,
            level=level,
            chroma_format=chroma,
            bit_depth=depth,
            max_ref_frames=refs,
            frames_only=bool(frames_only),
            width=16 * width - across * (left + right),
            height=16 * rows * (2 - frames_only) - down * (top + bottom),
        )


def _kind(unit: bytes) -> int:
    return unit[0] & 0x1F


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    scale = 8
    for _ in range(size):
        scale = (scale + bits.read_se()) % 256
        if not scale:
            return  # the list ends here, and its last scale is repeated
