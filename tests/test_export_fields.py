"""Clips and proxies of interlaced videos: they stay interlaced and are flagged so, or are deinterlaced."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from interlaced import CINEFORM, DV, FIELDS, H264, LOSSLESS, MPEG2, PRORES, Order, comb, fields_of, write_interlaced
from numbered import ffmpeg
from numpy.typing import NDArray

from app.exporting.clip_writer import write_clips
from app.exporting.ffmpeg_binary import find_ffmpeg
from app.exporting.request import ClipRequest, ExportedClip, ExportMode
from app.web.services.proxy_making import make_proxy

MPEG2_FIELDS = (*MPEG2, *FIELDS)
FIRST, END = 5, 25


def export(source: Path, folder: Path, mode: ExportMode) -> ExportedClip:
    """A clip of the frames FIRST to END of a video at 25 frames a second."""
    request = ClipRequest(path=str(source), start_seconds=Fraction(FIRST, 25), end_seconds=Fraction(END, 25))
    (clip,) = write_clips([request], folder, mode)
    assert clip.error is None
    return clip


def luma(path: str | Path | None) -> NDArray[np.uint8]:
    """All frames as decoded, uint8 (n, h, w)."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def differences(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> list[float]:
    return [float(np.abs(mine.astype(int) - its).mean()) for mine, its in zip(one, other, strict=True)]


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("h.ts", H264, "yuv420p"),
        ("h.mp4", H264, "yuv420p"),
        ("m.mxf", MPEG2_FIELDS, "yuv422p"),
        ("d.avi", DV, "yuv420p"),
        ("f.mkv", LOSSLESS, "yuv411p"),
    ],
)
def test_exact_clips_stay_interlaced(
    name: str, codec: tuple[str, ...], pixels: str, order: Order, tmp_path: Path
) -> None:
    source = write_interlaced(tmp_path / name, codec, order=order, pixels=pixels)
    clip = export(source, tmp_path / "clips", "exact")
    assert fields_of(clip.file or "") == order[0].upper() * (END - FIRST)
    assert max(differences(luma(clip.file), luma(source)[FIRST:END])) < 2
    assert clip.note is None


def test_chroma_is_converted_field_by_field(tmp_path: Path) -> None:
    """The fields of these frames have one colour each, which 4:2:0 chroma scaled across fields would mix."""
    source = tmp_path / "colours.mkv"
    filters = "[0][1]interleave,tinterlace=interleave_top,setfield=tff"
    colours = [
        part
        for name in ("red", "blue")
        for part in ("-f", "lavfi", "-i", f"color={name}:s=64x64:r=25:d=1.2,format=yuv444p")
    ]
    ffmpeg(*colours, "-filter_complex", filters, "-c:v", "ffv1", str(source))
    clip = export(source, tmp_path / "clips", "exact")
    with av.open(str(clip.file)) as container:
        found = next(container.decode(video=0)).to_ndarray()[64:].reshape(2, 32, 32)
    with av.open(str(source)) as container:
        whole = next(container.decode(video=0)).to_ndarray()[1:]
    for chroma, full in zip(found, whole, strict=True):
        assert np.abs(chroma[::2].astype(int) - full[0, 0]).max() < 12
        assert np.abs(chroma[1::2].astype(int) - full[1, 0]).max() < 12


@pytest.mark.parametrize(("name", "order"), [("s.mp4", "tff"), ("s.ts", "bff"), ("s.mkv", "bff")])
def test_edges_of_smart_clips_are_interlaced_as_copied_frames_are(name: str, order: Order, tmp_path: Path) -> None:
    source = write_interlaced(tmp_path / name, order=order)
    clip = export(source, tmp_path / "clips", "smart")
    assert 12 < clip.copied_frames < END - FIRST
    assert fields_of(clip.file or "") == order[0].upper() * (END - FIRST)
    found = differences(luma(clip.file), luma(source)[FIRST:END])
    assert max(found) < 2
    assert found.count(0) == clip.copied_frames


@pytest.mark.parametrize(
    ("name", "codec", "mode"),
    [("p.mov", PRORES, "smart"), ("p.mov", PRORES, "copy"), ("h.ts", H264, "copy"), ("h.mkv", H264, "copy")],
)
def test_copied_frames_stay_interlaced(name: str, codec: tuple[str, ...], mode: ExportMode, tmp_path: Path) -> None:
    pixels = "yuv422p10le" if codec is PRORES else "yuv420p"
    clip = export(write_interlaced(tmp_path / name, codec, order="bff", pixels=pixels), tmp_path / "clips", mode)
    assert set(fields_of(clip.file or "")) == {"B"}
    assert clip.copied_frames == clip.frames


@pytest.mark.parametrize(("name", "codec"), [("p.mov", PRORES), ("c.mov", CINEFORM)])
def test_ten_bits_are_deinterlaced_and_the_note_says_so(name: str, codec: tuple[str, ...], tmp_path: Path) -> None:
    """CineForm's frames do not say that they are interlaced; only the container does."""
    source = write_interlaced(tmp_path / name, codec, pixels="yuv422p10le")
    before = luma(source)[FIRST:END]
    clip = export(source, tmp_path / "clips", "exact")
    after = luma(clip.file)
    assert fields_of(clip.file or "") == "P" * (END - FIRST)
    assert min(comb(frame) for frame in before) > 1.5
    assert max(comb(frame) for frame in after) < 0.9
    assert max(differences(after[:, ::2], before[:, ::2])) < 3, "the earlier field stays as it is"
    assert clip.note == "deinterlaced, because 10-bit clips cannot be interlaced"


def test_a_rotated_interlaced_video_is_deinterlaced_before_it_is_turned(tmp_path: Path) -> None:
    write_interlaced(tmp_path / "lying.mp4")
    ffmpeg("-display_rotation", "90", "-i", str(tmp_path / "lying.mp4"), "-c", "copy", str(tmp_path / "turned.mp4"))
    clip = export(tmp_path / "turned.mp4", tmp_path / "clips", "exact")
    with av.open(str(clip.file)) as container:
        first = next(container.decode(video=0))
    assert (first.width, first.height, first.rotation) == (64, 96, 0)
    upright = np.rot90(luma(tmp_path / "lying.mp4")[FIRST:END], 1, axes=(1, 2))
    assert max(differences(luma(clip.file)[:, :, ::2], upright[:, :, ::2])) < 3
    assert clip.note == "deinterlaced, because rotated clips cannot be interlaced"


def test_frames_that_are_not_interlaced_between_others_that_are(tmp_path: Path) -> None:
    """As in broadcasts that change between film and studio: the clip is interlaced throughout, in one order."""
    write_interlaced(tmp_path / "i.ts", MPEG2_FIELDS, order="bff", frames=14)
    write_interlaced(tmp_path / "p.ts", MPEG2, order="bff", frames=14, flagged=False)
    both = tmp_path / "both.ts"
    ffmpeg("-i", f"concat:{tmp_path / 'i.ts'}|{tmp_path / 'p.ts'}", "-c", "copy", str(both))
    assert set(fields_of(both)) == {"B", "P"}
    assert fields_of(export(both, tmp_path / "clips", "exact").file or "") == "B" * (END - FIRST)


@pytest.mark.parametrize("mode", ["exact", "smart"])
def test_progressive_frames_stay_so_in_a_stream_that_might_have_others(mode: ExportMode, tmp_path: Path) -> None:
    options = ("-c:v", "libx264", "-x264-params", "keyint=8:min-keyint=8:scenecut=0:fake-interlaced=1")
    clip = export(write_interlaced(tmp_path / "p.mp4", options, flagged=False), tmp_path / "clips", mode)
    assert fields_of(clip.file or "") == "P" * (END - FIRST)
    assert (clip.copied_frames > 12) == (mode == "smart")


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "turn"),
    [
        ("m.mxf", MPEG2_FIELDS, "yuv422p", 0),
        ("c.mov", CINEFORM, "yuv422p10le", 0),
        ("h.mp4", H264, "yuv420p", 90),
    ],
)
def test_proxies_are_deinterlaced(name: str, codec: tuple[str, ...], pixels: str, turn: int, tmp_path: Path) -> None:
    source = write_interlaced(tmp_path / name, codec, pixels=pixels)
    turned = tmp_path / f"turned.{name}"
    ffmpeg("-display_rotation", str(turn), "-i", str(source), "-c", "copy", str(turned))
    proxy = tmp_path / "proxy.mp4"
    make_proxy(
        find_ffmpeg(), str(turned), Fraction(FIRST, 25), Fraction(END, 25), proxy,
        progress=lambda done: None, cancelled=lambda: False,
    )  # fmt: skip
    found = np.rot90(luma(proxy), -turn // 90, axes=(1, 2))
    before = luma(source)[FIRST:END]
    assert min(comb(frame) for frame in before) > 1.2
    assert max(comb(frame) for frame in found) < 0.9
    assert max(differences(found[:, ::2], before[:, ::2])) < 8, "the earlier field is the one that is seen"
