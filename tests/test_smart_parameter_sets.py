"""Parameter sets of H.264 and HEVC: those of x264 and x265, and others written here bit by bit by the standards.

The bytes under `ENCODED` come from

    ffmpeg -f lavfi -i color=gray:s=SIZE:r=25:d=0.04 -frames:v 1 -c:v CODEC -pix_fmt PIXELS OPTIONS out.h264 (or .hevc)
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.exporting.smart.h264 import H264
from app.exporting.smart.hevc import Hevc
from app.exporting.smart.nal import BitReader, BrokenStream, NotJoinable, ParameterSets, SpsInfo


class Bits:
    """Writes fields most significant bit first, in the descriptors of the standards: u(n), ue(v), se(v)."""

    def __init__(self) -> None:
        self.text = ""

    def u(self, count: int, value: int) -> Bits:
        assert 0 <= value < 1 << count
        self.text += f"{value:0{count}b}"
        return self

    def ue(self, *values: int) -> Bits:
        for value in values:
            code = f"{value + 1:b}"
            self.text += "0" * (len(code) - 1) + code
        return self

    def se(self, *values: int) -> Bits:
        return self.ue(*(2 * value - 1 if value > 0 else -2 * value for value in values))

    def unit(self, head: bytes) -> bytes:
        """The NAL unit: a stop bit, zeros up to a whole byte, and a 3 wherever two zeros precede a byte below 4."""
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        found, zeros = bytearray(), 0
        for byte in int(text, 2).to_bytes(len(text) // 8, "big"):
            if zeros == 2 and byte < 4:
                found.append(3)
                zeros = 0
            found.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return head + bytes(found)


def h264_sps(
    profile: int = 100,
    *,
    constraints: int = 0,
    level: int = 40,
    number: int = 0,
    chroma: int | None = 1,
    separate: int = 0,
    depth: int = 8,
    lists: list[list[int] | None] | None = None,
    order: tuple[int, ...] = (0, 4),
    refs: int = 4,
    blocks: tuple[int, int] = (4, 3),
    frames_only: int = 1,
    crop: tuple[int, int, int, int] | None = None,
) -> bytes:
    """7.3.2.1.1 of ISO/IEC 14496-10. chroma: None for profiles that do not state it. lists: the deltas sent."""
    bits = Bits().u(8, profile).u(8, constraints).u(8, level).ue(number)
    if chroma is not None:
        bits.ue(chroma)
        if chroma == 3:
            bits.u(1, separate)
        bits.ue(depth - 8, depth - 8).u(1, 0).u(1, lists is not None)
        for deltas in lists or ():
            bits.u(1, deltas is not None).se(*(deltas or ()))
    bits.ue(7, order[0])
    if order[0] == 0:
        bits.ue(order[1])
    elif order[0] == 1:
        bits.u(1, 1).se(order[1], order[2]).ue(len(order) - 3).se(*order[3:])
    bits.ue(refs).u(1, 0).ue(blocks[0] - 1, blocks[1] - 1).u(1, frames_only)
    if not frames_only:
        bits.u(1, 1)
    bits.u(1, 1).u(1, crop is not None)
    return bits.ue(*(crop or ())).u(1, 0).unit(b"\x67")


H264_SPS = SpsInfo(
    id=0,
    profile=100,
    constraints=0,
    level=40,
    chroma_format=1,
    bit_depth=8,
    max_ref_frames=4,
    frames_only=True,
    width=64,
    height=48,
)


def hevc_sps(
    *,
    profile: int = 1,
    level: int = 93,
    number: int = 0,
    layers: list[tuple[int, int]] | None = None,
    chroma: int = 1,
    size: tuple[int, int] = (64, 48),
    window: tuple[int, int, int, int] | None = None,
    depth: int = 8,
) -> bytes:
    """7.3.2.2 of ISO/IEC 23008-2. layers: for each lower sub-layer, whether its profile and its level are stated."""
    layers = layers or []
    bits = Bits().u(4, 0).u(3, len(layers)).u(1, 1).u(2, 0).u(1, 0).u(5, profile).u(32, 0x60000000).u(48, 9 << 44)
    bits.u(8, level)
    for states in layers:
        bits.u(1, states[0]).u(1, states[1])
    if layers:
        bits.u(2 * (8 - len(layers)), 0)
    for has_profile, has_level in layers:
        if has_profile:
            bits.u(88, 0x41600000009FFFFFFFFFFF)
        if has_level:
            bits.u(8, 255)
    bits.ue(number, chroma)
    if chroma == 3:
        bits.u(1, 0)
    bits.ue(*size).u(1, window is not None).ue(*(window or ()))
    return bits.ue(depth - 8, depth - 8, 4).u(1, 1).ue(4, 2, 0).unit(b"\x42\x01")


HEVC_SPS = replace(H264_SPS, profile=1, level=93, max_ref_frames=1)


# Bits


def test_signed_and_unsigned_codes_are_those_of_the_standard() -> None:
    """Tables 9-2 and 9-3 of ISO/IEC 14496-10."""
    codes = ["1", "010", "011", "00100", "00101", "00110", "00111", "0001000", "0001001"]
    content = int("".join(codes) + "1" + "0" * 6, 2).to_bytes(6, "big")
    reader = BitReader(content)
    assert [reader.read_ue() for _ in codes] == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    reader = BitReader(content)
    assert [reader.read_se() for _ in codes] == [0, 1, -1, 2, -2, 3, -3, 4, -4]
    assert reader.read(3) == 0b100


@pytest.mark.parametrize("value", [0, 1, 2, 254, 255, 256, 65535, 2**31 - 1, 2**32 - 2])
def test_codes_of_any_size_are_read(value: int) -> None:
    reader = BitReader(Bits().ue(value).u(2, 2).unit(b""))
    assert (reader.read_ue(), reader.read(2)) == (value, 2)
    for signed in (value // 2, -(value // 2)):
        reader = BitReader(Bits().se(signed).u(2, 2).unit(b""))
        assert (reader.read_se(), reader.read(2)) == (signed, 2)


def test_bytes_that_only_keep_start_codes_out_are_not_read() -> None:
    assert BitReader(bytes.fromhex("0000030100000300")).read(48) == 0x000001000000
    assert BitReader(bytes.fromhex("00030003")).read(32) == 0x00030003


def test_what_is_cut_off_or_endless_is_broken() -> None:
    reader = BitReader(b"\xa5")
    assert reader.read(8) == 0xA5
    with pytest.raises(BrokenStream, match="cut off"):
        reader.read(1)
    with pytest.raises(BrokenStream, match="too large"):
        BitReader(bytes.fromhex("01").rjust(8, b"\0")).read_ue()


# What encoders write

ENCODED = {
    "50x38 libx264 yuv420p -profile:v baseline": (
        "6742c00ad9047e226c0440000003004000000c83c48992", "68cb83cb20",
        (0, 66, 0xC0, 10, 1, 8, 3, True, 50, 38)),
    "50x38 libx264 yuv420p -profile:v high -preset slow": (
        "6764000aacd9847e226c0440000003004000000c83c4896680", "68e978f2c8b0",
        (0, 100, 0, 10, 1, 8, 5, True, 50, 38)),
    "50x38 libx264 yuv420p -profile:v high -x264-params cqm=jvt:sps-id=3:ref=5": (
        "6764000a22cd9847e226c044000003000400000300c83c489668", "68212978f2cc00b0",
        (3, 100, 0, 10, 1, 8, 5, True, 50, 38)),
    "1920x1080 libx264 yuv420p -preset ultrafast -x264-params interlaced=1:level=4.1": (
        "674d4029f403c0227ef011000003000100000300321f162ea0", "68de0fc8",
        (0, 77, 0x40, 41, 1, 8, 1, False, 1920, 1080)),
    "720x484 libx264 yuv420p -x264-params interlaced=1": (
        "6764001eacd940b420fc460220000003002000000643e28532c0", "68fba3cb22c0",
        (0, 100, 0, 30, 1, 8, 4, False, 720, 484)),
    "50x38 libx264 yuv422p -x264-params interlaced=1:cqm=jvt": (
        "677a0015bcd9444f111d808800000300080000030190f8a14cb0", "68fba3cb3002c0",
        (0, 122, 0, 21, 2, 8, 4, False, 50, 38)),
    "50x38 libx264 yuv420p10le -x264-params sps-id=1": (
        "676e000a49b36511f889b011000003000100000300320f122596", "684abe3cb22c",
        (1, 110, 0, 10, 1, 10, 4, True, 50, 38)),
    "50x38 libx264 gray": (
        "6764000af36511f8f8bc05b2000003000200000300641e244b2c", "68ebe3cb22c0",
        (0, 100, 0, 10, 0, 8, 4, True, 50, 38)),
    "51x37 libx264 yuv444p10le -x264-params cqm=jvt": (
        "67f4000a90d9b288fc74660220000003002000000641e244b2c0", "68ebe3c44c000440",
        (0, 244, 0, 10, 3, 10, 4, True, 51, 37)),
    "52x38 libx265 yuv420p": (
        "42010101600000030090000003000003001ea0720a77596566b932bc05a02000000300200000030321", "4401c173d089",
        (0, 1, 0, 30, 1, 8, 1, True, 52, 38)),
    "52x38 libx265 yuv420p10le": (
        "42010102200000030090000003000003001ea0720a774d96566b932bc05a020000030002000003003210", "4401c173d089",
        (0, 2, 0, 30, 1, 10, 1, True, 52, 38)),
    "52x38 libx265 yuv422p10le": (
        "4201010408000003009d0800000300001eb0720a776d96566b932bc05a020000030002000003003210", "4401c173d089",
        (0, 4, 0, 30, 2, 10, 1, True, 52, 38)),
    "53x39 libx265 yuv444p": (
        "4201010408000003009e0800000300001e900e414e4acb2b35c995e02d010000030001000003001908", "4401c17318310890",
        (0, 4, 0, 30, 3, 8, 1, True, 53, 39)),
    "52x38 libx265 yuv420p -x265-params temporal-layers=3:b-adapt=0:bframes=4": (
        "42010401600000030090000003000003001e0000a0720a775965652b29596e4caf016808000003000800000300c840",
        "4401c173d089",
        (0, 1, 0, 30, 1, 8, 1, True, 52, 38)),
    "52x38 libx265 yuv420p -x265-params high-tier=1:level-idc=4.1": (
        "42010121600000030090000003000003007ba0720a77596566b932bc05a02000000300200000030321", "4401c173d089",
        (0, 1, 0, 123, 1, 8, 1, True, 52, 38)),
}  # fmt: skip
VPS = bytes.fromhex("40010c01ffff01600000030090000003000003001e959809")
LAYERED_VPS = bytes.fromhex("40010c04ffff01600000030090000003000003001e00009594aca5650240")
SLOW, LISTS, FIELDS, DEEP, GREY, FULL = (
    "50x38 libx264 yuv420p -profile:v high -preset slow",
    "50x38 libx264 yuv420p -profile:v high -x264-params cqm=jvt:sps-id=3:ref=5",
    "50x38 libx264 yuv422p -x264-params interlaced=1:cqm=jvt",
    "50x38 libx264 yuv420p10le -x264-params sps-id=1",
    "50x38 libx264 gray",
    "51x37 libx264 yuv444p10le -x264-params cqm=jvt",
)


def encoded(command: str) -> ParameterSets:
    sps, pps, _ = ENCODED[command]
    return ParameterSets(sps=(bytes.fromhex(sps),), pps=(bytes.fromhex(pps),))


@pytest.mark.parametrize("command", ENCODED)
def test_what_the_encoders_say_of_their_pictures_is_read(command: str) -> None:
    codec = H264() if "libx264" in command else Hevc()
    sets, facts = encoded(command), SpsInfo(*ENCODED[command][2])
    assert codec.parse_sps(sets.sps[0]) == facts
    assert codec.parameter_set_ids(sets) == {facts.id}


# H.264


@pytest.mark.parametrize("profile", [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])
def test_high_profiles_state_their_chroma_format_and_depth(profile: int) -> None:
    sps = h264_sps(profile, chroma=2, depth=10, constraints=0x10, level=51, number=5, refs=2)
    wanted = replace(H264_SPS, id=5, profile=profile, constraints=0x10, level=51, chroma_format=2, bit_depth=10)
    assert H264().parse_sps(sps) == replace(wanted, max_ref_frames=2)


@pytest.mark.parametrize("profile", [66, 77, 88])
def test_the_profiles_below_them_are_4_2_0_of_eight_bits(profile: int) -> None:
    assert H264().parse_sps(h264_sps(profile, chroma=None, number=31)) == replace(H264_SPS, id=31, profile=profile)


@pytest.mark.parametrize(
    ("chroma", "separate", "across", "down"), [(0, 0, 1, 1), (1, 0, 2, 2), (2, 0, 2, 1), (3, 0, 1, 1), (3, 1, 1, 1)]
)
@pytest.mark.parametrize("frames_only", [1, 0])
def test_h264_is_cropped_in_units_of_its_chroma_samples(
    chroma: int, separate: int, across: int, down: int, frames_only: int
) -> None:
    """Of both fields, where there are fields: Table 6-1, and CropUnitX and CropUnitY in 7.4.2.1.1."""
    sps = h264_sps(chroma=chroma, separate=separate, blocks=(10, 9), frames_only=frames_only, crop=(1, 2, 3, 5))
    found = H264().parse_sps(sps)
    fields = 1 if frames_only else 2
    assert (found.width, found.height) == (160 - 3 * across, fields * (144 - 8 * down))
    assert (found.chroma_format, found.frames_only) == (chroma, bool(frames_only))


FLAT4, FLAT8 = [8, *[0] * 15], [8, *[0] * 63]
STEEP = [1, 2, 3, -4, 5, 6, -7, 8, 9, -10, 11, 12, -13, 14, 15, 16]
DEFAULT = [-8]  # the next scale is 0 at once: the list of the standard, and no more deltas
STOPPED = [4, 100, -100, -12]  # 12, 112, 12, then 0: the last scale is repeated
ROUND = [127, 121]  # 135, then 256, which is 0
DOWN = [-4, -3, 127, 127, -128, -128, 100]  # 4, 1, 128, 255, 127, 255 (below 0), then 99 (above 255)


@pytest.mark.parametrize(
    "lists",
    [
        [None] * 8,
        [FLAT4] * 6 + [FLAT8] * 2,
        [STEEP, None, DEFAULT, STEEP, None, STOPPED, STEEP * 4, DEFAULT],
        [STOPPED, ROUND, DEFAULT, DEFAULT, ROUND, STEEP, ROUND, [*FLAT8[:-1], 3]],
        [DOWN + [0] * 9, *[None] * 5, DOWN + [1] * 57, None],
    ],
)
def test_scaling_lists_are_skipped_wherever_they_end(lists: list[list[int] | None]) -> None:
    assert H264().parse_sps(h264_sps(lists=lists, crop=(0, 1, 0, 3))) == replace(H264_SPS, width=62, height=42)


def test_4_4_4_has_twelve_scaling_lists() -> None:
    lists: list[list[int] | None] = [None, STEEP, DEFAULT, FLAT4, ROUND, STOPPED, FLAT8, STEEP * 4, None, DEFAULT, None]
    sps = h264_sps(244, chroma=3, lists=[*lists, FLAT8], crop=(0, 3, 0, 1))
    assert H264().parse_sps(sps) == replace(H264_SPS, profile=244, chroma_format=3, width=61, height=47)


@pytest.mark.parametrize("order", [(0, 0), (0, 12), (2,), (1, 0, 0), (1, -3, 2, -1, 4, -70000)])
def test_the_ways_to_count_pictures_are_skipped(order: tuple[int, ...]) -> None:
    sps = h264_sps(order=order, blocks=(120, 68), crop=(0, 0, 0, 4))
    assert H264().parse_sps(sps) == replace(H264_SPS, width=1920, height=1080)


def test_an_sps_that_is_cut_off_is_broken() -> None:
    for length in (1, 4, 5, 7):
        with pytest.raises(BrokenStream):
            H264().parse_sps(h264_sps()[:length])


def avcc(command: str, *, profile: str, extension: str, sps_count: str = "e1") -> bytes:
    sps, pps, _ = ENCODED[command]
    found = f"01{profile}ff{sps_count}{len(sps) // 2:04x}{sps}01{len(pps) // 2:04x}{pps}{extension}"
    return bytes.fromhex(found)


@pytest.mark.parametrize(
    ("command", "profile", "extension"),
    [
        ("50x38 libx264 yuv420p -profile:v baseline", "42c00a", ""),
        ("1920x1080 libx264 yuv420p -preset ultrafast -x264-params interlaced=1:level=4.1", "4d4029", ""),
        (SLOW, "64000a", "fdf8f800"),
        (LISTS, "64000a", "fdf8f800"),
        (FIELDS, "7a0015", "fef8f800"),
        (DEEP, "6e000a", "fdfafa00"),
        (GREY, "64000a", "fcf8f800"),
        (FULL, "f4000a", "fffafa00"),
    ],
)
def test_the_h264_configuration_is_byte_for_byte_that_of_ffmpeg(command: str, profile: str, extension: str) -> None:
    """5.3.3.1.2 of ISO/IEC 14496-15. Every profile but Baseline, Main and Extended has the four bytes at the end."""
    codec, sets = H264(), encoded(command)
    box = codec.decoder_configuration(sets)
    assert box == avcc(command, profile=profile, extension=extension)
    assert codec.parse_extradata(box) == (sets, 4)


def test_the_h264_configuration_of_several_sets_is_that_of_the_highest_profile_and_level() -> None:
    codec = H264()
    low = ParameterSets((h264_sps(77, chroma=None, level=52, number=1),), (b"\x68\x11", b"\x68\x22"))
    high = ParameterSets((h264_sps(100, level=30),), (b"\x68\x22", b"\x68\x33"))
    box = codec.decoder_configuration(low, high, ParameterSets())
    assert box[:6] == bytes([1, 100, 0, 52, 0xFF, 0xE2])
    both = ParameterSets(low.sps + high.sps, (b"\x68\x11", b"\x68\x22", b"\x68\x33"))
    assert codec.parse_extradata(box) == (both, 4)


@pytest.mark.parametrize(("sps", "pps"), [(0, 1), (32, 1), (1, 256)])
def test_more_h264_sets_than_a_header_counts_are_refused(sps: int, pps: int) -> None:
    sets = ParameterSets(
        tuple(h264_sps(level=level) for level in range(sps)),
        tuple(bytes([0x68, each // 256, each % 256]) for each in range(pps)),
    )
    with pytest.raises(BrokenStream, match=f"{sps} and {pps} parameter sets"):
        H264().decoder_configuration(sets)
    fitting = ParameterSets(tuple(h264_sps(level=level) for level in range(31)), sets.pps[:255])
    assert H264().parse_extradata(H264().decoder_configuration(fitting)) == (fitting, 4)


def test_h264_headers_of_any_kind_are_read() -> None:
    codec, sets = H264(), encoded(SLOW)
    sps, pps = sets.sps[0], sets.pps[0]
    assert codec.parse_extradata(None) == codec.parse_extradata(b"") == (ParameterSets(), 0)
    assert codec.parse_extradata(bytes.fromhex("0164000affe0")) == (ParameterSets(), 0)
    for length in (1, 2, 4):
        empty = bytes([1, 100, 0, 10, 0xFC | (length - 1), 0xE0, 0])
        assert codec.parse_extradata(empty) == (ParameterSets(), length)
    annex_b = b"\0\0\0\1" + sps + b"\0\0\1" + pps + b"\0\0\1" + pps
    assert codec.parse_extradata(annex_b) == (sets, 0)
    box = codec.decoder_configuration(sets)
    for length in (9, 8 + len(sps) - 1, 8 + len(sps) + 2, len(box) - 5):
        with pytest.raises(BrokenStream, match="cut off"):
            codec.parse_extradata(box[:length])


def test_only_an_idr_picture_of_h264_is_a_key() -> None:
    codec = H264()
    for kind in range(32):
        unit = bytes([0x60 | kind, 0x80])
        assert codec.is_key([b"\x09\x10", unit]) == codec.can_start_copy([unit]) == (kind == 5)
        assert codec.is_parameter_set(unit) == (kind in (7, 8))
        assert not codec.is_leading([unit])
        assert not codec.needs_end_of_sequence([unit])


@pytest.mark.parametrize(
    ("sps_ids", "pps_ids", "refs", "reordered", "params"),
    [
        ([0], [0], 4, True, "sps-id=1:bframes=2:b-pyramid=none:ref=3:open-gop=0"),
        ([0], [1, 2], 2, False, "sps-id=3:bframes=0:b-pyramid=none:ref=2:open-gop=0"),
        ([1, 3], [0, 2, 4], 0, True, "sps-id=5:bframes=2:b-pyramid=none:ref=1:open-gop=0"),
        ([0], list(range(31)), 1, True, "sps-id=31:bframes=2:b-pyramid=none:ref=1:open-gop=0"),
    ],
)
def test_h264_edges_take_the_first_number_that_is_free(
    sps_ids: list[int], pps_ids: list[int], refs: int, reordered: bool, params: str
) -> None:
    codec = H264()
    sps = tuple(h264_sps(77, chroma=None, number=number, refs=refs) for number in sps_ids)
    sets = ParameterSets(sps, tuple(Bits().ue(number, 0).u(2, 3).unit(b"\x68") for number in pps_ids))
    options = codec.encoder_options(sets, codec.parse_sps(sps[0]), reordered=reordered)
    assert options == {"c:v": "libx264", "profile:v": "main", "x264-params": params}


def test_h264_edges_without_a_free_number_are_refused() -> None:
    codec, sps = H264(), h264_sps()
    sets = ParameterSets((sps,), tuple(Bits().ue(number).unit(b"\x68") for number in range(32)))
    with pytest.raises(NotJoinable, match="used up"):
        codec.encoder_options(sets, codec.parse_sps(sps), reordered=True)


# HEVC


@pytest.mark.parametrize(
    "layers",
    [[], [(0, 0)], [(1, 0)], [(0, 1)], [(1, 1)], [(1, 1), (0, 0), (0, 1)], [(1, 0)] * 3, [(0, 1), (1, 1)] * 3],
)
def test_what_sub_layers_state_of_themselves_is_skipped(layers: list[tuple[int, int]]) -> None:
    sps = hevc_sps(profile=2, level=120, number=7, layers=layers, depth=10)
    assert Hevc().parse_sps(sps) == replace(HEVC_SPS, id=7, profile=2, level=120, bit_depth=10)


@pytest.mark.parametrize(("chroma", "across", "down"), [(0, 1, 1), (1, 2, 2), (2, 2, 1), (3, 1, 1)])
def test_hevc_is_cropped_in_units_of_its_chroma_samples(chroma: int, across: int, down: int) -> None:
    """Table 6-1, and conf_win_left_offset and so on in 7.4.3.2.1."""
    found = Hevc().parse_sps(hevc_sps(profile=4, chroma=chroma, size=(160, 144), window=(1, 2, 3, 5), depth=12))
    size = (160 - 3 * across, 144 - 8 * down)
    assert (found.chroma_format, found.width, found.height, found.bit_depth) == (chroma, *size, 12)


def test_hevc_ids_are_those_of_all_kinds_of_sets() -> None:
    sets = ParameterSets(
        sps=(hevc_sps(number=15), hevc_sps(number=2)),
        pps=(Bits().ue(63, 0).unit(b"\x44\x01"),),
        vps=(Bits().u(4, 9).u(2, 3).unit(b"\x40\x01"),),
    )
    assert Hevc().parameter_set_ids(sets) == {2, 9, 15, 63}
    with pytest.raises(NotJoinable, match="number of parameter sets"):
        Hevc().encoder_options(sets, HEVC_SPS, reordered=True)


def hevc_sets(command: str, vps: bytes = VPS) -> ParameterSets:
    return replace(encoded(command), vps=(vps,))


@pytest.mark.parametrize(
    ("sets", "head"),
    [
        (hevc_sets("52x38 libx265 yuv420p"),
         "01 01 60000000 900000000000 1e f000 fc fd f8 f8 0000 0f"),
        (hevc_sets("52x38 libx265 yuv420p10le"),
         "01 02 20000000 900000000000 1e f000 fc fd fa fa 0000 0f"),
        (hevc_sets("52x38 libx265 yuv422p10le"),
         "01 04 08000000 9d0800000000 1e f000 fc fe fa fa 0000 0f"),
        (hevc_sets("53x39 libx265 yuv444p"),
         "01 04 08000000 9e0800000000 1e f000 fc ff f8 f8 0000 0f"),
        (hevc_sets("52x38 libx265 yuv420p -x265-params high-tier=1:level-idc=4.1"),
         "01 21 60000000 900000000000 7b f000 fc fd f8 f8 0000 0f"),
        (hevc_sets("52x38 libx265 yuv420p -x265-params temporal-layers=3:b-adapt=0:bframes=4", LAYERED_VPS),
         "01 01 60000000 900000000000 1e f000 fc fd f8 f8 0000 1b"),
        (ParameterSets((hevc_sps(layers=[(0, 0)] * 6),), (b"\x44\x01\xc1",), (VPS,)),
         "01 01 60000000 900000000000 5d f000 fc fd f8 f8 0000 3f"),
    ],
)  # fmt: skip
def test_the_hevc_configuration_is_that_of_ffmpeg(sets: ParameterSets, head: str) -> None:
    """8.3.2.1.2 of ISO/IEC 14496-15, which all sets are in: hence the first bit of each array."""
    arrays = bytes([3])
    for kind, unit in ((0xA0, sets.vps[0]), (0xA1, sets.sps[0]), (0xA2, sets.pps[0])):
        arrays += bytes([kind, 0, 1, 0, len(unit)]) + unit
    box = Hevc().decoder_configuration(sets)
    assert box == bytes.fromhex(head) + arrays
    assert Hevc().parse_extradata(box) == (sets, 4)


def test_the_hevc_configuration_of_several_sets_is_that_of_the_highest_profile_and_level() -> None:
    codec = Hevc()
    low = ParameterSets((hevc_sps(level=150, number=3),), (b"\x44\x01\xc1", b"\x44\x01\xc2"), (VPS,))
    high = ParameterSets((hevc_sps(profile=2, level=60, depth=10),), (b"\x44\x01\xc2", b"\x44\x01\xc3"), (VPS,))
    box = codec.decoder_configuration(low, high)
    assert (box[1], box[12], box[17], box[18]) == (2, 150, 0xFA, 0xFA)
    both = ParameterSets(low.sps + high.sps, (b"\x44\x01\xc1", b"\x44\x01\xc2", b"\x44\x01\xc3"), (VPS,))
    assert codec.parse_extradata(box) == (both, 4)
    for missing in (replace(low, sps=()), replace(low, pps=()), replace(low, vps=())):
        with pytest.raises(BrokenStream, match="nothing about its pictures"):
            codec.decoder_configuration(missing)


def test_hevc_headers_of_any_kind_are_read() -> None:
    codec, sets = Hevc(), hevc_sets("52x38 libx265 yuv420p")
    assert codec.parse_extradata(None) == codec.parse_extradata(b"") == (ParameterSets(), 0)
    box = codec.decoder_configuration(sets)
    # A header without sets, as under hev1, still says how long the lengths are.
    for length in (1, 2, 4):
        empty = box[:21] + bytes([0x0C | (length - 1), 0])
        assert codec.parse_extradata(empty) == (ParameterSets(), length)
    assert codec.parse_extradata(box[:22]) == (ParameterSets(), 0)
    annex_b = b"".join(b"\0\0\0\1" + unit for unit in (VPS, *sets.sps, *sets.pps, *sets.pps))
    assert codec.parse_extradata(annex_b) == (sets, 0)
    for length in (27, 28 + len(VPS) - 1, len(box) - 1):
        with pytest.raises(BrokenStream, match="cut off"):
            codec.parse_extradata(box[:length])


def test_kinds_of_hevc_pictures_are_those_of_the_standard() -> None:
    """Table 7-1 of ISO/IEC 23008-2."""
    codec = Hevc()
    for kind in range(64):
        unit = bytes([kind << 1, 1, 0x80])
        random_access = kind in (16, 17, 18, 19, 20, 21, 22, 23)  # BLA, IDR, CRA, and two reserved
        assert codec.is_key([unit]) == codec.can_start_copy([unit]) == random_access
        assert codec.is_leading([unit]) == (kind in (6, 7, 8, 9))  # RADL, RASL
        assert codec.needs_end_of_sequence([unit]) == (kind not in (19, 20))
        assert codec.is_parameter_set(unit) == (kind in (32, 33, 34))
        assert codec.can_start_copy([bytes([19 << 1, 1, 0x80]), unit]) == (kind < 48)  # above: a second layer
    assert codec.end_of_sequence == bytes([36 << 1, 1])


@pytest.mark.parametrize("command", [each for each in ENCODED if "libx265" in each and "layers" not in each])
def test_renumbered_hevc_sets_differ_in_nothing_but_their_number(command: str) -> None:
    codec, sets = Hevc(), hevc_sets(command)
    renumbered = codec.parameter_sets([codec.renumbered(unit) for unit in (*sets.vps, *sets.sps, *sets.pps)])
    assert codec.parameter_set_ids(renumbered) == {15}
    assert codec.parse_sps(renumbered.sps[0]) == replace(codec.parse_sps(sets.sps[0]), id=15)
    assert BitReader(renumbered.sps[0][2:]).read(4) == 15, "the SPS names its VPS"
    pps = BitReader(renumbered.pps[0][2:])
    assert (pps.read_ue(), pps.read_ue()) == (15, 15), "the PPS names its SPS"
    for unit in (*renumbered.vps, *renumbered.sps, *renumbered.pps):
        assert not any(b"\0\0" + bytes([each]) in unit for each in (0, 1, 2))


@pytest.mark.parametrize("kind", [0, 1, 9, 16, 19, 20, 21, 23])
def test_renumbered_hevc_slices_name_the_new_picture_parameter_set(kind: int) -> None:
    rest = 0x0000_0100_0002_A5
    head = bytes([kind << 1, 1])

    def slice_of(number: int) -> bytes:
        bits = Bits().u(1, 1)
        if kind >= 16:
            bits.u(1, 0)  # no_output_of_prior_pics_flag
        return bits.ue(number).u(56, rest).unit(head)

    assert Hevc().renumbered(slice_of(0)) == slice_of(15)
    with pytest.raises(NotJoinable, match="differently"):
        Hevc().renumbered(slice_of(1))


def test_other_hevc_units_stay_and_layers_are_refused() -> None:
    message = bytes([39 << 1, 1, 5, 2, 0, 0, 0x80])
    assert Hevc().renumbered(message) == message
    with pytest.raises(NotJoinable, match="layers"):
        Hevc().renumbered(hevc_sps(layers=[(0, 0)]))
