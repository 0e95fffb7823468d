"""Small data sets of animal behaviour, in the layouts of CalMS21, ChimpACT, KABR and Fly vs. Fly.

The videos show a colour for each behaviour, so that labels can be checked against pictures, and learnt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image
from synthetic import COLOURS, make_video

from app.evaluation.datasets.chimpact import BEHAVIOURS

Bouts = Sequence[tuple[str, int]]
"""Behaviours in order, with the number of frames of each."""

MOUSE_VOCABULARY = {"attack": 0, "investigation": 1, "mount": 2, "other": 3}
MOUSE_COLOURS = {"attack": "red", "investigation": "green", "mount": "blue", "other": "grey"}
MOUSE_BOUTS: dict[str, Bouts] = {
    "task1/train/mouse001_task1_annotator1": [("other", 40), ("attack", 40), ("mount", 40), ("investigation", 40)],
    "task1/train/mouse002_task1_annotator1": [("investigation", 40), ("other", 40), ("attack", 40), ("mount", 40)],
    "task1/train/mouse003_task1_annotator1": [("mount", 40), ("attack", 40), ("investigation", 40), ("other", 40)],
    "task1/test/mouse071_task1_annotator1": [("other", 40), ("mount", 40), ("attack", 40), ("investigation", 40)],
    "task1/test/mouse072_task1_annotator1": [("attack", 40), ("other", 40), ("investigation", 40), ("mount", 40)],
}


def spread(bouts: Bouts) -> list[str]:
    """The behaviour of each frame."""
    return [name for name, count in bouts for _ in range(count)]


def calms21(folder: Path, bouts: dict[str, Bouts] | None = None) -> tuple[Path, Path]:
    """Labels (a folder with JSON files) and videos."""
    labels, videos = folder / "task1_classic_classification", folder / "task1_videos_mp4"
    labels.mkdir(parents=True)
    sets: dict[str, dict[str, object]] = {}
    for name, each in (MOUSE_BOUTS if bouts is None else bouts).items():
        frames = spread(each)
        split = name.split("/")[1]
        sets.setdefault(split, {})[name] = {
            "keypoints": np.zeros((len(frames), 2, 2, 7)).tolist(),
            "scores": np.ones((len(frames), 2, 7)).tolist(),
            "annotations": [MOUSE_VOCABULARY[each] for each in frames],
            "metadata": {"vocab": MOUSE_VOCABULARY, "fps": 30},
        }
        (videos / split).mkdir(parents=True, exist_ok=True)
        shown = [(MOUSE_COLOURS[name], count) for name, count in each]
        make_video(videos / split / f"{name.rpartition('/')[2]}.mp4", shown, rate=30)
    for split, videos_of in sets.items():
        content = json.dumps({"annotator-id_0": videos_of})
        (labels / f"calms21_task1_{split}.json").write_text(content)
    return labels, videos


FLY_COLOURS = {"lunge": "red", "wing_threat": "blue", "": "grey"}
FLY_BOUTS: dict[int, Bouts] = {
    1: [("", 40), ("lunge", 30), ("", 30), ("wing_threat", 30), ("", 30)],
    2: [("wing_threat", 30), ("", 40), ("lunge", 40), ("", 40)],
    6: [("", 30), ("wing_threat", 40), ("", 30), ("lunge", 30)],
    7: [("lunge", 40), ("", 40), ("wing_threat", 30), ("", 30)],
}


def fly_vs_fly(folder: Path, bouts: dict[int, Bouts] | None = None) -> tuple[Path, Path]:
    """Labels (the folder `Aggression`) and videos, which are the same folder."""
    root = folder / "Aggression"
    behaviours = [name for name in FLY_COLOURS if name]
    for number, each in (FLY_BOUTS if bouts is None else bouts).items():
        place = root / f"movie{number}"
        place.mkdir(parents=True)
        cell = np.empty((2, len(behaviours)), object)
        for at in np.ndindex(cell.shape):
            cell[at] = np.zeros((0, 3))
        begin = 0
        for at, (name, count) in enumerate(each):
            if name:
                fly, column = at % 2, behaviours.index(name)
                cell[fly, column] = np.vstack([cell[fly, column], [begin + 1, begin + count, 1]])
            begin += count
        names = np.array([*behaviours, None], object)[:-1].reshape(1, -1)
        scipy.io.savemat(place / f"movie{number}_actions.mat", {"behs": names, "bouts": cell}, do_compression=True)
        make_video(place / f"movie{number}.mp4", [(FLY_COLOURS[name], count) for name, count in each], rate=30)
    scipy.io.savemat(root / "traintest.mat", {"trainids": np.arange(1, 6), "testids": np.arange(6, 11)})
    return root, root


ZEBRA_COLOURS = {"Walk": "red", "Graze": "green", "Run": "blue"}
ZEBRA_BOUTS: dict[str, tuple[str, Bouts]] = {
    "ZG0001": ("train", [("Walk", 120), ("Graze", 120)]),
    "ZG0002": ("train", [("Graze", 110), ("Run", 130)]),
    "ZP0003": ("train", [("Run", 110), ("Walk", 110)]),
    "G0004": ("val", [("Walk", 120), ("Run", 120)]),
    "G0005": ("val", [("Graze", 130), ("Walk", 110)]),
}


def kabr(folder: Path, bouts: dict[str, tuple[str, Bouts]] | None = None, *, separator: str = " ") -> tuple[Path, Path]:
    """Labels (the folder `annotation`) and clips (`dataset/image`), one in two as a video."""
    labels, images = folder / "annotation", folder / "dataset" / "image"
    labels.mkdir(parents=True)
    images.mkdir(parents=True)
    classes = {"Walk": 0, "Graze": 1, "Browse": 2, "Head Up": 3, "Auto-Groom": 4, "Trot": 5, "Run": 6, "Occluded": 7}
    (labels / "classes.json").write_text(json.dumps(classes))
    lines: dict[str, list[str]] = {}
    for at, (name, (split, each)) in enumerate((ZEBRA_BOUTS if bouts is None else bouts).items(), start=1):
        rows = lines.setdefault(split, [separator.join(("original_vido_id", "video_id", "frame_id", "path", "labels"))])
        for number, behaviour in enumerate(spread(each), start=1):
            values = (name, str(at), str(number), f"{name}/{number}.jpg", str(classes[behaviour]))
            rows.append(separator.join(values))
        if at % 2:
            (images / name).mkdir()
            for number, behaviour in enumerate(spread(each), start=1):
                Image.new("RGB", (40, 30), COLOURS[ZEBRA_COLOURS[behaviour]]).save(images / name / f"{number}.jpg")
        else:
            make_video(images / f"{name}.mp4", [(ZEBRA_COLOURS[behaviour], count) for behaviour, count in each])
    for split, rows in lines.items():
        (labels / f"{split}.csv").write_text("\n".join(rows) + "\n")
    return labels, images


CHIMP_COLOURS = {"moving": "red", "resting": "green", "grooming": "blue"}
CHIMP_BOUTS: dict[str, Bouts] = {
    "Azibo_ObsChimp_2015_11_25_d_clip_5000_5200": [("moving", 100), ("resting", 100)],
    "Azibo_ObsChimp_2015_11_25_d_clip_6000_6200": [("grooming", 100), ("moving", 100)],
    "Azibo_ObsChimp_2016_08_02_c_clip_1000_1200": [("resting", 100), ("grooming", 100)],
    "Azibo_ObsChimp_2015_11_25_d_clip_1000_2000": [("moving", 100), ("grooming", 100)],
    "Azibo_ObsChimp_2018_07_06_d_clip_0_696": [("resting", 100), ("moving", 100)],
}


def chimpact(folder: Path, bouts: dict[str, Bouts] | None = None) -> tuple[Path, Path]:
    """Labels (the folder `labels` of the release) and videos (`videos_full`). Two animals do the same in each frame."""
    labels, videos = folder / "labels", folder / "videos_full"
    labels.mkdir(parents=True)
    videos.mkdir(parents=True)
    for clip, each in (CHIMP_BOUTS if bouts is None else bouts).items():
        frames = spread(each)
        numbers = range(len(frames) // 10)
        content = {
            "info": {},
            "licenses": [],
            "categories": [{"id": 0, "name": "Chimpanzee"}],
            "images": [{"id": 500 + at, "file_name": f"{clip}/{at:06d}.jpg"} for at in numbers],
            "annotations": [
                {
                    "id": 2 * at + animal,
                    "image_id": 500 + at,
                    "bbox_id": animal,
                    "bbox": [1, 2, 30, 40],
                    "bbox_vis": 0,
                    "keypoints": [0] * 48,
                    "behaviors": [BEHAVIOURS.index(frames[10 * at])],
                }
                for at in numbers
                for animal in (0, 1)
            ],
        }
        (labels / f"{clip}.json").write_text(json.dumps(content))
        make_video(videos / f"{clip}.mp4", [(CHIMP_COLOURS[name], count) for name, count in each])
    return labels, videos
