"""KABR: zebras and giraffes from a drone, one animal a clip, each frame labelled with one of 8 behaviours.

Layout of the published set (its dataset card, and cvat2slowfast.py in Imageomics/kabr-tools, which writes it):
`annotation/train.csv` and `annotation/val.csv` with the columns `original_vido_id video_id frame_id path labels`,
separated by spaces, spelled so, a line a frame; `annotation/classes.json`, {"Walk": 0, ...}; and frames as pictures,
`dataset/image/G0001/1.jpg`, numbered from 1. Commas are accepted, and videos of the name of a clip (`G0001.mp4`) in
place of its folder. Not verified: the order of the classes in the published classes.json; where that file is missing,
the order of the file of this name in kabr-tools is taken. Frames of behaviours outside the classes were left out before
the pictures were numbered, so neighbours by number may be further apart in time. The published set has no third part:
what is tested is `val`.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

from app.evaluation.datasets.video_files import NamedVideos
from app.evaluation.frame_labels import FrameLabels, LabelledVideos
from app.evaluation.picture_folder import pictures
from app.text_files import read_json_file, read_text, wrong
from files.regular import AnyPath

CLASSES = ("Walk", "Graze", "Browse", "Head Up", "Auto-Groom", "Trot", "Run", "Occluded")

_COLUMNS = ("original_vido_id", "frame_id", "labels")
_SPLITS = {"train": "train", "val": "test", "test": "test"}
_MOST_FRAMES = 10_000_000


def read_kabr(labels: AnyPath, videos: AnyPath) -> LabelledVideos:
    """Read labels, and find the clips.

    Args:
        labels: The folder `annotation`, or one of its tables.
        videos: The folder with the folders of pictures or the videos, or one above it.

    Raises:
        OSError: A file or folder cannot be read.
        ValueError: A file has another layout, or there is none. One line.
    """
    files = NamedVideos(videos, with_pictures=True)
    tables = _tables(Path(labels))
    classes = _classes(tables[0].parent)
    found: list[FrameLabels] = []
    missing: list[str] = []
    for table in tables:
        for clip, frames in _frames(table, classes).items():
            place = files.find_for(table, clip)
            if place is None:
                missing.append(clip)
                continue
            first = min(pictures(place), default=0) if os.path.isdir(place) else min(1, *frames)
            shown: list[frozenset[str] | None] = [None] * (max(frames) - first + 1)
            for number, names in frames.items():
                if number >= first:
                    shown[number - first] = names
            found.append(FrameLabels(clip, place, tuple(shown), split=_SPLITS.get(table.stem, "")))
    single = all(names is None or len(names) == 1 for video in found for names in set(video.labels))
    return LabelledVideos(tuple(classes.values()), None, exclusive=single, videos=tuple(found), missing=tuple(missing))


def _tables(labels: Path) -> list[Path]:
    if not labels.is_dir():
        return [labels]
    found = [path for name in _SPLITS if (path := labels / f"{name}.csv").is_file()]
    if not found:
        raise wrong(labels, None, "there is no train.csv or val.csv in this folder")
    return found


def _classes(folder: Path) -> dict[int, str]:
    path = folder / "classes.json"
    if not path.is_file():
        return dict(enumerate(CLASSES))
    content = read_json_file(path)
    if (
        not isinstance(content, dict)
        or not content
        or not all(isinstance(each, int) and not isinstance(each, bool) for each in content.values())
    ):
        raise wrong(path, None, 'a number for each class is expected, as in {"Walk": 0}')
    if len(set(content.values())) < len(content):
        raise wrong(path, None, "two classes have the same number")
    return {number: name for name, number in sorted(content.items(), key=lambda each: int(each[1]))}


def _frames(table: Path, classes: dict[int, str]) -> dict[str, dict[int, frozenset[str]]]:
    """Return the classes of each frame of each clip."""
    lines = read_text(table).splitlines()
    delimiter = "," if lines and "," in lines[0] else " "
    header = [each.strip() for each in next(csv.reader(lines[:1], delimiter=delimiter), [])]
    if not set(_COLUMNS) <= set(header):
        raise wrong(table, 1, f"the first line must name the columns {' '.join(_COLUMNS)}")
    clip_at, frame_at, labels_at = (header.index(each) for each in _COLUMNS)
    known: dict[str, frozenset[str]] = {}
    found: dict[str, dict[int, frozenset[str]]] = {}
    for line, cells in enumerate(csv.reader(lines[1:], delimiter=delimiter), start=2):
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise wrong(table, line, f"{len(header)} columns are expected, got {len(cells)}")
        text = cells[labels_at]
        try:
            number = int(cells[frame_at])
            if text not in known:
                known[text] = frozenset(classes[int(each)] for each in text.split(","))
        except ValueError:
            raise wrong(table, line, "the frame and the labels must be whole numbers") from None
        except KeyError as error:
            raise wrong(table, line, f"there is no class {error.args[0]} in classes.json") from None
        if not 0 <= number < _MOST_FRAMES:
            raise wrong(table, line, f"there is no frame {number}")
        found.setdefault(cells[clip_at], {})[number] = known[text]
    if not found:
        raise wrong(table, None, "it has no line below the names of the columns")
    return found
