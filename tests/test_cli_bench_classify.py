"""`bench classify` on small videos of three colours: figures agree with the formulas, and what is left out is named."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app.cli import main
from app.commands import probe_session
from app.media_workers import read_here
from indexer.media.clip import read_clip
from metrics.ranking import average_precision

COLOURS = ("red", "green", "blue", "white", "black", "yellow", "purple")


class HereWorkers:
    """Media workers that read in this process."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return read_here(*arguments, **keywords)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for colour in COLOURS:
        make_video(folder / f"{colour}.mp4", [(colour, 5)])
    return folder


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ColourEncoder:
    encoder = ColourEncoder()
    monkeypatch.setattr(probe_session, "open_or_download_encoder", lambda *_, **__: encoder)
    monkeypatch.setattr("app.media_workers.MediaWorkers", HereWorkers)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    return encoder


def run(clips: Path, *lines: str, options: tuple[str, ...] = ()) -> Result:
    Path("labels.csv").write_text("\n".join(lines) + "\n")
    arguments = ["bench", "classify", str(clips), "--labels", "labels.csv", "--work", "work", *options]
    return CliRunner().invoke(main, arguments)


def document(clips: Path, *lines: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
    result = run(clips, *lines, options=(*options, "--json"))
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def scores_of(encoder: ColourEncoder, folder: Path, names: list[str], classes: list[str]) -> np.ndarray:
    """Cosines by hand, of whole clips with `a video of CLASS.`."""
    clips = np.stack([read_clip(str(folder / f"{name}.mp4"), encoder.clip_spec) for name in names])
    return encoder.encode_clips(clips) @ encoder.encode_texts([f"a video of {name}." for name in classes]).T


def test_figures_are_those_of_the_cosines(clips: Path, encoder: ColourEncoder) -> None:
    truth = dict(zip(COLOURS, ("red", "green", "blue", "white", "black", "red", "blue"), strict=True))
    lines = [f"{name}.mp4,{label}" for name, label in truth.items()]
    found = document(clips, "file,label", *lines, options=("--clips", "clips.csv"))
    classes = sorted(set(truth.values()))
    scores = scores_of(encoder, clips, list(truth), classes)
    right = [classes[int(row.argmax())] == label for row, label in zip(scores, truth.values(), strict=True)]
    assert found["top_1"]["value"] == pytest.approx(np.mean(right))
    assert "top_5" not in found, "with five classes everything is among the best five"
    of_class = [
        np.mean([hit for hit, label in zip(right, truth.values(), strict=True) if label == name]) for name in classes
    ]
    assert found["class_averaged"]["value"] == pytest.approx(np.mean(of_class))
    assert len(found["top_1"]["interval"]) == 2
    assert found["prompts"] == ["a video of {}."]
    assert found["machine"]["cores"] >= 1
    rows = list(csv.DictReader(Path("clips.csv").read_text("utf-8-sig").splitlines()))
    assert {row["file"] for row in rows} == {f"{name}.mp4" for name in truth}
    assert [row["right"] == "1" for row in rows] == right
    assert [row["rank"] == "1" for row in rows] == right


def test_several_labels_are_measured_by_average_precision(clips: Path, encoder: ColourEncoder) -> None:
    truth = {"red": {"red", "warm"}, "yellow": {"warm"}, "blue": {"blue"}, "black": set()}
    lines = [f"{name}.mp4,{'|'.join(labels)}" for name, labels in truth.items()]
    found = document(clips, "file,label", *lines)
    classes = ["blue", "red", "warm"]
    scores = scores_of(encoder, clips, list(truth), classes)
    each = [
        average_precision([name in labels for labels in truth.values()], scores[:, at])
        for at, name in enumerate(classes)
    ]
    assert found["mean_average_precision"]["value"] == pytest.approx(np.mean(each), abs=1e-9)
    assert found["multi_label"]
    assert "top_1" not in found


def test_only_the_test_is_measured_and_rows_are_kept(clips: Path, encoder: ColourEncoder) -> None:
    lines = ["file,label,split", "red.mp4,red,train", "green.mp4,green,test", "blue.mp4,blue,test"]
    assert document(clips, *lines)["examples"] == 2
    encoder.batches.clear()
    assert document(clips, *lines)["examples"] == 2
    assert encoder.batches == []


@pytest.mark.usefixtures("encoder")
def test_more_classes_than_labels_a_background_and_labels_that_are_no_classes(clips: Path) -> None:
    Path("all.txt").write_text("\n".join((*COLOURS, "pink")))
    lines = ["file,label", "red.mp4,red", "green.mp4,green", "blue.mp4,lilac"]
    result = run(clips, *lines, options=("--classes", "all.txt", "--background", "red"))
    assert result.exit_code == 0, result.stderr
    assert "top-5" in result.stdout
    assert "labels that are no classes: lilac" in result.stderr
    assert "left out: 1 clip" in result.stderr
    assert run(clips, *lines, options=("--background", "lemon")).exit_code == 2


@pytest.mark.usefixtures("encoder")
def test_what_cannot_be_read_is_named_and_wrong_tables_are_one_line(clips: Path) -> None:
    result = run(clips, "file,label", "red.mp4,red", "gone.mp4,blue")
    assert result.exit_code == 1
    assert "gone.mp4" in result.stderr
    for lines, said in (
        (("file,label", "red.mp4,red"), "two classes"),
        (("file,label", "../red.mp4,red"), "line 2"),
        (("file,label,split", "red.mp4,red,train", "blue.mp4,blue,train"), "no line of labels.csv tests a class"),
        (("file,label", "gone.mp4,red", "lost.mp4,blue"), "nothing of the test can be read"),
    ):
        wrong = run(clips, *lines)
        assert wrong.exit_code == 2
        assert said in wrong.stderr.splitlines()[-1]
