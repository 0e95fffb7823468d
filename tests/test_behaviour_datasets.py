"""Labels of CalMS21, ChimpACT, KABR and Fly vs. Fly: right to the frame, and wrong files are one line each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import behaviour_sets as sets
import numpy as np
import pytest
import scipy.io
from synthetic import make_video

from app.evaluation.datasets.bento import read_annot
from app.evaluation.datasets.calms21 import read_calms21
from app.evaluation.datasets.chimpact import BEHAVIOURS, official_split, read_chimpact
from app.evaluation.datasets.fly_vs_fly import read_fly_vs_fly
from app.evaluation.datasets.kabr import read_kabr
from app.evaluation.datasets.video_files import NamedVideos
from app.evaluation.frame_labels import LabelledVideos
from app.media_workers import read_here
from app.text_files import TextFileError

TINY_MICE = {"task1/train/mouse001_task1_annotator1": [("attack", 3), ("other", 2)]}
TINY_FLIES = {2: [("", 2), ("lunge", 3), ("wing_threat", 1)]}
TINY_ZEBRAS = {"ZG0001": ("train", [("Walk", 3)]), "G0002": ("val", [("Run", 2)])}
TINY_CHIMPS = {"Azibo_ObsChimp_2018_07_06_d_clip_0_696": [("moving", 20), ("resting", 10)]}


def flies(labels: Path, videos: Path) -> LabelledVideos:
    return read_fly_vs_fly(labels, videos, read_here)


# Right to the frame


def test_mice_have_the_class_of_every_frame(tmp_path: Path) -> None:
    found = read_calms21(*sets.calms21(tmp_path))
    assert found.classes == ("attack", "investigation", "mount", "other")
    assert (found.background, found.exclusive, found.missing, found.notes) == ("other", True, (), ())
    assert {video.name: video.split for video in found.videos} == {
        name: name.split("/")[1] for name in sets.MOUSE_BOUTS
    }
    for video in found.videos:
        assert [set(labels or ()) for labels in video.labels] == [
            {name} for name in sets.spread(sets.MOUSE_BOUTS[video.name])
        ]
        assert Path(video.path).stem == video.name.rpartition("/")[2]
        assert video.at(len(video.labels)) is None


def test_flies_have_the_behaviours_of_both_and_bouts_include_their_last_frame(tmp_path: Path) -> None:
    labels, videos = sets.fly_vs_fly(tmp_path, TINY_FLIES)
    path = labels / "movie2" / "movie2_actions.mat"
    cell = scipy.io.loadmat(path)["bouts"]
    cell[1, 1] = np.array([[4.0, 4.0, 1.0], [9.0, 8.0, 1.0]])  # the other fly threatens while the first lunges
    cell[0, 1] = np.array([[6.0, 6.0, 1.0]])
    scipy.io.savemat(path, {"behs": np.array([["lunge", "wing_threat"]], object), "bouts": cell})
    scipy.io.savemat(labels / "movie2" / "movie2_second_actions.mat", {"nothing": 1})
    found = flies(labels, videos)
    (video,) = found.videos
    assert [sorted(each or ()) for each in video.labels] == [
        ["other"], ["other"], ["lunge"], ["lunge", "wing_threat"], ["lunge"], ["wing_threat"],
    ]  # fmt: skip
    assert (video.split, video.name, video.at(1000)) == ("train", "movie2/movie2", frozenset({"other"}))
    assert (found.classes, found.background, found.exclusive) == (("lunge", "wing_threat", "other"), "other", False)
    assert found.notes == ("movie2_actions.mat: 1 bouts end before they begin and are left out",)


@pytest.mark.parametrize("separator", [" ", ","])
def test_zebras_have_the_class_of_every_picture(tmp_path: Path, separator: str) -> None:
    found = read_kabr(*sets.kabr(tmp_path, separator=separator))
    assert found.classes[:3] == ("Walk", "Graze", "Browse")
    assert (found.exclusive, found.background) == (True, None)
    for video in found.videos:
        split, bouts = sets.ZEBRA_BOUTS[video.name]
        assert [set(labels or ()) for labels in video.labels] == [{name} for name in sets.spread(bouts)]
        assert video.split == {"train": "train", "val": "test"}[split]
        assert Path(video.path).is_dir() == (video.name in ("ZG0001", "ZP0003", "G0005"))


def test_chimpanzees_have_the_behaviours_of_every_tenth_frame(tmp_path: Path) -> None:
    labels, videos = sets.chimpact(tmp_path, TINY_CHIMPS)
    found = read_chimpact(labels, videos)
    assert found.classes == BEHAVIOURS
    assert len(set(BEHAVIOURS)) == 23
    (video,) = found.videos
    assert {at: sorted(shown) for at, shown in enumerate(video.labels) if shown is not None} == {
        0: ["moving"], 10: ["moving"], 20: ["resting"],
    }  # fmt: skip
    assert video.split == "test"


def test_two_videos_of_one_clip_are_one_line_that_names_the_labels(tmp_path: Path) -> None:
    labels, videos = sets.chimpact(tmp_path, TINY_CHIMPS)
    video = next(videos.iterdir())
    for folder in ("one", "two"):
        (videos / folder).mkdir()
        (videos / folder / video.name).write_bytes(b"")
    video.unlink()
    with pytest.raises(TextFileError, match=r"labels: several videos are called"):
        read_chimpact(labels, videos)


def test_tables_of_chimpact_say_the_same_and_name_their_split(tmp_path: Path) -> None:
    _, videos = sets.chimpact(tmp_path, TINY_CHIMPS)
    clip = next(iter(TINY_CHIMPS))
    tables = tmp_path / "annotations" / "action"
    tables.mkdir(parents=True)
    rows = [f"val/images/{clip},{frame},0.1,0.2,0.3,0.4,{behaviour},{animal}" for frame, behaviour, animal in (
        (0, 1, 0), (0, 23, 1), (3, 2, 0))]  # fmt: skip
    (tables / "val_action.csv").write_text("\n".join(rows) + "\n")
    (tables / "val_action_excluded_timestamps.csv").write_text(f"val/images/{clip},7\n")
    (video,) = read_chimpact(tables, videos).videos
    assert [None if shown is None else sorted(shown) for shown in video.labels] == [
        ["displaying", "moving"], None, None, ["climbing"],
    ]  # fmt: skip
    assert video.split == "validation"


def test_the_splits_of_chimpact_have_the_numbers_of_its_authors() -> None:
    from app.evaluation.datasets.chimpact import _HELD_OUT

    clips = [
        (f"{recording}_clip_{start}_{start + 1000}", split)
        for recording, starts in _HELD_OUT.items()
        for split, those in zip(("validation", "test"), starts, strict=True)
        for start in those
    ]
    assert [sum(split == each for _, split in clips) for each in ("validation", "test")] == [17, 19]
    assert all(official_split(clip) == split for clip, split in clips)
    assert {official_split(name) for name in ("Azibo_ObsChimp_2017_11_10_clip_5000_6000", "x", "")} == {"train"}


def annotation(rate: str = "30", stop: int = 12, bouts: str = "3\t5\t3\t\n9\t9\t1\t") -> str:
    return (
        "Bento annotation file\nMovie file(s):\nmouse.mp4\n\nStimulus name:\nAnnotation start frame: 2\n"
        f"Annotation stop frame: {stop}\nAnnotation framerate: {rate}\n\nList of channels:\nCh1\nCh2\n\n"
        "List of annotations:\nmount\nattack\n\nCh1----------\n>mount\nStart\tStop\tDuration\n"
        f"{bouts}\n\n>attack\nStart\tStop\tDuration\n\nCh2----------\n>attack\nStart\tStop\tDuration\n5\t6\t2\t\n\n"
    )


def test_annotation_files_have_bouts_in_frames_or_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "mouse.annot"
    wanted = [None, {"other"}, {"mount"}, {"mount"}, {"mount", "attack"}, {"attack"}, {"other"}, {"other"}, {"mount"}]
    for text in (annotation(), annotation(bouts="0.1\t0.1667\t0.1\n0.3\t0.3\t0.0")):
        path.write_text(text)
        names, labels = read_annot(path, background="other")
        assert names == ["mount", "attack", "other"]
        assert [None if each is None else set(each) for each in labels] == [*wanted, {"other"}, {"other"}, {"other"}]
    make_video(tmp_path / "mouse.mp4", [("red", 12)])
    (video,) = read_calms21(tmp_path, tmp_path).videos
    assert (video.name, len(video.labels)) == ("mouse", 12)


# Wrong files


def json_of_mice(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def apply(labels: Path) -> None:
        path = next(labels.glob("*.json"))
        content = json.loads(path.read_text())
        changed = change(content["annotator-id_0"][next(iter(TINY_MICE))])
        path.write_text(json.dumps(content if changed is None else changed))

    return apply


def text(name: str, content: str | bytes) -> Callable[[Path], None]:
    return lambda labels: (labels / name).write_bytes(content.encode() if isinstance(content, str) else content)


def matlab(**variables: object) -> Callable[[Path], None]:
    return lambda labels: scipy.io.savemat(labels / "movie2" / "movie2_actions.mat", variables)


NAMES = np.array([["lunge", "wing_threat"]], object)
HEADER = "original_vido_id video_id frame_id path labels\n"
MATLAB_7_3 = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM\x89HDF\r\n\x1a\n" + bytes(500)
CLIP = f"{next(iter(TINY_CHIMPS))}.json"
MICE_JSON = "calms21_task1_train.json"
WRONG: list[tuple[str, Callable[[Path], object], str]] = [
    ("mice", text(MICE_JSON, "{"), "no JSON file"),
    ("mice", text(MICE_JSON, "[1]"), "groups of videos"),
    ("mice", text(MICE_JSON, '{"a": [1]}'), "groups of videos"),
    ("mice", text(MICE_JSON, '{"a": {"b": 1}}'), "no video with `annotations`"),
    ("mice", text(MICE_JSON, "{}"), "no labels of frames"),
    ("mice", json_of_mice(lambda video: video["annotations"].__setitem__(2, 9)), "frame 2 has class 9"),
    ("mice", json_of_mice(lambda video: video["annotations"].__setitem__(2, 1.5)), "frame 2 has class 1.5"),
    ("mice", json_of_mice(lambda video: video["annotations"].__setitem__(0, True)), "frame 0 has class True"),
    ("mice", json_of_mice(lambda video: video.update(annotations={"0": 1})), "no list"),
    ("mice", json_of_mice(lambda video: video["metadata"].pop("vocab") and None), "no `vocab`"),
    ("mice", json_of_mice(lambda video: video["metadata"]["vocab"].update(mount=0)), "no number of its own"),
    ("mice", json_of_mice(lambda video: video.update(metadata=3)), "no `vocab`"),
    ("mice", text("a.annot", "x"), "no annotation file"),
    ("mice", text("a.annot", annotation(stop=0)), "start frame, stop frame"),
    ("mice", text("a.annot", annotation(bouts="7\t5\t1")), "ends before it begins"),
    ("mice", text("a.annot", annotation(bouts="3")), "a start and a stop"),
    ("flies", text("movie2/movie2_actions.mat", "x"), "no MATLAB file"),
    ("flies", text("movie2/movie2_actions.mat", MATLAB_7_3), "7.3"),
    ("flies", matlab(behs=NAMES), "no `behs` and `bouts`"),
    ("flies", matlab(behs=NAMES, bouts=np.zeros((2, 2))), "must be a cell"),
    ("flies", matlab(behs=NAMES, bouts=np.array([[np.zeros((1, 3))] * 3] * 2, object)), "must be a cell"),
    ("flies", matlab(behs=np.array([["a", "a"]], object), bouts=np.zeros((2, 2))), "same"),
    ("chimps", text(CLIP, "{}"), "list of `images`"),
    ("chimps", text(CLIP, '{"images": [{"id": 1, "file_name": "x.jpg"}]}'), "no number"),
    ("chimps", text(CLIP, '{"images": [], "annotations": [{"image_id": 3}]}'), "image 3"),
    (
        "chimps",
        text(
            CLIP, '{"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [{"image_id": 1, "behaviors": [23]}]}'
        ),
        "no behaviour 23",
    ),
    ("chimps", text("train_action.csv", "a/b,1,0,0,1,1\n"), "8 columns"),
    ("chimps", text("train_action.csv", "a/b,x,0,0,1,1,1,0\n"), "whole numbers"),
    ("chimps", text("train_action.csv", "a/b,1,0,0,1,1,24,0\n"), "no behaviour 24"),
    ("chimps", text("train_action.csv", "a/b,-1,0,0,1,1,2,0\n"), "no frame -1"),
    ("zebras", text("train.csv", ""), "must name the columns"),
    ("zebras", text("train.csv", HEADER), "no line below"),
    ("zebras", text("train.csv", HEADER + "ZG0001 1 1\n"), "5 columns"),
    ("zebras", text("train.csv", HEADER + "ZG0001 1 one ZG0001/1.jpg 0\n"), "whole numbers"),
    ("zebras", text("train.csv", HEADER + "ZG0001 1 1 ZG0001/1.jpg 9\n"), "no class 9"),
    ("zebras", text("train.csv", HEADER + "ZG0001 1 -1 ZG0001/1.jpg 0\n"), "no frame -1"),
    ("zebras", text("train.csv", b"\xff\xfe\x00"), "UTF"),
    ("zebras", text("classes.json", "[]"), "a number for each class"),
    ("zebras", text("classes.json", '{"Walk": 0, "Run": 0}'), "same number"),
]
SETS = {
    "mice": (lambda folder: sets.calms21(folder, TINY_MICE), read_calms21),
    "flies": (lambda folder: sets.fly_vs_fly(folder, TINY_FLIES), flies),
    "chimps": (lambda folder: sets.chimpact(folder, TINY_CHIMPS), read_chimpact),
    "zebras": (lambda folder: sets.kabr(folder, TINY_ZEBRAS), read_kabr),
}


@pytest.mark.parametrize(("kind", "damage", "says"), WRONG)
def test_a_wrong_file_is_one_line_that_names_it(
    tmp_path: Path, kind: str, damage: Callable[[Path], object], says: str
) -> None:
    make, read = SETS[kind]
    labels, videos = make(tmp_path)
    damage(labels)
    with pytest.raises(TextFileError, match=says) as found:
        read(labels, videos)
    assert "\n" not in str(found.value)
    assert ":" in str(found.value)


@pytest.mark.parametrize("bout", [[0, 3, 1], [2.5, 3, 1], [np.nan, 3, 1], [1, 1e12, 1], [1, np.inf, 1]])
def test_a_bout_that_is_not_of_frames_is_refused(tmp_path: Path, bout: list[float]) -> None:
    labels, videos = sets.fly_vs_fly(tmp_path, TINY_FLIES)
    cell = np.array([[np.zeros((0, 3)), None], [None, None]], object)
    cell[:] = [[np.array([bout]), np.zeros((0, 3))], [np.zeros((0, 3)), np.zeros((0, 3))]]
    matlab(behs=NAMES, bouts=cell)(labels)
    with pytest.raises(TextFileError, match="is not of frames"):
        flies(labels, videos)


@pytest.mark.parametrize("kind", SETS)
def test_missing_videos_are_named(tmp_path: Path, kind: str) -> None:
    make, read = SETS[kind]
    labels, _ = make(tmp_path)
    (tmp_path / "none").mkdir()
    found = read(labels, tmp_path / "none")
    assert found.videos == ()
    assert len(found.missing) == len({"mice": TINY_MICE, "flies": TINY_FLIES, "chimps": TINY_CHIMPS}.get(kind, "ab"))


@pytest.mark.parametrize("kind", SETS)
def test_an_empty_or_missing_folder_of_labels_is_one_line(tmp_path: Path, kind: str) -> None:
    read = SETS[kind][1]
    (tmp_path / "empty").mkdir()
    with pytest.raises(TextFileError, match="in this folder"):
        read(tmp_path / "empty", tmp_path)
    with pytest.raises(OSError, match="gone"):
        read(tmp_path / "gone.json", tmp_path)
    with pytest.raises(OSError, match="gone"):
        read(tmp_path / "empty", tmp_path / "gone")


def test_python_objects_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "calms21_task1_train.npy", np.array({"a": 1}, object), allow_pickle=True)
    with pytest.raises(TextFileError, match="could run code"):
        read_calms21(tmp_path / "calms21_task1_train.npy", tmp_path)


def test_videos_are_found_by_name_and_of_several_by_their_folders(tmp_path: Path) -> None:
    for name in ("Aggression/movie1/movie1.avi", "Courtship/movie1/movie1.avi", "a.MP4", "notes.txt", "b/x/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "Courtship" / "round").symlink_to(tmp_path)
    files = NamedVideos(tmp_path)
    assert files.find("Courtship/movie1/movie1") == str(tmp_path / "Courtship/movie1/movie1.avi")
    assert (files.find("train/a"), files.find("notes"), files.find("x"), files.find("")) == (
        str(tmp_path / "a.MP4"), None, None, None,
    )  # fmt: skip
    assert NamedVideos(tmp_path, with_pictures=True).find("x") == str(tmp_path / "b/x")
    with pytest.raises(ValueError, match="several videos"):
        files.find("movie1")
