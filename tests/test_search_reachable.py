"""Of files of one content, a search without duplicates shows one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from db_samples import add, ids_of, make_video
from fakes import ColourEncoder, ExactIndex

from db.library import Library
from db.records import Filters
from search.engine import SearchEngine
from search.query import Query, SegmentTerm, TextTerm

ENCODER = ColourEncoder()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A video that is not there, its copy that is, and another content of the same fingerprint."""
    with Library.open(tmp_path / "library") as library:
        for folder, content in (("gone", "aa"), ("near", "bb"), ("there", "aa")):
            path = tmp_path / folder / "a.dv"
            path.parent.mkdir()
            if folder != "gone":
                path.write_bytes(b"x")
            add(library, make_video(str(path), content_hash=content), encoder_id=ENCODER.id, dim=ENCODER.dim)
        yield library


def folders(library: Library, query: Query) -> set[str]:
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    return {Path(hit.video.path).parent.name for hit in engine.search(query)}


def test_a_copy_that_is_there_takes_the_place_of_one_that_is_not(library: Library) -> None:
    assert "gone" in folders(library, Query([TextTerm("red")], k=9))
    assert folders(library, Query([TextTerm("red")], k=9, near_duplicates=0.999)) == {"there"}


def test_unless_it_is_filtered_out_or_left_out(library: Library, tmp_path: Path) -> None:
    only = Filters(folder=str(tmp_path / "gone"))
    assert folders(library, Query([TextTerm("red")], k=9, near_duplicates=0.999, filters=only)) == {"gone"}
    there = library.video_at(str(tmp_path / "there" / "a.dv"))
    assert there is not None
    assert there.id is not None
    example = SegmentTerm(ids_of(library, there.id)[0])
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    shown = engine.search(Query([example], k=9, near_duplicates=0.999))
    assert example.segment_id not in {hit.segment.id for hit in shown}


def test_ranks_and_scores_stay(library: Library) -> None:
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    hits = engine.search(Query([TextTerm("red")], k=2, near_duplicates=0.999))
    every = {hit.segment.id: hit.score for hit in engine.search(Query([TextTerm("red")], k=9))}
    assert [hit.rank for hit in hits] == [1, 2]
    assert all(every[hit.segment.id] == pytest.approx(hit.score) for hit in hits)
