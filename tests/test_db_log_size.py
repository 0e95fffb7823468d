"""The write-ahead log of a library that another process has open does not stay large."""

from __future__ import annotations

from pathlib import Path

from db.connection import WAL_BYTES, SqliteDatabase


def write(database: SqliteDatabase, size: int) -> None:
    with database.locked() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS blobs (content BLOB)")
        connection.exec_driver_sql("INSERT INTO blobs VALUES (zeroblob(?))", (size,))


def opened(file: Path) -> SqliteDatabase:
    database = SqliteDatabase(file, busy_seconds=5.0)
    database.use_write_ahead_log()
    return database


def test_a_large_log_is_emptied_when_its_writer_closes(tmp_path: Path) -> None:
    file, log = tmp_path / "library.sqlite3", tmp_path / "library.sqlite3-wal"
    page, index = opened(file), opened(file)
    write(page, 1)
    write(index, WAL_BYTES + (1 << 20))
    assert log.stat().st_size > WAL_BYTES
    index.close()
    assert log.stat().st_size == 0
    page.close()


def test_a_large_log_is_cut_at_the_next_write(tmp_path: Path) -> None:
    file, log = tmp_path / "library.sqlite3", tmp_path / "library.sqlite3-wal"
    page = opened(file)
    write(page, WAL_BYTES + (1 << 20))
    write(page, 1)
    assert log.stat().st_size <= WAL_BYTES
    page.close()


def test_closing_does_not_wait_for_one_that_reads(tmp_path: Path) -> None:
    file = tmp_path / "library.sqlite3"
    page, index = opened(file), opened(file)
    write(page, 1)
    with page.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM blobs").scalar_one() == 1
        write(index, WAL_BYTES + (1 << 20))
        index.close()
        assert connection.exec_driver_sql("SELECT count(*) FROM blobs").scalar_one() == 1
    with page.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM blobs").scalar_one() == 2
    page.close()
