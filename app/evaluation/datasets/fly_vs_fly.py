"""Fly vs. Fly: pairs of fruit flies, with bouts of behaviour of each fly in MATLAB files.

Layout, as public readers of the set and the documentation of FlyTracker (kristinbranson/FlyTracker,
docs/documentation.html: "-actions.mat") give it: `Aggression/movie1/movie1_actions.mat` with `behs`, a 1 x behaviours
cell of names, and `bouts`, a flies x behaviours cell of lists with the columns start frame, end frame, certainty;
frames counted from 1, both included (FlyTrackerBouts2LabelIdx.m). `traintest.mat` beside the movies has `trainids` and
`testids`. Annotations of a second person have `second` in their names and are left out. The videos are taken from
files of the name `movie1` in any format that can be read here; the original recordings are `.seq` files, which
were not tried.

Here a frame has the behaviours of all flies in it, or `other`, which is ours for none of them. Not verified: the
meaning of the third column (certainty in FlyTracker), which is not used; the file names of sets other than Aggression.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.evaluation.datasets.video_files import NamedVideos
from app.evaluation.frame_labels import FrameLabels, LabelledVideos
from app.text_files import wrong
from files.regular import AnyPath
from indexer.media.errors import UnreadableVideo

if TYPE_CHECKING:
    from app.media_workers import ReadMedia

BACKGROUND = "other"
_MOST_FRAMES = 10_000_000
_SUFFIX = "_actions.mat"
_NONE = frozenset((BACKGROUND,))


def read_fly_vs_fly(labels: AnyPath, videos: AnyPath, read: ReadMedia) -> LabelledVideos:
    """Read labels, and find their videos.

    Args:
        labels: A folder with `_actions.mat` files in it or below, or one such file.
        videos: The folder with the videos, or one above it.
        read: Reads MATLAB files, in a process that may fail.

    Raises:
        OSError: A file or folder cannot be read.
        ValueError: A file has another layout, or there is none. One line.
    """
    root = Path(labels)
    files = NamedVideos(videos)
    classes: dict[str, None] = {}
    splits: dict[Path, dict[int, str]] = {}
    found: list[FrameLabels] = []
    missing: list[str] = []
    notes: list[str] = []
    for path in _label_files(root):
        names, shown, backwards = _frames(path, read)
        classes.update(dict.fromkeys(names))
        if backwards:
            notes.append(f"{path.name}: {backwards} bouts end before they begin and are left out")
        movie = path.name.removesuffix(_SUFFIX)
        name = "/".join((*path.parent.relative_to(root).parts, movie)) if root.is_dir() else movie
        place = files.find_for(path, name)
        if place is None:
            missing.append(name)
            continue
        folder = path.parent.parent
        if folder not in splits:
            splits[folder] = _split_numbers(folder / "traintest.mat", read)
        number = re.search(r"(\d+)$", movie)
        split = splits[folder].get(int(number[1]), "") if number else ""
        found.append(FrameLabels(name, place, shown, rest=_NONE, split=split))
    classes[BACKGROUND] = None
    return LabelledVideos(
        tuple(classes),
        BACKGROUND,
        exclusive=all(len(names) == 1 for video in found for names in set(video.labels) if names is not None),
        videos=tuple(found),
        missing=tuple(missing),
        notes=tuple(notes),
    )


def read_matlab(path: str) -> dict[str, Any]:
    """Return the variables of a MATLAB file.

    Raises:
        ValueError: It is none, or of version 7.3.
    """
    import scipy.io

    try:
        found: dict[str, Any] = scipy.io.loadmat(path)
    except NotImplementedError:
        raise ValueError("this is a MATLAB 7.3 file, which cannot be read here; save it again with -v7") from None
    except Exception as error:  # every damage has another one
        raise ValueError("this is no MATLAB file that can be read") from error
    return found


def _label_files(labels: Path) -> list[Path]:
    if not labels.is_dir():
        return [labels]
    found = sorted(path for path in labels.rglob(f"*{_SUFFIX}") if "second" not in path.name.lower())
    if not found:
        raise wrong(labels, None, f"there is no file like movie1{_SUFFIX} in this folder")
    own = {path.parent for path in found if path.name == path.parent.name + _SUFFIX}
    return [path for path in found if path.parent not in own or path.name == path.parent.name + _SUFFIX]


def _variables(path: Path, read: ReadMedia, names: tuple[str, ...]) -> list[Any]:
    os.stat(path)  # OSError here, not in another process
    try:
        content = read(read_matlab, os.fspath(path), path=os.fspath(path))
    except ValueError as error:
        raise wrong(path, None, str(error)) from error
    except UnreadableVideo as error:
        raise wrong(path, None, "reading it takes too much time or memory, or crashes") from error
    if not all(name in content for name in names):
        raise wrong(path, None, f"it has no {' and '.join(f'`{name}`' for name in names)}")
    return [content[name] for name in names]


def _frames(path: Path, read: ReadMedia) -> tuple[list[str], tuple[frozenset[str], ...], int]:
    """Return the behaviours, the labels of each frame up to the last bout, and how many bouts end too early."""
    import numpy as np

    behaviours, bouts = _variables(path, read, ("behs", "bouts"))
    names = [str(np.ravel(each)[0]).strip() if np.size(each) else "" for each in np.ravel(behaviours)]
    if not all(names) or len(set(names)) < len(names):
        raise wrong(path, None, "a behaviour in `behs` has no name, or two have the same")
    bouts = np.asarray(bouts)
    if bouts.dtype != object or bouts.ndim != 2 or bouts.shape[1] != len(names):
        raise wrong(path, None, f"`bouts` must be a cell of flies x {len(names)} behaviours, got {bouts.shape}")
    shown: list[set[str]] = []
    backwards = 0
    for (_, column), rows in np.ndenumerate(bouts):
        if not np.size(rows):
            continue
        if not np.issubdtype(np.asarray(rows).dtype, np.number) or np.ndim(rows) != 2 or np.shape(rows)[1] < 2:
            raise wrong(path, None, f"bouts of {names[column]!r} are no rows of start frame, end frame, certainty")
        for start, end in np.asarray(rows, np.float64)[:, :2]:
            if not (
                np.isfinite([start, end]).all() and start >= 1 and end < _MOST_FRAMES and start % 1 == end % 1 == 0
            ):
                raise wrong(path, None, f"a bout of {names[column]!r} is not of frames: {start:g} to {end:g}")
            if end < start:
                backwards += 1
                continue
            shown.extend(set() for _ in range(len(shown), int(end)))
            for frame in range(int(start) - 1, int(end)):
                shown[frame].add(names[column])
    known: dict[frozenset[str], frozenset[str]] = {}
    return (
        names,
        tuple(known.setdefault(each, each) for each in (frozenset(some) or _NONE for some in shown)),
        backwards,
    )


def _split_numbers(path: Path, read: ReadMedia) -> dict[int, str]:
    """Return the splits of the movies by their numbers; none if there is no such file."""
    import numpy as np

    if not path.is_file():
        return {}
    train, test = _variables(path, read, ("trainids", "testids"))
    try:
        return {
            **{int(number): "train" for number in np.ravel(train)},
            **{int(number): "test" for number in np.ravel(test)},
        }
    except (TypeError, ValueError) as error:
        raise wrong(path, None, "`trainids` and `testids` must be numbers of movies") from error
