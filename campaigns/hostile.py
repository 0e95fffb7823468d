"""Libraries made by somebody else, requests that are not the page's own: nothing outside is touched, nothing raw."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from campaigns import _page
from campaigns._battery import require_words, run_all
from campaigns._campaign import Case, Kind, main
from campaigns._children import Fault
from campaigns._hostile_requests import attack
from campaigns._hostile_rows import hostile_statements, plant_links, spoil
from campaigns._libraries import BLEND, examine
from campaigns._page import Page
from campaigns.damage import battery, prepared


def hostile_library(case: Case) -> None:
    """One or two hostile things in a library; commands work or say one line; a folder beside it stays as it is."""
    films, library, _ = prepared(case)
    draw = case.random
    copy, victim = case.folder / "library", case.folder / "victim"
    shutil.copytree(library, copy)
    victim.mkdir()
    for name in ("secret.txt", "poster-00000.jpg", "ab/draft"):
        (victim / name).parent.mkdir(exist_ok=True)
        (victim / name).write_text(f"{name}: not yours")
    os.utime(victim, (0, 0))  # old enough for every sweep
    before = _tree(victim)
    what = "links"
    if draw.random() < 0.2:
        plant_links(copy, victim, draw)
    else:
        statements = hostile_statements(draw, victim)
        what = "; ".join(each[:90] for each in statements)
        if not spoil(copy, statements):
            case.count("refused by SQLite")
            return
    commands: list[Sequence[object]] = [
        *battery(case, films),
        ("index", films, *BLEND),
        ("remove", films / "06.mp4", "--yes"),
        ("export", "red", "-k", "2", "--to", case.folder / "clips", "--mode", "copy"),
    ]
    try:
        require_words(run_all(copy, draw.sample(commands, 4), case.log("commands")), codes=[0, 1, 2, 3])
        after = _tree(victim)
        if not before.items() <= after.items():
            raise Fault("files outside of the library were changed or removed")
        case.count("libraries that wrote through a link", int(len(after) > len(before)))
    except Fault as fault:
        raise Fault(f"{fault} (after {what})") from fault
    case.count("libraries")


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def hostile_requests(case: Case) -> None:
    """One server, and many requests to it."""
    _, library, _ = prepared(case)
    copy = case.folder / "library"
    shutil.copytree(library, copy)
    page = Page(case, copy)
    try:
        attack(case, page)
    finally:
        page.stop()
    examine(copy)


KINDS = {"libraries": Kind(hostile_library, 4), "requests": Kind(hostile_requests)}

if __name__ == "__main__":
    sys.exit(main("hostile", KINDS, sys.argv[1:], __doc__, _page.MODULES))
