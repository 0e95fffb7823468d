"""A program that trains in children of its own, some of which it kills: `python training_children.py FOLDER`.

It imports everything once and forks, as the campaigns do, so that a child begins in milliseconds. It must not train
itself before it forks.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # torch's optimizers import it when the first one is made
from training_tasks import CaptionedNumbers, Contrast, Numbers, Regression, settings

from training.loop import run
from training.process_group import joined
from training.run_folder import RunFolder
from training.sampling import CaptionedBatches

STEPS, KILLS = 30, 3
TOGETHER = settings(steps=5, warmup_steps=1, clip_norm=0.5, validate_every=0, save_every=5)


def fork(work: Callable[..., object], *arguments: Any) -> int:
    """Start a function in a child; return its process id."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        work(*arguments)
        code = 0
    except BaseException:  # noqa: BLE001  (the parent learns of it by the exit code)
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def train(path: Path) -> None:
    """Train with a checkpoint in every second step, so that most kills come while one is written."""
    chosen = settings(steps=STEPS, save_every=2, journal_every=1)
    run(Regression(), Numbers(), chosen, RunFolder.open(path, chosen))


def train_part(rank: int, processes: int, path: Path) -> None:
    """Train as one of several processes."""
    source = CaptionedNumbers()
    batches = CaptionedBatches(source, range(len(source)), 8, seed=4, rank=rank, processes=processes)
    with joined(rank=rank, processes=processes, init_file=path.with_name("init")):
        run(Contrast(), batches, TOGETHER, RunFolder.open(path, TOGETHER))


def train_and_kill(path: Path, draw: random.Random) -> list[int]:
    """Kill a run some times, then let it end; return the step of the newest checkpoint after each kill."""
    found: list[int] = []
    for _ in range(KILLS):
        wanted = (found or [0])[-1] + draw.randint(2, 7)
        child = fork(train, path)
        while steps_told(path) < wanted:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        newest = RunFolder.existing(path).checkpoints.newest()
        found.append(-1 if newest is None else newest.step)
    os.waitpid(fork(train, path), 0)
    return found


def steps_told(path: Path) -> int:
    """Return the step of the journal's last line of a step; 0 if there is none."""
    journal = path / "journal.jsonl"
    lines = journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []
    steps = [json.loads(line)["step"] for line in lines if line.startswith(b'{"event": "step"')]
    return steps[-1] if steps else 0


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    os.waitpid(fork(train, folder / "uncut"), 0)
    found = train_and_kill(folder / "killed", random.Random(5))
    pair = [fork(train_part, rank, 2, folder / "two") for rank in range(2)]
    codes = [os.waitpid(each, 0)[1] for each in pair]
    (folder / "told.json").write_text(json.dumps({"found": found, "codes": codes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
