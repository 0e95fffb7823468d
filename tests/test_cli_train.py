"""`train`: ten new names on stored rows, from the plan to a search; stops, resumes, and what is wrong in one line."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from named_library import make_library

from app.cli import main
from app.commands import train_run
from encoder import load_encoder
from encoder.model_files import DEMO_FOLDER
from training.run_folder import RunFolder

SETTINGS = ("--steps", "40", "--batch", "20", "--lr", "0.01", "--set", "guard=0.0", "--set", "loop.validate_every=20")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with rows of ten kinds of clips in the demo encoder's space, and captions with a new name of each."""
    root = tmp_path_factory.mktemp("made")
    make_library(root)
    return root


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(made / "library"))
    monkeypatch.setenv("PRISMSEARCH_ENCODER", "demo")
    monkeypatch.setenv("PRISMSEARCH_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "captions.csv").write_bytes((made / "captions.csv").read_bytes())
    (tmp_path / "videos").symlink_to(made / "videos")
    return tmp_path


def started(folder: str, *words: str) -> Result:
    return run("train", "run", folder, "--captions", "captions.csv", *SETTINGS, *words)


def test_a_tower_is_held_by_sentences_of_ones_own(here: Path) -> None:
    guard = here / "guard.txt"
    guard.write_text("\n".join(f"a {name} number {take}" for name in ("dog", "cat", "car") for take in range(20)))
    words = ("--steps", "4", "--batch", "8", "--set", "guard=1.0", "--set", "guard_file=guard.txt")
    begun = run("train", "run", "held", "--captions", "captions.csv", *words)
    assert begun.exit_code == 0, begun.output
    assert "6 sentences of the guard, never held" in begun.output
    guard.unlink()  # a run goes on with what it began with
    again = run("train", "run", "held")
    assert again.exit_code == 0, again.output
    missing = run("train", "run", "other", "--captions", "captions.csv", "--set", "guard_file=none.txt")
    assert missing.exit_code != 0
    assert "none.txt" in missing.output
    assert "Traceback" not in missing.output


def stop_after(monkeypatch: pytest.MonkeyPatch, folder: Path, step: int) -> None:
    """Let `train stop` be called from elsewhere while that step is taken."""
    before = train_run._Steps.__call__

    def called(self: Any, progress: Any) -> None:
        before(self, progress)
        if progress.step == step:
            assert run("train", "status", str(folder), "--json").exit_code == 0
            (folder / train_run.STOP_FILE).touch()

    monkeypatch.setattr(train_run._Steps, "__call__", called)


def test_ten_new_names_from_the_plan_to_a_search(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = run("train", "plan", "--captions", "captions.csv", *SETTINGS)
    assert planned.exit_code == 0, planned.output
    assert "data: 54 clips to train on, 6 held out, of 60 videos; 10 different captions" in planned.stdout
    assert "nothing is indexed again" in planned.stdout
    assert re.search(r"time: about .* \(computed: ", planned.stdout)
    assert list(here.iterdir()) == [here / "captions.csv", here / "videos"] or not (here / "names").exists()

    with monkeypatch.context() as patch:
        stop_after(patch, here / "names", 7)
        stopped = started("names")
    assert stopped.exit_code == 130, stopped.output
    status = json.loads(run("train", "status", "names", "--json").stdout)
    assert (status["state"], status["step"], status["steps"], status["running"]) == ("stopped", 7, 40, False)
    assert status["saved_step"] == 7
    told = run("train", "status", "names").stdout
    assert "stopped, saved after step 7; `prismsearch train run names` goes on" in told

    finished = run("train", "run", "names", "--json")
    assert finished.exit_code == 0, finished.output
    record = json.loads(finished.stdout)
    assert (record["finished"], record["steps"], record["left_out"]) == (True, 40, [])
    assert run("train", "status", "names").stdout.startswith("names: text, finished\n")

    exported = run("train", "export", "names", "--to", "names.npz", "--which", "last")
    assert exported.exit_code == 0, exported.output
    facts = json.loads((here / "names.json").read_text())
    assert (facts["stage"], facts["steps"], facts["trained_on"]) == ("text", 40, "54 clips")

    further = run("train", "plan", "--captions", "captions.csv", "--encoder", "names.npz", "--json")
    assert json.loads(further.stdout)["clips"] == 54, "another run begins from what this one has learned"

    before, after = load_encoder("demo", "cpu"), load_encoder(here / "names.npz", "cpu")
    assert after.id == before.id, "stored rows stay valid"
    assert after.text_id != before.text_id
    measured = json.loads(run("train", "evaluate", "names", "--on", "captions.csv", "--json").stdout)
    assert measured["clips"] == 6
    assert measured["rows"] == "library"
    compared = json.loads(run("train", "compare", "demo", "names.npz", "--on", "captions.csv", "--json").stdout)
    assert compared["gain"]["words_to_clips"]["R@1"]["value"] >= 0.5
    assert compared["second"]["words_to_clips"]["R@1"]["value"] >= 0.9
    assert compared["everyday"]["mean_cosine"] < 1
    found = run("search", "a zorp", "--encoder", "names.npz", "--json", "-k", "5")
    hits = json.loads(found.stdout)["hits"]
    assert {re.sub(r"\d", "", Path(each["path"]).stem) for each in hits} == {"zorp"}


@pytest.mark.usefixtures("here")
def test_a_run_with_other_settings_is_refused_by_name() -> None:
    words = ("train", "run", "run", "--captions", "captions.csv", "--set", "guard=0.0", "--set", "validation=0.0")
    assert run(*words, "--steps", "2").exit_code == 0
    other = run("train", "run", "run", "--steps", "3", "--seed", "1")
    assert other.exit_code == 2
    assert "loop.steps was 2, now 3" in other.stderr
    assert "loop.seed was 0, now 1" in other.stderr
    again = run("train", "run", "run")
    assert again.exit_code == 0
    assert "all 2 planned steps are done" in again.stderr
    assert "no process trains in run" in run("train", "stop", "run").stderr
    assert run("train", "export", "run", "--to", "a.npz").exit_code == 0
    refused = run("train", "export", "run", "--to", "a.npz")
    assert refused.exit_code == 3
    assert "a.npz exists; --replace replaces it" in refused.stderr
    left = run("train", "evaluate", "run", "--on", "captions.csv")
    assert left.exit_code == 3
    assert "all of them were trained on" in left.stderr


def test_captions_without_a_shot_are_named_and_left_out(here: Path) -> None:
    with (here / "captions.csv").open("a") as file:
        file.write("\nvideos/nowhere.mp4,a zorp\nvideos/zorp1.mp4,the blue zorp\n")
    planned = run("train", "plan", "--captions", "captions.csv", "--json")
    assert planned.exit_code == 1
    plan = json.loads(planned.stdout)
    assert [each["reason"] for each in plan["not_used"]] == ["the library does not have this video; index it first"]
    assert "left out: videos/nowhere.mp4: the library does not have this video" in planned.stderr
    assert (plan["clips"], plan["held_out"], plan["captions"]) == (54, 6, 11)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "x"), 2, "the stage text needs captions: --captions FILE"),
        (("run", "x", "--captions", "none.csv"), 3, "there is no file of captions none.csv"),
        (("run", "captions.csv", "--captions", "captions.csv"), 3, "is a file; name a folder"),
        (("run", "videos", "--captions", "captions.csv"), 3, "holds something else; name a new folder"),
        (("run", "a/b", "--captions", "captions.csv"), 3, "there is no folder"),
        (("plan", "--captions", "captions.csv", "--set", "bach=3"), 2, "there is no setting bach; is batch meant?"),
        (("plan", "--captions", "captions.csv", "--set", "batch"), 2, "is not NAME=VALUE"),
        (("plan", "--captions", "captions.csv", "--set", "mask=tube"), 2, "mask is a setting of stage2"),
        (("plan", "--captions", "captions.csv", "--lr", "-1"), 2, "learning_rate is a number above 0"),
        (("plan", "--captions", "captions.csv", "--set", "loop.device=gpu"), 2, "a device must be auto, cpu, cuda"),
        (("run", "x", "--captions", "captions.csv", "--set", f"loop.seed={10**20}"), 2, "seed is below 2^63"),
        (
            ("run", "x", "--captions", "captions.csv", "--set", "rank=129"),
            2,
            "at most the network's width of 128",
        ),
        (
            ("run", "x", "--captions", "captions.csv", "--set", "loop.best_by=accuracy"),
            2,
            "loop.best_by is score, recall, kept, got 'accuracy'",
        ),
        (("plan", "--captions", "captions.csv", "--config", "none.toml"), 3, "none.toml"),
        (("plan", "--captions", "captions.csv", "--config", "captions.csv"), 2, "it is not TOML"),
        (("plan", "--captions", "captions.csv", "--folder", "elsewhere"), 3, "nothing is left to train on"),
        (("status", "nowhere"), 3, "holds no run of training; `prismsearch train run` makes one"),
        (("stop", "videos"), 3, "holds no run of training"),
        (("export", "nowhere", "--to", "a.npz"), 3, "holds no run of training"),
        (("export", "nowhere", "--to", "a.bin"), 2, "ends with .npz"),
        (("evaluate", "nowhere", "--on", "captions.csv"), 2, "there is no encoder called 'nowhere'"),
        (("evaluate", "demo", "--on", "none.csv"), 3, "none.csv"),
    ],
)
def test_what_is_wrong_is_one_line(here: Path, words: tuple[str, ...], code: int, said: str) -> None:
    refused = run("train", *words)
    assert said in refused.stderr
    assert refused.exit_code == code
    assert len([line for line in refused.stderr.splitlines() if line.startswith("prismsearch:")]) == 1
    assert not (here / "x").exists()


def test_settings_come_from_a_file_and_options_override_them(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub/run.toml").write_text('captions = "../captions.csv"\nfolder = ".."\nbatch = 3\n[loop]\nsteps = 9\n')
    plan = json.loads(run("train", "plan", "--config", "sub/run.toml", "--steps", "5", "--json").stdout)
    assert (plan["batch"], plan["steps"], plan["left_out"]) == (3, 5, 0)


def test_a_measured_plan_says_so(here: Path) -> None:
    planned = run("train", "plan", "--captions", "captions.csv", "--measure", "--set", "guard=0.0", "--batch", "4")
    assert planned.exit_code == 0, planned.output
    assert "(measured by two steps)" in planned.stdout
    assert sorted(each.name for each in here.iterdir()) == ["captions.csv", "videos"]


def test_a_library_that_is_not_there_is_not_made(here: Path) -> None:
    refused(3, "There is no library in", "plan", "--captions", "captions.csv", "--set", "library=elsewhere")
    assert not (here / "elsewhere").exists()


def test_a_folder_called_like_an_encoder_is_not_taken_for_it(here: Path) -> None:
    (here / "demo").mkdir()
    planned = run("train", "plan", "--captions", "captions.csv", "--json")
    assert planned.exit_code == 0, planned.output


@pytest.fixture(scope="module")
def trained(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two steps over the library of `made`."""
    folder = tmp_path_factory.mktemp("runs") / "trained"
    words = ("--library", str(made / "library"), "--encoder", "demo", "--device", "cpu")
    more = ("--captions", str(made / "captions.csv"), "--steps", "2", "--batch", "4", "--set", "guard=0.0")
    done = run("train", "run", str(folder), *words, *more)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def copied(trained: Path, here: Path) -> Path:
    return shutil.copytree(trained, here / "copied")


def edited(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refused(code: int, said: str, *words: str) -> None:
    """Check that a command ends with one line of its own, and no error in the program itself."""
    result = run("train", *words)
    assert said in result.stderr
    assert (result.exit_code, "in prismsearch itself" in result.stderr) == (code, False)


@pytest.mark.parametrize("values", [{"loop.steps": "many"}, {"loop.steps": None}, {"loop.steps": 2.5}, {"stage": []}])
def test_status_refuses_settings_that_no_run_wrote(copied: Path, values: dict[str, Any]) -> None:
    edited(copied / "settings.json", **values)
    refused(3, "copied/settings.json is not what `prismsearch train run` wrote", "status", "copied")


def test_damaged_settings_do_not_send_one_back_to_the_same_folder(copied: Path) -> None:
    (copied / "settings.json").write_text("[]")
    for words in (("status", "copied"), ("stop", "copied"), ("export", "copied", "--to", "a.npz")):
        refused(3, "are damaged; begin another run", *words)


@pytest.mark.parametrize(
    "line",
    [
        {"event": "step", "step": 2, "figures": {"loss": "low"}, "seconds_per_step": "few", "learning_rate": []},
        {"event": "step", "step": 2, "figures": [1]},
        {"event": "validated", "step": 2, "figures": {"score": "good", "recall": None, "kept": [1]}, "best": True},
        {"event": "failed", "step": 2, "reason": {"why": 1}},
    ],
)
def test_status_shows_what_it_can_of_a_journal_that_was_edited(copied: Path, line: dict[str, Any]) -> None:
    with (copied / "journal.jsonl").open("a") as journal:
        journal.write(json.dumps(line) + "\n")
    told = run("train", "status", "copied")
    assert (told.exit_code, "step 2 of 2" in told.stdout) == (0, True), told.output
    json.loads(run("train", "status", "copied", "--json").stdout)


def giant(path: Path) -> None:
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (60, 100000000000), }".ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)


def archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, rows=np.zeros(3))


@pytest.mark.parametrize("damage", [giant, archive, lambda path: path.write_bytes(b"PK\x03\x04half an archive")])
def test_rows_of_a_run_that_are_something_else_are_named(copied: Path, damage: Any) -> None:
    damage(copied / "rows.npy")
    refused(2, "rows.npy: it is damaged", "run", "copied")
    refused(2, "rows.npy: it is damaged", "export", "copied", "--to", "a.npz")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link(path: Path) -> None:
    path.rename(path.parent / "elsewhere.npy")
    path.symlink_to("elsewhere.npy")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("change", "said"), [(pipe, "rows.npy: not a regular file"), (link, "rows.npy: Too many")])
def test_rows_of_a_run_are_read_from_its_own_file_alone(copied: Path, change: Any, said: str) -> None:
    change(copied / "rows.npy")
    refused(3, said, "run", "copied")


def test_another_network_in_place_of_the_one_a_run_began_with_is_refused(copied: Path) -> None:
    edited(copied / "settings.json", parent="0" * 16)
    for words in (("export", "copied", "--to", "a.npz"), ("evaluate", "copied", "--on", "captions.csv")):
        refused(3, "demo is not the network that this run began with", *words)


@pytest.mark.parametrize("change", ["missing", "left over", "shape", "not finite", "half"])
def test_a_network_that_is_none_is_refused_before_a_run(here: Path, change: str) -> None:
    with np.load(DEMO_FOLDER / "videoprism_lvt_demo.npz") as file:
        arrays = {name: file[name] for name in file.files}
    name = next(each for each in arrays if "text" in each and arrays[each].ndim == 2)
    if change == "missing":
        del arrays[name]
    elif change == "left over":
        arrays[name + "_too"] = arrays[name]
    else:
        arrays[name] = arrays[name][:-1] if change == "shape" else np.full_like(arrays[name], np.nan)
    np.savez(here / "bad.npz", **arrays)  # type: ignore[arg-type]
    if change == "half":
        (here / "bad.npz").write_bytes((here / "bad.npz").read_bytes()[:-5000])
    shutil.copy(DEMO_FOLDER / "vocabulary.model", here)
    for words in (("plan",), ("run", "x")):
        refused(3, "bad.npz", *words, "--captions", "captions.csv", "--encoder", "bad.npz")
    for words in (("evaluate", "bad.npz"), ("compare", "demo", "bad.npz")):
        refused(3, "bad.npz", *words, "--on", "captions.csv")
    assert not (here / "x").exists()


def no_captions(folder: Path) -> None:
    path = folder / "data.jsonl"
    path.write_text(re.sub(r'"captions": \["[^"]*"\]', '"captions": []', path.read_text()))


def no_numbers(folder: Path) -> None:
    np.save(folder / "rows.npy", np.full_like(np.load(folder / "rows.npy"), np.nan))


def other_width(folder: Path) -> None:
    np.save(folder / "others.npy", np.eye(3, dtype=np.float32))


@pytest.mark.parametrize("change", [no_captions, no_numbers, other_width])
def test_data_of_a_run_that_were_changed_are_not_used(copied: Path, change: Any) -> None:
    change(copied)
    refused(2, "the run began with other settings: data was", "run", "copied")
    for words in (("export", "copied", "--to", "a.npz"), ("evaluate", "copied", "--on", "captions.csv")):
        refused(3, "the data in copied are not what the run began with", *words)


def test_a_run_that_an_earlier_version_began_goes_on(copied: Path) -> None:
    config = (copied / "config.toml").read_text()
    assert "micro = 0\n" in config
    (copied / "config.toml").write_text(config.replace("micro = 0\n", ""))
    settings = json.loads((copied / "settings.json").read_text())
    del settings["micro"]
    (copied / "settings.json").write_text(json.dumps(settings))
    refused(2, "the run began with other settings: micro was 0, now 4", "run", "copied", "--set", "micro=4")
    again = run("train", "run", "copied")
    assert again.exit_code == 0, again.output


def test_a_precision_that_the_device_does_not_compute_in_is_refused_before_the_run(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoder.runtime.precision._native_bfloat16", lambda device: False)
    words = ("--captions", "captions.csv", "--set", "loop.precision=bfloat16")
    for command in (("run", "x"), ("plan",)):
        refused(3, "cpu here does not compute in bfloat16", *command, *words)
    assert not (here / "x").exists()


def test_the_file_of_settings_that_cannot_be_read_is_named(copied: Path) -> None:
    (copied / "config.toml").write_text("stage = [")
    for words in (("run", "copied"), ("export", "copied", "--to", "a.npz")):
        refused(2, "copied/config.toml: it is not TOML", *words)


def test_a_second_process_is_turned_away_before_it_touches_the_run(copied: Path) -> None:
    (copied / "stop").touch()
    with RunFolder.existing(copied).lock():
        refused(3, "another process trains in", "run", "copied")
    assert (copied / "stop").exists(), "the first process was asked to stop"
