"""`train run` in two processes that torchrun starts: the weights are those of one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from named_library import make_library

from app.cli import main
from training.run_folder import RunFolder

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "#!{python}\nfrom app.cli import main\n\nmain()\n"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found = RunFolder.existing(folder).checkpoints.newest()
    assert found is not None
    assert found.step == 4
    module: dict[str, torch.Tensor] = found.state["module"]
    return module


@pytest.mark.slow
def test_two_processes_train_the_weights_of_one(tmp_path: Path) -> None:
    """As docs/training.md says it, but for the place of the program, which need not be installed here."""
    make_library(tmp_path)
    program = tmp_path / "prismsearch"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    words = ("--library", str(tmp_path / "library"), "--encoder", "demo", "--device", "cpu")
    words += ("--captions", str(tmp_path / "captions.csv"), "--steps", "4", "--batch", "8", "--set", "guard=0.0")
    alone = CliRunner().invoke(main, ["train", "run", str(tmp_path / "one"), *words])
    assert alone.exit_code == 0, alone.output
    launch = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python")
    together = subprocess.run(
        [*launch, str(program), "train", "run", str(tmp_path / "two"), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert together.returncode == 0, together.stderr
    assert together.stdout.count("finished after step 4 of 4") == 1, "the first process alone prints"
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=0, msg=lambda text, name=name: f"{name}: {text}")
