"""SIGKILL of a training run at drawn moments, and full disks: it ends with the bits of an undisturbed one."""

from __future__ import annotations

import time
from pathlib import Path

from campaigns._campaign import Case
from campaigns._children import Fault, call, start

STEPS, MOST_KILLS = 40, 6
MODULES = ("torch._dynamo", "training.loop", "training_tasks")  # what the first optimizer would import in every child


def kill_training(case: Case) -> None:
    """One run, killed or out of room some times, then left to end."""
    draw = case.random
    wanted = Path(case.once("undisturbed", lambda folder: call(_train_whole, folder, log=case.log("undisturbed"))))
    folder, newest = case.folder / "run", -1
    for turn in range(draw.randint(1, MOST_KILLS)):
        room = draw.choice([None, None, draw.randint(200, 9000)])  # a checkpoint has about 9000 bytes
        child = start(lambda: _train(folder), case.log(f"run{turn}"), largest_file=room)
        until = time.monotonic() + draw.expovariate(1 / 0.4)
        while not child.ended() and time.monotonic() < until:
            time.sleep(0.001)
        if room is not None and child.ended() and child.code:
            case.count("full disks")
        elif not child.ended():
            child.kill(group=True)
            case.count("kills")
        if (folder / "settings.json").exists():
            found = call(_newest, folder, log=case.log("newest"))
            if found < newest:
                raise Fault(f"after step {newest} was saved, the newest whole checkpoint is that of {found}")
            newest = found
    call(_train, folder, log=case.log("last"))
    call(_compare, folder, wanted, log=case.log("compare"))


def _train_whole(folder: Path) -> Path:
    _train(folder)
    return folder


def _train(folder: Path) -> None:
    import torch
    from training_tasks import Numbers, Regression, settings

    from training.loop import run
    from training.run_folder import RunFolder

    torch.set_num_threads(1)
    chosen = settings(steps=STEPS, save_every=2, journal_every=1)
    run(Regression(), Numbers(), chosen, RunFolder.open(folder, chosen))


def _newest(folder: Path) -> int:
    from training.run_folder import RunFolder

    found = RunFolder.existing(folder).checkpoints.newest()
    return -1 if found is None else found.step


def _compare(folder: Path, wanted: Path) -> None:
    from training_tasks import everything, require_same_bits

    from training.run_folder import RunFolder

    ours, theirs = RunFolder.existing(folder), RunFolder.existing(wanted)
    require_same_bits(everything(ours), everything(theirs))
    if left := [path.name for path in ours.checkpoints.directory.iterdir() if path.name.startswith(".")]:
        raise Fault(f"left behind: {left[:3]}")
