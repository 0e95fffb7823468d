"""A disk that is full or read-only under index, words, export, edits, backup: one line, and it goes on with room."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from campaigns._battery import require_words, run_all
from campaigns._campaign import Case, Kind, main
from campaigns._children import Fault, call, command, require_one_line
from campaigns._export_kills import MODES, contents, make_sources, require_equal
from campaigns._libraries import (
    BLEND,
    DATABASE,
    examine,
    films,
    indexed,
    indexed_rows,
    require_command,
    require_same,
    snapshot,
)
from campaigns._old_libraries import FORMATS, dump, make_old_library
from campaigns._small_disk import SmallDisk, small_disk
from campaigns._word_disks import fill_words

COMMANDS: Sequence[Sequence[object]] = (
    ("list",),
    ("stats",),
    ("search", "red", "-k", "3"),
    ("runs",),
    ("doctor",),
    ("search", "blue", "--json"),
)


def fill_index(case: Case) -> None:
    """The library's disk is full at some moment of a run."""
    folder = films(case)
    reference = indexed(case, folder)
    wanted = indexed_rows(case, reference)
    size = sum(path.stat().st_size for path in reference.rglob("*") if path.is_file())
    with small_disk(case.folder / "disk") as disk:
        library = disk.folder / "library"
        disk.resize(int(case.random.uniform(0.02, 1.1) * size))
        run = command(["index", folder, *BLEND, "--workers", "2"], case.log("full"), library=library)
        run.wait()
        case.count("runs on a full disk" if run.code else "runs that fitted")
        require_one_line(run, "index on a full disk", codes=[0, 1, 3])
        disk.free()
        if (library / "library.sqlite3").exists() and (library / "library.sqlite3").stat().st_size:
            examine(library)
        again = command(["index", folder, *BLEND], case.log("again"), library=library)
        again.wait()
        require_one_line(again, "index with room again", codes=[0])
        examine(library)
        require_same(call(snapshot, library, log=case.log("snapshot")), wanted)


def fill_export(case: Case) -> None:
    """The disk of the clips is full; with room again, the same command ends as if undisturbed."""
    sources = Path(case.once("sources", lambda folder: call(make_sources, folder, log=case.log("sources"))))
    mode, zipped = MODES[case.number % 3], case.random.random() < 0.4
    ranges = [f"{sources}/one.mp4@{start}-{start}.5" for start in (0, 1, 2)]
    with small_disk(case.folder / "disk") as disk:
        target = disk.folder / ("out.zip" if zipped else "clips")
        words: list[Any] = ["export", *ranges, "--mode", mode, "--zip" if zipped else "--to", target, "--list", "csv"]

        def undisturbed(_: Path) -> tuple[dict[str, str], int]:
            child = command(words, case.log("undisturbed"))
            child.wait()
            require_one_line(child, "the undisturbed export", codes=[0])
            content, size = contents(target), disk.used()
            shutil.rmtree(target) if target.is_dir() else target.unlink()
            return content, size

        wanted, size = case.once(f"{mode} {zipped}", undisturbed)
        disk.resize(max(4096, int(case.random.uniform(0.0, 1.3) * size)))
        child = command(words, case.log("full"))
        child.wait()
        case.count("exports on a full disk" if child.code else "exports that fitted")
        require_one_line(child, f"{mode}: export on a full disk", codes=[0, 1, 3])
        disk.free()
        if child.code:
            child = command(words, case.log("again"))
            child.wait()
            require_one_line(child, f"{mode}: export with room again", codes=[0])
        require_equal(contents(target), wanted, mode)


def fill_edits(case: Case) -> None:
    """Edits of collections on a disk that fills up: refused in words, and what was there is kept."""
    original = indexed(case, films(case, 7))
    with small_disk(case.folder / "disk") as disk:
        library = disk.folder / "library"
        shutil.copytree(original, library)
        disk.leave(int(case.random.uniform(0, 120_000)))
        kept, refused = call(edit_until_refused, library, log=case.log("edits"))
        case.count("edits", kept)
        case.count("refused", int(bool(refused)))
        disk.free()
        examine(library)
        if (found := call(edits, library, log=case.log("kept"))) < kept:
            raise Fault(f"{kept} edits were made and {found} are there")


def edit_until_refused(library: Path) -> tuple[int, str]:
    """Return how many edits were made, and the words with which the next was refused."""
    from db.errors import LibraryError
    from db.library import Library
    from db.records import NewSubclip

    made = 0
    try:
        with Library.open(library, create=False) as opened:
            tray = opened.collections.create("Full").id
            for number in range(60):
                item = NewSubclip(segment_id=1, start_pts=number, note=f"{number} " + "x" * 1500)
                opened.collections.add(tray, [item])
                made += 1
    except LibraryError as error:
        return made, str(error)
    return made, ""


def edits(library: Path) -> int:
    from db.library import Library

    with Library.open(library, create=False) as opened:
        return sum(each.items for each in opened.collections.all() if each.name == "Full")


def fill_migration(case: Case) -> None:
    """A library of an earlier format on a disk without room for the work."""
    revision = FORMATS[case.number % len(FORMATS)]
    original = Path(case.once(revision, lambda folder: call(make_old_library, folder, revision, log=case.log("old"))))

    def undisturbed(folder: Path) -> Any:
        shutil.copytree(original, folder)
        return call(dump, folder, log=case.log("undisturbed"))

    wanted = case.once(f"rows of {revision}", undisturbed)
    with small_disk(case.folder / "disk") as disk:
        library = disk.folder / "library"
        shutil.copytree(original, library)
        disk.leave(int(case.random.uniform(0, 3) * disk.used()))
        answers = run_all(library, [("list",)], case.log("full"))
        require_words(answers, codes=[0, 3])
        case.count("refused", int(answers[0].code != 0))
        disk.free()
        found = call(dump, library, log=case.log("again"))
    for table, rows in wanted.items():
        if found.get(table) != rows:
            raise Fault(f"format {revision}: {table} is not that of an undisturbed migration")


def fill_backup(case: Case) -> None:
    """A backup onto a disk without room for it."""
    require_command("backup")
    original = indexed(case, films(case, 7))
    size = sum(path.stat().st_size for path in original.rglob("*") if path.is_file())
    with small_disk(case.folder / "disk") as disk:
        disk.resize(max(4096, int(case.random.uniform(0, 1.2) * size)))
        words = ["backup", disk.folder / "first", "--media", "--yes"]
        child = command(words, case.log("full"), library=original)
        child.wait()
        require_one_line(child, "backup onto a full disk", codes=[0, 1, 3])
        case.count("backups on a full disk" if child.code else "backups that fitted")
        disk.free()
        if not child.code or (disk.folder / "first" / DATABASE).exists():
            examine(disk.folder / "first")
        again = command(["backup", disk.folder / "second", "--media", "--yes"], case.log("again"), library=original)
        again.wait()
        require_one_line(again, "backup with room again", codes=[0])
        examine(disk.folder / "second")


def read_only(case: Case) -> None:
    """A library on a medium that cannot be written: it is searched; what must write says so."""
    original = indexed(case, films(case, 7))
    films_folder = films(case, 7)
    with small_disk(case.folder / "disk") as disk:
        library = disk.folder / "library"
        shutil.copytree(original, library)
        if case.random.random() < 0.5:
            run_all(library, [("search", "red")], case.log("before"))
        disk.read_only(on=True)
        try:
            answers = run_all(library, COMMANDS, case.log("commands"))
            require_words(answers, codes=[0, 1])
            writing = [("index", films_folder, *BLEND, "--redo"), ("remove", films_folder, "--yes")]
            require_words(run_all(library, writing, case.log("writing")), codes=[0, 1, 2, 3])
            _refuse_to_write(case, disk)
        finally:
            disk.read_only(on=False)
        examine(library)
        case.count("libraries that were searched")


def _refuse_to_write(case: Case, disk: SmallDisk) -> None:
    child = command(["export", f"{films(case, 7)}/06.mp4@0-0.4", "--to", disk.folder / "clips"], case.log("export"))
    child.wait()
    require_one_line(child, "export to a read-only disk", codes=[1, 3])


KINDS = {
    "index": Kind(fill_index),
    "words": Kind(fill_words),
    "export": Kind(fill_export, 3),
    "edits": Kind(fill_edits),
    "migration": Kind(fill_migration),
    "backup": Kind(fill_backup),
    "read-only": Kind(read_only),
}

if __name__ == "__main__":
    sys.exit(main("full", KINDS, sys.argv[1:], __doc__))
