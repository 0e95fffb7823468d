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
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import captions, evaluate, world
from demo.augment import augment
from demo.things import THINGS
from encoder.config import DEMO
from encoder.layers import unit_rows
from encoder.model import VideoPrismLvT, build
from encoder.tokenizer import Tokenizer
from files.replace import replace_file
from training.batches import CaptionedBatch
from training.decoders import DecoderShape
from training.errors import TrainingError
from training.heads.linear import fit_linear
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


def shown_takes() -> list[world.Take]:
    """Return the takes that may be trained on."""
    held = captions.held_out()
    every = (world.Take(t, b, m) for t in world.THINGS for b in world.BACKGROUNDS for m in world.MOTIONS)
    return [take for take in every if take not in held]


class Batches:
    """Clips with captions that tell the thing, and mostly the background, but never the motion."""

    def __init__(self, seed: int, size: int, frames: int) -> None:
        self.seed, self.size, self.frames, self.takes = seed, size, frames, shown_takes()

    def draw(self, number: int) -> CaptionedBatch:
        """See `BatchSource.draw`."""
        rng = np.random.default_rng((self.seed, number, self.frames))
        takes = [self.takes[i] for i in rng.integers(len(self.takes), size=self.size)]
        mentions = [(True, bool(rng.random() < 0.7), False) for _ in takes]
        sentences = tuple(captions.caption(take, rng, mentions=m) for take, m in zip(takes, mentions, strict=True))
        things, places = (np.array([getattr(take, name) for take in takes]) for name in ("thing", "background"))
        told = np.array([m[1] for m in mentions])
        holds = (things[:, None] == things) & ((places[:, None] == places) | ~told)  # sentence j of clip i
        return CaptionedBatch(drawn(takes, self.frames, rng), sentences, holds, number)


def drawn(takes: Sequence[world.Take], frames: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw clips, uint8 (B, T, S, S, 3), of a random aspect ratio and degraded as files are."""
    aspect = float(rng.choice((1.0, 4 / 3, 16 / 9, 9 / 16)))
    clips = world.render(list(takes), frames=frames, height=DEMO.size, width=DEMO.size, rng=rng, aspect=aspect)
    return augment(clips, DEMO.size, rng)


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
        found = {"A": self.once("A", lambda: self.probes(network))}
        for name in ("B", "F"):
            task2 = Stage2(
                network, distillation=Distillation(ratio=LEGS[name].ratio), decoders=DECODERS,
                weight_decay=LEGS[name].weight_decay, seed=self.seed, held_out=self.held_out(),
            )  # fmt: skip
            teacher = task2.teacher.digest()
            begin = self.once(f"{name}-begin", lambda task2=task2: losses(task2))
            self.train(name, task2)
            found[name] = self.once(name, lambda task2=task2: losses(task2) | self.probes(task2.exported()))
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
        steps = [line for line in lines if line["event"] == "step"]
        before = [0, *(line["step"] for line in steps)]
        spent = sum((line["step"] - last) * line["seconds_per_step"] for line, last in zip(steps, before, strict=False))
        self.minutes[name] = spent / 60
        figures = {key: round(value, 4) for key, value in result.figures.items()}
        print(f"{label}: step {result.step} of {result.steps}, {spent / 60:.1f} minutes in all, {figures}", flush=True)
        if not result.finished:
            raise Stopped
        load_trained(folder, task, "last")
        task.eval()

    def once(self, name: str, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Return what was measured in an earlier sitting, or measure it now."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            if self.stop():
                raise Stopped
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(measure()).encode())
        stored: dict[str, float] = json.loads(path.read_bytes())
        return stored

    def held_out(self) -> list[CaptionedBatch]:
        """Return held-out clips for the losses of stage 2."""
        rng = np.random.default_rng((self.seed, 81))
        takes = evaluate.gallery()
        some = [takes[i] for i in rng.permutation(len(takes))[: max(16, round(HELD_OUT_CLIPS * min(1.0, self.scale)))]]
        whole = CaptionedBatch(drawn(some, DEMO.frames, rng), ("",) * len(some), np.eye(len(some), dtype=bool))
        return list(in_parts(whole, 32))

    def probes(self, network: VideoPrismLvT) -> dict[str, float]:
        """Return shares of right answers on clips of held-out pairs."""
        rng = np.random.default_rng((self.seed, 82))
        shown, held = shown_takes(), evaluate.gallery()
        count = max(240, round(PROBE_CLIPS * min(1.0, self.scale)))
        fitted = [shown[i] for i in rng.permutation(len(shown))[:count]]
        fitted_rows, _ = encoded(network, fitted, rng)
        held_rows, pooled = encoded(network, held, rng)
        sentences = [f"a {THINGS[thing][1][0]}" for thing in world.THINGS]
        ids, paddings = (torch.from_numpy(each) for each in self.tokenizer.encode(sentences))
        with torch.no_grad():
            words = network.encode_text(ids, paddings).numpy()
        right = (pooled @ words.T).argmax(axis=1) == [world.THINGS.index(take.thing) for take in held]
        found = {"things_by_words": float(right.mean())}
        for name, classes in (("motion", world.MOTIONS), ("background", world.BACKGROUNDS)):
            truth, answers = (np.array([classes.index(getattr(t, name)) for t in takes]) for takes in (fitted, held))
            head = fit_linear(
                fitted_rows, np.eye(len(classes), dtype=bool)[truth], multi_label=False, strength=1.0
            ).head
            logits = held_rows @ head.weights.T + head.bias
            found[f"{name}_by_probe"] = float((logits.argmax(axis=1) == answers).mean())
        return found


def encoded(
    network: VideoPrismLvT, takes: Sequence[world.Take], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean tokens (n, D) and unit rows (n, D) of newly drawn clips."""
    means, rows = [], []
    with torch.no_grad():
        for start in range(0, len(takes), 32):
            clips = torch.from_numpy(drawn(takes[start : start + 32], DEMO.frames, rng))
            tokens = network.vision_encoder(clips)
            means.append(tokens.mean(dim=1).numpy())
            rows.append(unit_rows(network.pooler(network.auxiliary(tokens))).numpy())
    return np.concatenate(means), np.concatenate(rows)


def losses(task: Stage2) -> dict[str, float]:
    """Return both losses on held-out clips."""
    task.eval()
    cosines = task.validate()
    return {f"loss_{name}": 1 - cosines[name] for name in ("local", "global")}


def verdicts(found: dict[str, dict[str, float]]) -> dict[str, bool]:
    """Return which of the expected outcomes came out."""
    a, b = found["A"], found["B"]
    return {
        "A knows things": a["things_by_words"] >= 0.9,
        "A knows no motion": a["motion_by_probe"] <= 0.4,
        "B: both losses fall by half": all(b[f"loss_{n}"] <= b[f"loss_{n}_at_first"] / 2 for n in ("local", "global")),
        "B keeps backgrounds": b["background_by_probe"] >= a["background_by_probe"] - 0.01,
    }


def table(found: dict[str, dict[str, float]]) -> list[str]:
    """Return the lines of a table of A, B and F."""
    names = list(dict.fromkeys(name for figures in found.values() for name in figures))
    lines = [f"{'':24}" + "".join(f"{run:>9}" for run in found)]
    for name in names:
        cells = (f"{figures[name]:9.3f}" if name in figures else f"{'':>9}" for figures in found.values())
        lines.append(f"{name:24}" + "".join(cells))
    return lines


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
        except TrainingError as error:
            sys.exit(str(error))
        judged, minutes = verdicts(found), sum(seed.minutes.values())
        print(f"\nseed {number}: {minutes:.0f} minutes of training, {args.threads} thread(s)", *table(found), sep="\n")
        print(*(f"{'yes' if held else 'NO ':4} {what}" for what, held in judged.items()), "", sep="\n")
        summary.append({"seed": number, "minutes": round(minutes, 1), "scale": args.scale, **found, "expected": judged})
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
