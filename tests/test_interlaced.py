"""Interlaced videos in the library: no combs in clips, posters, previews and planes; field orders as decoded."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from fakes import ColourEncoder
from interlaced import (
    CINEFORM,
    DV,
    FIELDS,
    H264,
    LOSSLESS,
    MPEG2,
    PRORES,
    SIZE,
    comb,
    write_interlaced,
    write_progressive,
)
from numbered import ffmpeg
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import create_engine

from app.exporting.source_facts import SourceFacts
from app.web.services.playability import Playability
from db.library import FILE_NAME, Library
from db.media_facts import FieldOrder
from encoder import ClipSpec
from indexer.media.clip import read_clip
from indexer.media.decode import Decoding
from indexer.media.downscale import halve, luma, top_field
from indexer.media.facts import read_facts
from indexer.media.interlacing import FieldsSeen, Interlacing, stated_order
from indexer.media.probe import open_source
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings
from indexer.video_pass import SegmentClip, VideoPass

SPEC = ClipSpec(frames=4, size=64)
MPEG2_FIELDS = (*MPEG2, *FIELDS)
CLEAN, COMBED = 0.9, 1.2
"""Comb measures of the progressive and of the interlaced pictures of these videos are below and above these."""


def indexed(path: Path) -> tuple[VideoPass, list[SegmentClip]]:
    reading = VideoPass(str(path), SPEC, IndexSettings(detector="adaptive"), fingerprint="f")
    return reading, list(reading)


def combs(pictures: NDArray[np.uint8]) -> float:
    """The highest comb measure of RGB pictures (n, h, w, 3)."""
    return max(comb(picture.mean(axis=-1)) for picture in pictures)


def frames(file: Path | io.BytesIO) -> NDArray[np.uint8]:
    """All frames, uint8 (n, h, w, 3)."""
    with av.open(file if isinstance(file, io.BytesIO) else str(file)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "size"),
    [
        ("h.ts", H264, "yuv420p", SIZE),
        ("m.mxf", MPEG2_FIELDS, "yuv422p", SIZE),
        ("p.mov", PRORES, "yuv422p10le", SIZE),
        ("c.mov", CINEFORM, "yuv422p10le", SIZE),
        ("f.mkv", LOSSLESS, "yuv420p", (1024, 256)),
        ("r.mov", ("-c:v", "rawvideo"), "uyvy422", (1024, 256)),
    ],
)
def test_what_is_seen_has_neither_combs_nor_two_moments(
    name: str, codec: tuple[str, ...], pixels: str, size: tuple[int, int], tmp_path: Path
) -> None:
    """Small ones and ones that are reduced, with flags in their frames or in the container only."""
    source = write_interlaced(tmp_path / name, codec, pixels=pixels, size=size, frames=10)
    assert combs(frames(source)) > COMBED
    _, (segment,) = indexed(source)
    assert combs(segment.clip) < CLEAN
    progressive = write_progressive(tmp_path / "progressive.mkv", size=size, frames=10)
    _, (ideal,) = indexed(progressive)
    assert np.abs(segment.clip.astype(int) - ideal.clip).mean() < 4
    with Image.open(io.BytesIO(segment.poster)) as poster:
        assert combs(np.asarray(poster)[None]) < CLEAN
        assert poster.size == (min(480, size[0]), min(480, size[0]) * size[1] // size[0])
    assert combs(frames(io.BytesIO(segment.preview))) < CLEAN


@pytest.mark.parametrize("name", ["h.ts", "h.mkv"])
def test_an_example_is_the_indexed_clip_bit_for_bit(name: str, tmp_path: Path) -> None:
    source = write_interlaced(tmp_path / name, frames=60)
    reading = VideoPass(str(source), SPEC, IndexSettings(detector="adaptive", segment_seconds=1), fingerprint="f")
    found = list(reading)
    assert len(found) > 1
    for each in found:
        start, end = (
            (pts - reading.video.start_pts) * reading.video.time_base
            for pts in (each.segment.start_pts, each.segment.end_pts)
        )
        clip = read_clip(str(source), SPEC, start_seconds=float(start), end_seconds=float(end))
        assert np.array_equal(clip, each.clip)
        assert combs(clip) < CLEAN


@pytest.mark.parametrize(
    ("name", "codec", "order", "expected"),
    [
        ("h.ts", H264, "tff", "tff"),
        ("h.mp4", H264, "bff", "bff"),  # FFmpeg's parser says tff
        ("m.mxf", MPEG2_FIELDS, "bff", "bff"),  # the container's word for it means tff elsewhere
        ("d.avi", DV, "bff", "bff"),  # the container is silent
        ("c.mov", CINEFORM, "bff", "bff"),  # the frames are silent
        ("p.mp4", ("-c:v", "libx264"), "", "progressive"),
    ],
)
def test_field_orders_are_those_of_the_frames(
    name: str, codec: tuple[str, ...], order: str, expected: FieldOrder, tmp_path: Path
) -> None:
    pixels = {"m.mxf": "yuv422p", "c.mov": "yuv422p10le"}.get(name, "yuv420p")
    source = write_interlaced(
        tmp_path / name, codec, order="bff" if order == "bff" else "tff", pixels=pixels, flagged=bool(order), frames=3
    )
    reading, _ = indexed(source)
    assert reading.video.facts is not None
    assert reading.video.facts.field_order == expected
    assert ("interlaced" in reading.video.kinds) == bool(order)
    facts = SourceFacts.of_file(str(source))
    assert facts is not None
    assert facts.field_order == expected


def mixed(folder: Path, first: str, then: str) -> Path:
    """A stream of which one part is interlaced (i), bottom field first, and one is not (p)."""
    write_interlaced(folder / "p.ts", MPEG2, frames=14, flagged=False)
    write_interlaced(folder / "i.ts", MPEG2_FIELDS, order="bff", frames=14)
    both = folder / "both.ts"
    ffmpeg("-i", f"concat:{folder / first}.ts|{folder / then}.ts", "-c", "copy", str(both))
    return both


def test_some_interlaced_frames_among_others_are_enough(tmp_path: Path) -> None:
    reading, _ = indexed(mixed(tmp_path, "p", "i"))
    assert reading.video.kinds == {"interlaced"}
    assert reading.video.facts is not None
    assert reading.video.facts.field_order == "bff"


def test_each_frame_of_a_mixed_stream_speaks_for_itself(tmp_path: Path) -> None:
    with open_source(str(mixed(tmp_path, "i", "p"))) as source:
        interlacing = Interlacing(source)
        found = [(interlacing.applies(frame.picture), frame.picture.interlaced_frame) for frame in Decoding(source)]
    assert found == [(True, True)] * 14 + [(False, False)] * 14


def test_until_a_frame_is_seen_the_header_is_believed(tmp_path: Path) -> None:
    """As where the first frame of a file is damaged."""
    file = tmp_path / "h.mp4"
    write_interlaced(file, frames=1)
    with open_source(str(file)) as source:
        fields = FieldsSeen(source)
        assert (fields.order, fields.field_order) == ("tff", "tff")
        fields.look(VideoFrame(64, 64, "yuv420p"))
        assert (fields.order, fields.field_order) == (None, "progressive")


def test_headers_of_mxf_have_a_word_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "m.mxf"
    write_interlaced(file, MPEG2_FIELDS, order="bff", pixels="yuv422p", size=(720, 576), frames=1)
    with open_source(str(file)) as source:
        assert stated_order(source) == "bff"
        assert read_facts(source).field_order == "bff"


def test_libraries_of_earlier_versions_learn_which_videos_are_interlaced_and_index_them_once(tmp_path: Path) -> None:
    """The header of the second says nothing about its fields."""
    folder = tmp_path / "videos"
    folder.mkdir()
    write_interlaced(folder / "h.mp4", frames=3)
    write_interlaced(folder / "d.avi", DV, order="bff", frames=3)
    write_progressive(folder / "p.mkv", frames=3)
    with Library.open(tmp_path / "library") as library:

        def updated() -> int:
            return index_folders(library, ColourEncoder(), [folder], IndexSettings(detector="adaptive")).updated

        updated()
        with create_engine(f"sqlite:///{tmp_path / 'library' / FILE_NAME}").begin() as connection:
            connection.exec_driver_sql("UPDATE videos SET facts = NULL, kinds = ''")
            connection.exec_driver_sql("UPDATE encodings SET recipe = replace(recipe, '+interlaced1', '')")
        assert updated() == 2
        assert updated() == 0
        playable = {Path(video.path).name: Playability().of(video) for video in library.videos()}
        assert playable["h.mp4"] is playable["d.avi"] is False
        orders = {Path(video.path).name: video.facts and video.facts.field_order for video in library.videos()}
        assert orders == {"h.mp4": "tff", "d.avi": "bff", "p.mkv": "progressive"}


@pytest.mark.parametrize(
    "pixels", ["yuv420p", "yuv422p10le", "yuv411p", "nv12", "p010le", "uyvy422", "rgb24", "bgra", "gbrp", "gray16be"]
)
@pytest.mark.parametrize("height", [48, 50, 49])
def test_the_top_field_is_every_other_line(pixels: str, height: int) -> None:
    lines = np.where(np.arange(height) % 2, 200, 50).astype(np.uint8)[:, None, None]
    noise = np.random.default_rng(1).integers(0, 9, (1, 96, 3), np.uint8)
    picture = VideoFrame.from_ndarray((lines + noise).astype(np.uint8), format="rgb24")
    even = VideoFrame.from_ndarray(np.repeat((50 + noise).astype(np.uint8), -(-height // 2), 0), format="rgb24")
    field = top_field(picture.reformat(format=pixels))
    assert (field.width, field.height, field.format.name) == (96, -(-height // 2), pixels)
    difference = field.to_ndarray(format="gray").astype(int) - even.reformat(format=pixels).to_ndarray(format="gray")
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "yuv411p"])
def test_halving_an_interlaced_frame_takes_the_mean_of_two_pixels_of_one_field(pixels: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    picture = VideoFrame.from_ndarray(noise, format="rgb24").reformat(format=pixels)
    small = halve(picture, interlaced=True)
    assert (small.width, small.height) == (48, 32)
    expected = luma(top_field(picture)).astype(int)
    assert np.abs(luma(small) - (expected[:, ::2] + expected[:, 1::2]) / 2).max() <= 0.5


def test_film_frames_with_flags_for_pulldown_are_shown_once_each_for_two_or_three_fields(tmp_path: Path) -> None:
    """Soft telecine, as on DVDs: 23.976 frames a second, whose flags ask for 59.94 fields."""
    write_interlaced(tmp_path / "film.m2v", (*MPEG2, "-bf", "0"), frames=24, flagged=False)
    stream, number = bytearray((tmp_path / "film.m2v").read_bytes()), 0
    for at in (match.start() for match in re.finditer(rb"\x00\x00\x01[\xb3\xb5]", bytes(stream))):
        if stream[at + 3] == 0xB3:
            stream[at + 7] = stream[at + 7] & 0xF0 | 4  # 30000/1001 frames a second
        elif stream[at + 4] >> 4 == 1:
            stream[at + 5] &= 0xF7  # not a progressive sequence
        elif stream[at + 4] >> 4 == 8:
            top_first, repeats = ((1, 1), (0, 0), (0, 1), (1, 0))[number % 4]
            stream[at + 7] = stream[at + 7] & 0x7D | top_first << 7 | repeats << 1
            number += 1
    (tmp_path / "film.m2v").write_bytes(stream)
    ffmpeg("-fflags", "+genpts", "-i", str(tmp_path / "film.m2v"), "-c", "copy", str(tmp_path / "film.ts"))
    with open_source(str(tmp_path / "film.ts")) as source:
        shown = [frame.pts * source.time_base * 60000 / 1001 for frame in Decoding(source)]
    # The last packet is timed by ffmpeg as if it were no film.
    assert [round(after - before) for before, after in pairwise(shown[:-1])] == [3, 2] * 11
    reading, _ = indexed(tmp_path / "film.ts")
    assert (reading.video.frames, reading.video.kinds) == (24, set())
