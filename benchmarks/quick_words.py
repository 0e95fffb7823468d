"""Quick passes against full ones by words, on the demo world through files: what is found, and what is missed.

    python -m benchmarks.quick_words [--encoder demo] [--seconds 4] [--takes 320] [--each 160] [--folder DIR]

Takes that the demo encoder never saw are drawn, cut together and encoded to files, with key frames where shots begin
("cuts", as encoders place them) and at fixed distances ("every 2 s", as cameras do). Each set is indexed in full, by
quick passes over key frames, and by quick passes over every frame (few frames of every shot). A question is answered if
the first hit lies for more than half of its time in takes that it describes. Questions that name no motion and those
that do are told apart, because key frames hardly show any. Differences are those of the same questions, with 95 %
intervals by bootstrap over what questions have in common. It prints tables, then JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._quality_footage import apart
from db.library import Library
from demo import captions
from demo.make_library import File, encode, h264
from demo.questions import Question, World, present_questions
from demo.world import Take
from encoder import Encoder, load_encoder
from encoder.quick import quick_encoder
from indexer.pipeline import index_folders
from indexer.quick_pass import QuickPass
from indexer.settings import IndexSettings
from metrics.bootstrap import bootstrap_interval

RATE = 15
SHOTS_A_FILE = 8
GROUPS = {"cuts": {"g": "250"}, "every 2 s": {"g": str(2 * RATE), "sc_threshold": "0"}}
WAYS = ("full", "few frames of every shot", "key frames")
ABOUT = {
    "things and backgrounds": ("thing+background", "word"),
    "motion": ("sentence", "thing+motion", "motion-only"),
}
GOAL = 0.05


@dataclass(frozen=True)
class Made:
    """A video: its path, and the take that each of its shots shows."""

    path: Path
    takes: list[Take]


def make_videos(folder: Path, takes: list[Take], seconds: float, options: dict[str, str]) -> list[Made]:
    """Write videos of takes, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, start in enumerate(range(0, len(takes), SHOTS_A_FILE)):
        shown = takes[start : start + SHOTS_A_FILE]
        lengths = (seconds,) * len(shown)
        file = File(f"{number:04d}.mp4", "libx264", 320, 180, Fraction(RATE), lengths, h264(preset="medium", **options))
        path = folder / file.name
        if not path.exists():
            part = path.with_suffix(".part.mp4")
            encode(file, shown, part, np.random.default_rng((5, number)))
            part.replace(path)
        made.append(Made(path, shown))
    return made


def index(library: Library, videos: Path, encoder: Encoder, way: str) -> tuple[str, dict[str, Any]]:
    """Index by one of WAYS; return the id of the rows, and what it took."""
    quick = None
    if way != "full":
        reads: Any = "key frames" if way == "key frames" else "every frame"
        quick, encoder = QuickPass(full_id=encoder.id, reads=reads), quick_encoder(encoder)
    report = index_folders(library, encoder, [videos], IndexSettings(), quick=quick)
    if report.failed or report.stopped:
        raise SystemExit(f"videos that were just made could not be indexed: {report}")
    return encoder.id, {"clips": report.clips, "wall_s": report.seconds["wall"], "video_s": report.video_seconds}


def answers(
    library: Library, encoder_id: str, texts: NDArray[np.float32], asked: list[Question[Take]], made: list[Made],
    seconds: float,
) -> NDArray[np.bool_]:  # fmt: skip
    """Return for each question whether its first hit lies in takes that it describes."""
    takes = {str(each.path): each.takes for each in made}
    parts = [(ids, rows) for ids, rows in library.embeddings(encoder_id)]
    ids, rows = (np.concatenate(each) for each in zip(*parts, strict=True))
    found = library.segments(ids.tolist())
    first = ids[(texts @ rows.T).argmax(axis=1)]
    right = []
    for question, segment_id in zip(asked, first.tolist(), strict=True):
        segment, video = found[segment_id]
        start, end = video.seconds(segment.start_pts), video.seconds(segment.end_pts)
        shared = sum(
            max(0.0, min(end, (at + 1) * seconds) - max(start, at * seconds))
            for at, take in enumerate(takes[video.path])
            if question.answered_by(take)
        )
        right.append(shared > (end - start) / 2)
    return np.array(right)


def measure(
    encoder: Encoder, videos: Path, made: list[Made], seconds: float, each: int
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return R@1 and differences from full, by what questions are about; and what the ways cost."""
    takes = tuple(take for video in made for take in video.takes)
    world = World(takes, frozenset(), frozenset(), frozenset())
    asked = present_questions(world, np.random.default_rng(3), each)
    texts = encoder.encode_texts([question.text for question in asked])
    right: dict[str, NDArray[np.bool_]] = {}
    costs: dict[str, Any] = {}
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder) / "library") as library:
            encoder_id, costs[way] = index(library, videos, encoder, way)
            right[way] = answers(library, encoder_id, texts, asked, made, seconds)
    table: dict[str, dict[str, Any]] = {}
    for subject, kinds in ABOUT.items():
        at = np.array([position for position, question in enumerate(asked) if question.kind in kinds])
        groups = [asked[position].group for position in at]
        table[subject] = {"questions": len(at)}
        for way in WAYS:
            hits = right[way][at].astype(float)
            less = right["full"][at].astype(float) - hits
            interval = bootstrap_interval(
                lambda of, less=less: float(less[of].mean()), groups, np.random.default_rng(1)
            )
            table[subject][way] = {"r1": float(hits.mean()), "below_full": float(less.mean()), "interval": interval}
    return table, costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="demo")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a shot")
    parser.add_argument("--takes", type=int, default=320)
    parser.add_argument("--each", type=int, default=160, help="questions of each kind")
    parser.add_argument("--folder", type=Path, help="keep the made videos here for the next run")
    options = parser.parse_args()
    encoder = load_encoder(options.encoder, "cpu")
    rng = np.random.default_rng(2)
    held = sorted(captions.held_out())
    takes = apart(tuple(held[int(at)] for at in rng.permutation(len(held))[: options.takes]), rng)
    result: dict[str, Any] = {"encoder": encoder.id, "seconds": options.seconds}
    with tempfile.TemporaryDirectory() as temporary:
        for name, group in GROUPS.items():
            videos = (options.folder or Path(temporary)) / f"{name.replace(' ', '-')}-{options.seconds:g}-{len(takes)}"
            made = make_videos(videos, takes, options.seconds, group)
            table, costs = measure(encoder, videos, made, options.seconds, options.each)
            result[name] = {"words": table, "costs": costs}
            print(f"\nkey frames: {name} ({len(takes)} shots of {options.seconds:g} s)")
            print(f"{'R@1':28}" + "".join(f"{subject:>26}" for subject in table) + f"{'clips':>8}{'wall s':>8}")
            for way in WAYS:
                cells = ""
                for row in table.values():
                    low, high = row[way]["interval"] or (float("nan"),) * 2
                    cells += f"{row[way]['r1']:8.3f}  ({-high:+.3f} {-low:+.3f})"
                print(f"{way:28}{cells}{costs[way]['clips']:8}{costs[way]['wall_s']:8.1f}")
            print(f"goal: no more than {GOAL} below full; in brackets the difference from full, 95 %")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
