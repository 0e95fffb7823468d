"""Vector index of a large library: up to date when indexing ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from db_samples import make_parts, make_video
from test_vector_codes import clustered

from app.compose import optimize_vectors
from db.library import Library
from search.vectors.faiss_index import FaissIndex


@pytest.mark.parametrize("large", [True, False])
def test_files_are_written_for_a_large_library_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    monkeypatch.setattr("search.vectors.vector_index.CODED_ROWS", 2000 if large else 3000)
    monkeypatch.setattr("search.vectors.base._MIN_LISTS", 16)
    with Library.open(tmp_path) as library:
        video = make_video("/f/1.mp4", "content")
        library.add_video(video, *make_parts(video, 2500), clustered(2500, 1), encoder_id="e", recipe="r")
        optimize_vectors(library, "e")
        assert (tmp_path / "vectors").exists() == large
        index = FaissIndex.open(library, "e", tmp_path / "vectors")
        assert not index.optimize(), "optimized already"
        rows = clustered(2500, 1)
        assert index.search(rows[40:41], 1)[0][0, 0] == library.segments_of(1)[40].id
