#!/usr/bin/env python3
"""Set prismsearch up beside this file, then run it. Needs Python 3.11 or newer with venv, and nothing else.

  python3 dev.py demo          index the bundled demo library, search it, show the hits
  python3 dev.py test          every check and every test; with arguments, pytest alone with them
  python3 dev.py check         lint, formatting, types and import contracts, without the tests
  python3 dev.py bench         the benchmarks; with names, only those; --list says which there are
  python3 dev.py campaign      faults made on purpose: kills, full disks, damage, broken media, strangers; --minutes N
  python3 dev.py mutants ROOM  break a room in 80 places, one at a time, and count what its tests notice; --help
  python3 dev.py workers       two workers and a page of a library on PostgreSQL, over the demo videos or a FOLDER
  python3 dev.py run ARGS      the command `prismsearch ARGS`
  python3 dev.py lock          pin what pyproject.toml and package.json ask for (needs uv); --upgrade moves the pins
  python3 dev.py release       build and check wheel and source distribution of the last commit, in dist/

The first run makes .venv and installs the versions pinned in constraints.txt; the next ones only look at a stamp.
An installation that was interrupted has no stamp, so the same command goes on with it.
"""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.environment import prepare
from bootstrap.installers import diagnosis
from bootstrap.javascript import javascript_checks, lock_javascript, prepare_javascript
from bootstrap.locks import make_locks
from bootstrap.place import OLDEST_PYTHON, Place, Refusal, faiss_kind, say
from bootstrap.release import make_release
from bootstrap.steps import run_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORT_CAMPAIGN_MINUTES = "2"


def run_checks(place: Place, *, with_tests: bool) -> int:
    """Lint, format, types, contracts, tests; all of them even when one fails. Returns 0 only if all passed.

    The checks and the campaigns run beside pytest: mypy has one core's worth of work, and campaigns wait a lot.
    Without node or its packages the steps for JavaScript are skipped with a line that says so; in CI they fail.
    """
    python = [str(place.python), "-m"]
    contracts = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    steps = {
        "ruff check": [*python, "ruff", "check", "."],
        "ruff format": [*python, "ruff", "format", "--check", "."],
        "mypy --strict": [*python, "mypy"],
        "import contracts": [str(place.python), "-c", contracts],
    }
    skipped = None
    try:
        prepare_javascript(place)
        steps |= javascript_checks(place, with_tests=with_tests)
    except Refusal as refusal:
        skipped = str(refusal)
    tests = {}
    if with_tests:
        # One more than cores: tests wait for other processes for nearly half of their time.
        parallel = ["-n", str(min(4, (os.cpu_count() or 1) + 1)), "--dist=worksteal"]
        # Tests on a GPU would share its memory: they run one after the other.
        how = ["-m", "not slow"] if faiss_kind() == "gpu" else parallel
        steps["campaigns (short)"] = [*python, "campaigns", "--minutes", SHORT_CAMPAIGN_MINUTES]
        tests["pytest"] = [*python, "pytest", "-ra", "--durations=40", *how]
    results = run_steps(place.root, steps, at_once=1 if with_tests else 2, followed=tests)
    say("")
    for name, (code, seconds) in results.items():
        say(f"{'ok' if code == 0 else 'FAILED':8}{name:20}{seconds:6.1f} s")
    in_ci = bool(os.environ.get("CI"))
    if skipped:
        say(f"{'FAILED' if in_ci else 'skipped':8}JavaScript: {skipped}")
    if with_tests:
        without = "" if faiss_kind() == "gpu" else " and those marked gpu (no NVIDIA driver here)"
        say(f"Not run: tests marked slow{without}; `python3 dev.py test -m slow` runs the slow ones.")
    return 0 if all(code == 0 for code, _ in results.values()) and not (skipped and in_ci) else 1


def hand_over(command: list[str]) -> int:
    """Become the command, so that Ctrl-C and the exit code are its own."""
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.run(command).returncode


def main(arguments: Sequence[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        say(
            f"prismsearch needs Python 3.11 or newer, and this is {platform.python_version()} ({sys.executable}). "
            "Start dev.py with a newer one, for example: python3.12 dev.py demo"
        )
        return 1
    command, rest = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if command not in ("demo", "test", "check", "bench", "campaign", "mutants", "workers", "run", "lock", "release"):
        say((__doc__ or "").strip())
        return 0 if command in ("-h", "--help", "help") else 2
    place = Place(Path(__file__).resolve().parent)
    prismsearch = str(place.scripts / ("prismsearch.exe" if os.name == "nt" else "prismsearch"))
    try:
        if command == "lock":
            make_locks(place, upgrade="--upgrade" in rest)
            say(f"package-lock.json: {lock_javascript(place)} packages")
            return 0
        everything = command in ("test", "check", "mutants", "release")
        some = command in ("bench", "campaign", "workers")
        prepare(place, {"shots", "timelines", *(("clip", "test") if everything else ("test",) if some else ())})
        if command == "test" and rest:
            return hand_over([str(place.python), "-m", "pytest", *rest])
        if command in ("test", "check"):
            return run_checks(place, with_tests=command == "test")
        if command == "release":
            make_release(place)
            return 0
        if some:  # from the root: neither benchmarks/ nor campaigns/ is an installed package, and demo/ is none
            module = {"bench": "benchmarks", "campaign": "campaigns", "workers": "demo.workers"}[command]
            rest = [os.path.abspath(each) for each in rest] if command == "workers" else rest
            os.chdir(place.root)
            return hand_over([str(place.python), "-m", module, *rest])
        if command == "mutants":  # mutation/ is none, either
            if "javascript" in rest:
                prepare_javascript(place)
            os.chdir(place.root)
            return hand_over([str(place.python), "-m", "mutation", *rest])
        return hand_over([prismsearch, *([] if command == "run" else [command]), *rest])
    except Refusal as refusal:
        say(f"dev.py: {refusal}")
        return 1
    except OSError as error:
        say(f"dev.py: {diagnosis(str(error), place) or error}")
        return 1
    except KeyboardInterrupt:
        say("\ndev.py: stopped. The same command goes on where this one ended.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
