"""Two encoders that judge together, beside each alone: the same questions about the same shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import compose
from benchmarks._quality_footage import Footage
from benchmarks._quality_library import ask, fill
from benchmarks._quality_strength import GOOD, world_cuts
from benchmarks._quality_table import Table, share
from db.library import Library
from demo import questions
from encoder import Encoder
from search.engine import SearchEngine
from search.engines import Engine
from search.query import TextTerm
from search.several.engine import SeveralEngine

WAYS = ("first", "second", "together")


@dataclass(frozen=True)
class Answered:
    """What became of a question: whether its first hit is right, and whether it is a good match; by WAYS."""

    kind: str
    present: bool
    group: str
    right: tuple[bool, ...]
    good: tuple[bool, ...]


def several(
    table: Table,
    encoders: tuple[Encoder, Encoder],
    footages: tuple[Footage, Footage],
    *,
    seeds: int,
    shots: int,
    each: int,
    source: Any = questions,
) -> None:
    """Add R@1 and the shares of good matches of two encoders together and of each alone, pooled over seeds.

    Args:
        table: Receives the rows.
        encoders, footages: Two, and the rows that each has of the same shots.
        seeds: Worlds.
        shots: Of each world's library.
        each: Questions of each kind.
        source: `demo.questions` or `demo.questions_grown`.
    """
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    answered = [
        question
        for seed in range(seeds)
        for question in _ask_world(encoders, footages, seed, shots, each, source, times)
    ]
    present = [one for one in answered if one.present]
    right = np.array([one.right for one in present])
    groups = [one.group for one in present]
    for way, name in enumerate(WAYS[:-1]):
        table.compare(f"R@1 (before: the {name} alone)", share, right[:, way], right[:, -1], groups)
    better = int(right[:, :-1].mean(axis=0).argmax())
    table.compare(
        f"R@1: together less the better one alone (the {WAYS[better]})", share, None,
        right[:, -1].astype(float) - right[:, better], groups, "> 0",
    )  # fmt: skip
    for kind in sorted({one.kind for one in present}):
        mine = np.array([one.kind == kind for one in present])
        of_kind = [group for group, here in zip(groups, mine, strict=True) if here]
        table.compare(f"  {kind}: R@1 (before: the {WAYS[better]} alone)", share, right[mine, better], right[mine, -1],
                      of_kind)  # fmt: skip
    for here, name, goal in ((True, "present", ""), (False, "absent", "0.05")):
        asked = [one for one in answered if one.present == here and one.kind != "combination"]
        good = np.array([one.good for one in asked])
        table.compare(
            f"{name} questions with a likely match (before: the {WAYS[better]} alone)", share, good[:, better],
            good[:, -1], [one.group for one in asked], goal,
        )  # fmt: skip
    for way in WAYS:
        table.plain(f"a search, ms, p50: {way}", None, float(np.median(times[way])), len(times[way]))


def _ask_world(
    encoders: tuple[Encoder, Encoder],
    footages: tuple[Footage, Footage],
    seed: int,
    shots: int,
    each: int,
    source: Any,
    times: dict[str, list[float]],
) -> list[Answered]:
    content = source.make_world(seed, shots)
    rng = np.random.default_rng((seed, shots, each))
    asked = source.present_questions(content, rng, each) + source.absent_questions(content, rng, each)
    with TemporaryDirectory() as directory, Library.open(Path(directory)) as library:
        for encoder, footage in zip(encoders, footages, strict=True):
            fill(library, encoder.id, world_cuts(footage, content))
        spaces = [compose.open_space(library, encoder) for encoder in encoders]
        engines: list[Engine] = [*map(SearchEngine.of, spaces), SeveralEngine([[space] for space in spaces])]
        found = []
        for question in asked:
            hits = []
            for way, engine in zip(WAYS, engines, strict=True):
                began = perf_counter()
                hits.append(ask(engine, (TextTerm(question.text),), k=10)[0])
                times[way].append(1000 * (perf_counter() - began))
            right = [question.answered_by(content.takes[_number(hit)]) for hit in hits]
            good = [hit.strength is not None and hit.strength.level in GOOD for hit in hits]
            found.append(
                Answered(question.kind, question.present, f"{seed}:{question.group}", tuple(right), tuple(good))
            )
        return found


def _number(hit: Any) -> int:
    """Return the number of a hit's shot in its world; see `world_cuts`."""
    return int(Path(hit.video.path).stem) + int(hit.segment.number)


def same_shots(first: Footage, second: Footage) -> tuple[Footage, Footage]:
    """Return two footages of the same shots: those that both have found."""
    missing = np.isnan(first.rows[..., :1]) | np.isnan(second.rows[..., :1])

    def kept(footage: Footage) -> Footage:
        rows: NDArray[np.float32] = np.where(missing, np.float32(np.nan), footage.rows)
        return Footage(footage.takes, rows)

    return kept(first), kept(second)


def names_of(encoders: Sequence[Encoder]) -> str:
    """Return the ids of the encoders, for a heading."""
    return " and ".join(encoder.id for encoder in encoders)
