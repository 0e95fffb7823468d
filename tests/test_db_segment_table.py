"""Filters are answered from memory as one would answer them row by row, whoever writes meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from db_samples import add, ids_of, make_video

from db import segment_table
from db.library import Library
from db.names import comparison_key
from db.records import Filters, Segment, Video
from db.sql import raw

FOLDERS = ["/a", "/a/b", "/ab", "/a/\udcff", "/a0", "/ä"]
NAMES = ["x.mp4", "X y.MOV", "Straße.mkv", "cafe\u0301.mp4", "\udcfe.mp4", "b"]
ENCODERS = ["enc", "other"]


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def by_hand(library: Library, filters: Filters, encoder_id: str) -> list[int]:
    """The oracle: every row, one after the other."""
    with library._database.reading() as connection:
        statement = "SELECT segment_id FROM embeddings JOIN encoders ON encoder = number WHERE id = ?"
        ids = sorted(raw(connection, statement, (encoder_id,)).scalars())
    rows = library.segments(ids)
    return [each for each in ids if passes(*rows[each], filters)]


def passes(segment: Segment, video: Video, filters: Filters) -> bool:
    seconds = float((segment.end_pts - segment.start_pts) * video.time_base)
    folder, name = os.path.split(video.path)
    side = min(video.width, video.height)
    shapes = {"landscape": video.width > video.height, "portrait": video.width < video.height}
    shapes["square"] = video.width == video.height
    return (
        (filters.folder is None or f"{folder}/{name}/".startswith(f"{filters.folder.rstrip('/')}/"))
        and (filters.min_seconds is None or seconds >= filters.min_seconds - 1e-6)
        and (filters.max_seconds is None or seconds <= filters.max_seconds + 1e-6)
        and (filters.since_ns is None or video.modified_ns >= filters.since_ns)
        and (filters.until_ns is None or video.modified_ns <= filters.until_ns)
        and (filters.name is None or comparison_key(filters.name) in comparison_key(name))
        and (filters.min_short_side is None or side >= filters.min_short_side)
        and (filters.max_short_side is None or side <= filters.max_short_side)
        and (filters.orientation is None or shapes[filters.orientation])
    )


def some_filters(chance: random.Random) -> Filters:
    choices: dict[str, list[Any]] = {
        "folder": [*FOLDERS, "/", "/a/", "/a/b/x.mp4", "/nowhere"],
        "min_seconds": [0.5, 1.0, 2.0, 10 / 3, 4, 0.1 + 0.2, float("nan"), float("inf")],
        "max_seconds": [0.5, 1.0, 2.0, 10 / 3, 4, 1e9],
        "since_ns": [5, 50, 10**30, -(10**30)],
        "until_ns": [5, 50, 10**30],
        "name": ["x", "MP4", "STRASSE", "caf\u00e9", "\udcfe", "", "/", "a"],
        "min_short_side": [48, 720, 10**30],
        "max_short_side": [48, 720],
        "orientation": ["landscape", "portrait", "square"],
    }
    return Filters(
        **{name: chance.choice(choices[name]) for name in chance.sample(sorted(choices), chance.randint(0, 3))}
    )


def change(library: Library, chance: random.Random) -> None:
    """Something that an indexer does: add, replace, encode again, move, copy or remove."""
    held = library.videos()
    kind = chance.choice(["add", "add", "add", "again", "move", "copy", "remove"]) if held else "add"
    path = f"{chance.choice(FOLDERS)}/{chance.choice(NAMES)}"
    when = {"size_bytes": 1, "modified_ns": chance.randint(0, 99)}
    if kind == "add":
        width, height = chance.choice([(1920, 1080), (1080, 1920), (720, 720), (64, 48)])
        video = make_video(
            path, f"f{chance.randint(0, 9)}", width=width, height=height, modified_ns=when["modified_ns"],
            time_base=chance.choice([Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 3)]),
        )  # fmt: skip
        add(library, video, count=chance.randint(1, 4), encoder_id=chance.choice(ENCODERS), seed=chance.randint(0, 9))
        return
    video = chance.choice(held)
    assert video.id is not None
    if kind == "again":  # same content and segments: ids stay
        add(library, video, count=len(ids_of(library, video.id)), encoder_id=chance.choice(ENCODERS), seed=77)
    elif kind == "move":
        library.touch_video(video.id, path=path, **when)
    elif kind == "copy" and path != video.path:
        library.copy_video(video.id, path=path, **when)
    else:
        library.remove_videos([video.id])


@pytest.mark.parametrize("seed", range(12))
def test_same_as_by_hand_after_whatever_is_written(
    library: Library, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Half of the changes are made through another Library, which is what another process looks like."""
    monkeypatch.setattr(segment_table, "_BATCH", [1_000_000, 3][seed % 2])
    chance = random.Random(seed)
    with Library.open(library.place) as other:
        for _ in range(25):
            change(chance.choice([library, other]), chance)
            for _ in range(4):
                filters, encoder_id = some_filters(chance), chance.choice([*ENCODERS, "nobody"])
                wanted = by_hand(library, filters, encoder_id)
                assert library.segment_ids(filters, encoder_id).tolist() == wanted, filters
                assert sorted(set(wanted)) == wanted


def test_only_what_came_is_read(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    real = segment_table._rows_after

    def spied(connection: Any, encoder_id: str, after: int, columns: int) -> Any:
        asked.append((after, columns))
        return real(connection, encoder_id, after, columns)

    monkeypatch.setattr(segment_table, "_rows_after", spied)
    everything = Filters(name="")
    first = add(library, count=3)
    for _ in range(3):
        assert library.segment_ids(Filters(), "enc").size == 3
    assert asked == [(0, 1)], "ids alone"
    for _ in range(3):
        library.segment_ids(everything, "enc")
        library.segment_ids(Filters(), "enc")
    assert asked == [(0, 1), (0, 2)]
    add(library, make_video("/films/b.mp4", "bb"), count=2)
    assert library.segment_ids(everything, "enc").size == 5
    library.touch_video(first, path="/films/moved.mp4", size_bytes=1, modified_ns=1)
    assert library.segment_ids(Filters(name="moved"), "enc").tolist() == ids_of(library, first)
    assert asked[2:] == [(3, 2)], "the new rows, and none when a file was moved"
    library.remove_videos([first])
    assert library.segment_ids(everything, "enc").size == 2
    assert asked[3:] == [(0, 2)]
    for _ in range(3):
        assert library.segment_ids(Filters(min_seconds=0.1), "enc").size == 2
    assert asked[4:] == [(0, 3)], "lengths, once a filter needs them"


def test_what_is_given_is_shared_and_cannot_be_written_into(library: Library) -> None:
    for number in range(3):
        add(library, make_video(f"/films/a{number}.mp4", f"f{number}"))  # the later ones are added to arrays
        for filters in (Filters(), Filters(name="a"), Filters(min_seconds=0.1)):
            with pytest.raises(ValueError, match="read-only"):
                library.segment_ids(filters, "enc")[0] = 7


def test_a_folder_must_be_absolute(library: Library) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="absolute"):
            library.segment_ids(Filters(folder="films"), "enc")


def test_owners(library: Library) -> None:
    first, second = add(library), add(library, make_video("/films/b.mp4", "bb"), encoder_id="other")
    third = add(library, make_video("/films/c.mp4", "cc"), count=1)
    ids, owners = library.owners("enc")
    assert ids.tolist() == ids_of(library, first) + ids_of(library, third)
    assert owners.tolist() == [first] * 3 + [third]
    assert library.owners("other")[1].tolist() == [second] * 3
    assert library.owners("nobody")[0].size == 0
    with pytest.raises(ValueError, match="read-only"):
        owners[0] = 7


def test_many_encoders_are_answered_and_few_are_kept(library: Library) -> None:
    for number in range(segment_table._MAX_ENCODERS + 2):
        add(library, encoder_id=f"enc{number}")
    for _ in range(2):
        for number in range(segment_table._MAX_ENCODERS + 2):
            assert library.segment_ids(Filters(name="a"), f"enc{number}").size == 3
    assert len(library._tables._tables) == segment_table._MAX_ENCODERS


def _write(place: str, videos: int) -> None:
    with Library.open(place) as library:
        for number in range(videos):
            add(library, make_video(f"/films/{number}.mp4", f"f{number}"), count=4)


def test_beside_a_process_that_writes(library: Library) -> None:
    """Every answer is a state between two commits: whole videos, never fewer than before."""
    library.segment_ids(Filters(), "enc")
    writer = multiprocessing.get_context("spawn").Process(target=_write, args=(library.place, 40))
    writer.start()
    seen = [0]

    def look() -> None:
        mine = 0
        while writer.is_alive() or mine < 160:
            count = library.segment_ids(Filters(min_seconds=0.1, folder="/films"), "enc").size
            assert count % 4 == 0
            assert count >= mine
            mine = count
        seen.append(mine)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    writer.join()
    assert seen == [0, 160, 160, 160]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_sees_what_is_written_after(library: Library) -> None:
    add(library)
    for _ in range(2):
        library.segment_ids(Filters(name="a"), "enc")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            add(library, make_video("/films/after.mp4", "bb"), count=2)
            code = 0 if library.segment_ids(Filters(name="after"), "enc").size == 2 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert np.array_equal(library.segment_ids(Filters(name="after"), "enc"), [4, 5])
