"""Kinds of files that are rare and right: beyond 4 GB, very high rates, several video tracks, animations, spherical."""

from __future__ import annotations

import os
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from synthetic import make_video

from app.exporting.ffmpeg_binary import find_ffmpeg
from encoder import ClipSpec
from indexer.media.clip import read_clip
from indexer.media.decode import Decoding
from indexer.media.errors import UnreadableVideo
from indexer.media.probe import open_source
from indexer.notes import track_notes
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

SPEC = ClipSpec(2, 16)


def indexed(path: Path) -> VideoPass:
    video_pass = VideoPass(os.fspath(path), SPEC, IndexSettings(), fingerprint="f")
    assert list(video_pass)
    return video_pass


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def with_64_bit_offsets(content: bytes, shift: int) -> bytes:
    """The boxes of a moov with stco replaced by co64, its offsets moved by `shift`."""
    out, at = b"", 0
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        inner = content[at + 8 : at + size]
        if name == b"stco":
            offsets = struct.unpack(f">{(len(inner) - 8) // 4}I", inner[8:])
            out += box(b"co64", inner[:8] + struct.pack(f">{len(offsets)}Q", *(each + shift for each in offsets)))
        elif name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            out += box(name, with_64_bit_offsets(inner, shift))
        else:
            out += content[at : at + size]
        at += size
    return out


@pytest.mark.skipif(os.name == "nt", reason="the file would not be sparse")
@pytest.mark.slow
def test_a_file_of_more_than_4_gigabytes_with_64_bit_boxes(tmp_path: Path) -> None:
    """Sparse: frames lie beyond 4 GB in an mdat with a 64-bit size, and offsets are 64 bits wide."""
    plain = make_video(tmp_path / "plain.mp4", [("red", 25)], options={"g": "5"})
    content = plain.read_bytes()
    mdat, moov = content.index(b"mdat") - 4, content.index(b"moov") - 4
    frames, begin, far = content[mdat + 8 : moov], mdat + 16, (4 << 30) + 5000
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.write(content[:mdat] + struct.pack(">I4sQ", 1, b"mdat", far + len(frames) - mdat))
        file.seek(far)
        file.write(frames + with_64_bit_offsets(content[moov:], far - (begin - 8)))
    assert path.stat().st_size > 4 << 30
    video = indexed(path).video
    assert (video.frames, video.duration_seconds, video.damaged) == (25, 1, 0)
    assert read_clip(os.fspath(path), SPEC, start_seconds=0.8, end_seconds=1.0).shape == (2, 16, 16, 3)


@pytest.mark.parametrize("rate", [240, 1000, 4000])
def test_slow_motion_at_very_high_rates(tmp_path: Path, rate: int) -> None:
    video = indexed(make_video(tmp_path / "fast.mp4", [("red", 60)], rate=rate, size=(32, 32))).video
    assert (video.frames, video.frame_rate) == (60, rate)
    assert video.duration_seconds == pytest.approx(60 / rate)


def test_a_file_with_two_lenses_says_which_is_indexed(tmp_path: Path) -> None:
    path = tmp_path / "camera.insv"
    lens = ["-f", "lavfi", "-i", "testsrc2=s=32x32:d=0.4"]
    command = [find_ffmpeg(), "-v", "error", *lens, *lens, "-map", "0", "-map", "1", "-c:v", "libx264", "-f", "mp4"]
    subprocess.run([*command, os.fspath(path)], check=True)
    assert indexed(path).notes == ("it has 2 video tracks, one for each lens; only track 1 is indexed",)
    assert track_notes("mp4", 3, 2) == ("it has 3 video tracks; only track 2 is indexed",)
    assert track_notes("insv", 1, 1) == ()


@pytest.mark.parametrize(("name", "encoder"), [("a.gif", "gif"), ("a.apng", "apng"), ("a.avif", "libaom-av1")])
def test_animations_are_videos_and_stills_are_not(tmp_path: Path, name: str, encoder: str) -> None:
    moving, still = tmp_path / name, tmp_path / f"still-{name}"
    command = [find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "testsrc=s=32x32:r=10:d=1", "-c:v", encoder]
    command += ["-cpu-used", "8"] if encoder.startswith("lib") else []
    subprocess.run([*command, os.fspath(moving)], check=True)
    subprocess.run([*command, "-frames:v", "1", os.fspath(still)], check=True)
    video = indexed(moving).video
    assert video.frames == 10
    assert video.duration_seconds == pytest.approx(1, abs=0.11)
    with pytest.raises(UnreadableVideo) as caught:
        indexed(still)
    assert caught.value.kind == "still_image"


def test_spherical_metadata_changes_nothing(tmp_path: Path) -> None:
    """Boxes of projection metadata in the sample entry, as cameras write them: frames stay as they are stored."""
    path = make_video(tmp_path / "round.mp4", [("red", 10)])
    content = path.read_bytes()
    projection = box(b"svhd", bytes(4) + b"camera\0") + box(b"proj", box(b"prhd", bytes(16)) + box(b"equi", bytes(20)))
    extra = box(b"st3d", bytes(4) + b"\1") + box(b"sv3d", projection)
    entry = content.index(b"avc1", content.index(b"stsd")) - 4
    end = entry + struct.unpack(">I", content[entry : entry + 4])[0]
    changed = bytearray(content[:end] + extra + content[end:])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = changed.index(name, content.index(b"moov")) - 4
        if name == b"avc1":
            at = entry
        changed[at : at + 4] = struct.pack(">I", struct.unpack(">I", changed[at : at + 4])[0] + len(extra))
    path.write_bytes(bytes(changed))
    with open_source(os.fspath(path)) as source:
        frames = list(Decoding(source))
    assert [frame.pts * source.time_base for frame in frames] == [Fraction(k, 25) for k in range(10)]
    video = indexed(path).video
    assert (video.width, video.height) == (64, 48)
