"""Videos for measurements of decoding: real footage or a drawn world, cut into shots, with grain, in the usual codecs.

A short piece of each is encoded once and lengthened by copying packets: decoding costs the same, and making the videos
takes a minute or two. They are kept in a folder and reused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.video.frame import VideoFrame

if TYPE_CHECKING:
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

RATE = 25
SHOT_SECONDS = (2.4, 6.0, 3.6)  # in turn: 4 on average, as films have
GRAIN = 3.0  # standard deviation of what a camera adds, in 8-bit levels of luma


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The recipe of a video: `seconds` are encoded, and repeated `times` times."""

    name: str
    width: int
    height: int
    codec: str
    options: tuple[tuple[str, str], ...]
    seconds: float
    times: int


RECIPES = (
    Recipe(
        name="1080p H.264",
        width=1920,
        height=1080,
        codec="libx264",
        options=(("preset", "fast"), ("crf", "22"), ("g", "125")),
        seconds=12,
        times=2,
    ),
    Recipe(
        name="1080p HEVC",
        width=1920,
        height=1080,
        codec="libx265",
        options=(("preset", "veryfast"), ("crf", "25"), ("x265-params", "bframes=4:open-gop=0:keyint=125:log-level=1")),
        seconds=12,
        times=2,
    ),
    Recipe(
        name="720p VP9",
        width=1280,
        height=720,
        codec="libvpx-vp9",
        options=(("deadline", "good"), ("cpu-used", "6"), ("crf", "33"), ("b", "0"), ("row-mt", "1"), ("g", "125")),
        seconds=12,
        times=3,
    ),
    Recipe(
        name="4K H.264",
        width=3840,
        height=2160,
        codec="libx264",
        options=(("preset", "veryfast"), ("bf", "3"), ("crf", "24"), ("g", "100")),
        seconds=8.4,
        times=2,
    ),
)


WARM_UP = Recipe(
    name="small", width=320, height=180, codec="libx264", options=(("preset", "ultrafast"),), seconds=3, times=1
)
"""For what is to be done once before anything is measured."""


def encoded(recipe: Recipe, cache: Path, footage: Path | None) -> Path:
    """Return the video of a recipe, made if it is not cached. footage: a folder of videos to take pictures from."""
    source = "drawn" if footage is None else footage.name
    suffix = ".webm" if "vp9" in recipe.codec else ".mp4"
    path = cache / f"{recipe.name.replace(' ', '_').replace('.', '')}_{source}{suffix}"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    piece, whole = path.with_suffix(".piece" + suffix), path.with_suffix(".part" + suffix)
    _encode(recipe, piece, footage)
    _repeat(piece, whole, recipe.times)
    piece.unlink()
    os.replace(whole, path)
    return path


def _encode(recipe: Recipe, path: Path, footage: Path | None) -> None:
    shots = _filmed(recipe, footage) if footage is not None else _drawn(recipe)
    with av.open(str(path), "w") as container:
        stream = cast("VideoStream", container.add_stream(recipe.codec, rate=RATE, options=dict(recipe.options)))
        stream.width, stream.height, stream.pix_fmt = recipe.width, recipe.height, "yuv420p"
        for number, picture in enumerate(_grained(shots, round(recipe.seconds * RATE))):
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _repeat(piece: Path, path: Path, times: int) -> None:
    with av.open(str(path), "w") as out:
        stream = None
        moved = 0
        for _ in range(times):
            with av.open(str(piece)) as source:
                end = 0
                for packet in source.demux(source.streams.video[0]):
                    if packet.dts is None or packet.pts is None:
                        continue
                    if stream is None:
                        stream = out.add_stream_from_template(source.streams.video[0])
                    step = round(1 / (RATE * cast("Fraction", packet.time_base)))
                    end = max(end, packet.pts + step)
                    packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
                    packet.stream = stream
                    out.mux(packet)
                moved += end


def _shot_lengths(recipe: Recipe) -> Iterator[int]:
    while True:
        yield from (round(seconds * RATE) for seconds in SHOT_SECONDS)


def _filmed(recipe: Recipe, footage: Path) -> Iterator[VideoFrame]:
    """Yield pieces of the videos in a folder, in turn, scaled to size."""
    files = sorted(path for path in footage.iterdir() if path.is_file())
    place = 0
    for count in _shot_lengths(recipe):
        given = 0
        while not given:
            if not files:
                raise SystemExit(f"{footage} holds no video that can be decoded")
            file = files[place % len(files)]
            try:
                with av.open(str(file)) as container:
                    for picture in container.decode(video=0):
                        yield picture.reformat(recipe.width, recipe.height, "yuv420p", interpolation="BICUBIC")
                        given += 1
                        if given == count:
                            break
            except (av.error.FFmpegError, IndexError):
                pass
            if given:
                place += 1
            else:
                files.remove(file)


def _drawn(recipe: Recipe) -> Iterator[VideoFrame]:
    """Yield shots of cloudy landscapes under a moving camera, with things that move on their own."""
    import cv2

    chance = np.random.default_rng(7)
    width, height = recipe.width, recipe.height
    for count in _shot_lengths(recipe):
        world = _clouds(chance, width * 5 // 4, height * 5 // 4)
        things = [
            (_clouds(chance, size, size), chance.uniform(0, 1, 2), chance.normal(0, 0.15, 2))
            for size in chance.integers(height // 10, height // 3, 5)
        ]
        start, way = chance.uniform(0, 0.2, 2), chance.normal(0, 0.04, 2)
        for number in range(count):
            seconds = number / RATE
            left, top = np.clip(start + way * seconds, 0, 0.2) * (width, height)
            shift = np.array([[1, 0, -left], [0, 1, -top]], np.float32)
            view = cv2.warpAffine(world, shift, (width, height), flags=cv2.INTER_LINEAR)
            for picture, at, speed in things:
                size = len(picture)
                x, y = ((at + speed * seconds) % 1 * (width - size, height - size)).astype(int)
                view[y : y + size, x : x + size] = picture
            yield VideoFrame.from_ndarray(view, format="rgb24").reformat(format="yuv420p")


def _clouds(chance: np.random.Generator, width: int, height: int) -> Pixels:
    """Return a picture, (h, w, 3) RGB, with the spectrum of a natural one: equal power in every octave."""
    import cv2

    total = np.zeros((height, width, 3), np.float32)
    size = 4
    while size < max(width, height) // 2:
        octave = chance.standard_normal((size, size, 3), np.float32) * np.float32(30 / size**0.3)
        total += cv2.resize(octave, (width, height), interpolation=cv2.INTER_LINEAR)
        size *= 2
    total += chance.uniform(60, 190, 3).astype(np.float32)
    return cv2.convertScaleAbs(np.maximum(total, 0, out=total))


def _grained(pictures: Iterator[VideoFrame], count: int) -> Iterator[VideoFrame]:
    chance = np.random.default_rng(11)
    grain: NDArray[np.int16] | None = None
    for _, picture in zip(range(count), pictures, strict=False):
        planes = picture.to_ndarray()  # luma first, then chroma, as rows of the same width
        height, width = picture.height, picture.width
        if grain is None:
            grain = chance.normal(0, GRAIN, (height + 64, width + 64)).round().astype(np.int16)
        top, left = chance.integers(64, size=2)
        luma = planes[:height] + grain[top : top + height, left : left + width]
        planes[:height] = np.clip(luma, 0, 255).astype(np.uint8)
        yield VideoFrame.from_ndarray(planes, format="yuv420p")
