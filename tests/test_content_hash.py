"""The whole content is read, and every byte of it counts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from indexer import content_hash as module
from indexer.content_hash import content_hash
from indexer.media.errors import Cancelled


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1000])
def test_it_is_blake2b_of_the_whole_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)
    data = bytes(number % 251 for number in range(size))
    (tmp_path / "a").write_bytes(data)
    assert content_hash(tmp_path / "a") == hashlib.blake2b(data, digest_size=32).hexdigest()


def test_it_stops_between_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)
    (tmp_path / "a").write_bytes(bytes(1000))
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        content_hash(tmp_path / "a", cancelled=lambda: next(asked))


def test_a_file_that_grows_meanwhile_has_no_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 64)
    path = tmp_path / "a"
    path.write_bytes(bytes(200))

    def grow() -> bool:
        with path.open("ab") as file:
            file.write(b"x")
        return False

    calls = iter([grow, *[lambda: False] * 9])
    with pytest.raises(OSError, match="changed while"):
        content_hash(path, cancelled=lambda: next(calls)())
