"""Benchmark runner: `python -m benchmarks [NAME...] [--list] [--keep]`, or one with its own options: NAME -- ARGS.

Without names it runs those that need no more than this machine, together at most 35 minutes on two cores. Every program
prints a table and a last line of JSON; --keep adds that line, with date and machine, to benchmarks/results/NAME.json.
At the end it prints how long each took. Exit code 1 when one failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.commands.bench import find_programs, first_line
from files.replace import replace_file

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
_CHROMIUM = "drives a Chromium, which must be installed"
_CLIP = "needs the extra clip"
_WORDS = "needs the extras speech and ocr"
ON_DEMAND = {
    "page": _CHROMIUM,
    "page_load": _CHROMIUM,
    "page_idle": _CHROMIUM,
    "gpu": "needs an NVIDIA GPU",
    "openclip": _CLIP,
    "words": _WORDS,
    "server_scale": "starts a PostgreSQL of its own: needs the extra test, minutes and gigabytes",
}
"""Programs that run only when they are named, and why."""


def main(arguments: list[str], folder: Path = HERE, results: Path = RESULTS) -> int:
    """Run the chosen benchmarks one after the other; return the exit code."""
    names, own = _split(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="Which to run.")
    parser.add_argument("--list", action="store_true", help="Say which there are; run none.")
    parser.add_argument("--keep", action="store_true", help="Add results to benchmarks/results.")
    options = parser.parse_args(names)
    programs = find_programs(folder)
    unknown = [name for name in options.names if name not in programs]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(programs)}")
    if own and len(options.names) != 1:
        parser.error("options after -- belong to one benchmark: name exactly one before them")
    if options.list:
        for name, path in programs.items():
            alone = f" (only when named: {ON_DEMAND[name]})" if name in ON_DEMAND else ""
            print(f"{name:12}{first_line(path)}{alone}")
        return 0
    chosen = options.names or [name for name in programs if name not in ON_DEMAND]
    outcomes: list[tuple[str, float, bool]] = []
    for name in chosen:
        print(f"\n== {name}: {first_line(programs[name])}", flush=True)
        began = time.perf_counter()
        code, last = follow(programs[name], own)
        outcomes.append((name, time.perf_counter() - began, code == 0))
        if options.keep and code == 0:
            _keep(results / f"{name}.json", last)
    if len(outcomes) > 1:
        print()
        for name, seconds, well in outcomes:
            print(f"{'ok' if well else 'FAILED':8}{name:20}{seconds:8.1f} s")
        print(f"{'':8}{'together':20}{sum(seconds for _, seconds, _ in outcomes):8.1f} s")
    return 0 if all(well for _, _, well in outcomes) else 1


def follow(program: Path, arguments: list[str]) -> tuple[int, str]:
    """Run one benchmark from the root of the tree and pass its lines on; return its exit code and its last line."""
    command = [sys.executable, "-m", f"{program.parent.name}.{program.stem}", *arguments]
    last = ""
    with subprocess.Popen(command, cwd=program.parent.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                last = line.strip() or last
        except KeyboardInterrupt:
            process.terminate()
            raise
    return process.returncode, last


def machine() -> dict[str, Any]:
    """Return the properties of this machine that figures depend on."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    except OSError:  # not Linux
        pass
    return {"system": platform.system(), "processor": model, "cores": os.cpu_count(), "python": sys.version.split()[0]}


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split the arguments at a bare --: options of this program, and options of the benchmark."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _keep(file: Path, last: str) -> None:
    """Append a run to a file of runs, unless the last line is no JSON, which is an error of the benchmark."""
    try:
        result = json.loads(last)
    except ValueError:
        print(f"nothing is kept: the last line is not JSON ({last[:60]!r})", file=sys.stderr)
        return
    runs = json.loads(file.read_text("utf-8")) if file.is_file() else []
    runs.append({"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "result": result})
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, (json.dumps(runs, indent=1) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
