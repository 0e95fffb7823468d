"""The video files of a data set, found by the ids of its videos."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.media.containers import VIDEO_EXTENSIONS, extension_of


@dataclass(frozen=True, slots=True)
class VideoFiles:
    """The files of the videos of a set.

    Attributes:
        paths: By id.
        missing: Ids without a file, in the order asked for.
        several: How many ids have more than one file.
    """

    paths: dict[str, str]
    missing: list[str]
    several: int


def find_video_files(folder: Path, keys: Collection[str], ids_of: Callable[[str], tuple[str, ...]]) -> VideoFiles:
    """Find the file of each video in a folder and all folders below it, whatever its extension.

    Of several files of one video, the one in the fewest folders counts, and among these the first by path. A link
    counts by its own name: sets are often laid out as links to files with other names.

    Args:
        folder: The folder.
        keys: Ids.
        ids_of: The ids that the name of a file may stand for.
    """
    wanted = set(keys)
    found: dict[str, list[str]] = {}
    for path in _files(os.fspath(folder)):
        name = os.path.basename(path)
        if extension_of(name) in VIDEO_EXTENSIONS:
            for key in filter(wanted.__contains__, ids_of(name)):
                found.setdefault(key, []).append(path)
    paths = {key: min(each, key=lambda path: (path.count(os.sep), path)) for key, each in found.items()}
    missing = [key for key in dict.fromkeys(keys) if key not in paths]
    return VideoFiles(paths, missing, sum(len(each) > 1 for each in found.values()))


def _files(folder: str) -> Iterator[str]:
    """Yield all files below a folder. Links to folders are followed, each folder once."""
    entered: set[str] = set()
    for path, folders, names in os.walk(os.path.abspath(folder), followlinks=True):
        real = os.path.realpath(path)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders.sort()
        yield from (os.path.join(path, name) for name in names)
