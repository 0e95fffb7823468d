"""Sources for `sync`: numbered frames and tracks of noise, a different one each, in many containers and codecs."""

from __future__ import annotations

import sys
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.exporting.ffmpeg_binary import find_ffmpeg, run_ffmpeg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

RATE = 48_000
SECONDS = 6
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "14", "-g", "20", "-bf", "2")
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "3M", "-g", "12", "-bf", "2")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "20")
X265 = (
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-x265-params",
    "log-level=error:keyint=20:min-keyint=20",
    "-crf",
    "14",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file."""

    name: str
    suffix: str
    video: Sequence[str]
    sound: Sequence[str]  # a codec for each track
    more: Sequence[str] = ()
    variable: bool = False


PCM = "pcm_s16le"
VFR = ("-fps_mode", "passthrough", "-enc_time_base:v", "1:1000")
KINDS = (
    Kind("MP4 H.264 AAC", ".mp4", X264, ["aac"] * 3),
    Kind("MP4 HEVC 10-bit AAC", ".mp4", (*X265, "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1"), ["aac"] * 2),
    Kind("MP4 variable rate", ".mp4", X264, ["aac"] * 2, VFR, variable=True),
    Kind("MOV H.264 PCM, time code", ".mov", X264, [PCM] * 4, ("-metadata", "timecode=10:00:00:00")),
    Kind("MOV ProRes PCM", ".mov", ("-c:v", "prores_ks", "-profile:v", "0"), ["pcm_s24le"] * 4),
    Kind("MOV DNxHR PCM", ".mov", ("-vf", "scale=256:120", "-c:v", "dnxhd", "-profile:v", "dnxhr_lb"), [PCM] * 2),
    Kind("M4V MPEG-4 AAC", ".m4v", ("-c:v", "mpeg4", "-b:v", "2M"), ["aac"], ("-f", "mp4")),
    Kind("3GP H.264 AAC", ".3gp", X264, ["aac"]),
    Kind("MKV H.264 FLAC Opus", ".mkv", X264, ["flac", "libopus", "aac"]),
    Kind("MKV HEVC AAC", ".mkv", X265, ["aac"] * 2),
    Kind("MKV variable rate AC-3", ".mkv", X264, ["ac3"] * 2, VFR, variable=True),
    Kind("MKV FFV1 FLAC", ".mkv", ("-c:v", "ffv1"), ["flac"] * 2),
    Kind("MKV that begins late", ".mkv", X264, ["aac"] * 2, ("-output_ts_offset", "100000")),
    Kind("WebM VP9 Opus", ".webm", VP9, ["libopus"] * 2),
    Kind("WebM VP8 Vorbis", ".webm", ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M"), ["libvorbis"] * 2),
    Kind("TS H.264 MP2", ".ts", X264, ["mp2"] * 3),
    Kind("TS MPEG-2 AC-3", ".ts", MPEG2, ["ac3"] * 2),
    Kind("TS HEVC AAC", ".ts", X265, ["aac"] * 2),
    Kind("M2TS H.264 AC-3", ".m2ts", X264, ["ac3"] * 2),
    Kind("MXF MPEG-2 PCM", ".mxf", MPEG2, [PCM] * 4, ("-metadata", "timecode=10:00:00:00")),
    Kind("AVI MPEG-4 MP3", ".avi", ("-c:v", "mpeg4", "-b:v", "2M"), ["libmp3lame"] * 2),
    Kind("AVI MJPEG PCM", ".avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-b:v", "4M"), [PCM] * 2),
    Kind("MPG MPEG-2 MP2", ".mpg", MPEG2, ["mp2"] * 2),
    Kind("VOB MPEG-2 AC-3", ".vob", MPEG2, ["ac3"] * 2),
    Kind("FLV H.264 AAC", ".flv", X264, ["aac"]),
    Kind("WMV WMV2 WMA", ".wmv", ("-c:v", "wmv2", "-b:v", "3M"), ["wmav2"] * 2),
    Kind("OGV Theora Vorbis", ".ogv", ("-c:v", "libtheora", "-q:v", "9"), ["libvorbis"] * 2),
    Kind("NUT H.264 PCM", ".nut", X264, [PCM] * 2),
)
"""Each has at least one sound track; those of one container hold as many as it takes."""


def make_source(kind: Kind, folder: Path) -> Path:
    """Write a file of a kind, and return its path."""
    from numbered import constant, write

    base = folder / ("variable.mkv" if kind.variable else "constant.mkv")
    if not base.exists():
        steps = np.random.default_rng(3).choice([17, 33, 40, 50, 125], 400)
        times = [0, *np.cumsum(steps)[np.cumsum(steps) < SECONDS * 1000].tolist()]
        made = (times, Fraction(1, 1000)) if kind.variable else constant(25 * SECONDS, Fraction(25))
        write(base, *made, options={"crf": "6", "bf": "0"})
    inputs = ["-i", str(base)]
    maps = ["-map", "0:v"]
    codecs: list[str] = []
    for number, codec in enumerate(kind.sound):
        track = folder / f"{number}.wav"
        if not track.exists():
            _write_wave(track, noise(number))
        inputs += ["-i", str(track)]
        maps += ["-map", f"{number + 1}:a"]
        codecs += [f"-c:a:{number}", codec]
    target = folder / f"{kind.name.replace(' ', '_').replace(',', '')}{kind.suffix}"
    quiet = [find_ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
    run_ffmpeg([*quiet, *inputs, *maps, *kind.video, *codecs, "-b:a", "192k", *kind.more, str(target)])
    return target


def noise(number: int) -> NDArray[np.int16]:
    """Noise below 4 kHz, the same for the same number: no two tracks are alike, and no moment is like another."""
    spectrum = np.fft.rfft(np.random.default_rng(100 + number).standard_normal(SECONDS * RATE))
    spectrum[np.fft.rfftfreq(SECONDS * RATE, 1 / RATE) > 4000] = 0
    signal = np.fft.irfft(spectrum)
    return np.asarray(signal / np.abs(signal).max() * 20_000, np.int16)


def _write_wave(path: Path, signal: NDArray[np.int16]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(signal.tobytes())
