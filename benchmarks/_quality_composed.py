"""Questions of several parts: an example with words, exclusion, clip to clip, several examples at once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._quality_footage import Footage
from benchmarks._quality_library import Cut, ask, open_engine
from benchmarks._quality_table import Table, share
from db.records import Filters
from demo import questions
from demo.evaluate import gallery
from demo.world import Take
from encoder import Encoder
from metrics.ranking import average_precision
from search.engine import SearchEngine
from search.query import SegmentTerm, TextTerm

EXCLUDED = -0.5  # the usual weight of an exclusion
RANDOM_SHOTS = 300  # against which logistic regression learns


def shelf(footage: Footage, takes: list[Take], drawing: int, folder: str) -> list[Cut]:
    """Return videos of 8 shots, each take once."""
    rows = np.stack([footage.row(take, drawing) for take in takes])
    return [
        Cut(f"{folder}/{at:06d}.mp4", (2.0,) * len(rows[at : at + 8]), rows[at : at + 8])
        for at in range(0, len(rows), 8)
    ]


def ids_in_order(engine: SearchEngine, folder: str) -> list[int]:
    """Return the ids of segments below a folder, video by video."""
    return [
        int(segment.id or 0)
        for video in engine.library.videos(folder)
        for segment in engine.library.segments_of(int(video.id or 0))
    ]


def composed(table: Table, encoder: Encoder, footage: Footage, count: int, source: Any = None) -> None:
    """Add R@1 and R@10 of an example with words, equal weights; and what exclusions leave out and keep.

    With `demo.questions_grown` as `source`, the examples are scenes, and there are no exclusions.
    """
    takes = gallery() if source is None else source.gallery()
    with TemporaryDirectory() as directory:
        engine = open_engine(Path(directory), encoder, shelf(footage, takes, 0, "/gallery"))
        with engine.library:
            ids = ids_in_order(engine, "/gallery")
            place = {segment_id: at for at, segment_id in enumerate(ids)}
            asked = (source or questions).composed_questions(takes, np.random.default_rng(4), count)

            def ranks(plain: bool) -> NDArray[np.float64]:
                """Return the rank of the right answer of each question, infinite beyond the tenth."""
                found = []
                for question in asked:
                    terms = (SegmentTerm(ids[question.example]), TextTerm(question.text))
                    hits = ask(engine, terms, k=10, plain_sum=plain)
                    found.append(next((hit.rank for hit in hits if place[hit.segment.id] == question.target), np.inf))
                return np.array(found)

            before, after = ranks(True), ranks(False)
            groups = [
                takes[question.example].thing if source is None else takes[question.example].actors
                for question in asked
            ]
            for k in (1, 10):
                table.compare(
                    f"example + words (this, but spinning): R@{k}", share, before <= k, after <= k, groups,
                    ">= 0.90" if k == 1 else "",
                )  # fmt: skip
            if source is None:
                _exclusion(table, engine, place, takes, count)


def _thing(shown: Any) -> str:
    """Return the thing of a take, or of a scene of one thing."""
    return str(shown.thing if isinstance(shown, Take) else shown.actors[0].thing)


def _exclusion(table: Table, engine: SearchEngine, place: dict[int, int], takes: list[Take], count: int) -> None:
    asked = questions.exclusions(takes, np.random.default_rng(5), count)
    figures: dict[str, list[NDArray[Any]]] = {"wrong": [], "right": []}
    for plain in (True, False):
        found = []
        for question in asked:
            hits = ask(engine, (TextTerm(question.text), TextTerm(question.without, EXCLUDED)), k=7, plain_sum=plain)
            shown = [takes[place[hit.segment.id]] for hit in hits]
            found.append((np.mean([question.wrong(t) for t in shown[:3]]), np.mean([question.right(t) for t in shown])))
        for name, values in zip(("wrong", "right"), np.array(found).T, strict=True):
            figures[name].append(values)
    without = []
    for question in asked:
        hits = ask(engine, (TextTerm(question.text),), k=3)
        without.append(np.mean([question.wrong(takes[place[hit.segment.id]]) for hit in hits]))
    groups = [question.text for question in asked]
    table.plain("no exclusion: share of the motion among the first 3", None, float(np.mean(without)), len(asked))
    table.compare("excluded: share of it left among the first 3", share, *figures["wrong"], groups, goal="0")
    table.compare("excluded: share of the 7 wanted among the first 7", share, *figures["right"], groups)


def clip_to_clip(table: Table, encoder: Encoder, footage: Footage) -> None:
    """Add how often one drawing of a take finds the other first, and how many of the first 10 move alike."""
    takes = gallery()
    cuts = shelf(footage, takes, 0, "/gallery") + shelf(footage, takes, 1, "/drawn again")
    with TemporaryDirectory() as directory:
        engine = open_engine(Path(directory), encoder, cuts)
        with engine.library:
            place = {segment_id: at for at, segment_id in enumerate(ids_in_order(engine, "/gallery"))}
            first, alike = [], []
            for at, segment_id in enumerate(ids_in_order(engine, "/drawn again")):
                hits = ask(engine, (SegmentTerm(segment_id),), k=40, filters=Filters(folder="/gallery"))
                shown = [place[hit.segment.id] for hit in hits]
                first.append(shown[0] == at)
                others = [n for n in shown if takes[n].thing != takes[at].thing][:10]
                alike.append(np.mean([takes[n].motion == takes[at].motion for n in others] or [0.0]))
            rows = np.stack([footage.row(take, 0) for take in takes])
            again = np.stack([footage.row(take, 1) for take in takes])
    groups = [take.thing for take in takes]
    cosines = again @ rows.T
    right = np.arange(len(takes))
    raw = cosines.argmax(1) == right
    white = np.array([_lda(example, rows) @ rows.T for example in again])
    table.compare("clip to clip: the same take first", share, raw, np.array(first), groups)
    table.compare("clip to clip:   tried: whitened example", share, raw, white.argmax(1) == right, groups)
    motions = np.array([take.motion for take in takes])
    things = np.array([take.thing for take in takes])

    def moving(scores: NDArray[Any]) -> NDArray[Any]:
        masked = np.where(things[:, None] == things[None], -np.inf, scores)
        best = np.argsort(-masked, axis=1)[:, :10]
        return np.asarray((motions[best] == motions[:, None]).mean(1))

    table.compare(
        "clip to clip: other things in the same motion, of 10", share, moving(cosines), np.array(alike), groups
    )
    table.compare("clip to clip:   tried: whitened example", share, moving(cosines), moving(white), groups)


def several_examples(table: Table, encoder: Encoder, footage: Footage, draws: int) -> None:
    """Add the average precision of several examples of a concept, beside the learners that could be used."""
    takes = list(footage.takes)
    cuts = shelf(footage, takes, 0, "/first") + shelf(footage, takes, 1, "/second")
    rows = np.concatenate([cut.rows for cut in cuts])
    both = takes * 2
    rng = np.random.default_rng(6)
    with TemporaryDirectory() as directory:
        engine = open_engine(Path(directory), encoder, cuts)
        with engine.library:
            ids = np.array(ids_in_order(engine, "/first") + ids_in_order(engine, "/second"))
            for name, fits in questions.CONCEPTS.items():
                truth = np.array([fits(take) for take in both])
                for count in (5, 20, 50):
                    found: dict[str, list[float | None]] = {}
                    for _ in range(draws):
                        marked = rng.choice(np.flatnonzero(truth), count, replace=False)
                        shown = {both[at] for at in marked}
                        rest = np.array([take not in shown for take in both])  # nor their other drawings
                        terms = tuple(SegmentTerm(int(each)) for each in ids[marked])
                        hits = ask(engine, terms, k=len(ids))
                        scores = np.full(len(ids), -np.inf)
                        scores[np.searchsorted(ids, [hit.segment.id for hit in hits])] = [hit.score for hit in hits]
                        tried = _learners(rows, marked, rng) | {"product": scores}
                        for learner, values in tried.items():
                            found.setdefault(learner, []).append(average_precision(truth[rest], values[rest]))
                    mean = {learner: float(np.mean([v or 0.0 for v in each])) for learner, each in found.items()}
                    others = ", ".join(f"{k} {v:.2f}" for k, v in mean.items() if k not in ("product", "mean"))
                    table.plain(f"{count} examples, {name}: AP ({others})", mean["mean"], mean["product"], draws)


def _learners(rows: NDArray[np.float32], marked: NDArray[np.intp], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    from sklearn.linear_model import LogisticRegression

    examples = rows[marked]
    others = rng.choice(np.setdiff1d(np.arange(len(rows)), marked), RANDOM_SHOTS, replace=False)
    labels = np.repeat([1, 0], [len(marked), len(others)])
    fit = LogisticRegression(C=10, class_weight="balanced", max_iter=500)
    fit.fit(np.concatenate([examples, rows[others]]), labels)
    return {
        "mean": rows @ examples.mean(0),
        "kNN": (rows @ examples.T).max(1),
        "LDA": rows @ _lda(examples.mean(0), rows),
        "logistic": fit.decision_function(rows),
    }


def _lda(centre: NDArray[Any], rows: NDArray[Any], shrinkage: float = 0.5) -> NDArray[Any]:
    """Return a whitened direction: the inverse of the rows' covariance, shrunk by its mean eigenvalue, times centre."""
    covariance = np.cov(rows.T)
    shrunk = covariance + shrinkage * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return np.linalg.solve(shrunk, centre - rows.mean(0))
