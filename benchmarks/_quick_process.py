"""One pass, one encoder or one index run in a process of its own: tasks of benchmarks/quick.py.

    python -m benchmarks._quick_process pass VIDEO READS DETECTOR
    python -m benchmarks._quick_process encode CONFIGURATION WEIGHTS PRECISION FRAMES
    python -m benchmarks._quick_process index VIDEO LIBRARY CONFIGURATION WEIGHTS PRECISION DETECTOR quick|full

The last line that it prints is JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._encoder_process import network_of
from encoder import Encoder

CLIPS = 6


class PartTimes:
    """CPU seconds of functions in the calling thread, by the part that they are, without those that they call."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inner = 0.0  # of functions that were called by the one that runs

    def count(self, owner: Any, name: str, part: str) -> None:
        """Count the calls of a function from now on."""
        called = getattr(owner, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            before, self._inner = self._inner, 0.0
            began = time.thread_time()
            try:
                return called(*arguments, **named)
            finally:
                taken = time.thread_time() - began
                self.seconds[part] += taken - self._inner
                self._inner = before + taken

        setattr(owner, name, counted)


def passed(video: str, reads: str, detector: str) -> dict[str, Any]:
    """Read a video, without an encoder."""
    import indexer.media.decode
    import indexer.media.frame_buffer
    import indexer.media.scale
    import indexer.shots.detector
    import indexer.shots.shot_buffer
    from encoder import ClipSpec
    from indexer.isolated_pass import pass_class
    from indexer.settings import IndexSettings
    from indexer.shots import key_segmenter, shot_buffer

    times = PartTimes()
    for module in (shot_buffer, key_segmenter):
        times.count(module, "poster_of", "pictures")
        times.count(module, "preview_of", "pictures")
    for name in ("reduce", "plane", "clip_frame"):
        times.count(indexer.media.scale.Scaler, name, "scale")
    scorer = None
    if detector == "learned" and reads == "every frame":
        import torch

        torch.set_num_threads(1)
        scorer = _scorer()
        stream = type(scorer.stream())
        for name in ("feed", "finish"):
            times.count(stream, name, "shot network")
    times.count(indexer.shots.detector.CutDetector, "feed", "cuts")
    decoded = Counter[str]()
    real = indexer.media.decode.Decoding._to_frame

    def to_frame(self: Any, picture: Any) -> Any:
        decoded["frames"] += 1
        return real(self, picture)

    indexer.media.decode.Decoding._to_frame = to_frame  # type: ignore[method-assign]
    settings = IndexSettings(detector=detector, hash_content="never", decode_threads=1)  # all in this thread
    reading = pass_class(key_frames=reads == "key frames")(
        video, ClipSpec(4 if reads == "key frames" else 16, 288), settings, fingerprint="content", scorer=scorer
    )
    began = time.thread_time()
    clips = sum(1 for _ in reading)
    cpu = time.thread_time() - began
    parts = dict(times.seconds)
    parts["decode"] = cpu - sum(parts.values())
    return {
        "cpu_s": cpu, "clips": clips, "video_s": reading.video.duration_seconds, "frames": reading.video.frames,
        "decoded": decoded["frames"], "parts": parts, "notes": reading.notes,
    }  # fmt: skip


def _scorer() -> Any:
    from encoder.shot_boundaries.model import ShotBoundaryModel
    from encoder.shot_boundaries.weights import require_weights

    return ShotBoundaryModel.load("cpu", "auto", weights=require_weights())


def encoder_of(configuration: str, weights: str, precision: str) -> Encoder:
    """Return an encoder with random weights, for clips only."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    from encoder.videoprism import VideoPrism

    network = network_of(configuration, Path(weights))
    return VideoPrism(network, None, "cpu", weights_id="random@0", precision=precision)  # type: ignore[arg-type]


def encode(configuration: str, weights: str, precision: str, frames: str) -> dict[str, Any]:
    """Return the CPU seconds of a clip, the median of a few."""
    from encoder.quick import AnyFrames

    encoder = encoder_of(configuration, weights, precision)
    assert isinstance(encoder, AnyFrames)
    size = encoder.clip_spec.size
    rng = np.random.default_rng(0)
    taken = []
    for _ in range(CLIPS + 1):  # the first one packs layers
        clips = rng.integers(0, 256, (1, int(frames), size, size, 3), dtype=np.uint8)
        began = time.process_time()
        encoder.encode_frames(clips)
        taken.append(time.process_time() - began)
    return {"cpu_s": float(np.median(taken[1:]))}


def index(
    video: str, library: str, configuration: str, weights: str, precision: str, detector: str, way: str
) -> dict[str, Any]:
    """Index a video, quickly or in full."""
    from db.library import Library
    from encoder.quick import quick_encoder
    from indexer.pipeline import index_folders
    from indexer.quick_pass import QuickPass
    from indexer.settings import IndexSettings

    encoder = encoder_of(configuration, weights, precision)
    quick = QuickPass(full_id=encoder.id) if way == "quick" else None
    passes = quick_encoder(encoder) if quick else encoder
    passes.encode_clips(np.zeros((1, *passes.clip_spec.shape), np.uint8))
    scorer = _scorer() if detector == "learned" else None
    before = os.times()
    began = time.perf_counter()
    with Library.open(Path(library)) as opened:
        report = index_folders(opened, passes, [video], IndexSettings(detector=detector), scorer=scorer, quick=quick)
    wall = time.perf_counter() - began
    after = os.times()
    if report.stopped or report.failed:
        raise SystemExit(f"not complete: {report.stopped} {report.failed[:3]}")
    cpu = sum(after[:4]) - sum(before[:4])  # its worker processes included, which have ended
    return {"wall_s": wall, "cpu_s": cpu, "clips": report.clips, "video_s": report.video_seconds}


if __name__ == "__main__":
    tasks: dict[str, Callable[..., dict[str, Any]]] = {"pass": passed, "encode": encode, "index": index}
    print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])))
