"""Scores of windows, merged back to the frames of whole recordings, and measured as ethologists do: frames and bouts.

A frame gets the scores of the window whose centre is nearest. Frames that nobody labelled count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.evaluation.figure import Figure, figure_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from metrics.bouts import BoutMatch


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRecording:
    """A recording, and the scores of its windows.

    Attributes:
        truth: bool (frames, classes).
        labelled: bool (frames,), whether somebody looked at a frame.
        seconds: float64 (frames + 1,), when each frame begins, and when the last one ends.
        centres: int (windows,), ascending: the frames in the middle of the windows.
        logits: (windows, classes).
    """

    truth: NDArray[np.bool_]
    labelled: NDArray[np.bool_]
    seconds: NDArray[np.float64]
    centres: NDArray[np.intp]
    logits: NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class BoutFigures:
    """Bouts of one behaviour in all recordings: how many, and how late their starts and ends are in the median."""

    true: int
    predicted: int
    matched: int
    f1: float | None
    onset_seconds: float | None
    offset_seconds: float | None


@dataclass(frozen=True, slots=True)
class FrameFigures:
    """What scores are worth, frame by frame and bout by bout. Means over classes leave out the background.

    Attributes:
        recordings, frames: How many were measured.
        f1: Mean over classes; `f1_by_class` has each.
        kappa: Agreement with the annotator beyond chance; None where a frame may show several behaviours.
        bout_f1: Mean over classes of the F1 of bouts that overlap by half at least (IoU 0.5).
        bouts: Of each class.
    """

    recordings: int
    frames: int
    f1: Figure
    f1_by_class: tuple[float | None, ...]
    kappa: Figure | None
    bout_f1: Figure
    bouts: tuple[BoutFigures, ...]

    def record(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return JSON values."""
        from dataclasses import asdict

        return {
            "recordings": self.recordings,
            "frames": self.frames,
            "frame_f1": self.f1.record(),
            "frame_f1_by_class": dict(zip(classes, self.f1_by_class, strict=True)),
            "kappa": None if self.kappa is None else self.kappa.record(),
            "bout_f1_at_iou_0.5": self.bout_f1.record(),
            "bouts": {name: asdict(each) for name, each in zip(classes, self.bouts, strict=True)},
        }


def frame_figures(
    recordings: Sequence[ScoredRecording], *, exclusive: bool, background: int | None, seed: int
) -> FrameFigures | None:
    """Return the figures of recordings, with intervals over them.

    Args:
        recordings: Those of the test.
        exclusive: Whether a frame has one class: the best one. Otherwise it shows every class with a logit above 0.
        background: Position of the class that means leave out.
        seed: Of the bootstrap.

    Returns:
        None without a window, or where fewer than half of the frames between the first and the last labelled one are
        labelled: then there are no bouts.
    """
    import numpy as np

    from metrics.bouts import pooled
    from metrics.classification import kappa_of_counts

    known = [each for each in recordings if len(each.centres)]
    if not known or not all(map(_is_dense, known)):
        return None
    predicted = [_predicted(each, exclusive=exclusive) for each in known]
    counts = np.stack([_counts(each, said) for each, said in zip(known, predicted, strict=True)])
    matches = [_bouts(each, said) for each, said in zip(known, predicted, strict=True)]
    found = np.array([[(each.true, each.predicted, each.matched) for each in some] for some in matches])
    confusions = np.stack([_confusion(each, said) for each, said in zip(known, predicted, strict=True)])

    def figure(measure: Callable[[NDArray[np.intp]], float | None]) -> Figure:
        return figure_of(measure, range(len(known)), seed=seed)

    def mean_f1(table: NDArray[Any]) -> float | None:
        values = [value for at, value in enumerate(_f1(table)) if at != background and value is not None]
        return float(np.mean(values)) if values else None

    return FrameFigures(
        recordings=len(known),
        frames=int(sum(each.labelled.sum() for each in known)),
        f1=figure(lambda at: mean_f1(counts[at].sum(axis=0))),
        f1_by_class=tuple(_f1(counts.sum(axis=0))),
        kappa=figure(lambda at: kappa_of_counts(confusions[at].sum(axis=0))) if exclusive else None,
        bout_f1=figure(lambda at: mean_f1(found[at].sum(axis=0))),
        bouts=tuple(_of_bouts(pooled(some)) for some in zip(*matches, strict=True)),
    )


def nearest_window(centres: NDArray[np.intp], frames: int) -> NDArray[np.intp]:
    """Return the position of the window with the nearest centre for each frame; of two, the earlier one."""
    import numpy as np

    between = (centres[:-1] + centres[1:]) / 2
    nearest: NDArray[np.intp] = np.searchsorted(between, np.arange(frames), side="left")
    return nearest


def _is_dense(recording: ScoredRecording) -> bool:
    import numpy as np

    labelled = np.flatnonzero(recording.labelled)
    return labelled.size > 0 and 2 * labelled.size >= labelled[-1] - labelled[0] + 1


def _predicted(recording: ScoredRecording, *, exclusive: bool) -> NDArray[np.bool_]:
    import numpy as np

    logits = recording.logits[nearest_window(recording.centres, len(recording.truth))]
    shown = np.arange(logits.shape[1]) == logits.argmax(axis=1)[:, None] if exclusive else logits > 0
    said: NDArray[np.bool_] = shown & recording.labelled[:, None]
    return said


def _counts(recording: ScoredRecording, said: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return true frames, predicted ones and both, int64 (classes, 3)."""
    import numpy as np

    true = recording.truth & recording.labelled[:, None]
    return np.stack([true.sum(axis=0), said.sum(axis=0), (true & said).sum(axis=0)], axis=1)


def _confusion(recording: ScoredRecording, said: NDArray[np.bool_]) -> NDArray[np.int64]:
    import numpy as np

    from metrics.classification import confusion_matrix

    labelled = recording.labelled & recording.truth.any(axis=1)
    truth, predicted = recording.truth[labelled].argmax(axis=1), said[labelled].argmax(axis=1)
    return np.asarray(confusion_matrix(truth, predicted, said.shape[1]))


def _f1(table: NDArray[Any]) -> list[float | None]:
    """Return the F1 of each row of (true, predicted, both); None where there is neither."""
    return [float(2 * both / (true + said)) if true + said else None for true, said, both in table.tolist()]


def _bouts(recording: ScoredRecording, said: NDArray[np.bool_]) -> list[BoutMatch]:
    from metrics.bouts import bouts_of, match_bouts

    true = recording.truth & recording.labelled[:, None]
    return [
        match_bouts(recording.seconds[bouts_of(true[:, at])], recording.seconds[bouts_of(said[:, at])])
        for at in range(true.shape[1])
    ]


def _of_bouts(match: BoutMatch) -> BoutFigures:
    import numpy as np

    onset, offset = (float(np.median(each)) if match.matched else None for each in (match.onsets, match.offsets))
    return BoutFigures(match.true, match.predicted, match.matched, match.f1, onset, offset)
