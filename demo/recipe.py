"""Makes the demo encoder: its vocabulary and its weights, from scratch, on the grown demo world.

    python -m demo.recipe --to RUN [--minutes 95]
    python -m demo.recipe --to RUN --install

There are three stages, as VideoPrism itself goes from pictures to videos: single pictures, of one thing or of two
beside each other, with sentences that leave out what a picture cannot show; clips of 4 pictures, which cost less than
half of those of 8 and teach motion as fast, step by step; then clips of 8 pictures. VideoPrism's stage 1 leaves patches
out; here a picture has but 16, and without half of them a step still took two thirds of the time. No scene of
`scenes.is_held_out` is ever shown. The loop is that of `training`, as for anybody's training.

The plan is a number of steps, fixed by --minutes and by what a step took on two cores of the machine that it was
measured on; another machine takes another time for the same weights. Ctrl-C saves; the same command goes on, with the
same result as without a break. A folder that was begun with other settings is refused. RUN gets
`videoprism_lvt_demo.npz`, `vocabulary.model` and `made.json`, which names the commit. `--install` copies the first two
to encoder/demo: they belong together, and need a new demo library's figures (demo/README.md).
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import make_vocabulary
from demo.evaluate_grown import validation_scenes
from demo.recipe_result import VOCABULARY, WEIGHTS, commit, export, facts_of, install, sha256
from demo.recipe_task import SceneTask, TaskSettings
from demo.sampler import SceneBatch, SceneBatches
from encoder.config import DEMO, VideoPrismConfig
from encoder.tokenizer import Tokenizer
from files.replace import replace_file
from training.batches import BatchSource
from training.loop import run
from training.loop_settings import LoopSettings
from training.prefetch import prefetched
from training.run_folder import RunFolder
from training.run_result import Progress
from training.run_state import load_trained

CONFIG = replace(DEMO, vocabulary=make_vocabulary.PIECES)
STAGES = ("images", "short clips", "clips")

MINUTES = 95
"""What the steps below take on two cores without AVX-512, drawing included, by what `--measure` found."""
STEPS = {"images": 4318, "short clips": 3353, "clips": 1287}
"""Steps of the bundled weights. Pictures teach things, which a trial had learnt after 28 minutes; motion lacked."""
AHEAD = 16
"""Batches that are drawn in one go: at most 100 MB of pictures."""
_STAYS = 0.3
"""What is left of the rate at the end of a stage that another follows: it goes on with about as much, or it spoils what
is there (of the things on patches 0.57 were told afterwards instead of 0.70)."""


@dataclass(frozen=True)
class Recipe:
    """Everything that shapes the result. The numbers are ours, found by short trials."""

    image_steps: int
    short_steps: int
    clip_steps: int
    seed: int = 20261129
    image_batch: int = 64
    clip_batch: int = 64
    image_rate: float = 1e-3
    short_rate: float = 1e-3
    clip_rate: float = 6e-4
    average_decay: float = 0.998
    classify: float = 0.5
    pull: float = 0.3
    patches: float = 1.0
    validation: int = 384
    sentences: int = make_vocabulary.SENTENCES


def plan(minutes: float) -> Recipe:
    """Return the recipe that takes so many minutes."""
    return Recipe(*(max(4, round(STEPS[stage] * minutes / MINUTES)) for stage in STAGES))


def make(
    recipe: Recipe,
    folder: Path,
    *,
    config: VideoPrismConfig = CONFIG,
    renderers: int = 2,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[str], object] = print,
) -> bool:
    """Follow a recipe as far as it goes; return whether it is finished.

    Args:
        recipe: What to do.
        folder: Where the run is, and the result will be.
        config: The shape of the network.
        renderers: Processes that draw batches; 0: this one.
        stop: Asked before each step; once it is true, everything is saved.
        tell: Gets a line now and then.

    Raises:
        training.errors.TrainingError: The folder was begun with other settings, or cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(recipe, folder, config)
    vocabulary = folder / VOCABULARY
    common = asdict(recipe) | {"config": asdict(config), "vocabulary": sha256(vocabulary)}
    weights: dict[str, torch.Tensor] | None = None
    done: dict[str, Any] = {}
    for stage in STAGES:
        task, settings, batches = _stage(stage, recipe, config, tokenizer)
        if weights is not None:
            task.load_state_dict(weights)  # heads and temperature, too: new ones would spoil what the network has
        run_folder = RunFolder.open(
            folder / stage.replace(" ", "-"), common | {"stage": stage, "loop": asdict(settings)}
        )
        with drawn_ahead(batches, settings.steps, renderers) as source:
            result = run(
                task, source, settings, run_folder, stop=stop, on_step=_Report(stage, tell), on_note=tell,
                environment={"commit": commit()},
            )  # fmt: skip
        if not result.finished:
            tell(f"stopped after {result.step} of {result.steps} steps of {stage}; the same command goes on")
            return False
        load_trained(run_folder, task, "last")
        weights = task.state_dict()
        done[stage] = facts_of(result, run_folder)
    export(folder, task.network.state_dict(), config, {"recipe": asdict(recipe), "stages": done})
    tell(f"made {folder / WEIGHTS} ({(folder / WEIGHTS).stat().st_size / 1e6:.1f} MB) and {vocabulary.name}")
    return True


def _tokenizer(recipe: Recipe, folder: Path, config: VideoPrismConfig) -> Tokenizer:
    """Return the tokenizer of a run, whose vocabulary is made first if there is none yet."""
    vocabulary = folder / VOCABULARY
    if not vocabulary.exists():
        replace_file(vocabulary, make_vocabulary.make(recipe.sentences, config.vocabulary))
    return Tokenizer(vocabulary, config.text_tokens)


def _stage(
    stage: str, recipe: Recipe, config: VideoPrismConfig, tokenizer: Tokenizer
) -> tuple[SceneTask, LoopSettings, SceneBatches]:
    """Return the task, the settings and the batches of a stage."""
    steps, size, frames, rate = {
        "images": (recipe.image_steps, recipe.image_batch, 1, recipe.image_rate),
        "short clips": (recipe.short_steps, recipe.clip_batch, config.frames // 2, recipe.short_rate),
        "clips": (recipe.clip_steps, recipe.clip_batch, config.frames, recipe.clip_rate),
    }[stage]
    last = stage == STAGES[-1]
    task = SceneTask(
        config,
        tokenizer,
        TaskSettings(
            classify=recipe.classify,
            pull=recipe.pull,
            patches=recipe.patches,
        ),
        recipe.seed,
        () if frames == 1 else validation_scenes(recipe.validation),
    )
    settings = LoopSettings(
        steps=steps, seed=recipe.seed, learning_rate=rate, beta2=0.98, warmup_steps=min(200, steps // 4),
        final_factor=0.02 if last else _STAYS, average_decay=recipe.average_decay, precision="float32",
        validate_every=0 if frames == 1 else max(1, steps // 8), save_every=100, journal_every=50, keep=2,
    )  # fmt: skip
    return task, settings, SceneBatches(recipe.seed, size, frames, config.size, config.rows)


def drawn_ahead(batches: SceneBatches, steps: int, renderers: int) -> AbstractContextManager[BatchSource[SceneBatch]]:
    """Return the batches, drawn ahead by so many processes; 0: here, when they are asked for.

    Drawing and training take turns: side by side, a step of clips took 1.53 s on two cores instead of 1.2.
    """
    if not renderers:
        return nullcontext(batches)
    return prefetched(batches, ahead=AHEAD, workers=renderers, kind="processes", until=steps, in_turns=True)


def measure(recipe: Recipe, folder: Path, renderers: int, steps: int = AHEAD + 1) -> None:
    """Print seconds of a step of each kind, the constants of `plan`; the first steps do not count."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(recipe, folder, CONFIG)
    for stage in STAGES:
        task, _, batches = _stage(stage, replace(recipe, validation=0), CONFIG, tokenizer)
        optimizer = torch.optim.AdamW(task.parameter_groups(), lr=1e-4)
        with drawn_ahead(batches, 2 * steps, renderers) as source:
            for number in range(2 * steps):
                if number == steps:
                    began = time.monotonic()
                optimizer.zero_grad()
                task(source.draw(number))[0].backward()
                optimizer.step()
            print(f"{stage}: {(time.monotonic() - began) / steps:.2f} s", flush=True)


class _Report:
    """Tells every 50 steps how far a stage is."""

    def __init__(self, stage: str, tell: Callable[[str], object]) -> None:
        self.stage, self.tell = stage, tell

    def __call__(self, progress: Progress) -> None:
        if progress.step % 50 == 0 or progress.step == progress.steps:
            left = (progress.steps - progress.step) * progress.seconds_per_step / 60
            self.tell(
                f"{self.stage}: step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, "
                f"{progress.seconds_per_step:.2f} s a step, {left:.0f} min left"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="what the plan is made for")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--renderers", type=int, default=2, help="processes that draw batches")
    parser.add_argument("--measure", action="store_true", help="time some steps of each kind, and train nothing")
    parser.add_argument("--install", action="store_true", help="copy the result to encoder/demo")
    args = parser.parse_args()
    if args.install:
        install(args.to)
        return
    torch.set_num_threads(args.threads)
    if args.measure:
        measure(plan(args.minutes), args.to, args.renderers)
        return
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    recipe = plan(args.minutes)
    print(f"commit {commit()}; {recipe}", flush=True)
    finished = make(
        recipe, args.to, renderers=args.renderers, stop=lambda: bool(stopped), tell=lambda line: print(line, flush=True)
    )
    raise SystemExit(0 if finished else 130)


if __name__ == "__main__":
    main()
