"""Windows of recordings of animal behaviour as a task, and what scores of these windows are worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.evaluation.figure import FEW_DRAWS, Figure, figure_of
from app.evaluation.frame_labels import FrameLabels, LabelledVideos
from app.evaluation.frame_scores import FrameFigures, ScoredRecording, frame_figures
from app.evaluation.head_scores import probabilities
from app.evaluation.labelled import LabelledStretch, Stretch
from app.evaluation.windows import Window, times_of, windows_of
from indexer.media.errors import Cancelled, UnreadableVideo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.media_workers import ReadMedia


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A video with its windows.

    Attributes:
        video: Its labels.
        times: When each frame is shown, in seconds.
        windows: In the order of time.
    """

    video: FrameLabels
    times: Sequence[float]
    windows: Sequence[Window]


@dataclass(frozen=True, slots=True)
class BehaviourFigures:
    """What scores of windows are worth.

    Attributes:
        mean_average_precision: Mean over the classes without the background; None where it is not defined.
        average_precision: Of each class.
        windows: Of each class, in the test.
        class_averaged: Top-1 averaged over classes; None where a frame may show several.
        frames: See FrameFigures; None where labels are too sparse.
    """

    mean_average_precision: Figure
    average_precision: tuple[float | None, ...]
    windows: tuple[int, ...]
    class_averaged: Figure | None
    frames: FrameFigures | None


def recordings_of(
    found: LabelledVideos,
    read: ReadMedia,
    *,
    span: int,
    stride: int,
    on_progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[list[Recording], list[str]]:
    """Return the videos with their windows, and a sentence on each that cannot be read or whose labels do not fit.

    Args:
        found: What a reader found.
        read: Reads the times of frames, in worker processes.
        span, stride: As in `windows_of`.
        on_progress: Called with the number of videos that are done.
        cancelled: Polled between videos; True ends with Cancelled.
    """
    recordings: list[Recording] = []
    notes: list[str] = []
    for done, video in enumerate(found.videos):
        if cancelled():
            raise Cancelled
        on_progress(done)
        try:
            times = times_of(video, read)
        except UnreadableVideo as error:
            notes.append(f"{video.name}: {error.reason}")
            continue
        except OSError as error:
            notes.append(f"{video.name}: {error.strerror or error}")
            continue
        if len(video.labels) > len(times):
            notes.append(f"{video.name}: labels of {len(video.labels):,} frames, but the video has {len(times):,}")
        recordings.append(Recording(video, times, windows_of(video, times, span=span, stride=stride)))
    on_progress(len(found.videos))
    return recordings, notes


def stretches_of(recordings: Sequence[Recording]) -> list[LabelledStretch]:
    """Return the windows of all recordings."""
    return [window.labelled for each in recordings for window in each.windows]


def with_learnable_classes(
    found: LabelledVideos, train: Sequence[LabelledStretch]
) -> tuple[LabelledVideos, tuple[str, ...]]:
    """Return the same labels with the classes that can be learnt, and the names of the others.

    A class can be learnt if a window to train on shows it, and another does not.
    """
    shown = [sum(name in each.labels for each in train) for name in found.classes]
    kept = tuple(name for name, count in zip(found.classes, shown, strict=True) if 0 < count < len(train))
    background = found.background if found.background in kept else None
    others = tuple(name for name in found.classes if name not in kept)
    return replace(found, classes=kept, background=background), others


def of_classes(stretches: Sequence[LabelledStretch], found: LabelledVideos) -> list[LabelledStretch]:
    """Return the windows that the classes are about: of exclusive ones, those that show one."""
    return [each for each in stretches if _counts(each.labels, found)]


def behaviour_figures(
    found: LabelledVideos,
    recordings: Sequence[Recording],
    tested: Sequence[LabelledStretch],
    logits: NDArray[np.floating],
    *,
    seed: int = 0,
) -> BehaviourFigures:
    """Measure the scores of the windows that were tested.

    Args:
        found: What a reader found.
        recordings: All of them.
        tested: The windows that have scores.
        logits: (windows, classes): of heads, or whatever is larger for a likelier class. Without exclusive classes,
            more than 0 means that a class is seen.
        seed: Of the bootstrap.
    """
    import numpy as np

    from metrics.classification import accuracy_by_class, average_precision_by_class

    truth = np.array([[name in each.labels for name in found.classes] for each in tested], bool)
    # Shares make windows comparable where a frame has one class. Sigmoids would only make large logits equal.
    scores = probabilities(np.asarray(logits, np.float32), multi_label=False) if found.exclusive else np.asarray(logits)
    groups = [each.group for each in tested]
    background = None if found.background is None else found.classes.index(found.background)

    def figure(measure: Callable[[NDArray[np.intp]], float | None]) -> Figure:
        return figure_of(measure, groups, seed=seed, draws=FEW_DRAWS)

    labels = truth.argmax(axis=1)
    averaged = None
    if found.exclusive:
        averaged = figure(lambda at: accuracy_by_class(labels[at], scores[at], background=background).mean)
    return BehaviourFigures(
        figure(lambda at: average_precision_by_class(truth[at], scores[at], background=background).mean),
        average_precision_by_class(truth, scores, background=background).each,
        tuple(int(each) for each in truth.sum(axis=0)),
        averaged,
        frame_figures(
            _scored(found, recordings, tested, logits), exclusive=found.exclusive, background=background, seed=seed
        ),
    )


def _counts(labels: frozenset[str] | None, found: LabelledVideos) -> bool:
    return labels is not None and (not found.exclusive or not labels.isdisjoint(found.classes))


def _scored(
    found: LabelledVideos,
    recordings: Sequence[Recording],
    tested: Sequence[LabelledStretch],
    logits: NDArray[np.floating],
) -> list[ScoredRecording]:
    import numpy as np

    place: dict[Stretch, int] = {each.stretch: at for at, each in enumerate(tested)}
    scored = []
    for each in recordings:
        known = [window for window in each.windows if window.labelled.stretch in place]
        if not known:
            continue
        labels = [each.video.at(frame) for frame in range(len(each.times))]
        length = each.times[-1] - each.times[-2] if len(each.times) > 1 else 1.0
        scored.append(
            ScoredRecording(
                truth=np.array([[name in (shown or ()) for name in found.classes] for shown in labels], bool),
                labelled=np.array([_counts(shown, found) for shown in labels]),
                seconds=np.array([*each.times, each.times[-1] + length]),
                centres=np.array([window.centre for window in known], np.intp),
                logits=np.asarray(logits)[[place[window.labelled.stretch] for window in known]],
            )
        )
    return scored
