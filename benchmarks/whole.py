"""The whole of `index`: seconds per stage, multiple of real time, overlap, memory, and cost against work.

    python -m benchmarks.whole [--footage DIR] [--encoder NAME] [--long-minutes 20] [--cache DIR] [--only PART...]

stages   a folder of mixed video (1080p H.264 and HEVC, 720p VP9, 480p and 360p H.264; of the videos in --footage, or
         drawn): seconds per stage, and the positions of the decoders' threads, by sampling. Then decoding alone (an
         encoder that takes no time), and with an encoder that takes as long as decoding but not the processor, as a
         GPU would. "Floor": the slower of decoding alone and encoding alone and, as both need the same cores, all CPU
         seconds divided by the cores. Overlap is wall over floor, true on quiet cores only; "busy" is the share of the
         cores for which a thread of ours had work at the time, so that 1 / busy is the overlap on quiet cores.
scaling  1, 2, 4 and 8 times as many videos: CPU seconds, peak memory, and the fitted exponent.
library  one more video in libraries of 1, 10 and 100 thousand segments.
long     one video of --long-minutes, and one of a tenth of that: memory must be the same.
It prints tables, then JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._encoded_videos import Recipe, encoded
from benchmarks._index_process import run
from benchmarks._row_library import make_rows

_X264 = (("preset", "veryfast"), ("crf", "24"), ("g", "125"))
MIXED = (
    Recipe(name="whole 1080p H.264", width=1920, height=1080, codec="libx264", options=_X264, seconds=8, times=3),
    Recipe(
        name="whole 1080p HEVC", width=1920, height=1080, codec="libx265", seconds=8, times=2,
        options=(("preset", "veryfast"), ("crf", "26"), ("x265-params", "keyint=125:log-level=1")),
    ),
    Recipe(
        name="whole 720p VP9", width=1280, height=720, codec="libvpx-vp9", seconds=8, times=3,
        options=(("deadline", "realtime"), ("cpu-used", "7"), ("crf", "33"), ("b", "0"), ("g", "125")),
    ),
    Recipe(name="whole 480p H.264", width=854, height=480, codec="libx264", options=_X264, seconds=12, times=6),
    Recipe(name="whole 360p H.264", width=640, height=360, codec="libx264", options=_X264, seconds=12, times=8),
)  # fmt: skip
SMALL = Recipe(name="whole small", width=320, height=180, codec="libx264", options=_X264, seconds=12, times=2)
TINY = {"name": "whole tiny", "width": 160, "height": 90, "codec": "libx264", "options": _X264, "seconds": 30}


def place(source: Path, target: Path, number: int) -> None:
    """Copy a video as another content: a box that players skip follows its end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    with target.open("ab") as file:
        file.write((12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big"))


def stages(cache: Path, work: Path, footage: Path | None, encoder: str) -> dict[str, Any]:
    folder = work / "mixed"
    folder.mkdir()
    for recipe in MIXED:
        made = encoded(recipe, cache, footage)
        os.link(made, folder / made.name) if made.stat().st_dev == folder.stat().st_dev else shutil.copy(made, folder)
    cores = len(os.sched_getaffinity(0))
    alone = run(folder, work / "decoded", encoder="none")
    both = run(folder, work / "both", encoder=encoder)
    per_clip = 1000 * alone["wall_s"] / alone["clips"]
    beside = run(folder, work / "beside", encoder=f"device:{per_clip:.2f}")
    one = run(folder, work / "one", encoder=encoder, workers=1)
    print(f"\n{both['video_s']:.0f} s of mixed video, {both['clips']} clips, {both['frames']} frames, {cores} cores")
    heads = (
        ("wall s", 8),
        ("CPU s", 8),
        ("x real time", 12),
        ("floor s", 9),
        ("overlap", 9),
        ("cores", 7),
        ("busy", 7),
    )
    print(f"{'run':36}" + "".join(f"{name:>{width}}" for name, width in (*heads, ("peak MB", 9))))
    kept = ("wall_s", "cpu_s", "video_s", "clips", "peak_mb", "memory_before_mb", "kept_busy")
    table = {}
    for name, found, device in (
        ("decoding alone (no encoder)", alone, 0.0),
        (f"with {encoder}", both, both["stages"]["encode"]),
        (f"with {encoder}, one decoder", one, one["stages"]["encode"]),
        ("beside an encoder off the processor", beside, beside["clips"] * per_clip / 1000),
    ):
        slowest = max(alone["wall_s"], device if found is beside else 0.0)
        floor = max(slowest, found["cpu_s"] / cores)
        table[name] = {
            **{key: found[key] for key in kept},
            "real_time": found["video_s"] / found["wall_s"], "floor_s": floor, "overlap": found["wall_s"] / floor,
            "cores_used": found["cpu_s"] / found["wall_s"], "stages": found["stages"], "shares": found["shares"],
        }  # fmt: skip
        each = table[name]
        print(
            f"{name:36}{each['wall_s']:8.1f}{each['cpu_s']:8.1f}{each['real_time']:12.1f}{floor:9.1f}"
            f"{each['overlap']:9.2f}{each['cores_used']:7.2f}{each['kept_busy']:7.2f}{each['peak_mb']:9.0f}"
        )
    print("\nseconds per stage (decode: summed over the decoders, with what waits for nothing)")
    for name, each in table.items():
        print(f"{name:36}" + "  ".join(f"{stage} {seconds:.2f}" for stage, seconds in each["stages"].items()))
    print("\nwhere threads were found (shares of samples)")
    for kind, parts in both["shares"].items():
        print(f"{kind:8}" + "  ".join(f"{part} {share:.2f}" for part, share in parts.items() if share >= 0.005))
    return table


def exponent(work: list[float], cost: list[float]) -> float:
    """Return the exponent of cost against work, by least squares on logarithms."""
    return float(np.polyfit([math.log(value) for value in work], [math.log(value) for value in cost], 1)[0])


def scaling(cache: Path, work: Path, footage: Path | None) -> dict[str, Any]:
    source = encoded(SMALL, cache, footage)
    rows = []
    print(f"\n{'videos':>8}{'video s':>9}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'above start':>12}")
    for times in (1, 2, 4, 8):
        folder = work / f"scaled {times}"
        for number in range(8 * times):
            place(source, folder / f"{number:03d}.mp4", number)
        found = run(folder, work / f"scaled library {times}")
        shutil.rmtree(folder)
        rows.append({"videos": 8 * times, **{k: found[k] for k in ("video_s", "wall_s", "cpu_s", "peak_mb")}})
        above = found["peak_mb"] - found["memory_before_mb"]
        print(
            f"{8 * times:8}{found['video_s']:9.0f}{found['wall_s']:8.1f}{found['cpu_s']:8.1f}{found['peak_mb']:9.0f}"
            f"{above:12.0f}"
        )
    seconds = [row["video_s"] for row in rows]
    result = {
        "runs": rows,
        "cpu_exponent": exponent(seconds, [row["cpu_s"] for row in rows]),
        "wall_exponent": exponent(seconds, [row["wall_s"] for row in rows]),
    }
    print(f"exponent of CPU seconds {result['cpu_exponent']:.3f}, of wall {result['wall_exponent']:.3f}")
    return result


def library_size(cache: Path, work: Path, footage: Path | None) -> dict[str, Any]:
    source = encoded(SMALL, cache, footage)
    print(
        f"\n{'segments':>9}{'wall s':>8}{'CPU s':>8}{'store s':>9}   one more video of {SMALL.seconds * SMALL.times} s"
    )
    rows = []
    for segments in (1_000, 10_000, 100_000):
        library = work / f"rows {segments}"
        make_rows(library, segments).close()
        walls = []
        for number in range(3):
            folder = work / f"more {segments} {number}"
            place(source, folder / "more.mp4", number)
            walls.append(run(folder, library, encoder="none"))
        best = sorted(walls, key=lambda found: found["cpu_s"])[1]
        rows.append(
            {"segments": segments, "wall_s": best["wall_s"], "cpu_s": best["cpu_s"], "store_s": best["stages"]["store"]}
        )
        print(f"{segments:9,}{best['wall_s']:8.2f}{best['cpu_s']:8.2f}{best['stages']['store']:9.3f}")
    found = exponent([row["segments"] for row in rows], [row["cpu_s"] for row in rows])
    print(f"exponent of CPU seconds {found:.3f}")
    return {"runs": rows, "cpu_exponent": found}


def long(cache: Path, work: Path, footage: Path | None, minutes: float) -> list[dict[str, Any]]:
    print(f"\n{'one video of':>14}{'wall s':>8}{'CPU s':>8}{'x real time':>12}{'peak MB':>9}{'above start':>12}")
    rows = []
    for share in (0.1, 1.0):
        times = max(1, round(share * minutes * 60 / TINY["seconds"]))  # type: ignore[operator]
        made = encoded(Recipe(**{**TINY, "name": f"whole tiny {times}", "times": times}), cache, footage)  # type: ignore[arg-type]
        folder = work / f"long {times}"
        folder.mkdir()
        shutil.copy(made, folder / made.name)
        found = run(folder, work / f"long library {times}")
        above = found["peak_mb"] - found["memory_before_mb"]
        rows.append({k: found[k] for k in ("video_s", "wall_s", "cpu_s", "clips", "peak_mb", "memory_before_mb")})
        print(
            f"{found['video_s'] / 60:10.1f} min{found['wall_s']:8.1f}{found['cpu_s']:8.1f}"
            f"{found['video_s'] / found['wall_s']:12.0f}{found['peak_mb']:9.0f}{above:12.0f}"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--footage", type=Path, help="A folder of videos to take pictures from.")
    parser.add_argument("--encoder", default="demo", help="Which encoder `stages` encodes with.")
    parser.add_argument("--long-minutes", type=float, default=20)
    parser.add_argument("--cache", type=Path, help="Keep the videos here for the next run.")
    parser.add_argument("--only", nargs="*", default=["stages", "scaling", "library", "long"])
    options = parser.parse_args()
    results: dict[str, Any] = {"benchmark": "whole", "encoder": options.encoder}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        cache = options.cache or work / "cache"
        if "stages" in options.only:
            results["stages"] = stages(cache, work, options.footage, options.encoder)
        if "scaling" in options.only:
            results["scaling"] = scaling(cache, work, options.footage)
        if "library" in options.only:
            results["library"] = library_size(cache, work, options.footage)
        if "long" in options.only:
            results["long"] = long(cache, work, options.footage, options.long_minutes)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
