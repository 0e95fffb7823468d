"""Names of classes, and the sentences about them: lists that a person wrote."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from app.evaluation.label_files import clean_label, split_labels
from app.text_files import read_lines, read_table, wrong
from files.regular import AnyPath

PLACE = "{}"
"""Where a template has the name of a class."""

PROMPTS = ("default", "kinetics")
"""Lists of templates that come with the program. Their files say where they are from."""

_TABLES = (".csv", ".tsv", ".tab")
_COLUMNS = ("label", "class", "name")
_MOST_CHARACTERS = 1000


def read_class_names(path: AnyPath) -> list[str]:
    """Read names of classes, each once, in the order of the file.

    Args:
        path: A table (.csv, .tsv) with a column `label`, `class` or `name`, of which the first is taken and several
            names in a cell are separated by |; or any other text with one name per line, and comments after #.

    Raises:
        OSError: It cannot be read.
        TextFileError: It has no name, or one of more than 1,000 characters.
    """
    if os.path.splitext(os.fspath(path))[1].lower() in _TABLES:
        found = [
            (row.line, label)
            for row in read_table(path, required=_COLUMNS)
            for label in sorted(split_labels(next((row.cells[each] for each in _COLUMNS if each in row.cells), "")))
        ]
    else:
        found = [(line, clean_label(text)) for line, text in read_lines(path)]
    return _each_once(path, found, "name of a class")


def read_prompts(path: AnyPath) -> list[str]:
    """Read templates of sentences, one per line, each once, in the order of the file; comments begin with #.

    Args:
        path: The file. `{}` stands for the name of a class, once in each.

    Raises:
        OSError: It cannot be read.
        TextFileError: It has no template, or a line without `{}` or with several.
    """
    found = read_lines(path)
    for line, text in found:
        if text.count(PLACE) != 1:
            raise wrong(path, line, f"a template has {PLACE} once, where the name of the class stands")
    return _each_once(path, found, "template")


def named_prompts(name: str) -> list[str]:
    """Return the templates of one of PROMPTS, or of the file of this name. Raise as `read_prompts` does."""
    if name in PROMPTS:
        return read_prompts(Path(__file__).with_name("prompts") / f"{name}.txt")
    return read_prompts(name)


def _each_once(path: AnyPath, found: Sequence[tuple[int, str]], noun: str) -> list[str]:
    for line, text in found:
        if len(text) > _MOST_CHARACTERS:
            raise wrong(path, line, f"a {noun} of more than {_MOST_CHARACTERS:,} characters")
    if not found:
        raise wrong(path, None, f"it has no {noun}")
    return list(dict.fromkeys(text for _, text in found))
