"""Does masked distillation (stage 2) teach motion to an encoder that knows appearance alone? Runs on the demo world.

    nice python demo/distillation.py --folder out/distillation --seeds 0 1 2 [--minutes 30]

Of each seed, three runs:
  A  the teacher: stage 1 on pictures (1,200 steps of 128), then on clips (400 of 64), with captions that never tell the
     motion;
  B  stage 2 as published, from A (600 steps of 32): masks hide 0.65 of the tokens;
  F  its control: the same steps with nothing hidden, which is plain distillation of A into a copy of itself.
Probes of each result, on the 640 clips of held-out (thing, background) pairs: things by words, and logistic regressions
of motion and background on mean tokens, fitted on clips of other pairs. For B and F also the losses on held-out clips
before the first step and after the last. One seed proves nothing about B against F; three may.

The program may be stopped at any moment (Ctrl-C, `kill`, --minutes) and started again with the same arguments: it goes
on where it was, with the same result. It prints a table and, as its last line, JSON.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import evaluate
from demo.augment import drawn
from demo.distillation_clips import Batches
from demo.distillation_figures import LOSSES, PROBES, losses, probes, table, verdicts
from encoder.config import DEMO
from encoder.model import VideoPrismLvT, build
from encoder.tokenizer import Tokenizer
from files.json_file import read_json
from files.replace import replace_file
from training.batches import CaptionedBatch
from training.decoders import DecoderShape
from training.errors import TrainingError
from training.initialisation import initialise
from training.journal import effective
from training.loop import run
from training.loop_settings import LoopSettings
from training.run_folder import RunFolder
from training.run_state import load_trained
from training.stages.pairs import PairsStage, in_parts
from training.stages.stage1 import Stage1
from training.stages.stage2 import Distillation, Stage2

DECODERS = DecoderShape(layers=2, width=128, hidden=512, heads=4)
"""Small, as the demo encoder is; the published ones have 4 layers of 512 columns."""

HELD_OUT_CLIPS, PROBE_CLIPS = 128, 1200


@dataclass(frozen=True)
class Leg:
    """A part of a run: what the loop is told, and the size of its batches."""

    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    frames: int
    ratio: float = 0.0  # of hidden tokens, of stage 2

    def settings(self, seed: int) -> LoopSettings:
        return LoopSettings(
            steps=self.steps, seed=seed, learning_rate=self.learning_rate, warmup_steps=self.steps // 12,
            final_factor=0.02, average_decay=0.99, precision="float32", save_every=100, journal_every=20, keep=1,
        )  # fmt: skip


LEGS = {
    "images": Leg(1200, 128, 1.5e-3, 0.05, 1),
    "clips": Leg(400, 64, 1e-3, 0.05, DEMO.frames),
    "B": Leg(600, 32, 5e-4, 0.05, DEMO.frames, 0.65),
    "F": Leg(600, 32, 5e-4, 0.05, DEMO.frames, 0.0),
}


class Stopped(Exception):
    """The sitting is over; what is done is saved."""


class Seed:
    """The runs of one seed in one folder."""

    def __init__(self, folder: Path, seed: int, scale: float, stop: Callable[[], bool]) -> None:
        self.folder, self.seed, self.scale, self.stop = folder / f"seed-{seed}", seed, scale, stop
        self.tokenizer = Tokenizer(ROOT / "encoder/demo/vocabulary.model", DEMO.text_tokens)
        self.minutes: dict[str, float] = {}

    def results(self) -> dict[str, dict[str, float]]:
        """Run everything that is not done, and return the figures of A, B and F."""
        network = build(DEMO)
        assert isinstance(network, VideoPrismLvT)
        initialise(network, self.seed, identity=("auxiliary",))  # stage 1 has no layers before its pooler
        for name in ("images", "clips"):
            task = Stage1(network, self.tokenizer, drop=0.0, weight_decay=LEGS[name].weight_decay, seed=self.seed)
            self.train(name, task)
            network = task.exported()
        found = {"A": self.once("A", PROBES, lambda: self.probes(network))}
        for name in ("B", "F"):
            task2 = Stage2(
                network, distillation=Distillation(ratio=LEGS[name].ratio), decoders=DECODERS,
                weight_decay=LEGS[name].weight_decay, seed=self.seed, held_out=self.held_out(),
            )  # fmt: skip
            teacher = task2.teacher.digest()
            begin = self.once(f"{name}-begin", LOSSES, lambda task2=task2: losses(task2))
            self.train(name, task2)
            found[name] = self.once(
                name, (*LOSSES, *PROBES), lambda task2=task2: losses(task2) | self.probes(task2.exported())
            )
            found[name] |= {f"{loss}_at_first": value for loss, value in begin.items()}
            if task2.teacher.digest() != teacher:
                raise RuntimeError(f"the teacher of {name} has changed")
        return found

    def train(self, name: str, task: PairsStage | Stage2) -> None:
        """Train a task to its end, and give it its averaged weights."""
        leg = LEGS[name]
        leg = replace(leg, steps=max(2, round(leg.steps * self.scale)))
        settings = leg.settings(self.seed)
        folder = RunFolder.open(self.folder / name, {"leg": asdict(leg), "loop": asdict(settings)})
        label = f"seed {self.seed}, {name}"
        result = run(
            task, Batches(self.seed, leg.batch, leg.frames), settings, folder, stop=self.stop,
            on_note=lambda note: print(f"{label}: {note}", flush=True),
        )  # fmt: skip
        lines = effective(folder.journal.read())
        steps = [line for line in lines if line["event"] == "step" and type(line.get("seconds_per_step")) is float]
        before = [0, *(line["step"] for line in steps)]
        spent = sum((line["step"] - last) * line["seconds_per_step"] for line, last in zip(steps, before, strict=False))
        self.minutes[name] = spent / 60
        figures = {key: round(value, 4) for key, value in result.figures.items()}
        print(f"{label}: step {result.step} of {result.steps}, {spent / 60:.1f} minutes in all, {figures}", flush=True)
        if not result.finished:
            raise Stopped
        load_trained(folder, task, "last")
        task.eval()

    def probes(self, network: VideoPrismLvT) -> dict[str, float]:
        """Return what a network knows."""
        return probes(network, self.tokenizer, self.seed, max(240, round(PROBE_CLIPS * min(1.0, self.scale))))

    def once(self, name: str, names: Collection[str], measure: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Return the figures with these names that were measured in an earlier sitting, or measure them now.

        Raises:
            TrainingError: There is a file of figures, and it holds something else.
        """
        path = self.folder / f"{name}.json"
        if not path.exists():
            if self.stop():
                raise Stopped
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(measure()).encode())
        try:
            stored = read_json(path, follow_links=False)
            if not isinstance(stored, dict) or stored.keys() != set(names):
                raise ValueError(f"its figures are not {', '.join(names)}")
            if not all(type(each) is float for each in stored.values()):
                raise ValueError("one of its figures is no number")
        except ValueError as error:
            raise TrainingError(f"{path} is not what was measured ({error}); remove it to measure again") from error
        return stored

    def held_out(self) -> list[CaptionedBatch]:
        """Return held-out clips for the losses of stage 2."""
        rng = np.random.default_rng((self.seed, 81))
        takes = evaluate.gallery()
        some = [takes[i] for i in rng.permutation(len(takes))[: max(16, round(HELD_OUT_CLIPS * min(1.0, self.scale)))]]
        whole = CaptionedBatch(
            drawn(some, DEMO.frames, DEMO.size, rng), ("",) * len(some), np.eye(len(some), dtype=bool)
        )
        return list(in_parts(whole, 32))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where checkpoints and figures are kept")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop, and save, after so many")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the steps, to try the program")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)

    torch.set_num_threads(args.threads)
    began, asked = time.monotonic(), [False]
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: asked.__setitem__(0, True))

    def stop() -> bool:
        return asked[0] or time.monotonic() - began > 60 * args.minutes

    summary = []
    for number in args.seeds:
        seed = Seed(args.folder, number, args.scale, stop)
        try:
            found = seed.results()
        except Stopped:
            print("stopped; what is done is saved: run the same command again to go on")
            sys.exit(3)
        except (TrainingError, OSError) as error:
            sys.exit(str(error))
        judged, minutes = verdicts(found), sum(seed.minutes.values())
        print(f"\nseed {number}: {minutes:.0f} minutes of training, {args.threads} thread(s)", *table(found), sep="\n")
        print(*(f"{'yes' if held else 'NO ':4} {what}" for what, held in judged.items()), "", sep="\n")
        summary.append({"seed": number, "minutes": round(minutes, 1), "scale": args.scale, **found, "expected": judged})
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
