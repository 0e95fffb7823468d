"""Videos whose files have vanished: found again by content, and given up after a while.

To the plan of a run they are videos under names that no file has, so that a file with their content was moved from
there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from db.errors import LibraryError
from db.records import KnownFile
from files.volumes import Volumes
from indexer.media_roots import Reach
from indexer.missing_files import is_other_volume

if TYPE_CHECKING:
    from db.library import Library
    from indexer.scan import FoundFile

_DAY_SECONDS = 86_400
_LEAST_FREE_BYTES = 16 << 20
_LEAST_FREE_SHARE = 0.25
"""A large database is rewritten, which takes a while, only if at least this much of it is free."""


def vanished_as_known(library: Library, encoder_id: str) -> dict[str, KnownFile]:
    """Return the vanished videos by invented paths, one each: several may have had one path."""
    return {
        os.path.join(os.path.dirname(path), f".prismsearch-vanished-{record.video_id}"): record
        for path, record in library.vanished_files(encoder_id)
    }


def expire(library: Library, now: float | None = None) -> int:
    """Remove vanished videos for good after the days that the library keeps them. Return how many were removed.

    Those of a drive, card or root of media that is not there now are kept: they have not vanished, but something else
    is in their place.

    Args:
        library: The library.
        now: Unix seconds; by default the current time.
    """
    before = (time.time() if now is None else now) - _DAY_SECONDS * library.keep_vanished_days()
    volumes = Volumes()
    old = [each for each in library.vanished_videos() if each.vanished_at <= before]
    reach = Reach(library.roots, [video.path for video in library.videos()] if library.roots and old else ())
    over = [each.video_id for each in old if reach.is_proved(each.path) and _is_there(each.path, each.volume, volumes)]
    removed = library.remove_vanished(over) if over else 0
    if removed:
        with suppress(LibraryError):  # another process writes: later
            library.compact(least_bytes=_LEAST_FREE_BYTES, least_share=_LEAST_FREE_SHARE)
    return removed


def _is_there(path: str, volume: str, volumes: Volumes) -> bool:
    """Return whether the drive that a file was on is there, as far as that can be known."""
    folder = os.path.dirname(path)
    if not volume:
        return os.path.isdir(folder)
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return not is_other_volume(volume, volumes.identity(folder))


def changed_volumes(paths: Iterable[str], known: dict[str, KnownFile]) -> dict[int, str]:
    """Return the volumes of files, by the ids of their videos, where they are not those in `known`.

    Args:
        paths: Files that are there.
        known: The library's files, by path.
    """
    volumes, folders, changed = Volumes(), dict[str, str](), dict[int, str]()
    for path in paths:
        record = known.get(path)
        if record is not None:
            folder = os.path.dirname(path)
            if folder not in folders:
                folders[folder] = volumes.identity(folder)
            if record.volume != folders[folder]:
                changed[record.video_id] = folders[folder]
    return changed


def changed_file_ids(files: Iterable[FoundFile], known: dict[str, KnownFile]) -> dict[int, str]:
    """Return device and inode of unchanged files, by the ids of their videos, where they are not those in `known`.

    The device changes whenever a drive is plugged in; files of earlier versions have none.
    """
    changed = {}
    for file in files:
        record = known.get(file.path)
        if record is None or not file.file_id or file.file_id == record.file_id:
            continue
        inode = record.file_id.partition(":")[2]
        unchanged = (record.size_bytes, record.modified_ns) == (file.size_bytes, file.modified_ns)
        if unchanged and inode in ("", file.file_id.partition(":")[2]):
            changed[record.video_id] = file.file_id
    return changed
