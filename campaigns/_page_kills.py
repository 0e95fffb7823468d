"""SIGKILL of the page's server amid edits: what was answered is kept, what was not is there whole or not at all."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from pathlib import Path

from campaigns._campaign import Case
from campaigns._children import Fault, call
from campaigns._libraries import examine, films, indexed
from campaigns._page import Page, receive

MOST_EDITS = 25


def kill_page(case: Case) -> None:
    """Edits one after the other; the server is killed while one of them is under way."""
    original = indexed(case, films(case, 7))
    library = case.folder / "library"
    shutil.copytree(original, library)
    answered: dict[str, str] = {}
    cookie = ""
    for turn in range(2):
        page = Page(case, library, cookie=cookie)  # which outlives the server that gave it
        cookie = page.cookie
        try:
            pending = _edit(case, page, answered, turn)
        finally:
            page.stop()
        case.count("kills")
        case.count("kills of the page")
        examine(library)
        kept = call(notes, library, log=case.log("notes"))
        names = [name for name, _ in kept]
        if len(names) != len(set(names)):
            raise Fault("a subclip is there twice")
        if lost := {
            name: note for name, note in answered.items() if dict(kept).get(name) not in (note, pending.get(name, note))
        }:
            case.count("rows lost", len(lost))
            raise Fault(f"{len(lost)} of {len(answered)} edits that were answered are lost: {sorted(lost)[:3]}")
        answered = dict(kept)


def _edit(case: Case, page: Page, answered: dict[str, str], turn: int) -> dict[str, str]:
    """Edit until the kill; return what may have been changed without an answer."""
    draw = case.random
    status, body = page.ask("POST", "/api/collections", {"name": f"Turn {turn}"})
    if status != 200:
        raise Fault(f"a new collection was answered with {status}: {body}")
    collection = body["id"]
    known: dict[str, tuple[int, int]] = {}
    last = draw.randint(3, MOST_EDITS)
    for number in range(last + 1):
        change = bool(known) and draw.random() < 0.4
        name = draw.choice(sorted(known)) if change else f"{turn}-{number}"
        note = f"note {turn} {number}"
        if change:
            item, revision = known[name]
            connection = page.send("PATCH", f"/api/subclips/{item}", {"revision": revision, "note": note})
        else:
            items = [{"segment": draw.randint(1, 8), "start_pts": number, "name": name, "note": note}]
            connection = page.send("POST", f"/api/collections/{collection}/subclips", {"items": items})
        if number == last:
            time.sleep(draw.expovariate(1 / 0.006))
            page.child.kill(group=draw.random() < 0.5)
        with contextlib.closing(connection):
            status, content = receive(connection)
        if number == last and status != 200:
            return {name: note}
        if status != 200:
            raise Fault(f"an edit was answered with {status}: {content[:200]!r}")
        answered[name] = note
        case.count("edits")
        with contextlib.suppress(ValueError):  # an answer that was cut short
            answer = json.loads(content)
            kept = answer if change else answer["subclips"][0]
            known[name] = kept["id"], kept["revision"]
    return {}


def notes(library: Path) -> list[tuple[str, str]]:
    from db.library import Library

    with Library.open(library, create=False) as opened:
        return [
            (part.name, part.note) for each in opened.collections.all() for part in opened.collections.subclips(each.id)
        ]
