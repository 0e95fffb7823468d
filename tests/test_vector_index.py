"""Every VectorIndex finds what a comparison with each row finds; FaissIndex always agrees with the library."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from fakes import ExactIndex
from numpy.typing import NDArray
from postgres import needs_postgres
from server_rows import mirrored_indexes

from db.records import Filters, Stamp
from files.stamped import StampedFiles
from search.cache_file import cache_name
from search.vectors.faiss_index import FaissIndex
from search.vectors.rows import row_sums
from search.vectors.snapshot import Snapshot
from search.vectors.vector_index import Refreshable, VectorIndex

DIM = 24
ENCODER = "video/prism:base α"


def unit_rows(count: int, seed: int, dim: int = DIM) -> NDArray[np.float32]:
    """Rows as the library returns them: float16 values in float32, of length 1 within 1e-3."""
    rows = np.random.default_rng(seed).normal(size=(count, dim))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float16).astype(np.float32)


class Rows:
    """A stand-in for the library: what FaissIndex uses of it, with stamps as db.records.Stamp describes them."""

    def __init__(self, library_id: str = "lib-1") -> None:
        self.id = library_id
        self.rows: dict[int, NDArray[np.float32]] = {}
        self.generation = 0
        self.dim = 0  # stays when the last row goes
        self.read: list[int] = []  # the `after` of every reading

    def add(self, ids: Any, rows: NDArray[np.float32]) -> None:
        if any(i <= self.last_id for i in ids):
            self.generation += 1
        self.rows.update(zip([int(i) for i in ids], rows, strict=True))

    def remove(self, *ids: int) -> None:
        self.generation += len(ids)
        for i in ids:
            del self.rows[i]

    def change(self, segment_id: int, row: NDArray[np.float32]) -> None:
        self.generation += 1
        self.rows[segment_id] = row

    @property
    def last_id(self) -> int:
        return max(self.rows, default=0)

    def stamp(self, encoder_id: str) -> Stamp:
        self.dim = len(next(iter(self.rows.values()))) if self.rows else self.dim
        return Stamp(
            library_id=self.id,
            encoder_id=encoder_id,
            dim=self.dim,
            count=len(self.rows),
            last_id=self.last_id,
            generation=self.generation,
        )

    def segment_ids(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        assert not filters
        return np.array(sorted(self.rows), dtype=np.int64)

    def embeddings(
        self, encoder_id: str, after: int = 0, batch: int = 7
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        self.read.append(after)
        ids = sorted(i for i in self.rows if i > after)
        for start in range(0, len(ids), batch):
            chosen = [i for i in ids[start : start + batch] if i in self.rows]
            if chosen:
                yield np.array(chosen, dtype=np.int64), np.stack([self.rows[i] for i in chosen])

    def embedding_rows(self, encoder_id: str, ids: Iterable[int]) -> NDArray[np.float32]:
        found = [self.rows[i] for i in ids]
        return np.stack(found) if found else np.empty((0, self.stamp(encoder_id).dim), dtype=np.float32)


def filled(count: int = 50, seed: int = 0, step: int = 3) -> Rows:
    library = Rows()
    library.add(range(step, step * (count + 1), step), unit_rows(count, seed))
    return library


def open_index(library: Any, directory: Path) -> FaissIndex:
    return FaissIndex.open(library, ENCODER, directory)


def agrees(index: VectorIndex, library: Any, allowed: NDArray[np.int64] | None = None, k: int = 9) -> None:
    """Assert that the index finds the library's best rows, equal scores by ascending id."""
    queries = unit_rows(4, 99)
    ids, scores = index.search(queries, k, allowed)
    wanted_ids, wanted_scores = ExactIndex.of(library, ENCODER).search(queries, k, allowed)
    assert ids.dtype == np.int64
    assert scores.dtype == np.float32
    assert ids.shape == wanted_ids.shape
    np.testing.assert_allclose(scores, wanted_scores, atol=2e-6)
    np.testing.assert_array_equal(ids, wanted_ids)


@pytest.fixture(params=["faiss", "exact", pytest.param("server", marks=needs_postgres)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "exact":
        return lambda library: ExactIndex.of(library, ENCODER)
    if request.param == "server":
        return mirrored_indexes(request.getfixturevalue("postgres"), tmp_path, ENCODER)
    return lambda library: open_index(library, tmp_path / "vectors")


def as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat a library of 4,000 rows as one of hundreds of thousands."""
    monkeypatch.setattr("search.vectors.vector_index.CODED_ROWS", 4_000)
    monkeypatch.setattr("search.vectors.base._MIN_LISTS", 32)
    monkeypatch.setattr("search.vectors.base._ROWS_PER_CANDIDATE", 4)
    monkeypatch.setattr("search.vectors.snapshot.FEW_ROWS", 800)
    monkeypatch.setattr("search.vectors.server_index.GRAPH_ROWS", 4_000)
    monkeypatch.setattr("db.server.nearest.FEW_ROWS", 800)


# Every VectorIndex


def test_is_a_vector_index(make: Any) -> None:
    assert isinstance(make(filled()), VectorIndex)


@pytest.mark.parametrize("k", [1, 9, 50, 51, 10_000])
def test_finds_what_comparing_with_every_row_finds(make: Any, k: int) -> None:
    library = filled()
    index = make(library)
    assert len(index) == 50
    queries = unit_rows(5, 7)
    ids, scores = index.search(queries, k)
    everything = np.array(sorted(library.rows))
    cosines = queries @ np.stack([library.rows[i] for i in everything]).T
    order = np.argsort(-cosines, axis=1, kind="stable")[:, : min(k, 50)]
    np.testing.assert_array_equal(ids, everything[order])
    np.testing.assert_allclose(scores, np.take_along_axis(cosines, order, axis=1), atol=2e-6)
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize(
    "allowed",
    [
        np.arange(3, 60, 3),  # consecutive: the ids of one folder
        np.array([9]),
        np.array([150, 3, 9, 9, 3]),  # any order, repeats
        np.array([3, 4, 5, 6, 10**12, -7]),  # unknown ids
        np.arange(151),
        np.array([1, 2]),
        np.array([], dtype=np.int64),
    ],
    ids=["run", "one", "repeats", "unknown", "all", "none of them", "empty"],
)
def test_filters_find_the_best_of_what_is_allowed(make: Any, allowed: NDArray[np.int64]) -> None:
    library = filled()
    index = make(library)
    queries = unit_rows(3, 5)
    ids, scores = index.search(queries, 6, allowed)
    known = np.array(sorted(set(library.rows) & set(allowed.tolist())), dtype=np.int64)
    assert ids.shape == scores.shape == (3, min(6, len(known)))
    if len(known):
        cosines = queries @ np.stack([library.rows[i] for i in known]).T
        np.testing.assert_array_equal(ids, known[np.argsort(-cosines, axis=1)[:, :6]])


def test_filters_of_consecutive_and_of_scattered_ids_agree(make: Any) -> None:
    library = Rows()
    library.add([*range(1, 40), 5_000_000, 2**40], unit_rows(41, 3))
    index = make(library)
    for allowed in (np.arange(5, 20), np.array([5, 7, 5_000_000]), np.array([2, 39, 2**40]), np.array([2**40])):
        agrees(index, library, allowed)


def test_equal_rows_come_by_ascending_id_and_the_lowest_ids_stay(make: Any) -> None:
    library = Rows()
    rows = unit_rows(60, 1)
    rows[10:50] = rows[10]  # forty copies of one shot
    library.add(range(1, 61), rows)
    ids, scores = make(library).search(rows[10:11], 5)
    assert ids.tolist() == [[11, 12, 13, 14, 15]]
    assert len(set(scores[0].tolist())) == 1


@pytest.mark.parametrize("seed", range(6))
def test_counts_agree_with_the_scores_of_a_search_also_exactly_at_one(make: Any, seed: int) -> None:
    """Thresholds are all scores and the numbers next to them, float32 and not."""
    library = Rows()
    rows = unit_rows(80, seed)
    rows[20:30] = rows[20]
    library.add(range(3, 243, 3), rows)
    index = make(library)
    row = unit_rows(1, seed + 100)[0]
    for allowed in (None, np.arange(30, 120), np.array([3, 3, 9, 60, 63, 240, 10**12]), np.array([], dtype=np.int64)):
        scores = index.search(row[None, :], 1000, allowed)[1][0]
        wholes = scores.astype(np.float64)
        for threshold in (
            *scores,
            *wholes,
            *(wholes + 1e-12),
            *(wholes - 1e-12),
            -np.inf,
            np.inf,
            -2,
            2,
            1e300,
            -1e300,
        ):
            assert index.count(row, float(threshold), allowed) == (wholes >= float(threshold)).sum()


def test_invalid_counts_are_refused(make: Any) -> None:
    index = make(filled())
    row = unit_rows(1, 0)[0]
    for wrong in (row[:-1], row.astype(np.float64), row[None, :], np.full(DIM, np.nan, np.float32)):
        with pytest.raises(ValueError, match="query row"):
            index.count(wrong, 0.5)
    with pytest.raises(ValueError, match="threshold"):
        index.count(row, float("nan"))
    assert make(Rows()).count(row, -np.inf) == 0


def test_empty_index_gives_rows_without_columns(make: Any) -> None:
    index = make(Rows())
    assert len(index) == 0
    ids, scores = index.search(unit_rows(3, 0), 10)
    assert ids.shape == scores.shape == (3, 0)
    ids, _ = index.search(unit_rows(3, 0), 10, np.array([1, 2, 3]))
    assert ids.shape == (3, 0)


def test_no_queries_give_no_rows(make: Any) -> None:
    ids, scores = make(filled()).search(np.empty((0, DIM), np.float32), 4)
    assert ids.shape == scores.shape == (0, 4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_query_rows_that_are_not_finite_are_refused(make: Any, value: float) -> None:
    rows = unit_rows(2, 0)
    rows[1, 3] = value
    with pytest.raises(ValueError, match="not finite"):
        make(filled()).search(rows, 3)


def test_invalid_searches_are_refused(make: Any) -> None:
    index = make(filled())
    with pytest.raises(ValueError, match="k must be at least 1"):
        index.search(unit_rows(1, 0), 0)
    with pytest.raises(ValueError, match="float32"):
        index.search(unit_rows(1, 0).astype(np.float64), 3)
    with pytest.raises(ValueError, match="float32"):
        index.search(unit_rows(1, 0)[0], 3)
    with pytest.raises(ValueError, match=f"Q, {DIM}"):
        index.search(unit_rows(1, 0, DIM + 1), 3)


# FaissIndex and the library


def test_a_row_that_is_not_finite_is_left_out_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    library = filled()
    library.rows[9] = np.full(DIM, np.nan, np.float32)
    with caplog.at_level(logging.WARNING):
        index = open_index(library, tmp_path)
    assert "1 embeddings" in caplog.text
    assert "[9]" in caplog.text
    assert len(index) == 49
    ids, _ = index.search(unit_rows(2, 0), 100)
    assert ids.shape == (2, 49)
    assert 9 not in ids
    assert not index.refresh(), "the row that was left out is not taken for a new one"
    assert len(open_index(library, tmp_path)) == 49


def test_is_loaded_from_the_cache_without_reading_a_row(tmp_path: Path) -> None:
    library = filled()
    agrees(open_index(library, tmp_path), library)
    library.read.clear()
    agrees(open_index(library, tmp_path), library)
    assert library.read == [0], "only the oracle has read"


def test_only_new_rows_are_read(tmp_path: Path) -> None:
    library = filled(50)
    open_index(library, tmp_path)
    library.add(range(151, 181), unit_rows(30, 2))
    library.read.clear()
    index = open_index(library, tmp_path)
    assert library.read == [150]
    agrees(index, library)
    library.read.clear()
    open_index(library, tmp_path)
    assert library.read == [], "thirty new rows of eighty were worth a new file"


def test_few_new_rows_are_not_worth_a_new_file(tmp_path: Path) -> None:
    library = filled(50)
    open_index(library, tmp_path)
    before = sorted(tmp_path.iterdir())
    library.add([151], unit_rows(1, 2))
    agrees(open_index(library, tmp_path), library)
    assert sorted(tmp_path.iterdir()) == before


def removed(library: Rows) -> None:
    library.remove(9)


def changed(library: Rows) -> None:
    library.change(9, unit_rows(1, 44)[0])


def in_between(library: Rows) -> None:
    library.add([10], unit_rows(1, 45))


def replaced(library: Rows) -> None:
    library.remove(9, 150)
    library.add([151, 152], unit_rows(2, 46))


def emptied(library: Rows) -> None:
    library.remove(*list(library.rows))


def other_dimension(library: Rows) -> None:
    library.remove(*list(library.rows))
    library.add(range(200, 260), unit_rows(60, 3, DIM * 2)[:, :DIM].copy())


def miscounted(library: Rows) -> None:
    """Add a row between others without a new generation, as in a damaged library: only the count shows it."""
    library.rows[10] = unit_rows(1, 47)[0]
    library.rows[160] = unit_rows(1, 48)[0]


@pytest.mark.parametrize("change", [removed, changed, in_between, replaced, emptied, other_dimension, miscounted])
@pytest.mark.parametrize("how", ["refresh", "open"])
def test_whatever_changes_the_index_agrees_afterwards(tmp_path: Path, change: Any, how: str) -> None:
    library = filled()
    index = open_index(library, tmp_path)
    change(library)
    if how == "open":
        index = open_index(library, tmp_path)
    else:
        assert index.refresh()
        assert not index.refresh()
    agrees(index, library)
    assert len(index) == len(library.rows)


def test_a_library_that_was_emptied_can_be_filled_again(tmp_path: Path) -> None:
    library = filled()
    index = open_index(library, tmp_path)
    library.remove(*library.rows)
    assert index.refresh()
    assert len(index) == 0
    library.add(range(200, 220), unit_rows(20, 5))
    assert index.refresh()
    agrees(index, library)


def test_another_number_of_columns_makes_another_index(tmp_path: Path) -> None:
    open_index(filled(), tmp_path)
    library = Rows()
    library.generation = 1
    library.add(range(3, 153, 3), unit_rows(50, 0, DIM + 8))
    index = open_index(library, tmp_path)
    ids, _ = index.search(library.rows[30][None], 1)
    assert ids.tolist() == [[30]]


def test_the_files_of_another_library_or_encoder_are_not_used(tmp_path: Path) -> None:
    open_index(filled(seed=0), tmp_path)
    other = filled(seed=1)
    other.id = "lib-2"
    agrees(open_index(other, tmp_path), other)
    third = filled(seed=2)
    agrees(FaissIndex.open(third, ENCODER + "2", tmp_path), third)  # type: ignore[arg-type]
    assert cache_name(ENCODER) != cache_name(ENCODER.replace("/", ":"))


def test_refresh_while_the_library_is_being_written(tmp_path: Path) -> None:
    """A video is replaced and another added between reading the stamp and reading the rows."""

    class Busy(Rows):
        def embeddings(self, encoder_id: str, after: int = 0, batch: int = 7) -> Any:
            for number, found in enumerate(super().embeddings(encoder_id, after, batch)):
                yield found
                if number == 1 and 9 in self.rows:
                    self.remove(9)
                    self.add([self.last_id + 1], unit_rows(1, 50))

    library = Busy()
    library.add(range(3, 153, 3), unit_rows(50, 0))
    index = open_index(library, tmp_path)
    assert 9 not in library.rows
    agrees(index, library)
    agrees(open_index(library, tmp_path), library)


def test_a_library_that_changes_all_the_time_does_not_block(tmp_path: Path) -> None:
    class Restless(Rows):
        def stamp(self, encoder_id: str) -> Stamp:
            self.generation += 1
            return super().stamp(encoder_id)

    library = Restless()
    library.add(range(3, 153, 3), unit_rows(50, 0))
    agrees(open_index(library, tmp_path), library)
    agrees(open_index(library, tmp_path), library)


def test_searches_and_refreshes_may_run_at_the_same_time(tmp_path: Path) -> None:
    library = filled()
    index = open_index(library, tmp_path)
    wrong: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        queries = unit_rows(2, 5)
        while not stop.is_set():
            ids, scores = index.search(queries, 5, np.arange(0, 10_000))
            if ids.shape != (2, 5) or (np.diff(scores, axis=1) > 0).any() or (ids < 0).any():
                wrong.append(f"{ids} {scores}")

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for round_ in range(20):
        library.add([library.last_id + 1, library.last_id + 2], unit_rows(2, round_))
        if round_ % 4 == 3:
            library.remove(min(library.rows))
        index.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    agrees(index, library)


# Files


FILES = 3  # of a small index: rows, ids and the stamp


def large_file(directory: Path) -> Path:
    (file,) = directory.glob("*.rows")
    return file


def damaged_and_opened(directory: Path, library: Rows, caplog: pytest.LogCaptureFixture) -> None:
    library.read.clear()
    with caplog.at_level(logging.WARNING):
        index = open_index(library, directory)
        index.search(unit_rows(1, 0), 1)  # rows are checked when they are read
    assert library.read == [0], "rebuilt from the library"
    agrees(index, library)
    library.read.clear()
    open_index(library, directory)
    assert library.read == [], "and saved whole"
    assert len(list(directory.iterdir())) == FILES


@pytest.mark.parametrize("length", [0, 1, 30, 100, 0.5, -1])
def test_a_torn_vector_file_is_rebuilt(tmp_path: Path, length: float, caplog: pytest.LogCaptureFixture) -> None:
    library = filled()
    open_index(library, tmp_path)
    whole = large_file(tmp_path).read_bytes()
    cut = int(length * len(whole)) if isinstance(length, float) else length % len(whole)
    large_file(tmp_path).write_bytes(whole[:cut])
    damaged_and_opened(tmp_path, library, caplog)
    assert "rebuilt" in caplog.text


@pytest.mark.parametrize("place", [0, 20, 0.5, -1])
def test_a_vector_file_with_wrong_bytes_is_rebuilt(
    tmp_path: Path, place: float, caplog: pytest.LogCaptureFixture
) -> None:
    library = filled()
    open_index(library, tmp_path)
    file = large_file(tmp_path)
    content = bytearray(file.read_bytes())
    content[int(place * len(content)) if isinstance(place, float) else place] ^= 0x40
    file.write_bytes(content)
    damaged_and_opened(tmp_path, library, caplog)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"format": 1}', '{"format": 99}', '{"format": 1, "stamp": {"dim": 3}}', "\x00" * 40],
)
def test_a_torn_stamp_is_rebuilt(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    library = filled()
    open_index(library, tmp_path)
    (tmp_path / f"{cache_name(ENCODER)}.json").write_text(text)
    orphans = [path for path in tmp_path.iterdir() if path.suffix != ".json"]
    for orphan in orphans:
        os.utime(orphan, (0, 0))
    damaged_and_opened(tmp_path, library, caplog)
    assert not any(orphan.exists() for orphan in orphans)


def test_a_stamp_that_names_a_file_elsewhere_is_not_followed(tmp_path: Path) -> None:
    library = filled()
    open_index(library, tmp_path / "vectors")
    outside = tmp_path / "outside.faiss"
    large_file(tmp_path / "vectors").rename(outside)
    stamp = tmp_path / "vectors" / f"{cache_name(ENCODER)}.json"
    record = json.loads(stamp.read_text())
    stamp.write_text(json.dumps(record | {"file": "../outside.faiss"}))
    agrees(open_index(library, tmp_path / "vectors"), library)
    assert outside.exists()


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    library = filled()
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        agrees(open_index(library, blocked / "vectors"), library)
    assert "in memory only" in caplog.text


@pytest.mark.parametrize("suffix", [".rows", ".npy"])
def test_a_disk_that_gives_back_other_bytes_costs_only_time(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = StampedFiles.write

    def write(files: StampedFiles, its_suffix: str, content: Any) -> dict[str, Any]:
        entry = real(files, its_suffix, content)
        if its_suffix == suffix:
            os.truncate(files.path_of(entry), 100)
        return entry

    monkeypatch.setattr(StampedFiles, "write", write)
    library = filled()
    with caplog.at_level(logging.WARNING):
        agrees(open_index(library, tmp_path), library)
    assert "in memory only" in caplog.text
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from test_vector_index import ENCODER, filled, unit_rows
from search.vectors.faiss_index import FaissIndex
library = filled()
library.add(range(151, 301), unit_rows(150, 8))
steps = iter(range(10_000))
def dies(real):
    def call(*arguments, **named):
        if next(steps) == {step}:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call
os.fsync, os.replace, Path.unlink = dies(os.fsync), dies(os.replace), dies(Path.unlink)
FaissIndex.open(library, ENCODER, Path({directory!r}))
print("lived")
"""


@pytest.mark.parametrize("step", range(8))
def test_killed_while_saving_leaves_the_old_files_or_the_new(tmp_path: Path, step: int) -> None:
    """Steps: flush of rows, ids and stamp; rename; flush of the folder; removal of the two old files; end."""
    open_index(filled(), tmp_path)
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    script = KILLED.format(paths=paths, step=step, directory=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode == -signal.SIGKILL) if step < 7 else (done.stdout == "lived\n"), done.stderr
    library = filled()
    library.add(range(151, 301), unit_rows(150, 8))
    index = open_index(library, tmp_path)
    assert 0 not in library.read, "one whole set of files was there: at most the newer rows had to be read"
    agrees(index, library)
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    library.add(range(301, 601), unit_rows(300, 9))
    agrees(open_index(library, tmp_path), library)
    assert len(list(tmp_path.iterdir())) == FILES, "leftovers of the killed process are removed in time"


@pytest.mark.skipif(sys.platform == "win32", reason="limits of this kind are POSIX")
def test_a_full_disk_costs_only_time(tmp_path: Path) -> None:
    """Every file is limited to 2 KiB, which is how a full disk looks to a writer."""
    script = textwrap.dedent(f"""
        import logging, resource, signal, sys
        sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}
        from pathlib import Path
        from test_vector_index import agrees, filled, open_index
        logging.basicConfig(level=logging.WARNING, stream=sys.stdout)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
        library = filled()
        agrees(open_index(library, Path({str(tmp_path)!r})), library)
        print("agrees")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "agrees" in done.stdout, done.stderr
    assert "in memory only" in done.stdout
    assert list(tmp_path.iterdir()) == [], "no partial file stays"


# Threads and GPUs


def test_a_query_takes_one_thread_and_restores_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = open_index(filled(), tmp_path)
    seen: list[int] = []
    real = Snapshot.search

    def spy(self: Any, *arguments: Any, **named: Any) -> Any:
        seen.append(faiss.omp_get_max_threads())
        return real(self, *arguments, **named)

    monkeypatch.setattr(Snapshot, "search", spy)
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    try:
        index.search(unit_rows(1, 0), 3)
        index.search(unit_rows(1, 0), 3, np.array([3, 9, 12]))
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)
    assert seen == [1, 1]


@pytest.mark.parametrize("memory", ["enough", "too little"])
def test_large_unfiltered_searches_go_to_a_gpu_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    """Another index on the CPU stands in for the GPU: the test is which searches it gets."""
    copied: list[int] = []
    asked: list[int] = []

    class Device:
        def __init__(self, index: Any) -> None:
            self._index = index
            copied.append(index.ntotal)

        def search(self, rows: Any, k: int) -> Any:
            asked.append(k)
            return self._index.search(rows, k)

    def to_gpu(resources: object, device: int, index: Any) -> Any:
        if memory == "too little":
            raise RuntimeError("out of memory")
        return Device(index)

    as_if_large(monkeypatch)
    monkeypatch.setattr("search.vectors.base._MIN_GPU_ROWS", 4_000)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(faiss, "index_cpu_to_gpu", to_gpu, raising=False)
    library = filled(4_000, step=1)
    index = open_index(library, tmp_path)
    index.search(unit_rows(4, 99), 9, np.arange(3, 3_000))
    assert asked == [], "filters stay on the CPU"
    queries = unit_rows(4, 99)
    index.search(queries, 9)
    on_device = [340] * 4 if memory == "enough" else []
    assert asked == on_device, "one search for each of four queries"
    library.add(range(4_001, 4_010), unit_rows(9, 3))
    library.remove(17)
    index.refresh()
    index.search(queries, 9)
    assert asked == 2 * on_device
    assert copied == ([4_000] if memory == "enough" else []), "once: tail and deleted rows stay on the CPU"
    if memory == "enough":  # codes miss some of these rows, which are not clustered
        agrees(index, library)


@pytest.mark.gpu
def test_a_real_gpu_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if faiss.get_num_gpus() == 0:
        pytest.skip("no GPU, or a FAISS without GPU code")
    as_if_large(monkeypatch)
    monkeypatch.setattr("search.vectors.base._MIN_GPU_ROWS", 4_000)
    library = filled(4_000)
    index = open_index(library, tmp_path)
    agrees(index, library)
    assert index._snapshot.base.stored._on_gpu is not None


def test_faiss_index_can_be_refreshed(tmp_path: Path) -> None:
    assert isinstance(open_index(filled(), tmp_path), Refreshable)


@pytest.mark.parametrize("columns", [1, 3, 4, 5, 18, 32])
def test_a_row_has_the_same_checksum_whatever_it_is_read_with(columns: int) -> None:
    rows = np.random.default_rng(columns).standard_normal((9, columns)).astype(np.float16)
    sums = row_sums(rows)
    for start, end in ((0, 1), (0, 3), (1, 5), (8, 9)):
        assert row_sums(rows[start:end]).tolist() == sums[start:end].tolist()
    flipped = rows.copy()
    flipped.view(np.uint16)[4, columns - 1] ^= 1
    assert (row_sums(flipped) != sums).tolist() == [place == 4 for place in range(9)]
