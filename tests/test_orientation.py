"""Orientation and unknown side data: a frame is read whatever its decoder attaches to it."""

from __future__ import annotations

import io
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray
from PIL import Image
from synthetic import COLOURS, make_video

from app.exporting.survey import survey_range
from encoder import ClipSpec
from indexer.media.clip import read_clip
from indexer.media.decode import Decoding
from indexer.media.orientation import Orientation, display_matrix
from indexer.media.probe import open_source
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

ORIENTATION, DESCRIPTION = 0x0112, 0x010E  # EXIF tags


def jpeg_avi(path: Path, orientation: int) -> Path:
    """Write an AVI of five JPEGs with EXIF, bright at their top left as stored; FFmpeg attaches the EXIF to frames."""
    pixels: NDArray[np.uint8] = np.full((48, 64, 3), 30, np.uint8)
    pixels[:24, :32] = COLOURS["white"]
    exif = Image.Exif()
    exif[ORIENTATION], exif[DESCRIPTION] = orientation, "a camera"
    jpeg = io.BytesIO()
    Image.fromarray(pixels).save(jpeg, "JPEG", quality=95, exif=exif)
    with av.open(str(path), "w", format="avi") as out:
        stream = out.add_stream("mjpeg", rate=10, width=64, height=48, pix_fmt="yuvj420p")
        for number in range(5):
            packet = Packet(jpeg.getvalue())
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 10), True
            packet.pts = packet.dts = number
            out.mux(packet)
    return path


def first_picture(path: Path) -> av.VideoFrame:
    with open_source(str(path)) as source:
        return next(iter(Decoding(source))).picture


@pytest.mark.parametrize(
    ("exif", "expected", "corner"),
    [
        (1, Orientation(), (0, 0)),
        (2, Orientation(mirrored=True), (0, 1)),
        (3, Orientation(2), (1, 1)),
        (6, Orientation(3), (0, 1)),
        (7, Orientation(3, mirrored=True), (1, 1)),
    ],
)
def test_a_frame_with_side_data_of_an_unknown_type_is_turned_as_it_says(
    tmp_path: Path, exif: int, expected: Orientation, corner: tuple[int, int]
) -> None:
    path = jpeg_avi(tmp_path / "jpegs.avi", exif)
    with pytest.raises(ValueError, match="is not a valid Type"):  # otherwise this test shows nothing
        _ = first_picture(path).side_data
    assert Orientation.of(first_picture(path)) == expected
    quarters = read_clip(str(path), ClipSpec(1, 64))[0].mean(axis=2).reshape(2, 32, 2, 32).mean(axis=(1, 3))
    assert np.unravel_index(quarters.argmax(), (2, 2)) == corner


def test_a_file_with_unknown_side_data_is_indexed_and_surveyed(tmp_path: Path) -> None:
    path = str(jpeg_avi(tmp_path / "jpegs.avi", 6))
    passed = VideoPass(path, ClipSpec(2, 32), IndexSettings(detector="content"), fingerprint="f")
    assert len(list(passed)) == 1
    assert (passed.video.width, passed.video.height, passed.video.rotation, passed.video.frames) == (48, 64, 90, 5)
    assert survey_range(path, Fraction(0), Fraction(1)).display_matrix == display_matrix(first_picture(Path(path)))


def test_a_frame_whose_matrix_was_looked_at_is_freed_with_its_last_reference(tmp_path: Path) -> None:
    """Otherwise it would hold its decoder's frames until the garbage collector comes: 700 MB after a few clips."""
    picture = first_picture(make_video(tmp_path / "a.mp4", [("red", 5)]))
    before = sys.getrefcount(picture)
    display_matrix(picture)
    assert sys.getrefcount(picture) == before
