"""Sources with a tone of its own in every sound channel, and what is heard in each channel of a clip."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from numbered import ffmpeg

RATE = 48_000


def tones(
    path: Path,
    *tracks: Sequence[int],
    seconds: float = 3,
    video: Sequence[str] = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10"),
    rate: str = "25",
    more: Sequence[str] = (),
) -> Path:
    """A video with a sound track for each of `tracks`, which lists the frequencies (Hz) of its channels.

    Args:
        path: The file to write.
        tracks: Frequencies; channels have no stated layout where there are more than two.
        seconds: Length.
        video: Options of the video encoder.
        rate: Frames per second.
        more: Further output options.
    """
    inputs = ["-f", "lavfi", "-i", f"testsrc2=r={rate}:d={seconds}:s=96x64"]
    for frequencies in tracks:
        waves = "|".join(f"0.5*sin(2*PI*{each}*t)" for each in frequencies)
        layout = {1: "mono", 2: "stereo"}.get(len(frequencies), f"{len(frequencies)}c")
        inputs += ["-f", "lavfi", "-i", f"aevalsrc={waves}:s={RATE}:d={seconds}:c={layout}"]
    maps = [word for number in range(len(tracks) + 1) for word in ("-map", str(number))]
    ffmpeg(*inputs, *maps, *video, *more, str(path))
    return path


def heard(path: Path | None) -> list[list[int]]:
    """The loudest frequency in each channel of each track, to 25 Hz; 0 for silence."""
    with av.open(str(path)) as container:
        channels = [stream.codec_context.channels for stream in container.streams.audio]
    found = []
    for number, count in enumerate(channels):
        # PyAV hands out no more than eight channels.
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-i", str(path), "-map", f"0:a:{number}",
                   "-ar", str(RATE), "-f", "f32le", "-"]  # fmt: skip
        samples = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        signal = np.frombuffer(samples, np.float32).reshape(-1, count)
        found.append([loudest(channel) for channel in signal.T])
    return found


def loudest(signal: np.ndarray) -> int:
    """The loudest frequency of a signal at RATE, to 25 Hz; 0 for silence."""
    middle = signal[len(signal) // 4 : 3 * len(signal) // 4]
    if np.abs(middle).max() < 0.01:
        return 0
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return round(float(spectrum.argmax()) * RATE / len(middle) / 25) * 25
