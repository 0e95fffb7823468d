"""Small videos made on the spot: known pictures at known times, in any container that PyAV can write.

`from synthetic import make_video`: the shortest use is make_video(path, [("red", 20), ("blue", 20)]).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Pattern = str | tuple[int, int, int] | Callable[[int], Pixels]

COLOURS = {
    "black": (0, 0, 0),
    "white": (235, 235, 235),
    "grey": (128, 128, 128),
    "red": (200, 30, 30),
    "green": (30, 160, 40),
    "blue": (30, 40, 200),
    "yellow": (210, 200, 40),
    "purple": (140, 40, 160),
    "cyan": (40, 190, 190),
    "orange": (230, 130, 20),
}


def picture(pattern: Pattern, index: int, size: tuple[int, int]) -> Pixels:
    """Frame `index` of a shot, (h, w, 3) RGB: a colour with a lighter block that wanders, or what the function draws.

    "noise" is new noise in each frame, "ramp" a grey that is 8 levels lighter in each frame, "halves" red above blue.
    """
    width, height = size
    if callable(pattern):
        return pattern(index)
    if pattern == "noise":
        return np.random.default_rng(index).integers(0, 256, (height, width, 3), np.uint8)
    if pattern == "ramp":
        return np.full((height, width, 3), index * 8 % 256, np.uint8)
    if pattern == "halves":
        drawn = np.empty((height, width, 3), np.uint8)
        drawn[: height // 2], drawn[height // 2 :] = COLOURS["red"], COLOURS["blue"]
        return drawn
    colour = COLOURS[pattern] if isinstance(pattern, str) else pattern
    drawn = np.empty((height, width, 3), np.uint8)
    drawn[:] = colour
    side = max(1, height // 6)
    left = index * 2 % max(1, width - side)
    drawn[height // 2 : height // 2 + side, left : left + side] = [min(255, part + 40) for part in colour]
    return drawn


def make_video(
    path: str | os.PathLike[str],
    shots: Sequence[tuple[Pattern, int]] = (("red", 25),),
    *,
    rate: Fraction | int = 25,
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pix_fmt: str | None = "yuv420p",
    options: Mapping[str, str] | None = None,
    container: str | None = None,
    container_options: Mapping[str, str] | None = None,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    sample_aspect: Fraction | None = None,
    audio_seconds: float = 0.0,
) -> Path:
    """Write a video with hard cuts between `shots`, (pattern, frames) each, of `size` (width, height).

    times: pts of each frame in units of `time_base`, for variable frame rate; by default one frame follows another at
    `rate`. rotation: degrees clockwise that a player is asked for. audio_seconds: length of a sound track (a tone).
    """
    target = os.fspath(path)
    every = [(pattern, index) for pattern, count in shots for index in range(count)]
    base = time_base or 1 / Fraction(rate)
    encoder_options = {"preset": "ultrafast", "crf": "12", "threads": "1"} if codec == "libx264" else {}
    with av.open(target, "w", format=container, options=dict(container_options or {})) as out:
        stream = cast(Any, out.add_stream(codec, rate=rate, options={**encoder_options, **(options or {})}))
        stream.width, stream.height = size
        if pix_fmt:
            stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = base
        if sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if rotation or mirrored:
            stream.set_display_rotation(-rotation, hflip=mirrored)
        sound = cast(Any, out.add_stream("aac", rate=16000)) if audio_seconds else None
        for number, (pattern, index) in enumerate(every):
            frame = VideoFrame.from_ndarray(picture(pattern, index, size), format="rgb24")
            frame.pts, frame.time_base = number if times is None else times[number], base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None:
            _add_tone(out, sound, audio_seconds)
    return Path(target)


def make_audio(path: str | os.PathLike[str], seconds: float = 1.0, *, cover: Pixels | None = None) -> Path:
    """A sound file; `cover` adds a picture of the album, as music players do."""
    with av.open(os.fspath(path), "w") as out:
        sound = cast(Any, out.add_stream("aac", rate=16000))
        art = None
        if cover is not None:
            art = cast(Any, out.add_stream("mjpeg", rate=1))
            art.height, art.width = cover.shape[:2]
            art.pix_fmt = "yuvj420p"
            art.disposition = av.stream.Disposition.attached_pic
            out.mux(art.encode(VideoFrame.from_ndarray(cover, format="rgb24")))
            out.mux(art.encode(None))
        _add_tone(out, sound, seconds)
    return Path(path)


def _add_tone(out: Any, stream: Any, seconds: float) -> None:
    for start in range(0, int(seconds * 16000), 1024):
        wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(start, start + 1024) / 16000)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, start
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
