"""The page sends only what was indexed, and no request waits for the comparison of a large file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from db_samples import add, make_video

from app.web.http.errors import ApiError
from app.web.services import source_check as module
from app.web.services.source_check import SourceCheck
from db.library import Library
from db.records import Video
from indexer import identity
from indexer.content_hash import content_hash
from indexer.fingerprint import fingerprint


@pytest.fixture
def video(tmp_path: Path) -> Video:
    """A video of 2 MiB of a constant frame size, as indexed."""
    path = tmp_path / "a.dv"
    path.write_bytes(bytes(2 << 20))
    return indexed(path)


def indexed(path: Path) -> Video:
    info = path.stat()
    return make_video(
        str(path),
        fingerprint(path),
        size_bytes=info.st_size,
        modified_ns=info.st_mtime_ns,
        content_hash=content_hash(path),
        file_id=f"{info.st_dev}:{info.st_ino}",
    )


def refusal(check: SourceCheck, video: Video) -> str:
    try:
        check.require_unchanged(video, os.stat(video.path))
    except ApiError as error:
        return f"{error.status} {error}"
    return ""


def test_an_unchanged_file_is_not_read(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "fingerprint", None)
    assert refusal(SourceCheck(), video) == ""


def test_a_touched_file_is_compared_once(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(video.path, (1, 1))
    check = SourceCheck()
    assert refusal(check, video) == ""
    monkeypatch.setattr(identity, "content_hash", None)
    assert refusal(check, video) == ""


def test_a_render_of_the_same_fingerprint_is_refused(video: Video) -> None:
    content = bytearray(2 << 20)
    content[270_000] = 1  # between the blocks of the fingerprint
    Path(video.path).write_bytes(content)
    assert fingerprint(video.path) == video.fingerprint
    os.utime(video.path, (1, 1))
    assert "changed" in refusal(SourceCheck(), video)


def test_no_request_waits_for_a_long_comparison(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    real = identity.content_hash

    def slow(path: str, **options: object) -> str:
        assert go_on.wait(10)
        return real(path)

    monkeypatch.setattr(identity, "content_hash", slow)
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    os.utime(video.path, (1, 1))
    check = SourceCheck()
    assert "being checked" in refusal(check, video)
    go_on.set()
    monkeypatch.setattr(module, "WAIT_SECONDS", 10)
    assert refusal(check, video) == ""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened


def test_of_equal_files_one_that_is_there_is_played(video: Video, library: Library, tmp_path: Path) -> None:
    add(library, video)
    other = tmp_path / "b.dv"
    other.write_bytes(Path(video.path).read_bytes())
    add(library, replace(indexed(other), content_hash="00" * 32))  # one fingerprint, and other content
    check = SourceCheck(library)
    Path(video.path).unlink()
    assert check.reachable(video) == video
    copy = tmp_path / "c.dv"
    other.rename(copy)
    add(library, indexed(copy))
    assert check.reachable(video).path == str(copy)
    assert refusal(check, check.reachable(video)) == ""
