"""What the evaluations share: the machine in words, names of files of rows, the time left."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import ColourEncoder

from app.compose import Settings, WrongSetting
from app.evaluation.machine import machine_of
from app.evaluation.row_store import rows_file
from app.shell import counted_line
from app.shell.counted_line import CountedLine
from app.shell.live_line import LiveLine, Shown


def test_the_machine_is_named_with_what_the_encoder_runs_on() -> None:
    settings = Settings(library=Path("nowhere"), encoder="demo", device="cpu")
    machine = machine_of(settings, ColourEncoder())
    assert machine.cores >= 1
    assert machine.memory_bytes > 0
    assert (machine.device, machine.precision) == ("cpu", "float32")
    assert machine.processor in machine.text()
    with pytest.raises(WrongSetting, match="abacus"):
        machine_of(Settings(library=Path("nowhere"), device="abacus"), ColourEncoder())


def test_an_open_clip_encoder_that_the_library_chose_is_said_to_run_in_its_own_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OpenClip(ColourEncoder):
        @property
        def id(self) -> str:
            return "open_clip:ViT-B-32/made:8f:stretch"

    monkeypatch.setattr("encoder.runtime.precision.choose_precision", lambda choice, device, dim: "bfloat16")
    settings = Settings(library=Path("nowhere"), encoder=None, device="cpu")
    assert machine_of(settings, ColourEncoder()).precision == "bfloat16"
    assert machine_of(settings, OpenClip()).precision == "float32"
    monkeypatch.setattr(OpenClip, "precision", "int8", raising=False)
    assert machine_of(settings, OpenClip()).precision == "int8"


def test_rows_of_other_encoders_and_precisions_are_in_other_files_below_the_folder(tmp_path: Path) -> None:
    ids = ["demo@1:8f:stretch", "demo@1-8f-stretch", "../../x", "", "x" * 500]
    files = {rows_file(tmp_path, each, precision) for each in ids for precision in ("float32", "bfloat16")}
    assert len(files) == 2 * len(ids)
    assert {each.parent for each in files} == {tmp_path / "rows"}
    assert max(len(each.name) for each in files) < 120


def test_the_time_left_counts_only_what_this_run_does(monkeypatch: pytest.MonkeyPatch) -> None:
    class Line(LiveLine):
        def show(self, progress: Shown) -> None:
            shown.append(progress)

    shown: list[Shown] = []
    line = Line()
    seconds = iter([100.0, 110.0, 130.0])
    monkeypatch.setattr(counted_line.time, "monotonic", lambda: next(seconds))
    counted = CountedLine(line, stage="encode", text="encoding", unit="videos", total=20)
    for done in (10, 12, 20):
        counted.show(done)
    assert [each.eta_seconds for each in shown] == [None, 40.0, 0.0]
    assert [each.fraction for each in shown] == [0.5, 0.6, 1.0]
    assert shown[1].text == "encoding  12/20 videos   60%  40s left"
