"""Content tells files apart, names do not; and what is read does not grow with the file."""

from __future__ import annotations

import os
import random
from itertools import pairwise
from pathlib import Path

import pytest

from indexer import fingerprint as module
from indexer.fingerprint import BLOCK_BYTES, BLOCKS, END_BYTES, fingerprint, spans

WHOLE = 2 * END_BYTES + BLOCKS * BLOCK_BYTES


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_same_content_under_any_name_and_time(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(5000)
    one, other = write(tmp_path / "a.mp4", data), write(tmp_path / "ü '.mkv", data)
    os.utime(other, (1, 1))
    assert fingerprint(one) == fingerprint(other)
    assert len(fingerprint(one)) == 32
    assert set(fingerprint(one)) <= set("0123456789abcdef")


@pytest.mark.parametrize("size", [0, 1, 5000, WHOLE - 1, WHOLE])
def test_a_small_file_is_read_whole(tmp_path: Path, size: int) -> None:
    data = bytearray(size)
    path = write(tmp_path / "a", bytes(data))
    before = fingerprint(path)
    assert sum(length for _, length in spans(size)) == size
    write(path, bytes(size + 1))
    assert fingerprint(path) != before
    if size:
        for place in {0, size // 2, size - 1}:
            data[place] = 1
            write(path, bytes(data))
            assert fingerprint(path) != before, place
            data[place] = 0


@pytest.mark.parametrize("size", [WHOLE + 1, WHOLE + 17, 3_000_000, 10_000_000_019])
def test_a_large_file_is_read_at_both_ends_and_evenly_between(size: int) -> None:
    read = list(spans(size))
    assert read[0] == (0, END_BYTES)
    assert read[-1] == (size - END_BYTES, END_BYTES)
    assert sum(length for _, length in read) == WHOLE
    gaps = [after - (start + length) for (start, length), (after, _) in pairwise(read)]
    assert min(gaps) >= 0
    assert max(gaps) - min(gaps) <= 1


def test_sparse_gigabytes_differ_by_a_block_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    before = fingerprint(path)
    start, _ = list(spans(3 << 30))[BLOCKS // 2]
    with path.open("r+b") as file:
        file.seek(start + BLOCK_BYTES - 1)
        file.write(b"x")
    assert fingerprint(path) != before


def test_what_it_is_today_it_stays(tmp_path: Path) -> None:
    """A library's fingerprints must not go stale with an edit of this module: change _PERSON if this must change."""
    assert fingerprint(write(tmp_path / "a", b"prism")) == "113993c5f48d341698d08c2fb31ac4db"
    data = bytes(range(256)) * 8192
    assert fingerprint(write(tmp_path / "b", data)) == "c4414fa5699e9e614bba5a4029fda450"


def test_a_file_that_is_gone_or_shrinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        fingerprint(tmp_path / "gone")
    path = write(tmp_path / "a", b"x" * 1000)
    monkeypatch.setattr(module, "spans", lambda size: iter([(0, size), (size, 10)]))  # as if it had been longer
    with pytest.raises(OSError, match="became shorter"):
        fingerprint(path)
