"""Runs of training whose process is killed, and runs of several processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training_tasks import CaptionedNumbers, Contrast, everything, require_same_bits

from training.loop import run
from training.run_folder import RunFolder
from training.sampling import CaptionedBatches

PROGRAM = Path(__file__).with_name("training_children.py")


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `training_children` leaves: `uncut`, `killed`, `two`, and `told.json`."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    folder = tmp_path_factory.mktemp("children")
    done = subprocess.run(
        [sys.executable, PROGRAM, folder],
        env=os.environ | {"PYTHONPATH": str(PROGRAM.parent.parent)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def told(children: Path) -> dict[str, Any]:
    return json.loads((children / "told.json").read_text())  # type: ignore[no-any-return]


def test_a_run_that_is_killed_goes_on_to_the_same_bits(children: Path) -> None:
    """Three kills, most while a checkpoint is written; after each, there is a whole one, not older than before."""
    found = told(children)["found"]
    assert found == sorted(found)
    assert 0 <= found[0] <= found[-1] < 30
    uncut, killed = RunFolder.existing(children / "uncut"), RunFolder.existing(children / "killed")
    assert everything(killed)["step"] == 30
    require_same_bits(everything(killed), everything(uncut))
    assert [each.name for each in killed.checkpoints.directory.iterdir() if each.name.startswith(".")] == []
    assert [line["event"] for line in killed.journal.read()].count("resumed") >= 1


def test_two_processes_train_what_one_does(children: Path, tmp_path: Path) -> None:
    """A contrastive loss over the whole batch, of which each process has half: weights, average, optimizer, loss."""
    from training_children import TOGETHER

    assert told(children)["codes"] == [0, 0]
    source = CaptionedNumbers()
    alone = RunFolder.open(tmp_path / "one", TOGETHER)
    run(Contrast(), CaptionedBatches(source, range(len(source)), 8, seed=4), TOGETHER, alone)
    together = RunFolder.existing(children / "two")
    one, two = everything(alone), everything(together)
    before = Contrast().state_dict()
    for name, value in one["module"].items():
        torch.testing.assert_close(two["module"][name], value, rtol=0, atol=1e-6)
        assert not torch.equal(value, before[name])
    for name, value in one["average"].items():
        torch.testing.assert_close(two["average"][name], value, rtol=0, atol=1e-6)
    assert one["optimizer"]["state"].keys() == two["optimizer"]["state"].keys() != set()
    for number, moments in one["optimizer"]["state"].items():
        for name, value in moments.items():
            torch.testing.assert_close(two["optimizer"]["state"][number][name], value, rtol=0, atol=1e-6)
    losses = [
        [line["figures"]["loss"] for line in folder.journal.read() if line["event"] == "step"]
        for folder in (alone, together)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-5)
