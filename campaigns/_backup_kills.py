"""SIGKILL of `backup` and `restore`: the library is whole, a copy is whole or refused, and the next one succeeds."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from campaigns._campaign import Case
from campaigns._children import Child, Fault, call, command, require_one_line
from campaigns._libraries import (
    DATABASE,
    examine,
    films,
    indexed,
    indexed_rows,
    require_command,
    require_same,
    snapshot,
)


def kill_backup(case: Case) -> None:
    """A backup that is killed, then one that is not."""
    require_command("backup")
    original = indexed(case, films(case, 7))
    wanted = indexed_rows(case, original)
    library = case.folder / "library"
    shutil.copytree(original, library)
    first, second = case.folder / "first", case.folder / "second"
    if _killed(case, ["backup", first, "--media", "--yes"], library) and (first / DATABASE).exists():
        examine(first)  # under its own name only when it is whole
    examine(library)
    _succeed(case, ["backup", second, "--media", "--yes"], library)
    examine(second)
    require_same(call(snapshot, second, log=case.log("snapshot")), wanted)
    require_same(call(snapshot, library, log=case.log("snapshot")), wanted)


def kill_restore(case: Case) -> None:
    """A restore that is killed, then one that is not."""
    require_command("backup")
    original = indexed(case, films(case, 7))
    wanted = indexed_rows(case, original)
    library, backup = case.folder / "library", case.folder / "backup"
    shutil.copytree(original, library)
    _succeed(case, ["backup", backup, "--media", "--yes"], library)
    if _killed(case, ["restore", backup, "--force"], library) and library.exists():
        examine(library)  # the one of before, or the restored one
    _succeed(case, ["restore", backup, "--force"], library)
    examine(library)
    require_same(call(snapshot, library, log=case.log("snapshot")), wanted)


def _succeed(case: Case, words: list[str | Path], library: Path) -> Child:
    child = command(words, case.log(str(words[0])), library=library)
    child.wait()
    require_one_line(child, str(words[0]), codes=[0])
    return child


def _killed(case: Case, words: list[str | Path], library: Path) -> bool:
    """Kill a command at a moment of the time that it takes; return whether it was killed before its end."""
    name = f"seconds of {words[0]}"
    child = command(words, case.log("killed"), library=library)
    time.sleep(case.random.uniform(0, case.values.setdefault(name, 0.6)))
    if child.ended():
        case.values[name] *= 0.8
        if child.code:
            raise Fault(f"{words[0]} ended with {child.code}: {child.last_words()}")
        return False
    case.values[name] *= 1.05
    child.kill(group=True)
    case.count("kills")
    case.count(f"kills of {words[0]}")
    return True
