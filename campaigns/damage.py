"""Flips, cuts, empties and swaps in database, vector files, media, manifests and journals: seen, or without effect.

A damage is silent when something that is used has changed and `check` names nothing; raw when a command ends in a
traceback, by a signal or with "an error in prismsearch itself".
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from campaigns._battery import Answer, require_words, run_all
from campaigns._campaign import Case, Kind, main
from campaigns._children import Fault, call, command
from campaigns._export_kills import make_sources
from campaigns._libraries import BLEND, DATABASE, indexed, snapshot, wait_for
from campaigns._libraries import films as films_of
from campaigns._mutations import DAMAGES, damaged

SEARCH = ("search", "red", "-k", "30", "--show-duplicates", "--json")


def prepared(case: Case) -> tuple[Path, Path, dict[str, Any]]:
    """Return films, a library of them with a collection, and what it holds; made once for all kinds."""

    def make(_: Path) -> tuple[Path, Path, dict[str, Any]]:
        films = films_of(case, 7)
        library = indexed(case, films)
        call(collect, library, log=case.log("collect"))
        run_all(library, [SEARCH], case.log("search"))  # which writes the vector files
        with contextlib.closing(sqlite3.connect(library / DATABASE)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return films, library, call(holdings, library, log=case.log("holdings"))

    made: tuple[Path, Path, dict[str, Any]] = case.once("prepared", make, common=True)
    return made


def collect(library: Path) -> None:
    from db.library import Library
    from db.records import NewSubclip

    with Library.open(library, create=False) as opened:
        tray = opened.collections.tray().id
        video = opened.videos()[0]
        assert video.id is not None
        ids = [part.id for part in opened.segments_of(video.id) if part.id is not None]
        opened.collections.add(tray, [NewSubclip(segment_id=each, note="a note") for each in ids])
        opened.searches.save("mine", "?q=red")


def holdings(library: Path) -> dict[str, Any]:
    """Return what a library holds, and what its check says. `refused` where it does not open or cannot be read."""
    from db.errors import LibraryError
    from db.library import Library

    try:
        with Library.open(library, create=False) as opened:
            problems = opened.check()
            kept = [
                (
                    each.name,
                    [
                        (part.start_pts, part.end_pts, part.name, part.note)
                        for part in opened.collections.subclips(each.id)
                    ],
                )
                for each in opened.collections.all()
            ]
            searches = [(each.name, each.link) for each in opened.searches.all()]
        return {"problems": problems, "videos": snapshot(library), "texts": (kept, searches)}
    except LibraryError as error:
        return {"refused": str(error)}
    except FileNotFoundError as error:  # a picture that went away
        return {"problems": problems, "without": str(error)}


def battery(case: Case, films: Path) -> list[Sequence[object]]:
    """Return `list`, a search, and some of the other commands."""
    others: list[Sequence[object]] = [
        ("stats",),
        ("runs",),
        ("export", "--collection", "Tray", "--to", case.folder / "lists", "--lists-only", "--list", "csv"),
        ("index", films, *BLEND),
    ]
    if case.random.random() < 0.1:
        others = [("doctor",), *others[:1]]  # which takes as long as all the others
    return [("list",), SEARCH, *case.random.sample(others, 2)]


def damage_file(case: Case, file: Path, names: Sequence[str] = tuple(DAMAGES)) -> str:
    name, data = damaged(file.read_bytes(), case.random, names)
    file.write_bytes(data)
    case.count(name)
    return f"{name} in {file.name}"


def work_on(case: Case, library: Path) -> Path:
    copy = case.folder / "library"
    shutil.copytree(library, copy)
    return copy


def judge(case: Case, copy: Path, wanted: dict[str, Any], what: str) -> None:
    """Raise Fault where the library holds something else and does not say so."""
    found = call(holdings, copy, log=case.log("holdings"))
    if "refused" in found:
        case.count("refused")
    elif found["problems"]:
        case.count("named")
    elif "without" in found:
        raise Fault(f"silent: {what}: check names nothing, and {found['without']}")
    elif found["videos"] != wanted["videos"]:
        case.count("silent")
        raise Fault(f"silent: {what}: {difference(found['videos'], wanted['videos'])}, and check names nothing")
    elif found["texts"] != wanted["texts"]:
        case.count("silent")
        raise Fault(f"silent: {what}: a collection or saved search has changed, and check names nothing")
    else:
        case.count("without effect")


def difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    if found.keys() != wanted.keys():
        return f"{len(wanted.keys() - found.keys())} videos are gone, {len(found.keys() - wanted.keys())} are new"
    return ", ".join(
        f"{name} of {os.path.basename(path)!r}"
        for path in wanted
        for name in wanted[path]
        if found[path][name] != wanted[path][name]
    )[:200]


def damage_database(case: Case) -> None:
    films, library, wanted = prepared(case)
    copy = work_on(case, library)
    what = damage_file(case, copy / DATABASE)
    judge(case, copy, wanted, what)
    try:
        require_words(run_all(copy, battery(case, films), case.log("commands")))
    except Fault as fault:
        raise Fault(f"{fault} (after {what})") from fault


def damage_vectors(case: Case) -> None:
    """Vector files are derived: whatever happens to them, the hits are those of before."""
    _, library, _ = prepared(case)

    def ask(_: Path) -> Any:
        return told(run_all(work_on(case, library), [SEARCH], case.log("undamaged"))[0])

    def told(answer: Answer) -> Any:
        return [answer.code, json.loads(answer.out)["hits"]]  # the code says whether there was a good match

    wanted = case.once("hits", ask)
    shutil.rmtree(case.folder / "library", ignore_errors=True)
    copy = work_on(case, library)
    files = sorted(path for path in (copy / "vectors").iterdir() if path.is_file())
    if case.random.random() < 0.15 and len(files) > 1:
        one, other = case.random.sample(files, 2)
        other.write_bytes(one.read_bytes())
        what = f"{other.suffix} is a copy of {one.suffix}"
        case.count("swapped files")
    else:
        what = damage_file(case, case.random.choice(files))
    answers = run_all(copy, [SEARCH, ("stats",), SEARCH], case.log("commands"))
    require_words(answers)
    for answer in (answers[0], answers[2]):
        if not answer.out or told(answer) != wanted:
            case.count("silent")
            raise Fault(f"silent: {what}: other hits than before (exit code {answer.code}) {answer.err[-200:]!r}")
    case.count("without effect")


def damage_media(case: Case) -> None:
    """Posters and previews. A change that keeps the length is a blemish in a picture, counted apart."""
    films, library, _ = prepared(case)
    copy = work_on(case, library)
    file = case.random.choice(sorted((copy / "media").rglob("*.*")))
    size = file.stat().st_size
    if case.random.random() < 0.2:
        file.unlink()
        what = f"{file.name} removed"
        case.count("removed")
    else:
        what = damage_file(case, file)
    same_length = file.exists() and file.stat().st_size == size
    problems = call(check, copy, log=case.log("check"))
    if problems:
        case.count("named")
    elif same_length:
        case.count("blemish in a picture")
    else:
        case.count("silent")
        raise Fault(f"silent: {what}: check names nothing")
    require_words(run_all(copy, [*battery(case, films), ("index", films, *BLEND)], case.log("commands")))
    if problems and (still := call(check, copy, log=case.log("check"))):
        raise Fault(f"{what}: index did not mend it: {still[0]}")


def check(library: Path) -> list[str]:
    from db.library import Library

    with Library.open(library, create=False) as opened:
        return opened.check()


def damage_manifest(case: Case) -> None:
    """The manifest of an export that was killed: the clips are all there in the end, and nothing else is touched."""

    def begun(folder: Path) -> tuple[list[Any], Path]:
        sources = Path(call(make_sources, case.shared / "sources", log=case.log("sources")))
        ranges = [f"{sources}/one.mp4@{start}-{start}.4" for start in (0, 1, 2)]
        words = ["export", *ranges, "--to", case.folder / "clips", "--list", "csv"]
        child = command(words, case.log("begun"))
        wait_for(child, lambda: len(list((case.folder / "clips").glob("0*.mp4"))) >= 2)
        child.kill(group=True)
        os.rename(case.folder / "clips", folder)
        return words, folder

    words, half = case.once("half", begun)
    clips = case.folder / "clips"
    shutil.copytree(half, clips)  # with times: a manifest knows files by them
    manifests = [path for path in clips.iterdir() if path.name.startswith(".") and path.suffix == ".json"]
    if not manifests:
        raise Fault("an export that was killed left no manifest")
    victim = case.folder / "victim.txt"
    victim.write_text("untouched")
    damage_file(case, manifests[0])
    child = command(words, case.log("again"))
    if child.wait() != 0:
        raise Fault(f"raw: the export ended with {child.code}: {child.last_words()}")
    if len({path.name[:3] for path in clips.glob("0*.mp4")}) != 3 or not (clips / "clips.csv").exists():
        raise Fault(f"silent: clips are missing: {sorted(path.name for path in clips.iterdir())}")
    if victim.read_text() != "untouched":
        raise Fault("silent: a file beside the export has changed")
    case.count("without effect")


def damage_journal(case: Case) -> None:
    """Journals of runs and the other small files of a library."""
    films, library, wanted = prepared(case)
    copy = work_on(case, library)
    others = [
        path
        for path in sorted(copy.rglob("*"))
        if path.is_file() and path.name != DATABASE and path.parts[len(copy.parts)] not in ("media", "vectors")
    ]
    what = damage_file(case, case.random.choice(others))
    judge(case, copy, wanted, what)
    require_words(run_all(copy, battery(case, films), case.log("commands")))


KINDS = {
    "database": Kind(damage_database, 4),
    "vectors": Kind(damage_vectors, 2),
    "media": Kind(damage_media),
    "manifest": Kind(damage_manifest),
    "journal": Kind(damage_journal),
}

if __name__ == "__main__":
    sys.exit(main("damage", KINDS, sys.argv[1:], __doc__))
