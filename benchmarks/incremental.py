"""Incremental `index`: whole processes, over many files of which few or none are new.

    python -m benchmarks.incremental [--files 10000] [--new 10] [--runs 5]

There are a folder of --files small files and a library that knows them all, by rows as indexing with the demo encoder
would have left them. Then the command runs with nothing new, with --new real videos among them, and with as many of
which only the time has changed. `ls -lR` of the same folder and `prismsearch --help` are the floors. It prints wall and
CPU seconds (medians), then JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRISMSEARCH = [sys.executable, "-c", "from app.cli import main; main(prog_name='prismsearch')"]
EACH_FOLDER = 100


def lay_out(folder: Path, files: int) -> None:
    """Create files with the names of videos, in folders of a hundred, each with a time of its own."""
    for number in range(files):
        file = folder / f"day {number // EACH_FOLDER:03d}" / f"clip {number:05d}.mp4"
        if number % EACH_FOLDER == 0:
            file.parent.mkdir(parents=True)
        file.write_bytes(number.to_bytes(64, "little"))
        os.utime(file, (1_700_000_000 + number, 1_700_000_000 + number))


def make_known(directory: Path, folder: Path, segments: int = 10) -> None:
    """Make a library that has every file below the folder under the default settings of `index`."""
    from db.library import Library
    from db.records import EncoderChoice, Video
    from db.rows import VIDEO
    from db.schema import videos
    from encoder import load_encoder
    from indexer.fingerprint import fingerprint
    from indexer.settings import IndexSettings

    encoder = load_encoder("demo", "cpu")
    row = [encoder.dim**-0.5] * encoder.dim
    import numpy as np

    stored = np.asarray(row, "<f2").tobytes()
    recipe = IndexSettings().recipe(encoder.clip_spec)
    with Library.open(directory) as library, library._database.writing() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("INSERT INTO encoders (number, id, dim) VALUES (1, ?, ?)", (encoder.id, encoder.dim))
        next_segment = 1
        for number, file in enumerate(sorted(folder.rglob("*.mp4")), start=1):
            status = file.stat()
            video = Video(
                path=str(file), fingerprint=fingerprint(file), size_bytes=status.st_size, width=640, height=360,
                modified_ns=status.st_mtime_ns, time_base=Fraction(1, 25), start_pts=0, end_pts=100 * segments,
                frame_rate=Fraction(25), frames=100 * segments, codec="h264",
            )  # fmt: skip
            connection.execute(videos.insert().values(id=number, **VIDEO.values(video)))
            spans = [(number, at, at * 100, (at + 1) * 100) for at in range(segments)]
            driver.executemany("INSERT INTO shots VALUES (?, ?, ?, ?)", spans)
            driver.executemany(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)",
                [(next_segment + at, number, at, at, start, end) for _, at, start, end in spans],
            )
            driver.executemany(
                "INSERT INTO embeddings VALUES (1, ?, ?)", [(next_segment + at, stored) for at in range(segments)]
            )
            driver.execute("INSERT INTO encodings VALUES (?, 1, ?)", (number, recipe))
            next_segment += segments
    spec = encoder.clip_spec
    choice = EncoderChoice(name="videoprism_lvt_demo", encoder_id=encoder.id, frames=spec.frames, fit=spec.fit)
    with Library.open(directory) as library:
        library.use_encoders(choice)


def timed(command: list[str]) -> tuple[float, float, str]:
    """Return wall and CPU seconds of a process and its children, and its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    wall = perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def index(library: Path, folder: Path) -> list[str]:
    return [*PRISMSEARCH, "--library", str(library), "index", str(folder), "--json"]


def add_new(folder: Path, new: int, run: int) -> None:
    """Add real videos that the library does not know: demo clips with some bytes appended."""
    sources = sorted((ROOT / "app" / "demo_library").glob("*.mp4"))
    for number in range(new):
        made = folder / "new" / f"run {run} {number}.mp4"
        made.parent.mkdir(exist_ok=True)
        shutil.copy(sources[number % len(sources)], made)
        with made.open("ab") as file:
            file.write((16).to_bytes(4, "big") + b"free" + run.to_bytes(4, "big") + number.to_bytes(4, "big"))


def touch(folder: Path, count: int, run: int) -> None:
    for file in sorted(folder.glob("day 000/*.mp4"))[:count]:
        os.utime(file, (1_800_000_000 + run, 1_800_000_000 + run))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--new", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    measured: dict[str, list[tuple[float, float]]] = {}
    stages: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder, library = Path(temporary) / "footage", Path(temporary) / "library"
        lay_out(folder, options.files)
        make_known(library, folder)

        def note(name: str, command: list[str], **wanted: int) -> None:
            wall, cpu, said = timed(command)
            measured.setdefault(name, []).append((wall, cpu))
            if wanted:
                report: dict[str, Any] = json.loads(said)
                stages[name] = report["seconds"]
                found = {key: report[key] for key in wanted}
                if found != wanted:
                    raise SystemExit(f"{name}: expected {wanted}, got {found}")

        for run in range(options.runs + 1):
            held = options.files + run * options.new
            note("ls -lR", ["ls", "-lR", str(folder)])
            note("prismsearch --help", [*PRISMSEARCH, "--help"])
            note("nothing new", index(library, folder), unchanged=held, added=0)
            touch(folder, options.new, run)
            note(f"{options.new} touched", index(library, folder), touched=options.new, unchanged=held - options.new)
            add_new(folder, options.new, run)
            note(f"{options.new} new", index(library, folder), added=options.new, unchanged=held)
    table = {}
    for name, runs in measured.items():
        wall, cpu = (statistics.median(column) for column in zip(*runs[1:], strict=True))  # the first warms up
        table[name] = {
            "wall_s": round(wall, 3),
            "cpu_s": round(cpu, 3),
            **({"stages": stages[name]} if name in stages else {}),
        }
        parts = "  ".join(f"{stage} {seconds:.2f}" for stage, seconds in stages.get(name, {}).items())
        print(f"{name:24}{wall:8.2f} s wall{cpu:8.2f} s CPU   {parts}")
    print(json.dumps({"benchmark": "incremental", "files": options.files, "runs": options.runs, **table}))


if __name__ == "__main__":
    main()
