"""Fusion of picture and words: how often the right shot is first, by each channel alone and fused.

    python -m benchmarks.text_fusion [--seeds 4] [--first 8] [--shots 320] [--each 40] [--others 3 6] [--weights]

For each seed a library is made of held-out takes of the demo world, painted and embedded by the demo encoder (without
files between), with a subtitle in every shot and writing in every third, of made-up words. Each question has words for
the picture and one word that is looked for in what is said and in what is written. In its group, the answer is

    picture            in the picture: half of the words are found nowhere, the others in --others other shots
    said, written      in the text alone: no shot shows what is asked for (sentences, words and plain questions)
    picture+said, ...  in two channels: each of them also finds --others other shots, and only the target has both
    several said       in what is said in --others shots, all of which are right, and no shot shows what is asked for

The right shot is first (R@1) or not; for a question of the picture alone, any shot that shows it is right. Fused must
never be worse than the best channel by more than 0.02. That leaves out the last group, which is the mirror of the
first: whether the words or the picture are there by chance, only the strength of the picture can tell. It prints a
table, then JSON; --weights tells the fused figures for other weights of text.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks._quality_library import Cut, open_engine
from benchmarks._text_library import LANGUAGES
from db.library import Library
from db.timed_text import TextSource, TimedLine
from demo import questions
from demo.evaluate import clip_rows
from encoder import Encoder, load_encoder
from search.engine import SearchEngine
from search.fused import TEXT_WEIGHT, FusedQuery
from search.fusion import find_fused
from search.query import Query, TextTerm
from search.text.matches import TextPart

GROUPS = ("picture", "said", "written", "picture+said", "picture+written", "said+written")
MIRROR = "several said"
CHANNELS = ("picture", "said", "written")
SHOT_MS = 2000
SHOTS_A_VIDEO = 8
WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Question:
    """Words for the picture, a word for the text, and the numbers of the shots that are right."""

    group: str
    picture: str
    word: str
    right: frozenset[int]


class Script:
    """What is said and written in each shot: made-up words, and those that are planted."""

    def __init__(self, shots: int, rng: np.random.Generator) -> None:
        cues = LANGUAGES[0].cues(2 * shots, rng)
        self.said = [[next(cues)] for _ in range(shots)]
        self.written = [[next(cues)] if at % 3 == 0 else [] for at in range(shots)]
        self._words = 0

    def new_word(self) -> str:
        """Return a word that is nowhere: the made-up language has no q and x."""
        self._words += 1
        return f"qx{self._words}qx"

    def plant(self, channel: str, word: str, shots: Any) -> None:
        """Say or write a word in shots."""
        for shot in shots:
            getattr(self, channel)[int(shot)].append(word)

    def store(self, library: Library, video_ids: list[int]) -> None:
        """Store the lines of all videos."""
        for number, video in enumerate(video_ids):
            first = number * SHOTS_A_VIDEO
            for kind, texts in (("subtitle", self.said), ("screen", self.written)):
                lines = [
                    TimedLine(at * SHOT_MS + 200, at * SHOT_MS + 1800, " ".join(each))
                    for at, each in enumerate(texts[first : first + SHOTS_A_VIDEO])
                    if each
                ]
                library.texts.replace(video, TextSource(kind=kind, origin="made"), lines)  # type: ignore[arg-type]


def make_questions(
    content: questions.World[Any], script: Script, rng: np.random.Generator, each: int, others: tuple[int, int]
) -> list[Question]:
    """Return the questions of all groups, with their words planted, also in some other shots (fewest, most)."""
    takes = content.takes
    every = np.arange(len(takes))
    present = questions.present_questions(content, rng, 4 * each)
    absent = [one.text for one in questions.absent_questions(content, rng, each)]
    sentences = [one for one in present if one.kind == "sentence"]
    shared = [one for one in present if one.kind != "sentence" and _answers(one, takes).size >= 4]

    def some(without: Any) -> Any:
        return rng.choice(np.setdiff1d(every, without), rng.integers(others[0], others[1] + 1), replace=False)

    found: list[Question] = []
    for number, one in enumerate(sentences[:each]):
        right, word = _answers(one, takes), script.new_word()
        if number % 2:
            script.plant("said", word, some(right))
        found.append(Question("picture", one.text, word, frozenset(right.tolist())))
    for channel in ("said", "written"):
        for at in rng.choice(len(absent), min(each, len(absent)), replace=False):
            target, word = int(rng.integers(len(takes))), script.new_word()
            script.plant(channel, word, [target])
            found.append(Question(channel, absent[at], word, frozenset({target})))
        for at in rng.choice(len(shared), min(each, len(shared)), replace=False):
            answers, word = _answers(shared[at], takes), script.new_word()
            target = int(rng.choice(answers))
            script.plant(channel, word, [target, *some(answers)])
            found.append(Question(f"picture+{channel}", shared[at].text, word, frozenset({target})))
    for at in rng.choice(len(absent), min(each, len(absent)), replace=False):
        target, word = int(rng.integers(len(takes))), script.new_word()
        said = some([target])
        script.plant("said", word, [target, *said])
        script.plant("written", word, [target, *some([target, *said])])
        found.append(Question("said+written", absent[at], word, frozenset({target})))
    for at in rng.choice(len(absent), min(each, len(absent)), replace=False):
        said, word = some([]), script.new_word()
        script.plant("said", word, said)
        found.append(Question(MIRROR, absent[at], word, frozenset(said.tolist())))
    return found


def _answers(question: questions.Question[Any], takes: Any) -> Any:
    return np.array([at for at, take in enumerate(takes) if question.answered_by(take)])


def first_hits(engine: SearchEngine, asked: Question, weights: tuple[float, ...]) -> dict[str, bool]:
    """Return whether the first hit is right: of each channel, of ranks fused, and fused by strength at each weight."""
    picture = Query((TextTerm(asked.picture),))
    said, written = TextPart(asked.word, ("subtitle", "speech")), TextPart(asked.word, ("screen",))

    def right(*texts: TextPart, shown: Query | None = None, **options: Any) -> bool:
        hits = find_fused(engine.library, FusedQuery(texts=texts, picture=shown, k=1, **options), engine).hits
        return bool(hits) and _number(hits[0]) in asked.right

    found = {"picture": _number(engine.search(picture)[0]) in asked.right}
    found |= {"said": right(said), "written": right(written)}
    found["ranks"] = right(said, written, shown=picture, by_ranks=True)
    for weight in weights:
        found[f"{weight:g}"] = right(said, written, shown=picture, text_weight=weight)
    return found


def _number(hit: Any) -> int:
    segment = getattr(hit, "hit", hit).segment
    return int(Path(hit.video.path).stem) * SHOTS_A_VIDEO + int(segment.number)


def ask_library(
    encoder: Encoder, seed: int, shots: int, each: int, others: tuple[int, int], weights: tuple[float, ...]
) -> list[tuple[str, dict[str, bool]]]:
    """Make a library and ask its questions; return the group of each and what came first."""
    content = questions.make_world(seed, shots)
    rng = np.random.default_rng((seed, 18))
    rows = clip_rows(encoder, list(content.takes), seed)
    script = Script(shots, rng)
    asked = make_questions(content, script, rng, each, others)
    starts = range(0, shots, SHOTS_A_VIDEO)
    cuts = [
        Cut(f"/made/{at // SHOTS_A_VIDEO:04d}.mp4", (2.0,) * len(some), some)
        for at in starts
        if len(some := rows[at : at + SHOTS_A_VIDEO])
    ]
    with TemporaryDirectory() as directory:
        engine = open_engine(Path(directory), encoder, cuts)
        with engine.library as library:
            script.store(library, [video.id or 0 for video in sorted(library.videos(), key=lambda each: each.path)])
            return [(one.group, first_hits(engine, one, weights)) for one in asked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4, help="Libraries.")
    parser.add_argument("--first", type=int, default=8, help="Seed of the first library.")
    parser.add_argument("--shots", type=int, default=320, help="Shots of each.")
    parser.add_argument("--each", type=int, default=40, help="Questions of a group in each library, at most.")
    parser.add_argument("--others", type=int, nargs=2, default=(3, 6), help="Other shots of a word: fewest, most.")
    parser.add_argument("--weights", action="store_true", help="Also other weights of text.")
    options = parser.parse_args()
    weights: tuple[float, ...] = WEIGHTS if options.weights else (TEXT_WEIGHT,)
    encoder = load_encoder("demo")
    found: dict[str, list[dict[str, bool]]] = defaultdict(list)
    for seed in range(options.first, options.first + options.seeds):
        for group, firsts in ask_library(encoder, seed, options.shots, options.each, tuple(options.others), weights):
            found[group].append(firsts)
    ways = [*CHANNELS, "ranks", *(f"{weight:g}" for weight in weights)]
    figures = {
        group: {way: float(np.mean([one[way] for one in found[group]])) for way in ways} for group in (*GROUPS, MIRROR)
    }
    mirror = {MIRROR: figures.pop(MIRROR)}
    figures["all"] = {way: float(np.mean([one[way] for group in GROUPS for one in found[group]])) for way in ways}
    names = {f"{TEXT_WEIGHT:g}": f"fused {TEXT_WEIGHT:g}"}
    print(f"{'R@1, answer in':18}{'questions':>10}" + "".join(f"{names.get(way, way):>11}" for way in ways))
    for group, of in (figures | mirror).items():
        count = sum(len(found[each]) for each in (GROUPS if group == "all" else (group,)))
        print(f"{group:18}{count:10}" + "".join(f"{of[way]:11.3f}" for way in ways))
    fused = f"{TEXT_WEIGHT:g}"
    worst = min(of[fused] - max(of[channel] for channel in CHANNELS) for of in figures.values())
    print(f"\nfused against the best channel, at worst: {worst:+.3f} (goal: no less than -0.02)")
    result = {
        "seeds": options.seeds,
        "first": options.first,
        "shots": options.shots,
        "others": options.others,
        "text_weight": TEXT_WEIGHT,
        "worst": round(worst, 4),
    }
    print(json.dumps(result | {"recall_at_1": figures | mirror}))


if __name__ == "__main__":
    main()
