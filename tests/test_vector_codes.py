"""Beyond CODED_ROWS: codes name candidates, what they name is compared exactly, and nothing of it is lost in files."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from db_samples import make_parts, make_video
from fakes import ExactIndex
from numpy.typing import NDArray
from test_vector_index import ENCODER, Rows, open_index, unit_rows

from db.library import Library
from search.vectors.codes import Codes, candidate_count, list_count
from search.vectors.faiss_index import FaissIndex
from search.vectors.snapshot import Snapshot

DIM = 64
COUNT = 6000


def clustered(count: int, seed: int) -> NDArray[np.float32]:
    """Rows around fifty centres, float16 values in float32."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(50, DIM))
    rows = centres[chance.integers(0, 50, count)] + 0.8 * chance.normal(size=(count, DIM))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows.astype(np.float16), dtype=np.float32)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of thousands is treated as one of hundreds of thousands."""
    monkeypatch.setattr("search.vectors.faiss_index.CODED_ROWS", 4000)
    monkeypatch.setattr("search.vectors.faiss_index._MAX_UNCODED", 500)
    monkeypatch.setattr("search.vectors.codes.TRAINED_ROWS", 4000)
    monkeypatch.setattr("search.vectors.codes._MIN_LISTS", 32)
    monkeypatch.setattr("search.vectors.snapshot.FEW_ROWS", 800)
    monkeypatch.setattr("search.vectors.snapshot._LARGEST_SHARE", 4)


@pytest.fixture
def library() -> Rows:
    library = Rows()
    library.add(range(1, COUNT + 1), clustered(COUNT, 1))
    return library


@pytest.fixture(params=["one list", "many lists"])
def index(small: None, library: Rows, tmp_path: Path, request: pytest.FixtureRequest) -> FaissIndex:
    index = open_index(library, tmp_path / "vectors")
    if request.param == "many lists":
        assert index.optimize()
        assert not index.optimize(), "nothing has grown since"
    assert codes_of(index).lists == (1 if request.param == "one list" else 64)
    return index


def snapshot_of(index: FaissIndex) -> Snapshot:
    snapshot = index._state.snapshot
    assert snapshot is not None
    return snapshot


def codes_of(index: FaissIndex) -> Codes:
    codes = snapshot_of(index).codes
    assert codes is not None
    return codes


def recall(index: FaissIndex, library: Rows, k: int, allowed: Any = None) -> float:
    """Of 50 queries; asserts that what was found has its true score and its place."""
    queries = clustered(50, 9)
    ids, scores = index.search(queries, k, allowed)
    wanted_ids, _ = ExactIndex.of(library, ENCODER).search(queries, k, allowed)
    assert ids.shape == wanted_ids.shape
    for found, score, query in zip(ids, scores, queries, strict=True):
        assert allowed is None or np.isin(found, allowed).all()
        np.testing.assert_allclose(score, np.stack([library.rows[int(i)] for i in found]) @ query, atol=2e-6)
        assert (np.diff(score) <= 0).all()
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(ids.tolist(), wanted_ids.tolist(), strict=True)]))


def test_codes_are_used_where_there_are_many_rows(
    index: FaissIndex, library: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = Codes.candidates

    def spy(self: Codes, query: Any, count: int, *more: Any) -> Any:
        asked.append(count)
        return real(self, query, count, *more)

    monkeypatch.setattr(Codes, "candidates", spy)
    assert recall(index, library, 10) >= 0.99
    assert asked == [candidate_count(10, one_list=codes_of(index).lists == 1)] * 50


@pytest.mark.parametrize("k", [1, 10, 100, 5999, 6000, 10_000])
def test_the_nearest_are_found_however_many_are_wanted(index: FaissIndex, library: Rows, k: int) -> None:
    least = 0.99 if k <= 10 or k >= 5999 else 0.97
    assert recall(index, library, min(k, COUNT)) >= least
    assert index.search(clustered(1, 9), k)[0].shape == (1, min(k, COUNT))


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("kind", ["scattered", "a run", "the least like"])
def test_filters_lose_nothing(index: FaissIndex, library: Rows, share: float, kind: str) -> None:
    ids = np.arange(1, COUNT + 1)
    most = max(10, int(share * COUNT))
    if kind == "scattered":
        allowed = np.sort(np.random.default_rng(2).choice(ids, most, replace=False))
    elif kind == "a run":
        allowed = ids[-most:]
    else:
        matrix = np.stack([library.rows[int(i)] for i in ids])
        allowed = np.sort(ids[np.argsort(matrix @ clustered(50, 9).mean(axis=0))[:most]])
    assert recall(index, library, 10, allowed) >= 0.99
    assert recall(index, library, 10, allowed[::-1].copy()) >= 0.99


def test_copies_come_by_ascending_id_though_their_codes_are_equal(small: None, tmp_path: Path) -> None:
    library = Rows()
    rows = clustered(COUNT, 1)
    rows[1000:4000] = rows[1000]  # three thousand copies of one shot, more than there are candidates
    library.add(range(1, COUNT + 1), rows)
    index = open_index(library, tmp_path)
    for _ in range(2):
        ids, scores = index.search(rows[1000:1001], 20)
        assert ids.tolist() == [list(range(1001, 1021))]
        assert len(set(scores[0].tolist())) == 1
        index.optimize()


def test_rows_are_given_back_as_they_are_stored(index: FaissIndex, library: Rows) -> None:
    library.remove(5)
    library.add([COUNT + 1], clustered(1, 124))
    index.refresh()
    ids = np.array([COUNT + 1, 3, 77, 3])
    np.testing.assert_array_equal(index.rows_of(ids), np.stack([library.rows[int(i)] for i in ids]))
    with pytest.raises(KeyError, match="segment 5"):
        index.rows_of(np.array([3, 5]))


def test_counts_are_exact(index: FaissIndex, library: Rows) -> None:
    row = clustered(1, 5)[0]
    ids, scores = index.search(row[None, :], COUNT)
    for allowed in (None, ids[0, :300], np.arange(1, 5000)):
        let = scores[0] if allowed is None else scores[0][np.isin(ids[0], allowed)]
        for threshold in (-np.inf, -0.2, 0.0, float(scores[0, 7]), float(scores[0, 3000]), 2.0):
            assert index.count(row, threshold, allowed) == (let >= threshold).sum()


def test_what_is_added_is_found_before_and_after_it_is_coded(index: FaissIndex, library: Rows) -> None:
    lists = codes_of(index).lists
    for start, count in ((COUNT, 300), (COUNT + 300, 400)):
        library.add(range(start + 1, start + count + 1), clustered(count, start))
        assert index.refresh()
        assert recall(index, library, 10) >= 0.99
        new = library.rows[start + 5]
        assert index.search(new[None, :], 1)[0][0, 0] == start + 5
    assert len(codes_of(index)) == COUNT + 700
    assert codes_of(index).lists == lists


def test_removing_reads_no_row_and_codes_nothing_again(
    index: FaissIndex, library: Rows, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    codes = codes_of(index)
    gone = [1, 17, 600, 4321, COUNT]
    library.remove(*gone)
    library.read.clear()
    assert index.refresh()
    assert not index.refresh()
    assert library.read == []
    assert codes_of(index) is codes
    assert len(index) == COUNT - 5
    assert recall(index, library, 10) >= 0.99
    assert index.count(clustered(1, 0)[0], -np.inf, np.array(gone)) == 0
    library.read.clear()
    again = open_index(library, tmp_path / "vectors")
    assert library.read == [], "who is dead is in the files"
    assert len(again) == COUNT - 5
    assert recall(again, library, 10, np.arange(1, 5000)) >= 0.99


def test_one_changed_row_is_all_that_is_taken_in(index: FaissIndex, library: Rows) -> None:
    codes = codes_of(index)
    library.change(77, clustered(1, 123)[0])
    library.add([COUNT + 1], clustered(1, 124))
    assert index.refresh()
    assert not index.refresh()
    assert codes_of(index) is codes
    assert snapshot_of(index).tombstones.tolist() == [76]
    assert len(index) == COUNT + 1
    for i in (77, COUNT + 1):
        ids, scores = index.search(library.rows[i][None, :], 1)
        assert ids[0, 0] == i
        assert scores[0, 0] == pytest.approx(1, abs=2e-3)
    assert recall(index, library, 10, np.arange(50, 3000)) >= 0.99


def test_a_change_that_hides_behind_a_removal_is_seen(index: FaissIndex, library: Rows) -> None:
    library.remove(5, 6)
    library.change(9, clustered(1, 125)[0])
    assert index.refresh()
    ids, _ = index.search(library.rows[9][None, :], 1)
    assert ids.tolist() == [[9]]
    assert recall(index, library, 10) >= 0.99


def test_a_library_raises_the_generation_once_for_every_row_that_goes_or_changes(tmp_path: Path) -> None:
    """What `FaissIndex` tells removals from changes by."""
    with Library.open(tmp_path) as library:
        parts = []
        for number, count in enumerate((3, 5, 2)):
            video = make_video(f"/f/{number}.mp4", f"content{number}")
            parts.append((video, *make_parts(video, count)))
            library.add_video(*parts[-1], unit_rows(count, number, 16), encoder_id=ENCODER, recipe="r")
        before = library.stamp(ENCODER).generation
        video, shots, segments = parts[1]
        library.add_video(video, shots, segments, unit_rows(5, 77, 16), encoder_id=ENCODER, recipe="again")
        assert library.stamp(ENCODER).generation >= before + 5
        before = library.stamp(ENCODER).generation
        first = library.video_at("/f/0.mp4")
        assert first is not None
        assert first.id is not None
        library.remove_videos([first.id])
        assert library.stamp(ENCODER).generation == before + 3


def test_the_dead_are_dropped_once_they_are_many(index: FaissIndex, library: Rows, tmp_path: Path) -> None:
    library.remove(*range(1, COUNT // 3))
    assert index.refresh()
    assert snapshot_of(index).rows == len(index) == len(library.rows)
    assert recall(index, library, 10) >= 0.99
    library.read.clear()
    assert len(open_index(library, tmp_path / "vectors")) == len(library.rows)
    assert library.read == []


def test_opening_again_gives_the_same_hits(index: FaissIndex, library: Rows, tmp_path: Path) -> None:
    library.read.clear()
    again = open_index(library, tmp_path / "vectors")
    assert library.read == []
    assert codes_of(again).lists == codes_of(index).lists
    queries = clustered(20, 3)
    for first, second in zip(index.search(queries, 10), again.search(queries, 10), strict=True):
        np.testing.assert_array_equal(first, second)


def test_parts_stay_few_though_little_is_added_often(index: FaissIndex, library: Rows, tmp_path: Path) -> None:
    for _ in range(30):
        library.add(range(library.last_id + 1, library.last_id + 200), clustered(199, library.last_id))
        index.refresh()
    assert len(snapshot_of(index).parts) <= 5
    files = [path.name for path in (tmp_path / "vectors").glob("*.rows")]
    assert len(files) <= 5
    again = open_index(library, tmp_path / "vectors")
    assert len(again) == len(library.rows)
    assert recall(again, library, 10) >= 0.99


def test_what_another_process_has_learned_is_taken_over(small: None, library: Rows, tmp_path: Path) -> None:
    here, there = open_index(library, tmp_path), open_index(library, tmp_path)
    library.add(range(COUNT + 1, COUNT + 500), clustered(499, 4))
    assert there.optimize()
    library.read.clear()
    assert here.refresh()
    assert library.read == [], "it was mapped, not read"
    assert codes_of(here).lists == 64
    assert recall(here, library, 10) >= 0.99


@pytest.mark.parametrize("place", [0.0, 0.3, 0.999])
def test_rows_that_are_damaged_are_noticed_when_they_are_compared(
    small: None, library: Rows, tmp_path: Path, place: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Opening reads no rows of a large library, so damage shows when they are read: no hit is made of it."""
    open_index(library, tmp_path)
    (file,) = tmp_path.glob("*.rows")
    content = bytearray(file.read_bytes())
    first = int(place * COUNT) * DIM * 2
    content[first : first + DIM * 2] = bytes(DIM * 2)
    file.write_bytes(content)
    library.read.clear()
    index = open_index(library, tmp_path)
    assert library.read == []
    row = library.rows[int(place * COUNT) + 1]
    with caplog.at_level(logging.WARNING):
        ids, scores = index.search(row[None, :], 3)
    assert ids[0, 0] == int(place * COUNT) + 1
    assert scores[0, 0] == pytest.approx(1, abs=2e-3)
    assert "made again" in caplog.text
    library.read.clear()
    assert recall(open_index(library, tmp_path), library, 10) >= 0.99
    assert library.read == [0], "only the oracle has read: the files are whole again"


@pytest.mark.parametrize("damage", ["torn", "flipped", "another index", "gone"])
def test_damaged_codes_are_made_again_without_reading_the_library(
    small: None, library: Rows, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    open_index(library, tmp_path)
    (file,) = tmp_path.glob("*.codes")
    content = bytearray(file.read_bytes())
    if damage == "torn":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "another index":
        faiss.write_index(faiss.IndexFlatL2(DIM), str(file))
    else:
        file.unlink()
    library.read.clear()
    with caplog.at_level(logging.WARNING):
        index = open_index(library, tmp_path)
    assert "codes" in caplog.text
    assert library.read == []
    assert len(codes_of(index)) == COUNT
    assert recall(index, library, 10) >= 0.99
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_cannot_be_written_costs_only_memory(
    small: None, library: Rows, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        index = open_index(library, blocked / "vectors")
    assert "in memory only" in caplog.text
    assert index.optimize()
    library.add(range(COUNT + 1, COUNT + 1000), clustered(999, 4))
    assert index.refresh()
    assert recall(index, library, 10) >= 0.99


def test_files_of_the_dead_do_not_pile_up(small: None, library: Rows, tmp_path: Path) -> None:
    index = open_index(library, tmp_path)
    for i in range(1, 6):
        library.remove(i)
        index.refresh()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".codes", ".dead", ".json", ".rows"]
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    library.remove(10)
    index.refresh()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".codes", ".dead", ".json", ".rows"]


def test_lists_grow_with_the_root_of_the_rows() -> None:
    assert [list_count(count) for count in (1, 99_999, 100_000, 10**6, 4 * 10**6, 10**7)] == [
        1,
        1,
        256,
        1024,
        2048,
        4096,
    ]
