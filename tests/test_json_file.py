"""JSON that somebody else wrote: every reader of files takes damage as one line, never as an error of ours."""

from __future__ import annotations

import io
import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import pytest

from app.commands.export_selection import from_json
from app.encoder_choice import CACHE_FILE, OLD_CHOICES_FILE, _read_cache, take_over_old_choices
from app.exporting.manifest import FILE_NAME as MANIFEST
from app.exporting.manifest import Manifest
from app.jobs.orders import ORDER_FILE, OrderError, read_order
from app.jobs.state import read_state
from app.web.services.examples import Examples
from db.library import Library
from db.media_facts import facts_from_text
from encoder.checkpoints.verified import read_record
from files.json_file import MAX_DEPTH, parse_fraction, parse_json, read_json
from files.stamped import DamagedFile, StampedFiles

DEEP = "[" * 100_000
NESTED = "[" * 900 + "]" * 900  # within what Python parses, too deep for what walks it
OBJECTS = '{"a":' * 900 + "1" + "}" * 900
LONG = '{"version": 1, "seconds": ' + "9" * 400 + "}"
DAMAGE = [DEEP, NESTED, OBJECTS, LONG, "9" * 5000, "", "\0", "nul", '"\\ud800"', "NaN", "1e999", "[1,]", "\ufeff{}"]


@pytest.mark.parametrize("text", [DEEP, NESTED, OBJECTS, "", "nul", "{", '{"a": 1} x', "\0"])
def test_damage_is_one_kind_of_exception(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as found:
        parse_json(text)
    assert "\n" not in str(found.value)


def test_numbers_that_nothing_holds_are_damage_or_unknown() -> None:
    numbers = ["9" * 400, "1e400", "NaN", "-Infinity", "-" + "1" * 30]
    assert parse_json(f"[{', '.join(numbers)}]", any_number=True) == [None] * 5
    for each in numbers:
        with pytest.raises(ValueError, match=r"digits|finite"):
            parse_json(f"[{each}]")
    assert parse_json("[1700000000123456789, -9223372036854775808, 2.5]") == [1700000000123456789, -(1 << 63), 2.5]
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@pytest.mark.parametrize("value", ["1e999999999", "9" * 400, "1/0", "x", "", "nan", "1/2/3", float("inf"), "١"])
def test_what_is_no_exact_number_is_refused_at_once(value: object) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_fraction(value)


def test_exact_numbers_are_read() -> None:
    assert [parse_fraction(each) for each in ("1001/24000", "-2.50", 3, 0.5, Fraction(1, 3))] == [
        Fraction(1001, 24000), Fraction(-5, 2), 3, Fraction(1, 2), Fraction(1, 3),
    ]  # fmt: skip
    for each in (None, True, [], b"1"):
        with pytest.raises(TypeError):
            parse_fraction(each)


def test_a_file_that_is_too_large_a_pipe_or_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("[" + "1," * 100 + "1]")
    with pytest.raises(ValueError, match="more than 50 bytes"):
        read_json(tmp_path / "large", max_bytes=50)
    assert len(read_json(tmp_path / "large")) == 101
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "large")
    for name in ("pipe", "link", "missing"):
        with pytest.raises(OSError, match=r"."):
            read_json(tmp_path / name, follow_links=False)


@pytest.mark.parametrize("text", DAMAGE)
def test_every_file_of_ours_may_be_damaged(tmp_path: Path, text: str) -> None:
    for name in ("state.json", ORDER_FILE, MANIFEST, OLD_CHOICES_FILE, CACHE_FILE, "receipt.json", "cache.json"):
        (tmp_path / name).write_text(text)
    assert read_state(tmp_path / "state.json", "id") is None
    with pytest.raises(OrderError):
        read_order(tmp_path)
    manifest = Manifest(tmp_path)
    assert manifest.finished("key", None) is None  # type: ignore[arg-type]
    assert _read_cache(tmp_path) == {} or isinstance(_read_cache(tmp_path), dict)
    assert read_record(tmp_path / "receipt.json") is None
    assert facts_from_text(text) is None
    with pytest.raises(click.UsageError):
        from_json(io.BytesIO(text.encode("utf-8", "surrogatepass")), None)
    files = StampedFiles(tmp_path, "cache")
    try:
        assert files.load() in (None, {}) or isinstance(files.load(), dict)
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017
    files.forget()
    token = "0" * 32
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / f"{token}.json").write_text(text)
    with pytest.raises(KeyError):
        Examples(tmp_path).get(token)
    with Library.open(tmp_path) as library:
        take_over_old_choices(library)
        assert library.encoder_choices() == []
    assert not (tmp_path / OLD_CHOICES_FILE).exists()


def test_ranges_that_no_video_has_are_refused_in_one_line() -> None:
    for start, end in ((0, 10**15), (0, "9" * 400), ("1e99999999", 3), (0, "1e-99999999"), ({}, 1), ("0", "1/0")):
        records = [{"path": "/f/a.mp4", "start": start, "end": end}]
        with pytest.raises(click.UsageError, match="hit 1 needs"):
            from_json(io.BytesIO(json.dumps(records).encode()), None)


# Names in these files


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "", ".", "..", "cache.json", "other-000000000000.npz"])
def test_a_stamp_names_no_file_but_those_of_its_cache(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("not of this cache")
    (tmp_path / "vectors").mkdir()
    files = StampedFiles(tmp_path / "vectors", "cache")
    entry: dict[str, Any] = {"file": name, "size_bytes": 17, "crc32": 0}
    with pytest.raises(DamagedFile, match="no file of this cache"):
        files.verified(entry)
    (tmp_path / "vectors" / "cache.json").write_text(json.dumps({"rows": entry}))
    files.forget()
    assert (tmp_path / "outside").exists()


def test_a_link_is_no_file_of_a_cache(tmp_path: Path) -> None:
    files = StampedFiles(tmp_path / "vectors", "cache")
    entry = files.write(".npz", lambda file: file.write(b"content"))
    path = files.verified(entry)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DamagedFile):
        files.verified(entry)


def test_a_manifest_removes_and_recognises_only_files_of_its_own(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.mp4", tmp_path / "out"
    folder.mkdir()
    outside.write_bytes(b"film")
    status = outside.stat()
    (folder / "clip.mp4").symlink_to(outside)
    (folder / ".prismsearch-draft-").touch()
    stamp = [status.st_size, status.st_mtime_ns]
    times = dict.fromkeys(("start_seconds", "end_seconds", "early_seconds", "late_seconds", "frame_rate"))
    values = dict.fromkeys(("frames", "copied_frames", "has_audio", "timecode", "note"))
    document = {
        "version": 1,
        "clips": {"key": {"name": "clip.mp4", "stamp": stamp, **times, **values}},
        "lists": [["../outside.mp4", *stamp], ["clip.mp4", *stamp], ["..", 1, 2]],
        "drafts": ["../outside.mp4", "", ".prismsearch-draft-", 7],
    }
    (folder / MANIFEST).write_text(json.dumps(document))
    manifest = Manifest(folder)
    assert manifest.finished("key", None) is None  # type: ignore[arg-type]
    manifest.close()
    assert outside.exists()
    assert (folder / "clip.mp4").is_symlink()
    assert (folder / ".prismsearch-draft-").exists()


def test_values_that_nobody_needs_are_left_out() -> None:
    text = '{"a": {"points": [1, 2], "b": [{"points": 3, "c": NaN}]}, "points": {}}'
    assert parse_json(text, any_number=True, leave_out={"points"}) == {
        "a": {"points": None, "b": [{"points": None, "c": None}]},
        "points": None,
    }
    with pytest.raises(ValueError, match="finite"):
        parse_json(text, leave_out={"points"})
