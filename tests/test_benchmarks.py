"""The benchmarks: which the runner runs and keeps, that `dev.py bench` reaches it, and what vectors compares with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dev
from benchmarks import __main__ as runner
from benchmarks import search_latency
from benchmarks._index_process import PARTS
from benchmarks._row_library import ENCODER, make_rows
from benchmarks._vector_store import StoreProcess
from benchmarks._vector_tables import ratios
from benchmarks._vector_truth import best_scores, countings, recall
from benchmarks._vector_turns import in_turns
from benchmarks.filters import KINDS
from db.library import Library
from search.calibration.calibration import Calibration
from search.engine import SearchEngine
from search.vectors.faiss_index import FaissIndex

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "measures"
    folder.mkdir()
    (folder / "good.py").write_text(
        '"""What good measures."""\nimport sys\nif __name__ == "__main__":\n'
        '    print("a table")\n    print(\'{"asked": "%s"}\' % " ".join(sys.argv[1:]))\n'
    )
    (folder / "page.py").write_text('"""Wants a browser."""\nif __name__ == "__main__":\n    raise SystemExit(4)\n')
    (folder / "_part.py").write_text('"""A part."""\nif __name__ == "__main__":\n    raise SystemExit(5)\n')
    return folder


def test_without_names_those_run_that_need_nothing(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main([], programs) == 0
    assert "What good measures" in capsys.readouterr().out
    assert runner.main(["page"], programs) == 1
    assert runner.main(["good", "page"], programs) == 1
    assert "FAILED  page" in capsys.readouterr().out


def test_results_are_added_with_date_and_machine(programs: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    for words in (["--keep", "good", "--", "--runs", "5"], ["good", "--keep"], ["good"]):
        assert runner.main(words, programs, results) == 0
    runs = json.loads((results / "good.json").read_text())
    assert [run["result"]["asked"] for run in runs] == ["--runs 5", ""]
    assert runs[0]["machine"]["cores"]
    assert runs[0]["date"] <= runs[1]["date"]


def test_a_last_line_that_is_no_json_is_not_kept(
    programs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (programs / "good.py").write_text('"""Prints."""\nif __name__ == "__main__":\n    print("done")\n')
    assert runner.main(["good", "--keep"], programs, tmp_path / "results") == 0
    assert "not JSON" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("words", [["nothing"], ["good", "page", "--", "--runs", "5"], ["--", "--runs"]])
def test_wrong_words_are_refused(programs: Path, words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        runner.main(words, programs)
    assert stopped.value.code == 2


def test_dev_bench_hands_over_to_the_runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    handed: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dev, "prepare", lambda place, extras: None)
    monkeypatch.setattr(dev, "hand_over", lambda command: handed.append(command) or 0)
    assert dev.main(["bench", "--list"]) == 0
    assert handed[0][1:] == ["-m", "benchmarks", "--list"]
    listed = subprocess.run([sys.executable, *handed[0][1:]], capture_output=True, text=True, check=True).stdout
    assert {"parity", "startup"} <= {line.split()[0] for line in listed.splitlines()}


def test_every_program_says_what_it_prints() -> None:
    programs = runner.find_programs(ROOT / "benchmarks")
    assert all(runner.first_line(path).strip() for path in programs.values())


def test_the_parts_of_decoding_are_named_by_modules_that_exist() -> None:
    """A module that was renamed would be a part of its own in the table, without any error."""
    modules = {path.stem for room in ("indexer", "db") for path in (ROOT / room).rglob("*.py")}
    assert set(PARTS) <= modules


def test_vectors_compares_two_trees_in_one_run() -> None:
    words = ["--sizes", "1500", "--dim", "16", "--queries", "5", "--former", str(ROOT)]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.vectors", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (result,) = json.loads(run.stdout.splitlines()[-1])["sizes"]
    stores = {"this tree", "former"}
    assert set(result["indexes"]) >= stores | {"FAISS flat"}
    tables = [
        *result["kinds"].values(),
        *result["hits"].values(),
        *result["filtered"].values(),
        *result["counted"].values(),
    ]
    assert all(set(table) == stores for table in (*tables, result["changes"], result["rebuild"]))
    exact = [
        figures[column]
        for table in (result["indexes"], result["rebuild"], *tables)
        for name, figures in table.items()
        for column in figures
        if name in stores and column.split(": ")[-1] in ("recall", "right")
    ]
    assert len(exact) == 2 * (1 + 2 + len(tables))
    assert set(exact) == {1.0}, "a library this small is compared row by row"
    assert run.stdout.count("ratio") == len(tables) + 3
    assert result["rebuild"]["this tree"]["searches"] > 0, "searches go on while another process builds"


STAND_IN = """
class FaissIndex:
    @classmethod
    def open(cls, library, encoder_id, directory):
        return cls()

    def search(self, rows, k, allowed=None):
        import encoder
        return [[len(rows) if allowed is None else len(allowed), encoder.MARK]], None
"""


@pytest.fixture
def other_tree(tmp_path: Path) -> Path:
    """A tree with a store of its own, and with a package that has the name of one of our benchmarks."""
    tree = tmp_path / "other"
    for name, text in {
        "search/vectors/faiss_index.py": STAND_IN,
        "encoder/__init__.py": "MARK = 77\n",
        "benchmarks/_clustered_rows.py": "class ArrayLibrary:\n    def __init__(self, rows, count):\n        pass\n",
    }.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    np.save(tmp_path / "rows.npy", np.zeros((8, 4), np.float16))
    return tree


def test_the_store_that_is_measured_is_the_one_of_the_tree(other_tree: Path, tmp_path: Path) -> None:
    query = np.zeros((1, 4), np.float32)
    with StoreProcess(other_tree, tmp_path / "rows.npy", tmp_path) as store:
        assert Path(store.ask("origin")).is_relative_to(other_tree)
        store.ask("open", 8, np.empty(0, np.int64))
        assert store.ask("search", query, 2)[0] == [1, 77]
        assert store.ask("search", query, 2, (8, 1.0, 0))[0] == [8, 77]
        assert store.ask("search", query, 2, (8, 1.0, 3))[0] == [7, 77]


def test_a_store_that_is_not_that_of_the_tree_is_not_measured(other_tree: Path, tmp_path: Path) -> None:
    shutil.rmtree(other_tree / "search")  # now Python finds an installed one, or none
    with pytest.raises(RuntimeError):
        StoreProcess(other_tree, tmp_path / "rows.npy", tmp_path)


def test_the_truth_of_vectors_is_that_of_all_products() -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(20_500, 4)).astype(np.float16)
    queries = chance.normal(size=(3, 4)).astype(np.float32)
    mask = chance.random(len(rows)) < 0.0002
    scores = queries @ rows.astype(np.float32).T
    best = best_scores(rows, queries, {"all": (7, None), "few": (7, mask)})
    np.testing.assert_allclose(best["all"], np.sort(scores, axis=1)[:, ::-1][:, :7], rtol=1e-5)
    few = np.sort(scores[:, mask], axis=1)[:, ::-1]
    assert 0 < few.shape[1] < 7
    np.testing.assert_allclose(best["few"][:, : few.shape[1]], few, rtol=1e-5)
    assert np.isneginf(best["few"][:, few.shape[1] :]).all()
    ids = np.argsort(-scores[0])[:7] + 1
    assert recall(rows, queries[0], ids, best["all"][0]) == 1
    assert recall(rows, queries[0], np.append(ids[:6], ids[:1]), best["all"][0]) == pytest.approx(6 / 7)
    assert recall(rows, queries[0], ids, best["few"][0], mask) == 0
    assert recall(rows, queries[0], np.flatnonzero(mask) + 1, best["few"][0], mask) == 1
    for share, each in countings(rows, queries, (0.01, 0.5)).items():
        assert [counting.least <= round(share * len(rows)) <= counting.most + 1 for counting in each] == [True] * 3


def test_each_index_is_first_equally_often_and_ratios_are_of_what_both_have() -> None:
    turns = [name for _, name, _ in in_turns({"a": 1, "b": 2}, 4)]
    assert turns == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert ratios({"p50": 1.0, "rows read": 3.0, "new": 5.0}, {"p50": 2.0, "rows read": 0.0}) == {"p50": 0.5}


def test_every_kind_of_filter_is_measured_on_a_library_of_rows(tmp_path: Path) -> None:
    with make_rows(tmp_path / "rows", 40, 4) as library:
        passing = {name: library.segment_ids(filters, ENCODER).size for name, filters in KINDS.items()}
    assert passing["none"] == 40
    assert 0 < passing["codec"] < 40
    assert 0 < passing["frame rate"] < 40


def test_every_kind_of_search_is_measured_on_a_library_of_clustered_rows(tmp_path: Path) -> None:
    search_latency.make_library(tmp_path, 320)
    calibrated = search_latency.calibrate(tmp_path, tmp_path / "calibration")
    assert calibrated["shots"] == 320
    assert calibrated["peak_mb"] >= calibrated["peak_before_mb"] > 0
    encoder = search_latency.encoder_of(tmp_path)
    with Library.open(tmp_path / "library") as library:
        index = FaissIndex.open(library, encoder.id, tmp_path / "vectors")
        calibration = Calibration(library, encoder, tmp_path / "calibration")
        kinds = search_latency.measure(SearchEngine(library, encoder, index, calibration), calibration, 1)
    assert set(kinds) == set(search_latency.KINDS)
    assert kinds[search_latency.PLAIN]["cpu_ratio"] == 1
