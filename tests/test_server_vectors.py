"""A server that searches its vectors itself, with a graph and without; and which index a machine uses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from db_samples import add
from numpy.typing import NDArray
from postgres import needs_postgres, new_place
from server_rows import MirroredIndex, mirrored_indexes
from test_server_opening import administer
from test_vector_codes import clustered
from test_vector_index import ENCODER, Rows, as_if_large

from app import vector_indexes
from app.cli import main
from app.compose import settings_from
from app.settings_file import WrongSetting
from db.errors import LibraryError
from db.library import Library
from db.server.connection import ServerDatabase
from db.server.graphs import Graphs
from db.server.nearest import ServerRows
from search.vectors.faiss_index import FaissIndex
from search.vectors.server_index import ServerIndex

COUNT = 5000


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Rows:
    as_if_large(monkeypatch)
    library = Rows()
    library.add(range(1, COUNT + 1), clustered(COUNT, 1))
    return library


@pytest.fixture
def index(made_up: Rows, postgres: str, tmp_path: Path) -> Iterator[MirroredIndex]:
    opened = mirrored_indexes(postgres, tmp_path, ENCODER)(made_up)
    yield opened
    opened.library.close()


def ask(index: MirroredIndex, statement: str) -> Any:
    with index.library._database.reading() as connection:
        return connection.exec_driver_sql(statement).scalar()


def walks(index: MirroredIndex) -> int:
    """How often a graph was searched. The server counts when a session is idle, and tells who asks anew."""
    assert index.library.server_rows is not None
    index.library._database.engine.dispose()
    return int(ask(index, "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_indexes"
                   " WHERE indexrelname LIKE 'embeddings_graph_%%' AND schemaname = current_schema()"))  # fmt: skip


def is_valid(index: MirroredIndex) -> bool | None:
    return ask(index, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('embeddings_graph_1')")  # type: ignore[no-any-return]


def recall(index: ServerIndex, made_up: Rows, allowed: NDArray[np.int64] | None = None) -> float:
    ids = np.array(sorted(made_up.rows)) if allowed is None else np.intersect1d(allowed, sorted(made_up.rows))
    queries = clustered(20, 3)
    wanted = np.sort(queries @ np.stack([made_up.rows[i] for i in ids]).T, axis=1)[:, ::-1][:, :10]
    scores = index.search(queries, 10, allowed)[1]
    return float((scores >= wanted[:, -1:] - 1e-6).mean())


@needs_postgres
def test_many_rows_are_found_by_a_graph_and_nearly_all_of_them(index: MirroredIndex, made_up: Rows) -> None:
    assert index.is_due()
    assert recall(index, made_up) == 1.0, "every row is compared"
    assert walks(index) == 0
    shares: list[float] = []
    assert index.optimize(shares.append)
    assert not index.is_due()
    assert not index.optimize()
    assert all(0 <= share <= 1 for share in shares)
    assert recall(index, made_up) > 0.95
    assert walks(index) > 0


@needs_postgres
@pytest.mark.parametrize("share", [0.9, 0.3])
def test_filters_keep_out_what_they_do_not_allow_in_a_graph(index: MirroredIndex, made_up: Rows, share: float) -> None:
    index.optimize()
    allowed = np.random.default_rng(4).choice(np.arange(1, COUNT + 1), int(share * COUNT), replace=False)
    ids, _ = index.search(clustered(5, 6), 50, allowed)
    assert ids.shape == (5, 50)
    assert np.isin(ids, allowed).all()
    assert recall(index, made_up, allowed) > 0.95
    assert walks(index) > 0


@needs_postgres
@pytest.mark.parametrize(("allowed", "k"), [(np.arange(100, 300), 9), (None, COUNT), (np.arange(1, 900, 2), 9)])
def test_a_narrow_filter_and_many_hits_compare_every_row(
    index: MirroredIndex, made_up: Rows, allowed: NDArray[np.int64] | None, k: int
) -> None:
    index.optimize()
    library = made_up if allowed is None else Rows()
    if allowed is not None:
        library.add(allowed.tolist(), np.stack([made_up.rows[i] for i in allowed]))
    queries = clustered(3, 8)
    ids = index.search(queries, k, allowed)[0]
    everything = np.array(sorted(library.rows))
    scores = queries @ np.stack([library.rows[i] for i in everything]).T
    assert (ids == everything[np.argsort(-scores, axis=1, kind="stable")[:, :k]]).mean() > 0.999
    assert walks(index) == 0


@needs_postgres
@pytest.mark.parametrize("length", [1e-9, 1e-3, 1e3, 1e6])
def test_questions_of_any_length_find_the_same(index: MirroredIndex, made_up: Rows, length: float) -> None:
    """Among 900 nearly equal rows, too, where rounding decides which are compared again."""
    rows = clustered(1, 5) + 1e-3 * clustered(900, 6)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    made_up.add(range(COUNT + 1, COUNT + 901), rows)
    index.refresh()
    for query in (clustered(1, 5), clustered(1, 9)):
        asked = (query * np.float32(length)).astype(np.float32)
        scores = asked[0] @ np.stack([made_up.rows[i] for i in sorted(made_up.rows)]).T
        found = index.search(asked, 20)[1][0]
        np.testing.assert_allclose(found, np.sort(scores)[::-1][:20], rtol=2e-6)


@needs_postgres
def test_a_search_sees_what_others_have_added_and_removed_since(index: MirroredIndex, made_up: Rows) -> None:
    index.optimize()
    row = clustered(1, 77)
    made_up.add([COUNT + 1], row.astype(np.float16).astype(np.float32))
    best = int(index.search(row, 1)[0][0, 0])
    assert best != COUNT + 1
    made_up.remove(best)
    index._mirror(ENCODER)  # as another machine
    assert index.search(row, 1)[0].tolist() == [[COUNT + 1]]
    assert index.refresh()
    assert not index.refresh()
    assert len(index) == COUNT
    assert index.rows_of(np.array([COUNT + 1, 1])).shape == (2, row.shape[1])
    with pytest.raises(KeyError):
        index.rows_of(np.array([best]))


@needs_postgres
def test_a_graph_whose_making_was_stopped_is_made_anew(index: MirroredIndex, made_up: Rows) -> None:
    class Stop(Exception):
        pass

    def stop(share: float) -> None:
        raise Stop

    with index.library._database.locked() as connection:  # the server waits for a writer
        connection.exec_driver_sql("LOCK TABLE embeddings IN ROW EXCLUSIVE MODE")
        with pytest.raises(Stop):
            index.optimize(stop)
    assert not is_valid(index)
    assert index.is_due()
    assert recall(index, made_up) == 1.0
    assert index.optimize()
    assert is_valid(index)


@needs_postgres
def test_an_invalid_graph_is_not_used_and_is_made_anew(index: MirroredIndex, made_up: Rows) -> None:
    index.optimize()
    administer(
        index.library.place,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('embeddings_graph_1')",
    )
    assert recall(index, made_up) == 1.0
    assert walks(index) == 0
    assert index.optimize()
    assert recall(index, made_up) > 0.95
    assert walks(index) > 0


def made_with(index: MirroredIndex, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> int:
    """The bytes that a graph is made with, where a server has these settings."""
    database = index.library._database
    assert isinstance(database, ServerDatabase)
    connect, made = ServerDatabase.connect, []

    def as_set(self: ServerDatabase) -> Any:
        connection = connect(self)
        for name, value in settings.items():
            connection.execute(f"SET {name} = '{value}'")
        made.append(connection)
        return connection

    given: list[int] = []

    def execute(self: Graphs, driver: Any, statement: str, on_progress: object) -> None:
        given.append(driver.execute("SELECT pg_size_bytes(current_setting('maintenance_work_mem'))").fetchone()[0])

    with monkeypatch.context() as patch:
        patch.setattr(ServerDatabase, "connect", as_set)
        patch.setattr(Graphs, "_execute", execute)
        assert index.library.server_rows is not None
        assert index.library.server_rows.graphs.make(ENCODER, lambda share: None)
    return given[0]


@needs_postgres
def test_a_graph_is_made_with_what_it_needs_up_to_what_the_server_is_likely_to_have(
    index: MirroredIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    gib = 2**30
    small = {"maintenance_work_mem": "1MB", "effective_cache_size": "4GB"}
    needed = COUNT * (2 * made_dim(index) + 700)
    assert needed > 2**20
    assert needed - 1024 <= made_with(index, monkeypatch, small) <= needed
    monkeypatch.setattr("db.server.graphs._LINK_BYTES", 500_000)  # as if there were 1.1 million rows of 768 columns
    assert 2 * gib < COUNT * 500_000 < 3 * gib
    assert made_with(index, monkeypatch, small) == gib
    assert made_with(index, monkeypatch, small | {"effective_cache_size": "8GB"}) == 2 * gib
    assert 2.3 * gib < made_with(index, monkeypatch, small | {"effective_cache_size": "48GB"}) < 2.5 * gib
    assert made_with(index, monkeypatch, small | {"maintenance_work_mem": "3GB"}) == 3 * gib


def made_dim(index: MirroredIndex) -> int:
    return int(ask(index, "SELECT dim FROM encoders"))


@needs_postgres
def test_a_graph_that_does_not_fit_is_made_and_once_told_what_to_raise(
    index: MirroredIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connect = ServerDatabase.connect

    def with_little(self: ServerDatabase) -> Any:
        connection = connect(self)
        connection.execute("SET maintenance_work_mem = '1MB'")
        return connection

    monkeypatch.setattr(ServerDatabase, "connect", with_little)
    monkeypatch.setattr("db.server.graphs._LINK_BYTES", 0)
    assert index.library.server_rows is not None
    assert index.library.server_rows.graphs.make(ENCODER, lambda share: None)
    assert is_valid(index)
    [told] = [each.getMessage() for each in caplog.records if "index of vectors" in each.getMessage()]
    assert "ALTER SYSTEM SET maintenance_work_mem = '1MB'" in told
    assert "\n" not in told


@needs_postgres
def test_only_one_process_makes_a_graph(index: MirroredIndex) -> None:
    assert index.library.server_rows is not None
    other = ServerRows(index.library._database).graphs  # type: ignore[arg-type]
    found: list[bool] = []
    with index.library._database.locked() as connection:
        connection.exec_driver_sql("LOCK TABLE embeddings IN ROW EXCLUSIVE MODE")
        told = threading.Event()
        thread = threading.Thread(target=lambda: found.append(index.optimize(lambda share: told.set())))
        thread.start()
        assert told.wait(60)
        assert not other.make(ENCODER, lambda share: None)
    thread.join()
    assert found == [True]


@needs_postgres
def test_each_encoder_has_a_graph_of_its_own(index: MirroredIndex, made_up: Rows, tmp_path: Path) -> None:
    index.optimize()
    second = Rows()
    second.add(range(1, COUNT + 1), np.ascontiguousarray(clustered(COUNT, 2)[:, ::-1]))
    other = MirroredIndex(second, index.library, "another")
    assert other.is_due()
    other.optimize()
    assert recall(index, made_up) > 0.95
    assert recall(other, second) > 0.95
    assert recall(index, made_up, np.arange(5, 90)) == 1.0
    assert ask(index, "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'embeddings_graph_%%'"
               " AND schemaname = current_schema()") == 2  # fmt: skip


@needs_postgres
def test_who_does_not_own_the_library_searches_without_making_a_graph(index: MirroredIndex, made_up: Rows) -> None:
    schema = ask(index, "SELECT current_schema()")
    role = f"reader_{schema}"
    administer(
        index.library.place,
        f"CREATE ROLE {role} LOGIN",
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
    )
    with Library.open(index.library.place.replace("//postgres@", f"//{role}@"), create=False) as library:
        assert library.read_only
        assert library.server_rows is not None
        reader = ServerIndex(library, library.server_rows, ENCODER)
        assert not reader.is_due()
        assert not reader.optimize()
        assert recall(reader, made_up) == 1.0


# Which index a machine uses


@pytest.mark.parametrize(("choice", "wanted"), [("faiss", FaissIndex), ("pgvector", ServerIndex), ("auto", FaissIndex)])
def test_the_setting_chooses_the_index_of_a_library_on_a_server(
    place: Path | str, choice: str, wanted: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in a folder has its files, whatever is chosen."""
    with Library.open(place) as library:
        add(library)
        found = vector_indexes.open_index(library, "enc", choice)
        assert type(found) is (wanted if library.server_rows is not None else FaissIndex)
        assert len(found) == 3
        monkeypatch.setattr(vector_indexes, "free_memory", lambda: 3 * 16 * 2)
        assert isinstance(vector_indexes.open_index(library, "enc", "auto"), FaissIndex) == isinstance(place, Path)


def test_free_memory_is_less_than_a_petabyte() -> None:
    free = vector_indexes.free_memory()
    assert free is None or 1 << 20 < free < 1 << 50


def test_the_setting_comes_from_the_environment_or_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_from({}).vector_index == "faiss"
    file = tmp_path / "settings.toml"
    file.write_text('vector-index = "pgvector"\n')
    named = {"PRISMSEARCH_SETTINGS": str(file)}
    assert settings_from(named).vector_index == "pgvector"
    assert settings_from(named | {"PRISMSEARCH_VECTOR_INDEX": "auto"}).vector_index == "auto"
    with pytest.raises(WrongSetting, match="PRISMSEARCH_VECTOR_INDEX must be one of faiss, pgvector, auto"):
        settings_from({"PRISMSEARCH_VECTOR_INDEX": "hnsw"})
    file.write_text('vector-index = "hnsw"\n')
    with pytest.raises(WrongSetting, match="vector-index must be one of"):
        settings_from(named)


@needs_postgres
def test_a_search_lets_the_server_make_its_graph_and_says_so(
    postgres: str, tmp_path: Path, three_shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("LIBRARY", new_place(postgres, tmp_path)), ("ENCODER", "demo"), ("VECTOR_INDEX", "pgvector")
    ):  # fmt: skip
        monkeypatch.setenv(f"PRISMSEARCH_{name}", value)
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / three_shots.name).write_bytes(three_shots.read_bytes())
    run = CliRunner().invoke
    result = run(main, ["index", str(tmp_path / "films")])
    assert result.exit_code == 0, result.output
    monkeypatch.setattr("search.vectors.server_index.GRAPH_ROWS", 3)
    result = run(main, ["search", "a red thing", "--json"])
    assert result.exit_code == 0, result.output
    assert "the server makes its index of vectors, once" in result.stderr
    again = run(main, ["search", "a red thing", "--json"])
    assert "index of vectors" not in again.stderr
    assert again.stdout == result.stdout
    assert not list(tmp_path.rglob("vectors/*")), "nothing of them is on this machine"
    monkeypatch.setattr("db.server.graphs.Graphs.is_due", refuse)
    result = run(main, ["search", "a red thing", "--json"])
    assert (result.exit_code, result.stdout) == (0, again.stdout)
    assert "could not be made (no)" in result.stderr


def refuse(*_: object) -> bool:
    raise LibraryError("no")
