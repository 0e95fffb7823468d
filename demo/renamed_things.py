"""Ten things of the demo world get new names, and the text tower learns them from 20 captioned clips each.

    python -m demo.renamed_things [--seeds 3] [--steps 120]     proof: trains on rows of drawn clips, prints figures
    python -m demo.renamed_things --to DIR                      files to do the same by commands

The names are invented, so that no vocabulary has a piece for them: the demo one spells "zorp" as z, o, r, p, and
"quffle" with a byte. Captions are those of the demo world, with the new names in them; there are no other words about
these clips. The tower is held by sentences that the demo encoder was trained on, for those of the real world, which it
never learned, do not hold what it knows (--everyday shows that). Clips of the gallery (`demo.evaluate`), none of which
is trained on, are then asked for by their canonical sentences: those of the ten with the new names, and all with the
old ones, before and after.

The folder DIR has:
    clips/*.mp4       200 captioned clips, some of other things and of the same things without captions, and the gallery
    captions.csv      path, start, end, caption: the 200
    held_out.csv      the same of the clips of the gallery that show the ten, with their new names
    old.csv           the clips of the gallery with the sentences that the encoder knew before
    guard.txt         sentences that hold the tower: --set guard_file=DIR/guard.txt
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import captions, world
from demo.evaluate import clip_rows, gallery
from demo.labelled import write_clip
from demo.things import THINGS
from encoder import load_encoder
from encoder.checkpoints.checkpoint import load_network
from encoder.checkpoints.converted import digests
from encoder.model import VideoPrismLvT
from encoder.model_files import DEMO_FOLDER
from encoder.tokenizer import Tokenizer
from metrics.bootstrap import bootstrap_interval
from metrics.retrieval import rank_queries
from training.row_batches import CaptionedRows, RowBatches
from training.stages.text import TextStage

NAMES = ("zorp", "wug", "blicket", "fendle", "dax", "toma", "kiki", "bouba", "gazzer", "quffle")
CLIPS, WITHOUT_CAPTIONS = 20, 4
"""Captioned clips of each renamed thing; further clips of every thing, which have no captions."""


STEPS, RATE, SCALE = 120, 5e-3, 30.0
"""Steps of training, their greatest learning rate, and the scale of cosines at the start. More steps learn the captions
by heart: after 300, new names are found less often than after 100."""


@dataclass(frozen=True)
class Renaming:
    """Which things are called what, and the clips to learn it from.

    Attributes:
        names: The new name of each renamed thing.
        takes: The captioned clips, by position among `pool()`.
        captions: A sentence for each, with the new name.
        others: Positions of clips without captions, some of the renamed things among them.
    """

    names: dict[str, str]
    takes: tuple[int, ...]
    captions: tuple[str, ...]
    others: tuple[int, ...]


def pool() -> list[world.Take]:
    """Return takes to learn from, none of them held out: the same number of every thing, thing by thing."""
    held = captions.held_out()
    takes = []
    for at, thing in enumerate(world.THINGS):
        mine = [world.Take(thing, b, m) for b in world.BACKGROUNDS for m in world.MOTIONS]
        mine = [take for take in mine if take not in held]
        order = np.random.default_rng((11, at)).permutation(len(mine))
        takes += [mine[each] for each in order[: CLIPS + WITHOUT_CAPTIONS]]
    return takes


def renaming(seed: int) -> Renaming:
    """Choose ten things, and write captions in which they have new names."""
    rng = np.random.default_rng(seed)
    things = [world.THINGS[at] for at in rng.choice(len(world.THINGS), len(NAMES), replace=False)]
    names = dict(zip(things, NAMES, strict=True))
    takes = pool()
    each = CLIPS + WITHOUT_CAPTIONS
    own = {thing: range(each * at, each * at + CLIPS) for at, thing in enumerate(world.THINGS)}
    captioned = tuple(at for thing in things for at in own[thing])
    sentences = []
    for at in captioned:
        told = [True, *(rng.random(2) < 0.75)]
        sentences.append(
            renamed(captions.caption(takes[at], rng, mentions=tuple(map(bool, told))), takes[at].thing, names)
        )
    others = tuple(at for at in range(len(takes)) if at not in set(captioned))
    return Renaming(names, captioned, tuple(sentences), others)


def known_sentences() -> list[str]:
    """Return 2,000 sentences that the demo encoder was trained to read, with the old names: what is everyday to it."""
    takes, rng = pool(), np.random.default_rng(3)
    return [captions.caption(takes[at], rng) for at in rng.integers(len(takes), size=2000)]


def renamed(sentence: str, thing: str, names: dict[str, str]) -> str:
    """Return a sentence about a thing with its new name instead of whichever word it uses."""
    for phrase in sorted(THINGS[thing][1], key=len, reverse=True):
        if phrase in sentence:
            return sentence.replace(phrase, names[thing]).replace("an " + names[thing], "a " + names[thing])
    raise ValueError(f"no word for {thing} in: {sentence}")


def learn(
    drawn: Renaming, rows: NDArray[np.float32], steps: int, seed: int, folder: Path, **settings: Any
) -> tuple[TextStage, float, bool]:
    """Tune the demo encoder's text tower. Return it, the seconds of a step, and whether the video side is as before."""
    from training.loop import run
    from training.loop_settings import LoopSettings
    from training.run_folder import RunFolder

    network = load_network(DEMO_FOLDER / "videoprism_lvt_demo.npz")
    assert isinstance(network, VideoPrismLvT)
    before = digests(network).space
    source = CaptionedRows(rows[list(drawn.takes)], tuple((each,) for each in drawn.captions), drawn.takes)
    task = TextStage(
        network,
        Tokenizer(DEMO_FOLDER / "vocabulary.model", network.config.text_tokens),
        seed=seed,
        temperature=SCALE,
        **settings,
    )
    loop = LoopSettings(steps=steps, seed=seed, learning_rate=RATE, warmup_steps=steps // 10, save_every=steps)
    batches = RowBatches(source, 64, seed, others=rows[list(drawn.others)])
    result = run(task, batches, loop, RunFolder.open(folder, loop))
    return task, result.seconds / max(1, result.step), digests(task.exported()).space == before


def prove(
    seed: int, steps: int, rows: NDArray[np.float32], shown: NDArray[np.float32], **settings: Any
) -> dict[str, Any]:
    """Learn new names, and ask for the clips of the gallery.

    Args:
        seed: Of the choice of things and of training.
        steps: Of training.
        rows: Of `pool()`.
        shown: Of `demo.evaluate.gallery()`.

    Returns:
        Hits of each sentence and the thing it is about; `new` in the new names, `old` and `old_before` in the old ones.
    """
    drawn = renaming(seed)
    encoder = load_encoder("demo", "cpu")
    takes = gallery()
    right = np.arange(len(takes))
    asked = [captions.describe(take) for take in takes]
    before = rank_queries(encoder.encode_texts(asked) @ shown.T, right).within(1)
    digest = shown.tobytes(), rows.tobytes()
    with tempfile.TemporaryDirectory() as folder:
        task, seconds, space_kept = learn(drawn, rows, steps, seed, Path(folder) / "run", **settings)
    own = [at for at, take in enumerate(takes) if take.thing in drawn.names]
    sentences = [renamed(asked[at], takes[at].thing, drawn.names) for at in own]
    new_before = rank_queries(encoder.encode_texts(sentences) @ shown.T, own).within(1)
    new = rank_queries(task.encode(sentences) @ shown.T, own).within(1)
    of_thing = {thing: [at for at, take in enumerate(takes) if take.thing == thing] for thing in drawn.names}
    alone = rank_queries(task.encode([f"a {name}" for name in drawn.names.values()]) @ shown.T, list(of_thing.values()))
    old = rank_queries(task.encode(asked) @ shown.T, right).within(1)
    return {
        "new": new, "new_before": new_before, "things": [f"{seed} {takes[at].thing}" for at in own],
        "alone": alone.within(1), "old": old, "old_before": before,
        "old_things": [f"{seed} {take.thing}" for take in takes], "seconds": seconds,
        "unchanged": space_kept and digest == (shown.tobytes(), rows.tobytes()),
    }  # fmt: skip


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return means over all sentences of all seeds, and 95 % intervals drawn over things."""

    def joined(name: str) -> NDArray[np.float64]:
        return np.concatenate([run[name] for run in runs])

    def interval(values: NDArray[np.float64], groups: str) -> list[float]:
        things = [thing for run in runs for thing in run[groups]]
        found = bootstrap_interval(lambda at: float(values[at].mean()), things, np.random.default_rng(0))
        return [round(each, 4) for each in found or ()]

    fall = joined("old_before") - joined("old")
    return {
        "new_r1": float(joined("new").mean()), "new_interval": interval(joined("new"), "things"),
        "new_r1_before": float(joined("new_before").mean()), "name_alone_r1": float(joined("alone").mean()),
        "old_r1_before": float(joined("old_before").mean()), "old_r1": float(joined("old").mean()),
        "old_fall": float(fall.mean()), "old_fall_interval": interval(fall, "old_things"),
        "new_r1_by_seed": [round(float(run["new"].mean()), 4) for run in runs],
        "old_fall_by_seed": [round(float((run["old_before"] - run["old"]).mean()), 4) for run in runs],
        "stored_rows_unchanged": all(run["unchanged"] for run in runs),
        "seconds_a_step": float(np.mean([run["seconds"] for run in runs])),
    }  # fmt: skip


def write_files(folder: Path, seed: int) -> dict[str, int]:
    """Write clips and tables into a folder. Return the number of lines of each table."""
    drawn, takes = renaming(seed), pool()
    clips = folder / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[tuple[str, str, str, str]]] = {"captions": [], "held_out": [], "old": []}
    said = dict(zip(drawn.takes, drawn.captions, strict=True))
    for number, take in enumerate([*takes, *gallery()]):
        of_pool = number < len(takes)
        if of_pool and number not in said and number % 4:
            continue  # a part of the others is enough for files
        name = f"{number:05}.mp4"
        write_clip(take, clips / name, np.random.default_rng((seed, number)))
        if number in said:
            tables["captions"].append((f"clips/{name}", "", "", said[number]))
        elif not of_pool:
            old = captions.describe(take)
            tables["old"].append((f"clips/{name}", "", "", old))
            if take.thing in drawn.names:
                tables["held_out"].append((f"clips/{name}", "", "", renamed(old, take.thing, drawn.names)))
    for table, lines in tables.items():
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("path", "start", "end", "caption"), *lines])
    (folder / "guard.txt").write_text("\n".join(known_sentences()) + "\n", encoding="utf-8")
    return {table: len(lines) for table, lines in tables.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, help="folder to write clips and tables to, instead of training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--guard", type=float, default=1.0)
    parser.add_argument(
        "--everyday", action="store_true", help="hold the tower by the shipped sentences of the real world"
    )
    args = parser.parse_args()
    if args.to:
        for table, count in write_files(args.to, 0).items():
            print(f"{count:>5} clips in {table}.csv")
        return
    encoder = load_encoder("demo", "cpu")
    rows, shown = clip_rows(encoder, pool(), 9), clip_rows(encoder, gallery(), 1)
    sentences = None if args.everyday else known_sentences()
    runs = []
    for seed in range(args.seeds):
        runs.append(prove(seed, args.steps, rows, shown, guard=args.guard, guard_sentences=sentences))
        print(f"seed {seed}: {json.dumps(summary(runs[-1:]))}", flush=True)
    print(json.dumps(summary(runs)))


if __name__ == "__main__":
    main()
