"""Videos whose every frame says its number, in blocks that survive any codec, with a flash and a click each second."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, BLOCK = 96, 64, 16
SOUND_RATE = 48_000


@dataclass(frozen=True)
class Shown:
    """One frame of a file as a player shows it: upright, `seconds` from the first one."""

    number: int
    seconds: Fraction
    flash: bool
    pixels: NDArray[np.uint8]


def picture(number: int, *, flash: bool, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): twelve bits in two rows of blocks, a row that drifts, and a row that flashes."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for bit in range(12):
        y, x = BLOCK * (bit // 6), BLOCK * (bit % 6)
        pixels[y : y + BLOCK, x : x + BLOCK] = 230 if number >> bit & 1 else 25
    pixels[2 * BLOCK : 3 * BLOCK] = (np.arange(width)[None, :, None] * 2 + 3 * number) % 160 + 40
    pixels[3 * BLOCK :] = 235 if flash else 20
    return pixels


def number_of(pixels: NDArray[np.uint8]) -> int:
    """The number in a picture. Fails where a block is neither light nor dark: then it is a mixture of two frames."""
    value = 0
    for bit in range(12):
        y, x = BLOCK * (bit // 6) + 4, BLOCK * (bit % 6) + 4
        level = float(pixels[y : y + 8, x : x + 8].mean())
        assert level < 90 or level > 165, f"bit {bit} cannot be read: {level}"
        value |= (level > 128) << bit
    return value


def write(
    path: Path,
    times: Sequence[int],
    time_base: Fraction,
    *,
    rate: Fraction = Fraction(25),
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    sound: str | None = None,
    pixels: str = "yuv420p",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    gop: int = 12,
) -> Path:
    """A video of one frame a time in `times` (pts in `time_base`); frames at or past a whole second first flash.

    sound: a codec; clicks stand exactly where the flashes are, and at second 0 is one of each.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.gop_size = gop
        stream.options = options or {}
        voice: Any = container.add_stream(sound, rate=SOUND_RATE, layout="mono") if sound else None
        flashes = flash_numbers(times, time_base)
        for number, pts in enumerate(times):
            frame = av.VideoFrame.from_ndarray(
                picture(number, flash=number in flashes, width=size[0], height=size[1]), format="rgb24"
            )
            frame.pts, frame.time_base = pts, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            seconds = float((times[-1] + (times[-1] - times[-2]) - times[0]) * time_base)
            samples = np.zeros(round(seconds * SOUND_RATE), np.float32)
            for number in flashes:
                at = round(float((times[number] - times[0]) * time_base) * SOUND_RATE)
                samples[at : at + 240] = 0.9 * np.sin(np.arange(len(samples[at : at + 240])) * 2 * np.pi / 24)
            for start in range(0, len(samples), 1024):
                part = av.AudioFrame.from_ndarray(
                    (samples[None, start : start + 1024] * 32767).astype(np.int16), format="s16", layout="mono"
                )
                part.pts = round(float(times[0] * time_base) * SOUND_RATE) + start
                part.time_base, part.sample_rate = Fraction(1, SOUND_RATE), SOUND_RATE
                container.mux(voice.encode(part))
            container.mux(voice.encode(None))
    return path


def flash_numbers(times: Sequence[int], time_base: Fraction) -> set[int]:
    """The first frame of each second, counted from the first frame."""
    seconds = [(pts - times[0]) * time_base // 1 for pts in times]
    return {number for number, second in enumerate(seconds) if number == 0 or second != seconds[number - 1]}


def constant(count: int, rate: Fraction) -> tuple[list[int], Fraction]:
    """Times of a constant frame rate, one unit a frame."""
    return list(range(count)), 1 / rate


def shown(path: str | Path) -> list[Shown]:
    """Every frame as shown. Rotation is applied as the container asks."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        found: list[Shown] = []
        first = None
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert stream.time_base is not None
            first = frame.pts if first is None else first
            pixels = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4)
            found.append(
                Shown(
                    number=number_of(pixels),
                    seconds=(frame.pts - first) * Fraction(stream.time_base),
                    flash=float(pixels[3 * BLOCK : 4 * BLOCK].mean()) > 128,
                    pixels=pixels,
                )
            )
        return found


def clicks(path: str | Path) -> list[float]:
    """When clicks begin, in seconds from the first frame shown."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        first = next(frame for frame in container.decode(stream))
        assert first.pts is not None
        assert stream.time_base is not None
        zero = float(first.pts * stream.time_base)
    found: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            assert frame.pts is not None
            assert frame.time_base is not None
            signal = frame.to_ndarray().astype(np.float64)
            signal = signal.reshape(-1) if frame.format.is_packed else signal[0]
            loud = np.flatnonzero(np.abs(signal) > (0.3 if frame.format.name.startswith("flt") else 0.3 * 32767))
            for at in loud:
                moment = float(frame.pts * frame.time_base) + at / frame.sample_rate - zero
                if not found or moment - found[-1] > 0.3:
                    found.append(moment)
    return found


def sound_seconds(path: str | Path) -> tuple[float, float]:
    """When the sound begins and ends, in the container's own time. Fails where its parts do not follow each other."""
    spans: list[tuple[float, float]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            assert frame.pts is not None
            assert frame.time_base is not None
            start = float(frame.pts * frame.time_base)
            assert not spans or abs(start - spans[-1][1]) < 1e-4, f"a gap in the sound at {start}"
            spans.append((start, start + frame.samples / frame.sample_rate))
    return spans[0][0], spans[-1][1]


def ffmpeg(*arguments: str) -> None:
    """Run the packaged ffmpeg, for what PyAV cannot make."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-hide_banner", "-nostdin", "-y", "-loglevel", "error", *arguments], check=True)
