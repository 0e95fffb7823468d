"""Opening: a new library, an old one, a newer one, and what is none; each error says what to do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from db_samples import add, make_video
from sqlalchemy import create_engine

from db import migrating, schema
from db.connection import SqliteDatabase
from db.errors import LibraryBusy, LibraryDamaged, LibraryError, LibraryMissing, LibraryNewer
from db.library import FILE_NAME, Library
from db.records import NewSubclip


def sql(directory: Path, *statements: str) -> None:
    with sqlite3.connect(directory / FILE_NAME) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def shape(file: Path) -> list[tuple[str, str, list[str]]]:
    """Every table, index and trigger as SQLite has it, but for white space and the order of a table's parts."""
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    connection.close()
    return sorted((kind, name, parts(text or "")) for kind, name, text in found if name != "sqlite_sequence")


def parts(text: str) -> list[str]:
    """A statement cut at the commas that are in one pair of brackets, sorted."""
    cut, depth = [""], 0
    for letter in " ".join(text.replace('"', "").split()):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if (depth, letter) in ((1, ","), (1, "("), (0, ")")):
            cut.append("")
        else:
            cut[-1] += letter
    return sorted(part.strip() for part in cut)


def test_migrations_lead_to_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    Library.open(tmp_path / "fresh").close()
    engine = create_engine(f"sqlite:///{tmp_path}/migrated.sqlite3")
    with engine.begin() as connection:
        migrating.run_migrations(connection, "head")
    engine.dispose()
    fresh, migrated = shape(tmp_path / "fresh" / FILE_NAME), shape(tmp_path / "migrated.sqlite3")
    assert [entry[:2] for entry in fresh] == [entry[:2] for entry in migrated]
    assert fresh == migrated
    assert len([entry for entry in fresh if entry[0] == "trigger"]) == 12
    with sqlite3.connect(tmp_path / "migrated.sqlite3") as connection:
        head = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    assert head == schema.revision_of(schema.SCHEMA_VERSION)


NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0012", "0011"
def upgrade():
    with op.batch_alter_table("videos") as batch:
        batch.add_column(sa.Column("stars", sa.Integer(), nullable=False, server_default="0"))
        batch.alter_column("codec", nullable=True)
"""


@pytest.fixture
def with_next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This program, one schema version later. Gives the file of the migration."""
    folder = tmp_path / "versions"
    folder.mkdir()
    monkeypatch.setattr(migrating, "VERSION_FOLDERS", (*migrating.VERSION_FOLDERS, folder))
    (folder / "v0012.py").write_text(NEXT)
    return folder / "v0012.py"


def old_library(directory: Path) -> list[object]:
    with Library.open(directory) as library:
        add(library, make_video("/f/1.mp4", "aa"))
        add(library, make_video("/f/2.mp4", "bb"), seed=1)
        return [library.id, library.videos(), library.segments(range(10)), library.stamp("enc")]


def test_an_older_library_is_migrated_with_all_its_rows(
    tmp_path: Path, with_next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old_library(tmp_path / "library")
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 12)
    for _ in range(2):  # and once it is migrated, it opens like any other
        with Library.open(tmp_path / "library") as library:
            after = [library.id, library.videos(), library.segments(range(10)), library.stamp("enc")]
            assert after == before  # the rebuilt table did not take its children along
            assert library.check() == []
            with library._database.reading() as connection:
                assert connection.exec_driver_sql("SELECT stars FROM videos").scalars().all() == [0, 0]
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_migration_that_fails_leaves_the_library_as_it_was(
    tmp_path: Path, with_next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old_library(tmp_path / "library")
    with_next_version.write_text(
        NEXT + "    op.execute('DELETE FROM videos')\n    op.execute('SELECT * FROM nothing')\n"
    )
    with monkeypatch.context() as later:
        later.setattr(schema, "SCHEMA_VERSION", 12)
        with pytest.raises(LibraryDamaged, match=r"could not be upgraded to format 0012.*nothing"):
            Library.open(tmp_path / "library")
    with Library.open(tmp_path / "library") as library:
        assert [library.id, library.videos(), library.segments(range(10)), library.stamp("enc")] == before
        assert library.check() == []


def test_a_newer_library_is_refused_with_both_versions_and_left_alone(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    sql(tmp_path, "UPDATE alembic_version SET version_num = '0042'")
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(LibraryNewer, match=rf"format 42, .* up to {schema.SCHEMA_VERSION}.*Update prismsearch"):
        Library.open(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_missing(tmp_path: Path) -> None:
    for directory in (tmp_path / "nothing", tmp_path):
        with pytest.raises(LibraryMissing, match="Index a folder first"):
            Library.open(directory, create=False)
    (tmp_path / FILE_NAME).touch()  # a kill in the middle of making it
    with pytest.raises(LibraryMissing):
        Library.open(tmp_path, create=False)
    assert os.listdir(tmp_path) == [FILE_NAME]
    with Library.open(tmp_path) as library:
        assert library.check() == []


def test_what_is_no_library_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"these are not the tables you are looking for" * 400)
    with pytest.raises(LibraryDamaged, match="not a valid library file"):
        Library.open(tmp_path)
    (tmp_path / FILE_NAME).unlink()
    sql(tmp_path, "CREATE TABLE recipes (name)")
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(LibraryDamaged, match="another program"):
        Library.open(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    with pytest.raises(LibraryError, match="is not a folder"):
        Library.open(tmp_path / FILE_NAME)
    with pytest.raises(LibraryError, match="cannot be used as a library"):
        Library.open(tmp_path / FILE_NAME / "below", create=True)


def test_a_file_torn_in_the_middle_is_found_by_check(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        for number in range(30):
            add(library, make_video(f"/f/{number}.mp4", f"f{number}"), count=20, dim=256)
    with open(tmp_path / FILE_NAME, "r+b") as file:
        file.seek(0, os.SEEK_END)
        size = file.tell()
        for page in range(60, size // 8192, 5):  # behind the tables' definitions
            file.seek(page * 8192)
            file.write(os.urandom(8192))
    with Library.open(tmp_path) as library:
        problems = library.check()
        assert problems
        assert any("backup" in problem for problem in problems)
        with pytest.raises(LibraryDamaged):
            list(library.embeddings("enc"))


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM embeddings WHERE segment_id = 2", "lack their embedding by enc"),
        ("DELETE FROM embeddings WHERE segment_id = 2", "have no embedding by any encoder"),
        ("UPDATE encoders SET segments = 7", "should have 7 embeddings and has 3"),
        ("DELETE FROM videos", "refers to a row of videos that is not there"),
    ],
)
def test_check_finds_what_does_not_belong_together(tmp_path: Path, statement: str, problem: str) -> None:
    with Library.open(tmp_path) as library:
        add(library)
    sql(tmp_path, "PRAGMA foreign_keys = OFF", statement)
    with Library.open(tmp_path) as library:
        assert any(problem in found for found in library.check())


def test_embeddings_of_another_width_are_no_numbers_and_named_by_check(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        add(library)
        sql(tmp_path, "UPDATE embeddings SET row = x'00' WHERE segment_id = 3")
        rows = library.embedding_rows("enc", [1, 3])
        assert [bool(np.isnan(row).all()) for row in rows] == [False, True]
        assert any("1 embeddings by enc are not unit vectors" in line for line in library.check())


def test_a_writer_that_does_not_let_go_is_called_busy_and_readers_read_on(tmp_path: Path) -> None:
    with Library.open(tmp_path, busy_seconds=0.1) as library:
        add(library)
        other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryBusy, match="Another process"):
            add(library, make_video("/f/2.mp4", "bb"))
        assert len(library.videos()) == 1
        other.execute("ROLLBACK")
        add(library, make_video("/f/2.mp4", "bb"))
        assert len(library.videos()) == 2
        other.close()


def test_a_closed_library_says_so(tmp_path: Path) -> None:
    library = Library.open(tmp_path)
    library.close()
    library.close()
    with pytest.raises(LibraryError, match="was closed"):
        library.videos()


def test_a_backup_without_its_log_is_a_library_again(tmp_path: Path) -> None:
    """VACUUM INTO makes a file that is not in WAL mode; opening it brings the mode back."""
    with Library.open(tmp_path / "one") as library:
        add(library)
        (tmp_path / "two").mkdir()
        sql(tmp_path / "one", f"VACUUM INTO '{tmp_path}/two/{FILE_NAME}'")
    with Library.open(tmp_path / "two", create=False) as backup:
        assert len(backup.videos()) == 1
        with backup._database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_every_connection_has_foreign_keys_and_waits_for_the_disk(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library, library._database.reading() as one, library._database.reading() as two:
        for connection in (one, two):
            pragmas = [connection.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("foreign_keys", "synchronous")]
            assert pragmas == [1, 2]
        assert one.exec_driver_sql("PRAGMA page_size").scalar() == 8192


@pytest.mark.parametrize("module", ["db", "db.records", "db.errors"])
def test_importing_the_nouns_is_cheap(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'sqlalchemy', 'alembic', 'numpy'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_opening_a_library_of_today_does_not_import_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from db.library import Library; "
        f"Library.open(Path({str(tmp_path)!r})).close(); print('alembic' in sys.modules)"
    )
    for _ in range(2):
        assert (
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
        )


def test_another_process_that_makes_the_library_first_has_made_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between our look at the empty file and our lock on it."""
    switch = SqliteDatabase.use_write_ahead_log
    ids: list[str] = []

    def slowly(database: SqliteDatabase) -> None:
        if not ids:
            ids.append("")
            with Library.open(tmp_path) as quicker:
                add(quicker)
                ids[0] = quicker.id
        switch(database)

    monkeypatch.setattr(SqliteDatabase, "use_write_ahead_log", slowly)
    with Library.open(tmp_path) as library:
        assert [library.id] == ids
        assert len(library.videos()) == 1


def library_of_version_1(directory: Path) -> None:
    """As the first prismsearch left it: its own migration, its own columns, nothing of what came later."""
    directory.mkdir()
    engine = create_engine(f"sqlite:///{directory}/{FILE_NAME}")
    with engine.begin() as connection:
        migrating.run_migrations(connection, "0001")
    engine.dispose()
    sql(
        directory,
        "INSERT INTO library VALUES ('7b0c', '2025-01-01T00:00:00+00:00')",
        "INSERT INTO videos (path, fingerprint, size_bytes, modified_ns, time_base_num, time_base_den, start_pts,"
        " end_pts, frame_rate_num, frame_rate_den, frames, width, height, codec, rotation, has_audio, damaged)"
        " SELECT CAST('/f/' || value || '.mp4' AS BLOB), 'fp' || value, 9, 9, 1, 90000, 0, 900000, 25, 1, 250, 64, 48,"
        " 'h264', 0, 1, 0 FROM json_each('[1,2,3]')",
        "INSERT INTO shots SELECT id, 0, 0, 900000 FROM videos",
        "INSERT INTO segments (video_id, number, shot_number, start_pts, end_pts)"
        " SELECT id, 0, 0, 0, 900000 FROM videos",
        "INSERT INTO encoders (id, dim) VALUES ('enc', 2)",
        "INSERT INTO encodings SELECT id, 1, 'r1' FROM videos",
        "INSERT INTO embeddings SELECT 1, id, x'003c0000' FROM segments",
        "DELETE FROM videos WHERE id = 3",
        # sqlite3's own connection leaves foreign keys off: what hangs on the video goes by hand
        "DELETE FROM shots WHERE video_id = 3",
        "DELETE FROM embeddings WHERE segment_id = 3",
        "DELETE FROM encodings WHERE video_id = 3",
        "DELETE FROM segments WHERE video_id = 3",
    )


def test_a_library_of_version_1_is_brought_to_today(tmp_path: Path) -> None:
    library_of_version_1(tmp_path / "library")
    Library.open(tmp_path / "fresh").close()
    for _ in range(2):
        with Library.open(tmp_path / "library", create=False) as library:
            assert library.id == "7b0c"
            assert [(video.path, video.timecode) for video in library.videos()] == [("/f/1.mp4", ""), ("/f/2.mp4", "")]
            assert library.embedding_rows("enc", [1, 2]).tolist() == [[1, 0], [1, 0]]
            stamp = library.stamp("enc")
            assert (stamp.count, stamp.last_id, stamp.generation) == (2, 2, 1)
            assert library.check() == []
    assert shape(tmp_path / "library" / FILE_NAME) == shape(tmp_path / "fresh" / FILE_NAME)
    with Library.open(tmp_path / "library") as library:
        tray = library.collections.tray()
        (kept,) = library.collections.add(tray.id, [NewSubclip(segment_id=2)])
        assert (kept.path, kept.has_audio) == ("/f/2.mp4", True)
        library.searches.save("one", "q=1")
        assert add(library, make_video("/f/4.mp4", "new", timecode="01:00:00:00"), dim=2) == 4, "ids never return"
        assert library.collections.get(tray.id).revision == tray.revision + 1
        library.remove_videos([2])
        assert library.collections.get(tray.id).revision > tray.revision + 1


def test_two_processes_bring_one_library_to_today(tmp_path: Path) -> None:
    library_of_version_1(tmp_path / "library")
    code = (
        "import sys; from pathlib import Path; from db.library import Library;"
        " print(len(Library.open(Path(sys.argv[1])).videos()))"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "library")]
    processes = [subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate() for process in processes]
    assert [out for out, _ in said] == [b"2\n"] * 3, said


def test_who_has_a_library_open_writes_no_more_once_a_newer_prismsearch_has_migrated_it(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        add(library)
        sql(tmp_path, "UPDATE alembic_version SET version_num = '0999'")
        with pytest.raises(LibraryNewer, match=r"has format 0999 now.*End this one, and start that") as refused:
            add(library, make_video("/films/b.mp4", "bb"))
        assert "\n" not in str(refused.value)
        assert len(library.videos()) == 1
        with pytest.raises(LibraryNewer):
            library.collections.create("Mine")
        sql(tmp_path, f"UPDATE alembic_version SET version_num = '{schema.revision_of(schema.SCHEMA_VERSION)}'")
        add(library, make_video("/films/b.mp4", "bb"))
