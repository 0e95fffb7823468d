"""Videos whose folder was moved: their paths are rewritten where the files at the new place are the same.

Nothing is decoded. A file is the same if its size and its time of modification are, to the two seconds that FAT keeps;
if only the time differs, its content decides.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.records import FileState
from files.volumes import Volumes
from indexer.content_hash import content_hash
from indexer.fingerprint import covers, fingerprint
from indexer.missing_files import is_below

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Failure, Video

_TIME_NS = 2 * 10**9
_THREADS = 8  # a network drive answers several at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Relink:
    """The new locations of the library's files below a folder.

    Attributes:
        videos: By id, the files that the videos are now.
        failures: By the old path, the new one of a file that could not be indexed.
        unfit: Old paths that stay, and why.
        vanished: By id, the new paths of videos whose files had vanished before: not compared.
    """

    videos: dict[int, FileState]
    failures: dict[str, str]
    unfit: tuple[tuple[str, str], ...]
    vanished: dict[int, str]


def find_relink(library: Library, old: str, new: str, *, cancelled: Callable[[], bool] | None = None) -> Relink:
    """Compare the files below a new folder with those the library has below the old one. Changes nothing.

    Args:
        library: The library.
        old: Absolute path of a folder, or of one file, which need not be there any more.
        new: Absolute path of what it is now.
        cancelled: True ends a comparison of contents.

    Raises:
        Cancelled: If `cancelled()` returns True.
    """
    volumes, taken = Volumes(), {video.path: video.id for video in library.videos()}
    own = [video for video in library.videos(old) if video.id is not None]
    ids = {video.id for video in own}
    videos: dict[int, FileState] = {}
    unfit: list[tuple[str, str]] = []

    def compare(video: Video) -> FileState | str:
        path = _new_path(video.path, old, new)
        if taken.get(path, video.id) not in ids:
            return "the library already has a video with the new name"
        return _file_state(video, path, volumes, cancelled)

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="relink") as pool:
        for video, found in zip(own, pool.map(compare, own), strict=True):
            if isinstance(found, str):
                unfit.append((video.path, found))
            elif video.id is not None:
                videos[video.id] = found
        failed = [failure for failure in library.failures() if is_below(failure.path, old)]
        there = pool.map(lambda failure: _is_there(failure, _new_path(failure.path, old, new)), failed)
        failures = {each.path: _new_path(each.path, old, new) for each, same in zip(failed, there, strict=True) if same}
    unfit += [(each.path, _UNFIT_FAILURE) for each in failed if each.path not in failures]
    return Relink(
        videos=videos,
        failures=failures,
        unfit=tuple(sorted(unfit)),
        vanished={each.video_id: _new_path(each.path, old, new) for each in library.vanished_videos(old)},
    )


_UNFIT_FAILURE = "it could not be indexed, and there is no such file in the new location"


def _new_path(path: str, old: str, new: str) -> str:
    rest = path[len(old.rstrip(os.sep)) :].lstrip(os.sep)
    return os.path.join(new, rest) if rest else new


def _file_state(video: Video, path: str, volumes: Volumes, cancelled: Callable[[], bool] | None) -> FileState | str:
    """Return the file at the new path if it is the video's, else why not."""
    try:
        status = os.stat(path)
        if status.st_size != video.size_bytes:
            return "the file in the new location has a different size"
        if abs(status.st_mtime_ns - video.modified_ns) > _TIME_NS and not _same_content(video, path, cancelled):
            return "the file in the new location has a different time, and may have different content"
        volume = volumes.identity(os.path.dirname(path))
    except FileNotFoundError:
        return "there is no such file in the new location"
    except OSError as error:
        return f"the file in the new location cannot be read ({error.strerror or error})"
    return FileState(
        path=path,
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        volume=volume,
    )


def _same_content(video: Video, path: str, cancelled: Callable[[], bool] | None) -> bool:
    if video.content_hash:
        return content_hash(path, cancelled=cancelled) == video.content_hash
    return covers(video.size_bytes) and fingerprint(path) == video.fingerprint


def _is_there(failure: Failure, path: str) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return status.st_size == failure.size_bytes and abs(status.st_mtime_ns - failure.modified_ns) <= _TIME_NS
