"""Poster and preview of a segment: a picture worth looking at, and a video that any browser plays."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image
from synthetic import picture

from indexer.media import preview
from indexer.media.colour_tags import BT709
from indexer.media.preview import choose_poster, encode_poster, encode_preview, evenly_spaced, preview_rate

SIZE = (96, 54)


def planes(pixels: NDArray[np.uint8]) -> VideoFrame:
    return VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")


def test_the_middle_is_the_poster_unless_it_is_flat() -> None:
    assert choose_poster([50.0, 49.0, 48.0, 70.0, 60.0]) == 2
    assert choose_poster([50.0, 0.0, 0.0]) == 0
    assert choose_poster([1.0, 2.0, 70.0]) == 2
    assert choose_poster([0.0, 0.0]) == 1


def test_a_poster_is_a_jpeg_of_the_picture() -> None:
    image = Image.open(io.BytesIO(encode_poster(picture("halves", 0, SIZE))))
    assert (image.format, image.size) == ("JPEG", SIZE)
    assert np.abs(np.asarray(image).astype(int) - picture("halves", 0, SIZE)).mean() < 4


@pytest.mark.parametrize("count", [1, 2, 32, 300])
def test_a_preview_plays_in_a_browser_while_it_loads(count: int) -> None:
    data = encode_preview([planes(picture("ramp", k % 30, SIZE)) for k in range(count)], Fraction(8), BT709)
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert not container.streams.audio
        greys = [float(frame.to_ndarray(format="gray").mean()) for frame in container.decode(stream)]
        assert container.duration == pytest.approx(count / 8 * 1_000_000, rel=0.02)
    assert len(greys) == count
    if 1 < count <= 30:
        assert greys == sorted(greys)


def test_without_h264_the_next_codec_is_taken_and_without_any_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [planes(picture("ramp", k, SIZE)) for k in range(10)]
    for kept, decoder in (("libvpx-vp9", "vp9"), ("mpeg4", "mpeg4")):
        only = tuple(entry for entry in preview._PREVIEW_CODECS if entry[0] == kept)
        monkeypatch.setattr(preview, "_PREVIEW_CODECS", (("no-such-encoder", {}), *only))
        with av.open(io.BytesIO(encode_preview(pictures, Fraction(8), BT709))) as container:
            assert decoder in container.streams.video[0].codec_context.name
            assert len(list(container.decode(video=0))) == 10
        monkeypatch.undo()
    monkeypatch.setattr(preview, "_PREVIEW_CODECS", (("no-such-encoder", {}),))
    with pytest.raises(RuntimeError, match="install PyAV"):
        encode_preview(pictures, Fraction(8), BT709)


def test_previews_run_at_their_own_speed_or_are_shortened() -> None:
    assert preview_rate(16, 2.0, longest=4.0, usual=8) == 8
    assert preview_rate(5, 0.2, longest=4.0, usual=8) == 25
    assert preview_rate(32, 8.0, longest=4.0, usual=8) == 8
    assert preview_rate(1, 0.0, longest=4.0, usual=8) == 60
    assert preview_rate(1, 3.9, longest=4.0, usual=8) == 1


@pytest.mark.parametrize(("count", "most"), [(1, 5), (5, 5), (7, 5), (100, 32)])
def test_spreading_takes_different_places_in_order(count: int, most: int) -> None:
    places = evenly_spaced(count, most)
    assert places == sorted(set(places))
    assert len(places) == min(count, most)
    assert places[0] == 0
    assert places[-1] < count
