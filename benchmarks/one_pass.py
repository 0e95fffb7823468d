"""Two encoders from one decoding, against a run of each: wall and CPU of a whole `index`, its decoding apart.

    python -m benchmarks.one_pass [VIDEO...] [--second NAME] [--rounds 3] [--footage DIR] [--cache DIR]

The first encoder is the demo encoder. The second one is the same with half the frames, cropped, or the one of a name,
such as open_clip:PE-Core-B-16/random (random weights; needs the extra clip). In every round, both ways index each video
into new libraries in one process: A+B from one decoding, and A, then B. CPU of decoding is that of the worker
processes: decoding, scaling, looking for cuts, posters and previews. It prints medians, and medians of the rounds'
ratios, then JSON. Without VIDEO, a minute of 720p and one of 1080p H.264 are made.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait are not to be counted as work

import numpy as np

from benchmarks._encoded_videos import Recipe, encoded

if TYPE_CHECKING:
    from encoder import Encoder

FIGURES = ("wall_s", "decode_cpu_s", "cpu_s")
APART, TOGETHER = "A, then B", "A+B"


def second_encoder(name: str) -> Encoder:
    """Return the demo encoder with half the frames, or the one of that name."""
    from encoder import load_encoder

    if name == "demo":
        return load_encoder("demo", "cpu", frames=load_encoder("demo", "cpu").clip_spec.frames // 2, fit="crop")
    return load_encoder(name, "cpu")


def videos(given: Sequence[Path], cache: Path, footage: Path | None) -> list[Path]:
    """Return the videos to index: those given, or a minute each of two sizes."""
    sizes = {"720p": (1280, 720), "1080p": (1920, 1080)}
    options = (("preset", "fast"), ("crf", "22"), ("g", "125"))
    return list(given) or [
        encoded(
            Recipe(
                name=f"one pass {name}", width=width, height=height, codec="libx264", options=options, seconds=24,
                times=3,
            ),
            cache, footage,
        )
        for name, (width, height) in sizes.items()
    ]  # fmt: skip


def indexed(video: Path, runs: Sequence[Sequence[Encoder]]) -> dict[str, float]:
    """Index a video into a new library, in one run after the other, and return the figures of all."""
    from db.library import Library
    from indexer.pipeline import index_folders
    from indexer.settings import IndexSettings, RunOptions

    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder)) as library:
        before, began = os.times(), time.perf_counter()
        clips = 0
        for first, *further in runs:
            report = index_folders(library, first, [video], IndexSettings(), RunOptions(), further=further)
            if report.stopped or report.failed:
                raise SystemExit(f"not complete: {report.stopped} {report.failed[:3]}")
            clips = report.clips
        wall = time.perf_counter() - began
    wait_for_children()  # only then do their seconds count
    after = os.times()
    workers = sum(after[2:4]) - sum(before[2:4])
    own = sum(after[:2]) - sum(before[:2])
    seconds = {"wall_s": wall, "decode_cpu_s": workers, "cpu_s": own + workers}
    return seconds | {"clips": clips, "video_s": report.video_seconds}


def wait_for_children() -> None:
    """Wait until the processes that were started and ended are no longer known to the system (Linux)."""
    own = Path("/proc/self/task")
    while any((thread / "children").read_text() for thread in own.iterdir()):
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO")
    parser.add_argument("--second", default="demo", help="demo, or the name of another encoder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--footage", type=Path, help="a folder of videos to take pictures from; else they are drawn")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "prismsearch-benchmarks")
    options = parser.parse_args()
    from encoder import load_encoder

    first, second = load_encoder("demo", "cpu"), second_encoder(options.second)
    for each in (first, second):
        each.encode_clips(np.zeros((1, *each.clip_spec.shape), np.uint8))  # packs layers, starts threads
    ways: dict[str, list[list[Encoder]]] = {TOGETHER: [[first, second]], APART: [[first], [second]]}
    result = {}
    print(f"A: {first.id}\nB: {second.id}")
    for video in videos(options.videos, options.cache, options.footage):
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        for number in range(options.rounds):
            for name in list(ways) if number % 2 else reversed(ways):
                taken[name].append(indexed(video, ways[name]))
        result[video.name] = report(video, taken)
    print(json.dumps({"first": first.id, "second": second.id, "rounds": options.rounds, "videos": result}))


def report(video: Path, taken: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Print the table of a video, and return its figures."""
    some = taken[TOGETHER][0]
    print(f"\n{video.name}: {some['video_s']:.0f} s, {some['clips']:.0f} parts of shots")
    print(f"{'':12}{'wall s':>10}{'decode CPU':>12}{'all CPU s':>11}")
    table = {name: {key: statistics.median(each[key] for each in rounds) for key in FIGURES}
             for name, rounds in taken.items()}  # fmt: skip
    table["ratio"] = {
        key: statistics.median(one[key] / two[key] for one, two in zip(taken[TOGETHER], taken[APART], strict=True))
        for key in FIGURES
    }
    for name, row in table.items():
        print(f"{name:12}{row['wall_s']:10.2f}{row['decode_cpu_s']:12.2f}{row['cpu_s']:11.2f}")
    return table


if __name__ == "__main__":
    main()
