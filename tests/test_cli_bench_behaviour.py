"""`bench probe` and `bench classify` with `--dataset`, on small sets as their authors lay them out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import behaviour_sets as sets
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app.cli import main
from app.commands import probe_session
from app.media_workers import read_here
from app.shell.exit_codes import MISSING, USAGE

MAKERS: dict[str, Callable[[Path], tuple[Path, Path]]] = {
    "calms21": sets.calms21, "flyvsfly": sets.fly_vs_fly, "kabr": sets.kabr, "chimpact": sets.chimpact,
}  # fmt: skip


class HereWorkers:
    """Media workers that read in this process."""

    def __call__(self, *arguments: object, **keywords: object) -> object:
        return read_here(*arguments, **keywords)  # type: ignore[arg-type]

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = ColourEncoder(frames=16)
    monkeypatch.setattr(probe_session, "open_or_download_encoder", lambda *_, **__: encoder)
    monkeypatch.setattr("app.media_workers.MediaWorkers", HereWorkers)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)


def run(name: str, labels: Path, videos: Path, *more: str) -> Result:
    words = ("--dataset", name, "--videos", str(videos), "--labels", str(labels), "--work", "work", *more)
    return CliRunner().invoke(main, ["bench", "probe", *words])


@pytest.mark.parametrize("name", MAKERS)
def test_heads_learn_the_behaviours_of_every_set(tmp_path: Path, name: str) -> None:
    labels, videos = MAKERS[name](tmp_path)
    done = run(name, labels, videos, "--json", "--heads", "linear")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["dataset"], found["missing"], found["unread"]) == (name, [], [])
    assert found["window"]["frames"] == {"calms21": 16, "flyvsfly": 16, "kabr": 80, "chimpact": 64}[name]
    assert found["encoder"] == ColourEncoder(frames=16).id
    assert found["machine"]["cores"] >= 1
    (trial,) = found["trials"]
    assert (trial["head"], trial["examples_a_class"], trial["draw"]) == ("linear", 10, 0)
    assert trial["mean_average_precision"]["value"] > 0.8
    assert trial["mean_average_precision"]["interval"] is not None
    if name == "chimpact":
        assert trial["frames"] is None
        assert set(trial["average_precision"]) == {"moving", "resting", "grooming"}
        assert "left out, as no window to train on shows them: climbing, sleeping, " in done.stderr
    else:
        assert trial["frames"]["frame_f1"]["value"] > 0.6
        assert sum(each["true"] for each in trial["frames"]["bouts"].values()) > 0
    assert found["test"]["videos"] == 2


def test_both_heads_are_shown_with_every_class_and_a_second_run_reads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, videos = sets.calms21(tmp_path)
    done = run("calms21", labels, videos)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("CalMS21: 30 windows of 3 videos to train on, 20 windows of 2 videos to test; 16 frames")
    assert "leave out other" in lines[1]
    assert lines[2].split()[:4] == ["head", "a", "class", "windows"]
    assert [line.split()[0] for line in lines[3:5]] == ["linear", "map"]
    assert {line.split()[0] for line in lines if line} >= {"attack", "investigation", "mount", "other"}
    monkeypatch.setattr("indexer.media.clip.read_clip", lambda *_, **__: pytest.fail("it was read again"))
    again = run("calms21", labels, videos)
    assert again.stdout.splitlines()[:-1] == lines[:-1]


def test_missing_and_broken_videos_are_named_and_the_others_are_measured(tmp_path: Path) -> None:
    labels, videos = sets.calms21(tmp_path)
    (videos / "train" / "mouse001_task1_annotator1.mp4").unlink()
    (videos / "train" / "mouse002_task1_annotator1.mp4").write_bytes(b"no video at all")
    done = run("calms21", labels, videos, "--heads", "linear")
    assert done.exit_code == 1
    assert "missing: task1/train/mouse001_task1_annotator1" in done.stderr
    assert "task1/train/mouse002_task1_annotator1: " in done.stderr
    assert "of 1 video to train on" in done.stdout


def test_labels_of_more_frames_than_the_video_has_are_told(tmp_path: Path) -> None:
    labels, videos = sets.calms21(tmp_path)
    sets.make_video(videos / "train" / "mouse001_task1_annotator1.mp4", [("grey", 40), ("red", 30)], rate=30)
    done = run("calms21", labels, videos, "--heads", "linear")
    assert done.exit_code == 0, done.output
    assert "mouse001_task1_annotator1: labels of 160 frames, but the video has 70" in done.stderr


def test_wrong_words_and_files_are_one_line(tmp_path: Path) -> None:
    labels, videos = sets.calms21(tmp_path, {"task1/train/mouse001_task1_annotator1": [("attack", 30), ("other", 30)]})
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "a.json").write_text("{")
    for words, code, says in (
        ((labels, tmp_path / "empty"), MISSING, "no video that the labels name is in"),
        ((tmp_path / "wrong", videos), USAGE, "a.json: this is no JSON file"),
        ((tmp_path / "empty", videos), USAGE, "there is no .json or .annot file"),
        ((labels, videos), USAGE, "0 to test on are too few"),
    ):
        done = run("calms21", *words, "--heads", "linear")
        assert (done.exit_code, says in done.stderr) == (code, True), done.output
    for words in (
        ("clips", "--dataset", "kabr", "--videos", "v", "--labels", "l"),
        ("--dataset", "kabr", "--labels", "l"),
        ("--labels", "l"),
        ("clips", "--labels", "l", "--stride", "3"),
    ):
        assert CliRunner().invoke(main, ["bench", "probe", *words]).exit_code == USAGE


@pytest.mark.parametrize("name", MAKERS)
def test_behaviours_are_scored_by_their_names_alone(tmp_path: Path, name: str) -> None:
    labels, videos = MAKERS[name](tmp_path)
    words = ("--dataset", name, "--videos", str(videos), "--labels", str(labels), "--work", "work", "--json")
    done = CliRunner().invoke(main, ["bench", "classify", *words])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert "other" not in found["average_precision"], "the background is no behaviour"
    assert found["prompts"] == ["a video of {}."]
    assert found["test"]["videos"] == 2
    assert sum(found["test_windows"].values()) <= found["test"]["windows"] * 2
    values = [value for value in found["average_precision"].values() if value is not None]
    assert found["mean_average_precision"]["value"] == pytest.approx(sum(values) / len(values))


def test_words_that_are_colours_find_their_windows(tmp_path: Path) -> None:
    labels, videos = sets.kabr(tmp_path)
    classes = {"red": 0, "green": 1, "blue": 6}
    (labels / "classes.json").write_text(json.dumps(classes))
    words = ("--dataset", "kabr", "--videos", str(videos), "--labels", str(labels), "--work", "work")
    done = CliRunner().invoke(main, ["bench", "classify", *words])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("KABR: 6 windows of 2 videos, 80 frames each, 80 apart")
    assert lines[1].startswith("mAP 1.000")
    assert {line.split()[0]: line.split()[2] for line in lines[3:6]} == dict.fromkeys(classes, "1.000")
    mixed = CliRunner().invoke(main, ["bench", "classify", *words, "--background", "red"])
    assert mixed.exit_code == USAGE
