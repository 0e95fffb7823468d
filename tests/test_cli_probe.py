"""`probe train|test|apply|tokens` and `bench probe`, on small videos of three colours and a stand-in encoder."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import cli_library
import numpy as np
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app.cli import main
from app.commands import probe_session, probe_train
from app.evaluation import head_training
from app.media_workers import read_here
from db.library import Library

COLOURS = ("red", "green", "blue")


class HereWorkers:
    """Media workers that read in this process."""

    def __call__(self, *arguments: object, **keywords: object) -> object:
        return read_here(*arguments, **keywords)  # type: ignore[arg-type]

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for colour in COLOURS:
        for number in range(6):
            make_video(folder / f"{colour}{number}.mp4", [(colour, 6 + number)])
    return folder


@pytest.fixture
def root(tmp_path: Path, clips: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with labels.csv, in which the last two clips of each colour are the test; and a library beside it."""
    monkeypatch.setattr(probe_session, "open_or_download_encoder", lambda *_, **__: ColourEncoder())
    monkeypatch.setattr("app.media_workers.MediaWorkers", HereWorkers)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(tmp_path, ColourEncoder())))
    monkeypatch.chdir(tmp_path)
    write_labels(tmp_path / "labels.csv")
    (tmp_path / "clips").symlink_to(clips)
    return tmp_path


def write_labels(path: Path, *more: str) -> None:
    lines = [
        f"{colour}{number}.mp4,{colour},{'train' if number < 4 else 'test'}"
        for colour in COLOURS
        for number in range(6)
    ]
    path.write_text("\n".join(["file,label,split", *lines, *more, ""]))


def run(*words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--work", "work"] if words[0] in ("probe", "bench") else words)


def trained(*words: str) -> Result:
    return run("probe", "train", "clips", "--labels", "labels.csv", "--to", "head.npz", *words)


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("kind", ["linear", "map"])
def test_a_head_is_trained_tested_and_applied(kind: str) -> None:
    done = trained("--head", kind)
    assert done.exit_code == 0, done.output
    assert f"{'MAP' if kind == 'map' else 'linear'} head of 3 classes, trained on 12 clips of 12 groups" in done.stdout
    tested = json.loads(run("probe", "test", "head.npz", "clips", "--labels", "labels.csv", "--json").stdout)
    assert (tested["examples"], tested["groups"]) == (6, 6)
    assert tested["top_1"] == {"value": 1.0, "interval": [1.0, 1.0]}
    assert tested["kappa"]["value"] == 1
    assert tested["encoder"] == ColourEncoder().id
    assert tested["machine"]["cores"] >= 1
    applied = json.loads(run("probe", "apply", "head.npz", "clips", "--json").stdout)
    assert len(applied["results"]) == 18
    for each in applied["results"]:
        assert Path(each["path"]).name.startswith(each["best"][0]["class"])
        assert each["best"][0]["probability"] > 0.5


@pytest.mark.usefixtures("root")
def test_the_json_of_training_says_how(root: Path) -> None:
    record = json.loads(trained("--json").stdout)
    assert record["kind"] == "linear"
    assert record["classes"] == [{"name": name, "examples": 4} for name in sorted(COLOURS)]
    assert record["strength"] > 0
    assert record["validated"] == 1
    assert record["recipe"] is None
    assert record["unread"] == []
    record = json.loads(trained("--json", "--head", "map", "--replace").stdout)
    assert record["recipe"]["learning_rate"] == 1e-3
    assert record["recipe"]["epochs"] == 200
    assert record["strength"] is None


@pytest.mark.usefixtures("root")
def test_a_head_is_not_replaced_unasked() -> None:
    assert trained().exit_code == 0
    before = Path("head.npz").read_bytes()
    again = trained()
    assert again.exit_code == 3
    assert "head.npz exists; --replace replaces it" in again.stderr
    assert trained("--replace").exit_code == 0
    assert Path("head.npz").read_bytes() == before, "the same labels and seed give the same head"


@pytest.mark.usefixtures("root")
def test_over_a_library_a_linear_head_needs_no_file_and_a_shot_is_named() -> None:
    trained()
    for film in Path("films").glob("*.mp4"):
        film.unlink()
    shown = run("probe", "apply", "head.npz", "-k", "1")
    assert shown.exit_code == 0, shown.output
    assert [line.split()[1] for line in shown.stdout.splitlines() if "red.mp4" in line] == ["red", "blue"]
    assert "films/red.mp4@00:00:02.000-00:00:04.000  blue" in shown.stdout
    per_video = json.loads(run("probe", "apply", "head.npz", "--per", "video", "--json").stdout)
    [red] = [each for each in per_video["results"] if each["path"].endswith("films/red.mp4")]
    assert red["parts"] == 2
    assert sum(each["probability"] for each in red["best"]) == pytest.approx(1, abs=1e-5), "the mean over its parts"
    assert red["start_seconds"] is None
    only = json.loads(run("probe", "apply", "head.npz", "--class", "green", "-k", "1", "--json").stdout)
    assert [Path(each["path"]).name for each in only["results"]] == ["green.mp4"]


@pytest.mark.usefixtures("root")
def test_a_damaged_row_of_the_library_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    trained("--head", "linear")
    shots = json.loads(run("probe", "apply", "head.npz", "--json").stdout)["results"]
    whole = Library.embedding_rows

    def damaged(self: Library, encoder_id: str, ids: Iterable[int]) -> np.ndarray:
        rows = np.array(whole(self, encoder_id, ids))
        rows[0] = np.nan
        return rows

    monkeypatch.setattr(Library, "embedding_rows", damaged)
    left = json.loads(run("probe", "apply", "head.npz", "--json").stdout)["results"]
    assert len(left) == len(shots) - 1
    assert [each for each in shots if each in left] == left


@pytest.mark.usefixtures("root")
def test_the_table_of_answers_has_every_class() -> None:
    trained()
    written = run("probe", "apply", "head.npz", "clips", "--to", "all.csv")
    assert written.stdout == ""
    assert "18 lines in all.csv" in written.stderr
    rows = list(csv.DictReader(Path("all.csv").read_text("utf-8-sig").splitlines()))
    assert len(rows) == 18
    assert set(rows[0]) == {"file", "start", "end", "best", "p(blue)", "p(green)", "p(red)"}
    run("probe", "test", "head.npz", "clips", "--labels", "labels.csv", "--clips", "answers.csv")
    answers = list(csv.DictReader(Path("answers.csv").read_text("utf-8-sig").splitlines()))
    assert [row["file"] for row in answers] == [f"{colour}{n}.mp4" for colour in COLOURS for n in (4, 5)]
    assert all(row["right"] == "1" and row["best"] == row["label"] for row in answers)


def test_a_name_that_a_spreadsheet_would_run_is_text_and_a_test_without_splits_says_so(root: Path) -> None:
    lines = [
        f"{colour}{number}.mp4,{'=1+1' if colour == 'red' else colour}" for colour in COLOURS for number in range(4)
    ]
    (root / "labels.csv").write_text("\n".join(["file,label", *lines, ""]))
    assert trained().exit_code == 0
    tested = run("probe", "test", "head.npz", "clips", "--labels", "labels.csv", "--clips", "answers.csv")
    assert "names no splits" in tested.stderr
    [row, *_] = csv.DictReader(Path("answers.csv").read_text("utf-8-sig").splitlines())
    assert row["label"] == "'=1+1"


def test_several_labels_and_what_is_not_there(root: Path) -> None:
    write_labels(
        root / "labels.csv", "red0.mp4,warm,train", "gone.mp4,red,train", "red4.mp4,warm,test", "red5.mp4,odd,test"
    )
    done = trained()
    assert done.exit_code == 1
    assert "not read: clips/gone.mp4: No such file" in done.stderr
    assert "4 classes" in done.stdout
    tested = run("probe", "test", "head.npz", "clips", "--labels", "labels.csv")
    assert "mean average precision" in tested.stdout
    assert "top-1" not in tested.stdout
    assert "not classes of this head: odd" in tested.stderr


@pytest.mark.parametrize(
    ("lines", "message", "code"),
    [
        (["file,label", "red0.mp4,red"], "at least two classes are needed, and the labels name red", 2),
        (["file,label", "../red0.mp4,red"], "labels.csv, line 2", 2),
        (["file,label,split", "red0.mp4,red,test", "blue0.mp4,blue,test"], "no line has the split train", 2),
        (["file,label", "gone.mp4,red", "gone2.mp4,blue"], "at least two classes", 2),
        (["name", "x"], "labels.csv", 2),
    ],
)
def test_labels_that_cannot_be_used_are_one_line(root: Path, lines: list[str], message: str, code: int) -> None:
    (root / "labels.csv").write_text("\n".join(lines))
    done = trained()
    assert done.exit_code == code, done.output
    assert message in done.stderr.splitlines()[-1]
    assert not (root / "head.npz").exists()


def test_a_head_of_another_encoder_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = trained()
    assert done.exit_code == 0, done.output
    monkeypatch.setattr(probe_session, "open_or_download_encoder", lambda *_, **__: ColourEncoder(name="other"))
    for words in (("test", "head.npz", "clips", "--labels", "labels.csv"), ("apply", "head.npz", "clips")):
        refused = run("probe", *words)
        assert refused.exit_code == 3
        assert "other-t4-s16" in refused.stderr.splitlines()[-1]
    (root / "elsewhere").mkdir()
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(root / "elsewhere", ColourEncoder(name="other"))))
    refused = run("probe", "apply", "head.npz")
    assert refused.exit_code == 3
    assert "the library has those of other-t4-s16" in refused.stderr


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "head.txt"), "ends with .npz"),
        (("--whole", "--head", "linear"), "--whole is for heads on tokens"),
        (("--labels", "nowhere.csv"), "nowhere.csv: No such file"),
        (("--labels", "/dev/null"), "not a regular file"),
        (("--to", "nowhere/head.npz"), "there is no such folder"),
    ],
)
def test_options_that_cannot_be(words: tuple[str, ...], message: str) -> None:
    done = trained(*words)
    assert done.exit_code in (2, 3)
    assert message in done.stderr


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("words", [("apply", "gone.npz"), ("test", "gone.npz", "clips", "--labels", "labels.csv")])
def test_a_head_that_is_not_there_is_named(words: tuple[str, ...]) -> None:
    refused = run("probe", *words)
    assert refused.exit_code == 3
    assert "there is no head gone.npz" in refused.stderr


@pytest.mark.usefixtures("root")
def test_a_class_that_the_head_does_not_have() -> None:
    trained()
    refused = run("probe", "apply", "head.npz", "--class", "purple")
    assert refused.exit_code == 2
    assert "blue, green, red" in refused.stderr


@pytest.mark.usefixtures("root")
def test_tokens_are_counted_and_deleted() -> None:
    trained("--head", "map")
    assert json.loads(run("probe", "tokens", "--json").stdout)["clips"] == 12
    assert "--yes" in run("probe", "tokens", "--delete").stderr
    deleted = json.loads(run("probe", "tokens", "--delete", "--yes", "--json").stdout)
    assert (deleted["clips"], deleted["bytes"]) == (0, 0)


@pytest.mark.usefixtures("root")
def test_bench_probe_has_a_line_for_each_head_and_number() -> None:
    words = ("bench", "probe", "clips", "--labels", "labels.csv", "--shots", "1,all", "--draws", "2")
    shown = run(*words)
    assert shown.exit_code == 0, shown.output
    lines = [line for line in shown.stdout.splitlines() if line.startswith(("linear", "MAP"))]
    assert len(lines) == 6
    assert "12 clips of 12 groups, tested on 6 clips of 6 groups" in shown.stdout
    record = json.loads(run(*words, "--json", "--published").stdout)
    assert record["map_recipe"]["learning_rate"] == 1e-4
    assert record["figures"][0] == {
        "head": "linear", "examples_a_class": 1, "draws": 2, "examples": 3.0,
        "seconds": record["figures"][0]["seconds"],
        "accuracy": {"value": 1.0, "interval": [1.0, 1.0]},
        "class_averaged": {"value": 1.0, "interval": [1.0, 1.0]},
    }  # fmt: skip


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    "words", [("--shots", "0"), ("--shots", "x"), ("--shots", "²"), ("--heads", "deep"), ("--draws", "0")]
)
def test_numbers_and_heads_that_cannot_be(words: tuple[str, str]) -> None:
    refused = run("bench", "probe", "clips", "--labels", "labels.csv", *words)
    assert refused.exit_code == 2
    assert words[0] in refused.stderr


def test_help_states_the_number_from_which_a_map_head_is_trained() -> None:
    assert probe_train.MAP_FROM == head_training.MAP_FROM


def test_a_whole_head_is_the_official_classifier_with_this_encoder(
    root: Path, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from encoder import load_encoder
    from encoder.classifier_weights import classifier_from_flax
    from encoder.head_files import read_head
    from encoder.loading import load_video_encoder
    from encoder.protocol import with_tokens

    encoder = load_encoder("demo", "cpu")
    monkeypatch.setattr(probe_session, "open_or_download_encoder", lambda *_, **__: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(root / "none"))
    done = trained("--head", "map", "--whole", "--encoder", "demo")
    assert done.exit_code == 0, done.output
    with np.load(root / "head.npz") as arrays:
        video, head = classifier_from_flax(dict(arrays))
    for name, value in load_video_encoder("demo").state_dict().items():
        assert np.array_equal(video.state_dict()[name].numpy(), value.numpy()), name
    tokens = with_tokens(encoder).encode_tokens(np.zeros((1, *encoder.clip_spec.shape), np.uint8))
    alone = read_head(root / "head.npz", encoder_id=encoder.id).head
    assert np.array_equal(head.logits(tokens), alone.logits(tokens))
