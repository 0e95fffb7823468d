"""Overhead of the indexer's decode pass: the whole pass over a video, without the encoder, against bare decoding.

    python -m benchmarks.decode [--footage DIR] [--only NAME] [--rounds 2] [--threads N] [--cache DIR]

It makes its videos (1080p H.264 and HEVC, 720p VP9, 4K H.264) from the videos in DIR, or from a drawn world, keeps them
in a temporary folder, and runs in alternation, with the same decoder threads:

    floor      decode every frame with PyAV and discard it
    all        the pass: shots, clips, posters, previews, content fingerprint, media files, one row of zeros per segment
    reference  the same, without decoding frames on which no other depends
    detect+seek  PySceneDetect's detect(), then seeking for the frames of each shot (once, for the first video, unless
                 --seek asks for all)

For each video it prints the CPU and wall milliseconds per frame of the floor, the ratios of the others to it (medians
over the rounds), and the peak memory of the pass in a process of its own. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks._encoded_videos import RECIPES, WARM_UP, encoded
from encoder import ClipSpec
from indexer.settings import IndexSettings

SPEC = ClipSpec(16, 288)  # of the full-size encoders
DIMENSIONS = 768


def floor(path: Path, threads: int) -> int:
    """Decode a video and discard its frames; return their number."""
    from indexer.media.probe import open_source

    frames = 0
    with open_source(str(path), threads=threads) as source:
        for packet in source.container.demux(source.stream):
            frames += len(source.stream.codec_context.decode(packet if packet.size else None))
    return frames


def whole_pass(path: Path, threads: int, decode: str) -> int:
    """Do all of indexing a video except encoding, into a new library; return the number of frames."""
    from db.library import Library
    from indexer.fingerprint import fingerprint
    from indexer.video_pass import VideoPass

    settings = IndexSettings(decode_threads=threads, decode=decode)
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder)) as library:
        content = fingerprint(path)
        recipe = settings.recipe(SPEC)
        media = library.stage_media(content, recipe)
        reading = VideoPass(str(path), SPEC, settings, fingerprint=content)
        for made in reading:
            media.add(made.segment.number, made.poster, made.preview)
        rows = np.zeros((len(reading.segments), DIMENSIONS), np.float32)
        rows[:, 0] = 1
        library.add_video(
            reading.video, reading.shots, reading.segments, rows, encoder_id="none", recipe=recipe, media=media
        )
        return reading.video.frames


def detect_and_seek(path: Path, threads: int) -> int:
    """Find shots with PySceneDetect, then seek to the 16 frames and the poster of each."""
    import cv2
    import scenedetect

    cv2.setNumThreads(threads)
    shots = scenedetect.detect(str(path), scenedetect.AdaptiveDetector(), start_in_scene=True)
    capture = cv2.VideoCapture(str(path))
    taken = 0
    for start, end in shots:
        first, last = start.frame_num, end.frame_num
        for k in range(SPEC.frames):
            capture.set(cv2.CAP_PROP_POS_FRAMES, first + k * (last - first) // SPEC.frames)
            read, picture = capture.read()
            if read:
                cv2.resize(picture, (SPEC.size, SPEC.size), interpolation=cv2.INTER_AREA)
                taken += 1
    return taken


def timed(work: Callable[[], int]) -> tuple[float, float, int]:
    """Return CPU seconds of the process, wall seconds, and the result of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def peak_memory(path: Path, threads: int, decode: str) -> float:
    """Return the peak memory in MiB of a process that does one pass; imported libraries take about 150 of it."""
    code = f"from benchmarks import decode; decode.report_peak({str(path)!r}, {threads}, {decode!r})"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def report_peak(path: str, threads: int, decode: str) -> None:
    whole_pass(Path(path), threads, decode)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2))


def measure(path: Path, threads: int, rounds: int, seek: bool) -> dict[str, float]:
    ways: dict[str, Callable[[], int]] = {
        "floor": lambda: floor(path, threads),
        "all": lambda: whole_pass(path, threads, "all"),
        "reference": lambda: whole_pass(path, threads, "reference"),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in (*ways, "detect_seek")}
    frames = 0
    for _ in range(rounds):
        for name, work in ways.items():
            cpu, wall, given = timed(work)
            taken[name].append((cpu, wall))
            if name == "floor":
                frames = given
            elif given != frames:
                raise SystemExit(f"{path.name}: {given} frames counted where {frames} are decoded ({name})")
    if seek:
        taken["detect_seek"].append(timed(lambda: detect_and_seek(path, threads))[:2])
    result = {"frames": float(frames)}
    for kind, place in (("cpu", 0), ("wall", 1)):
        base = statistics.median(each[place] for each in taken["floor"])
        result[f"floor_{kind}_ms"] = base / frames * 1000
        for name in ("all", "reference"):
            ratios = [a[place] / b[place] for a, b in zip(taken[name], taken["floor"], strict=True)]
            result[f"{name}_{kind}"] = statistics.median(ratios)
        if seek:
            ours = statistics.median(each[place] for each in taken["all"])
            result[f"detect_seek_{kind}"] = taken["detect_seek"][0][place] / base
            result[f"faster_than_detect_seek_{kind}"] = taken["detect_seek"][0][place] / ours
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--footage", type=Path, help="a folder of videos to take pictures from")
    parser.add_argument("--only", help="the videos whose name contains this")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=min(8, os.cpu_count() or 1), help="of the decoder")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "prismsearch-benchmark-videos")
    parser.add_argument("--seek", action="store_true", help="PySceneDetect with seeking on every video")
    arguments = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    print(
        f"{'':14}{'floor, ms a frame':>20}{'all':>16}{'reference':>16}{'detect+seek':>16}{'faster':>16}{'memory':>10}\n"
        f"{'':14}{'CPU / wall':>20}{'CPU / wall':>16}{'CPU / wall':>16}{'CPU / wall':>16}{'CPU / wall':>16}{'MiB':>10}"
    )
    warm = encoded(WARM_UP, arguments.cache, arguments.footage)
    for decode in ("all", "reference"):  # imports
        whole_pass(warm, arguments.threads, decode)
    for recipe in RECIPES:
        if arguments.only and arguments.only not in recipe.name:
            continue
        path = encoded(recipe, arguments.cache, arguments.footage)
        found = measure(path, arguments.threads, arguments.rounds, arguments.seek or not results)
        found["peak_mib"] = peak_memory(path, arguments.threads, "all")
        results[recipe.name] = {name: round(value, 3) for name, value in found.items()}
        cells = [f"{found['floor_cpu_ms']:.2f} / {found['floor_wall_ms']:.2f}".rjust(20)]
        for name in ("all", "reference", "detect_seek", "faster_than_detect_seek"):
            both = [found.get(f"{name}_{kind}") for kind in ("cpu", "wall")]
            cells.append(" / ".join("-" if each is None else f"{each:.2f}" for each in both).rjust(16))
        print(f"{recipe.name:14}{''.join(cells)}{found['peak_mib']:10.0f}", flush=True)
    print(json.dumps({"benchmark": "decode", "threads": arguments.threads, "videos": results}))


if __name__ == "__main__":
    main()
