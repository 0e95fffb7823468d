"""`train run` of the stages on clips, on two videos; what it says when they have moved; and what ends a live run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from app import media_workers
from app.cli import main
from app.tuning.examples import Example
from app.tuning.footage import ClipCache
from app.tuning.moved import relocated
from app.tuning.run_data import RunData, write_run_data
from db.library import Library
from encoder import ClipSpec
from indexer.fingerprint import fingerprint
from indexer.media.errors import UnreadableVideo
from training.errors import TrainingError

VIDEOS = ("05_square.mp4", "13_one_shot.mp4")
DEMO = Path(__file__).resolve().parent.parent / "app/demo_library"


class Here:
    """Reads in this process: no worker is started."""

    __call__ = staticmethod(media_workers.read_here)

    def close(self) -> None:
        """Do nothing."""


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("PRISMSEARCH_ENCODER", "demo")
    monkeypatch.setenv("PRISMSEARCH_DEVICE", "cpu")
    monkeypatch.setattr(media_workers, "MediaWorkers", Here)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    for name in VIDEOS:
        shutil.copy(DEMO / name, tmp_path / "old" / name)
    lines = [f"old/{VIDEOS[0]},0,1,a zorp", f"old/{VIDEOS[0]},1,2,a dax", f"old/{VIDEOS[1]},0,1,a wug"]
    (tmp_path / "captions.csv").write_text("\n".join(["path,start,end,caption", *lines]))
    return tmp_path


@pytest.mark.parametrize("stage", ["lit", "stage2"])
def test_a_stage_on_clips_runs_and_tells_before_and_after(here: Path, stage: str) -> None:
    words = ("--stage", stage, "--captions", "captions.csv", "--steps", "2", "--batch", "2", "--json")
    finished = run("train", "run", "deep", *words, *(("--set", "micro=1") if stage == "lit" else ()))
    assert finished.exit_code == 0, finished.output
    record = json.loads(finished.stdout)
    assert (record["steps"], record["reason"]) == (2, "all 2 planned steps are done")
    outcome = record["outcome"]
    assert (outcome["held_out"] is None) == (stage == "stage2")
    assert ("teacher" in outcome) == (stage == "stage2")
    assert json.loads(run("train", "status", "deep", "--json").stdout)["outcome"] == outcome
    told = run("train", "status", "deep").stdout
    assert ("cosine with its teacher" if stage == "stage2" else "held-out sentence") in told
    assert not (here / "deep/.clips").exists(), "clips are kept while a run goes on"


def test_videos_that_moved_are_named_and_found_again(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("train", "run", "deep", "--stage", "lit", "--captions", "captions.csv", "--steps", "1", "--batch", "2")
    with monkeypatch.context() as patch:
        patch.setattr("training.loop.run", lambda *_, **__: (_ for _ in ()).throw(TrainingError("cut")))
        assert "cut" in run(*words).stderr
    shutil.rmtree(here / "deep/.clips")
    (here / "old").rename(here / "new")
    (here / "new/old").symlink_to(".")
    refused = run("train", "run", "deep")
    assert refused.exit_code == 3
    assert "2 videos of this run are not there any more, or changed, such as old/" in refused.stderr
    assert "train run deep --folder DIR" in refused.stderr
    found = run("train", "run", "deep", "--folder", "new")
    assert found.exit_code == 0, found.output
    lines = (here / "deep/data.jsonl").read_text().splitlines()
    assert all("/new/old/" in json.loads(line)["path"] for line in lines)


class Crashing(Here):
    """A decoder that crashes on one video."""

    def __call__(self, function: Any, *arguments: Any, path: str, **keywords: Any) -> Any:  # type: ignore[override]
        if path.endswith(VIDEOS[1]):
            raise UnreadableVideo(path, "crashed", "The decoder crashed on it (SIGABRT).")
        return media_workers.read_here(function, *arguments, path=path, **keywords)


def test_a_video_on_which_the_decoder_crashes_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_workers, "MediaWorkers", Crashing)
    words = ("--stage", "lit", "--captions", "captions.csv", "--steps", "1", "--batch", "3", "--set", "validation=0.0")
    planned = run("train", "plan", *words, "--measure")
    assert (planned.exit_code, "in prismsearch itself" in planned.stderr) == (3, False), planned.output
    assert f"{VIDEOS[1]}: The decoder crashed on it (SIGABRT).; repair the file" in planned.stderr
    done = run("train", "run", "deep", *words)
    assert done.exit_code == 1, done.output
    assert f"left out: old/{VIDEOS[1]}@" in done.stderr
    assert "training lit on 2 clips" in done.stderr


def test_kept_clips_are_in_the_folder_of_the_run_alone(tmp_path: Path) -> None:
    spec, name = ClipSpec(2, 4, "stretch"), "a" * 32
    mine = tmp_path / "mine"
    mine.mkdir()
    np.save(mine / f"{name}.npy", np.zeros(spec.shape, np.uint8))
    (tmp_path / "linked").symlink_to(mine)
    cache = ClipCache(tmp_path / "linked", 1 << 20)
    cache.put("b" * 32, np.zeros(spec.shape, np.uint8))
    assert cache.get(name, spec) is None
    cache.clear()
    assert [each.name for each in mine.iterdir()] == [f"{name}.npy"], "nothing is written or deleted through a link"

    cache = ClipCache(tmp_path / "kept", 1 << 20)
    cache.put(name, np.ones(spec.shape, np.uint8))
    (tmp_path / "kept" / f"{'c' * 32}.npy").symlink_to(mine / f"{name}.npy")
    (tmp_path / "kept/mine.npy").write_bytes(b"")
    assert cache.get(name, spec) is not None
    assert cache.get("c" * 32, spec) is None
    cache.clear()
    assert [each.name for each in (tmp_path / "kept").iterdir()] == ["mine.npy"]
    assert (mine / f"{name}.npy").exists()


def test_only_the_same_content_takes_the_place_of_a_video(here: Path) -> None:
    (here / "new").mkdir()
    for name in VIDEOS:
        shutil.copy(here / "old" / VIDEOS[0], here / "new" / name)
    examples = [Example(str(here / "old" / name), None, None, (), fingerprint(here / "old" / name)) for name in VIDEOS]
    paths = [each.path for each in relocated(examples, "", str(here / "new"))]
    assert paths == [str(here / "new" / VIDEOS[0]), str(here / "old" / VIDEOS[1])]


@pytest.fixture
def begun(here: Path) -> Path:
    """The folder of a run of the stage text that would take hours, with rows that are drawn."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((8, 128)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    examples = [Example(f"/{at}.mp4", None, None, ("a zorp",), str(at), "train", str(at)) for at in range(8)]
    write_run_data(here / "names", RunData(examples, rows))
    return here / "names"


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for each in started:
        each.kill()
        each.communicate()


def live(folder: Path, children: list[subprocess.Popen[str]], *words: str) -> subprocess.Popen[str]:
    """Start a run, and wait until it has taken steps."""
    before = (folder / "journal.jsonl").stat().st_size if (folder / "journal.jsonl").exists() else 0
    code = "from app.cli import main; main()"
    command = [sys.executable, "-c", code, "train", "run", str(folder), *words]
    root = Path(__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    children.append(child)
    for _ in range(6000):
        if child.poll() is not None:
            break
        if (folder / "journal.jsonl").exists() and '"step",' in (folder / "journal.jsonl").read_text()[before:]:
            return child
        time.sleep(0.02)
    child.kill()
    raise AssertionError(child.communicate()[1])


def test_a_live_run_saves_and_ends_when_it_is_told_to(begun: Path, children: list[subprocess.Popen[str]]) -> None:
    Library.open(begun.parent / "library").close()
    (begun.parent / "run.toml").write_text("guard = 0.0\n[loop]\nsteps = 1000000\njournal_every = 1\n")
    data = {each.name: each.read_bytes() for each in begun.iterdir()}
    shutil.rmtree(begun)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.loop.run", lambda *_, **__: (_ for _ in ()).throw(TrainingError("cut")))
        patch.setattr("app.commands.train_begin.prepared_data", lambda *_: _prepared(data, begun.parent))
        assert "cut" in run("train", "run", str(begun), "--captions", "captions.csv", "--config", "run.toml").stderr
    child = live(begun, children)
    assert run("train", "stop", str(begun)).exit_code == 0
    assert child.wait(60) == 130
    status = json.loads(run("train", "status", str(begun), "--json").stdout)
    assert (status["state"], status["saved_step"]) == ("stopped", status["step"])
    child = live(begun, children)
    child.send_signal(signal.SIGTERM)
    told = child.communicate(timeout=60)[1]
    assert child.returncode == 143, told
    assert f"the run goes on after step {status['step']} of 1000000" in told
    after = json.loads(run("train", "status", str(begun), "--json").stdout)
    assert after["state"] == "stopped"
    assert after["saved_step"] == after["step"] > status["step"]


def _prepared(data: dict[str, bytes], root: Path) -> object:
    from app.tuning.preparing import Prepared
    from app.tuning.run_data import read_run_data

    (root / "prepared").mkdir()
    for name, content in data.items():
        (root / "prepared" / name).write_bytes(content)
    found = read_run_data(root / "prepared", with_rows=True)
    assert found is not None
    return Prepared(found)
