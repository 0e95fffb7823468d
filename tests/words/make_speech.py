"""Make speech.flac: numbers spoken by espeak-ng, with pauses between them. Run it where espeak-ng is installed.

    python tests/words/make_speech.py

Nothing but the numbers below and a synthetic voice is in the file: it is under this repository's licence. espeak-ng
(GPL-3.0) made the sound and is neither part of the file nor needed to use it.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import av
import numpy as np

RATE = 16_000
SENTENCES = (
    (1.0, "one two three four five"),
    (14.0, "nine three two"),
    (27.0, "five four hundred"),
    (40.0, "three thousand five hundred"),
)
"""When each begins, in seconds, and what is said."""

LENGTH_SECONDS = 44.0
LOUDNESS = 0.35  # a quieter voice makes a smaller file


def spoken(sentence: str) -> np.ndarray:
    """Return a sentence as int16 (n,) samples at `RATE`."""
    command = ["espeak-ng", "-v", "en-us", "-s", "140", "--stdout", sentence]
    wave = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(io.BytesIO(wave)) as source:
        frames = [part for frame in source.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def make(path: Path) -> None:
    """Write the file."""
    sound = np.zeros(round(LENGTH_SECONDS * RATE), np.int16)
    for begin, sentence in SENTENCES:
        samples = (spoken(sentence) * LOUDNESS).astype(np.int16)
        first = round(begin * RATE)
        sound[first : first + len(samples)] = samples
    with av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as target:
        stream = target.add_stream("flac", rate=RATE, layout="mono", options={"compression_level": "12"})
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


if __name__ == "__main__":
    make(Path(__file__).with_name("speech.flac"))
