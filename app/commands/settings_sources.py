"""Values of all settings as a run would use them, each with its source. For `prismsearch settings`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app import compose
from app.compose import Settings
from app.settings_file import GLOBALS, ROOTS, ROOTS_VARIABLE, SettingsFile
from app.shell.settings_values import parsed_options

if TYPE_CHECKING:
    from db.library import Library

_VARIABLES: Mapping[str, str] = {
    "library": compose.LIBRARY_VARIABLE,
    "encoder": compose.ENCODER_VARIABLE,
    "device": compose.DEVICE_VARIABLE,
    "precision": compose.PRECISION_VARIABLE,
    "ffmpeg": compose.FFMPEG_VARIABLE,
    "vector-index": compose.VECTOR_INDEX_VARIABLE,
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it comes from: command line, environment, library, file or default."""

    value: Any  # None: nothing is set
    source: str
    note: str = ""


def all_values(settings: Settings, file: SettingsFile, library: Library | None) -> dict[str, dict[str, Value]]:
    """Return the values of each table by name, those outside of tables under "".

    Args:
        settings: From the command line, the environment and the file.
        file: The settings file.
        library: None if there is none yet.

    Raises:
        WrongSetting: The file has a wrong value.
        LibraryError: The library cannot be read.
    """
    from app.commands.export import export
    from app.commands.search_words import search
    from app.commands.ui import ui

    values = {"": _global_values(settings, file, library), "index": _index_values(settings, file, library)}
    if settings.roots:
        source, note = ("environment", ROOTS_VARIABLE) if os.environ.get(ROOTS_VARIABLE) else ("file", "")
        values[ROOTS] = {name: Value(folder, source, note) for name, folder in settings.roots.folders}
    for command in (search, export, ui):
        name = str(command.name)
        values[name] = {
            option: Value(value, "file" if from_file else "default")
            for option, (value, from_file) in parsed_options(command, name).items()
        }
    return values


def _global_values(settings: Settings, file: SettingsFile, library: Library | None) -> dict[str, Value]:
    from app.asked_encoders import names_asked
    from app.encoder_choice import choice_of
    from app.encoder_names import JOINT
    from encoder.config import ALIASES

    encoder = compose.encoder_name(compose.with_library_encoder(settings, library))
    aliases = {name: alias for alias, name in ALIASES.items()}
    held = library is not None and choice_of(library) is not None
    values = {}
    for name in GLOBALS:
        value = settings.place if name == "library" else str(getattr(settings, name.replace("-", "_")) or "") or None
        note, source = "", "file" if name in file.top else "default"
        if name == "encoder":
            value, source = aliases.get(encoder, encoder), "library" if held else source
            note = f"{file.top[name]} applies to new libraries" if held and name in file.top else ""
            if library is not None and len(names := names_asked(settings, library)) > 1:
                value, source, note = JOINT.join(names), "file", ""
        if name in settings.given:
            source, note = "command line", ""
        elif os.environ.get(_VARIABLES[name]):
            source, note = "environment", _VARIABLES[name]
        values[name] = Value(value, source, note)
    return values


def _index_values(settings: Settings, file: SettingsFile, library: Library | None) -> dict[str, Value]:
    from app.commands.index_values import run_options, run_values, set_aside
    from app.encoder_choice import choice_of
    from app.jobs.orders import IndexOrder
    from app.shell.file_options import index_options

    order = IndexOrder(paths=(), **index_options())
    hardware = order.shaping.hardware
    order = replace(order, shaping=replace(order.shaping, hardware="none"))  # else the device would be tried
    run = run_values(settings, order, library)
    cuts, options, aside = run.cuts, run_options(order), set_aside(order, run.own)
    detector = {name: value for name, value in cuts.detector_options.items() if name != "min_scene_len"}
    has_cuts = library is not None and bool(library.cut_settings() or library.recipes())
    has_choice = library is not None and choice_of(library, settings.encoder) is not None
    kept = {
        "detector": cuts.detector,
        "detector-option": [f"{name}={value}" for name, value in detector.items()],
        "min-scene-len": cuts.all_detector_options["min_scene_len"],
        "segment-seconds": cuts.segment_seconds,
        "overlap-seconds": cuts.overlap_seconds,
        "decode": cuts.decode,
        "hash-content": cuts.hash_content,
    }
    loaded = {
        "frames": run.settings.frames,
        "fit": run.settings.fit or "stretch",
        "still-frames": run.settings.still_frames or 0,
    }
    work = {
        "workers": options.decode_workers,
        "batch-size": options.batch_size,
        "exclude": options.exclude,
        "hardware": hardware,
        "stall-seconds": options.stall_seconds,
        "decode-memory": options.decode_memory_gib,
    }
    table = file.tables.get("index", {})
    values = {}
    for held, group in ((has_cuts, kept), (has_choice, loaded), (False, work)):
        for name, value in group.items():
            source = "library" if held else "file" if name in table else "default"
            note = f"{aside[name]} applies to new libraries" if name in aside else ""
            values[name] = Value(value, source, note)
    return values


def without_library(values: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
    """Return the values where the library cannot be read: what it may keep is unknown."""
    unknown = Value(None, "library", "cannot be read")
    index = {**values["index"], **dict.fromkeys(_kept_by_libraries(values["index"]), unknown)}
    top = dict(values[""])
    if top["encoder"].source in ("file", "default"):
        top["encoder"] = unknown
    return {**values, "": top, "index": index}


def _kept_by_libraries(names: Mapping[str, Value]) -> list[str]:
    """Return the names of [index] whose values a library keeps."""
    from app.shell.index_options import FOR_A_RUN, ShapingOptions

    fields = {field.replace("_", "-") for field in ShapingOptions.__dataclass_fields__ if field not in FOR_A_RUN}
    return [name for name in names if name in fields or name == "detector-option"]
