"""Quality of search on the demo world through files: strengths, questions of several parts, chains; before and after.

    python -m benchmarks.search_quality [--folder DIR] [--seeds 8] [--large 100000] [--only strength composed ...]
    python -m benchmarks.search_quality --world grown [--encoder NAME or FILE.npz]
    python -m benchmarks.search_quality --only several [--second NAME or FILE.npz] [--second-frames 4]

Takes that the demo encoder never saw are drawn, cut together, encoded to files and indexed by the product (kept in
--folder for the next run). Of their rows, libraries of 20, 640 and --large shots are made, each without some things, a
motion and a background; larger ones are filled with shots that resemble those. Questions come from `demo/questions.py`,
`demo/edits.py` and `demo/other_worlds.py`; nothing in the product was fitted on them. "Before" is the plain cosine, and
the plain sum of terms, in the same run. `--world grown` asks
about scenes (`demo/questions_grown.py`), painted and encoded without files, in the parts that concern them. `several`
asks a second encoder beside the first, by default the same weights with half as many frames; it is not among the parts
that run without --only. Intervals
are by bootstrap over what questions have in common. It prints tables, then JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._quality_chains import chains
from benchmarks._quality_composed import clip_to_clip, composed, several_examples
from benchmarks._quality_footage import Footage, make_footage
from benchmarks._quality_grown import make_scenes
from benchmarks._quality_random import random_networks
from benchmarks._quality_several import names_of, same_shots, several
from benchmarks._quality_strength import ask_world, nonsense, report_worlds
from benchmarks._quality_table import Table
from demo import edits, questions, questions_grown
from encoder import Encoder, load_encoder

GROWN = ("strength", "composed", "chains", "several")
ONLY_IF_ASKED = ("several",)
NETWORKS = [
    ("videoprism_lvt_public_v1_base", 1),
    ("videoprism_lvt_public_v1_base", 2),
    ("videoprism_lvt_public_v1_large", 1),
]


def strength(table: Table, encoder: Encoder, footage: Footage, options: argparse.Namespace) -> None:
    """Present against absent questions in libraries of every size, pooled over seeds."""
    for shots, padded, seeds, each in (
        (20, 0, 5 * options.seeds, 8),
        (640, 0, options.seeds, 40),
        (640, options.large, max(1, options.seeds // 4), 60),
    ):
        asked = [
            question
            for seed in range(seeds)
            for question in ask_world(encoder, footage, seed, shots, each, padded, _source(options) or questions)
        ]
        report_worlds(table, f"{max(shots, padded):,} shots", asked)


def _source(options: argparse.Namespace) -> Any:
    return questions_grown if options.world == "grown" else None


def _chains(table: Table, encoder: Encoder, footage: Footage, options: argparse.Namespace) -> None:
    make = (_source(options) or edits).edited_videos
    chains(table, encoder, footage, options.questions // 2, options.questions // 4, make)


def _several(table: Table, encoder: Encoder, footage: Footage, options: argparse.Namespace) -> None:
    frames = options.second_frames or (None if options.second else max(1, encoder.clip_spec.frames // 2))
    second = load_encoder(options.second or options.encoder, "cpu", frames=frames)
    if second.id == encoder.id:
        raise SystemExit("the second encoder is the first; choose --second or --second-frames")
    print(names_of((encoder, second)))
    table.second = second.id
    footages = same_shots(footage, options.make(second, options.into))
    source = _source(options) or questions
    several(table, (encoder, second), footages, seeds=options.seeds, shots=640, each=40, source=source)


PARTS: dict[str, tuple[str, Callable[[Table, Encoder, Footage, argparse.Namespace], None]]] = {
    "strength": ("Present against absent", strength),
    "nonsense": ("Nonsense", lambda t, e, f, o: nonsense(t, e, f, (20, 640, o.large), o.questions)),
    "random": ("Networks that know nothing", lambda t, e, f, o: random_networks(t, NETWORKS, o.questions, 640)),
    "composed": ("Questions of several parts", lambda t, e, f, o: composed(t, e, f, o.questions, _source(o))),
    "clips": ("Clip to clip", lambda t, e, f, o: clip_to_clip(t, e, f)),
    "examples": ("Several examples (before: their mean)", lambda t, e, f, o: several_examples(t, e, f, o.seeds)),
    "chains": ("A, then B", _chains),
    "several": ("Two encoders together, and each alone", _several),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="Keep the made videos here for the next run.")
    parser.add_argument("--seeds", type=int, default=8, help="Worlds that are pooled.")
    parser.add_argument("--questions", type=int, default=400, help="Number of questions of a set.")
    parser.add_argument("--large", type=int, default=100_000, help="Shots of the large library.")
    parser.add_argument("--draws", type=int, default=300, help="Draws of the bootstrap.")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--world", choices=("today", "grown"), default="today", help="What the shots show.")
    parser.add_argument("--encoder", default="demo", help="A name, or a file with its vocabulary beside it.")
    parser.add_argument("--second", help="Of `several`: likewise; by default the same.")
    parser.add_argument("--second-frames", type=int, help="Of `several`: frames of the second encoder.")
    options = parser.parse_args()
    encoder = load_encoder(options.encoder, "cpu")
    table = Table(options.draws)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        began = time.perf_counter()
        options.make = make_scenes if options.world == "grown" else make_footage
        options.into = options.folder or Path(temporary)
        footage = options.make(encoder, options.into)
        seconds["footage"] = time.perf_counter() - began
        wanted = options.only or [each for each in PARTS if each not in ONLY_IF_ASKED]
        for name in [each for each in wanted if options.world == "today" or each in GROWN]:
            began = time.perf_counter()
            heading, part = PARTS[name]
            table.heading(heading)
            part(table, encoder, footage, options)
            seconds[name] = time.perf_counter() - began
    print("\nseconds: " + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items()))
    print(
        json.dumps(
            {
                "benchmark": "search_quality",
                "encoder": encoder.id,
                "second": table.second,
                "world": options.world,
                "shots_found": round(float(footage.found), 4),
                "seeds": options.seeds,
                "questions": options.questions,
                "rows": table.rows,
            }
        )
    )


if __name__ == "__main__":
    main()
