"""Two writers of one library: two index runs over one folder, edits during index, searches and doctor beside it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from campaigns._battery import require_words, run_all
from campaigns._campaign import Case, Kind, main
from campaigns._children import Fault, call, command, require_one_line, start
from campaigns._libraries import (
    BLEND,
    Watch,
    examine,
    films,
    indexed,
    indexed_rows,
    require_command,
    require_same,
    snapshot,
    wait_for,
)


def two_runs(case: Case) -> None:
    """Both end well, the rows are those of one run, and little is encoded twice."""
    folder = films(case)
    reference = indexed(case, folder)
    wanted = indexed_rows(case, reference)
    library, delay = case.folder / "library", case.random.choice([0.0, 0.05, 0.5, 1.0])
    words = ["index", folder, *BLEND, "--workers", "1", "--batch-size", "3", "--json"]
    runs = []
    for number in range(2):
        runs.append(command(words, case.log(f"run{number}"), library=library))
        time.sleep(delay)
    for run in runs:
        run.wait()
    for run in runs:
        require_one_line(run, "index beside another", codes=[0])
    added = sum(json.loads(run.printed)["added"] for run in runs)
    case.count("videos encoded", added)
    twice = max(0, added - len(wanted))
    case.count("videos encoded twice", twice)
    if twice > len(wanted) // 4:
        raise Fault(f"{twice} of {len(wanted)} videos were encoded by both runs")
    examine(library)
    require_same(call(snapshot, library, log=case.log("snapshot")), wanted)


def edits_beside_index(case: Case) -> None:
    """Collections are edited by another process while videos are stored: every edit is kept."""
    folder = films(case)
    reference = indexed(case, folder)
    wanted = indexed_rows(case, reference)
    library = case.folder / "library"
    run = command(["index", folder, *BLEND, "--workers", "1"], case.log("index"), library=library)
    watch = Watch(library)
    if wait_for(run, lambda: watch.count() > 0):
        editor = start(lambda: edit(library), case.log("edits"))
        run.wait()
        watch.close()
        if editor.wait() != 0:
            raise Fault(f"an edit failed: {editor.last_words()}")
        made = int(editor.printed.strip().splitlines()[-1])
        case.count("edits", made)
        if (kept := call(count_edits, library, log=case.log("kept"))) != made:
            raise Fault(f"{made} edits were made and {kept} are there")
    watch.close()
    require_one_line(run, "index beside edits", codes=[0])
    examine(library)
    require_same(call(snapshot, library, log=case.log("snapshot")), wanted)


def edit(library: Path) -> None:
    from db.library import Library
    from db.records import NewSubclip

    with Library.open(library, create=False) as opened:
        collection = opened.collections.create("Edits").id
        segment = next(iter(opened.segments(range(1, 500))))
        for number in range(40):
            opened.collections.add(collection, [NewSubclip(segment_id=segment, start_pts=number)])
    print(40)


def count_edits(library: Path) -> int:
    from db.library import Library

    with Library.open(library, create=False) as opened:
        return sum(each.items for each in opened.collections.all() if each.name == "Edits")


def readers_beside_index(case: Case) -> None:
    """Searches, lists and doctor while a run writes: each answers."""
    folder = films(case)
    library = case.folder / "library"
    run = command(["index", folder, *BLEND, "--workers", "2"], case.log("index"), library=library)
    watch = Watch(library)
    alive = wait_for(run, lambda: watch.count() > 1)
    watch.close()
    if alive:
        commands = [("list",), ("search", "red"), ("stats",), ("doctor",), ("search", "blue", "--json"), ("runs",)]
        require_words(run_all(library, commands, case.log("commands")), codes=[0, 1])
        case.count("answers beside a run", len(commands))
    run.wait()
    require_one_line(run, "index beside searches", codes=[0])
    examine(library)


def backup_beside_index(case: Case) -> None:
    """A backup of one moment of a run: whole, with all that was committed before it began."""
    require_command("backup")
    folder = films(case)
    library, copy = case.folder / "library", case.folder / "copy"
    run = command(["index", folder, *BLEND, "--workers", "1", "--batch-size", "3"], case.log("index"), library=library)
    watch = Watch(library)
    least = case.random.randint(1, 6)
    alive = wait_for(run, lambda: watch.count() >= least)
    before = watch.count()
    watch.close()
    if alive:
        words = ["backup", copy, *(["--media", "--yes"] if case.random.random() < 0.5 else [])]
        child = command(words, case.log("backup"), library=library)
        child.wait()
        require_one_line(child, "backup beside index", codes=[0])
    run.wait()
    require_one_line(run, "index beside a backup", codes=[0])
    now = examine(library)
    if alive:
        kept = call(paths, copy, log=case.log("paths"))
        if len(kept) < before or not kept <= now:
            raise Fault(f"{before} videos were committed and the backup has {len(kept)}")
        case.count("backups beside a run")


def paths(library: Path) -> set[str]:
    from db.library import Library

    with Library.open(library, create=False) as opened:
        return {video.path for video in opened.videos()}


KINDS = {
    "runs": Kind(two_runs),
    "edits": Kind(edits_beside_index),
    "readers": Kind(readers_beside_index),
    "backup": Kind(backup_beside_index),
}

if __name__ == "__main__":
    sys.exit(main("writers", KINDS, sys.argv[1:], __doc__))
