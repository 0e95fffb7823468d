"""Fixtures shared by many tests."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres import needs_postgres, new_place, running_postgres
from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from synthetic import make_video

from db.path_types import roots_of
from db.server import claims
from indexer.settings import RunOptions
from search.text.finding import TextQuery

# Before torch starts its threads: where cores are busy, threads that spin while they wait make small networks crawl.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Workers of pytest-xdist share the cores, and so do the processes that their tests start.
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))


@pytest.fixture(scope="session", autouse=True)
def own_state_folder() -> Iterator[None]:
    """Nothing is left in the state folder of the person who runs the tests, and their settings file is not read.

    Processes started by tests inherit both.
    """
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", folder)
        patch.setenv("PRISMSEARCH_SETTINGS", os.devnull)
        yield


@pytest.fixture(autouse=True)
def own_main_module() -> Iterator[None]:
    """Streamlit makes the page's script the main module, which processes that are spawned later would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def three_shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 frames a second, 64 x 48: red for 30 frames, blue for 25, green for 40. Not to be written to."""
    return make_video(tmp_path_factory.mktemp("videos") / "three shots.mp4", [("red", 30), ("blue", 25), ("green", 40)])


def _server_folder(base: Path) -> Path:
    """Return the folder of the server of a run with this folder for its files.

    Not in that one: every new run closes the folder that holds those of all runs to the server's user.
    """
    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:12]
    return Path(tempfile.gettempdir(), f"prismsearch-test-server-{digest}")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The URL of a database on a PostgreSQL server, which all workers of a run share."""
    base = tmp_path_factory.getbasetemp()
    with running_postgres(_server_folder(base if worker_id == "master" else base.parent)) as address:
        yield address


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove the server's data after the last worker is done with it."""
    if not hasattr(session.config, "workerinput"):
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        shutil.rmtree(_server_folder(factory.getbasetemp()), ignore_errors=True)


@pytest.fixture(params=["folder", pytest.param("server", marks=needs_postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """A place for a library that does not exist yet: a folder, then one on a server."""
    if request.param == "folder":
        return tmp_path / "library"
    return new_place(request.getfixturevalue("postgres"), tmp_path)


@pytest.fixture
def server_has_run_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases may be over: after a restart, the server gives all workers the time to renew theirs."""
    changed = claims._SWEEP.replace("pg_postmaster_start_time() <", "TIMESTAMPTZ 'epoch' <")
    assert changed != claims._SWEEP
    monkeypatch.setattr(claims, "_SWEEP", changed)


@pytest.fixture(autouse=True)
def rules_find_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """New libraries use blend, whatever is installed, so that tests do not wait for a network that they do not need.

    Processes that a test starts are not affected.
    """
    monkeypatch.setattr("app.cut_settings.default_detector", lambda: "blend")


@pytest.fixture(scope="session", autouse=True)
def videos_are_decoded_in_this_process() -> Iterator[None]:
    """Unless a test asks for it, runs in this process start no others, which take a second each to import libraries.

    `tests/test_isolated_index.py` shows that the library is the same. Processes that a test starts are not affected.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RunOptions.__init__.__kwdefaults__, "isolated", False)  # type: ignore[arg-type]
        yield


@pytest.fixture(scope="session", autouse=True)
def regular_expressions_have_all_the_time_they_need() -> Iterator[None]:
    """Otherwise, on a machine that does much else, the time is over before the process that matches has begun.

    Tests of the limit set their own. Processes that a test starts are not affected.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TextQuery.__init__.__kwdefaults__, "seconds", 60.0)  # type: ignore[arg-type]
        yield


@pytest.fixture(scope="session", autouse=True)
def sql_is_compiled_once_for_all_libraries() -> Iterator[None]:
    """Every library has its own engine, and every engine would compile each statement again.

    That took two thirds of the time of a test with a library of its own. Processes that a test starts are not affected.
    """
    compiled: LRUCache[Any, Any] = LRUCache(5000)
    begin = Engine.__init__

    def begin_with_all_statements(engine: Engine, *arguments: Any, **options: Any) -> None:
        begin(engine, *arguments, **options)
        engine._compiled_cache = compiled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "__init__", begin_with_all_statements)
        # A dialect is part of the key of a statement, and has the roots by which its statements store paths.
        kind = lambda dialect: (type(dialect), roots_of(dialect))  # noqa: E731
        patch.setattr(SQLiteDialect_pysqlite, "__eq__", lambda one, other: kind(one) == kind(other))
        patch.setattr(SQLiteDialect_pysqlite, "__hash__", lambda one: hash(kind(one)))
        yield
