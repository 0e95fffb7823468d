"""ChimpACT: clips of a group of chimpanzees, with 23 behaviours of each animal in every tenth frame.

Two layouts, as the authors' repository (ShirleyMaxx/ChimpACT: README, tools/create_coco_format.py and
tools/create_ava_dataset.py) reads and writes them:

* the release: `labels/CLIP.json` in the style of COCO, `images` [{"id", "file_name": ".../000012.jpg"}], where the
  number counts labelled frames, so that the frame of the video is ten times it, and `annotations` [{"image_id",
  "behaviors": [0 to 22], "bbox_id", ...}], one for each animal; the videos are `videos_full/CLIP.mp4`;
* tables made from it for action detection, `train_action.csv` and so on: no head, and the columns
  `train/images/CLIP, frame, x1, y1, x2, y2, behaviour (1 to 23), animal`.

Here a frame has the behaviours of all animals in it: boxes are not used, so figures are not those of a protocol that
has the true boxes. A frame without any animal has no labels, as in the authors' tables. Validation and test clips are
those of create_coco_format.py. Not verified: whether the numbers of frames in the tables are those of the video in
every clip, since the script counts only frames between labelled ones.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.evaluation.datasets.video_files import NamedVideos
from app.evaluation.frame_labels import FrameLabels, LabelledVideos
from app.text_files import read_json_file, read_text, wrong
from files.regular import AnyPath

BEHAVIOURS = (
    "moving", "climbing", "resting", "sleeping", "solitary object playing", "eating", "manipulating object", "grooming",
    "being groomed", "aggressing", "embracing", "begging", "being begged from", "taking object", "losing object",
    "carrying", "being carried", "nursing", "being nursed", "playing", "touching", "erection", "displaying",
)  # fmt: skip
"""Names of the behaviours 0 to 22, from tools/cal_vis_stat.py."""

_FRAMES_APART = 10
_MOST_FRAMES = 10_000_000
_MOST_BYTES = 1 << 30
_TABLE = re.compile(r"(train|val|test)(?:_indoor|_outdoor)?_action(?:_10)?(?:\.ava)?\.csv")
_CLIP = re.compile(r"(.+)_clip_(\d+)_\d+")
# First frames of the clips of a recording that are for validation, and for the test
_HELD_OUT = MappingProxyType(
    {
        "Azibo_ObsChimp_2015_11_25_d": ((23000,), (1000,)),
        "Azibo_ObsChimp_2015_11_26_a": ((1000,), (0, 2000)),
        "Azibo_ObsChimp_2016_08_02_c": ((32000,), (33000,)),
        "Azibo_ObsChimp_2016_08_15_b": ((), (2000,)),
        "Azibo_ObsChimp_2016_10_27_c": ((), (0,)),
        "Azibo_ObsChimp_2017_02_27_a": ((13000,), (14000,)),
        "Azibo_ObsChimp_2017_06_22_c": ((46000, 67000), (44000, 68000)),
        "Azibo_ObsChimp_2017_11_10": ((7000, 8000), (6000,)),
        "Azibo_ObsChimp_2018_07_06_d": ((), (0,)),
        "Azibo_ObsChimp_2018_07_11_c": ((0, 1000, 3000, 6000, 17000, 18000), (2000, 8000, 16000, 19000)),
        "Azibo_ObsChimp_2018_08_06_a": ((7000,), (6000, 8000)),
        "Azibo_ObsNatascha_2018_06_29_a": ((15000, 16000), (14000, 17000)),
    }
)


def read_chimpact(labels: AnyPath, videos: AnyPath) -> LabelledVideos:
    """Read labels, and find their videos.

    Args:
        labels: A folder of tables or of JSON files, or one of these.
        videos: The folder with the videos, or one above it.

    Raises:
        OSError: A file or folder cannot be read.
        ValueError: A file has another layout, or there is none. One line.
    """
    files = NamedVideos(videos)
    tables, clips = _label_files(Path(labels))
    frames: dict[str, dict[int, set[int]]] = {}
    splits: dict[str, str] = {}
    for path in tables:
        for clip, frame, behaviour in _rows(path):
            frames.setdefault(clip, {}).setdefault(frame, set()).add(behaviour)
            splits[clip] = _split_of_table(path)
    for path in clips:
        frames[path.stem] = _release(path)
        splits[path.stem] = official_split(path.stem)
    if not frames:
        raise wrong(labels, None, "it has no labels of frames")
    found: list[FrameLabels] = []
    missing: list[str] = []
    for clip, numbers in frames.items():
        place = files.find_for(labels, clip)
        if place is None:
            missing.append(clip)
            continue
        shown: list[frozenset[str] | None] = [None] * (max(numbers, default=-1) + 1)
        for frame, behaviours in numbers.items():
            shown[frame] = frozenset(BEHAVIOURS[each] for each in behaviours)
        found.append(FrameLabels(clip, place, tuple(shown), split=splits[clip]))
    return LabelledVideos(BEHAVIOURS, None, exclusive=False, videos=tuple(found), missing=tuple(missing))


def official_split(clip: str) -> str:
    """Return the split of a clip in the authors' benchmark; all clips that it does not name are for training."""
    found = _CLIP.fullmatch(clip)
    validation, test = _HELD_OUT.get(found[1], ((), ())) if found else ((), ())
    start = int(found[2]) if found else -1
    return "validation" if start in validation else "test" if start in test else "train"


def _label_files(labels: Path) -> tuple[list[Path], list[Path]]:
    """Return the tables, and the files of single clips; the latter only where there is no table."""
    if not labels.is_dir():
        return ([labels], []) if labels.suffix == ".csv" else ([], [labels])
    tables = sorted(path for path in labels.rglob("*.csv") if _TABLE.fullmatch(path.name))
    single = sorted(
        path for path in labels.rglob("*.json") if _CLIP.fullmatch(path.stem) or path.parent.name == "labels"
    )
    if not tables and not single:
        raise wrong(labels, None, "there is no train_action.csv and no labels/CLIP.json in this folder")
    return tables, [] if tables else single


def _split_of_table(path: Path) -> str:
    found = _TABLE.fullmatch(path.name)
    return {"train": "train", "val": "validation", "test": "test"}[found[1]] if found else ""


def _rows(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield clip, frame and number of the behaviour, from 0."""
    for line, cells in enumerate(csv.reader(read_text(path).splitlines()), start=1):
        if not cells:
            continue
        if len(cells) not in (7, 8):
            raise wrong(path, line, f"8 columns are expected (clip, frame, box, behaviour, animal), got {len(cells)}")
        try:
            frame, behaviour = int(cells[1]), int(cells[6])
        except ValueError:
            raise wrong(path, line, "the frame and the behaviour must be whole numbers") from None
        if not 0 <= frame < _MOST_FRAMES:
            raise wrong(path, line, f"there is no frame {frame}")
        if not 1 <= behaviour <= len(BEHAVIOURS):
            raise wrong(path, line, f"there is no behaviour {behaviour}; they are numbered from 1 to {len(BEHAVIOURS)}")
        name = cells[0].strip().rpartition("/")[2]
        yield (name[:-4] if name.endswith(".mp4") else name), frame, behaviour - 1


def _release(path: Path) -> dict[int, set[int]]:
    """Return the numbers of the behaviours by frame of the video."""
    content = read_json_file(path, max_bytes=_MOST_BYTES, leave_out=("keypoints", "segmentation"))
    images = _list_of(path, content, "images")
    frame_of: dict[Any, int] = {}
    for image in images:
        stem = os.path.splitext(str(image.get("file_name", "")).replace("\\", "/").rpartition("/")[2])[0]
        if not stem.isascii() or not stem.isdigit() or int(stem) * _FRAMES_APART >= _MOST_FRAMES:
            raise wrong(path, None, f"an image has no number as its file name: {image.get('file_name')!r}")
        frame_of[image.get("id")] = int(stem) * _FRAMES_APART
    frames: dict[int, set[int]] = {}
    for animal in _list_of(path, content, "annotations"):
        frame, behaviours = frame_of.get(animal.get("image_id")), animal.get("behaviors")
        if frame is None:
            raise wrong(path, None, f"an annotation is of image {animal.get('image_id')!r}, which is not in the file")
        if not isinstance(behaviours, list):
            raise wrong(path, None, f"an annotation of image {animal.get('image_id')!r} has no list of behaviors")
        for each in behaviours:
            if not isinstance(each, int) or isinstance(each, bool) or not 0 <= each < len(BEHAVIOURS):
                raise wrong(path, None, f"there is no behaviour {each!r}; they are numbered from 0 to 22")
        frames.setdefault(frame, set()).update(behaviours)
    return frames


def _list_of(path: Path, content: Any, key: str) -> list[dict[str, Any]]:
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise wrong(path, None, f"a list of `{key}` is expected, as in the labels of the ChimpACT release")
    return found
