"""Dolby Vision: profile 5 is told by its configuration record; others are taken as their base layer."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from synthetic import make_video

from encoder import ClipSpec
from indexer.media.dolby_vision import has_own_colours
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

SPEC = ClipSpec(1, 32)


def record(profile: int, compatible: int) -> bytes:
    """Return a configuration record of 24 bytes: version 1.0, level 6, with metadata and base layer."""
    return bytes((1, 0, profile << 1, 6 << 3 | 0b101, compatible << 4)) + bytes(19)


def with_record(path: Path, name: bytes, content: bytes) -> None:
    """Put a box into the sample entry of an MP4 whose index is at its end, so that no offset moves."""
    data = path.read_bytes()
    at = data.index(b"avc1", data.index(b"stsd")) - 4
    end = at + int.from_bytes(data[at : at + 4], "big")
    box = struct.pack(">I4s", 8 + len(content), name) + content
    data = data[:end] + box + data[end:]
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        start = data.index(parent, data.index(b"moov")) - 4
        size = int.from_bytes(data[start : start + 4], "big") + len(box)
        data = data[:start] + struct.pack(">I", size) + data[start + 4 :]
    path.write_bytes(data)


def notes(path: Path) -> tuple[str, ...]:
    passed = VideoPass(str(path), SPEC, IndexSettings(detector="content"), fingerprint="f")
    assert list(passed)
    return passed.notes


@pytest.mark.parametrize(
    ("name", "profile", "compatible", "expected"),
    [
        (b"dvcC", 5, 0, True),
        (b"dvvC", 8, 1, False),  # HDR10
        (b"dvvC", 8, 4, False),  # HLG, of phones
        (b"dvvC", 10, 0, True),  # AV1
        (b"dvvC", 10, 1, False),
        (b"dvcC", 7, 6, False),
        (b"free", 5, 0, False),
    ],
)
def test_mp4_files_without_a_compatible_base_layer_are_noted(
    tmp_path: Path, name: bytes, profile: int, compatible: int, expected: bool
) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 5)])
    assert notes(path) == ()
    with_record(path, name, record(profile, compatible))
    assert [("profile 5" in note and "cannot be shown right" in note) for note in notes(path)] == [True] * expected


@pytest.mark.parametrize(("profile", "compatible", "expected"), [(5, 0, True), (8, 1, False)])
def test_matroska_files_too(tmp_path: Path, profile: int, compatible: int, expected: bool) -> None:
    path = tmp_path / "a.mkv"
    mapping = b"\x41\xf0\x81\x04" + b"\x41\xe7\x84dvcC" + b"\x41\xed\x98" + record(profile, compatible)
    path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(100) + b"\x41\xe4" + bytes([0x80 | len(mapping)]) + mapping)
    assert has_own_colours(str(path), "matroska,webm") is expected


def test_other_and_damaged_files_are_not_noted(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [("red", 5)])
    assert notes(path) == ()
    short = tmp_path / "short.mp4"
    short.write_bytes(b"\0\0\0\x10moov\0\0\0\x08trak")
    assert not has_own_colours(str(short), "mov,mp4,m4a,3gp,3g2,mj2")
    assert not has_own_colours(str(short), "mpegts")
