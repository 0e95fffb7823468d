"""Backups: of one moment while others write, checked, and back again; a copy before each migration; read-only media."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from db_samples import add, make_video, stage
from older_formats import to_format

from app.cli import main
from app.compose import Settings
from app.diagnostics import environment
from db import backup as backup_module
from db import opening
from db.backup import copy_database
from db.errors import LibraryDamaged, LibraryError, LibraryFull
from db.library import FILE_NAME, Library
from db.schema import SCHEMA_VERSION


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Library.open(tmp_path / "library") as library:
        for number in range(2):
            video = make_video(f"/films/{number}.mp4", f"aa{number:04d}")
            add(library, video, media=stage(library, video, 3))
    return tmp_path / "library"


def run(folder: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--library", str(folder), *words])
    return result.exit_code, result.output


def content(folder: Path) -> list[object]:
    with Library.open(folder, create=False) as library:
        assert library.check() == []
        videos = library.videos()
        parts = [library.segments_of(each.id or 0) for each in videos]
        rows = [(ids.tolist(), matrix.tolist()) for ids, matrix in library.embeddings(library.encoders()[0].id)]
        return [library.id, videos, parts, rows]


def test_a_backup_is_made_while_others_write_and_restored(folder: Path, tmp_path: Path) -> None:
    before, target = content(folder), tmp_path / "copy"
    with Library.open(folder) as library, library._database.writing() as connection:  # an index run, amid a video
        connection.exec_driver_sql("UPDATE videos SET frames = 1")
        code, output = run(folder, "backup", str(target), "--media", "--yes")
    assert code == 0, output
    assert "2 videos" in output
    with Library.open(folder) as library:
        library.remove_videos([each.id for each in library.videos() if each.id is not None])
    assert run(folder, "backup", str(target))[0] == 2, "never into a folder that has anything"
    code, output = run(folder, "restore", str(target))
    assert code == 2
    assert "--force" in output
    code, output = run(folder, "restore", str(target), "--force")
    assert code == 0, output
    (kept,) = folder.parent.glob("library.before-restore-*")
    with Library.open(kept, create=False) as old:
        assert old.videos() == []
    library_id, _, parts, _ = content(folder)
    assert [library_id, parts] == [before[0], before[2]]
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted(["copy", "library", kept.name])


def test_two_restores_in_one_second_keep_both_libraries_of_before(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.strftime", lambda *_: "20260101-000000")
    assert run(folder, "backup", str(tmp_path / "copy"))[0] == 0
    for _ in range(2):
        code, output = run(folder, "restore", str(tmp_path / "copy"), "--force")
        assert code == 0, output
    assert len(list(folder.parent.glob("library.before-restore-*"))) == 2


def test_a_backup_without_media_says_that_index_makes_them_again(folder: Path, tmp_path: Path) -> None:
    target, other = tmp_path / "copy", tmp_path / "other"
    assert run(folder, "backup", str(target))[0] == 0
    assert sorted(path.name for path in target.iterdir() if not path.name.endswith(("-wal", "-shm"))) == [FILE_NAME]
    code, output = run(other, "restore", str(target))
    assert code == 0, output
    assert "index makes them again" in output
    with Library.open(other) as library:
        assert len(library.lacking_media(each.id for each in library.videos() if each.id is not None)) == 2


@pytest.mark.parametrize("what", ["full", "damaged"])
def test_a_copy_that_cannot_be_right_is_not_made(
    folder: Path, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.sqlite3"
    if what == "full":
        usage = shutil.disk_usage(tmp_path)._replace(free=10)
        monkeypatch.setattr(backup_module.shutil, "disk_usage", lambda path: usage)
    else:
        monkeypatch.setattr(backup_module, "check_database", lambda connection: ["page 7 is torn"])
    with pytest.raises(LibraryFull if what == "full" else LibraryDamaged, match=r"[Nn]othing was changed"):
        copy_database(folder / FILE_NAME, target)
    assert list(tmp_path.glob("*copy*")) == []


def test_a_library_is_copied_before_it_is_migrated_and_one_copy_is_kept(folder: Path) -> None:
    file = folder / FILE_NAME
    with Library.open(folder) as library, library._database.writing_without_foreign_keys() as connection:
        to_format(connection, 4)
    older = file.with_name(f"{FILE_NAME}.before-3")
    older.write_bytes(b"an older copy")
    Library.open(folder).close()
    (copy,) = folder.glob("*.before-*")
    assert copy.name == f"{FILE_NAME}.before-{SCHEMA_VERSION}"
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0004",)
    connection.close()


def test_no_room_for_the_copy_is_no_migration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library.open(folder) as library, library._database.writing_without_foreign_keys() as connection:
        to_format(connection, 4)

    def full(source: Path, target: Path) -> None:
        raise LibraryFull("no room")

    monkeypatch.setattr(opening, "copy_database", full)
    with pytest.raises(LibraryFull):
        Library.open(folder)


def test_a_library_that_can_only_be_read_is_searched_and_nothing_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    wanted = content(folder)
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK)
    assert content(folder) == wanted
    assert "is read-only" in caplog.text
    with Library.open(folder) as library, pytest.raises(LibraryError, match="is read-only"):
        add(library, make_video("/films/new.mp4", "bbbb"))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_new_library_on_a_network_drive_is_warned_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opening, "is_network", lambda path: True)
    for _ in range(2):
        Library.open(tmp_path / "library").close()
    assert caplog.text.count("network drive") == 1


def test_doctor_notes_a_network_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "is_network", lambda path: True)
    found = environment.check_disk(Settings(library=tmp_path))
    assert found.state == "note"
    assert "network drive" in str(found)


def test_a_persons_own_questions_are_backed_up_and_restored(folder: Path, tmp_path: Path) -> None:
    (folder / "questions.csv").write_text("question,file\na boat,\n")
    assert run(folder, "backup", str(tmp_path / "copy"))[0] == 0
    assert (tmp_path / "copy/questions.csv").read_text() == "question,file\na boat,\n"
    (folder / "questions.csv").unlink()
    assert run(folder, "restore", str(tmp_path / "copy"), "--force")[0] == 0
    assert (folder / "questions.csv").read_text() == "question,file\na boat,\n"
    (folder / "questions.csv").unlink()
    (folder / "questions.csv").symlink_to(tmp_path / "copy/questions.csv")
    code, said = run(folder, "backup", str(tmp_path / "other"))
    assert (code, "questions.csv was not copied" in said) == (0, True)
    assert not (tmp_path / "other/questions.csv").exists()
