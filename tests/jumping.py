"""Recordings joined byte by byte, whose clocks jump at the joins; a flash and a beep mark pictures and sound."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from app.exporting.ffmpeg_binary import find_ffmpeg

SECONDS = 2  # of each part: 50 frames
BEEP_AT = 1.0  # in each part: one white frame, and 0.1 s of sound


def make_part(path: Path, offset: float, codec: str = "libx264", audio: str = "mp2", *options: str) -> Path:
    """Write one recording whose clock begins at `offset` seconds; its encoders are those of FFmpeg."""
    picture = f"color=gray:s=64x48:r=25:d={SECONDS},drawbox=c=white:t=fill:enable='between(t,{BEEP_AT},{BEEP_AT}+.03)'"
    sound = f"sine=1000:d={SECONDS}:r=48000,volume=0:enable='not(between(t,{BEEP_AT},{BEEP_AT}+0.1))'"
    command = [find_ffmpeg(), "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    command += [
        "-c:v",
        codec,
        "-g",
        "12",
        "-bf",
        "2",
        "-q:v",
        "2",
        "-threads",
        "1",
        "-c:a",
        audio,
        "-metadata:s:a:0",
        "language=deu",
        *options,
    ]
    subprocess.run([*command, "-output_ts_offset", str(offset), os.fspath(path)], check=True)
    return path


def join(target: Path, offsets: Sequence[float], *arguments: str) -> Path:
    """Write `target`: one part for each offset, joined byte by byte."""
    parts = [make_part(target.with_name(f"part{offset}-{target.name}"), offset, *arguments) for offset in offsets]
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    for part in set(parts):
        part.unlink()
    return target


def flashes(path: Path) -> list[float]:
    """Return the times of the white frames in seconds, on the container's own clock."""
    with av.open(os.fspath(path)) as container:
        frames = [(frame.time, frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
    return [time for time, grey in frames if grey > 200]


def beeps(path: Path) -> list[float]:
    """Return the times at which sound begins in seconds, on the container's own clock."""
    found: list[float] = []
    last = -1.0
    with av.open(os.fspath(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float64)).reshape(-1)
            loud = np.flatnonzero(samples > 0.02 * (1 if samples.max() <= 1.5 else 32768))
            for index in loud[:1]:
                time = float(frame.time) + index / frame.sample_rate
                if time - last > 0.3:
                    found.append(time)
            if len(loud):
                last = float(frame.time) + loud[-1] / frame.sample_rate
    return found
