"""Latency of searches in a large library: plain, with strengths and stacks, composed, chains; and the calibration.

    python -m benchmarks.search_latency [--shots 100000] [--calibrate 1000000] [--searches 40] [--folder DIR]

The library has --shots clustered rows of 768 columns, and its rows are read from it. Kinds of searches take turns, the
words are encoded before, and ratios are to a plain search of the same run without strengths and stacks. Calibrations
run in processes of their own, which report their peak memory; --calibrate adds other sizes. It prints tables and JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks._clustered_rows import SHOTS_A_VIDEO, clustered_rows, like_sentences
from db.library import Library
from db.records import Segment, Shot, Video
from encoder import Encoder
from search.calibration.calibration import Calibration
from search.chain_query import ChainQuery, Step
from search.engine import SearchEngine
from search.query import Query, SegmentTerm, TextTerm
from search.vectors.faiss_index import FaissIndex

DIM = 768
SECONDS = 4  # of each shot
QUESTIONS = 300  # of those asked, and as many for null questions
PLAIN = "plain, k=10"


class RowsOfWords:
    """A stand-in for an encoder that costs nothing: texts have given rows."""

    id, text_id, dim = "latency@benchmark", "latency:text@benchmark", DIM

    def __init__(self, rows: NDArray[np.float32]) -> None:
        """Take float32 (2 * QUESTIONS, DIM): the first half for numbers as texts, the rest for other texts."""
        self._rows = rows

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        return self._rows[[_row_number(text) for text in texts]]


def _row_number(text: str) -> int:
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") % QUESTIONS
    return int(text) % QUESTIONS if text.isdigit() else QUESTIONS + number


def make_library(directory: Path, shots: int) -> None:
    """Write a library of this many shots and `questions.npy` beside it, unless both are there."""
    if (directory / "questions.npy").is_file():
        return
    directory.mkdir(parents=True, exist_ok=True)
    queries = clustered_rows(directory / "rows.npy", shots, DIM, 2 * QUESTIONS)
    rows = np.load(directory / "rows.npy", mmap_mode="r")
    with Library.open(directory / "library") as library:
        for start in range(0, shots, SHOTS_A_VIDEO):
            matrix = rows[start : start + SHOTS_A_VIDEO].astype(np.float32)
            spans = [(at, at * SECONDS * 25, (at + 1) * SECONDS * 25) for at in range(len(matrix))]
            library.add_video(
                _video(directory, start // SHOTS_A_VIDEO, len(matrix)),
                [Shot(number=at, start_pts=first, end_pts=end) for at, first, end in spans],
                [Segment(number=at, shot_number=at, start_pts=first, end_pts=end) for at, first, end in spans],
                matrix,
                encoder_id=RowsOfWords.id,
                recipe="rows",
            )
    (directory / "rows.npy").unlink()
    np.save(directory / "questions.npy", like_sentences(queries))


def _video(directory: Path, number: int, shots: int) -> Video:
    """Return a video with an empty file, because copies of files that are gone would be looked for."""
    frames = shots * SECONDS * 25
    path = directory / f"take {number:06d}.mp4"
    path.touch()
    return Video(
        path=str(path), fingerprint=f"rows{number:012d}",
        size_bytes=10**9, modified_ns=number, time_base=Fraction(1, 25), start_pts=0, end_pts=frames,
        frame_rate=Fraction(25), frames=frames, width=1920, height=1080, codec="h264",
    )  # fmt: skip


def encoder_of(directory: Path) -> Encoder:
    return cast(Encoder, RowsOfWords(np.load(directory / "questions.npy")))


def calibrate(directory: Path, into: Path) -> dict[str, float]:
    """Calibrate a library from nothing; return wall and CPU seconds, and peak memory in MB before and after."""
    before = peak_megabytes()
    with Library.open(directory / "library") as library:
        began, cpu = perf_counter(), process_time()
        Calibration(library, encoder_of(directory), into).update()
        spent = {"wall_s": perf_counter() - began, "cpu_s": process_time() - cpu}
        return {"shots": library.stats().segments, **spent, "peak_mb": peak_megabytes(), "peak_before_mb": before}


def peak_megabytes() -> float:
    """Return the peak memory of this process. On Linux, ru_maxrss would be that of the process which started it."""
    try:
        status = Path("/proc/self/status").read_text("ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def calibrate_apart(directory: Path, into: Path) -> dict[str, float]:
    """Return what `calibrate` returns, from a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(calibrate, (directory, into))


@dataclass(frozen=True)
class Kind:
    """A kind of search: `ask` asks the question of a number."""

    ask: Callable[[SearchEngine, int], Any]
    strengths: bool = True


def _words(number: int) -> TextTerm:
    return TextTerm(str(number))


def _plain(k: int, *, stacks: bool) -> Callable[[SearchEngine, int], Any]:
    return lambda engine, n: engine.answer(Query([_words(n)], k=k, duplicates="stack" if stacks else "show"))


def _composed(engine: SearchEngine, number: int) -> Any:
    terms = [_words(number), SegmentTerm(1 + number), TextTerm(str(number + 1), weight=-0.5)]
    return engine.answer(Query(terms, duplicates="stack"))


def _chain(steps: int) -> Callable[[SearchEngine, int], Any]:
    return lambda engine, n: engine.chains(ChainQuery([Step([_words(n + at)]) for at in range(steps)]))


KINDS = {
    PLAIN: Kind(_plain(10, stacks=False), strengths=False),
    "with strengths, k=10": Kind(_plain(10, stacks=False)),
    "with strengths and stacks, k=10": Kind(_plain(10, stacks=True)),
    "plain, k=200": Kind(_plain(200, stacks=False), strengths=False),
    "with strengths, k=200": Kind(_plain(200, stacks=False)),
    "with strengths and stacks, k=200": Kind(_plain(200, stacks=True)),
    "words, an example, an exclusion": Kind(_composed),
    "chain of 2 steps": Kind(_chain(2)),
    "chain of 3 steps": Kind(_chain(3)),
}


def measure(engine: SearchEngine, calibration: Calibration, searches: int) -> dict[str, dict[str, float]]:
    """Return p50 and p95 of each kind, in ms of wall and CPU, asked in turns."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in KINDS}
    for number in range(-2, searches):  # the first two warm up
        for name, kind in KINDS.items():
            engine.space.calibration = calibration if kind.strengths else None
            asked = number % (QUESTIONS - 3)
            for at in range(3):
                engine.direction([_words(asked + at)])  # encodes the words
            began, cpu = perf_counter(), process_time()
            kind.ask(engine, asked)
            if number >= 0:
                spent[name].append((1000 * (perf_counter() - began), 1000 * (process_time() - cpu)))
    found = {}
    for name, turns in spent.items():
        (wall50, cpu50), (wall95, cpu95) = np.quantile(turns, (0.5, 0.95), axis=0).tolist()
        found[name] = {"wall_p50": wall50, "wall_p95": wall95, "cpu_p50": cpu50, "cpu_p95": cpu95}
    for name, each in found.items():
        each["cpu_ratio"] = each["cpu_p50"] / found["plain, k=200" if "k=200" in name else PLAIN]["cpu_p50"]
    return found


def show(kinds: dict[str, dict[str, float]], calibrations: list[dict[str, float]]) -> None:
    print(f"{'ms':36}{'wall p50':>10}{'p95':>8}{'CPU p50':>10}{'p95':>8}{'ratio':>8}")
    for name, each in kinds.items():
        times = f"{each['wall_p50']:>10.1f}{each['wall_p95']:>8.1f}{each['cpu_p50']:>10.1f}{each['cpu_p95']:>8.1f}"
        print(f"{name:36}{times}{each['cpu_ratio']:>8.2f}")
    print(f"\n{'calibration':>14}{'wall s':>10}{'CPU s':>10}{'peak MB':>10}{'before MB':>12}")
    for each in calibrations:
        memory = f"{each['peak_mb']:>10.0f}{each['peak_before_mb']:>12.0f}"
        print(f"{each['shots']:>14,}{each['wall_s']:>10.1f}{each['cpu_s']:>10.1f}{memory}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=100_000)
    parser.add_argument("--calibrate", type=int, nargs="*", default=[], metavar="SHOTS", help="Also of this size.")
    parser.add_argument("--searches", type=int, default=40, help="Of each kind.")
    parser.add_argument("--folder", type=Path, help="Keep the libraries here for the next run.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.folder or Path(temporary)
        calibrations = []
        for shots in dict.fromkeys([*options.calibrate, options.shots]):
            directory = root / f"latency-{shots}"
            make_library(directory, shots)
            into = Path(temporary) / f"calibration-{shots}"
            calibrations.append(calibrate_apart(directory, into))
        with Library.open(directory / "library") as library:
            encoder = encoder_of(directory)
            index = FaissIndex.open(library, encoder.id, directory / "vectors")
            index.optimize()
            calibration = Calibration(library, encoder, into)
            kinds = measure(SearchEngine(library, encoder, index, calibration), calibration, options.searches)
    show(kinds, calibrations)
    print(json.dumps({"benchmark": "search_latency", "kinds": kinds, "calibrations": calibrations}))


if __name__ == "__main__":
    main()
