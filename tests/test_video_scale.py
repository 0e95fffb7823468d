"""From decoded frames to clip frames: turned, in true colours, made square as asked, near the reference."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image
from synthetic import COLOURS, make_video

from encoder import ClipSpec
from indexer.media.clip import read_clip
from indexer.media.decode import Decoding
from indexer.media.orientation import Orientation
from indexer.media.probe import open_source
from indexer.media.scale import Scaler, fit_within

Pixels = NDArray[np.uint8]


def smooth(width: int, height: int) -> Pixels:
    """A picture without edges, all different along both axes."""
    across = np.linspace(0, 255, width)[None, :, None] * np.array([1.0, 0.0, 0.5])
    down = np.linspace(0, 255, height)[:, None, None] * np.array([0.0, 1.0, 0.5])
    return (across + down).round().astype(np.uint8)


def squared(pixels: Pixels, fit: str, size: int = 64, aspect: Fraction = Fraction(1)) -> Pixels:
    frame = VideoFrame.from_ndarray(pixels, format="rgb24")
    scaler = Scaler(ClipSpec(1, size, fit), orientation=Orientation(), sample_aspect=aspect)  # type: ignore[arg-type]
    scaler.start(frame)
    return scaler.clip_frame(scaler.reduce(frame), coded_size=(frame.width, frame.height))


@pytest.mark.parametrize("size", [(640, 360), (96, 54), (2000, 1500)])
def test_stretch_is_near_pil_lanczos(size: tuple[int, int]) -> None:
    pixels = smooth(*size)
    expected = np.asarray(Image.fromarray(pixels).resize((64, 64), Image.Resampling.LANCZOS))
    assert np.abs(squared(pixels, "stretch").astype(int) - expected).max() <= 3


def test_crop_takes_the_middle_and_pad_shows_everything() -> None:
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[:, :35], pixels[:, 35:125], pixels[:, 125:] = COLOURS["red"], COLOURS["green"], COLOURS["blue"]
    cropped, padded = squared(pixels, "crop"), squared(pixels, "pad")
    assert np.abs(cropped[8:-8, 8:-8].astype(int) - COLOURS["green"]).max() <= 2
    assert padded[:13].max() == 0
    assert padded[-13:].max() == 0
    assert np.abs(padded[32, 5].astype(int) - COLOURS["red"]).max() <= 2
    assert np.abs(padded[32, 58].astype(int) - COLOURS["blue"]).max() <= 2


@pytest.mark.parametrize("size", [(2000, 16), (16, 2000)])
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_very_long_pictures_keep_their_middle(size: tuple[int, int], fit: str) -> None:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:] = COLOURS["red"]
    middle = (slice(None), slice(900, 1100)) if size[0] > size[1] else (slice(900, 1100), slice(None))
    pixels[middle] = COLOURS["green"]
    square = squared(pixels, fit)
    assert square.shape == (64, 64, 3)
    around = np.abs(square[31:33, 31:33].astype(int) - COLOURS["green"]).max(axis=2)
    assert around.min() <= 3  # where padded, the picture is one pixel thin


def test_pixels_that_are_not_square_count_in_crop() -> None:
    """90 x 90 pixels, each twice as wide as high: a wide picture, of which crop keeps the middle half."""
    pixels = np.zeros((90, 90, 3), np.uint8)
    pixels[:] = COLOURS["red"]
    pixels[:, 23:67] = COLOURS["green"]
    cropped = squared(pixels, "crop", aspect=Fraction(2))
    assert np.abs(cropped[:, 4:-4].astype(int) - COLOURS["green"]).max() <= 4


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_pictures_are_turned_as_the_container_asks(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    corner = np.full((48, 64, 3), 30, np.uint8)
    corner[:24, :32] = COLOURS["white"]  # top left as stored
    path = make_video(tmp_path / "turned.mp4", [(lambda _: corner, 3)], rotation=degrees, mirrored=mirrored)
    shown = read_clip(str(path), ClipSpec(1, 64))[0].mean(axis=2)
    turned = np.rot90(corner, -degrees // 90)  # clockwise
    expected = turned[:, ::-1] if mirrored else turned
    expected = np.asarray(Image.fromarray(np.ascontiguousarray(expected)).resize((64, 64))).mean(axis=2)
    bright = shown > 128
    assert (bright == (expected > 128)).mean() > 0.97


@pytest.mark.parametrize("name", ["red", "green", "blue", "grey", "yellow"])
@pytest.mark.parametrize(("matrix", "matrix_name"), [(1, "bt709"), (6, "smpte170m"), (None, "unnamed")])
@pytest.mark.parametrize("full", [False, True])
def test_colours_survive_matrix_and_range(
    tmp_path: Path, name: str, matrix: int | None, matrix_name: str, full: bool
) -> None:
    """YUV made by the textbook from a known colour, stored losslessly with its tags: the colour must come back."""
    red, green, blue = (part / 255 for part in COLOURS[name])
    kr, kb = (0.2126, 0.0722) if matrix == 1 else (0.299, 0.114)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = [(blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))]
    low, span, chroma_span = (0, 255, 255) if full else (16, 219, 224)
    planes = [low + span * luma, *(128 + chroma_span * part for part in chroma)]
    import av

    path = tmp_path / "colour.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        stream.codec_context.color_range = 2 if full else 1
        if matrix is not None:
            stream.codec_context.colorspace = matrix
        frame = VideoFrame(64, 48, "yuv444p")
        frame.color_range = 2 if full else 1
        if matrix is not None:
            frame.colorspace = matrix
        for plane, value in zip(frame.planes, planes, strict=True):
            plane.update(bytes([round(value)]) * plane.buffer_size)
        frame.pts = 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    colour = read_clip(str(path), ClipSpec(1, 32))[0].reshape(-1, 3).mean(axis=0)
    assert np.abs(colour - np.array(COLOURS[name])).max() < 3


def test_sizes_for_show_are_even_and_never_larger() -> None:
    assert fit_within(1920, 1080, 480) == (480, 270)
    assert fit_within(101, 57, 320) == (100, 56)
    assert fit_within(16, 2000, 480) == (4, 480)
    assert fit_within(1, 1, 480) == (2, 2)


def test_shown_pictures_have_the_true_shape(tmp_path: Path) -> None:
    frame = VideoFrame.from_ndarray(smooth(720, 576), format="rgb24")
    scaler = Scaler(ClipSpec(1, 32), orientation=Orientation(quarter_turns=1), sample_aspect=Fraction(64, 45))
    scaler.start(frame)
    assert scaler.shown_size(720, 576) == (576, 1024)
    assert scaler.shown(scaler.reduce(frame), 320).shape == (320, 180, 3)


def test_frames_that_change_size_midway_stay_of_one_size() -> None:
    scaler = Scaler(ClipSpec(1, 32), orientation=Orientation(), sample_aspect=Fraction(1))
    sizes = [(640, 360), (1280, 720), (320, 240)]
    frames = [VideoFrame.from_ndarray(smooth(*size), format="rgb24") for size in sizes]
    scaler.start(frames[0])
    for frame, size in zip(frames, sizes, strict=True):
        reduced = scaler.reduce(frame)
        assert scaler.plane(reduced, 256).shape == (144, 256, 3)
        assert scaler.shown(reduced, 320).shape == (180, 320, 3)
        assert scaler.clip_frame(reduced, coded_size=size).shape == (32, 32, 3)


@pytest.mark.parametrize(("size", "plane"), [((2000, 2), (1, 128)), ((2, 2000), (128, 1)), ((64, 48), (48, 64))])
def test_planes_of_pictures_of_any_shape_have_pixels_and_are_not_enlarged(
    size: tuple[int, int], plane: tuple[int, int]
) -> None:
    frame = VideoFrame.from_ndarray(smooth(*size), format="rgb24")
    scaler = Scaler(ClipSpec(1, 32), orientation=Orientation(), sample_aspect=Fraction(1))
    with pytest.raises(RuntimeError, match="first frame"):
        scaler.plane(frame, 128)
    scaler.start(frame)
    assert scaler.plane(frame, 128).shape == (*plane, 3)


@pytest.mark.parametrize(
    ("size", "fit", "reduced"),
    [
        ((768, 768), "stretch", (768, 768)),  # at most half as large again as the 512 needed: not worth it
        ((770, 768), "stretch", (512, 768)),
        ((768, 770), "stretch", (768, 512)),
        ((2000, 1000), "pad", (512, 512)),
        ((3000, 1000), "crop", (1536, 1000)),  # the square cut from it is 512 wide
        ((3000, 1000), "stretch", (512, 512)),
        ((9000, 1000), "crop", (2048, 1000)),  # of a longer picture, four squares are enough
    ],
)
def test_pictures_that_cannot_be_halved_are_reduced_if_it_is_worth_it(
    size: tuple[int, int], fit: str, reduced: tuple[int, int]
) -> None:
    frame = VideoFrame.from_ndarray(np.zeros((size[1], size[0], 3), np.uint8), format="rgb24")
    scaler = Scaler(ClipSpec(1, 32, fit), orientation=Orientation(), sample_aspect=Fraction(1))  # type: ignore[arg-type]
    scaler.start(frame)
    made = scaler.reduce(frame)
    assert (made.width, made.height) == reduced


@pytest.mark.parametrize("size", [(512, 512), (960, 540), (1920, 1080)])
def test_decoded_frames_stay_near_the_reference_preprocessing(tmp_path: Path, size: tuple[int, int]) -> None:
    """The reference converts to RGB at full size, then takes PIL's Lanczos. On this picture, full of detail: mean up to
    1.4, 99th percentile 4, largest 8; bicubic 1.7 / 6 / 11, Lanczos without full chroma 1.8 / 8 / 20, area
    2.9 / 10 / 17, fast bilinear 10 / 46 / 90: any other scaler fails."""
    rng = np.random.default_rng(2)
    cubic = Image.Resampling.BICUBIC
    light = np.asarray(Image.fromarray(rng.integers(0, 255, (150, 150), np.uint8)).resize(size, cubic)).astype(int)
    tint = np.asarray(Image.fromarray(rng.integers(60, 196, (24, 24, 3), np.uint8)).resize(size, cubic)).astype(int)
    drawn = np.clip(tint + light[..., None] // 2 - 64, 0, 255).astype(np.uint8)
    path = make_video(tmp_path / "drawn.mp4", [(lambda _: drawn, 1)], size=size)
    with open_source(str(path)) as source:
        frame = next(iter(Decoding(source)))
        rgb = frame.picture.to_ndarray(format="rgb24")
        expected = np.asarray(Image.fromarray(rgb).resize((288, 288), Image.Resampling.LANCZOS)).astype(int)
    distance = np.abs(read_clip(str(path), ClipSpec(1, 288))[0] - expected)
    assert distance.mean() < 1.5
    assert np.percentile(distance, 99) <= 4
    assert distance.max() <= 9
