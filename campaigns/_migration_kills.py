"""SIGKILL while a library of an earlier format is brought to this one."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from campaigns._campaign import Case
from campaigns._children import Fault, call, start
from campaigns._old_libraries import FORMATS, dump, make_old_library


def kill_migration(case: Case) -> None:
    """Killed some times, then opened: all rows of an undisturbed migration."""
    revision = FORMATS[case.number % len(FORMATS)]
    original = Path(case.once(revision, lambda folder: call(make_old_library, folder, revision, log=case.log("old"))))
    library = case.folder / "library"

    def undisturbed(_: Path) -> tuple[object, float]:
        shutil.copytree(original, library)
        began = time.monotonic()
        rows = call(dump, library, log=case.log("undisturbed"))
        shutil.rmtree(library)
        return rows, time.monotonic() - began

    wanted, seconds = case.once(f"rows of {revision}", undisturbed)
    shutil.copytree(original, library)
    for turn in range(3):
        child = start(lambda: dump(library), case.log(f"run{turn}"))
        time.sleep(case.random.uniform(0, 1) * case.values.setdefault(f"seconds of {revision}", seconds))
        if child.ended():
            case.values[f"seconds of {revision}"] *= 0.8  # the first opening was slower than the others are
            if child.code:
                raise Fault(f"format {revision} was not opened: {child.last_words()}")
            break
        child.kill(group=True)
        case.count("kills")
        case.count("kills of migrations")
    found = call(dump, library, log=case.log("last"))
    for table, rows in wanted.items():
        if found.get(table) != rows:
            case.count("rows lost")
            raise Fault(f"format {revision}: {table} is not that of an undisturbed migration")
    if more := sorted(name for name in os.listdir(library) if "draft" in name or name.endswith(".partial")):
        raise Fault(f"format {revision}: left behind: {more}")
