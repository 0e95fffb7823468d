"""Videos of takes joined into one shot, and questions for their moments, as `prismsearch bench moments` reads them.

    python -m demo.joined_takes --to DIR
    prismsearch bench moments --videos DIR/things --questions DIR/things.csv --one-shot

Every take is one that the training of the demo encoder never showed, and every take is asked for.

    things/, things.csv       three takes of three things before three backgrounds
    motions/, motions.csv     three motions of one thing before one background
    whole/, whole.csv         one take for the whole video: all of it is the answer
    long/, long.csv           ten minutes without a cut: 40 takes, and between them another thing that rests
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import captions, world
from demo.labelled import whole_background
from demo.world import Take

SEED = 20261130
RATE, HEIGHT, WIDTH = 12, 108, 144
VIDEOS = 40  # of three takes
EVENTS, LONG_SECONDS = 40, 600.0

Part = tuple[Take, float]
"""A take and its length in seconds."""


def three_things(count: int, rng: np.random.Generator) -> list[list[Part]]:
    """Return videos of three takes that share neither thing nor background."""
    pool = sorted(captions.held_out())
    videos: list[list[Part]] = []
    while len(videos) < count:
        takes = [pool[int(at)] for at in rng.integers(len(pool), size=3)]
        if len({take.thing for take in takes}) == len({take.background for take in takes}) == 3:
            videos.append([(take, _length(rng)) for take in takes])
    return videos


def three_motions(count: int, rng: np.random.Generator) -> list[list[Part]]:
    """Return videos of one thing before one background in three motions."""
    videos: list[list[Part]] = []
    for thing in rng.permutation(world.THINGS)[:count]:
        motions = rng.permutation(world.MOTIONS)[:3]
        background = whole_background(str(thing))
        videos.append([(Take(str(thing), background, str(motion)), _length(rng)) for motion in motions])
    return videos


def whole_takes(count: int, rng: np.random.Generator) -> list[list[Part]]:
    """Return videos of a single take."""
    pool = sorted(captions.held_out())
    return [[(pool[int(at)], 3 * _length(rng))] for at in rng.choice(len(pool), count, replace=False)]


def long_take(rng: np.random.Generator) -> list[Part]:
    """Return a video of EVENTS takes of different things, and between them one thing that rests."""
    things = [str(thing) for thing in rng.permutation(world.THINGS)[: EVENTS + 1]]
    rest = Take(things.pop(), "white", "still")
    lengths = [float(rng.uniform(3, 8)) for _ in things]
    gaps = rng.dirichlet(np.full(EVENTS + 1, 8.0)) * (LONG_SECONDS - sum(lengths))
    moving = [motion for motion in world.MOTIONS if motion != "still"]
    parts: list[Part] = [(rest, float(gaps[0]))]
    for thing, length, gap in zip(things, lengths, gaps[1:], strict=True):
        parts += [(Take(thing, whole_background(thing), str(rng.choice(moving))), length), (rest, float(gap))]
    return parts


def _length(rng: np.random.Generator) -> float:
    return float(rng.uniform(2, 4))


def frames_of(parts: Iterable[Part], rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of takes, uint8 (HEIGHT, WIDTH, 3), one take after the other."""
    for take, seconds in parts:
        count = frame_count(seconds)
        staging = world.stage([take], rng)
        for start in range(0, count, 64):
            times = np.arange(start, min(count, start + 64), dtype=np.float32)[None] / count
            yield from world.draw(staging, times, HEIGHT, WIDTH)[0]


def frame_count(seconds: float) -> int:
    """Return the number of pictures of a take."""
    return max(2, round(seconds * RATE))


def write_video(parts: Iterable[Part], path: Path, rng: np.random.Generator) -> None:
    """Draw takes, one after the other, as H.264."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes at every run
        for pixels in frames_of(parts, rng):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def questions_of(name: str, parts: list[Part], rng: np.random.Generator) -> Iterator[tuple[str, str, str, str]]:
    """Yield question, file, start and end of each take of a video; what rests between others is not asked for."""
    asked = [take for take, _ in parts]
    start = 0
    for take, seconds in parts:
        end = start + frame_count(seconds)
        if asked.count(take) == 1:
            yield captions.caption(take, rng), name, f"{start / RATE:.6f}", f"{end / RATE:.6f}"
        start = end


def make(folder: Path, *, seed: int = SEED, videos: int = VIDEOS, long: int = 1) -> dict[str, int]:
    """Write videos and tables into a folder. Return the number of questions of each table.

    Args:
        folder: Where.
        seed: Of all randomness.
        videos: Videos of each short kind.
        long: Videos of ten minutes.
    """
    rng = np.random.default_rng(seed)
    kinds = {
        "things": three_things(videos, rng),
        "motions": three_motions(videos, rng),
        "whole": whole_takes(videos, rng),
        "long": [long_take(rng) for _ in range(long)],
    }
    counts = {}
    for kind, each in kinds.items():
        if not each:
            continue
        (folder / kind).mkdir(parents=True, exist_ok=True)
        rows: list[tuple[str, str, str, str]] = []
        for number, parts in enumerate(each):
            name = f"{kind}_{number:03}.mp4"
            write_video(parts, folder / kind / name, rng)
            rows += questions_of(name, parts, rng)
        with (folder / f"{kind}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("question", "file", "start", "end"))
            writer.writerows(rows)
        counts[kind] = len(rows)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="folder to write to")
    parser.add_argument("--videos", type=int, default=VIDEOS, help="videos of each short kind")
    parser.add_argument("--long", type=int, default=1, help="videos of ten minutes")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    for kind, count in make(args.to, seed=args.seed, videos=args.videos, long=args.long).items():
        print(f"{count:>5} questions in {kind}.csv")


if __name__ == "__main__":
    main()
