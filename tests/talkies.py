"""Small videos with text on screen and speech that the stand-ins of `stand_in_recognition` understand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from stand_in_recognition import write

from db.library import Library
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings
from recognition.protocol import SAMPLE_RATE

Pixels = NDArray[np.uint8]

SIZE = (176, 96)
RATE = 25


def card(text: str, shade: int = 60) -> Callable[[int], Pixels]:
    """Return a pattern of `synthetic.make_video` that shows a text; none if it is empty."""

    def draw(_: int) -> Pixels:
        frame = np.full((SIZE[1], SIZE[0], 3), shade, np.uint8)
        if text:
            write(frame, text, row=10, column=2)
        return frame

    return draw


def make_talkie(
    path: Path, sound: NDArray[np.float32], *, seconds: float, late_seconds: float = 0.0, rate: int = RATE
) -> Path:
    """Write a grey video with a sound track, uncompressed, that begins later than the pictures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = cast(Any, out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "threads": "1"}))
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuv420p"
        track = cast(Any, out.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono"))
        for number in range(round(seconds * rate)):
            frame = VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        samples = (sound.clip(-1, 1) * 32767).round().astype(np.int16)
        for first in range(0, len(samples), 4000):
            block = av.AudioFrame.from_ndarray(samples[None, first : first + 4000], format="s16", layout="mono")
            block.sample_rate = SAMPLE_RATE
            block.pts = first + round(late_seconds * SAMPLE_RATE)
            out.mux(track.encode(block))
        out.mux(track.encode(None))
    return path


def index(library: Library, paths: Sequence[Path]) -> None:
    """Add videos to a library, with an encoder that sees colours."""
    from fakes import ColourEncoder

    report = index_folders(library, ColourEncoder(), [str(path) for path in paths], IndexSettings(detector="blend"))
    assert not report.failed
