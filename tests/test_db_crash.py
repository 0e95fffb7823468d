"""Robustness of a library: kill -9 between the steps of an add, a full disk, two writers, threads and forks.

Kills at any moment, and more of full disks and writers, are in campaigns/.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from db_samples import add, ids_of, make_video, stage
from sqlalchemy import event

from db.errors import LibraryError, LibraryFull
from db.library import FILE_NAME, Library

TESTS = Path(__file__).parent
PRELUDE = f"""
import os, sys
sys.path[:0] = [{str(TESTS.parent)!r}, {str(TESTS)!r}]
from db.library import Library
from db_samples import add, make_video, stage
"""


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("step", ["publish", "commit", "drop"])
def test_kill_9_exactly_between_the_steps_of_an_add(place: Path | str, step: str) -> None:
    """Just after the media are in place, just after the commit, and never after the old media are gone."""
    video = make_video()
    with Library.open(place) as library:
        old = add(library, video, media=stage(library, video, 3, "old"))
    code = f"""
import db.media, db.writing
step = {step!r}
def die(*_):
    os.kill(os.getpid(), 9)
library = Library.open(sys.argv[1])
# Media of the same content are replaced; those of a content that is replaced are kept with its hidden rows.
video = make_video() if step == "drop" else make_video(fingerprint="ffff")
media = stage(library, video, 3, "new")
if step == "publish":
    publish = media.publish
    media.publish = lambda: (publish(), die())
elif step == "commit":
    from sqlalchemy import event
    event.listen(library._database.engine, "commit", die)  # SQLAlchemy calls it just before COMMIT
else:
    library._media.drop = die
add(library, video, media=media)
"""
    process = start(code, place)
    errors = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, errors
    with Library.open(place) as library:
        (stored,) = library.videos()
        text = b"new 1" if step == "drop" else b"old 1"
        assert stored.id == old
        assert library.poster_path(stored, 1).read_bytes() == text
        assert library.check() == []
        folders = list(library._media.directory.glob("??/*"))
        assert len(folders) == 2  # one that no row names: too young to be swept
        for folder in folders:
            os.utime(folder, (0, 0))
        assert library.check() == []
        assert list(library._media.directory.glob("??/*")) == [library.poster_path(stored, 1).parent]


def test_two_processes_write_at_once_and_nothing_is_lost(place: Path | str) -> None:
    code = """
with Library.open(sys.argv[1]) as library:  # all make it, one wins
    for number in range(12):
        video = make_video(f"/{sys.argv[2]}/{number}.mp4", f"{sys.argv[2]}{number}")
        add(library, video, media=stage(library, video, 3))
        add(library, make_video("/shared.mp4", f"shared{number}"))
"""
    processes = [start(code, place, name) for name in ("one", "two")]
    for process in processes:
        errors = process.communicate()[1]
        assert process.returncode == 0, errors.decode()
    with Library.open(place) as library:
        assert len(library.videos("/one")) == len(library.videos("/two")) == 12
        assert len(library.videos()) == 25
        assert library.stamp("enc").count == 75
        assert library.check() == []


def test_many_processes_make_one_library(place: Path | str) -> None:
    code = "print(Library.open(sys.argv[1]).id)"
    processes = [start(code, place) for _ in range(4)]
    answers = [(process.communicate(), process.returncode) for process in processes]
    assert [code for _, code in answers] == [0] * 4, answers
    with Library.open(place) as library:
        assert {out.decode().strip() for (out, _), _ in answers} == {library.id}


def _limit(library: Library, pages: int) -> None:
    """Let the database file grow no further, as a full disk would."""

    def limit(connection: object, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    library._database.engine.dispose()
    event.listen(library._database.engine, "connect", limit)


def test_a_full_disk_fails_one_add_and_harms_nothing(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        first = make_video("/f/1.mp4", "aaaa")
        add(library, first, media=stage(library, first, 3))
        before = (library.videos(), library.segments(range(10)), library.stamp("enc"), library.failures())
    with Library.open(tmp_path) as library:
        _limit(library, (tmp_path / FILE_NAME).stat().st_size // 8192 + 4)
        big = make_video("/f/1.mp4", "bbbb", seconds=200)  # would replace the first
        with pytest.raises(LibraryFull, match="no space left"):
            add(library, big, count=200, encoder_id="wide", dim=768, media=stage(library, big, 200))
        assert (library.videos(), library.segments(range(10)), library.stamp("enc"), library.failures()) == before
        assert len(list((tmp_path / "media").rglob("*.jpg"))) == 3
        assert library.check() == []
        add(library, make_video("/f/2.mp4", "cccc"), count=1)  # what still fits goes in
    with Library.open(tmp_path) as library:
        add(library, big, count=200, encoder_id="wide", dim=768)  # space was made
        assert [row.segments for row in library.encoders()] == [1, 200]


def test_a_disk_full_of_posters_is_the_same_error(place: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library.open(place) as library:
        media = library.stage_media("abcd", "r")
        media.add(0, b"poster", b"preview")

        def full(*_: object) -> int:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(LibraryFull):
            media.add(1, b"poster", b"preview")


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_CANTOPEN])
def test_a_disk_without_room_for_the_files_beside_the_database_is_the_same_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(library: Library) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        with library._database.translated():
            raise error

    with Library.open(tmp_path) as library:
        with pytest.raises(LibraryError, match="that its disk works"):
            fail(library)
        usage = shutil.disk_usage(tmp_path)._replace(free=4096)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(LibraryFull, match="no space left"):
            fail(library)


def test_threads_share_one_library(place: Path | str) -> None:
    with Library.open(place) as library:
        errors: list[BaseException] = []

        def work(name: int) -> None:
            try:
                for number in range(6):
                    video_id = add(library, make_video(f"/{name}/{number}.mp4", f"f{name}x{number}"), count=5)
                    ids = ids_of(library, video_id)
                    assert len(library.segments(ids)) == 5
                    assert sum(len(part[0]) for part in library.embeddings("enc", batch=3)) >= 5
                    assert len(library.videos(f"/{name}")) == number + 1
            except BaseException as error:
                errors.append(error)
                raise

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert library.stamp("enc").count == 8 * 6 * 5
        assert library.check() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_and_its_parent_both_keep_writing(place: Path | str) -> None:
    """In a process of its own: pytest's threads have no business in a fork."""
    code = """
library = Library.open(sys.argv[1])
add(library, make_video("/parent/0.mp4", "p0"))
child = os.fork()
if child == 0:
    for number in range(20):
        add(library, make_video(f"/child/{number}.mp4", f"c{number}"))
    os._exit(0)
for number in range(1, 5):
    add(library, make_video(f"/parent/{number}.mp4", f"p{number}"))
library.close()  # while the child writes: must not take the log away from it
assert os.waitpid(child, 0)[1] == 0
with Library.open(sys.argv[1]) as again:
    assert len(again.videos("/child")) == 20, again.videos("/child")
    assert len(again.videos("/parent")) == 5
    assert again.check() == []
"""
    process = start(code, place)
    errors = process.communicate()[1]
    assert process.returncode == 0, errors.decode()


def test_a_library_folder_that_moved_is_the_same_library(tmp_path: Path) -> None:
    video = make_video()
    with Library.open(tmp_path / "here") as library:
        add(library, video, media=stage(library, video, 3))
        rows = library.embedding_rows("enc", [1, 2, 3])
    shutil.move(tmp_path / "here", tmp_path / "there é %41?#")
    with Library.open(tmp_path / "there é %41?#", create=False) as moved:
        assert moved.id == library.id
        assert moved.poster_path(moved.videos()[0], 0).read_bytes() == b"poster 0"
        np.testing.assert_array_equal(moved.embedding_rows("enc", [1, 2, 3]), rows)
        assert moved.check() == []
