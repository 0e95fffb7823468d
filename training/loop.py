"""The training loop: steps, validation, checkpoints and exact resume. Imports torch.

A run that is cut anywhere and goes on ends with the same bits as one that was not, on one process and one machine:
batches depend on their number alone, random numbers on the step alone, and a checkpoint has the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch

from training import journal
from training.batches import BatchSource
from training.checkpoints import Best
from training.distributed import world_size
from training.environment import describe_environment
from training.errors import TrainingError
from training.loop_settings import LoopSettings
from training.process_group import any_of, from_first, is_first
from training.run_folder import RunFolder
from training.run_result import Progress, RunResult
from training.run_state import RunState
from training.step import Means, NotFinite, Taken, Trainer, seed_generators
from training.task import Task

Drawn = TypeVar("Drawn")


def run(
    task: Task,
    batches: BatchSource[Drawn],
    settings: LoopSettings,
    folder: RunFolder,
    *,
    stop: Callable[[], bool] = lambda: False,
    on_step: Callable[[Progress], object] = lambda _: None,
    on_note: Callable[[str], object] = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> RunResult:
    """Train a task until its planned end, going on where its folder's newest checkpoint ends.

    Args:
        task: What to train, made in the same way each time. It is trained in place.
        batches: Batch n is drawn for step n, from 0. Of several processes, each draws its own part.
        settings: How to train; also among the settings of `folder`.
        folder: Where checkpoints and the journal are.
        stop: Asked before each step; once it is true, the run saves and returns.
        on_step: Told of each step.
        on_note: Told in a sentence what a person should know, such as that the run goes on.
        environment: Facts for environment.json that only the caller knows, such as `version` and `commit`.

    Raises:
        TrainingError: The loss is not finite, a batch cannot be read, a checkpoint cannot be written or none be read,
            memory is not enough, or another process trains in the folder. What was saved before stays.
        EncoderUnavailable: The device does not support the precision.
    """
    with ExitStack() as stack:
        if is_first():
            stack.enter_context(folder.lock())
            folder.checkpoints.sweep()
        loop = _Loop(task, settings, folder, on_note)
        loop.begin(environment or {})
        try:
            return loop.train(batches, stop, on_step)
        except torch.OutOfMemoryError as error:
            loop.tell(journal.FAILED, reason="out of memory")
            raise TrainingError("the device's memory is not enough; use smaller batches, or fewer frames") from error
        except TrainingError as error:
            loop.tell(journal.FAILED, reason=str(error))
            raise


class _Loop:
    def __init__(self, task: Task, settings: LoopSettings, folder: RunFolder, on_note: Callable[[str], object]) -> None:
        self.task, self.settings, self.folder = task, settings, folder
        self.on_note = on_note if is_first() else lambda _: None
        self.trainer = Trainer(task, settings)
        self.average = self.trainer.average
        self.state = RunState(task.module, self.trainer.optimizer, self.average)
        self.step, self.saved, self.resumed = 0, -1, False
        self.best: Best | None = None
        self.means, self.figures = Means(), dict[str, float]()

    def begin(self, given: Mapping[str, str]) -> None:
        """Go on from the newest checkpoint, if there is one, and say so in the journal."""
        found = self.folder.checkpoints.newest(self.on_note) if is_first() else None
        step = from_first(None if found is None else found.step)
        if found is None and step is not None:
            found = self.folder.checkpoints.load(step)
        facts = describe_environment(self.settings.device, self.trainer.precision, world_size(), given)
        if found is None:
            if is_first():
                self.folder.write_environment(facts)
            self.tell(journal.STARTED, environment=facts)
            return
        self.folder.require(found.facts.get("settings") or {})
        self.state.restore(found.state)
        self.step = self.saved = found.step
        self.best, self.resumed = Best.of(found.facts), True
        if self.is_finished():
            self.on_note(f"the run is finished: {self._why_finished()}")
            return
        self.on_note(f"the run goes on after step {self.step} of {self.settings.steps}")
        before = self.folder.environment()
        if other := [name for name in facts if before and name != "cores" and before.get(name) != facts[name]]:
            told = "; ".join(f"{name} was {before.get(name)}, now {facts[name]}" for name in other)
            self.on_note(f"its result may differ in the last digits from that of an uninterrupted run: {told}")
        self.tell(journal.RESUMED, environment=facts)

    def train(
        self, batches: BatchSource[Any], stop: Callable[[], bool], on_step: Callable[[Progress], object]
    ) -> RunResult:
        settings, began, first = self.settings, time.monotonic(), self.step
        journal_time, journal_step = began, first
        while not any_of(self.is_finished() or stop(), self.trainer.device):
            taken = self._take(batches)
            self.step += 1
            if is_first():
                on_step(
                    Progress(self.step, settings.steps, taken.loss, (time.monotonic() - began) / (self.step - first))
                )
            last = self.step == settings.steps
            if self.step % settings.journal_every == 0 or last:
                now, self.figures = time.monotonic(), self.means.take()
                pace = (now - journal_time) / (self.step - journal_step)
                journal_time, journal_step = now, self.step
                self.tell(
                    journal.STEP, figures=self.figures, learning_rate=taken.rate,
                    gradient_norm=taken.norm, seconds_per_step=round(pace, 6),
                )  # fmt: skip
            improved = False
            if settings.validate_every and (self.step % settings.validate_every == 0 or last):
                improved = self._validate()
            if improved or self.step % settings.save_every == 0 or last:
                self._save()
        finished = any_of(self.is_finished(), self.trainer.device)
        if self.step != self.saved:
            self._save()
        if finished and self.step > first:
            self.tell(journal.FINISHED, reason=self._why_finished())
        elif not finished:
            self.tell(journal.STOPPED)
        return RunResult(
            self.step, settings.steps, finished, self._why_finished() if finished else "",
            first if self.resumed else None, self.best,
            self.means.take() or self.figures, time.monotonic() - began,
        )  # fmt: skip

    def is_finished(self) -> bool:
        """Return whether the run has ended as planned, in the first process; the others know of the last step only."""
        return self.step >= self.settings.steps or self._is_exhausted()

    def _is_exhausted(self) -> bool:
        """Return whether so many validations were no better that no more steps are taken."""
        most = self.settings.patience * self.settings.validate_every
        return bool(most) and self.best is not None and self.step - self.best.step >= most

    def _why_finished(self) -> str:
        if self.best is not None and self._is_exhausted():
            return f"{self.settings.patience} validations were no better than that of step {self.best.step}"
        return f"all {self.settings.steps} planned steps are done"

    def _take(self, batches: BatchSource[Any]) -> Taken:
        """Draw a batch and take a step with it."""
        seed_generators(self.settings.seed, self.step, self.trainer.device)
        try:
            batch = batches.draw(self.step)
        except OSError as error:
            self._save()
            raise TrainingError(
                f"batch {self.step} could not be read: {error}; the run is saved after step {self.step}"
            ) from error
        try:
            taken = self.trainer.take(self.step, batch)
        except NotFinite as error:
            raise TrainingError(
                f"{error}, so the run stops; {self._kept()}: use a lower learning rate, or look at batch {self.step}"
            ) from error
        self.means.add(taken.figures)
        return taken

    def _kept(self) -> str:
        return f"the checkpoint of step {self.saved} is kept" if self.saved >= 0 else "nothing was saved before"

    def _validate(self) -> bool:
        """Validate with the averaged weights; return whether it is the best so far."""
        if not is_first():
            return False
        module = self.task.module
        module.eval()
        with torch.no_grad(), self.average.in_place() if self.average is not None else nullcontext():
            try:
                figures = {name: float(value) for name, value in self.task.validate().items()}
            except ValueError as error:  # rows that are no numbers, of weights that grew without bound
                raise TrainingError(
                    f"the validation after step {self.step} failed ({error}), so the run stops; {self._kept()}: "
                    "use a lower learning rate"
                ) from error
        module.train()
        if not figures:
            return False
        name = self.settings.best_by or next(iter(figures))
        if name not in figures:
            raise TrainingError(f"the validation has no figure {name}; it has {', '.join(figures)}")
        better = np.isfinite(figures[name]) and (self.best is None or figures[name] > self.best.value)
        if better:
            finite = {each: value for each, value in figures.items() if np.isfinite(value)}
            self.best = Best(self.step, name, figures[name], finite)
        self.tell(journal.VALIDATED, figures=figures, best=bool(better))
        return bool(better)

    def _save(self) -> None:
        if is_first() and self.step != self.saved:
            facts = {
                "settings": self.folder.settings, "digest": self.folder.digest,
                "steps": self.settings.steps, "finished": self.is_finished(),
                "best": None if self.best is None else self.best.record(),
            }  # fmt: skip
            self.folder.checkpoints.save(self.step, self.state.capture(), facts)
            best = None if self.best is None else self.best.step
            self.folder.checkpoints.prune(self.step, self.settings.keep, best)
            self.tell(journal.SAVED)
        self.saved = self.step

    def tell(self, event: str, **values: Any) -> None:
        """Write a line of the journal. A run goes on without: a full disk is told by the next checkpoint."""
        if not is_first():
            return
        try:
            self.folder.journal.append(event, step=self.step, **values)
        except OSError as error:
            self.on_note(f"the journal could not be written: {error.strerror or error}")
