"""Finding the videos of a data set below a folder, by the names that its labels use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import PurePosixPath

from files.regular import AnyPath
from indexer.media.containers import VIDEO_EXTENSIONS


class VideoFiles:
    """The videos in a folder and below it. Links to folders are followed, each folder once."""

    def __init__(self, folder: AnyPath, *, with_pictures: bool = False) -> None:
        """List a folder.

        Args:
            folder: The folder.
            with_pictures: Whether folders that hold pictures count as videos, too.

        Raises:
            OSError: The folder itself cannot be read.
        """
        os.listdir(folder)
        self._by_stem: dict[str, list[str]] = {}
        entered: set[str] = set()
        for place, folders, names in os.walk(folder, followlinks=True):
            real = os.path.realpath(place)
            if real in entered:
                folders.clear()
                continue
            entered.add(real)
            folders.sort()
            for name in sorted(names):
                stem, dot, ending = name.rpartition(".")
                if dot and ending.lower() in VIDEO_EXTENSIONS - {"gif"}:
                    self._by_stem.setdefault(stem, []).append(os.path.join(place, name))
            if with_pictures and any(name.lower().endswith((".jpg", ".jpeg", ".png")) for name in names):
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
        agree = {path: _agreeing(wanted[:-1], os.path.dirname(path).split(os.sep)) for path in found}
        best = [path for path in found if agree[path] == max(agree.values())]
        if len(best) > 1:
            raise ValueError(f"several videos are called {wanted[-1]!r}: {best[0]} and {best[1]}")
        return best[0]


def _agreeing(one: Iterable[str], other: Iterable[str]) -> int:
    """Return how many of the last parts are the same."""
    count = 0
    for first, second in zip(reversed([*one]), reversed([*other]), strict=False):
        if first != second:
            break
        count += 1
    return count
