"""The server killed under load: what workers and a searcher are told, when they go on, and that nothing is lost."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

from benchmarks._clustered_rows import SHOTS_A_VIDEO
from benchmarks._scale_server import Server
from benchmarks._scale_worker import Done, Work, path_of
from benchmarks._scale_workers import at_work
from db.library import Library

_LOAD_SECONDS = 5.0  # before each kill, within which all have gone on
_DOWN_SECONDS = 0.5


def measure(server: Server, place: str, folder: str, kills: int, workers: int, shot_seconds: float) -> dict[str, Any]:
    """Kill the server that often while workers index and one process searches; compare the library with their word.

    Args:
        server: The server.
        place: A library on it.
        folder: The folder of the videos, below which the library has none yet.
        kills: How often.
        workers: How many.
        shot_seconds: What a shot takes them.
    """
    work = Work(place=place, folder=folder, workers=workers, shots=SHOTS_A_VIDEO, shot_seconds=shot_seconds)
    times: list[tuple[float, float, float]] = []
    with at_work(work, searchers=1) as crew:
        for _ in range(kills):
            time.sleep(_LOAD_SECONDS)
            killed = time.monotonic()
            server.kill()
            time.sleep(_DOWN_SECONDS)
            ordered = time.monotonic()
            server.start()
            times.append((killed, ordered, time.monotonic()))
        time.sleep(_LOAD_SECONDS)
        crew.stop()
    told = sorted({_shape(message) for each in (*crew.workers, *crew.searchers) for message, _ in each.errors})
    with Library.open(place) as library:
        checked = compare(library, folder, crew.workers)
    return {
        "kills": kills,
        "workers": workers,
        **checked,
        "searches": sum(len(each.done) for each in crew.searchers),
        "recovery_seconds": [started - ordered for _, ordered, started in times],
        "workers_after_seconds": [max(_first(each, started) for each in crew.workers) for *_, started in times],
        "search_after_seconds": [max(_first(each, started) for each in crew.searchers) for *_, started in times],
        "messages": told,
    }


def compare(library: Library, folder: str, workers: Sequence[Done]) -> dict[str, Any]:
    """Return how many videos workers have been told are stored, how many of them are lost or there twice, and so on."""
    told = [path_of(folder, number) for each in workers for number, _ in each.done]
    promised = set(told)
    videos = library.videos(folder)
    paths = [video.path for video in videos]
    shots = sum(len(library.segments_of(video.id or 0)) for video in videos)
    return {
        "stored": len(promised),
        "lost": len(promised - set(paths)),
        "twice": len(paths) - len(set(paths)) + abs(shots - SHOTS_A_VIDEO * len(paths)),
        "done_twice": len(told) - len(promised),
        "unknown": len(set(paths) - promised),  # stored, but nobody was told so
        "problems": library.check(),
    }


def _first(done: Done, after: float) -> float:
    """Return the seconds until the first thing was done after a time; infinity if nothing was."""
    return min((at - after for _, at in done.done if at > after), default=float("inf"))


def _shape(message: str) -> str:
    """Return a message without what differs from one time to the next: numbers."""
    return re.sub(r"\d+", "N", message)


def show(found: dict[str, Any]) -> None:
    print(f"\n{found['kills']} kills of the server under {found['workers']} workers and a searcher:", end=" ")
    print(f"{found['stored']:,} videos stored, {found['lost']} lost, {found['twice']} there twice,", end=" ")
    print(f"{found['done_twice']} done twice,", end=" ")
    print(
        f"{found['unknown']} that nobody was told of; {found['searches']:,} searches; {len(found['problems'])} problems"
    )
    for name in ("recovery", "workers_after", "search_after"):
        times = sorted(found[f"{name}_seconds"])
        print(f"  {name.replace('_', ' '):16}{times[len(times) // 2]:>8.2f} s, at most {times[-1]:.2f}")
    for message in found["messages"]:
        print(f"  {message}")
