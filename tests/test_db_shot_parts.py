"""Parts of shots: which one a segment is, and shots counted once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from db_samples import add, ids_of, make_video, unit_rows

from db.library import Library
from db.records import Filters, Segment, Shot


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def add_shots(library: Library, path: str, *parts: int, encoder_id: str = "enc") -> list[int]:
    """Add a video of shots of so many parts each; return the ids of its segments."""
    video = make_video(path, fingerprint=path)
    edges = np.linspace(video.start_pts, video.end_pts, sum(parts) + 1).astype(int).tolist()
    shot_of = [number for number, count in enumerate(parts) for _ in range(count)]
    segments = [
        Segment(number=at, shot_number=shot, start_pts=edges[at], end_pts=edges[at + 1])
        for at, shot in enumerate(shot_of)
    ]
    shots = [
        Shot(
            number=number,
            start_pts=min(each.start_pts for each in segments if each.shot_number == number),
            end_pts=max(each.end_pts for each in segments if each.shot_number == number),
        )
        for number in range(len(parts))
    ]
    rows = unit_rows(len(segments))
    return ids_of(library, library.add_video(video, shots, segments, rows, encoder_id=encoder_id, recipe="r"))


def test_a_segment_knows_its_place_among_the_parts_of_its_shot(library: Library) -> None:
    first = add_shots(library, "/a.mp4", 1, 3, 2)
    second = add_shots(library, "/b.mp4", 4)
    found = library.shot_parts([*first, *second, 10**9])
    assert [found[each] for each in first] == [(1, 1), (1, 3), (2, 3), (3, 3), (1, 2), (2, 2)]
    assert [found[each] for each in second] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert 10**9 not in found
    assert library.shot_parts(np.asarray(first[:1])) == {first[0]: (1, 1)}, "ids may be numpy's"
    assert library.shot_parts([]) == {}


def test_a_shot_counts_once_however_many_parts_it_has(library: Library) -> None:
    add_shots(library, "/a/a.mp4", 1, 3, 2)
    add_shots(library, "/b/b.mp4", 4)
    assert library.shot_count(Filters(), "enc") == 4
    assert library.shot_count(Filters(folder="/a"), "enc") == 3
    assert library.shot_count(Filters(folder="/nowhere"), "enc") == 0
    assert library.shot_count(Filters(), "another") == 0
    add_shots(library, "/c.mp4", 2, encoder_id="another")
    assert (library.shot_count(Filters(), "enc"), library.shot_count(Filters(), "another")) == (4, 1)
    assert library.shot_count(Filters(), "enc", "another") == 5, "shots of either"
    assert library.shot_count(Filters(folder="/a"), "another", "enc") == 3
    add(library, make_video("/b/b.mp4", fingerprint="other"), encoder_id="enc")  # three segments of two shots
    assert library.shot_count(Filters(), "enc") == 5, "a replaced video counts as it is now"
