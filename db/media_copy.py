"""Copies of the folders of posters and previews in the media of another library: each whole, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from db.errors import LibraryDamaged
from db.media import PARTIAL, MediaStore
from files.durability import checksum, flush, flush_directory
from files.links import leads_outside, remove_tree

_DRAFT = f"{PARTIAL}copy-"
_AT_ONCE = 8  # the disk writes one journal entry for all files that are flushed at the same time


def missing_media(target: MediaStore, names: Collection[str]) -> list[str]:
    """Return the folders that a copy lacks, in order."""
    return sorted(name for name in names if not target.folder(name).is_dir())


def copy_media(source: MediaStore, target: MediaStore, names: Collection[str]) -> Iterator[str]:
    """Copy folders, and yield the name of each that is done; those that the source lacks are left out.

    Raises:
        LibraryDamaged: A file is not what was read, or a folder is a link.
        LibraryFull: The disk is full.
    """
    for left in target.directory.glob(f"{_DRAFT}*"):  # of a copy that was killed
        remove_tree(left, target.directory.parent)
    pool = ThreadPoolExecutor(_AT_ONCE, "copy-media")
    try:
        yield from pool.map(lambda name: _copy(source, target, name), missing_media(target, names))
    finally:
        pool.shutdown(cancel_futures=True)


def differing_media(source: MediaStore, target: MediaStore, names: Collection[str]) -> list[str]:
    """Return the folders whose files differ in name or size."""
    return [name for name in names if _sizes(source, name) != _sizes(target, name)]


def _copy(source: MediaStore, target: MediaStore, name: str) -> str:
    there, here = source.folder(name), target.folder(name)
    files = _sizes(source, name)
    if not files:
        return name
    draft = target.directory / f"{_DRAFT}{secrets.token_hex(4)}"
    with target.database.translated():
        try:
            draft.mkdir(parents=True)
            for file in files:
                shutil.copyfile(there / file, draft / file, follow_symlinks=False)
                flush(draft / file)
                if checksum(there / file) != checksum(draft / file):
                    raise LibraryDamaged(f"{draft / file} is not what was written: check the disk, and copy again.")
            here.parent.mkdir(parents=True, exist_ok=True)
            if leads_outside(here, target.directory.parent):
                raise LibraryDamaged(f"{here.parent} is a link, and links in a library are not followed; remove it.")
            flush_directory(draft)
            draft.rename(here)
            flush_directory(here.parent)
        except FileNotFoundError:  # an index run has replaced it meanwhile
            if there.is_dir():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return name


def _sizes(store: MediaStore, name: str) -> dict[str, int]:
    """Return the files of a folder with their sizes. Links are none, and nothing behind a link is read."""
    folder = store.folder(name)
    if leads_outside(folder, store.directory.parent):
        return {}
    try:
        with os.scandir(Path(folder)) as entries:
            return {
                entry.name: entry.stat(follow_symlinks=False).st_size
                for entry in entries
                if entry.is_file(follow_symlinks=False)
            }
    except FileNotFoundError:
        return {}
