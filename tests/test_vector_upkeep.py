"""New vector files of a large library are built by a process beside the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from db_samples import make_parts, make_video
from test_vector_index import unit_rows

from app.web.services import vector_upkeep
from app.web.services.vector_upkeep import VectorUpkeep
from db.library import Library
from search.vectors.faiss_index import FaissIndex

ENCODER = "an encoder"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """Sixty segments, which count as many in this process only, so the other builds as soon as it opens the index."""
    monkeypatch.setattr("search.vectors.vector_index.CODED_ROWS", 40)
    monkeypatch.setattr("search.vectors.base._MIN_LISTS", 2)
    with Library.open(tmp_path) as library:
        add(library, 0, 60)
        yield library


def add(library: Library, number: int, count: int) -> None:
    video = make_video(f"/f/{number}.mp4", f"content {number}")
    library.add_video(video, *make_parts(video, count), unit_rows(count, number), encoder_id=ENCODER, recipe="r")


def finished(upkeep: VectorUpkeep) -> int:
    assert upkeep._process is not None
    return upkeep._process.wait(60)


def test_another_process_builds_new_files_and_the_index_uses_them(library: Library) -> None:
    index = FaissIndex.open(library, ENCODER, library.directory / "vectors")
    upkeep = VectorUpkeep(library.directory, ENCODER)
    assert not upkeep.start_if_due(index), "nothing is due"
    add(library, 1, 30)
    assert index.refresh()
    assert len(index._snapshot.tail.rows) == 30
    assert upkeep.start_if_due(index)
    assert not upkeep.start_if_due(index), "one at a time"
    assert finished(upkeep) == 0
    assert not index.refresh(), "only the files are new"
    assert len(index._snapshot.base.rows) == 90
    assert not index.is_due()
    ids = np.array([1, 61, 90])
    np.testing.assert_array_equal(index.rows_of(ids), library.embedding_rows(ENCODER, ids))


def test_what_fails_is_tried_again_later(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    index = FaissIndex.open(library, ENCODER, library.directory / "vectors")
    add(library, 1, 30)
    index.refresh()
    upkeep = VectorUpkeep(library.directory, ENCODER)
    with monkeypatch.context() as patched:
        patched.setattr(vector_upkeep, "_CODE", "raise SystemExit(3)")
        assert upkeep.start_if_due(index)
        assert finished(upkeep) == 3
    assert not upkeep.start_if_due(index), "too soon"
    monkeypatch.setattr(vector_upkeep, "_PAUSE_SECONDS", 0)
    upkeep._earliest = 0
    assert upkeep.start_if_due(index)
    assert finished(upkeep) == 0
    index.refresh()
    assert not index.is_due()


def test_a_missing_library_is_not_created(library: Library) -> None:
    index = FaissIndex.open(library, ENCODER, library.directory / "vectors")
    add(library, 1, 30)
    index.refresh()
    upkeep = VectorUpkeep(library.directory / "unplugged", ENCODER)
    assert upkeep.start_if_due(index)
    assert finished(upkeep) != 0
    assert not (library.directory / "unplugged").exists()
