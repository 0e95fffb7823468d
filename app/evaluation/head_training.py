"""Training of one head on the labelled stretches of a task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.evaluation.feature_maker import FeatureMaker, Watch
from app.evaluation.labelled import LabelledStretch, Stretch
from app.evaluation.task import ProbeTask, TaskError, task_of
from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import Encoder
    from encoder.head_files import HeadKind
    from encoder.heads import LinearHead, MapHead
    from training.heads.map_probe import MapRecipe

MAP_FROM = 100
"""Labelled clips from which a MAP head is trained by default; fewer say too little about where to look."""


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A head, and how it was trained.

    Attributes:
        head: The head.
        kind: Its kind.
        task: What it was trained on: classes, and the stretches that could be read.
        lost: Classes of which no example could be read.
        feature_seconds, seconds: Rows or tokens took, and the training.
        strength, validated: Of a linear head, as in `training.heads.linear.LinearFit`.
        recipe, epochs: Of a MAP head.
    """

    head: LinearHead | MapHead
    kind: HeadKind
    task: ProbeTask
    lost: tuple[str, ...]
    feature_seconds: float
    seconds: float
    strength: float | None = None
    validated: float | None = None
    recipe: MapRecipe | None = None
    epochs: int | None = None


def usual_kind(clips: int, encoder: Encoder) -> HeadKind:
    """Return the kind of head that is trained by default on so many labelled clips."""
    from encoder.protocol import TokenEncoder

    has_tokens = isinstance(encoder, TokenEncoder) and encoder.token_dim > 0
    return "map" if clips >= MAP_FROM and has_tokens else "linear"


def train_head(asked: ProbeTask, kind: HeadKind, maker: FeatureMaker, *, seed: int, watch: Watch) -> TrainedHead:
    """Train a head on the stretches of a task that are for training.

    Args:
        asked: The task. Where it names a split, the stretches of `train` are used.
        kind: What to train.
        maker: Makes the features.
        seed: Of all chance.
        watch: Who follows.

    Raises:
        TaskError: Nothing that can be read makes a task.
        Cancelled, NoRoom, EncoderError, OSError: As in `FeatureMaker`.
    """
    examples = asked.of_split("train")
    if not examples:
        raise TaskError("no line has the split train")
    began = time.monotonic()
    stretches = [each.stretch for each in examples]
    features = maker.tokens(stretches) if kind == "map" else maker.rows(stretches)
    between = time.monotonic()
    kept = maker.readable(examples)
    task = task_of(kept, multi_label=asked.multi_label)
    lost = tuple(sorted({label for each in examples for label in each.labels} - set(task.classes)))
    targets = task.targets(kept)
    try:
        if kind == "linear":
            return _linear(task, kept, features, targets, lost, between - began)  # type: ignore[arg-type]
        return _map(task, kept, features, targets, lost, between - began, maker, seed, watch)  # type: ignore[arg-type]
    except ValueError as error:  # a class that every clip has, or the like
        raise TaskError(str(error)) from error


def _linear(
    task: ProbeTask,
    kept: Sequence[LabelledStretch],
    rows: dict[Stretch, NDArray[np.float32]],
    targets: NDArray[np.bool_],
    lost: tuple[str, ...],
    feature_seconds: float,
) -> TrainedHead:
    import numpy as np

    from training.heads.linear import fit_linear

    began = time.monotonic()
    fit = fit_linear(
        np.stack([rows[each.stretch] for each in kept]),
        targets,
        multi_label=task.multi_label,
        groups=[each.group for each in kept],
    )
    seconds = time.monotonic() - began
    return TrainedHead(
        fit.head, "linear", task, lost, feature_seconds, seconds, strength=fit.strength, validated=fit.validated
    )


def _map(
    task: ProbeTask,
    kept: Sequence[LabelledStretch],
    files: dict[Stretch, Path],
    targets: NDArray[np.bool_],
    lost: tuple[str, ...],
    feature_seconds: float,
    maker: FeatureMaker,
    seed: int,
    watch: Watch,
) -> TrainedHead:
    from training.heads.map_probe import DEFAULT, fit_map

    def on_step(done: int, total: int) -> None:
        watch.on_progress("steps", done, total)
        if watch.cancelled():
            raise Cancelled

    began = time.monotonic()
    head = fit_map(
        maker.token_files([files[each.stretch] for each in kept]),
        targets,
        maker.attention_heads,
        multi_label=task.multi_label,
        seed=seed,
        on_step=on_step,
    )
    seconds = time.monotonic() - began
    epochs = DEFAULT.epochs_of(len(kept))
    return TrainedHead(head, "map", task, lost, feature_seconds, seconds, recipe=DEFAULT, epochs=epochs)
