"""Colours of previews and proxies: all four tags, read back; HDR and transparency as in posters."""

from __future__ import annotations

import io
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hdr_twins import HLG, PQ, hdr_twin, run_ffmpeg
from numpy.typing import NDArray
from PIL import Image
from synthetic import make_video
from test_alpha import check, write_video
from test_tone_map import SIZE, colours

from app.exporting.clip_writer import write_clips
from app.exporting.ffmpeg_binary import find_ffmpeg
from app.exporting.request import ClipRequest
from app.web.services import proxy_colours, proxy_making
from app.web.services.proxy_colours import can_tone_map
from app.web.services.proxy_making import make_proxy
from encoder import ClipSpec
from indexer.media.facts import read_facts
from indexer.media.probe import open_source
from indexer.settings import IndexSettings
from indexer.video_pass import SegmentClip, VideoPass

Tags = tuple[int, int, int, int]  # matrix, primaries, transfer, range
BT709: Tags = (1, 1, 1, 1)
BT601: Tags = (6, 6, 6, 1)


def first_frame(file: str | io.BytesIO) -> tuple[NDArray[np.uint8], Tags]:
    """Return the first frame as a player shows it by its tags, and the tags."""
    with av.open(file) as container:
        frame = next(container.decode(video=0))
    tags = int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range)
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), tags


def proxy(path: Path) -> tuple[NDArray[np.uint8], Tags]:
    target = path.with_name("proxy.mp4")
    make_proxy(
        find_ffmpeg(), str(path), Fraction(0), Fraction(1), target, progress=lambda _: None, cancelled=lambda: False
    )
    return first_frame(str(target))


def indexed(path: Path) -> SegmentClip:
    return next(iter(VideoPass(str(path), ClipSpec(1, 32), IndexSettings(detector="content"), fingerprint="f")))


def poster(segment: SegmentClip) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(segment.poster)))


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the mean difference of the means of blocks of 8 x 8 pixels, which compression hardly changes."""
    blocks = [each.astype(float).reshape(8, 8, 12, 8, 3).mean(axis=(1, 3)) for each in (one, other)]
    return float(np.abs(blocks[0] - blocks[1]).mean())


@pytest.mark.parametrize(
    ("size", "stated", "pixels", "expected"),
    [
        ((96, 64), "", "yuv420p", BT601),
        ((1280, 720), "", "yuv420p", BT709),
        ((720, 1280), "", "yuv420p", BT709),  # a phone held upright
        ((96, 64), "colorspace=bt709", "yuv420p", BT709),
        ((1280, 720), "colorspace=smpte170m", "yuv420p", BT601),
        ((96, 64), "colorspace=bt470bg:color_primaries=bt470bg", "yuv420p", (5, 5, 6, 1)),
        ((96, 64), "colorspace=bt2020nc", "yuv422p10le", (9, 9, 14, 1)),
        ((96, 64), "", "yuvj420p", (6, 6, 6, 2)),
    ],
)
def test_previews_and_proxies_state_their_colours_in_full_and_look_alike(
    tmp_path: Path, size: tuple[int, int], stated: str, pixels: str, expected: Tags
) -> None:
    path = tmp_path / "a.mkv"
    filters = f"format={pixels}" + (f",setparams={stated}" if stated else "")
    source = f"color=0xc81e1e:s={size[0]}x{size[1]}:r=10:d=0.5"
    run_ffmpeg("-f", "lavfi", "-i", source, "-vf", filters, "-c:v", "libx264", "-x264-params", "log=0", str(path))
    segment = indexed(path)
    preview, preview_tags = first_frame(io.BytesIO(segment.preview))
    shown, proxy_tags = proxy(path)
    assert preview_tags == expected
    assert proxy_tags == (*expected[:3], 1)
    colours = [each.reshape(-1, 3).mean(axis=0) for each in (poster(segment), preview, shown)]
    assert np.abs(colours[1] - colours[0]).max() < 5
    assert np.abs(colours[2] - colours[0]).max() < 5


@pytest.fixture(scope="module")
def sdr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sdr") / "sdr.mkv"
    return make_video(path, [(lambda _: colours(0), 10)], size=SIZE, codec="ffv1", pix_fmt="yuv444p", options={})


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_proxies_of_hdr_look_like_posters(sdr: Path, tmp_path: Path, transfer: str) -> None:
    twin = hdr_twin(sdr, tmp_path / "twin.mkv", transfer)
    shown, tags = proxy(twin)
    assert tags == BT709
    assert distance(shown, proxy(sdr)[0]) < 6
    assert distance(shown, poster(indexed(twin))) < 4


def test_hdr_that_only_the_container_states(sdr: Path, tmp_path: Path) -> None:
    """As in a remux whose HEVC headers leave the colours open: players go by the container."""
    twin, tagged, remux = hdr_twin(sdr, tmp_path / "twin.mkv", PQ), tmp_path / "tagged.mov", tmp_path / "remux.mov"
    run_ffmpeg("-i", str(twin), "-c:v", "libx265", "-x265-params", "log-level=none:crf=8", str(tagged))
    unstated = "hevc_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2"
    run_ffmpeg("-i", str(tagged), "-c", "copy", "-bsf:v", unstated, str(remux))
    assert first_frame(str(remux))[1][:3] == (2, 2, 2)
    segment = indexed(remux)
    assert distance(poster(segment), poster(indexed(twin))) < 4
    with open_source(str(remux)) as source:
        assert read_facts(source).transfer == "smpte2084"
    (clip,) = write_clips([ClipRequest(path=str(remux), start_seconds=0, end_seconds=1)], tmp_path / "clips")
    assert first_frame(str(clip.file))[1] == (9, 9, 16, 1)
    shown, tags = proxy(remux)
    assert tags == BT709
    assert distance(shown, poster(segment)) < 4


def test_proxies_of_half_tagged_hdr(sdr: Path, tmp_path: Path) -> None:
    """PQ without matrix and primaries is BT.2020, in proxies as in posters."""
    twin, half = hdr_twin(sdr, tmp_path / "twin.mkv", PQ), tmp_path / "half.mkv"
    unstated = "setparams=color_primaries=unknown:colorspace=unknown"
    run_ffmpeg("-i", str(twin), "-vf", unstated, "-c:v", "ffv1", str(half))
    with av.open(str(half)) as container:
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (2, 2, 16)
    assert np.array_equal(indexed(half).clip, indexed(twin).clip)
    assert distance(proxy(half)[0], poster(indexed(twin))) < 4


def test_an_ffmpeg_without_zscale_keeps_hdr_and_says_so_in_the_tags(
    sdr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert can_tone_map(find_ffmpeg())
    assert not can_tone_map("no-such-program")
    monkeypatch.setattr(proxy_making, "can_tone_map", lambda program: False)
    assert proxy(hdr_twin(sdr, tmp_path / "twin.mkv", PQ))[1] == (9, 9, 16, 1)


@pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")
def test_whether_a_program_has_zscale_is_read_from_its_help(tmp_path: Path) -> None:
    for said, expected in (("Unknown filter 'zscale'.", False), ("zscale AVOptions:", True)):
        program = tmp_path / f"ffmpeg_{expected}"
        program.write_text(f'#!/bin/sh\necho "{said}"\n')
        program.chmod(0o755)
        assert proxy_colours.can_tone_map(str(program)) is expected


@pytest.mark.parametrize(
    ("name", "codec", "format"),
    [("animation.mov", "qtrle", "argb"), ("prores.mov", "prores_ks", "yuva444p10le"), ("a.apng", "apng", "rgba")],
)
def test_proxies_of_transparent_videos_are_over_grey(tmp_path: Path, name: str, codec: str, format: str) -> None:
    shown, tags = proxy(write_video(tmp_path / name, codec, format))
    check(shown, 8)
    assert tags == BT709
