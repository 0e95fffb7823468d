"""The video files of a data set, found by the ids of its videos, or by the names that its labels use."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.evaluation.picture_folder import is_picture
from app.text_files import wrong
from files.regular import AnyPath
from indexer.media.containers import VIDEO_EXTENSIONS, extension_of


def files_below(folder: AnyPath) -> Iterator[str]:
    """Yield the absolute paths of all files in a folder and below it, in order by folder.

    Links to folders are followed, each folder once; a folder below that cannot be read is passed over.

    Raises:
        OSError: The folder itself cannot be read.
    """
    root = os.path.abspath(os.fspath(folder))
    os.listdir(root)
    entered: set[str] = set()
    for path, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(path)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders.sort()
        yield from (os.path.join(path, name) for name in sorted(names))


@dataclass(frozen=True, slots=True)
class FoundVideos:
    """The files of the videos of a set.

    Attributes:
        paths: By id.
        missing: Ids without a file, in the order asked for.
        several: How many ids have more than one file.
    """

    paths: dict[str, str]
    missing: list[str]
    several: int


def find_by_ids(folder: AnyPath, keys: Collection[str], ids_of: Callable[[str], tuple[str, ...]]) -> FoundVideos:
    """Find the file of each video in a folder and all folders below it, whatever its extension.

    Of several files of one video, the one in the fewest folders counts, and among these the first by path. A link
    counts by its own name: sets are often laid out as links to files with other names.

    Args:
        folder: The folder.
        keys: Ids.
        ids_of: The ids that the name of a file may stand for.

    Raises:
        OSError: The folder itself cannot be read.
    """
    wanted = set(keys)
    found: dict[str, list[str]] = {}
    for path in files_below(folder):
        name = os.path.basename(path)
        if extension_of(name) in VIDEO_EXTENSIONS:
            for key in filter(wanted.__contains__, ids_of(name)):
                found.setdefault(key, []).append(path)
    paths = {key: min(each, key=lambda path: (path.count(os.sep), path)) for key, each in found.items()}
    missing = [key for key in dict.fromkeys(keys) if key not in paths]
    return FoundVideos(paths, missing, sum(len(each) > 1 for each in found.values()))


class NamedVideos:
    """The videos in a folder and below it, by the last part of their names."""

    def __init__(self, folder: AnyPath, *, with_pictures: bool = False) -> None:
        """List a folder.

        Args:
            folder: The folder.
            with_pictures: Whether folders that hold pictures count as videos, too.

        Raises:
            OSError: The folder itself cannot be read.
        """
        self._by_stem: dict[str, list[str]] = {}
        with_some: dict[str, None] = {}
        for path in files_below(folder):
            place, name = os.path.split(path)
            if extension_of(name) in VIDEO_EXTENSIONS - {"gif"}:
                self._by_stem.setdefault(name.rpartition(".")[0], []).append(path)
            elif with_pictures and is_picture(name):
                with_some[place] = None
        for place in with_some:
            self._by_stem.setdefault(os.path.basename(place), []).append(place)

    def find(self, name: str) -> str | None:
        """Return the video of a name such as `task1/train/mouse001`, or None.

        The file has the last part as its name, without its extension. Of several, the one in folders of the same names
        counts: the more of these agree, from the last on, the better.

        Raises:
            ValueError: Several agree equally well.
        """
        wanted = PurePosixPath(name).parts
        found = self._by_stem.get(wanted[-1], []) if wanted else []
        if len(found) <= 1:
            return found[0] if found else None
        agree = {path: _agreeing(wanted[:-1], Path(path).parent.parts) for path in found}
        best = [path for path in found if agree[path] == max(agree.values())]
        if len(best) > 1:
            raise ValueError(f"several videos are called {wanted[-1]!r}: {best[0]} and {best[1]}")
        return best[0]

    def find_for(self, table: AnyPath, name: str) -> str | None:
        """Return the video of a name in a file of labels, or None; see `find`.

        Raises:
            TextFileError: Several agree equally well. The line names the file of labels.
        """
        try:
            return self.find(name)
        except ValueError as error:
            raise wrong(table, None, str(error)) from error


def _agreeing(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many of the last parts are the same."""
    pairs = list(zip(reversed(one), reversed(other), strict=False))
    return next((at for at, (first, second) in enumerate(pairs) if first != second), len(pairs))
