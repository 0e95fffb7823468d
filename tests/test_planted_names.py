"""Temporary files whose names others can know or guess: what was put there before is neither followed nor filled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stand_in_hub import stand_in_hub

from app.exporting import zip_file
from app.exporting.ffmpeg_binary import ExportError
from app.jobs.jobs import Jobs, new_id
from app.jobs.state import STATE_FILE, STOP_FILE, JobState, write_state
from encoder.checkpoints import hub, transfer
from files import publish, replace
from files.durability import create_empty
from files.links import leads_outside, remove_tree

posix = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    file = tmp_path / "precious"
    file.write_text("of somebody else")
    return file


@posix
def test_nothing_is_written_through_a_link_under_a_temporary_name(
    tmp_path: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (publish, replace):
        monkeypatch.setattr(module.secrets, "token_hex", lambda size: "00" * size)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / f"{publish.DRAFT_PREFIX}{'00' * 6}").symlink_to(precious)
    (folder / f".a.json-{'00' * 6}").symlink_to(precious)
    with pytest.raises(FileExistsError):
        publish.publish_bytes(b"ours", folder, "clip.csv")
    with pytest.raises(FileExistsError):
        replace.replace_file(folder / "a.json", b"ours")
    with pytest.raises(FileExistsError), replace.replacing(folder / "a.json"):
        raise AssertionError
    assert precious.read_text() == "of somebody else"


@posix
@pytest.mark.parametrize("target", ["precious", "nothing"])
def test_an_empty_file_is_made_only_where_there_is_none(tmp_path: Path, precious: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / target)
    with pytest.raises(FileExistsError):
        create_empty(tmp_path / "link")
    assert sorted(os.listdir(tmp_path)) == ["link", "precious"]


@posix
def test_the_parts_of_a_zip_are_a_folder_of_ours(
    tmp_path: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "all.zip"
    parts = zip_file.parts_folder(target)
    with zip_file.lock_parts(target) as (made, _):
        assert made == parts
        assert parts.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(ExportError, match="belongs to another user"), zip_file.lock_parts(target):
        raise AssertionError
    monkeypatch.undo()
    parts.rmdir()
    (tmp_path / "theirs").mkdir()
    parts.symlink_to(tmp_path / "theirs")
    with pytest.raises(ExportError, match="is a link"), zip_file.lock_parts(target):
        raise AssertionError
    assert os.listdir(tmp_path / "theirs") == []


@posix
@pytest.mark.parametrize("planted", ["link", "hard link"])
def test_a_partial_download_of_somebody_else_is_not_continued(
    tmp_path: Path, precious: Path, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_PAUSE_SECONDS", 0.001)
    content = b"weights" * 100
    with stand_in_hub() as server:
        published = server.publish(content)
        cache = tmp_path / "cache"
        path = hub.fetch(published, endpoint=server.endpoint, cache_dir=cache, models=tmp_path / "m1", offline=False)
        blob = path.resolve()
        partial = blob.with_name(f"{blob.name}.prismsearch.incomplete")
        path.unlink()
        blob.unlink()
        if planted == "link":
            partial.symlink_to(precious)
        else:
            os.link(precious, partial)
        path = hub.fetch(published, endpoint=server.endpoint, cache_dir=cache, models=tmp_path / "m2", offline=False)
    assert path.read_bytes() == content
    assert precious.read_text() == "of somebody else"


@posix
def test_a_request_to_stop_follows_no_link(tmp_path: Path) -> None:
    jobs, job_id = Jobs(tmp_path), new_id()
    folder = tmp_path / "runs" / job_id
    folder.mkdir(parents=True)
    write_state(folder / STATE_FILE, JobState(id=job_id, kind="index", title="", host_id="elsewhere", pid=1))
    (folder / STOP_FILE).symlink_to(tmp_path / "made")
    jobs.stop(job_id)
    assert not (tmp_path / "made").exists()
    assert jobs.get(job_id).stopping


@posix
def test_a_journal_is_not_read_through_a_link(tmp_path: Path) -> None:
    job_id = new_id()
    write_state(tmp_path / "other.json", JobState(id=job_id, kind="index", title="of another place"))
    folder = tmp_path / "library" / "runs" / job_id
    folder.mkdir(parents=True)
    (folder / STATE_FILE).symlink_to(tmp_path / "other.json")
    (folder / "log.txt").symlink_to(tmp_path / "other.json")
    jobs = Jobs(tmp_path / "library")
    assert all(state.title == "" for state in jobs.all())
    assert "another place" not in jobs.log(job_id)


@posix
def test_what_leads_outside_is_not_removed(tmp_path: Path) -> None:
    root, outside = tmp_path / "library", tmp_path / "outside"
    (root / "media" / "ab").mkdir(parents=True)
    (outside / "x").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    for path in (root / "link", root / "link" / "x", outside, root / ".." / "outside", root, root / "media" / ".."):
        assert leads_outside(path, root)
        remove_tree(path, root)
    assert (outside / "x").is_dir()
    assert not leads_outside(root / "media" / "ab", root)
    remove_tree(root / "media", root)
    assert not (root / "media").exists()
