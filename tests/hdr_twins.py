"""HDR twins of SDR videos, made by ffmpeg's zscale: the same light, SDR white at 203 cd/m2."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

PQ, HLG = "smpte2084", "arib-std-b67"
BT709 = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
ORACLE = (
    "zscale=t=linear:npl=203:m=gbr,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:param=0.8:peak=4.926:desat=0,"
    "zscale=t=bt709,format=gbrp16le"
)
"""What indexer.media.tone_map does, in ffmpeg's own filters."""


def run_ffmpeg(*arguments: str) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL).stdout


def hdr_twin(sdr: Path, twin: Path, transfer: str, *, white: float = 203, primaries: str = "bt2020") -> Path:
    """Write the twin of a BT.709 video, without loss but with 10 bits; `white` is the light of SDR white in cd/m2."""
    light = f"{BT709},zscale=t=linear:npl={white:g}:m=gbr,format=gbrpf32le"
    coded = f"zscale=p={primaries}:t={transfer}:m=bt2020nc:r=tv:npl={white:g},format=yuv444p10le"
    run_ffmpeg("-i", str(sdr), "-vf", f"{light},{coded}", "-c:v", "ffv1", str(twin))
    return twin


def first_frame(path: Path, filters: str, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the first frame after ffmpeg's filters, which end in gbrp16le, as RGB (h, w, 3) from 0 to 255."""
    raw = run_ffmpeg("-i", str(path), "-vf", filters, "-frames:v", "1", "-f", "rawvideo", "-")
    green, blue, red = np.frombuffer(raw, "<u2").reshape(3, size[1], size[0]) / 257
    return np.stack((red, green, blue), axis=-1)
