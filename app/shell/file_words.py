"""When an argument is words and when it is a file. Decided by the text, so that a typo in a name stays a file.

It is a file if it ends as a video or a picture does (film.mp4), if it ends in a time (film@12, film@12-15), or if what
stands before an @ is a file. Where words and files may both stand as one argument, a path separator in an argument
without spaces makes it a file, too (films/red). Everything else is words, whatever lies in the current folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from app.root_paths import local_path
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.paths import files_of_name
from app.shell.terminal import printable
from app.times import FileRange, parse_file_range, parse_range
from db.media_roots import unset_root, unset_text
from indexer.media.containers import BY_CONTENT_EXTENSIONS, VIDEO_EXTENSIONS, extension_of

if TYPE_CHECKING:
    from db.library import Library

RULE = """\b
An argument is a file if it ends like a video or picture (film.mp4) or in a time (film@12-15), or has a
path separator and no space (films/red), even if there is no such file. Everything else is words."""

_PICTURE_EXTENSIONS = frozenset({"bmp", "heic", "jpeg", "jpg", "png", "tif", "tiff"})
_EXTENSIONS = VIDEO_EXTENSIONS | BY_CONTENT_EXTENSIONS | _PICTURE_EXTENSIONS
_SEPARATORS = tuple(each for each in (os.sep, os.altsep) if each)


def names_a_file(text: str, library: Library | None = None) -> bool:
    """Return whether an argument that may be words or a file is a file, there or not."""
    return looks_like_a_file(text, library) or _has_separator(text)


def looks_like_a_file(text: str, library: Library | None = None) -> bool:
    """Return whether a text is a file even where words are expected: by its ending, its time, or what precedes an @."""
    before = list(_before_at(text))
    return (
        any(extension_of(each) in _EXTENSIONS for each in (text, *before))
        or any(_is_time(text[len(each) + 1 :]) and not each.endswith(" ") for each in before)
        or any(_is_there(each, library) for each in before)
    )


def find_file_range(library: Library | None, text: str) -> FileRange:
    """Parse `FILE[@START[-END]]`, where FILE is on disk or in the library; `nas:/a.mp4` is below the root nas.

    Raises:
        CommandError: The file is neither on disk nor in the library.
        click.UsageError: The range is not valid.
    """
    text = local_path(text)
    try:
        return parse_file_range(text, lambda path: os.path.exists(path) or _is_known(path, library))
    except FileNotFoundError as error:
        raise no_such_file(text, library) from error
    except ValueError as error:
        raise click.UsageError(f"{printable(text)}: {error}") from error


def require_files(library: Library | None, texts: Sequence[str]) -> None:
    """Raise as `find_file_range` does for the first of some texts that is no file, before anything slow is done."""
    for text in texts:
        find_file_range(library, text)


def no_such_file(text: str, library: Library | None) -> CommandError:
    """Return the error for a file that is not there; it says where the library has a file of that name, or how
    words are written that were taken for a file."""
    line = f"{printable(text)}: no such file"
    if (root := unset_root(local_path(text))) is not None:
        return CommandError(f"{line}: {unset_text(root)}", MISSING)
    if library is not None:
        elsewhere = [each for name in (text, *_before_at(text)) for each in files_of_name(library, name)]
        if elsewhere:
            more = f" and {len(elsewhere) - 1} more of that name" if len(elsewhere) > 1 else ""
            return CommandError(f"{line}; the library has {printable(elsewhere[0])}{more}", MISSING)
        line += ", and none by that name in the library"
    if _has_separator(text) and not looks_like_a_file(text, library) and text[0] not in (*_SEPARATORS, ".", "~"):
        line += f"; to search for words, put spaces around the {next(each for each in _SEPARATORS if each in text)}"
    return CommandError(line, MISSING)


def not_words(text: str) -> click.ClickException:
    """Return the error for a file in the place of words that are searched for."""
    try:
        find_file_range(None, text)
    except click.ClickException as error:
        return error
    return click.UsageError(f"{printable(text)} is a file; prismsearch similar finds shots like it")


def _has_separator(text: str) -> bool:
    return " " not in text and any(each in text for each in _SEPARATORS)


def _before_at(text: str) -> Iterator[str]:
    """Yield what stands before each @."""
    return (text[:at] for at, character in enumerate(text) if character == "@" and at)


def _is_time(text: str) -> bool:
    try:
        parse_range(text)
    except ValueError:
        return False
    return True


def _is_there(path: str, library: Library | None) -> bool:
    return os.path.isfile(path) or _is_known(path, library)


def _is_known(path: str, library: Library | None) -> bool:
    return library is not None and library.video_at(os.path.abspath(path)) is not None
