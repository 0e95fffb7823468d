"""Cost of filters before any vector is compared: `Library.segment_ids`, at first and from memory.

    python -m benchmarks.filters [--segments 100000] [--each 100] [--runs 15] [--folder DIR]

For libraries made of rows alone (of --segments segments, and of ten times as many) and each kind of filter it measures
how many segments pass, milliseconds of opening the library and filtering once, and of filtering again (medians). Also
catching up with one new video, and the memory that the arrays take; and `stats`, `known_files` and `overview`. It
prints tables, then JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks._row_library import ENCODER, make_rows
from db.library import Library
from db.records import Filters

KINDS = {
    "none": Filters(),
    "folder, one of all": Filters(folder="/footage/reel 0003"),
    "folder, everything": Filters(folder="/footage"),
    "name, everything": Filters(name="MP4"),
    "name, few": Filters(name="00042"),
    "since": Filters(since_ns=(1_700_000_000 + 3600 * 500) * 10**9),
    "at least 1080": Filters(min_short_side=1080),
    "portrait": Filters(orientation="portrait"),
    "with sound": Filters(has_sound=True),
    "codec": Filters(codec="H.265"),
    "frame rate": Filters(frame_rate=29.97),
    "words of a camera": Filters(camera="sony ilce-7"),
    "longer than 3 s": Filters(min_seconds=3.0),
    "2 to 6 s, landscape, name": Filters(min_seconds=2.0, max_seconds=6.0, orientation="landscape", name="take"),
}


def milliseconds(question: Callable[[], Any]) -> float:
    began = perf_counter()
    question()
    return (perf_counter() - began) * 1000


def first(directory: Path, filters: Filters) -> None:
    with Library.open(directory) as library:
        library.segment_ids(filters, ENCODER)


def one_more_video(library: Library, number: int) -> None:
    """Add a copy of a video under another path, with rows at the end, as a concurrent indexer adds them."""
    video = library.videos("/footage/reel 0000")[0]
    assert video.id is not None
    library.copy_video(video.id, path=f"/footage/new/{number}.mp4", size_bytes=1, modified_ns=number)


def measure(directory: Path, runs: int) -> dict[str, Any]:
    kinds = {
        name: {"first_ms": statistics.median(milliseconds(lambda f=filters: first(directory, f)) for _ in range(5))}  # type: ignore[misc]
        for name, filters in KINDS.items()
    }
    with Library.open(directory) as library:
        tracemalloc.start()
        library.segment_ids(KINDS["longer than 3 s"], ENCODER)
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        for name, filters in KINDS.items():
            kinds[name]["pass"] = library.segment_ids(filters, ENCODER).size
            kinds[name]["again_ms"] = statistics.median(
                milliseconds(lambda f=filters: library.segment_ids(f, ENCODER))  # type: ignore[misc]
                for _ in range(runs)
            )
        catching_up = []
        for number in range(5):
            one_more_video(library, number)
            catching_up.append(milliseconds(lambda: library.segment_ids(KINDS["portrait"], ENCODER)))
        library.remove_videos([video.id for video in library.videos("/footage/new") if video.id is not None])
        stats = library.stats()
        return {
            "segments": stats.segments,
            "videos": stats.videos,
            "kept_megabytes": kept / 1e6,
            "catch_up_one_video_ms": statistics.median(catching_up),
            "stats_ms": statistics.median(milliseconds(library.stats) for _ in range(5)),
            "known_files_ms": statistics.median(milliseconds(lambda: library.known_files(ENCODER)) for _ in range(3)),
            "overview_ms": statistics.median(milliseconds(library.overview) for _ in range(3)),
            "kinds": kinds,
        }


def show(found: dict[str, Any]) -> None:
    print(f"\n{found['segments']:,} segments of {found['videos']:,} videos")
    print(f"{'filter':28}{'pass':>10}{'first ms':>12}{'again ms':>12}")
    for name, kind in found["kinds"].items():
        print(f"{name:28}{kind['pass']:>10,}{kind['first_ms']:>12.1f}{kind['again_ms']:>12.2f}")
    for name, value in found.items():
        if isinstance(value, float):
            print(f"{name:28}{value:>10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--each", type=int, default=100, help="Segments of a video.")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--folder", type=Path, help="Keep the libraries here for the next run.")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        for segments in (options.segments, 10 * options.segments):
            directory = (options.folder or Path(temporary)) / f"rows-{segments}-{options.each}"
            make_rows(directory, segments, options.each).close()
            results.append(measure(directory, options.runs))
            show(results[-1])
    print(json.dumps({"benchmark": "filters", "libraries": results}))


if __name__ == "__main__":
    main()
