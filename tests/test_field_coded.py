"""Field-coded H.264, whose packets may be fields: frames, times, rates and clips are those of frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from field_coded import write_field_coded
from interlaced import Order, comb, fields_of
from numbered import ffmpeg

from app.exporting.clip_writer import write_clips
from app.exporting.request import ClipRequest, ExportMode
from encoder import ClipSpec
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

FIRST, END = 5, 25


def field_coded(name: str, folder: Path, order: Order = "tff") -> Path:
    """A file of that name; in `copied.*`, as ffmpeg copies transport streams, each field is a packet with a time."""
    if not name.startswith("copied"):
        return write_field_coded(folder / name, order=order)
    stream = write_field_coded(folder / "stream.ts", order=order)
    ffmpeg("-i", str(stream), "-c", "copy", str(folder / name))
    return folder / name


@pytest.mark.parametrize("name", ["s.ts", "s.mp4", "copied.mp4", "copied.mkv"])
@pytest.mark.parametrize("decode", ["all", "reference"])
def test_frames_are_counted_not_fields(name: str, decode: str, tmp_path: Path) -> None:
    source = field_coded(name, tmp_path, "bff")
    settings = IndexSettings(detector="adaptive", decode="reference" if decode == "reference" else "all")
    reading = VideoPass(str(source), ClipSpec(4, 64), settings, fingerprint="f")
    (segment,) = list(reading)
    video = reading.video
    assert (video.frames, video.frame_rate, video.damaged) == (30, 25, 0)
    assert (video.end_pts - video.start_pts) * video.time_base == Fraction(6, 5)
    assert video.facts is not None
    assert (video.facts.nominal_rate, video.facts.field_order) == (25, "bff")
    assert video.kinds == {"interlaced"}
    assert max(comb(picture.mean(axis=-1)) for picture in segment.clip) < 0.9


@pytest.mark.parametrize("name", ["s.ts", "s.mp4", "copied.mp4", "copied.mkv"])
@pytest.mark.parametrize("mode", ["exact", "smart"])
def test_clips_have_the_frames_of_the_range_as_two_fields_each(name: str, mode: ExportMode, tmp_path: Path) -> None:
    source = field_coded(name, tmp_path)
    request = ClipRequest(path=str(source), start_seconds=Fraction(FIRST, 25), end_seconds=Fraction(END, 25))
    (clip,) = write_clips([request], tmp_path / "clips", mode)
    assert clip.error is None
    assert fields_of(clip.file or "") == "T" * (END - FIRST)
    assert (clip.copied_frames > 12) == (mode == "smart")
    pictures = []
    for file in (source, clip.file):
        with av.open(str(file)) as container:
            pictures.append(np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)]))
    assert np.abs(pictures[0][FIRST:END].astype(int) - pictures[1]).mean(axis=(1, 2)).max() < 2
