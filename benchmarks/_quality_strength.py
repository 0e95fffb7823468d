"""Present against absent questions, and nonsense: whether strengths tell what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._quality_footage import Footage
from benchmarks._quality_library import Cut, ask, open_engine, padding
from benchmarks._quality_table import Table
from demo import questions
from demo.other_worlds import nonsense_questions
from encoder import Encoder
from metrics.ranking import roc_auc, true_positive_rate
from search.query import TextTerm

FALSE_ALARMS = 0.05
GOOD = ("strong", "likely")


@dataclass(frozen=True)
class Asked:
    """The best hit of a question: its cosine, its strength (None without calibration), its level."""

    kind: str
    present: bool
    group: str
    right: bool
    cosine: float
    strength: float | None
    chance: float | None
    good: bool


def world_cuts(footage: Footage, content: questions.World) -> list[Cut]:
    """Return videos of 8 shots with the takes of a world; a take that comes again is of the next drawing."""
    times: dict[Any, int] = {}
    rows = []
    for take in content.takes:
        times[take] = times.get(take, -1) + 1
        rows.append(footage.row(take, times[take] % len(footage.rows)))
    return [
        Cut(f"/world/{at:06d}.mp4", (2.0,) * len(rows[at : at + 8]), np.stack(rows[at : at + 8]))
        for at in range(0, len(rows), 8)
    ]


def ask_world(
    encoder: Encoder, footage: Footage, seed: int, shots: int, each: int, padded: int, source: Any = questions
) -> list[Asked]:
    """Return what the questions of one world get; `source` is `demo.questions` or `demo.questions_grown`."""
    content = source.make_world(seed, shots)
    rng = np.random.default_rng((seed, shots, each))
    asked = source.present_questions(content, rng, each) + source.absent_questions(content, rng, each)
    asked += source.combination_questions(content, rng, each)
    cuts = world_cuts(footage, content)
    if padded:
        cuts += padding(np.concatenate([cut.rows for cut in cuts]), padded - shots, rng)
    with TemporaryDirectory() as directory:
        engine = open_engine(Path(directory), encoder, cuts)
        with engine.library:
            found = []
            for question in asked:
                hit = ask(engine, (TextTerm(question.text),), k=1)[0]
                number = int(Path(hit.video.path).stem) + hit.segment.number
                own = hit.video.path.startswith("/world/")
                found.append(
                    Asked(
                        question.kind,
                        question.present,
                        f"{seed}:{question.group}",
                        own and question.answered_by(content.takes[number]),
                        hit.score,
                        hit.strength and hit.strength.value,
                        hit.strength and hit.strength.chance,
                        bool(hit.strength) and hit.strength.level in GOOD,
                    )
                )
            return found


def report_worlds(table: Table, name: str, asked: Sequence[Asked]) -> None:
    """Add the rows about present against absent questions; combinations apart."""
    harder = [each for each in asked if each.kind == "combination"]
    asked = [each for each in asked if each.kind != "combination"]
    truth = np.array([each.present for each in asked])
    groups = [each.group for each in asked]
    before = np.array([each.cosine for each in asked])
    known = all(each.strength is not None for each in asked)
    after = np.array([each.strength for each in asked], dtype=float) if known else None

    def auc(scores: NDArray[Any], at: NDArray[Any]) -> float | None:
        return roc_auc(truth[at], scores[at])

    def kept(scores: NDArray[Any], at: NDArray[Any]) -> float | None:
        return true_positive_rate(truth[at], scores[at], FALSE_ALARMS)

    table.compare(f"{name}: AUC, present against absent", auc, before, after, groups, goal=">= 0.98")
    table.compare(f"{name}: kept at 5 % false alarms", kept, before, after, groups, goal=">= 0.92")
    if after is None:
        return
    good = np.array([each.good for each in asked])
    table.share(
        f"{name}: present questions with a likely match",
        good[truth],
        [g for g, p in zip(groups, truth, strict=True) if p],
    )
    table.share(
        f"{name}: absent questions with a likely match",
        good[~truth],
        [g for g, p in zip(groups, truth, strict=True) if not p],
        goal="0.05",
    )
    table.share(
        f"{name}: combinations with a likely match (nearest shots)",
        np.array([e.good for e in harder]),
        [e.group for e in harder],
    )
    least = [np.quantile(scores[~truth], 1 - FALSE_ALARMS, method="higher") for scores in (before, after)]
    for kind in sorted({each.kind for each in asked}):
        mine = np.array([each.kind == kind for each in asked])
        for present in (True, False):
            if (picked := mine & (truth == present)).any():
                shares = [
                    float((scores[picked] > limit).mean()) for scores, limit in zip((before, after), least, strict=True)
                ]
                table.plain(
                    f"{name}:   {'present' if present else 'absent'} {kind}, over that limit",
                    shares[0],
                    shares[1],
                    int(picked.sum()),
                )


def nonsense(table: Table, encoder: Encoder, footage: Footage, sizes: Sequence[int], count: int) -> None:
    """Add the share of nonsense questions that get no good match, in libraries of every size; and search times."""
    asked = nonsense_questions(count, np.random.default_rng(1))
    for size in sizes:
        content = questions.make_world(0, min(size, 640))
        cuts = world_cuts(footage, content)
        rng = np.random.default_rng(size)
        cuts += padding(np.concatenate([cut.rows for cut in cuts]), max(0, size - 640), rng)
        with TemporaryDirectory() as directory:
            engine = open_engine(Path(directory), encoder, cuts)
            with engine.library:
                began = perf_counter()
                ask(engine, (TextTerm("a first question"),), k=10)
                first = perf_counter() - began
                hits, times = [], []
                for _, text in asked:
                    began = perf_counter()
                    hits.append(ask(engine, (TextTerm(text),), k=10)[0])
                    times.append(1000 * (perf_counter() - began))
                no_good_match(
                    table, f"{size:,} shots: nonsense without a good match", hits, [text for _, text in asked]
                )
                p50, p95 = np.quantile(times, [0.5, 0.95])
                table.plain(f"{size:,} shots: first search, s (calibration if none is kept)", None, first, 1)
                table.plain(f"{size:,} shots: a plain search, ms, p50", None, float(p50), len(times))
                table.plain(f"{size:,} shots: a plain search, ms, p95", None, float(p95), len(times))


def no_good_match(table: Table, name: str, hits: Sequence[Any], groups: Sequence[str]) -> None:
    """Add the share of questions whose best hit is weak; before, there was no such answer."""
    if all(hit.strength is not None for hit in hits):
        table.share(
            name, np.array([hit.strength.level not in GOOD for hit in hits]), groups, goal=">= 0.93", before=0.0
        )
