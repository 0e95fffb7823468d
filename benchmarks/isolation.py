"""Worker processes beside threads: the same folder indexed both ways, in alternation, in one run.

    python -m benchmarks.isolation [FOLDER] [--encoder none|demo|NAME] [--rounds 3] [--workers 2]

"none" gives rows without looking at clips, so that decoding is all there is. For each way and round it prints wall and
CPU seconds (of this process and its workers) and the seconds to the first decoded frame. The most memory of a worker
beyond what it shares with others (USS; frames included, which threads hold here) is that of a round before, because
looking at it takes time itself. The last line is JSON, with the medians and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from db.library import Library
from encoder import ClipSpec, load_encoder
from indexer.pipeline import index_folders
from indexer.progress import Progress
from indexer.settings import IndexSettings, RunOptions

_DEMO = Path(__file__).resolve().parent.parent / "app" / "demo_library"


class NoEncoder:
    """Gives every clip the same row, at once."""

    id, dim, clip_spec, notice, batch, has_text = "none", 8, ClipSpec(16, 288), "", 8, True

    def prepare(self) -> None:
        pass

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.eye(1, self.dim, dtype=np.float32).repeat(len(clips), axis=0)


class _Memory(threading.Thread):
    """Watches the memory of this process's children."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._stop_now = threading.Event()

    def run(self) -> None:
        while not self._stop_now.wait(0.25):
            for child in psutil.Process().children():
                try:
                    self.most = max(self.most, child.memory_full_info().uss)
                except psutil.Error:
                    continue

    def stop(self) -> int:
        self._stop_now.set()
        self.join()
        return self.most


def measure(folder: Path, encoder: Any, workers: int, *, isolated: bool, watch: bool) -> dict[str, float]:
    """Index a folder into a new library."""
    first = 0.0
    began = time.perf_counter()

    def on_progress(progress: Progress) -> None:
        nonlocal first
        if not first and progress.phase == "index" and progress.seconds_done > 0:
            first = time.perf_counter() - began

    memory = _Memory()
    if watch:
        memory.start()
    before = os.times()
    with tempfile.TemporaryDirectory() as library, Library.open(Path(library)) as opened:
        options = RunOptions(isolated=isolated, decode_workers=workers)
        report = index_folders(opened, encoder, [folder], IndexSettings(), options, on_progress=on_progress)
        wall = time.perf_counter() - began
    time.sleep(0.5)  # for the threads that wait for the ends of workers, whose seconds count from then on
    cpu = sum(after - at for after, at in zip(os.times()[:4], before[:4], strict=True))
    if report.stopped or not report.clips:
        raise SystemExit(report.stopped or f"no video could be indexed in {folder}")
    return {
        "wall_s": wall, "cpu_s": cpu, "first_frame_s": first, "worker_mb": memory.stop() / 1e6 if watch else 0.0,
        "video_s": report.video_seconds, "clips": float(report.clips), "failed": float(len(report.failed)),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=_DEMO, help="by default the demo library")
    parser.add_argument("--encoder", default="none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    encoder = NoEncoder() if arguments.encoder == "none" else load_encoder(arguments.encoder, "cpu")
    memory: dict[str, int] = {}
    runs: dict[str, list[dict[str, float]]] = {"threads": [], "processes": []}
    print(f"{'':10}{'wall s':>9}{'CPU s':>9}{'first frame s':>15}{'x real time':>13}")
    for number in range(-1, arguments.rounds):  # the first one loads libraries and warms caches
        for name in ("threads", "processes") if number % 2 else ("processes", "threads"):
            isolated = name == "processes"
            found = measure(arguments.folder, encoder, arguments.workers, isolated=isolated, watch=number < 0)
            if number < 0:
                memory[name] = round(found["worker_mb"])
                continue
            runs[name].append(found)
            print(
                f"{name:10}{found['wall_s']:9.2f}{found['cpu_s']:9.2f}{found['first_frame_s']:15.2f}"
                f"{found['video_s'] / found['wall_s']:13.1f}",
                flush=True,
            )
    medians = {
        name: {key: round(statistics.median(run[key] for run in each), 3) for key in each[0] if key != "worker_mb"}
        for name, each in runs.items()
    }
    ratios = {key: round(medians["processes"][key] / medians["threads"][key], 4) for key in ("wall_s", "cpu_s")}
    load = [round(value, 2) for value in os.getloadavg()]
    found = {"benchmark": "isolation", "encoder": arguments.encoder, **medians, "ratio": ratios, "load": load}
    print(json.dumps({**found, "worker_mb": memory["processes"]}))


if __name__ == "__main__":
    main()
