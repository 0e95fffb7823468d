"""CalMS21, task 1: pairs of mice, each frame labelled attack, investigation, mount or other.

Layout of `calms21_task1_train.json` and `..._test.json`, as public loaders read them (neuroethology/TREBA, the starter
code of the MABe challenge, tools that cite it):

    {"annotator-id_0": {"task1/train/mouse001_task1_annotator1": {
        "keypoints": frames x 2 x 2 x 7, "scores": frames x 2 x 7, "annotations": frames,
        "metadata": {"vocab": {"attack": 0, "investigation": 1, "mount": 2, "other": 3}, ...}}}}

The videos are `train/mouse001_task1_annotator1.mp4` and so on, with a frame for each number. Beside JSON, labels are
read from `.annot` files of Bento and MARS (see `bento`), one per video. Not verified here: that the numbers of frames
of all published videos and labels agree (a difference is said), and the splits inside files of tasks 2 and 3.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.evaluation.datasets.bento import read_annot
from app.evaluation.datasets.video_files import NamedVideos
from app.evaluation.frame_labels import FrameLabels, LabelledVideos
from app.text_files import read_json_file, wrong
from files.regular import AnyPath

BACKGROUND = "other"
_MOST_BYTES = 4 << 30
_UNUSED = frozenset(("keypoints", "scores"))


def read_calms21(labels: AnyPath, videos: AnyPath) -> LabelledVideos:
    """Read labels, and find their videos.

    Args:
        labels: A JSON or `.annot` file, or a folder with several.
        videos: The folder with the videos, or one above it.

    Raises:
        OSError: A file or folder cannot be read.
        ValueError: A file has another layout, contradicts itself, or there is none. One line.
    """
    files = NamedVideos(videos)
    classes: dict[str, int] = {}
    found: list[FrameLabels] = []
    missing: list[str] = []
    notes: list[str] = []
    for path in _label_files(Path(labels)):
        for name, names, frames in _videos_in(path, notes):
            for each in names:
                classes.setdefault(each, len(classes))
            place = files.find_for(path, name)
            if place is None:
                missing.append(name)
                continue
            found.append(FrameLabels(name, place, frames, split=_split_of(name, path)))
    if not found and not missing:
        raise wrong(labels, None, "it has no labels of frames")
    single = all(labels is None or len(labels) == 1 for video in found for labels in set(video.labels))
    return LabelledVideos(
        tuple(classes),
        BACKGROUND if BACKGROUND in classes else None,
        exclusive=single,
        videos=tuple(found),
        missing=tuple(missing),
        notes=tuple(notes),
    )


def _label_files(labels: Path) -> list[Path]:
    if not labels.is_dir():
        if labels.suffix == ".npy":
            raise wrong(
                labels, None, "it holds Python objects, which could run code; give the JSON file that it is from"
            )
        return [labels]
    found = sorted(path for path in labels.rglob("*") if path.suffix in (".json", ".annot") and path.is_file())
    if not found:
        raise wrong(labels, None, "there is no .json or .annot file in this folder")
    return found


def _videos_in(path: Path, notes: list[str]) -> Iterator[tuple[str, list[str], tuple[frozenset[str] | None, ...]]]:
    """Yield the name of each labelled video, its classes, and the labels of its frames."""
    if path.suffix == ".annot":
        yield path.stem, *read_annot(path, background=BACKGROUND)
        return
    groups = read_json_file(path, max_bytes=_MOST_BYTES, leave_out=_UNUSED)
    if not isinstance(groups, dict):
        raise wrong(path, None, "groups of videos are expected, as in calms21_task1_train.json")
    for group in groups.values():
        if not isinstance(group, dict):
            raise wrong(path, None, "groups of videos are expected, as in calms21_task1_train.json")
        for name, video in group.items():
            if not isinstance(video, dict) or "metadata" not in video:
                raise wrong(path, None, f"{name!r} is no video with `annotations` and `metadata`")
            if "annotations" not in video:
                notes.append(f"{os.path.basename(path)}: {name} has no annotations and is left out")
                continue
            try:
                names, frames = _frames(video)
            except ValueError as error:
                raise wrong(path, None, f"{name}: {error}") from error
            yield name, names, frames


def _frames(video: dict[str, Any]) -> tuple[list[str], tuple[frozenset[str] | None, ...]]:
    metadata, numbers = video["metadata"], video["annotations"]
    vocabulary = metadata.get("vocab") if isinstance(metadata, dict) else None
    if not isinstance(vocabulary, dict) or not vocabulary:
        raise ValueError("its metadata has no `vocab`, the numbers of the classes")
    by_number: dict[int, frozenset[str]] = {}
    for name, number in vocabulary.items():
        if not isinstance(number, int) or isinstance(number, bool) or number in by_number or not name.strip():
            raise ValueError(f"class {name!r} of its `vocab` has no number of its own")
        by_number[number] = frozenset((name,))
    if not isinstance(numbers, list):
        raise ValueError("its `annotations` are no list with a number for each frame")
    for frame, number in enumerate(numbers):
        if not isinstance(number, int) or isinstance(number, bool) or number not in by_number:
            raise ValueError(f"frame {frame} has class {number!r}, which its `vocab` does not name")
    names = sorted(vocabulary, key=lambda name: int(vocabulary[name]))
    return names, tuple(by_number[number] for number in numbers)


def _split_of(name: str, path: Path) -> str:
    for text in (name.rpartition("/")[0], path.stem):
        for split in ("train", "test"):
            if split in text.lower().replace("_", "/").split("/"):
                return split
    return ""
