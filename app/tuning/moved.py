"""Videos of a run that are elsewhere now: a run that goes on finds them there, if their content is the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.tuning.examples import Example

if TYPE_CHECKING:
    from app.tuning.footage import Footage


def relocated(examples: Sequence[Example], former: str, folder: str) -> list[Example]:
    """Return the examples with files in a folder in place of those in a former one, where the content is the same.

    Args:
        examples: Those of a run.
        former: Where their videos were; "" for the folder that all of them are in.
        folder: Where they are now.
    """
    former = former or os.path.commonpath([os.path.dirname(each.path) for each in examples])
    moved: dict[str, str] = {}
    for each in examples:
        if each.path not in moved:
            there = os.path.normpath(os.path.join(folder, os.path.relpath(each.path, former)))
            moved[each.path] = there if _content(there) == each.content else each.path
    return [replace(each, path=moved[each.path]) for each in examples]


def missing(examples: Sequence[Example], footage: Footage) -> list[str]:
    """Return the files that have to be read for a run and are not there, or have another content now, each once.

    Args:
        examples: Those of the run.
        footage: Their clips; those that it keeps need no file.
    """
    found: dict[str, bool] = {}
    for place, each in enumerate(examples):
        if each.split != "test" and not found.get(each.path) and not footage.is_kept(place):
            found[each.path] = each.path not in found and _content(each.path) != each.content
    return [path for path, gone in found.items() if gone]


def _content(path: str) -> str | None:
    from indexer.fingerprint import fingerprint

    try:
        return fingerprint(path)
    except OSError:
        return None
