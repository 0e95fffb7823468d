"""Few-shot evaluation of heads on a frozen encoder: a few examples of each class, drawn repeatedly, and one test.

The published recipe (google-deepmind/videoprism, colabs/videoprism_video_classification_demo.ipynb) draws 10 examples
of each class and trains a MAP head; here it stands beside linear heads on rows and on means of tokens.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.evaluation.encoded import ReadStretch, Unread
from app.evaluation.feature_maker import UNWATCHED, FeatureMaker, Watch
from app.evaluation.labelled import LabelledStretch, Stretch
from app.evaluation.probe_figures import HeadName, ProbeFigure, Trial, figures_of
from app.evaluation.task import ProbeTask, TaskError, shared_groups, train_and_test
from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import Encoder
    from encoder.heads import LinearHead, MapHead
    from training.heads.map_probe import MapRecipe

    Rows = NDArray[np.float32]

HEADS: tuple[HeadName, ...] = ("linear", "mean", "map")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePlan:
    """How a few-shot evaluation is done.

    Attributes:
        heads: Which heads to train.
        shots: Numbers of examples of each class; None for all of them, which has one draw.
        draws: Draws for each number.
        seed: Of the draws, of a split where none is named, and of the heads.
        recipe: How MAP heads are trained; None for this product's way.
        intervals: Whether to compute intervals, which takes long for very many stretches.
    """

    heads: Sequence[HeadName] = HEADS
    shots: Sequence[int | None] = (1, 5, 10)
    draws: int = 3
    seed: int = 0
    recipe: MapRecipe | None = None
    intervals: bool = True


@dataclass(frozen=True, slots=True)
class ProbeBench:
    """What a few-shot evaluation found.

    Attributes:
        task: What was to be told apart.
        train, test: What examples were drawn from, and what was scored; what could not be read is in neither.
        trials: Every head that was trained, with its scores of the test.
        figures: Means over draws.
        unread: What could not be read, and why.
        shared: Groups that are both in training and in the test.
    """

    task: ProbeTask
    train: tuple[LabelledStretch, ...]
    test: tuple[LabelledStretch, ...]
    trials: tuple[Trial, ...]
    figures: tuple[ProbeFigure, ...]
    unread: tuple[Unread, ...]
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Fitted:
    head_name: HeadName
    shots: int | None
    draw: int
    examples: int
    seconds: float
    head: LinearHead | MapHead


def run_probe_bench(
    task: ProbeTask,
    encoder: Encoder,
    read: ReadStretch,
    plan: ProbePlan,
    *,
    work: Path,
    precision: str,
    watch: Watch = UNWATCHED,
) -> ProbeBench:
    """Train heads on draws of a few examples, and score the test with each of them.

    The tokens of what is trained on are kept on disk. Those of the test are not: as they come, all heads score them.
    What a stopped run has made is used by the next one.

    Args:
        task: Its splits `train` and `test` are used; without splits, half of the groups are the test.
        encoder: The encoder; it needs tokens unless only linear heads are trained.
        read: The way of reading.
        plan: What to do.
        work: The folder of evaluations.
        precision: Of the encoder, for the names of what is kept.
        watch: Who follows.

    Raises:
        TaskError: There is nothing to train on or to test.
        Cancelled: It was cancelled.
        NoRoom: Tokens do not fit on the disk.
        EncoderError: The encoder has no tokens.
        OSError: Something could not be written.
    """
    train, test = train_and_test(task, plan.seed)
    maker = FeatureMaker(encoder, read, work=work, precision=precision, watch=watch)
    rows: dict[Stretch, Rows] = {}
    if "linear" in plan.heads:
        rows = maker.rows([each.stretch for each in (*train, *test)])
        train, test = maker.readable(train), maker.readable(test)
    draws = _draws(task, train, plan)
    files: dict[Stretch, Path] = {}
    if set(plan.heads) != {"linear"}:
        files = maker.tokens([each.stretch for _, _, some in draws for each in some])
    fitted: list[_Fitted] = []
    for shots, number, drawn in draws:
        some = maker.readable(drawn)
        _require_examples(task, task.targets(some))
        for name in plan.heads:
            if watch.cancelled():
                raise Cancelled
            watch.on_progress("training", len(fitted), len(draws) * len(plan.heads))
            began = time.monotonic()
            head = _fit(name, task, some, rows, files, maker, plan, number)
            fitted.append(_Fitted(name, shots, number, len(some), time.monotonic() - began, head))
    watch.on_progress("training", len(fitted), len(fitted))
    return _scored(task, train, test, rows, fitted, maker, plan)


def _draws(
    task: ProbeTask, train: Sequence[LabelledStretch], plan: ProbePlan
) -> list[tuple[int | None, int, list[LabelledStretch]]]:
    """Return (examples of each class, number of the draw, stretches) of every draw."""
    import numpy as np

    from training.heads.few_shot import draw_examples

    targets, groups = task.targets(train), [each.group for each in train]
    _require_examples(task, targets)
    draws: list[tuple[int | None, int, list[LabelledStretch]]] = []
    for shots in plan.shots:
        if shots is None:
            draws.append((None, 0, list(train)))
            continue
        for number in range(plan.draws):
            drawn = draw_examples(targets, groups, shots, np.random.default_rng((plan.seed, shots, number)))
            draws.append((shots, number, [train[at] for at in drawn]))
    return draws


def _require_examples(task: ProbeTask, targets: NDArray[np.bool_]) -> None:
    """Raise TaskError unless every class has an example to train on, and one that it is not in."""
    lacking = [name for name, has in zip(task.classes, targets.sum(axis=0).tolist(), strict=True) if not has]
    if lacking:
        raise TaskError(f"there is no example to train on, or none that can be read, of {', '.join(lacking)}")
    everywhere = [name for name, column in zip(task.classes, targets.T, strict=True) if column.all()]
    if everywhere:
        raise TaskError(f"every example to train on shows {', '.join(everywhere)}: there is nothing to tell it from")


def _fit(
    name: HeadName,
    task: ProbeTask,
    some: Sequence[LabelledStretch],
    rows: dict[Stretch, Rows],
    files: dict[Stretch, Path],
    maker: FeatureMaker,
    plan: ProbePlan,
    number: int,
) -> LinearHead | MapHead:
    import numpy as np

    from training.heads.linear import fit_linear
    from training.heads.map_probe import DEFAULT, fit_map

    targets = task.targets(some)
    if name == "map":
        tokens = maker.token_files([files[each.stretch] for each in some])
        recipe = plan.recipe or DEFAULT
        return fit_map(
            tokens, targets, maker.attention_heads, multi_label=task.multi_label, recipe=recipe, seed=plan.seed + number
        )
    if name == "mean":
        features = maker.token_files([files[each.stretch] for each in some]).means()
    else:
        features = np.stack([rows[each.stretch] for each in some])
    groups = [each.group for each in some]
    return fit_linear(features, targets, multi_label=task.multi_label, groups=groups).head


def _scored(
    task: ProbeTask,
    train: Sequence[LabelledStretch],
    test: Sequence[LabelledStretch],
    rows: dict[Stretch, Rows],
    fitted: Sequence[_Fitted],
    maker: FeatureMaker,
    plan: ProbePlan,
) -> ProbeBench:
    """Score the test with every head, and compute the figures."""
    import numpy as np

    means: Rows | None = None
    logits: list[Rows] = []
    if any(each.head_name != "linear" for each in fitted):
        heads = [each.head for each in fitted if each.head_name == "map"]
        places, all_means, all_logits = maker.scores([each.stretch for each in test], heads)  # type: ignore[arg-type]
        test = [each for each in test if each.stretch in places]
        at = np.array([places[each.stretch] for each in test], np.intp)
        means, logits = all_means[at], [each[at] for each in all_logits]
    if not test:
        raise TaskError("nothing of the test can be read")
    trials, waiting = [], iter(logits)
    for each in fitted:
        if each.head_name == "map":
            scores = next(waiting)
        else:
            features = means if each.head_name == "mean" else np.stack([rows[one.stretch] for one in test])
            scores = each.head.logits(features)  # type: ignore[arg-type]
        trials.append(Trial(each.head_name, each.shots, each.draw, each.examples, each.seconds, scores))
    background = None if task.background is None else task.classes.index(task.background)
    figures = figures_of(
        trials,
        task.targets(test),
        [each.group for each in test],
        multi_label=task.multi_label,
        background=background,
        seed=plan.seed if plan.intervals else None,
    )
    shared = tuple(shared_groups(train, test))
    return ProbeBench(task, tuple(train), tuple(test), tuple(trials), figures, tuple(maker.unread), shared)
