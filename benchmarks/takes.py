"""Takes: pairs of shots that are stacked as takes of one set-up, on rushes of the demo world through files.

    python -m benchmarks.takes [--seeds 8 9] [--set-ups 10] [--encoder demo] [--folder DIR] [--clips DIR] [--handheld 2]
                               [--quick]

Rushes are made (`demo/set_ups.py`): several runs of each set-up, a copy of one of them, and what only looks like them.
They are indexed, near-duplicates and takes are measured as after every index run, and pairs of shots that the library
stacks as takes are compared with what was filmed. Pairs of a take and the copy of another one count. 95 % intervals by
bootstrap over set-ups. Choose with seeds 0 to 7, show with 8 and more. With --handheld, every shot is filmed from
the hand, which moves by so many per cent of the frame. With --quick, quick passes are made in place of full ones. With
--clips, a folder of real footage is indexed as well, and every stack in it is listed. The last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from app.commands.near_copies import measure_near_copies
from app.takes import find_takes
from db.library import Library
from db.records import Filters, Segment, Video
from demo.set_ups import SHOTS, VIDEOS, make
from encoder import Encoder, load_encoder
from encoder.quick import QuickEncoder, quick_encoder
from indexer.pipeline import index_folders
from indexer.quick_pass import QuickPass
from indexer.settings import IndexSettings
from metrics.bootstrap import bootstrap_interval
from search.take_threshold import near_take
from search.takes.pair_file import PairFile
from search.takes.relations import Relation
from search.takes.set_ups import set_ups_of

GOAL = 0.95


@dataclass(frozen=True)
class Filmed:
    """A shot as it was filmed, and the segments that show it."""

    kind: str
    set_up: int
    run: int
    group: tuple[int, int]  # seed and number of the set-up that it belongs to or looks like
    segments: frozenset[int]


@dataclass(frozen=True)
class Judged:
    """A pair of shots: what it is, and whether the library stacks it as takes, or as the same."""

    kind: str
    is_take: bool
    stacked: bool
    same: bool
    group: tuple[int, int]


def index(library: Library, encoder: Encoder, folder: Path) -> None:
    """Index a folder, and do what follows an index run."""
    quick = QuickPass(full_id=encoder.full_id) if isinstance(encoder, QuickEncoder) else None
    report = index_folders(library, encoder, [folder], IndexSettings(), quick=quick)
    if report.stopped:
        raise SystemExit(f"{folder} could not be indexed: {report.stopped}")
    measure_near_copies(library, encoder, on_progress=lambda done: None, cancelled=lambda: False)
    find_takes(library, encoder, on_progress=lambda done, total: None, cancelled=lambda: False)


def filmed(library: Library, encoder: Encoder, folder: Path, seed: int, set_ups: int) -> list[Filmed]:
    """Return the shots that were filmed. A segment shows the shot that it lies in for more than half of its time."""
    with (folder / SHOTS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shown: dict[int, set[int]] = {at: set() for at in range(len(rows))}
    ids = library.segment_ids(Filters(), encoder.id).tolist()
    for segment_id, (segment, video) in library.segments(ids).items():
        start, end = video.seconds(segment.start_pts), video.seconds(segment.end_pts)
        for at, row in enumerate(rows):
            shared = min(end, float(row["end"])) - max(start, float(row["start"]))
            if row["file"] == Path(video.path).name and shared > (end - start) / 2:
                shown[at].add(segment_id)
    return [
        Filmed(row["kind"], int(row["set_up"]), int(row["run"]), (seed, int(row["set_up"]) % set_ups),
               frozenset(shown[at]))
        for at, row in enumerate(rows)
    ]  # fmt: skip


def kind_of(first: Filmed, second: Filmed) -> str:
    """Return what a pair of shots is."""
    if first.set_up == second.set_up:
        if first.run != second.run:
            return "take"
        return "goes on" if first.kind == "continued" else "copy"
    if first.group != second.group or "continued" in (first.kind, second.kind):
        return "unrelated"
    kinds = sorted({"take" if each.kind == "copy" else each.kind for each in (first, second)})
    return " and ".join(kinds)


def judged(library: Library, encoder: Encoder, shots: Iterable[Filmed]) -> list[Judged]:
    """Return every pair of shots with what the library makes of it."""
    related = PairFile(library.directory, encoder.id).load().related
    found = set_ups_of(related)
    pairs = []
    for first, second in combinations(shots, 2):
        stacked = same = False
        for one in first.segments:
            for other in second.segments:
                set_up = found.get(one)
                stacked |= set_up is not None and set_up is found.get(other) and set_up.run_of(one) != set_up.run_of(
                    other
                )  # fmt: skip
                kind = related.get((min(one, other), max(one, other)))
                same |= kind is not None and kind[0] is Relation.SAME
        kind = kind_of(first, second)
        pairs.append(Judged(kind, kind == "take", stacked, same, first.group))
    return pairs


def share(pairs: list[Judged], of: str, good: str) -> dict[str, Any]:
    """Return the share of pairs with one attribute that have another one, with its interval and their number."""
    hits = np.array([getattr(pair, good) for pair in pairs if getattr(pair, of)], float)
    groups = [pair.group for pair in pairs if getattr(pair, of)]
    interval = (
        bootstrap_interval(lambda at: float(hits[at].mean()), groups, np.random.default_rng(1)) if groups else None
    )
    return {"value": float(hits.mean()) if groups else None, "interval": interval, "pairs": len(groups)}


def place_of(segment: Segment, video: Video) -> str:
    """Return file and seconds of a segment."""
    start, end = video.seconds(segment.start_pts), video.seconds(segment.end_pts)
    return f"{Path(video.path).name} {start:.1f}-{end:.1f}"


def stacks_in(clips: Path, encoder: Encoder) -> list[list[str]]:
    """Return the takes that are found in a folder of real footage, as lines for people."""
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder) / "library") as library:
        index(library, encoder, clips)
        found = set_ups_of(PairFile(library.directory, encoder.id).load().related)
        stacks = []
        for set_up in {id(each): each for each in found.values()}.values():
            shown = library.segments([each for run in set_up.runs for each in run])
            stacks.append([place_of(segment, video) for segment, video in shown.values()])
        return stacks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[8, 9])
    parser.add_argument("--set-ups", type=int, default=10, help="set-ups of each seed")
    parser.add_argument("--encoder", default="demo")
    parser.add_argument("--handheld", type=float, default=0.0, help="per cent of the frame by which the camera moves")
    parser.add_argument("--quick", action="store_true", help="make quick passes")
    parser.add_argument("--folder", type=Path, help="keep the made videos here for the next run")
    parser.add_argument("--clips", type=Path, help="a folder of real footage, in which stacks are listed")
    options = parser.parse_args()
    encoder = load_encoder(options.encoder, "cpu")
    if options.quick:
        encoder = quick_encoder(encoder)
    pairs: list[Judged] = []
    thresholds = {}
    with tempfile.TemporaryDirectory() as temporary:
        for seed in options.seeds:
            rushes = (options.folder or Path(temporary)) / f"seed-{seed}-{options.set_ups}-{options.handheld:g}"
            make(rushes, seed=seed, set_ups=options.set_ups, handheld=options.handheld / 100)
            with Library.open(Path(temporary) / f"library-{seed}") as library:
                index(library, encoder, rushes / VIDEOS)
                thresholds[seed] = near_take(library.directory, encoder.id)
                shots = filmed(library, encoder, rushes, seed, options.set_ups)
                pairs += judged(library, encoder, shots)
    precision, recall = share(pairs, "stacked", "is_take"), share(pairs, "is_take", "stacked")
    print(f"{'pairs of takes':24}{'value':>8}{'95 %':>18}{'pairs':>8}    goal {GOAL}")
    for name, each in (("precision", precision), ("recall", recall)):
        low, high = each["interval"] or (float("nan"), float("nan"))
        value = float("nan") if each["value"] is None else each["value"]
        print(f"{name:24}{value:8.3f}{f'{low:.3f} to {high:.3f}':>18}{each['pairs']:8}")
    kinds = {
        kind: {
            "pairs": sum(pair.kind == kind for pair in pairs),
            "stacked": count,
            "same": sum(pair.kind == kind and pair.same for pair in pairs),
        }
        for kind, count in sorted(
            Counter({pair.kind: 0 for pair in pairs} | Counter(pair.kind for pair in pairs if pair.stacked)).items()
        )
    }
    print(f"\n{'what a pair is':32}{'pairs':>8}{'takes':>8}{'the same':>10}")
    for kind, counts in kinds.items():
        print(f"{kind:32}{counts['pairs']:8}{counts['stacked']:8}{counts['same']:10}")
    print("thresholds of the space: " + ", ".join(f"{value:.3f}" for value in thresholds.values()))
    result = {
        "encoder": encoder.id, "seeds": options.seeds, "set_ups": options.set_ups, "handheld": options.handheld,
        "precision": precision,
        "recall": recall, "kinds": kinds, "thresholds": list(thresholds.values()),
    }  # fmt: skip
    if options.clips is not None:
        result["real"] = stacks_in(options.clips, encoder)
        print(f"stacks in {options.clips.name}: {len(result['real'])}")
        for stack in result["real"]:
            print("    " + ", ".join(stack))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
