"""SIGKILL of `index`: at any moment, but mostly just when videos are being stored."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from campaigns._campaign import Case
from campaigns._children import Fault, call, command, left_behind, require_one_line
from campaigns._libraries import BLEND, Watch, examine, films, indexed, indexed_rows, require_same, snapshot, wait_for

MOST_KILLS = 12


def kill_index(case: Case) -> None:
    """One library, killed again and again until it is whole: that of an undisturbed run."""
    folder = films(case)
    reference = indexed(case, folder)
    wanted = indexed_rows(case, reference)
    library = case.folder / "library"
    kept: set[str] = set()
    for turn in range(MOST_KILLS):
        if not _killed(case, turn, folder, library, kept):
            break
        now = examine(library) if (library / "library.sqlite3").exists() else set()
        if kept - now:
            case.count("rows lost", len(kept - now))
            raise Fault(f"{len(kept - now)} committed videos are gone after kill {turn}")
        kept = now
    last = command(["index", folder, *BLEND], case.log("last"), library=library)
    last.wait()
    require_one_line(last, "the run after the kills", codes=[0])
    examine(library)
    require_same(call(snapshot, library, log=case.log("snapshot")), wanted)


def _killed(case: Case, turn: int, folder: Path, library: Path, kept: set[str]) -> bool:
    """Run once and kill; return whether it was killed before it ended by itself."""
    draw = case.random
    anywhere, more, delay = draw.random() < 0.15, draw.randint(1, 3), draw.expovariate(1 / 0.04)
    early, group = draw.uniform(0, 2.0), draw.random() < 0.5
    words: list[Any] = ["index", folder, *BLEND, "--workers", str(draw.choice([1, 2])), "--batch-size", "3"]
    child = command(words, case.log(f"run{turn}"), library=library)
    watch = Watch(library)
    began = time.monotonic()
    target = len(kept) + more
    if anywhere:
        alive = wait_for(child, lambda: time.monotonic() - began > early)
    else:
        alive = wait_for(child, lambda: watch.count() >= max(1, target))
    if alive:
        time.sleep(delay)
    seen = watch.count()
    watch.close()
    if child.ended():
        require_one_line(child, "index", codes=[0])
        return False
    child.kill(group=group)
    _require_nobody_left(case, child.pid, library)
    child.sweep()
    case.count("kills")
    case.count("kills after storing", int(seen > len(kept)))
    if len(kept) < seen:
        now = examine(library)
        if len(now) < seen:
            case.count("rows lost", seen - len(now))
            raise Fault(f"{seen} videos were committed and {len(now)} are there after kill {turn}")
    return True


def _require_nobody_left(case: Case, pid: int, library: Path) -> None:
    """Workers of a killed run end by themselves."""
    deadline = time.monotonic() + 10
    while (left := left_behind(f"PRISMSEARCH_LIBRARY={library}")) and time.monotonic() < deadline:
        time.sleep(0.05)
    if left:
        raise Fault(f"{len(left)} processes of a killed run live on after 10 s")
