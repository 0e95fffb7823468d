"""Joined MP4 files, box by box (ISO/IEC 14496-12), and read back by ffmpeg's demuxer."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from numbered import constant, write

from app.exporting.smart.mp4 import Mp4Writer, Track

CONTAINERS = {b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl"}
UNITY = "00010000 00000000 00000000 00000000 00010000 00000000 00000000 00000000 40000000"
TURNED = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
TRACK: dict[str, Any] = {
    "sample_entry": b"avc1",
    "configuration_box": b"avcC",
    "configuration": b"\x01\x64\x00\x0a",
    "width": 720,
    "height": 576,
    "time_base": Fraction(1, 25),
}
MAX = 2**32 - 1


def boxes(content: bytes, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Each box that holds no others, with the way to it, in order."""
    at = 0
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", content[at + 8 : at + 16])
            head = 16
        assert head <= size <= len(content) - at, f"{name!r} in {path} is {size} bytes long"
        inner = content[at + head : at + size]
        way = f"{path}/{name.decode()}"
        yield from boxes(inner, way) if name in CONTAINERS else [(way, inner)]
        at += size


def written(packets: list[tuple[bytes, int, bool]], end: int, **track: Any) -> dict[str, bytes]:
    file = io.BytesIO()
    writer = Mp4Writer(file, Track(**TRACK | track))
    for data, pts, key in packets:
        writer.add(data, pts, key=key)
    assert writer.finish(end) == len(packets)
    found = list(boxes(file.getvalue()))
    assert len(dict(found)) == len(found), "no box stands twice"
    return dict(found)


def test_every_box_is_as_the_format_asks() -> None:
    """Two groups, one with B frames, of 29.97 frames a second; the last two are shown twice as long as the others."""
    packets = [(b"I" * 9, 0, True), (b"P" * 5, 3, False), (b"B", 1, False), (b"bb", 2, False),
               (b"I" * 8, 4, True), (b"P" * 4, 6, False)]  # fmt: skip
    found = written(packets, 8, time_base=Fraction(1001, 30000))
    table = "/moov/trak/mdia/minf/stbl"
    wanted = {
        "/ftyp": "69736f6d 00000200 69736f6d 69736f36",  # isom of version 512; isom, iso6
        "/mdat": (b"IIIIIIIIIPPPPPBbbIIIIIIIIPPPP").hex(),
        # Version 1: made and changed at 0, 30000 units a second, 8 frames; rate 1, volume 1, ten reserved bytes,
        # the matrix, 24 bytes of zero, the next track's number.
        "/moov/mvhd": "01000000" + "00" * 16 + "00007530 0000000000001f48 00010000 0100" + "00" * 10 + UNITY
                      + "00" * 24 + "00000002",
        # Enabled and in the movie; track 1, reserved, length, 8 reserved, layer, group, volume, reserved, matrix, size.
        "/moov/trak/tkhd": "01000003" + "00" * 16 + "00000001 00000000 0000000000001f48" + "00" * 16 + UNITY
                           + "02d00000 02400000",
        # One edit at rate 1, which skips what decoding needs in advance.
        "/moov/trak/edts/elst": "01000000 00000001 0000000000001f48 00000000000003e9 00010000",
        "/moov/trak/mdia/mdhd": "01000000" + "00" * 16 + "00007530 0000000000001f48 55c4 0000",  # und
        "/moov/trak/mdia/hdlr": "00000000 00000000 76696465" + "00" * 12 + "00",  # vide, no name
        "/moov/trak/mdia/minf/vmhd": "00000001" + "00" * 8,
        "/moov/trak/mdia/minf/dinf/dref": "00000000 00000001 0000000c 75726c20 00000001",  # in this file
        f"{table}/stsd": "00000000 00000001 00000072 61766331 000000000000 0001" + "00" * 16
                         + "02d0 0240 00480000 00480000 00000000 0001" + "00" * 32 + "0018 ffff"
                         + "0000000c 61766343 0164000a 00000010 70617370 00000001 00000001",
        # Decoded in the order of the times shown, one frame in advance: four of 1001 units, and two of 2002.
        f"{table}/stts": "00000000 00000002 00000004 000003e9 00000002 000007d2",
        f"{table}/ctts": "00000000 00000004 00000001 000003e9 00000001 00000bbb 00000002 00000000"
                         "00000002 000003e9",
        f"{table}/stss": "00000000 00000002 00000001 00000005",
        f"{table}/stsc": "00000000 00000001 00000001 00000006 00000001",
        f"{table}/stsz": "00000000 00000000 00000006 00000009 00000005 00000001 00000002 00000008 00000004",
        f"{table}/co64": "00000000 00000001 0000000000000028",
    }  # fmt: skip
    assert list(found) == list(wanted)
    for name, content in wanted.items():
        assert found[name].hex() == content.replace(" ", ""), name


def times(found: dict[str, bytes]) -> tuple[list[int], list[int]]:
    """Decoding and presentation times of all packets, by the tables and the edit."""
    tables = []
    for name in ("stts", "ctts"):
        count, *runs = struct.unpack(f">{len(found[f'/moov/trak/mdia/minf/stbl/{name}']) // 4 - 1}I",
                                     found[f"/moov/trak/mdia/minf/stbl/{name}"][4:])  # fmt: skip
        assert len(runs) == 2 * count
        tables.append([value for at in range(0, len(runs), 2) for value in [runs[at + 1]] * runs[at]])
    steps, offsets = tables
    _, begin = struct.unpack(">Qq", found["/moov/trak/edts/elst"][8:24])
    decoded = [sum(steps[:place]) for place in range(len(steps))]
    return decoded, [dts + offset - begin for dts, offset in zip(decoded, offsets, strict=True)]


@pytest.mark.parametrize(
    ("order", "end"),
    [
        ([0], 1),
        ([0, 1, 2, 3], 4),
        ([0, 1, 5, 6, 20], 33),
        ([0, 4, 2, 1, 3, 8, 6, 5, 7], 9),
        ([0, 400, 17, 33, 100, 401], 900),
        ([2, 0, 1, 3], 4),
    ],
)
@pytest.mark.parametrize("base", [Fraction(1, 25), Fraction(1001, 24000), Fraction(2, 90_000)])
def test_packets_are_shown_at_their_times_and_decoded_before(order: list[int], end: int, base: Fraction) -> None:
    found = written([(b"x", pts, place == 0) for place, pts in enumerate(order)], end, time_base=base)
    decoded, presented = times(found)
    assert presented == [pts * base.numerator for pts in order]
    begin = struct.unpack(">q", found["/moov/trak/edts/elst"][16:24])[0]
    assert all(dts - begin <= pts for dts, pts in zip(decoded, presented, strict=True))
    assert any(dts - begin == pts for dts, pts in zip(decoded, presented, strict=True)), "no later than need be"
    assert decoded == sorted(set(decoded))
    scale, length = struct.unpack(">IQ", found["/moov/trak/mdia/mdhd"][20:32])
    assert Fraction(length, scale) == end * base


@pytest.mark.parametrize(
    ("order", "end", "base"),
    [
        ([0, MAX], MAX + 1, Fraction(1, 25)),
        ([0, 1], MAX + 1, Fraction(1, 25)),
        ([0, MAX // 3], MAX // 3 + 1, Fraction(3, 25)),
        ([0, MAX // 15], MAX // 15 + 1, Fraction(15, 1)),
    ],
)
def test_times_up_to_the_limit_of_the_format_are_written(order: list[int], end: int, base: Fraction) -> None:
    found = written([(b"x", pts, True) for pts in order], end, time_base=base)
    assert times(found)[1] == [pts * base.numerator for pts in order]


@pytest.mark.parametrize(
    ("order", "end", "base"),
    [
        ([0, MAX + 1], MAX + 2, Fraction(1, 25)),
        ([0, 1], MAX + 2, Fraction(1, 25)),
        ([0, MAX // 15 + 1], MAX // 15 + 2, Fraction(15, 1)),
        ([MAX // 2, 0, MAX // 2 + 2], MAX, Fraction(3, 25)),
        ([0, 1, 1], 2, Fraction(1, 25)),
        ([0, 1, 2], 2, Fraction(1, 25)),
        ([0, 5], 4, Fraction(1, 25)),
    ],
)
def test_times_that_no_mp4_file_can_hold_are_refused(order: list[int], end: int, base: Fraction) -> None:
    writer = Mp4Writer(io.BytesIO(), Track(**TRACK | {"time_base": base}))
    for pts in order:
        writer.add(b"x", pts, key=True)
    with pytest.raises(ValueError, match="do not fit an MP4 file"):
        writer.finish(end)


def entry(**track: Any) -> dict[str, str]:
    """The boxes of the sample entry, as hexadecimal digits."""
    content = written([(b"x", 0, True)], 1, **track)["/moov/trak/mdia/minf/stbl/stsd"]
    return {name.removeprefix("/"): inner.hex() for name, inner in boxes(content[16 + 78 :])}


def test_what_players_need_to_know_of_the_pictures_is_written() -> None:
    assert entry() == {"avcC": "0164000a", "pasp": "0000000100000001"}
    wide = entry(sample_aspect=Fraction(64, 45), colours=(9, 16, 9, False), configuration_box=b"hvcC")
    assert wide == {"hvcC": "0164000a", "colr": "6e636c78 0009 0010 0009 00".replace(" ", ""),
                    "pasp": "000000400000002d"}  # fmt: skip
    assert entry(colours=(1, 1, 1, True))["colr"] == "6e636c7800010001000180"
    turned = written([(b"x", 0, True)], 1, matrix=TURNED, width=65535, height=2)["/moov/trak/tkhd"]
    assert struct.unpack(">9iII", turned[-44:]) == (*TURNED, 65535 << 16, 2 << 16)


@pytest.mark.parametrize("base", [Fraction(1, 25), Fraction(1001, 30000)])
def test_ffmpeg_reads_what_was_put_in(base: Fraction, tmp_path: Path) -> None:
    options = {"x264-params": "bframes=2:b-adapt=0:keyint=6:min-keyint=6:scenecut=0"}
    source = write(tmp_path / "a.mp4", *constant(14, 1 / base), rate=1 / base, options=options)
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        packets = [(bytes(each), round((each.pts or 0) * stream.time_base / base), each.is_keyframe)
                   for each in container.demux(stream) if each.size]  # fmt: skip
        configuration = stream.codec_context.extradata
    assert configuration is not None
    about: dict[str, Any] = {"configuration": configuration, "width": 96, "height": 64, "time_base": base}
    about |= {"matrix": TURNED, "sample_aspect": Fraction(4, 3), "colours": (9, 16, 9, False)}
    with (tmp_path / "b.mp4").open("wb") as file:
        writer = Mp4Writer(file, Track(**TRACK | about))
        for data, pts, key in packets:
            writer.add(data, pts, key=key)
        assert writer.finish(14) == 14
    with av.open(str(tmp_path / "b.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.time_base == Fraction(1, base.denominator)
        assert stream.duration == 14 * base.numerator
        assert stream.start_time == 0
        found = [(bytes(each), Fraction(each.pts or 0, base.numerator), each.is_keyframe)
                 for each in container.demux(stream) if each.size]  # fmt: skip
        assert found == packets
        context: Any = stream.codec_context
        assert (context.codec_tag, context.width, context.height) == ("avc1", 96, 64)
        assert stream.sample_aspect_ratio == Fraction(4, 3)
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (9, 16, 9, 1)
        container.seek(0)
        frame = next(container.decode(stream))
        assert abs(frame.rotation) == 90
