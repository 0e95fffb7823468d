"""Files are replaced whole or left alone, remains are swept by age, and a stamp names whole files or is not there."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

import pytest

from files import publish as publishing
from files.durability import checksum, flush, flush_directory, remove
from files.publish import DRAFT_PREFIX, new_draft, publish, publish_bytes, sweep_drafts
from files.replace import move_over, replace_file, replacing, try_replace_file
from files.stamped import DamagedFile, StampedFiles
from files.sweep import is_older, sweep_files, sweep_folders

ROOT = Path(__file__).resolve().parent.parent
HOUR = 3600.0


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def age(path: Path, seconds: float) -> None:
    modified = path.lstat().st_mtime - seconds
    os.utime(path, (modified, modified), follow_symlinks=False)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The order of what makes a file last: fsync (of a file or a folder), replace and unlink."""
    done: list[str] = []
    fsync, replace, unlink = os.fsync, os.replace, Path.unlink

    def counted_fsync(handle: int) -> None:
        done.append("flush folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "flush file")
        fsync(handle)

    def counted_replace(source: Any, target: Any) -> None:
        done.append("replace")
        replace(source, target)

    def counted_unlink(path: Path, missing_ok: bool = False) -> None:
        done.append("unlink")
        unlink(path, missing_ok)

    monkeypatch.setattr(os, "fsync", counted_fsync)
    monkeypatch.setattr(os, "replace", counted_replace)
    monkeypatch.setattr(Path, "unlink", counted_unlink)
    return done


# Replacing


def test_a_replaced_file_holds_the_new_content_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    for content in (b"first", b"", b"the third"):
        replace_file(file, content)
        assert file.read_bytes() == content
        assert names(tmp_path) == {"state.json"}


def test_an_open_reader_keeps_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    replace_file(file, b"old")
    with file.open("rb") as reader:
        replace_file(file, b"newer and longer")
        assert reader.read() == b"old"


def test_readers_beside_writers_see_whole_files_only(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    contents = [bytes([letter]) * 50_000 for letter in b"abcd"]
    replace_file(file, contents[0])
    written: list[bytes] = []

    def write(content: bytes) -> None:
        for _ in range(40):
            replace_file(file, content)
            written.append(content)

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert file.read_bytes() in contents
    assert len(written) == 4 * 40, "no writer was in another's way"
    assert names(tmp_path) == {"state.json"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_durable_replacement_is_flushed_before_the_rename_and_its_folder_after_it(
    tmp_path: Path, calls: list[str]
) -> None:
    replace_file(tmp_path / "a", b"x", durable=True)
    assert calls == ["flush file", "replace", "flush folder"]
    calls.clear()
    replace_file(tmp_path / "a", b"y")
    assert calls == ["replace"]


def write_half(file: Path, error: BaseException) -> None:
    with replacing(file) as draft:
        draft.write_bytes(b"half")
        raise error


def test_a_block_that_raises_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"old")
    for error in (OSError(errno.ENOSPC, "full"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            write_half(file, error)
        assert file.read_bytes() == b"old"
        assert names(tmp_path) == {"model.bin"}


def test_a_rename_that_fails_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        replace_file(tmp_path / "taken", b"x")
    assert names(tmp_path) == {"taken"}


def test_the_temporary_name_is_hidden_unless_the_caller_gives_one(tmp_path: Path) -> None:
    with replacing(tmp_path / "a.json") as draft:
        assert draft.parent == tmp_path
        assert draft.name.startswith(".a.json-")
        draft.touch()
    with replacing(tmp_path / "a.json", draft=tmp_path / ".partial-1") as draft:
        assert draft == tmp_path / ".partial-1"
        draft.touch()
    assert names(tmp_path) == {"a.json"}


def test_a_convenience_that_cannot_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    assert try_replace_file(tmp_path / "note", b"x")
    assert not try_replace_file(tmp_path / "no folder" / "note", b"x")
    (tmp_path / "taken").mkdir()
    assert not try_replace_file(tmp_path / "taken", b"x")
    assert names(tmp_path) == {"note", "taken"}


# Publishing


@pytest.mark.parametrize("code", [None, errno.EPERM, errno.ENOTSUP])
def test_published_files_never_replace_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    def no_links(source: object, target: object) -> None:
        raise OSError(code or 0, "no links here")

    if code is not None:
        monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "list.csv").write_bytes(b"the person's own")
    paths = [publish_bytes(content, tmp_path, "list.csv") for content in (b"1", b"2")]
    assert [path.name for path in paths] == ["list_2.csv", "list_3.csv"]
    assert [path.read_bytes() for path in paths] == [b"1", b"2"]
    assert (tmp_path / "list.csv").read_bytes() == b"the person's own"
    assert names(tmp_path) == {"list.csv", "list_2.csv", "list_3.csv"}


def test_a_draft_that_cannot_be_published_stays(tmp_path: Path) -> None:
    draft = new_draft(tmp_path)
    draft.write_bytes(b"an hour of work")
    with pytest.raises(OSError):
        publish(draft, tmp_path / "gone", "clip.mp4")
    assert draft.read_bytes() == b"an hour of work"


def test_bytes_that_cannot_be_published_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publishing, "flush", full)
    with pytest.raises(OSError, match="No space"):
        publish_bytes(b"x", tmp_path, "list.csv")
    assert names(tmp_path) == set()


def test_drafts_are_swept_after_a_day(tmp_path: Path) -> None:
    old, young = new_draft(tmp_path), new_draft(tmp_path)
    for path in (old, young, tmp_path / "clip.mp4"):
        path.touch()
    age(old, 25 * HOUR)
    age(young, 23 * HOUR)
    age(tmp_path / "clip.mp4", 1000 * HOUR)
    assert old.name.startswith(DRAFT_PREFIX)
    sweep_drafts(tmp_path)
    assert names(tmp_path) == {young.name, "clip.mp4"}


# Sweeping


def test_a_sweep_of_files_takes_old_ones_of_its_prefix_only(tmp_path: Path) -> None:
    for name in (".part-old", ".part-young", ".part-kept", "other", ".part[1]"):
        (tmp_path / name).touch()
        age(tmp_path / name, 2 * HOUR)
    age(tmp_path / ".part-young", -1.5 * HOUR)
    (tmp_path / ".part-folder").mkdir()
    age(tmp_path / ".part-folder", 2 * HOUR)
    sweep_files(tmp_path, ".part-", older_than_seconds=HOUR, keep={".part-kept"})
    assert names(tmp_path) == {".part-young", ".part-kept", "other", ".part[1]", ".part-folder"}
    sweep_files(tmp_path, ".part[", older_than_seconds=HOUR)
    assert ".part[1]" not in names(tmp_path), "a prefix is no pattern"
    sweep_files(tmp_path, ".part-", older_than_seconds=None)
    assert names(tmp_path) == {"other", ".part-folder"}


def test_a_sweep_of_folders_takes_old_folders_with_all_they_hold(tmp_path: Path) -> None:
    for name in (".part-old", ".part-young", ".part-kept", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inside").touch()
        age(tmp_path / name, 0 if name == ".part-young" else 2 * HOUR)
    (tmp_path / ".part-file").touch()
    age(tmp_path / ".part-file", 2 * HOUR)
    sweep_folders(tmp_path, ".part-", older_than_seconds=HOUR, keep={".part-kept"})
    assert names(tmp_path) == {".part-young", ".part-kept", "other", ".part-file"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_sweeps_do_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "film.mp4").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".part-link").symlink_to(outside)
    age(outside, 2 * HOUR)
    sweep_folders(folder, ".part-", older_than_seconds=HOUR)
    assert names(outside) == {"film.mp4"}
    sweep_files(folder, ".part-", older_than_seconds=HOUR)
    assert names(folder) == {".part-link"}, "the link itself is young"
    age(folder / ".part-link", 2 * HOUR)
    sweep_files(folder, ".part-", older_than_seconds=HOUR)
    assert names(folder) == set()
    assert names(outside) == {"film.mp4"}


def test_sweeps_and_removal_never_raise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep_files(tmp_path / "gone", "", older_than_seconds=None)
    sweep_folders(tmp_path / "gone", "", older_than_seconds=None)
    remove(tmp_path / "gone")
    flush_directory(tmp_path / "gone")
    assert not is_older(tmp_path / "gone", 0)

    def mapped(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "in use")

    (tmp_path / "mapped").touch()
    monkeypatch.setattr(Path, "unlink", mapped)
    sweep_files(tmp_path, "mapped", older_than_seconds=None)
    assert names(tmp_path) == {"mapped"}


# Stamped caches


def save(files: StampedFiles, *contents: bytes, **more: Any) -> dict[str, Any]:
    entries = [files.write(".data", lambda file, content=content: file.write(content)) for content in contents]
    record = {"format": 7, "stamp": more, "parts": entries}
    files.save(record)
    return record


def contents_of(files: StampedFiles) -> list[bytes]:
    record = files.load()
    assert record is not None
    return [files.verified(entry).read_bytes() for entry in record["parts"]]


@pytest.fixture
def cache(tmp_path: Path) -> StampedFiles:
    return StampedFiles(tmp_path / "cache", "model-1a2b")


def test_a_cache_gives_back_what_was_saved(cache: StampedFiles) -> None:
    assert cache.load() is None
    assert not cache.directory.exists(), "nothing is made before something is saved"
    record = save(cache, b"one", b"two", last_id=5)
    other = StampedFiles(cache.directory, cache.name)
    assert other.load() == record
    assert record["stamp"] == {"last_id": 5}
    assert contents_of(other) == [b"one", b"two"]
    assert {entry["crc32"] for entry in record["parts"]} == {checksum(other.path_of(each)) for each in record["parts"]}


def test_saving_removes_what_only_the_former_stamp_named(cache: StampedFiles) -> None:
    kept, _ = save(cache, b"one", b"two")["parts"]
    new = cache.write(".data", lambda file: file.write(b"three"))
    cache.save({"deeply": {"nested": [{"anything": kept}, new]}})
    assert names(cache.directory) == {"model-1a2b.json", kept["file"], new["file"]}


def test_orphans_are_swept_when_nobody_can_be_writing_them(cache: StampedFiles) -> None:
    cache.directory.mkdir()
    old, young = cache.new_path(".data"), cache.new_path(".data")
    for path in (old, young, cache.directory / "another-1-x.data"):
        path.touch()
        age(path, 2 * HOUR)
    age(young, -1.5 * HOUR)
    (entry,) = save(cache, b"one")["parts"]
    age(cache.path_of(entry), 2 * HOUR)
    cache.save({"parts": [entry]})
    assert names(cache.directory) == {"model-1a2b.json", entry["file"], young.name, "another-1-x.data"}


@pytest.mark.parametrize("damage", ["torn", "longer", "flipped"])
def test_damage_is_noticed(cache: StampedFiles, damage: str) -> None:
    (entry,) = save(cache, b"content")["parts"]
    content = {"torn": b"conte", "longer": b"content.", "flipped": b"contenu"}[damage]
    cache.path_of(entry).write_bytes(content)
    with pytest.raises(DamagedFile, match=entry["file"]):
        cache.verified(entry)
    cache.path_of(entry).unlink()
    with pytest.raises(FileNotFoundError):
        cache.verified(entry)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "\x00" * 40, "[" * 100_000])
def test_a_torn_stamp_is_an_error_of_value_and_is_replaced_by_the_next(cache: StampedFiles, text: str) -> None:
    save(cache, b"one")
    cache.stamp_path.write_text(text)
    with pytest.raises(ValueError):
        cache.load()
    save(cache, b"two")
    assert contents_of(cache) == [b"two"]


def test_a_stamp_in_which_a_digit_changed_is_an_error_of_value(cache: StampedFiles) -> None:
    save(cache, b"one", last_id=600)
    text = cache.stamp_path.read_text()
    cache.stamp_path.write_text(text.replace("600", "200"))
    with pytest.raises(ValueError, match="not what was written"):
        cache.load()
    older = json.loads(text)
    del older["checksum"]
    cache.stamp_path.write_text(json.dumps(older))
    assert contents_of(cache) == [b"one"], "older stamps have no checksum"


def test_an_entry_that_names_a_file_elsewhere_is_not_followed(cache: StampedFiles, tmp_path: Path) -> None:
    outside = tmp_path / "film.mp4"
    outside.write_bytes(b"x")
    (entry,) = save(cache, b"x")["parts"]
    elsewhere = entry | {"file": "../film.mp4"}
    with pytest.raises(DamagedFile):
        cache.verified(elsewhere)
    cache.save({"parts": [elsewhere]})
    save(cache, b"y")
    neighbour = cache.directory / "another-1-x.data"
    neighbour.touch()
    cache.save({"parts": [elsewhere, {"file": neighbour.name}]})
    cache.forget()
    assert outside.exists()
    assert neighbour.exists()


def test_a_write_that_fails_leaves_nothing_and_the_stamp_as_it_was(cache: StampedFiles) -> None:
    save(cache, b"one")
    before = names(cache.directory)

    def fails(file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        cache.write(".data", fails)
    assert names(cache.directory) == before
    assert contents_of(cache) == [b"one"]


def test_what_was_written_can_be_discarded_until_it_is_saved(cache: StampedFiles) -> None:
    save(cache, b"one")
    before = names(cache.directory)
    cache.write(".data", lambda file: file.write(b"two"))
    cache.discard_unsaved()
    assert names(cache.directory) == before
    save(cache, b"two")
    cache.discard_unsaved()
    assert contents_of(cache) == [b"two"]


def test_orphans_do_not_wait_for_a_stamp_that_never_comes(cache: StampedFiles) -> None:
    save(cache, b"one")
    for attempt in range(3):  # each is killed before it saves
        killed = StampedFiles(cache.directory, cache.name)
        killed.write(".data", lambda file: file.write(b"two"))
        assert len(names(cache.directory)) == 3, attempt
        for path in cache.directory.iterdir():
            age(path, 2 * HOUR)
    assert contents_of(cache) == [b"one"]


def test_another_writer_is_noticed(cache: StampedFiles) -> None:
    other = StampedFiles(cache.directory, cache.name)
    assert not cache.changed_by_others()
    save(other, b"theirs")
    assert cache.changed_by_others()
    assert not other.changed_by_others()
    assert contents_of(cache) == [b"theirs"]
    assert not cache.changed_by_others()
    cache.stamp_path.unlink()
    assert not cache.changed_by_others(), "a stamp that is gone is nothing to load"


def test_forgetting_removes_the_stamp_and_what_it_names(cache: StampedFiles) -> None:
    save(cache, b"one", b"two")
    cache.forget()
    assert names(cache.directory) == set()
    assert cache.load() is None
    cache.forget()


def test_what_was_forgotten_but_cannot_be_removed_is_not_loaded_again(
    cache: StampedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(cache, b"one")

    def read_only(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "read-only")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", read_only)
        cache.forget()
    assert cache.stamp_path.exists()
    assert not cache.changed_by_others()
    save(StampedFiles(cache.directory, cache.name), b"theirs")
    assert cache.changed_by_others()


KILLED = """
import os, signal, sys
from pathlib import Path
from files.stamped import StampedFiles
steps = iter(range(10_000))
def dies(real):
    def call(*arguments, **named):
        if next(steps) == {step}:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call
os.fsync, os.replace, Path.unlink = dies(os.fsync), dies(os.replace), dies(Path.unlink)
files = StampedFiles(Path({directory!r}), "model-1a2b")
files.save({{"parts": [files.write(".data", lambda file: file.write(b"new"))]}})
print("lived")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
@pytest.mark.parametrize("step", range(6))
def test_killed_while_saving_leaves_the_old_set_or_the_new(cache: StampedFiles, step: int) -> None:
    """Steps: flush of the data, flush of the stamp, rename, flush of the folder, removal of the old data, end."""
    save(cache, b"old")
    script = KILLED.format(step=step, directory=str(cache.directory))
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode == -signal.SIGKILL) if step < 5 else (done.stdout == "lived\n"), done.stderr
    assert contents_of(cache) == ([b"old"] if step < 3 else [b"new"])
    for path in cache.directory.iterdir():
        os.utime(path, (0, 0))
    save(cache, b"next")
    assert contents_of(cache) == [b"next"]
    assert len(names(cache.directory)) == 2, "what the killed one left is swept in time"


def test_flushing_a_file_that_is_gone_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        flush(tmp_path / "gone")


def test_a_file_that_another_program_has_open_is_replaced_once_it_lets_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace open files."""
    monkeypatch.setattr("files.replace._WINDOWS", True)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    moved, refused = os.replace, [PermissionError(13, "in use")] * 3

    def busy(source: Path, target: Path) -> None:
        if refused:
            raise refused.pop()
        moved(source, target)

    monkeypatch.setattr(os, "replace", busy)
    move_over(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "new"
    refused.extend([PermissionError(13, "in use")] * 99)
    (tmp_path / "new").write_text("newer")
    with pytest.raises(PermissionError):
        move_over(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "new"
