"""Two processes, of 8 clips each, train as one with 16: the contrastive loss and its gradients."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import training_processes
from training_processes import PROCESSES, Found

from training.distributed import gather_rows, rank, world_size


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Found]]:
    """What each process found."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    folder = tmp_path_factory.mktemp("processes")
    done = subprocess.run(
        [sys.executable, training_processes.__file__, folder],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{own}.pt", weights_only=True) for own in range(PROCESSES)]


@pytest.mark.parametrize(("case", "size"), [("plain", None), ("several", None), ("chunks", 3)])
def test_two_processes_find_the_loss_and_gradients_of_one(
    found: list[dict[str, Found]], case: str, size: int | None
) -> None:
    alone = training_processes.step("several" if case == "chunks" else case, size)
    shares = [each[case]["loss"] for each in found]
    assert abs(float(sum(shares)) / PROCESSES - float(alone["loss"])) < 1e-6
    greatest = max(float(alone[name].abs().max()) for name in alone)
    for each in found:
        assert each[case].keys() == alone.keys()
        for name in alone.keys() - {"loss"}:
            assert float((each[case][name] - alone[name]).abs().max()) < 1e-6 * max(1.0, greatest), name


def test_rows_are_gathered_in_the_order_of_processes_and_gradients_of_all_add_up(found: list[dict[str, Found]]) -> None:
    first = torch.arange(6.0).reshape(2, 3).T
    for own, each in enumerate(found):
        assert torch.equal(each["gathered"]["rows"], torch.cat([first, first + 10]))
        weights = torch.arange(1.0, 7)[3 * own : 3 * own + 3]
        assert torch.equal(each["gathered"]["gradient"], (1 + 2) * weights[:, None].expand(3, 2))


def test_a_process_knows_its_number(found: list[dict[str, Found]]) -> None:
    assert [(int(each["place"]["rank"]), int(each["place"]["world_size"])) for each in found] == [(0, 2), (1, 2)]
    assert (rank(), world_size()) == (0, 1)


def test_one_process_gathers_its_own_rows() -> None:
    rows = torch.ones(2, 3)
    assert gather_rows(rows) is rows
