"""The settings file: in TOML, what a person wants in every run, under the names of the options.

Options that say how something is done may stand there. What a run is about (files, words, filters), what it does once
(--redo, --renew), where its answer goes (--to, --json) and consent (--yes, --no-token) belong on the command line.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from db.media_roots import NO_ROOTS, MediaRoots, checked_roots
from db.server.address import is_address
from files.regular import NotRegularFile, read_regular

SETTINGS_VARIABLE = "PRISMSEARCH_SETTINGS"
ROOTS_VARIABLE = "PRISMSEARCH_ROOTS"
VECTOR_INDEX_VARIABLE = "PRISMSEARCH_VECTOR_INDEX"
PRECISIONS = ("auto", "float32", "bfloat16", "int8")
"""The choices of `encoder.runtime.precision`, which would import numpy for every --help."""

VECTOR_INDEXES = ("faiss", "pgvector", "auto")
"""Where libraries on a server are searched: on each machine, there, or there if this machine has little memory."""

GLOBALS = ("library", "encoder", "device", "precision", "ffmpeg", "vector-index")
ROOTS = "roots"
"""The table of roots of media."""
_ANSWERS = ("top-k", "per-video", "duplicates", "takes", "min-strength")
TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "index": (
            *("detector", "detector-option", "min-scene-len", "segment-seconds", "overlap-seconds", "decode"),
            *("hash-content", "frames", "fit", "still-frames"),  # up to here, for new libraries only
            *("workers", "batch-size", "exclude", "hardware", "stall-seconds", "decode-memory"),
        ),
        "search": _ANSWERS,
        "export": (
            *("mode", "handles", "audio", "name", "list", "subtitles", "language", "words-from"),
            *_ANSWERS,
        ),
        "ui": ("port", "browser"),
    }
)
"""The names in each table, those of the long options of its command."""
TABLE_OF: Mapping[str, str] = MappingProxyType(
    {**{name: name for name in TABLES}, "retry": "index", "similar": "search"}
)
"""The table that a command reads. Of another command's table, it takes the options that it has."""

_MAX_BYTES = 1_000_000


class WrongSetting(ValueError):
    """A setting has an invalid value, such as an unknown encoder or device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """The content of the settings file; that of a file which does not exist is empty.

    Attributes:
        path: Where it is, or would be.
        exists: Whether it is there.
        top: The values outside of tables: texts. Paths are absolute.
        tables: The values of each table, as TOML has them.
        roots: The roots of media: the table [roots], whose names are a person's own.
    """

    path: Path
    exists: bool = False
    top: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    roots: MediaRoots = NO_ROOTS


def settings_path(environment: Mapping[str, str] | None = None) -> Path:
    """Return where the settings file is, or would be: the variable's file, else the one in the platform's place.

    Args:
        environment: The variables, by default `os.environ`. An empty variable counts as unset.
    """
    named = (os.environ if environment is None else environment).get(SETTINGS_VARIABLE)
    if named:
        return Path(os.path.abspath(os.path.expanduser(named)))
    from platformdirs import user_config_path

    return user_config_path("prismsearch", appauthor=False) / "settings.toml"


def read_settings_file(environment: Mapping[str, str] | None = None) -> SettingsFile:
    """Read the settings file. Names are checked here, values of tables when they are used.

    Args:
        environment: As for `settings_path`.

    Raises:
        WrongSetting: The file is not TOML, or has an unknown name or a value of a wrong type. One line, with the file.
        OSError: It cannot be read, or the variable names a file that does not exist.
    """
    path = settings_path(environment)
    if str(path) == os.path.abspath(os.devnull):
        return SettingsFile(path=path)
    try:
        content = read_regular(path, max_bytes=_MAX_BYTES)
    except FileNotFoundError:
        if (os.environ if environment is None else environment).get(SETTINGS_VARIABLE):
            text = f"there is no such file, but {SETTINGS_VARIABLE} names it"
            raise FileNotFoundError(errno.ENOENT, text, str(path)) from None
        return SettingsFile(path=path)
    except NotADirectoryError:
        return SettingsFile(path=path)
    except NotRegularFile as error:
        raise OSError(errno.EINVAL, "not a file; the settings are read from a TOML file", str(path)) from error
    except ValueError as error:
        raise WrongSetting(f"{path}: {error}") from error
    return _parsed(path, content)


def _parsed(path: Path, content: bytes) -> SettingsFile:
    import tomllib

    try:
        document = tomllib.loads(content.decode("utf-8-sig"))  # Windows' editor puts a mark at the beginning
    except UnicodeDecodeError as error:
        raise WrongSetting(f"{path}: not UTF-8 text; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise WrongSetting(f"{path}: {error}") from error
    except RecursionError as error:
        raise WrongSetting(f"{path}: nested too deeply") from error
    top: dict[str, str] = {}
    tables: dict[str, Mapping[str, object]] = {}
    roots = NO_ROOTS
    for name, value in document.items():
        if name in GLOBALS:
            top[name] = _global(path, name, value)
        elif name == ROOTS:
            roots = _roots(path, value)
        elif name in TABLES:
            if not isinstance(value, dict):
                raise WrongSetting(f"{path}: {name} is a table; write [{name}] on a line of its own")
            for each in value:
                if each not in TABLES[name]:
                    _refuse_name(path, each, TABLES[name], f"[{name}] ")
            tables[name] = value
        else:
            _refuse_name(path, name, (*GLOBALS, *TABLES, ROOTS))
    return SettingsFile(path=path, exists=True, top=top, tables=tables, roots=roots)


def _roots(path: Path, value: object) -> MediaRoots:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise WrongSetting(f'{path}: write [{ROOTS}] on a line of its own, and below it: nas = "/mnt/nas"')
    try:
        return checked_roots(value)
    except ValueError as error:
        raise WrongSetting(f"{path}: [{ROOTS}] {error}") from None


def roots_from(variables: Mapping[str, str], file: SettingsFile) -> MediaRoots:
    """Return the roots of media: those of the variable, as `nas=/mnt/nas:archive=/media/archive`, or the file's.

    Raises:
        WrongSetting: The variable cannot be read.
    """
    if not (named := variables.get(ROOTS_VARIABLE)):
        return file.roots
    folders: dict[str, str] = {}
    for entry in filter(None, named.split(os.pathsep)):
        name, equals, folder = entry.partition("=")
        if not equals or name in folders:
            said = f"{name!r} is there twice" if equals else f"{entry!r} is no NAME=FOLDER"
            raise WrongSetting(f"${ROOTS_VARIABLE}: {said}; it takes a list: nas=/mnt/nas{os.pathsep}old=/media/old")
        folders[name] = folder
    try:
        return checked_roots(folders)
    except ValueError as error:
        raise WrongSetting(f"${ROOTS_VARIABLE}: {error}") from None


def checked_vector_index(name: str) -> str:
    """Return the choice of a vector index in the environment or the file. Raise WrongSetting for another one."""
    if name not in VECTOR_INDEXES:
        raise WrongSetting(f"${VECTOR_INDEX_VARIABLE} must be one of {', '.join(VECTOR_INDEXES)}, not {name!r}")
    return name


def _global(path: Path, name: str, value: object) -> str:
    """Return a value outside of tables. Relative paths are relative to the file's folder, wherever a run starts."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise WrongSetting(f'{path}: {name} needs a text in quotes: {name} = "..."')
    if name == "precision" and value not in PRECISIONS:
        raise WrongSetting(f"{path}: precision must be one of {', '.join(PRECISIONS)}, not {value!r}")
    if name == "vector-index" and value not in VECTOR_INDEXES:
        raise WrongSetting(f"{path}: vector-index must be one of {', '.join(VECTOR_INDEXES)}, not {value!r}")
    if name == "device" and not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]+)?", value):
        raise WrongSetting(f"{path}: device must be auto, cpu, cuda, cuda:N or mps, not {value!r}")
    if name == "library" and is_address(value):
        return value
    near = os.path.join(path.parent, os.path.expanduser(value))
    is_path = name == "library" or (name == "ffmpeg" and os.path.dirname(value)) or value.startswith("~")
    if is_path or (name == "encoder" and os.path.isfile(near)):
        return os.path.normpath(near)
    return value


def _refuse_name(path: Path, name: str, known: Iterable[str], where: str = "") -> NoReturn:
    """Raise WrongSetting for an unknown name: with the table it belongs to, or else the nearest known names."""
    import difflib

    known = list(known)
    homes = [f"[{table}]" for table, names in TABLES.items() if name in names]
    near = difflib.get_close_matches(name.replace("_", "-").lower(), known, n=2, cutoff=0.6)
    if name in GLOBALS:
        hint = "it belongs above the first [table]"
    elif homes:
        hint = f"it belongs below {' or '.join(homes)}"
    elif near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = f"there are {', '.join(known)}"
    raise WrongSetting(f"{path}: {where}{name}: no such setting; {hint}")
