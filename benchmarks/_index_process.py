"""One `index` run in a process of its own, so that CPU seconds and peak memory are its own.

The positions of its threads are sampled from outside, a hundred times a second, which tells the parts of decoding apart
without a clock around every frame.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoder import ClipSpec, Encoder

ROOT = Path(__file__).resolve().parent.parent
PARTS = {
    "decode": "decode", "frame_times": "decode", "containers": "decode", "probe": "open", "fingerprint": "open",
    "detector": "detect", "blend": "detect", "fades": "detect", "transitions": "detect",
    "scale": "scale", "downscale": "scale", "frame_buffer": "scale",
    "preview": "previews", "shot_buffer": "previews", "shot_pictures": "previews", "media": "pictures to disk",
}  # fmt: skip
"""The part of decoding that a module of ours stands for, by its name."""


@dataclass
class Sampler:
    """Counts, per kind of thread, of the parts in which it was found."""

    seen: dict[str, Counter[str]] = field(default_factory=dict)
    busy: Counter[int] = field(default_factory=Counter)  # how many of them had something to do, of all samples
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Sampler:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            busy = 0
            for ident, frame in sys._current_frames().items():
                kind = names.get(ident, "").rstrip("0123456789_-").removeprefix("Main")
                if kind in ("decode", "encode", "Thread"):
                    part = _part(frame)
                    busy += part not in ("waits", "idle")
                    self.seen.setdefault("store" if kind == "Thread" else kind, Counter())[part] += 1
            self.busy[busy] += 1

    def kept_busy(self, cores: int) -> float:
        """Share of the cores that had a thread to run, whatever other programs left of them."""
        return sum(min(count, cores) * times for count, times in self.busy.items()) / (cores * self.busy.total())

    def shares(self) -> dict[str, dict[str, float]]:
        return {
            kind: {part: round(count / counts.total(), 3) for part, count in counts.most_common()}
            for kind, counts in self.seen.items()
        }


def _part(frame: Any) -> str:
    """Return the innermost file of ours, or `waits` for the queue or a lock."""
    inner = frame.f_code.co_filename
    if frame.f_code.co_name in ("_work", "encode_clips") and inner.endswith(("decoding.py", "_index_process.py")):
        return "idle"  # no job is left, or the stand-in pretends that another device is at work
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(str(ROOT)) and "site-packages" not in path:
            stem = Path(path).stem
            if stem in ("decoding", "encoding", "batches") and inner.endswith(("threading.py", "queue.py", "_base.py")):
                return "waits"
            return PARTS.get(stem, stem)
        frame = frame.f_back
    return "idle"


class StandIn:
    """An encoder that takes `milliseconds` per clip without using the processor, as a GPU would; 0: no time."""

    notice = None
    batch = 16
    has_text = True

    def __init__(self, spec: ClipSpec, milliseconds: float) -> None:
        self.clip_spec = spec
        self.dim = 128
        self.id = f"standin@{milliseconds:g}ms:{spec.frames}f:{spec.fit}"
        self.text_id = "standin:text@0"
        self._seconds = milliseconds / 1000

    def prepare(self) -> None:
        pass

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        sleep(self._seconds * len(clips))
        return np.full((len(clips), self.dim), self.dim**-0.5, np.float32)

    def encode_texts(self, texts: Any) -> NDArray[np.float32]:
        return np.full((len(texts), self.dim), self.dim**-0.5, np.float32)

    def unread(self, text: str) -> str:
        return ""

    def truncated(self, texts: Any) -> list[bool]:
        return [False] * len(texts)


def chosen_encoder(name: str) -> Encoder:
    """Load `demo` or any other name; `none` or `device:MILLISECONDS` is a StandIn with the demo encoder's clips."""
    if name == "none" or name.startswith("device:"):
        return StandIn(ClipSpec(8, 72), float(name.partition(":")[2] or 0))
    from encoder import load_encoder

    return load_encoder(name, "cpu")


def run(folder: Path, library: Path, *, encoder: str = "demo", workers: int = 2) -> dict[str, Any]:
    """Run in a process of its own and return its figures; SystemExit where it was not complete."""
    command = [sys.executable, "-m", "benchmarks._index_process", str(folder), str(library), encoder, str(workers)]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{command} failed")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _main(folder: str, library_folder: str, encoder_name: str, workers: str) -> None:
    import resource

    from db.library import Library
    from indexer.pipeline import index_folders
    from indexer.settings import IndexSettings, RunOptions

    encoder = chosen_encoder(encoder_name)
    encoder.encode_clips(np.zeros((1, *encoder.clip_spec.shape), np.uint8))
    before = resource.getrusage(resource.RUSAGE_SELF)
    memory_before = before.ru_maxrss / 1024
    with Library.open(Path(library_folder)) as library, Sampler() as sampler:
        began = perf_counter()
        report = index_folders(library, encoder, [folder], IndexSettings(), RunOptions(decode_workers=int(workers)))
        wall = perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    if report.stopped or report.failed:
        raise SystemExit(f"not complete: {report.stopped} {report.failed[:3]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        json.dumps(
            {
                "wall_s": wall, "cpu_s": cpu, "added": report.added, "clips": report.clips, "frames": report.frames,
                "kept_busy": sampler.kept_busy(len(os.sched_getaffinity(0))),
                "video_s": report.video_seconds, "stages": dict(report.seconds), "shares": sampler.shares(),
                "memory_before_mb": memory_before, "peak_mb": after.ru_maxrss / 1024,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    _main(*sys.argv[1:])
