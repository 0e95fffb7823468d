"""Rushes: set-ups of the grown world, each run several times, with copies of runs and shots that only look like them.

A *set-up* is a scene with its place, framing, light and path. A *run* of it repeats the path with small differences: it
begins later, goes faster or slower, lies a little elsewhere, in slightly other light. For each set-up there are

    take            runs of it, of which one is also there as a copy: smaller, compressed hard
    other thing     something else in its place, on the same path
    elsewhere       the same thing, on the same path, in another place
    other framing   the same thing in the same kind of place, seen from elsewhere: nearer or further away
    continued       one run of another set-up that goes on: its first half, and its second half in a later shot

Half of the takes are files of their own, as cameras write them, the others are cut together. `shots.csv` beside the
folder `videos` tells what each shot is. With `--handheld`, every shot is filmed from the hand: the camera drifts and
shakes, and its zoom is a little other in every run.

    python -m demo.set_ups --to DIR [--seed 8] [--set-ups 10] [--handheld 2]
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path as FilePath
from typing import Any

import av
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

ROOT = FilePath(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import film, painting, paths, world
from demo.paths import Floats, Path, Staging
from demo.scenes import CAMERAS, Scene, one

RATE, HEIGHT, WIDTH = 15, 180, 320
SCENERY: tuple[str, ...] = ("starry night", "brick wall")
"""Backgrounds before which the camera moves: a shift by one wave or square of the others looks like a cut."""
TAKES = (3, 4)  # of a set-up, fewest and most
ACTS: tuple[str, ...] = (
    "left", "right", "rise", "fall", "still", "grow", "shrink", "spin", "zigzag", "bounce", "circle", "appear",
)  # fmt: skip
SECONDS = (2.5, 4.0)
SHOTS, VIDEOS = "shots.csv", "videos"
_BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass(frozen=True)
class SetUp:
    """A scene as it is staged and filmed: a Staging and a Look of one row each."""

    scene: Scene
    staging: Staging
    look: film.Look
    seconds: float


@dataclass(frozen=True)
class Shot:
    """A shot of the rushes.

    Attributes:
        kind: As above; "copy" for the copy of a take.
        set_up: The number of the set-up that it is a shot of.
        run: Which run it shows; shots of one run are copies, or parts of one.
        pictures: uint8 (T, HEIGHT, WIDTH, 3).
    """

    kind: str
    set_up: int
    run: int
    pictures: NDArray[np.uint8]


@dataclass(frozen=True)
class Rush:
    """A file: its name, its shots, and when it was recorded."""

    name: str
    shots: tuple[Shot, ...]
    recorded: datetime
    is_copy: bool = False


def draw_set_up(rng: np.random.Generator, *, thing: str | None = None, cameras: float = 0.2) -> SetUp:
    """Draw a set-up. `cameras` is the share of those whose camera moves."""
    moving = rng.random() < cameras
    background = str(rng.choice(SCENERY if moving else world.BACKGROUNDS))
    camera = str(rng.choice(CAMERAS[1:])) if moving else "fixed"
    act = str(rng.choice(("still", "spin", "left", "right") if moving else ACTS))
    scene = one(thing or str(rng.choice(world.THINGS)), background, act, camera=camera)
    return _staged(scene, rng)


def _staged(scene: Scene, rng: np.random.Generator) -> SetUp:
    look = film.look(1, rng)
    look = replace(
        look,
        texture=np.maximum(look.texture, np.float32(0.08)),  # walls of one colour are told apart by what is on them
        blur=np.zeros(1, bool),
        flicker=np.zeros(1, np.float32),
        grain=np.zeros(1, np.float32),
    )
    staging = paths.stage([scene], rng, WIDTH / HEIGHT)
    return SetUp(scene, staging, look, float(rng.uniform(*SECONDS)))


def with_thing(set_up: SetUp, rng: np.random.Generator) -> SetUp:
    """Return a set-up with another thing in it, on the same path."""
    (actor,) = set_up.scene.actors
    thing = str(rng.choice([each for each in world.THINGS if each != actor.thing]))
    return _as(set_up, replace(set_up.scene, actors=(replace(actor, thing=thing),)))


def elsewhere(set_up: SetUp, rng: np.random.Generator) -> SetUp:
    """Return a set-up with its thing before another background."""
    moving = set_up.scene.camera != "fixed"
    choice = [each for each in (SCENERY if moving else world.BACKGROUNDS) if each != set_up.scene.background]
    scene = replace(set_up.scene, background=str(rng.choice(choice)))
    other = _staged(scene, rng)
    return replace(other, staging=replace(other.staging, paths=set_up.staging.paths, views=set_up.staging.views))


def reframed(set_up: SetUp, rng: np.random.Generator) -> SetUp:
    """Return a set-up of the same thing and kind of background, seen from elsewhere."""
    other = _staged(set_up.scene, rng)
    near = float(rng.choice((-1, 1)) * rng.uniform(np.log(1.3), np.log(1.6)))
    shift = rng.uniform(0.05, 0.12, 2) * rng.choice((-1, 1), 2)
    (path,) = set_up.staging.paths[0]

    def seen(times: Floats) -> Floats:
        pose = path(times)
        pose[:, :2] += shift
        pose[:, 2] += near
        return pose

    staging = replace(other.staging, paths=((seen,),), views=set_up.staging.views, tint=set_up.staging.tint)
    return replace(other, staging=staging)


def _as(set_up: SetUp, scene: Scene) -> SetUp:
    return replace(set_up, scene=scene, staging=replace(set_up.staging, scenes=(scene,)))


def pictures_of(set_up: SetUp, rng: np.random.Generator, handheld: float = 0.0) -> NDArray[np.uint8]:
    """Film a run: uint8 (T, HEIGHT, WIDTH, 3). `handheld`: see `_from_the_hand`."""
    staging = replace(
        set_up.staging,
        paths=((_repeated(set_up.staging.paths[0][0], rng),),),
        views=(None if set_up.staging.views[0] is None else _retimed(set_up.staging.views[0], rng),),
        tint=set_up.staging.tint * rng.uniform(0.985, 1.015, 3).astype(np.float32),
    )
    count = round(set_up.seconds * float(rng.uniform(0.87, 1.15)) * RATE)
    times = (np.arange(count) + 0.5)[None] / count
    if handheld:
        wider = 1 / (1 - 8 * handheld)
        seen = painting.paint(staging, times, round(HEIGHT * wider), round(WIDTH * wider), set_up.look)
        seen = _from_the_hand(seen, 1 / wider, handheld, rng)
    else:
        seen = painting.paint(staging, times, HEIGHT, WIDTH, set_up.look)
    return _exposed(seen, set_up.look, rng)


def _from_the_hand(pictures: torch.Tensor, part: float, by: float, rng: np.random.Generator) -> torch.Tensor:
    """Return what a camera in the hand sees of pictures (1, T, 3, H, W): (1, T, 3, HEIGHT, WIDTH).

    Args:
        pictures: More than it sees.
        part: The share of them that it sees.
        by: Share of the frame: it stands so far from where it should, at most, in every run, drifts by as much within
            the run, and shakes by a quarter of that; zoom differs by half as much.
        rng: The source of all randomness.
    """
    count = pictures.shape[1]
    seconds = np.arange(count) / RATE
    place = np.empty((count, 2))
    for axis in range(2):
        drift = np.sin(2 * np.pi * (rng.uniform(0.1, 0.3) * seconds + rng.random()))
        shake = np.sin(2 * np.pi * (np.outer(seconds, rng.uniform(1, 4, 3)) + rng.random(3))).mean(axis=1)
        place[:, axis] = rng.uniform(-by, by) + by * drift + by / 4 * shake
    zoom = 1 + rng.uniform(-by, by) / 2
    across, down = np.meshgrid(*(zoom * (2 * np.arange(side) + 1 - side) / side for side in (WIDTH, HEIGHT)))
    grid = part * (np.stack([across, down], axis=-1)[None] + 2 * place[:, None, None])
    seen = F.grid_sample(
        pictures[0], torch.from_numpy(grid.astype(np.float32)), mode="bilinear", padding_mode="border",
        align_corners=False,
    )  # fmt: skip
    return seen[None]


def _retimed(path: Path, rng: np.random.Generator) -> Path:
    """Return a path that begins later, ends earlier, and goes unevenly."""
    begin, end, bend = float(rng.uniform(0, 0.15)), float(rng.uniform(0.87, 1)), float(rng.uniform(-0.09, 0.09))

    def retimed(times: Floats) -> Floats:
        share = np.clip((times - begin) / (end - begin), 0, 1)
        return path(share + bend * np.sin(np.pi * share))

    return retimed


def _repeated(path: Path, rng: np.random.Generator) -> Path:
    """Return a path as somebody goes it once more."""
    other = _retimed(path, rng)
    shift = rng.uniform(0.012, 0.035, 2) * rng.choice((-1, 1), 2)
    far, size, turn = float(rng.uniform(0.9, 1.1)), float(rng.normal(0, 0.03)), float(rng.normal(0, 0.05))
    middle = path(np.linspace(0, 1, 33))[:, :2].mean(axis=0)

    def repeated(times: Floats) -> Floats:
        pose = other(times)
        pose[:, :2] = middle + far * (pose[:, :2] - middle) + shift
        pose[:, 2] += size
        pose[:, 3] += turn
        return pose

    return repeated


def _exposed(pictures: torch.Tensor, look: film.Look, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return pictures (1, T, 3, H, W) as uint8 (T, H, W, 3): the light of the set, a little other at every run."""
    clip = pictures[0]
    down = torch.linspace(-1, 1, clip.shape[-2])[:, None]
    across = torch.linspace(-1, 1, clip.shape[-1])[None]
    right, low = (float(part) for part in look.slope[0])
    clip *= (1 + right * across + low * down) * (1 - float(look.vignette[0]) * (across**2 + down**2) / 2)
    cast = look.cast[0] * rng.uniform(0.96, 1.04) * rng.uniform(0.99, 1.01, 3)
    clip *= torch.from_numpy(cast.astype(np.float32))[:, None, None]
    clip += 0.015 * torch.from_numpy(rng.standard_normal(tuple(clip.shape), dtype=np.float32))
    return clip.mul_(255).round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def smaller(pictures: NDArray[np.uint8], share: float = 0.6) -> NDArray[np.uint8]:
    """Return pictures at a share of their size, with even sides."""
    height, width = (2 * round(side * share / 2) for side in pictures.shape[1:3])
    tensor = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    small = F.interpolate(tensor, (height, width), mode="bilinear", antialias=True)
    return small.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def rushes(count: int, rng: np.random.Generator, handheld: float = 0.0) -> Iterator[Rush]:
    """Yield the files of `count` set-ups and of what looks like them, each thing in one set-up only."""
    things = [str(thing) for thing in rng.permutation(world.THINGS)[: 2 * count]]
    clock, run = _BEGIN, 0
    for number in range(count):
        set_up = draw_set_up(rng, thing=things[number])
        takes = []
        for _ in range(int(rng.integers(TAKES[0], TAKES[1] + 1))):
            takes.append(Shot("take", number, run, pictures_of(set_up, rng, handheld)))
            run += 1
        others = []
        for at, (kind, change) in enumerate(
            (("other thing", with_thing), ("elsewhere", elsewhere), ("other framing", reframed))
        ):
            others.append(Shot(kind, count * (at + 2) + number, run, pictures_of(change(set_up, rng), rng, handheld)))
            run += 1
        going = draw_set_up(rng, thing=things[count + number], cameras=0.0)
        whole = pictures_of(replace(going, seconds=2 * going.seconds), rng, handheld)
        halves = [Shot("continued", count + number, run, part) for part in np.array_split(whole, 2)]
        run += 1
        copied = takes[int(rng.integers(len(takes)))]
        if number % 2:  # cut together, never one shot of a place after another one of it
            other_thing, other_place, other_framing = others
            between = [other_place, halves[0], other_framing, halves[1]]
            here = [takes[0], other_thing, *takes[1:]]
            first = tuple(shot for pair in zip_longest(here, between) for shot in pair if shot is not None)
            files: list[tuple[Shot, ...]] = [first]
        else:
            files = [*((shot,) for shot in (*takes, *others)), (halves[0],), (halves[1],)]
        for at, shots in enumerate(files):
            yield Rush(f"{number:03}_{at:02}.mp4", shots, clock)
            seconds = sum(len(shot.pictures) for shot in shots) / RATE
            goes_on = shots[-1].kind == "continued" and shots[-1] is halves[0]
            clock += timedelta(seconds=seconds if goes_on else 40 + seconds)
        yield Rush(f"{number:03}_copy.mp4", (replace(copied, kind="copy", pictures=smaller(copied.pictures)),), clock,
                   is_copy=True)  # fmt: skip
        clock += timedelta(minutes=10)


def write(rush: Rush, folder: FilePath) -> None:
    """Write a file as H.264."""
    height, width = rush.shots[0].pictures.shape[1:3]
    with av.open(str(folder / rush.name), "w") as container:
        container.metadata["creation_time"] = rush.recorded.isoformat().replace("+00:00", "Z")
        options = {"preset": "veryfast", "crf": "33" if rush.is_copy else "20"}
        stream: Any = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes at every run
        for shot in rush.shots:
            for pixels in shot.pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def make(folder: FilePath, *, seed: int, set_ups: int, handheld: float = 0.0) -> None:
    """Write rushes into a folder, unless they are there: `videos`, and `shots.csv` with file, start, end, kind, set-up
    and run of every shot."""
    if (folder / SHOTS).exists():
        return
    (folder / VIDEOS).mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str | int, ...]] = []
    for rush in rushes(set_ups, np.random.default_rng(seed), handheld):
        write(rush, folder / VIDEOS)
        start = 0
        for shot in rush.shots:
            end = start + len(shot.pictures)
            rows.append((rush.name, f"{start / RATE:.6f}", f"{end / RATE:.6f}", shot.kind, shot.set_up, shot.run))
            start = end
    with (folder / SHOTS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "start", "end", "kind", "set_up", "run"))
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=FilePath, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--set-ups", type=int, default=10)
    parser.add_argument(
        "--handheld", type=float, default=0.0, help="per cent of the frame that the camera is elsewhere"
    )
    args = parser.parse_args()
    make(args.to, seed=args.seed, set_ups=args.set_ups, handheld=args.handheld / 100)


if __name__ == "__main__":
    main()
