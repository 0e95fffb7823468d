"""Opening of a library on a server: what is missing is one sentence that says what to do, and names no password."""

from __future__ import annotations

import builtins
import logging
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from db_samples import add, make_video, stage
from postgres import needs_postgres, new_place
from sqlalchemy import text

from db import migrating, schema
from db.errors import LibraryBusy, LibraryError, LibraryMissing, LibraryNewer
from db.library import Library
from db.server.address import parse_address
from db.server.connection import ServerDatabase

pytestmark = needs_postgres
SECRET = "s3cret"
VERSION = "SELECT version_num FROM alembic_version"


@pytest.fixture
def address(postgres: str, tmp_path: Path) -> str:
    return new_place(postgres, tmp_path)


def administer(address: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(parse_address(address).server, autocommit=True) as connection:
        connection.execute(f"SET search_path = {parse_address(address).schema}, public")
        for statement in statements:
            connection.execute(statement)


def test_a_library_is_made_once_and_found_again(address: str) -> None:
    with pytest.raises(LibraryMissing, match="no library in postgresql://postgres@/postgres"):
        Library.open(address, create=False)
    with Library.open(address) as library:
        video = make_video()
        add(library, video, media=stage(library, video, 3))
    media, work = parse_address(address).media, parse_address(address).work
    assert media is not None
    with Library.open(address, create=False) as again:
        assert again.id == library.id
        assert again.poster_path(again.videos()[0], 1).is_relative_to(media / library.id)
        assert again.directory == work
        assert again.check() == []
        assert Library.open(again.place).id == library.id


def test_libraries_of_one_database_are_apart(postgres: str, tmp_path: Path) -> None:
    one, other = (Library.open(new_place(postgres, tmp_path / name)) for name in ("one", "other"))
    before = other.change_token()
    add(one)
    assert other.videos() == []
    assert other.change_token() == before
    assert one.id != other.id
    one.close()
    other.close()


def test_the_driver_says_nothing_beside_our_one_line(address: str) -> None:
    """Where nothing is set up, warnings go to standard error: it warns of the connection that it lost in a pipeline."""
    Library.open(address).close()
    assert not logging.getLogger("psycopg").isEnabledFor(logging.WARNING)


def test_without_the_driver_the_extra_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name == "psycopg":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LibraryError, match=r"pip install prismsearch\[server\]"):
        Library.open(address)


@pytest.mark.parametrize("where", ["127.0.0.1:1/films", "/films?host=/no/such/folder"])
def test_a_server_that_cannot_be_reached(where: str, tmp_path: Path) -> None:
    folders = f"media={quote(str(tmp_path))}&work={quote(str(tmp_path))}"
    url = f"postgresql://ann:{SECRET}@{where}{'&' if '?' in where else '?'}{folders}"
    with pytest.raises(LibraryError, match="cannot be reached") as refused:
        Library.open(url)
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(refused.value.__cause__)


def test_a_role_that_is_not_let_in(postgres: str, tmp_path: Path) -> None:
    address = new_place(postgres, tmp_path).replace("//postgres@", f"//nobody_here:{SECRET}@")
    with pytest.raises(LibraryError, match='role "nobody_here" does not exist') as refused:
        Library.open(address)
    assert SECRET not in str(refused.value)


def test_folders_must_be_named_and_there(address: str) -> None:
    media = parse_address(address).media
    assert media is not None
    with pytest.raises(LibraryError, match=r"add \?media=FOLDER to its address"):
        Library.open(address.replace("&media=", "&application_name="))
    with pytest.raises(ValueError, match="folder for this machine's work"):
        Library.open(address.split("&work=")[0])
    with Library.open(address) as library:
        pass
    (media / library.id).rename(media / "elsewhere")
    with pytest.raises(LibraryError, match=r"has no posters of the library .*mkdir"):
        Library.open(address)
    shutil.rmtree(media)
    with pytest.raises(LibraryError, match="is not there"):
        Library.open(address)


def test_a_newer_format_is_refused_also_by_who_has_it_open(address: str) -> None:
    with Library.open(address) as library:
        add(library)
        administer(address, "UPDATE alembic_version SET version_num = '0999'")
        with pytest.raises(LibraryNewer, match="has format 0999 now"):
            add(library, make_video("/films/b.mp4", "bb"))
        assert len(library.videos()) == 1
    with pytest.raises(LibraryNewer, match="has format 999, and this prismsearch reads formats up to"):
        Library.open(address)


NEXT = """
import sqlalchemy as sa
from alembic import op
revision = "{next:04d}"
down_revision = "{now:04d}"
def upgrade():
    op.add_column("videos", sa.Column("mood", sa.Text(), nullable=False, server_default="calm"))
    if {fails}:
        op.execute("SELECT nothing")
"""


@pytest.mark.parametrize("fails", [False, True])
def test_the_migrations_of_folders_bring_a_server_to_a_later_format(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    with Library.open(address) as library:
        add(library)
    now = schema.SCHEMA_VERSION
    (tmp_path / "v_next.py").write_text(NEXT.format(fails=fails, now=now, next=now + 1))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", now + 1)
    monkeypatch.setattr(migrating, "VERSION_FOLDERS", (*migrating.VERSION_FOLDERS, tmp_path))
    if fails:
        with pytest.raises(LibraryError, match=r"could not be upgraded to format 00[0-9]+ and was not changed"):
            Library.open(address)
        monkeypatch.undo()
    with Library.open(address) as again:
        assert len(again.videos()) == 1
        with again._database.reading() as connection:
            named = text(
                "SELECT count(*) FROM information_schema.columns"
                " WHERE column_name = 'mood' AND table_schema = current_schema()"
            )
            assert connection.scalar(named) == (0 if fails else 1)


def test_a_migration_waits_for_who_has_the_library(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so does who comes while it runs: both take the library's lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND query LIKE '%%' || %s || '%%'"
    with Library.open(address) as library, ThreadPoolExecutor(1) as pool:
        database, now = library._database, schema.SCHEMA_VERSION
        assert isinstance(database, ServerDatabase)
        (tmp_path / "v_next.py").write_text(NEXT.format(fails=False, now=now, next=now + 1))
        monkeypatch.setattr(schema, "SCHEMA_VERSION", now + 1)
        monkeypatch.setattr(migrating, "VERSION_FOLDERS", (*migrating.VERSION_FOLDERS, tmp_path))
        with database.locked():
            migrated = pool.submit(lambda: Library.open(address).close())
            while True:
                with database.reading() as connection:
                    if connection.exec_driver_sql(waiting, ("pg_advisory_xact_lock",)).first() is not None:
                        break
                assert not migrated.done()
            with database.reading() as connection:
                assert connection.exec_driver_sql(VERSION).scalar() == schema.revision_of(now)
        migrated.result()
        with database.reading() as connection:
            assert connection.exec_driver_sql(VERSION).scalar() == schema.revision_of(now + 1)


def test_a_role_that_may_only_read_searches_and_changes_nothing(address: str) -> None:
    name = parse_address(address).schema
    with Library.open(address) as library:
        add(library)
    administer(
        address,
        f"CREATE ROLE reader_{name} LOGIN",
        f"GRANT USAGE ON SCHEMA {name} TO reader_{name}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO reader_{name}",
    )
    with Library.open(address.replace("//postgres@", f"//reader_{name}@")) as reader:
        assert reader.read_only
        assert len(reader.videos()) == 1
        assert reader.check() == []
        with pytest.raises(LibraryError, match="read-only"):
            reader.remove_videos([1])


def test_a_writer_that_does_not_let_go_is_called_busy_and_readers_read_on(address: str) -> None:
    with Library.open(address, busy_seconds=0.2) as library, Library.open(address) as other:
        with other._database.writing():
            with pytest.raises(LibraryBusy, match=r"busy for 0\.2 s"):
                add(library)
            assert library.videos() == []
        add(library)


def test_a_writer_that_falls_silent_loses_the_library(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine sleeps, or is gone, in the middle of a transaction: the others need not wait for it."""
    with Library.open(address) as library, Library.open(address) as other:
        monkeypatch.setattr("db.server.connection._SILENT_SECONDS", 0.1)

        def fall_silent() -> None:
            with other._database.writing() as connection:
                connection.execute(text("DELETE FROM videos"))
                add(library)

        with pytest.raises(LibraryError, match=r"cannot be reached .*idle-in-transaction"):
            fall_silent()
        assert len(library.videos()) == 1


def test_connections_that_the_server_closed_are_opened_again(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library.open(address) as library:
        add(library)
        token = library.change_token()
        for engine in library._database._engines:
            with engine.connect() as connection:
                pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            administer(address, f"SELECT pg_terminate_backend({pid})")
        monkeypatch.setattr("db.server.connection._IDLE_SECONDS", 0.0)
        assert library.change_token().split("-", 1)[1] == token.split("-", 1)[1]
        assert len(library.videos()) == 1
        add(library, make_video("/films/b.mp4", "bb"))
        assert library.check() == []


def test_ids_are_committed_in_their_order(address: str) -> None:
    """A copy of the rows reads those above its last id: none may come below it later without a new generation."""
    with Library.open(address) as library, Library.open(address) as other:
        began, go = threading.Event(), threading.Event()

        def late() -> None:
            database = other._database
            assert isinstance(database, ServerDatabase)
            with database.writing() as connection:
                began.set()
                connection.execute(text("SELECT nextval('segments_id_seq')"))
                go.wait(10)

        thread = threading.Thread(target=late)
        thread.start()
        began.wait(10)
        threading.Timer(0.2, go.set).start()
        first = add(library)
        assert go.is_set(), "the second writer came in while the first one was at work"
        thread.join()
        stamp = library.stamp("enc")
        assert (stamp.count, stamp.generation) == (3, 0)
        assert library.segments_of(first)[0].id == 2
