"""Small interlaced videos, whose fields were taken one after the other: a bright bar moves over a still pattern."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Literal

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

SIZE = 96, 64
"""(width, height) of the frames, unless another is asked for."""
Order = Literal["tff", "bff"]

FIELDS = ("-flags", "+ildct+ilme")
H264 = ("-c:v", "libx264", *FIELDS, "-bf", "2", "-x264-params", "keyint=8:min-keyint=8:scenecut=0")
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "4M")
DV = ("-c:v", "dvvideo", "-s", "720x576")
PRORES = ("-c:v", "prores_ks", *FIELDS, "-profile:v", "3")
LOSSLESS = ("-c:v", "ffv1")
CINEFORM = ("-c:v", "cfhd")


def moments(count: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Pictures at 50 a second, uint8 (count, h, w, 3): what the fields are made of."""
    width, height = size
    still = 60 + 40 * (np.indices((height, width)).sum(0) // 16 % 2)
    pictures = np.repeat(still[None, :, :, None], count, axis=0).repeat(3, axis=-1).astype(np.uint8)
    for number, picture in enumerate(pictures):
        left = number * width // 16 % width
        picture[height // 8 : -height // 8, left : left + width // 8] = 220
    return pictures


def write_interlaced(
    path: Path,
    codec: tuple[str, ...] = H264,
    *,
    order: Order = "tff",
    frames: int = 30,
    size: tuple[int, int] = SIZE,
    pixels: str = "yuv420p",
    flagged: bool = True,
) -> Path:
    """A video at 25 frames a second, of two fields each, flagged as such."""
    first = "interleave_top" if order == "tff" else "interleave_bottom"
    filters = f"tinterlace=mode={first},setfield={order if flagged else 'prog'},format={pixels}"
    _encode(moments(2 * frames, size), 50, "-vf", filters, *codec, str(path))
    return path


def write_progressive(path: Path, *, frames: int, size: tuple[int, int] = SIZE) -> Path:
    """A progressive video of the moments that are the top fields of `write_interlaced`, lossless."""
    _encode(moments(2 * frames, size)[::2], 25, "-pix_fmt", "yuv420p", *LOSSLESS, str(path))
    return path


def _encode(pictures: NDArray[np.uint8], rate: int, *options: str) -> None:
    _, height, width, _ = pictures.shape
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(rate), "-i", "-")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *raw, *options]
    subprocess.run(command, input=pictures.tobytes(), check=True)


def fields_of(path: str | Path) -> str:
    """For each frame T, B or P: the top or the bottom field is first, or it is progressive; as ffmpeg decodes it."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-i", str(path), "-vf", "showinfo", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return "".join(re.findall(r" i:([TBP]) ", said))


def comb(luma: NDArray[np.uint8]) -> float:
    """How much neighbouring lines differ, divided by how much next but one lines do. Above 1 are combs."""
    lines = luma.astype(float)
    return float(np.abs(lines[1:] - lines[:-1]).mean() / np.abs(lines[2:] - lines[:-2]).mean())
