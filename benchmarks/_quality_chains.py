"""Questions "A, then B" about edited videos, beside what a search for single shots makes of them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks._quality_footage import Footage
from benchmarks._quality_library import Cut, open_engine
from benchmarks._quality_table import Table, share
from demo.edits import ChainQuestion, edited_videos
from encoder import Encoder
from search.chain_query import ChainQuery, Step
from search.query import TextTerm


def chains(
    table: Table, encoder: Encoder, footage: Footage, two_steps: int, three_steps: int, make: Any = edited_videos
) -> None:
    """Add R@1 of chains, judged by takes and times, against the best of three shot-wise baselines.

    The baselines rank videos: by the best single shot for the sentence "A, then B", by the sum of each step's best
    shots anywhere in the video, and by shots close enough in any order. They are right with any video that holds an
    answer, while a chain has to be the very shots.
    """
    rng = np.random.default_rng(7)
    edits, asked = make(rng, two_steps=two_steps, three_steps=three_steps)
    cuts = [
        Cut(f"/edits/{n:06d}.mp4", edit.seconds, np.stack([footage.row(t, int(rng.integers(2))) for t in edit.takes]))
        for n, edit in enumerate(edits)
    ]
    owner = np.repeat(np.arange(len(edits)), [len(edit.takes) for edit in edits])
    firsts = np.flatnonzero(np.diff(owner, prepend=-1))
    rows = np.concatenate([cut.rows for cut in cuts])
    right: dict[str, list[bool]] = {name: [] for name in ("chain", "sentence", "sum", "any order")}
    times = []
    with TemporaryDirectory() as directory:
        engine = open_engine(Path(directory), encoder, cuts)
        with engine.library:

            def best(question: ChainQuestion, any_order: bool) -> Any:
                steps = tuple(Step((TextTerm(text),)) for text in question.steps)
                found = engine.chains(ChainQuery(steps=steps, within_seconds=question.within, any_order=any_order, k=1))
                return found[0] if found else None

            for question in asked:
                began = perf_counter()
                chain = best(question, False)
                times.append(1000 * (perf_counter() - began))
                right["chain"].append(
                    chain is not None
                    and question.answers(
                        edits[int(Path(chain.video.path).stem)], [part.segment.number for part in chain.parts]
                    )
                )
                unordered = best(question, True)
                right["any order"].append(
                    unordered is not None and question.answered_in(edits[int(Path(unordered.video.path).stem)])
                )
                texts = encoder.encode_texts([", then ".join(question.steps), *question.steps])
                cosines = texts @ rows.T
                right["sentence"].append(question.answered_in(edits[owner[cosines[0].argmax()]]))
                totals = np.maximum.reduceat(cosines[1:], firsts, axis=1).sum(0)
                right["sum"].append(question.answered_in(edits[totals.argmax()]))
    figures = {name: np.array(each) for name, each in right.items()}
    for count in (2, 3):
        mine = np.array([len(question.steps) == count for question in asked])
        if not mine.any():
            continue
        groups = [str(at) for at in np.flatnonzero(mine)]
        rivals = {name: figures[name][mine] for name in ("sentence", "sum", "any order")}
        strongest = max(rivals, key=lambda name: float(rivals[name].mean()))
        table.compare(
            f"{count} steps: R@1 (before: best baseline, {strongest})", share, rivals[strongest],
            figures["chain"][mine], groups, ">= 0.90",
        )  # fmt: skip
        for name, values in rivals.items():
            table.plain(f"{count} steps:   baseline {name}", float(values.mean()), None, int(mine.sum()))
        decided = ~figures["any order"][mine]
        table.share(f"{count} steps: questions that only order decides", decided, groups)
        if decided.any():
            table.share(
                f"{count} steps:   R@1 of these", figures["chain"][mine][decided], list(np.flatnonzero(decided))
            )
    for kind in sorted({question.kind for question in asked}):
        mine = np.array([question.kind == kind for question in asked])
        table.plain(f"steps of {kind}: R@1", None, float(figures["chain"][mine].mean()), int(mine.sum()))
    p50, p95 = np.quantile(times, [0.5, 0.95])
    table.plain(f"a chain among {len(rows):,} shots, ms, p50", None, float(p50), len(times))
    table.plain(f"a chain among {len(rows):,} shots, ms, p95", None, float(p95), len(times))
