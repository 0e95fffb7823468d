"""Costs of quick and full passes, by part: CPU seconds for an hour of video, and the multiple of real time.

    python -m benchmarks.quick [--minutes 4] [--every 5] [--precision bfloat16] [--footage DIR] [--cache DIR] [--runs]
    python -m benchmarks.quick --index PATH [--precision bfloat16]

A video (1080p H.264, 25 frames a second) is made, with a key frame where a shot begins and at least every --every
seconds. Each pass is made in a process and a thread of its own, without an encoder, and its CPU seconds divided into
parts: scaling, looking for cuts, the shot network (for the detector `learned`), pictures, and decoding (with what is
left). The encoder has the size of LvT-B and random weights; it is timed alone, a clip of 16 and one of 4 frames. Clips
are counted as 680 an hour; --own-clips counts those of this video. "x real time" is an hour by the CPU seconds shared
among the cores, so what quiet cores would do; --runs also indexes the video by `index_folders`: quick, full, and quick
then full. --index PATH does only that, with a file or a folder of one's own. It prints tables, then JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._encoded_videos import RATE, Recipe, encoded
from benchmarks.encoder import write_weights

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = "videoprism_lvt_public_v1_base"
CLIPS_AN_HOUR = 680
GOALS = {"quick": 15.0, "quick, every frame": 4.5, "full": 2.3}
PARTS = ("decode", "scale", "cuts", "shot network", "pictures", "encode")


def run(*words: str) -> dict[str, Any]:
    """Run a task of `_quick_process` in a process of its own and return its figures."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks._quick_process", *words]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{command} failed")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def budget(found: dict[str, Any], clip_seconds: float, own_clips: bool) -> dict[str, float]:
    """Return CPU seconds for an hour of video, by part and in sum."""
    hours = found["video_s"] / 3600
    clips = found["clips"] / hours if own_clips else CLIPS_AN_HOUR
    table = {part: found["parts"].get(part, 0.0) / hours for part in PARTS if part != "encode"}
    if not own_clips:
        table["pictures"] *= clips * hours / found["clips"]
    table["encode"] = clips * clip_seconds
    return {**table, "sum": sum(table.values()), "clips": clips}


def show(tables: dict[str, dict[str, float]], cores: int) -> None:
    heads = (*PARTS, "sum")
    print(f"\n{'CPU s for an hour':24}" + "".join(f"{part:>14}" for part in heads) + f"{'x real time':>13}{'goal':>7}")
    for name, row in tables.items():
        speed = 3600 * cores / row["sum"]
        goal = f"{GOALS[name]:7.1f}" if name in GOALS else f"{'':7}"
        print(f"{name:24}" + "".join(f"{row[part]:14.1f}" for part in heads) + f"{speed:13.1f}{goal}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between key frames, at most")
    parser.add_argument("--precision", default="bfloat16", choices=("float32", "bfloat16", "int8"))
    parser.add_argument("--detector", default="learned", choices=("learned", "blend"))
    parser.add_argument("--footage", type=Path, help="a folder of videos to take pictures from; else they are drawn")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "prismsearch-benchmarks")
    parser.add_argument("--own-clips", action="store_true", help="count the clips of this video, not 680 an hour")
    parser.add_argument("--index", type=Path, metavar="PATH", help="only index this file or folder, in each way")
    parser.add_argument("--runs", action="store_true", help="also index it, which takes as long as an index run")
    options = parser.parse_args()
    if options.index:
        with tempfile.TemporaryDirectory() as folder:
            weights = write_weights(CONFIGURATION, Path(folder))
            print(json.dumps({"runs": runs(options.index, weights, options.precision, options.detector)}))
        return
    seconds = 24.0
    recipe = Recipe(
        name=f"quick 1080p {options.every:g} s {options.minutes:g} min", width=1920, height=1080, codec="libx264",
        options=(("preset", "fast"), ("crf", "22"), ("g", str(round(options.every * RATE)))), seconds=seconds,
        times=max(1, round(60 * options.minutes / seconds)),
    )  # fmt: skip
    video = encoded(recipe, options.cache, options.footage)
    cores = len(os.sched_getaffinity(0))
    passes = {
        "quick": run("pass", str(video), "key frames", options.detector),
        "full": run("pass", str(video), "every frame", options.detector),
    }
    with tempfile.TemporaryDirectory() as folder:
        weights = write_weights(CONFIGURATION, Path(folder))
        clip = {
            frames: run("encode", CONFIGURATION, str(weights), options.precision, str(frames))["cpu_s"]
            for frames in (4, 16)
        }
        tables = {
            "quick": budget(passes["quick"], clip[4], options.own_clips),
            "quick, every frame": budget(passes["full"], clip[4], options.own_clips),
            "full": budget(passes["full"], clip[16], options.own_clips),
        }
        both = {part: tables["quick"][part] + tables["full"][part] for part in (*PARTS, "sum", "clips")}
        tables["quick, then full"] = both
        print(f"{passes['full']['video_s']:.0f} s of 1080p, {cores} cores, {options.precision}, LvT-B, random weights")
        print(f"CPU s a clip: {clip[4]:.2f} at 4 frames, {clip[16]:.2f} at 16")
        for name, found in passes.items():
            print(f"{name} pass: {found['clips']} clips, {found['decoded']} of {found['frames']} frames decoded")
        show(tables, cores)
        result: dict[str, Any] = {"passes": passes, "clip_cpu_s": clip, "budget": tables, "cores": cores}
        if options.runs:
            result["runs"] = runs(video, weights, options.precision, options.detector)
    print(json.dumps(result))


def runs(video: Path, weights: Path, precision: str, detector: str) -> dict[str, Any]:
    """Index a video as a whole, by `index_folders`, and return wall and CPU seconds."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, library, quick in (
            ("quick", "staged", "quick"),
            ("quick, then full", "staged", "full"),
            ("full", "at once", "full"),
        ):
            words = (
                "index",
                str(video),
                f"{folder}/{library}",
                CONFIGURATION,
                str(weights),
                precision,
                detector,
                quick,
            )
            found[name] = run(*words)
            each = found[name]
            print(
                f"{name:24}{each['clips']:6} clips{each['wall_s']:9.1f} s wall{each['cpu_s']:9.1f} s CPU"
                f"{each['video_s'] / each['wall_s']:8.1f}x real time"
            )
    return found


if __name__ == "__main__":
    main()
