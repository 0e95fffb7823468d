"""Where the time of an evaluation goes: reading of videos, summed over readers, and encoding."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.encoded import EncodesClips, ReadStretch
    from app.evaluation.labelled import Stretch
    from encoder import ClipSpec


class Stopwatch:
    """Seconds by what they were spent on. What several threads do at the same time counts for each."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.clips = 0  # encoded
        self._lock = threading.Lock()

    @contextmanager
    def measured(self, what: str) -> Iterator[None]:
        """Count the time of a `with` block."""
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - began

    def reading(self, read: ReadStretch) -> ReadStretch:
        """Return a ReadStretch whose time counts as `read`."""
        return _TimedReading(read, self)

    def encoding(self, encoder: EncodesClips) -> EncodesClips:
        """Return an encoder whose time counts as `encode`, and whose clips are counted."""
        return _TimedEncoder(encoder, self)


class _TimedReading:
    def __init__(self, read: ReadStretch, watch: Stopwatch) -> None:
        self._read, self._watch = read, watch
        self.name = read.name

    def __call__(self, stretch: Stretch, spec: ClipSpec) -> NDArray[np.uint8]:
        with self._watch.measured("read"):
            return self._read(stretch, spec)


class _TimedEncoder:
    def __init__(self, encoder: EncodesClips, watch: Stopwatch) -> None:
        self._encoder, self._watch = encoder, watch
        self.clip_spec, self.batch = encoder.clip_spec, encoder.batch

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._watch.clips += len(clips)
        with self._watch.measured("encode"):
            return self._encoder.encode_clips(clips)
