"""Command lines equivalent to orders, for display, and the titles of jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from app.exporting.audio_choice import ALL_TRACKS
from app.exporting.request import ExportOptions
from app.jobs.orders import DownloadOrder, ExportOrder, Order, ReadTextOrder

if TYPE_CHECKING:
    from app.jobs.state import JobState


_OTHER_NAMES = {"detector_options": "--detector-option"}


def words_of(order: Order) -> list[str]:
    """Return the command equivalent to an order, without the global options."""
    if isinstance(order, DownloadOrder):
        return ["fetch-model", order.model, "--yes"]
    if isinstance(order, ExportOrder):
        words = ["export", "--collection", order.collection_name, *export_words(order.options)]
        return words if order.subclips is None else [*words, "--subclips", ",".join(map(str, order.subclips))]
    if isinstance(order, ReadTextOrder):  # the command also looks for new videos
        return ["index", "--read-text", *_option_words(order), *path_words(order.paths)]
    return [order.kind, *_option_words(order), *path_words(order.paths)]


def export_words(options: ExportOptions) -> list[str]:
    """Return the equivalent options of the command `export`, with absolute paths."""
    where = ("--to", options.folder) if options.folder is not None else ("--zip", options.zip)
    words = [where[0], os.path.abspath(str(where[1]))]
    words += ["--mode", options.mode] if options.clips else ["--lists-only"]
    words += ["--handles", _decimal(options.handles_seconds)] if options.handles_seconds else []
    words += ["--audio", options.audio] if options.audio != ALL_TRACKS and options.clips else []
    words += ["--name", options.name_pattern] if options.name_pattern is not None else []
    words += ["--list", ",".join(options.lists)] if options.lists else []
    words += ["--subtitles", options.subtitles] if options.subtitles != "none" and options.clips else []
    words += ["--markers"] if options.markers else []
    if options.carries_words:
        words += ["--language", options.language] if options.language else []
        words += ["--words-from", options.words_from] if options.words_from != "best" else []
    return words


def path_words(paths: Sequence[str]) -> list[str]:
    """Return absolute paths as the last words of a command, after `--`, so that none is read as an option."""
    return ["--", *(os.path.abspath(path) for path in paths)] if paths else []


def paths_of(state: JobState) -> list[str]:
    """Return the paths of a job. Journals without an order have them at the end of their command."""
    paths = None if state.order is None else state.order.get("paths")
    if isinstance(paths, list):
        return [each for each in paths if isinstance(each, str)]
    words = list(state.arguments)
    return words[words.index("--") + 1 :] if "--" in words else []


def title_of(paths: Sequence[str]) -> str:
    """Return the title of a job over these paths: `Videos`, `Videos and 2 more`."""
    if not paths:
        return ""
    first = os.path.abspath(paths[0])
    name = os.path.basename(first) or first
    return name if len(paths) == 1 else f"{name} and {len(paths) - 1} more"


def _option_words(order: Any) -> Iterator[str]:
    """Yield the options of `index` and `retry` that differ from the default. Options have the names of the fields."""
    for each in fields(order):
        value, default = getattr(order, each.name), None if each.default is MISSING else each.default
        option = _OTHER_NAMES.get(each.name, f"--{each.name.replace('_', '-')}")
        if each.name == "new_library":  # from the settings file
            continue
        if is_dataclass(value):
            yield from _option_words(value)
        elif each.name in ("kind", "paths", "fetch") or value == default:  # fetch: the command asks
            continue
        elif value is True:
            yield option
        else:
            for one in value if isinstance(value, tuple) else (value,):
                yield from (option, _decimal(one) if isinstance(one, Fraction) else str(one))


def _decimal(value: Fraction) -> str:
    return f"{float(value):.9f}".rstrip("0").rstrip(".")
