"""Multiple choice over moments: a clip cut by the true times is to pick its own sentence among those of its video.

VideoPrism's paper evaluates Charades-STA in this way ("MC Acc", arXiv 2402.13217, F.2). It is no moment retrieval: the
times are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.encoded import ReadStretch, encode_stretches
from app.evaluation.figure import Figure, figure_of
from app.evaluation.labelled import Stretch
from app.evaluation.moment_questions import MomentQuestion
from app.evaluation.row_store import RowStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import Encoder


@dataclass(frozen=True, slots=True)
class ChoiceResult:
    """What multiple choice gives.

    Attributes:
        accuracy: Share of clips that pick their own sentence; equal scores as in random order.
        clips: How many clips had a choice: those whose video has another sentence.
        alone: How many had none, and are left out.
        unread: Id and reason of videos that could not be read.
        picked: The sentence that each clip picks, by question and number of its moment.
    """

    accuracy: Figure
    clips: int
    alone: int
    unread: tuple[tuple[str, str], ...]
    picked: tuple[tuple[MomentQuestion, str], ...]


def run_choice(
    questions: Sequence[MomentQuestion],
    paths: Mapping[str, str],
    encoder: Encoder,
    store: RowStore,
    read: ReadStretch,
    *,
    seed: int,
    on_progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ChoiceResult:
    """Evaluate multiple choice.

    Args:
        questions: About the videos of `paths`; each true moment is a clip.
        paths: The file of each video, by id.
        encoder: Makes the rows.
        store: Rows of clips from earlier runs; receives new ones.
        read: Reads a clip.
        seed: Of the interval, which is over videos.
        on_progress: Called with the number of clips that are done.
        cancelled: Polled between batches; True ends the run with Cancelled.

    Raises:
        Cancelled: `cancelled` returned True.
        OSError: The store could not be written.
        EncoderError: A sentence cannot be encoded.
    """
    import numpy as np

    sentences: dict[str, list[str]] = {}
    for question in questions:
        sentences.setdefault(question.video, []).append(question.sentence)
    choices = {video: list(dict.fromkeys(each)) for video, each in sentences.items()}
    asked = [question for question in questions if len(choices[question.video]) > 1]
    alone = sum(len(question.moments) for question in questions if len(choices[question.video]) == 1)
    clips = [(question, Stretch(paths[question.video], *moment)) for question in asked for moment in question.moments]
    rows, failed = encode_stretches(
        [stretch for _, stretch in clips], encoder, store, read, on_progress=on_progress, cancelled=cancelled
    )
    reasons = {each.stretch: each.reason for each in failed}
    unread = {question.video: reasons[stretch] for question, stretch in clips if stretch in reasons}
    texts = list(dict.fromkeys(text for question in asked for text in choices[question.video]))
    of_text = dict(zip(texts, encoder.encode_texts(texts), strict=True)) if texts else {}
    right: list[float] = []
    picked: list[tuple[MomentQuestion, str]] = []
    for question, stretch in clips:
        if stretch in rows:
            own = choices[question.video]
            scores = np.stack([of_text[text] for text in own]) @ rows[stretch]
            right.append(_chance(scores, own.index(question.sentence)))
            picked.append((question, own[int(scores.argmax())]))
    values = np.array(right, dtype=np.float64)

    def mean(at: NDArray[np.intp]) -> float | None:
        return float(values[at].mean()) if len(at) else None

    accuracy = figure_of(mean, [question.video for question, _ in picked], seed=seed)
    return ChoiceResult(accuracy, len(picked), alone, tuple(unread.items()), tuple(picked))


def _chance(scores: NDArray[np.float32], true: int) -> float:
    """Return the chance that the true one is picked, with equal scores in random order."""
    best = scores.max()
    return 1 / int((scores == best).sum()) if scores[true] == best else 0.0
