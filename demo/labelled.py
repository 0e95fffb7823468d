"""Labelled clips of the demo world, for `probe`, `classify` and their benchmarks: files, labels, splits, prompts.

    python -m demo.labelled --to DIR

Every clip shows a take that the training of the demo encoder never showed. What must not tell a class is balanced:
a motion or a background is shown by other things in training than in the test, a thing by other motions, and the things
of things.csv all stand before one background.

    clips/*.mp4               one take each
    motions.csv               8 classes, 20 examples each to train on; groups are things
    backgrounds.csv           10 classes, 16 each; groups are things
    things.csv                8 classes, 12 each; groups are takes
    both.csv                  18 classes, of which every clip has two, a motion and a background
    NAME_classes.txt, NAME_prompts.txt   the names of the classes, and sentences for them
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import captions, world
from demo.things import THINGS

SEED = 20261129
RATE, FRAMES, HEIGHT, WIDTH = 12, 18, 108, 144
THINGS_A_BACKGROUND = 4
THINGS_TO_TELL_APART, DRAWINGS = 8, 3
PROMPTS = {
    "motions": "a video of something {}.",
    "backgrounds": "a video of something {}.",
    "things": "a video of a {}.",
}

Row = tuple[str, str, str, str]  # file, label, split, group


def whole_background(thing: str) -> str:
    """Return the background before which a thing is held out of training in all motions."""
    held = captions.held_out()
    return next(b for b in world.BACKGROUNDS if all(world.Take(thing, b, m) in held for m in world.MOTIONS))


def motion_label(motion: str) -> str:
    """Return words for a motion that fit its prompt."""
    return captions.MOVING[motion][0]


def background_label(background: str) -> str:
    """Return words for a background that fit its prompt."""
    return captions.PLACES[background][0]


def write_clip(take: world.Take, path: Path, rng: np.random.Generator) -> None:
    """Render a take and write it as H.264."""
    [frames] = world.render([take], frames=FRAMES, height=HEIGHT, width=WIDTH, rng=rng)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes at every run
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def motions_and_backgrounds() -> list[tuple[world.Take, str]]:
    """Return takes and their split: some things of every background, in all motions; half of the things to train on."""
    by_background: dict[str, list[str]] = {}
    for thing in world.THINGS:
        by_background.setdefault(whole_background(thing), []).append(thing)
    return [
        (world.Take(thing, background, motion), "train" if at % 2 == 0 else "test")
        for background in world.BACKGROUNDS
        for at, thing in enumerate(by_background[background][:THINGS_A_BACKGROUND])
        for motion in world.MOTIONS
    ]


def things_to_tell_apart() -> list[tuple[world.Take, str]]:
    """Return takes of things before one background, with their split: half of the motions to train on."""
    background = world.BACKGROUNDS[0]
    things = [thing for thing in world.THINGS if whole_background(thing) == background][:THINGS_TO_TELL_APART]
    return [
        (world.Take(thing, background, motion), "train" if at % 2 == 0 else "test")
        for thing in things
        for at, motion in enumerate(world.MOTIONS)
    ]


def write_table(path: Path, rows: list[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "label", "split", "group"))
        writer.writerows(rows)


def make(folder: Path, *, seed: int = SEED) -> dict[str, int]:
    """Write clips and tables into a folder. Return the number of clips of each table."""
    clips = folder / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[Row]] = {"motions": [], "backgrounds": [], "things": [], "both": []}
    for number, (take, split) in enumerate(motions_and_backgrounds()):
        name = f"{take.thing}_{take.background}_{take.motion}.mp4".replace(" ", "-")
        write_clip(take, clips / name, np.random.default_rng((seed, number)))
        motion, background = motion_label(take.motion), background_label(take.background)
        for table, label in (("motions", motion), ("backgrounds", background), ("both", f"{motion}|{background}")):
            tables[table].append((f"clips/{name}", label, split, take.thing))
    for number, (take, split) in enumerate(things_to_tell_apart()):
        for drawing in range(DRAWINGS):
            name = f"thing_{take.thing}_{take.motion}_{drawing}.mp4".replace(" ", "-")
            write_clip(take, clips / name, np.random.default_rng((seed, 1, number, drawing)))
            label = THINGS[take.thing][1][0]
            tables["things"].append((f"clips/{name}", label, split, f"{take.thing} {take.motion}"))
    for table, rows in tables.items():
        write_table(folder / f"{table}.csv", rows)
        if table in PROMPTS:
            classes = sorted({label for _, label, _, _ in rows})
            (folder / f"{table}_classes.txt").write_text("".join(f"{each}\n" for each in classes), encoding="utf-8")
            (folder / f"{table}_prompts.txt").write_text(f"{PROMPTS[table]}\n", encoding="utf-8")
    return {table: len(rows) for table, rows in tables.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    for table, count in make(args.to, seed=args.seed).items():
        print(f"{count:>5} clips in {table}.csv")


if __name__ == "__main__":
    main()
