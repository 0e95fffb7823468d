"""Values that a shell completes: collections, saved searches, encoders, devices, list formats, files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from app.compose import LIBRARY_VARIABLE, default_library
from app.library_place import library_place
from app.settings_file import WrongSetting, read_settings_file


def complete_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Let the shell complete files in its own way."""
    return [CompletionItem(incomplete, type="file")]


def complete_encoder(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return encoders by name; else let the shell complete files of weights."""
    return _beginning(("base", "large", "demo"), incomplete) or complete_files(ctx, param, incomplete)


def complete_device(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return devices."""
    return _beginning(("auto", "cpu", "cuda", "mps"), incomplete)


def complete_lists(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return formats of lists; after a comma, the next one."""
    from app.timelines.writing import FORMATS

    before, comma, _ = incomplete.rpartition(",")
    chosen = before.split(",")
    return _beginning((f"{before}{comma}{each}" for each in FORMATS if each not in chosen), incomplete)


def complete_collection(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the names of the library's collections."""
    from db.quick_names import collection_names

    return _beginning(collection_names(_library(ctx)), incomplete)


def complete_link(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the links of saved searches, by the beginning of their names or of the links."""
    from db.quick_names import saved_searches

    found = saved_searches(_library(ctx))
    return [
        CompletionItem(link, help=name)
        for link, name in found
        if (link.startswith(incomplete) or name.lower().startswith(incomplete.lower())) and (link + name).isprintable()
    ]


def _beginning(values: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    """Return the values that begin as typed. One with a line break or the like cannot be typed, and is left out."""
    return [CompletionItem(each) for each in values if each.startswith(incomplete) and each.isprintable()]


def _library(ctx: click.Context) -> Path:
    """Return the library that the command would use, as far as that is known without an error."""
    import os

    typed = ctx.params.get("library") or ctx.find_root().params.get("library") or os.environ.get(LIBRARY_VARIABLE)
    if typed:
        return library_place(str(typed))[0]
    try:
        named = read_settings_file().top.get("library")
    except (OSError, WrongSetting):
        named = None
    return library_place(named)[0] if named else default_library()
