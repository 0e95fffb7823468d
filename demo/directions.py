"""Hits that run the other way, noticed or not: motions of the demo world, each with its opposite.

    python -m demo.directions [--encoder demo] [--count 80]

For each thing, before the background that training never showed it on, a sentence asks for a motion. Of the clip of the
opposite motion, "may run the other way" is right; of the clip of the motion itself, it is wrong. The table has the
share of both, with 95 % intervals over things, and the share of questions whose answer alone is ahead of its opposite,
without any warning.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import painting, scenes, world
from demo.sentences import meaning_of, sentence
from encoder import Encoder, load_encoder
from metrics.bootstrap import bootstrap_interval
from search.calibration.questions import null_questions
from search.directions import Direction
from search.moments.backwards import backwards
from search.moments.moment import MAY_RUN_BACKWARDS
from search.moments.order import has_order
from search.moments.questions import Question

OPPOSITES = (("left", "right"), ("rise", "fall"), ("grow", "shrink"), ("appear", "disappear"))


@dataclass(frozen=True)
class Trial:
    """A question, and what was found of the clip that answers it and of the opposite one."""

    pair: str
    thing: str
    ordered: bool  # whether the sentence counts as one with a direction
    right: float  # `Moment.backwards` of the clip that answers
    opposite: float  # and of the other
    ahead: bool  # whether the clip that answers scores higher than the other


def trials(encoder: Encoder, things: list[str], seed: int) -> list[Trial]:
    """Ask for every motion of these things."""
    rng = np.random.default_rng(seed)
    nulls = encoder.encode_texts(null_questions(encoder.id))
    spec = encoder.clip_spec
    found = []
    for thing in things:
        background = scenes.whole_background(thing)
        for pair in OPPOSITES:
            shown = [scenes.one(thing, background, motion) for motion in pair]
            clips = painting.render(shown, frames=spec.frames, size=spec.size, rng=rng)
            said = [sentence(meaning_of(scene), rng) for scene in shown]
            texts = encoder.encode_texts(said)
            rows, reverse = encoder.encode_clips(clips), encoder.encode_clips(clips[:, ::-1])
            for at, text in enumerate(texts):
                question = Question(Direction.without_penalties(text), nulls, True, "")
                gains = [backwards(*pair_rows, question) for pair_rows in zip(rows, reverse, strict=True)]
                ahead = bool(rows[at] @ text > rows[1 - at] @ text)
                found.append(Trial(f"{pair[0]}/{pair[1]}", thing, has_order(said[at]), gains[at], gains[1 - at], ahead))
    return found


def share(values: NDArray[np.bool_], groups: list[str]) -> tuple[float, tuple[float, float] | None]:
    """Return a share and its interval over groups."""
    interval = bootstrap_interval(lambda at: float(values[at].mean()), groups, np.random.default_rng(0))
    return float(values.mean()), interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="demo")
    parser.add_argument("--count", type=int, default=len(world.THINGS), help="things")
    parser.add_argument("--margin", type=float, default=MAY_RUN_BACKWARDS, help="standard deviations")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    found = trials(load_encoder(args.encoder, "cpu"), list(world.THINGS)[: args.count], args.seed)
    record = {}
    print(f"{'':18}{'questions':>10}{'opposite noticed':>28}{'wrongly warned':>28}{'ahead anyway':>14}")
    for name in [*(f"{a}/{b}" for a, b in OPPOSITES), "all"]:
        some = [trial for trial in found if name in (trial.pair, "all")]
        groups = [trial.thing for trial in some]
        told = np.array([trial.ordered for trial in some])
        noticed = share(told & (np.array([trial.opposite for trial in some]) >= args.margin), groups)
        wrong = share(told & (np.array([trial.right for trial in some]) >= args.margin), groups)
        ahead = share(np.array([trial.ahead for trial in some]), groups)
        record[name] = {"questions": len(some), "noticed": noticed, "wrong": wrong, "ahead": ahead}
        cells = [f"{value:.3f} ({low:.3f} to {high:.3f})" for value, (low, high) in (noticed, wrong)]
        print(f"{name:18}{len(some):>10}{cells[0]:>28}{cells[1]:>28}{ahead[0]:>14.3f}")
    print(json.dumps(record))


if __name__ == "__main__":
    main()
