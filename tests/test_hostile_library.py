"""A library that somebody else made, or that lost a part: nothing of it runs, leads elsewhere or is taken for new."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from db_samples import add, make_parts, make_video, stage, unit_rows
from sqlalchemy import create_engine

from db import migrating, opening, schema, schema_check
from db.errors import LibraryDamaged, LibraryMissing
from db.file_checks import FOLDERS
from db.library import FILE_NAME, Library
from db.records import Video


def sql(directory: Path, *statements: str) -> None:
    with sqlite3.connect(directory / FILE_NAME) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def with_media(directory: Path, **values: object) -> Video:
    """A library of one video with posters. Gives the video."""
    video = make_video(**values)  # type: ignore[arg-type]
    shots, segments = make_parts(video)
    with Library.open(directory) as library:
        library.add_video(
            video, shots, segments, unit_rows(3), encoder_id="enc", recipe="r1", media=stage(library, video, 3)
        )
        return library.videos()[0]


# The schema


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE TRIGGER evil AFTER UPDATE ON videos BEGIN DELETE FROM collections; END", "trigger 'evil'"),
        ("CREATE VIEW all_of_it AS SELECT * FROM videos", "view 'all_of_it'"),
        ("CREATE TABLE more (a)", "table 'more'"),
        ("CREATE VIRTUAL TABLE words USING fts5(a)", "table 'words"),
        ("ALTER TABLE videos ADD COLUMN more GENERATED ALWAYS AS (abs(id)) VIRTUAL", "table 'videos' is not as"),
        ("CREATE INDEX odd ON videos (abs(id))", "index 'odd'"),
        ("DROP TRIGGER subclips_added", "lacks the trigger 'subclips_added'"),
        ("DROP INDEX ix_videos_media", "lacks the index 'ix_videos_media'"),
    ],
)
def test_a_schema_that_is_not_ours_is_refused_in_one_line_and_left_alone(
    tmp_path: Path, statement: str, named: str
) -> None:
    Library.open(tmp_path).close()
    sql(tmp_path, statement, "PRAGMA journal_mode = DELETE")
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(LibraryDamaged, match=named) as refusal:
        Library.open(tmp_path)
    assert "\n" not in str(refusal.value)
    assert "backup" in str(refusal.value)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_changed_trigger_is_refused(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    sql(
        tmp_path,
        "DROP TRIGGER videos_added",
        "CREATE TRIGGER videos_added AFTER INSERT ON videos BEGIN DELETE FROM saved_searches; END",
    )
    with pytest.raises(LibraryDamaged, match="trigger 'videos_added' is not as"):
        Library.open(tmp_path)


def test_an_older_library_is_compared_before_its_migrations_run(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/{FILE_NAME}")
    with engine.begin() as connection:
        migrating.run_migrations(connection, "0003")
    engine.dispose()
    sql(tmp_path, "INSERT INTO library VALUES ('7b0c', '2025-01-01T00:00:00+00:00')", "CREATE TABLE more (a)")
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(LibraryDamaged, match="table 'more'"):
        Library.open(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    sql(tmp_path, "DROP TABLE more")
    Library.open(tmp_path).close()


def test_white_space_and_the_statistics_of_sqlite_do_not_matter(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        add(library)
    sql(
        tmp_path,
        "ANALYZE",
        "DROP INDEX ix_videos_media",
        'CREATE INDEX  "ix_videos_media"\n ON\t"videos" ("media")',
    )
    with Library.open(tmp_path) as library:
        assert library.check() == []


def test_the_digests_are_those_of_the_migrations() -> None:
    """After a change of the schema: `digest_of(entries_of(VERSION))` is the new digest."""
    assert list(schema_check.DIGESTS) == list(range(1, schema.SCHEMA_VERSION + 1))
    for version, digest in schema_check.DIGESTS.items():
        assert schema_check.digest_of(opening.entries_of(version)) == digest


def test_no_schema_is_trusted(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library, library._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA trusted_schema").scalar() == 0
        assert connection.exec_driver_sql("PRAGMA cell_size_check").scalar() == 1


# Files that are empty, short, or another's


@pytest.mark.parametrize("content", [b"\0", b"S", b"\0" * 512, b"\0" * 8192, b"SQLite format 2\0" * 512])
@pytest.mark.parametrize("create", [True, False])
def test_what_is_left_of_a_database_is_never_taken_for_a_new_one(tmp_path: Path, content: bytes, create: bool) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(LibraryDamaged, match="not a valid library file"):
        Library.open(tmp_path, create=create)
    assert (tmp_path / FILE_NAME).read_bytes() == content


@pytest.mark.parametrize("create", [True, False])
def test_an_empty_file_beside_posters_is_damage(tmp_path: Path, create: bool) -> None:
    with_media(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"")
    with pytest.raises(LibraryDamaged, match="is empty, but media beside it"):
        Library.open(tmp_path, create=create)
    assert (tmp_path / FILE_NAME).read_bytes() == b""


def test_an_empty_file_alone_is_a_library_that_was_not_made_yet(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    (tmp_path / "media").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "job").touch()
    with pytest.raises(LibraryMissing):
        Library.open(tmp_path, create=False)
    with Library.open(tmp_path) as library:
        assert library.check() == []


def test_a_database_that_lost_its_list_of_tables_is_not_filled_anew(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        add(library)
    sql(tmp_path, "PRAGMA journal_mode = DELETE")
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek(100 + 3)
        file.write(b"\0\0")  # cells of the first page
        file.seek(100)
        file.write(b"\r")  # ... which is a leaf
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(LibraryDamaged, match="lists no tables"):
        Library.open(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_database_cut_short_is_damage(tmp_path: Path, share: float) -> None:
    with Library.open(tmp_path) as library:
        add(library)
    sql(tmp_path, "PRAGMA journal_mode = DELETE")
    size = (tmp_path / FILE_NAME).stat().st_size
    os.truncate(tmp_path / FILE_NAME, int(size * share))
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(LibraryDamaged):
        Library.open(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_journal_that_names_another_file_does_not_have_it_removed(tmp_path: Path) -> None:
    """SQLite removes the file that a hot journal names as that of a transaction over several databases."""
    Library.open(tmp_path).close()
    sql(tmp_path, "PRAGMA journal_mode = DELETE")
    precious = tmp_path / "precious.txt"
    precious.write_text("something else")
    name = str(precious).encode()
    page, pages = 8192, (tmp_path / FILE_NAME).stat().st_size // 8192
    magic, number = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", (0x40000000 // page + 1).to_bytes(4, "big")
    header = magic + b"".join(each.to_bytes(4, "big") for each in (0, 0, pages, 512, page))
    journal = header.ljust(512, b"\0") + number + name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big")
    (tmp_path / f"{FILE_NAME}-journal").write_bytes(journal + magic)
    with pytest.raises(LibraryDamaged, match="names another file"):
        Library.open(tmp_path)
    assert precious.read_text() == "something else"
    sqlite3.connect(tmp_path / FILE_NAME).execute("SELECT * FROM library").fetchall()
    assert not precious.exists(), "SQLite does remove it, so the check is needed"


# Names that would be paths


@pytest.mark.parametrize("name", [*FOLDERS, FILE_NAME, f"{FILE_NAME}-wal"])
def test_a_link_among_the_files_of_a_library_is_not_followed(tmp_path: Path, name: str) -> None:
    library, elsewhere = tmp_path / "library", tmp_path / "elsewhere"
    Library.open(library).close()
    Library.open(elsewhere).close()
    sql(library, "PRAGMA journal_mode = DELETE")
    path = library / name
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    target = elsewhere / name if name == FILE_NAME else elsewhere
    path.symlink_to(target)
    with pytest.raises(LibraryDamaged, match=r"is a link.*--library"):
        Library.open(library)


def test_a_library_may_itself_be_behind_a_link(tmp_path: Path) -> None:
    video = with_media(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Library.open(tmp_path / "link") as library:
        assert library.poster_path(video, 0).read_bytes() == b"poster 0"
        assert library.remove_videos([1]) == 1
    assert not any((tmp_path / "real" / "media").glob("*/*"))


@pytest.mark.parametrize("media", ["{outside}", "../outside", "..", "", ".", "ab/../../../outside", "/", "\\x", "a\0b"])
def test_a_row_names_no_folder_but_one_of_our_form(tmp_path: Path, media: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "poster-00000.jpg").write_text("not of this library")
    video = with_media(tmp_path / "library")
    with sqlite3.connect(tmp_path / "library" / FILE_NAME) as connection:
        connection.execute("UPDATE videos SET media = ?", [media.format(outside=outside)])
    connection.close()
    with Library.open(tmp_path / "library") as library:
        assert not library.poster_path(video, 0).exists()
        assert library.poster_path(video, 0).resolve().is_relative_to(tmp_path / "library" / "media")
        assert any("posters" in line for line in library.check())
        assert library.remove_videos([1]) == 1
    assert (outside / "poster-00000.jpg").exists()
    assert (tmp_path / "library" / FILE_NAME).exists()


def test_folders_of_media_that_are_links_are_neither_removed_nor_filled(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    video = with_media(tmp_path / "library", fingerprint="abcd01")
    media = tmp_path / "library" / "media"
    (media / "ab").rename(outside)
    (media / "ab").symlink_to(outside)
    with Library.open(tmp_path / "library") as library:
        assert list(library._media.published()) == []
        shots, segments = make_parts(video)
        with pytest.raises(LibraryDamaged, match="is a link"):
            library.add_video(
                video, shots, segments, unit_rows(3), encoder_id="enc", recipe="r2", media=stage(library, video, 3)
            )
        library.remove_videos([1])
        library.check()
    assert len(list(outside.glob("*/poster-*.jpg"))) == 3


def test_a_second_opening_ends_no_locks_of_the_first(tmp_path: Path) -> None:
    """Another process would take itself for the last one, and remove the log that the first still reads."""
    code = (
        "import sys; from pathlib import Path; from db.library import Library; from db_samples import add, make_video\n"
        "with Library.open(Path(sys.argv[1])) as library: add(library, make_video())"
    )
    with Library.open(tmp_path / "library") as first:
        assert first.videos() == []
        Library.open(tmp_path / "library").close()
        path = os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parent.parent)))
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "library")], env={**os.environ, "PYTHONPATH": path}, check=True
        )
        assert len(first.videos()) == 1
        assert (tmp_path / "library" / f"{FILE_NAME}-wal").exists()
