"""What is on the disk of a run of training: checkpoints and journal, under damage and full disks."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from training_tasks import Numbers, Regression, everything, require_same_bits, settings

from training import checkpoints as checkpoints_module
from training.checkpoints import Checkpoints
from training.errors import DamagedCheckpoint, RunError, SettingsDiffer, TrainingError
from training.journal import Journal, effective
from training.loop import run
from training.run_folder import RunFolder, flatten

STATE = {"module": {"weight": torch.arange(6.0)}, "number": 3, "names": ["a", "b"]}


class Hostile:
    """A pickle of it makes a folder where it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder / "ran"),)


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    for step in (10, 20, 30):
        checkpoints.save(step, STATE, {"best": None, "settings": {}})
    return checkpoints


def test_a_checkpoint_is_read_as_it_was_saved(kept: Checkpoints) -> None:
    found = kept.load(20)
    require_same_bits(found.state, STATE)
    assert (found.step, found.facts) == (20, {"best": None, "settings": {}})
    assert kept.steps() == [10, 20, 30]
    assert Checkpoints(kept.directory / "nowhere").newest() is None


@pytest.mark.parametrize(
    "how", ["flip", "cut", "empty", "gone", "manifest", "manifest gone", "pickle", "link", "other"]
)
def test_a_damaged_checkpoint_is_passed_over_and_named(how: str, kept: Checkpoints, tmp_path: Path) -> None:
    state, manifest = kept.path_of(30) / "state.pt", kept.path_of(30) / "manifest.json"
    content = bytearray(state.read_bytes())
    if how == "flip":
        content[len(content) // 2] ^= 1
        state.write_bytes(content)
    elif how == "cut":
        state.write_bytes(content[:-5])
    elif how == "empty":
        state.write_bytes(b"")
    elif how == "gone":
        state.unlink()
    elif how == "manifest":
        manifest.write_text("{")
    elif how == "manifest gone":
        manifest.unlink()
    elif how == "pickle":  # code in a pickle is not run, whatever its manifest says
        facts = json.loads(manifest.read_text())
        torch.save({"step": 30, "facts": json.dumps(facts["facts"]), "state": {"code": Hostile(tmp_path)}}, state)
        facts |= {"size_bytes": state.stat().st_size, "crc32": checkpoints_module.checksum(state)}
        manifest.write_text(json.dumps(facts))
    elif how == "link":
        state.rename(tmp_path / "elsewhere.pt")
        state.symlink_to(tmp_path / "elsewhere.pt")
    else:  # a whole checkpoint of another step
        state.write_bytes((kept.path_of(20) / "state.pt").read_bytes())
        manifest.write_bytes((kept.path_of(20) / "manifest.json").read_bytes())
    with pytest.raises(DamagedCheckpoint):
        kept.load(30)
    notes: list[str] = []
    found = kept.newest(notes.append)
    assert found is not None
    assert found.step == 20
    assert len(notes) == 1
    assert "step 30" in notes[0]
    assert notes[0].endswith("the run goes on from step 20")
    assert not (tmp_path / "ran").exists()


def test_where_no_checkpoint_can_be_read_a_run_does_not_begin_again_by_itself(kept: Checkpoints) -> None:
    for step in kept.steps():
        (kept.path_of(step) / "state.pt").write_bytes(b"")
    with pytest.raises(DamagedCheckpoint, match="remove that folder to begin again"):
        kept.newest()


def test_a_full_disk_leaves_the_former_checkpoints(kept: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever write fails: that of the state, of the manifest, a flush, or the rename."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fail(*_: object, **__: object) -> None:
        raise full

    for target in ("torch.save", "pathlib.Path.write_text", "training.checkpoints.flush", "os.rename"):
        with monkeypatch.context() as patch:
            patch.setattr(target, fail)
            with pytest.raises(TrainingError, match="step 40 could not be written: No space left on device"):
                kept.save(40, STATE, {})
        assert kept.steps() == [10, 20, 30]
        assert kept.newest() is not None
        assert [each.name for each in kept.directory.iterdir() if each.name.startswith(".")] == []
    kept.save(40, STATE, {})
    assert kept.steps()[-1] == 40


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_the_writer_of_torch_says_that_a_disk_is_full(kept: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, mode="r", *rest: opened(Path("/dev/full") if "x" in mode else self, "wb", *rest)
    )
    with pytest.raises(TrainingError, match="step 40 could not be written"):
        kept.save(40, {"module": torch.zeros(1_000_000)}, {})
    monkeypatch.undo()
    assert kept.steps() == [10, 20, 30]


def test_the_newest_and_the_best_are_kept(kept: Checkpoints) -> None:
    kept.save(40, STATE, {})
    kept.save(50, STATE, {})
    kept.prune(40, keep=2, best=10)
    assert kept.steps() == [10, 30, 40]  # 50 was damaged, or the run would not be at 40


def test_what_a_killed_process_left_is_swept(kept: Checkpoints) -> None:
    (kept.directory / ".step-0123").mkdir()
    (kept.directory / ".step-0123" / "state.pt").write_bytes(b"half")
    kept.sweep()
    assert sorted(each.name for each in kept.directory.iterdir()) == [f"step-{step:08d}" for step in (10, 20, 30)]


def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(tmp_path: Path) -> None:
    chosen = settings(validate_every=0)
    uncut = RunFolder.open(tmp_path / "uncut", chosen)
    run(Regression(), Numbers(), chosen, uncut)
    folder = RunFolder.open(tmp_path / "run", chosen)
    steps: list[int] = []
    run(Regression(), Numbers(), chosen, folder, on_step=lambda p: steps.append(p.step), stop=lambda: len(steps) >= 14)
    (folder.checkpoints.path_of(14) / "state.pt").write_bytes(b"damaged")
    notes: list[str] = []
    result = run(Regression(), Numbers(), chosen, folder, on_note=notes.append)
    assert result.resumed_from == 12
    assert notes[0] == "the checkpoint of step 14 is not what was written; the run goes on from step 12"
    require_same_bits(everything(folder), everything(uncut))
    assert folder.checkpoints.steps() == [16, 20, 24]


def test_a_run_on_a_full_disk_stops_with_what_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(validate_every=0)
    folder = RunFolder.open(tmp_path / "run", chosen)

    def save(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill(progress: Any) -> None:
        if progress.step == 10:
            monkeypatch.setattr("torch.save", save)

    with pytest.raises(TrainingError, match=r"step 12 could not be written: No space .* free some space"):
        run(Regression(), Numbers(), chosen, folder, on_step=fill)
    monkeypatch.undo()
    assert folder.checkpoints.steps() == [4, 8]
    assert run(Regression(), Numbers(), chosen, folder).resumed_from == 8


def test_a_journal_that_cannot_be_written_does_not_end_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Journal, "append", full)
    chosen, notes = settings(), list[str]()
    assert run(Regression(), Numbers(), chosen, RunFolder.open(tmp_path, chosen), on_note=notes.append).finished
    assert set(notes) == {"the journal could not be written: No space left on device"}


def test_a_torn_line_of_a_journal_is_left_out_and_the_next_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.read() == []
    journal.append("started", step=0)
    journal.append("step", step=5, figures={"loss": float("inf")})
    with journal.path.open("ab") as file:
        file.write(b'{"event": "step", "step": 1')
    assert [line["step"] for line in journal.read()] == [0, 5]
    journal.append("resumed", step=4)
    assert [line["event"] for line in journal.read()] == ["started", "step", "resumed"]
    assert journal.read()[1]["figures"] == {"loss": None}
    assert [line["event"] for line in effective(journal.read())] == ["started", "resumed"]  # step 5 is done again
    with journal.path.open("ab") as file:
        file.write(b'[]\n{"event": 1}\n\xff\n{"event": "step", "step": "six"}\n')
    assert len(journal.read()) == 3


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no run of training"):
        RunFolder.open(tmp_path, settings())
    with pytest.raises(RunError, match="holds no run of training"):
        RunFolder.existing(tmp_path)
    (tmp_path / "settings.json").write_text("[1]")
    with pytest.raises(RunError, match="damaged"):
        RunFolder.open(tmp_path, settings())


def test_settings_are_told_apart_by_dotted_names() -> None:
    assert flatten({"data": "abc", "loop": {"seed": 1, "betas": (0.9, 0.98)}}) == {
        "data": "abc", "loop.seed": 1, "loop.betas": [0.9, 0.98],
    }  # fmt: skip
    with pytest.raises(TypeError):
        flatten({"captions": Path("captions.csv")})


def test_more_settings_can_be_free(tmp_path: Path) -> None:
    RunFolder.open(tmp_path, {"captions": "a.csv", "loop": {"seed": 1, "device": "cpu"}}, free=("captions",))
    other = RunFolder.open(tmp_path, {"captions": "b.csv", "loop": {"seed": 1, "device": "cuda"}}, free=("captions",))
    assert RunFolder.existing(tmp_path).settings == other.settings
    with pytest.raises(TrainingError, match=r"loop\.seed was 1, now not there; seed was not there, now 2"):
        RunFolder.open(tmp_path, {"captions": "b.csv", "seed": 2}, free=("captions",))


def test_a_setting_that_came_later_is_what_was_done_before_it(tmp_path: Path) -> None:
    RunFolder.open(tmp_path / "run", {"seed": 1, "loop": {"steps": 2}})
    later = {"seed": 1, "loop": {"steps": 2, "patience": 0}}
    with pytest.raises(SettingsDiffer, match="patience was not there, now 0"):
        RunFolder.open(tmp_path / "run", later)
    before = {"loop": {"patience": 0, "steps": 1}}
    with pytest.raises(SettingsDiffer) as refused:
        RunFolder.open(tmp_path / "run", {"seed": 1, "loop": {"steps": 2, "patience": 3}}, before=before)
    assert refused.value.differences == ("loop.patience was 0, now 3",)
    RunFolder.open(tmp_path / "run", later, before=before)
    RunFolder.open(tmp_path / "run", later)  # it is kept from then on


def test_a_link_in_place_of_the_checkpoints_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    RunFolder.open(tmp_path / "run", {"seed": 1})
    (tmp_path / "run" / "checkpoints").symlink_to(elsewhere)
    for again in (lambda: RunFolder.existing(tmp_path / "run"), lambda: RunFolder.open(tmp_path / "run", {"seed": 1})):
        with pytest.raises(RunError, match="is a link"):
            again()
