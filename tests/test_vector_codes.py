"""FaissIndex from CODED_ROWS rows on: codes select candidates, whose rows are compared; all of it survives in files."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from db_samples import make_parts, make_video
from fakes import ExactIndex
from numpy.typing import NDArray
from test_vector_index import ENCODER, Rows, as_if_large, open_index, unit_rows

from db.library import Library
from db.records import Filters
from files.stamped import StampedFiles
from search.vectors.base import Base, build_codes
from search.vectors.faiss_index import FaissIndex
from search.vectors.row_file import RowFile
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
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    as_if_large(monkeypatch)


@pytest.fixture
def library() -> Rows:
    library = Rows()
    library.add(range(1, COUNT + 1), clustered(COUNT, 1))
    return library


@pytest.fixture
def index(large: None, library: Rows, tmp_path: Path) -> FaissIndex:
    index = open_index(library, tmp_path / "vectors")
    assert not index.optimize(), "nothing has changed since"
    return index


def base_of(index: FaissIndex) -> Base:
    return index._snapshot.base.stored


def recall(index: FaissIndex, library: Rows, k: int, allowed: Any = None) -> float:
    """Return the recall of 50 queries. Assert that hits have their true scores, best first."""
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
    lists: list[int] = []
    real = Base._from_lists

    def spy(self: Base, query: Any, count: int, allowed: Any) -> Any:
        assert count == 350
        for found in real(self, query, count, allowed):
            lists[-1] += 1
            yield found

    monkeypatch.setattr(Base, "_from_lists", spy)
    for query in clustered(50, 9):
        lists.append(0)
        index.search(query[None, :], 10)
    assert min(lists) == 2, "the first lists, and as many more that add nothing"
    assert np.mean(lists) < 4, "few queries need many lists"
    assert recall(index, library, 10) >= 0.99


@pytest.mark.parametrize("k", [1, 10, 100, 5999, 6000, 10_000])
def test_the_nearest_are_found_for_any_k(index: FaissIndex, library: Rows, k: int) -> None:
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


def test_copies_come_by_ascending_id_though_their_codes_are_equal(large: None, tmp_path: Path) -> None:
    library = Rows()
    rows = clustered(COUNT, 1)
    rows[1000:4000] = rows[1000]  # 3,000 copies of one shot: more than candidates
    library.add(range(1, COUNT + 1), rows)
    ids, scores = open_index(library, tmp_path).search(rows[1000:1001], 20)
    assert ids.tolist() == [list(range(1001, 1021))]
    assert len(set(scores[0].tolist())) == 1


def test_rows_are_returned_as_they_are_stored(index: FaissIndex, library: Rows) -> None:
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


def test_added_rows_are_found_before_and_after_they_are_coded(index: FaissIndex, library: Rows) -> None:
    for start, count, due in ((COUNT, 300, False), (COUNT + 300, 100, True)):
        library.add(range(start + 1, start + count + 1), clustered(count, start))
        for work in (index.refresh, index.optimize):
            base, result = base_of(index), work()
            assert result == (due or work == index.refresh)
            assert (base_of(index) is base) == (work == index.refresh or not due)
            assert recall(index, library, 10) >= 0.99
            new = library.rows[start + 5]
            assert index.search(new[None, :], 1)[0][0, 0] == start + 5
    assert len(base_of(index).rows) == COUNT + 400


def test_only_a_row_added_between_others_is_read(index: FaissIndex, library: Rows) -> None:
    library.remove(77, 78)
    assert index.refresh()
    library.add([77], clustered(1, 50))
    library.add([COUNT + 1], clustered(1, 51))
    library.read.clear()
    assert index.refresh()
    assert library.read == [], "the two rows are read by their ids"
    for i in (77, COUNT + 1):
        assert index.search(library.rows[i][None, :], 1)[0].tolist() == [[i]]
    assert index.count(clustered(1, 0)[0], -np.inf, np.array([77, 78])) == 1
    assert recall(index, library, 10) >= 0.99


def test_removing_reads_no_row_and_builds_no_base(index: FaissIndex, library: Rows, tmp_path: Path) -> None:
    base = base_of(index)
    gone = [1, 17, 600, 4321, COUNT]
    library.remove(*gone)
    library.read.clear()
    assert index.refresh()
    assert not index.refresh()
    assert library.read == []
    assert base_of(index) is base
    assert len(index) == COUNT - 5
    assert recall(index, library, 10) >= 0.99
    assert index.count(clustered(1, 0)[0], -np.inf, np.array(gone)) == 0
    library.read.clear()
    again = open_index(library, tmp_path / "vectors")
    assert library.read == [], "the ids show which rows are gone"
    assert len(again) == COUNT - 5
    assert recall(again, library, 10, np.arange(1, 5000)) >= 0.99


def test_a_changed_row_is_found_by_its_new_value(index: FaissIndex, library: Rows) -> None:
    base = base_of(index)
    library.change(77, clustered(1, 123)[0])
    library.add([COUNT + 1], clustered(1, 124))
    assert index.refresh()
    assert not index.refresh()
    assert len(index) == COUNT + 1
    for i in (77, COUNT + 1):
        ids, scores = index.search(library.rows[i][None, :], 1)
        assert ids[0, 0] == i
        assert scores[0, 0] == pytest.approx(1, abs=2e-3)
    assert base_of(index) is base, "the rows were compared, and no base was built"
    assert recall(index, library, 10, np.arange(50, 3000)) >= 0.99


def test_a_change_beside_a_removal_is_noticed(index: FaissIndex, library: Rows) -> None:
    library.remove(5, 6)
    library.change(9, clustered(1, 125)[0])
    assert index.refresh()
    ids, _ = index.search(library.rows[9][None, :], 1)
    assert ids.tolist() == [[9]]
    assert recall(index, library, 10) >= 0.99


def test_a_change_that_hides_behind_a_row_above_the_last_that_stayed_is_seen(tmp_path: Path) -> None:
    """That row does not raise the generation, although its id is below one that the index knew."""
    with Library.open(tmp_path) as library:
        parts = []
        for number in range(3):
            video = make_video(f"/f/{number}.mp4", f"content{number}")
            parts.append((video, *make_parts(video, 2)))
            library.add_video(*parts[-1], unit_rows(2, number, 16), encoder_id="another", recipe="r")
        for number in (0, 2):
            library.add_video(*parts[number], unit_rows(2, number, 16), encoder_id=ENCODER, recipe="r")
        index = open_index(library, tmp_path / "vectors")
        last = library.video_at("/f/2.mp4")
        assert last is not None
        assert last.id is not None
        library.remove_videos([last.id])
        library.add_video(*parts[1], unit_rows(2, 1, 16), encoder_id=ENCODER, recipe="r")
        library.add_video(*parts[0], unit_rows(2, 77, 16), encoder_id=ENCODER, recipe="again")
        index.refresh()
        ids = library.segment_ids(Filters(), ENCODER)
        assert ids.tolist() == [1, 2, 3, 4]
        np.testing.assert_array_equal(index.rows_of(ids), library.embedding_rows(ENCODER, ids.tolist()))


def test_many_new_rows_are_put_in_the_tail_at_once(
    index: FaissIndex, library: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch by batch, the tail would be copied for each: for hours, if a library of a million doubled."""
    made: list[int] = []
    real = Snapshot.__init__

    def spy(self: Snapshot, *arguments: Any) -> None:
        made.append(1)
        real(self, *arguments)

    library.add(range(COUNT + 1, COUNT + 500), clustered(499, 4))
    monkeypatch.setattr(Snapshot, "__init__", spy)
    assert index.refresh()
    assert len(made) == 1
    assert recall(index, library, 10) >= 0.99


def test_a_library_raises_the_generation_once_for_each_row_removed_or_changed(tmp_path: Path) -> None:
    """FaissIndex distinguishes removals from changes by this."""
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


def test_deleted_rows_are_dropped_once_they_are_many(index: FaissIndex, library: Rows, tmp_path: Path) -> None:
    library.remove(*range(1, COUNT // 3))
    assert index.optimize()
    assert len(base_of(index).rows) == len(index) == len(library.rows)
    assert recall(index, library, 10) >= 0.99
    library.read.clear()
    assert len(open_index(library, tmp_path / "vectors")) == len(library.rows)
    assert library.read == []


def test_the_share_that_makes_a_new_base_due_can_be_set(large: None, library: Rows, tmp_path: Path) -> None:
    index = FaissIndex.open(library, ENCODER, tmp_path, rebuild_share=0.5)  # type: ignore[arg-type]
    library.remove(*range(1, COUNT // 3))
    assert not index.optimize()
    assert len(index) == len(library.rows)


def test_opening_again_gives_the_same_hits(index: FaissIndex, library: Rows, tmp_path: Path) -> None:
    library.read.clear()
    again = open_index(library, tmp_path / "vectors")
    assert library.read == []
    assert base_of(again).codes.ntotal == COUNT
    queries = clustered(20, 3)
    for first, second in zip(index.search(queries, 10), again.search(queries, 10), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_base_that_another_process_has_built_is_used(large: None, library: Rows, tmp_path: Path) -> None:
    here, there = open_index(library, tmp_path), open_index(library, tmp_path)
    library.add(range(COUNT + 1, COUNT + 500), clustered(499, 4))
    assert there.optimize()
    library.read.clear()
    assert here.refresh()
    assert library.read == [], "the new base was mapped, and no row was read"
    assert base_of(here).codes.ntotal == COUNT + 499
    assert recall(here, library, 10) >= 0.99


@pytest.mark.parametrize("place", [0.0, 0.3, 0.999])
def test_rows_that_are_damaged_are_noticed_when_they_are_compared(
    large: None, library: Rows, tmp_path: Path, place: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Opening a large library reads no rows, so damage is noticed when they are read, before a hit is made of them."""
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
    assert "rebuilt" in caplog.text
    library.read.clear()
    assert recall(open_index(library, tmp_path), library, 10) >= 0.99
    assert library.read == [0], "only the oracle has read: the files have been rebuilt"


@pytest.mark.parametrize("damage", ["torn", "flipped", "another index", "gone"])
@pytest.mark.parametrize("suffix", ["codes", "npy"])
def test_damage_that_opening_detects_is_repaired(
    index: FaissIndex, library: Rows, tmp_path: Path, damage: str, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    (file,) = (tmp_path / "vectors").glob(f"*.{suffix}")
    content = bytearray(file.read_bytes())
    file.unlink()  # `index` keeps its own
    if damage == "torn":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "another index":
        faiss.write_index(faiss.IndexFlatL2(DIM), str(file))
    library.read.clear()
    with caplog.at_level(logging.WARNING):
        again = open_index(library, tmp_path / "vectors")
    assert "rebuilt" in caplog.text
    assert library.read == [0]
    assert recall(again, library, 10) >= 0.99
    for path in (tmp_path / "vectors").iterdir():
        os.utime(path, (0, 0))
    library.remove(*range(1, 1000))
    assert again.optimize()
    assert sorted(path.suffix for path in (tmp_path / "vectors").iterdir()) == [".codes", ".json", ".npy", ".rows"]


@pytest.mark.parametrize("step", [".npy", ".codes", "stamp"])
def test_a_disk_that_is_full_before_the_end_keeps_nothing_of_a_base(
    large: None, library: Rows, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = StampedFiles.write

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def write(files: StampedFiles, suffix: str, content: Any) -> dict[str, Any]:
        return real(files, suffix, full if suffix == step else content)

    monkeypatch.setattr(StampedFiles, "write", write)
    if step == "stamp":
        monkeypatch.setattr(StampedFiles, "save", full)
    assert recall(open_index(library, tmp_path), library, 10) >= 0.99
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, every name of a file is Unicode")
def test_a_folder_may_have_a_name_that_is_not_utf8(large: None, library: Rows, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    assert recall(open_index(library, folder), library, 10) >= 0.99
    library.read.clear()
    index = open_index(library, folder)
    assert library.read == []
    assert recall(index, library, 10) >= 0.99


SHORTENED = """
import logging, os, sys
sys.path[:0] = {paths!r}
from pathlib import Path
import numpy as np
import pytest
from test_vector_codes import COUNT, clustered, recall
import search.vectors.rows
from search.vectors.row_file import RowFile
from test_vector_index import Rows, as_if_large, open_index
logging.basicConfig(level=logging.WARNING, stream=sys.stdout)
as_if_large(pytest.MonkeyPatch())
search.vectors.rows.KEPT_BYTES = 0
library = Rows()
library.add(range(1, COUNT + 1), clustered(COUNT, 1))
index = open_index(library, Path({directory!r}))
(file,) = Path({directory!r}).glob("*.rows")
os.truncate(file, {size})
if not {noticed}:  # it becomes shorter right after its size was checked
    RowFile.check_size = lambda file: None
work = {{
    "search": lambda: recall(index, library, 10),
    "count": lambda: index.count(clustered(1, 0)[0], -1.0) / COUNT,
    "rows": lambda: float((index.rows_of(np.array([COUNT]))[0] == library.rows[COUNT]).all()),
    "optimize": lambda: index.optimize() and recall(index, library, 10),
}}
library.remove(*range(1, 500 if {work!r} == "optimize" else 1))
print("right" if work[{work!r}]() >= 0.99 else "wrong")
"""


@pytest.mark.parametrize(
    ("size", "noticed", "work"),
    [(0, False, "search"), (4096, False, "count"), (10**7, True, "rows"), (4096, False, "optimize")],
)
def test_a_file_that_another_program_shortens_costs_time_not_the_process(
    tmp_path: Path, size: int, noticed: bool, work: str
) -> None:
    """The campaign `kills` tries other sizes, files and orders of work."""
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    script = SHORTENED.format(paths=paths, directory=str(tmp_path), size=size, work=work, noticed=noticed)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"killed by signal {-done.returncode}" if done.returncode < 0 else done.stderr
    assert "rebuilt" in done.stdout
    assert done.stdout.endswith("right\n")


def test_an_interrupted_build_changes_nothing(
    index: FaissIndex, library: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.remove(*range(1, 1000))
    index.refresh()
    (stamp,) = (tmp_path / "vectors").glob("*.json")
    before, text = index._snapshot, stamp.read_text()
    for name in ("train", "add"):
        with monkeypatch.context() as patched:
            patched.setattr(faiss.IndexIVFPQFastScan, name, interrupted)
            with pytest.raises(KeyboardInterrupt):
                index.optimize()
        assert index._snapshot is before
        assert stamp.read_text() == text
    assert recall(index, library, 10) >= 0.99
    assert index.optimize()


def interrupted(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_searches_go_on_while_a_base_is_built(
    index: FaissIndex, library: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows added and removed meanwhile are applied afterwards."""
    library.remove(*range(1, 1000))
    index.refresh()
    before = {i: row.copy() for i, row in library.rows.items()}
    seen: list[float] = []

    def ask() -> None:
        old = Rows()
        old.rows = before
        seen.append(recall(index, old, 10))

    def build(*arguments: Any) -> Any:
        library.add([library.last_id + 1], clustered(1, library.last_id))
        library.remove(min(library.rows))
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(60)
        return build_codes(*arguments)

    monkeypatch.setattr("search.vectors.index_files.build_codes", build)
    assert index.optimize()
    assert seen[0] >= 0.99
    assert len(index) == len(library.rows)
    assert len(base_of(index).rows) == COUNT - 999, "as the rows were when the build began"
    assert recall(index, library, 10) >= 0.99


@pytest.mark.parametrize("dim", [7, 10, 24, 30])
def test_any_number_of_columns_can_be_coded(large: None, tmp_path: Path, dim: int) -> None:
    library = Rows()
    rows = clustered(COUNT, 1)[:, :dim]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    library.add(range(1, COUNT + 1), rows)
    index = open_index(library, tmp_path)
    exact, _ = ExactIndex.of(library, ENCODER).search(rows[:50], 1)
    assert np.mean(index.search(rows[:50], 1)[0] == exact) >= 0.98


@pytest.mark.parametrize("length", [0.9998, 1.0002])
def test_copies_that_a_list_is_centred_on_hide_no_other_rows(large: None, tmp_path: Path, length: float) -> None:
    """Intros, logos and black frames occur hundreds of times, and their lists consist of little else."""
    chance = np.random.default_rng(6)
    rows = clustered(COUNT, 1)
    for group in np.split(chance.permutation(COUNT)[:1800], 6):
        row = chance.normal(size=DIM)
        rows[group] = (length * row / np.linalg.norm(row)).astype(np.float16)
    library = Rows()
    library.add(range(1, COUNT + 1), rows)
    assert recall(open_index(library, tmp_path), library, 10) >= 0.99


def test_shots_of_few_scenes_are_told_apart(large: None, tmp_path: Path) -> None:
    """As of a few cameras that never move: codes of whole rows would all be those of their scenes."""
    chance = np.random.default_rng(3)
    rows = np.random.default_rng(0).normal(size=(5, DIM))[chance.integers(0, 5, COUNT)]
    rows += 0.1 * chance.normal(size=(COUNT, DIM))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    library = Rows()
    library.add(range(1, COUNT + 1), rows)
    index = open_index(library, tmp_path)
    queries = rows[:50]
    found, _ = index.search(queries, 10)
    wanted, _ = ExactIndex.of(library, ENCODER).search(queries, 10)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]) >= 0.95


def test_rows_too_many_for_memory_are_compared_from_their_file(
    index: FaissIndex, library: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = index.search(clustered(3, 5), 300), index.count(clustered(1, 5)[0], 0.1)
    monkeypatch.setattr("search.vectors.rows.KEPT_BYTES", 0)
    again = open_index(library, tmp_path / "vectors")
    for _ in range(2):  # the second time, they are verified
        ids, scores = again.search(clustered(3, 5), 300)
        np.testing.assert_array_equal(ids, in_memory[0][0])
        np.testing.assert_array_equal(scores, in_memory[0][1])
        assert again.count(clustered(1, 5)[0], 0.1) == in_memory[1]
    assert recall(again, library, 10) >= 0.99
    assert isinstance(again._snapshot.base.rows._matrix, RowFile)
