"""The encoder of a library: which one is loaded and how, and whether it has to be loaded at all.

An encoder's id identifies the model of an embedding, but not how to load it. The library stores that: see
`db.records.EncoderChoice`.

Descriptions of encoders that were loaded before are cached in a small file beside the database.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.json_file import read_json
from files.replace import try_replace_file

if TYPE_CHECKING:
    from db.library import Library
    from db.records import EncoderChoice, SavedSearch
    from encoder import Encoder, Shape

OLD_CHOICES_FILE = "encoders.json"
"""The file beside the database that held the choices of libraries before format 4."""
CACHE_FILE = "known-encoders.json"
VECTORS = "vectors"
MAPS = "map"
"""Folders of the library with files of each space's rows."""
_MAX_CACHED = 8
_MAX_FRAMES = 1_000_000  # more in an old file is damage


def canonical(name: str) -> str:
    """Return the stored form of an encoder's name, which loads the same encoder from any folder.

    Args:
        name: An alias (`base`), a full name, or the path of a weights file.
    """
    from encoder.config import ALIASES, CONFIGS

    if name in ALIASES:
        return ALIASES[name]
    if name in CONFIGS:
        return name  # also where a folder is called so
    return os.path.abspath(name) if os.path.exists(name) else name


def choice_of(library: Library, name: str | None = None) -> EncoderChoice | None:
    """Return the library's own encoder, or None if nothing has been indexed.

    Args:
        library: The library.
        name: If given, return how the encoder of that name was last loaded instead, or None if it never was.
    """
    wanted = None if name is None else canonical(name)
    return next((choice for choice in library.encoder_choices() if wanted in (None, choice.name)), None)


def take_over_old_choices(library: Library) -> None:
    """Migrate the choices that an older version stored in a file into the library, and remove the file.

    A run that is killed on the way repeats it: the file goes after the commit, and a library that has choices of its
    own does not use it. A file that is torn or foreign is removed; one that cannot be read now is left for later.
    """
    file = library.directory / OLD_CHOICES_FILE
    try:
        content: Any = read_json(file, follow_links=False)
    except OSError:  # usually, there is no such file
        return
    except ValueError:
        content = None
    choices = _old_choices(content)
    if library.read_only:
        return
    if choices and not library.encoder_choices():
        library.use_encoders(*reversed(choices))
    with suppress(OSError):
        file.unlink()


def take_over_former_space(library: Library, encoder: Encoder) -> None:
    """Give what an earlier version stored under another name of the encoder's space its present one.

    Earlier versions named a space by all weights, those of the text tower included. Nothing is decoded or encoded
    again. To be called wherever a library meets an encoder, before anything is asked by the encoder's id. A run that
    is killed on the way repeats it.

    Raises:
        LibraryError: The library is read-only, and has the rows under the former name only.
    """
    from encoder.protocol import former_id

    former = former_id(encoder)
    if former is None:
        return
    known = {row.id for row in library.encoders()} | {choice.encoder_id for choice in library.encoder_choices()}
    if former not in known or encoder.id in {row.id for row in library.encoders()}:
        return
    if library.read_only:
        from db.errors import LibraryError

        raise LibraryError(
            f"The library {library.name} is read-only, and an earlier version named its rows otherwise; copy it "
            "to a writable disk, and choose the copy with --library."
        )
    from search.renamed_space import rename_caches
    from search.takes.pair_file import FOLDER as TAKES

    folders = [library.directory / name for name in (VECTORS, MAPS, TAKES)]
    rename_caches(library.directory, former, encoder.id, encoder.text_id, folders=folders)
    library.rename_space(former, encoder.id, encoder.text_id)


def shapes_of(library: Library) -> dict[str, Shape]:
    """Return the shape of clips that the library has for each weights, by the part of the id before the shape.

    A file with the weights of one of its spaces is loaded in this shape, whatever its name: a trained text tower has
    the rows of the library, not a space of its own.
    """
    from encoder import Shape
    from encoder.protocol import ENDS

    found: dict[str, Shape] = {}
    for choice in library.encoder_choices():  # the most recently used first
        if choice.frames is not None:
            still = f":still{choice.still_frames}" if choice.still_frames else ""
            plain = choice.encoder_id.removesuffix(ENDS)
            weights = plain.removesuffix(f":{choice.frames}f:{choice.fit}{still}")
            if weights != plain:
                found.setdefault(weights, Shape(choice.frames, choice.fit, choice.still_frames))
    return found


def other_text(library: Library, encoder: Encoder) -> str | None:
    """Return the text encoder that the library was last indexed with, if it has the encoder's space but not its text.

    None if it is the same, or not known.
    """
    known = next((each.text_id for each in library.encoder_choices() if each.encoder_id == encoder.id), "")
    return known if known and encoder.text_id and known != encoder.text_id else None


def saved_note(search: SavedSearch, text_id: str) -> str:
    """Return that a saved search was made with another text encoder than this one; "" if not, or if either is unknown.

    The search itself is the same: only what it finds is ranked by other words.
    """
    known = bool(search.text_id and text_id)
    return "made with another text encoder: strengths may differ" if known and search.text_id != text_id else ""


def _old_choices(content: Any) -> list[EncoderChoice]:
    """Return the choices in the file's content, most recently used first; empty if any of it is invalid."""
    try:
        return [_old_choice(row) for row in content]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def _old_choice(row: dict[str, Any]) -> EncoderChoice:
    from db.records import EncoderChoice

    frames, still_frames = row["frames"], row.get("still_frames", 0)
    for count in (0 if frames is None else frames, still_frames):
        if type(count) is not int or not 0 <= count <= _MAX_FRAMES:
            raise ValueError(f"{count!r} is not a number of frames")
    name, encoder_id = str(row["name"]), str(row["encoder_id"])
    os.fsencode(name), encoder_id.encode()  # raise ValueError for what cannot be stored
    return EncoderChoice(name=name, encoder_id=encoder_id, frames=frames, fit=row["fit"], still_frames=still_frames)


@dataclass(frozen=True, slots=True)
class EncoderRequest:
    """Everything that decides which encoder is loaded: the key of the cache of descriptions."""

    name: str
    device: str
    frames: int | None
    fit: str
    still_frames: int = 0
    precision: str | None = None
    shapes: tuple[tuple[str, Shape], ...] = ()

    @property
    def key(self) -> str:
        return json.dumps(astuple(self))


def open_lazily(
    directory: Path, request: EncoderRequest, load: Callable[[], Encoder], files: Callable[[], list[Path]]
) -> Encoder:
    """Return an encoder that is loaded on its first encode, if an earlier run has cached its description.

    Without a description, or if the encoder's files have changed, it is loaded right away and described.

    Args:
        directory: The library's folder, which holds the cache.
        request: What `load` loads.
        load: Loads the encoder.
        files: Returns the files it was loaded from. If that list is empty, nothing is cached.

    Raises:
        EncoderError: Whatever `load` raises.
    """
    from encoder.lazy import EncoderDescription, LazyEncoder, describe

    records = _read_cache(directory)
    try:
        known = EncoderDescription.from_record(records[request.key])
    except (KeyError, TypeError, ValueError):
        known = None

    def load_and_describe() -> Encoder:
        encoder = load()
        came_from = files()
        if came_from:
            try:
                record = describe(encoder, came_from).as_record()
            except OSError:
                return encoder
            # This request may leave the frames to the encoder; the next one takes those that the library has stored.
            keys = {request.key, replace(request, frames=encoder.clip_spec.frames).key}
            if any(records.get(key) != record for key in keys):
                kept = [(key, value) for key, value in records.items() if key not in keys]
                _write_cache(directory, dict([*((key, record) for key in sorted(keys)), *kept[:_MAX_CACHED]]))
        return encoder

    if known is None or not known.is_current():
        return load_and_describe()
    return LazyEncoder(known, load)


def _read_cache(directory: Path) -> dict[str, Any]:
    try:
        records = read_json(directory / CACHE_FILE, follow_links=False)
    except (OSError, ValueError):
        return {}
    return records if isinstance(records, dict) else {}


def _write_cache(directory: Path, records: dict[str, Any]) -> None:
    """Replace the cache. If that fails, the only effect is that the next run loads the encoder again."""
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        try_replace_file(directory / CACHE_FILE, json.dumps(records, indent=1).encode())
