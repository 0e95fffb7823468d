"""Spherical video (360 degrees): shown as the flat picture that it is stored as; clips stay spherical."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from synthetic import make_video

from app.exporting.clip_writer import write_clips
from app.exporting.request import ClipRequest, ExportMode
from encoder import ClipSpec
from indexer.media.orientation import is_spherical
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

SETTINGS = IndexSettings(detector="adaptive")
_XML = b"""<rdf:SphericalVideo xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">
<GSpherical:Spherical>true</GSpherical:Spherical><GSpherical:Stitched>true</GSpherical:Stitched>
<GSpherical:StitchingSoftware>any</GSpherical:StitchingSoftware>
<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType></rdf:SphericalVideo>"""
_UUID = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")


def spherical(path: Path) -> Path:
    """A video with a box of Google's specification, as cameras write it, at the end of its track."""
    make_video(path, [("red", 40)], size=(96, 48), options={"g": "8"})
    content = bytearray(path.read_bytes())
    box = struct.pack(">I4s", 24 + len(_XML), b"uuid") + _UUID + _XML
    movie, track = (content.rindex(name) - 4 for name in (b"moov", b"trak"))
    end = track + struct.unpack_from(">I", content, track)[0]
    for at in (movie, track):
        struct.pack_into(">I", content, at, struct.unpack_from(">I", content, at)[0] + len(box))
    content[end:end] = box
    path.write_bytes(content)
    return path


def says_so(path: str | Path | None) -> bool:
    with av.open(str(path)) as container:
        return is_spherical(next(container.decode(video=0)))


@pytest.mark.parametrize("mode", ["exact", "smart", "copy"])
def test_clips_stay_spherical(mode: ExportMode, tmp_path: Path) -> None:
    source = spherical(tmp_path / "s.mp4")
    assert says_so(source)
    request = ClipRequest(path=str(source), start_seconds=Fraction(1, 5), end_seconds=Fraction(1))
    (clip,) = write_clips([request], tmp_path / "clips", mode)
    assert clip.error is None
    assert says_so(clip.file)
    assert (clip.note is not None and "spherical" in clip.note) == (mode == "smart")


def test_a_spherical_video_is_indexed_as_it_is_stored(tmp_path: Path) -> None:
    reading = VideoPass(str(spherical(tmp_path / "s.mp4")), ClipSpec(2, 16), SETTINGS, fingerprint="f")
    assert len(list(reading)) == 1
    assert (reading.video.width, reading.video.height) == (96, 48)
