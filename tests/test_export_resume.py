"""Exports that are stopped, killed or run out of disk: what is whole stays, and the same order goes on from there."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from numbered import constant, shown, write

from app.exporting import cut_exact, zip_file
from app.exporting.clip_writer import write_clips
from app.exporting.exporter import ExportResult, export
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.manifest import FILE_NAME, Manifest, lock_manifest, request_keys
from app.exporting.request import ClipRequest, ExportedClip, ExportRequest
from app.exporting.zip_file import parts_folder
from indexer.identity import Identity

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = {"x264-params": "keyint=10:min-keyint=10:scenecut=0"}
    return write(tmp_path_factory.mktemp("plain") / "plain.mp4", *constant(75, Fraction(25)), options=options)


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The drafts that were cut, one a clip."""
    done: list[str] = []
    real = cut_exact.cut_exact

    def counted(program: str, found: Any, draft: Path, *rest: Any) -> Any:
        done.append(draft.name)
        return real(program, found, draft, *rest)

    monkeypatch.setattr(cut_exact, "cut_exact", counted)
    return done


def asked(path: Path, count: int = 3) -> tuple[ClipRequest, ...]:
    return tuple(
        ClipRequest(path=str(path), start_seconds=Fraction(each, 2), end_seconds=Fraction(each, 2) + Fraction(1, 5))
        for each in range(count)
    )


def stopping_after(count: int) -> tuple[Any, Any]:
    """A progress and a `cancelled` that asks to stop when so many clips are done."""
    done: list[ExportedClip] = []

    def told(number: int, total: int, clip: ExportedClip) -> None:
        done.append(clip)

    return told, lambda: len(done) >= count


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def names(result: ExportResult) -> list[str]:
    return [clip.file.name for clip in result.clips if clip.file is not None]


def test_what_was_stopped_goes_on(plain: Path, tmp_path: Path, cuts: list[str]) -> None:
    order = ExportRequest(requests=asked(plain), folder=tmp_path / "clips", lists=("edl", "csv"), title="Reel")
    told, cancelled = stopping_after(2)
    first = export(order, on_clip=told, cancelled=cancelled)
    assert first.interrupted
    assert (first.written, first.lists, len(cuts)) == (2, (), 2)
    second = export(order)
    assert len(cuts) == 3, "only what was missing is cut"
    assert not second.interrupted
    assert [clip.error for clip in second.clips] == [None, None, None]
    assert second.clips[:2] == first.clips[:2], "all that is known of a clip is known again"
    assert files(tmp_path / "clips") == sorted([*names(second), "Reel.csv", "Reel.edl"]), "nothing else is left"
    third = export(order)
    assert len(cuts) == 6, "an export that was done is another one when asked for again"
    assert not set(names(third)) & set(names(second))


def test_other_clips_under_the_same_names_are_cut(plain: Path, tmp_path: Path, cuts: list[str]) -> None:
    order = ExportRequest(requests=asked(plain), folder=tmp_path)
    told, cancelled = stopping_after(2)
    (one, two, _) = export(order, on_clip=told, cancelled=cancelled).clips
    assert one.file is not None
    assert two.file is not None
    one.file.unlink()
    two.file.write_bytes(b"mine now")
    result = export(order)
    assert len(cuts) == 5
    assert result.clips[0].file == one.file
    assert result.clips[1].file == two.file.with_stem(two.file.stem + "_2")
    assert two.file.read_bytes() == b"mine now"
    padded = ExportRequest(requests=asked(plain), folder=tmp_path, handles_seconds=Fraction(1, 25))
    export(padded, on_clip=told, cancelled=lambda: False)
    assert len(cuts) == 8, "more handles are other clips"


def test_a_failed_clip_is_tried_again_and_the_others_are_not(plain: Path, tmp_path: Path, cuts: list[str]) -> None:
    late = tmp_path / "late.mp4"
    order = ExportRequest(requests=(*asked(plain), *asked(late, 1)), folder=tmp_path / "clips", lists=("json",))
    first = export(order)
    assert [clip.error is None for clip in first.clips] == [True, True, True, False]
    assert len(first.lists) == 1
    assert "late.mp4 is not in the lists" in first.notes[0]
    os.link(plain, late)
    second = export(order)
    assert (second.written, len(cuts)) == (4, 4)
    assert files(tmp_path / "clips") == sorted([*names(second), "clips.json"]), "the unfinished list is gone"
    assert len(json.loads(second.lists[0].read_bytes())["clips"]) == 4


def test_a_damaged_or_hostile_manifest_does_no_harm(plain: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.mp4"
    victim.write_bytes(b"x")
    clips = tmp_path / "clips"
    clips.mkdir()
    for text in (
        "", "[1]", '{"version": 1, "clips": []}', '{"version": 9}', "{" * 5000,
        '{"version": 1, "drafts": ["../victim.mp4", ".prismsearch-draft-/../../victim.mp4", 5], "lists": []}',
    ):  # fmt: skip
        (clips / FILE_NAME).write_text(text)
        assert export(ExportRequest(requests=asked(plain, 1), folder=clips)).written == 1
    assert victim.exists()
    stat = victim.stat()
    (clips / FILE_NAME).write_text(
        json.dumps({"version": 1, "lists": [["../victim.mp4", stat.st_size, stat.st_mtime_ns]], "clips": {}})
    )
    export(ExportRequest(requests=asked(plain, 1), folder=clips))
    assert victim.exists()


def test_two_exports_into_one_folder_do_not_share_a_manifest(plain: Path, tmp_path: Path) -> None:
    with lock_manifest(tmp_path) as first, lock_manifest(tmp_path) as second:
        assert first is not None
        assert second is None
        assert write_clips(asked(plain, 1), tmp_path, manifest=second)[0].error is None
    with lock_manifest(tmp_path) as again:
        assert again is not None


KILLED = """
import os, sys
sys.path.insert(0, {repository!r})
from fractions import Fraction
from pathlib import Path
from app.exporting.request import ClipRequest
from app.exporting.request import ExportRequest
from app.exporting.exporter import export
import app.exporting.{module} as module
real, left = module.{function}, [{after}]
def dying(*arguments, **named):
    left[0] -= 1
    if {before} and left[0] < 0:
        os.kill(os.getpid(), 9)
    value = real(*arguments, **named)
    if left[0] < 0:
        os.kill(os.getpid(), 9)
    return value
module.{function} = dying
asked = tuple(
    ClipRequest(path={path!r}, start_seconds=Fraction(each, 2), end_seconds=Fraction(each, 2) + Fraction(1, 5))
    for each in range(3)
)
def told(result):
    os.kill(os.getpid(), 9)
export(ExportRequest(requests=asked, {where}, mode="smart", lists=("csv", "edl")), on_result=told)
"""


@pytest.mark.parametrize(
    ("module", "function", "before", "after"),
    [
        ("smart.cut_smart", "cut_smart", False, 1),  # a draft is written
        ("clip_writer", "publish", True, 1),  # promised, without a name yet
        ("clip_writer", "publish", False, 1),  # named, and nobody was told
        ("manifest", "publish", True, 0),  # all clips, a list promised without a name yet
        ("manifest", "publish", False, 0),  # half the lists
        ("manifest", "publish", False, 2),  # of a zip: named, and its parts are there
        ("exporter", "export", False, 1),  # all done, and nobody was told
    ],
)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_killed_anywhere_nothing_is_half_and_nothing_finished_is_lost(
    kind: str, module: str, function: str, before: bool, after: int, plain: Path, tmp_path: Path
) -> None:
    target = tmp_path / ("clips" if kind == "folder" else "all.zip")
    where = f"{kind}=Path({str(target)!r})"
    script = KILLED.format(
        repository=str(REPOSITORY), module=module, function=function, before=before, after=after, path=str(plain),
        where=where,
    )  # fmt: skip
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    folder = target if kind == "folder" else parts_folder(target)
    zipped = target.stat() if target.exists() and kind == "zip" else None
    assert (zipped is not None) == (kind == "zip" and (module, after) in {("manifest", 2), ("exporter", 1)})
    kept = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix == ".mp4"}
    assert len(kept) == (3 if module in ("manifest", "exporter") else 1 + (function == "publish" and not before))
    for name in kept:
        assert len(shown(folder / name)) == 5
    result = export(
        ExportRequest(
            requests=asked(plain),
            folder=target if kind == "folder" else None,
            zip=target if kind == "zip" else None,
            mode="smart",
            lists=("csv", "edl"),
        )
    )
    assert result.written == 3
    assert [path.name for path in result.lists] == ["clips.csv", "clips.edl"]
    assert set(kept) <= set(names(result))
    if kind == "folder":
        assert {name: (target / name).stat().st_mtime_ns for name in kept} == kept, "not cut again"
        assert files(target) == sorted([*names(result), "clips.csv", "clips.edl"]), "nothing twice, nothing left"
    else:
        assert files(tmp_path) == ["all.zip"]
        if zipped is not None:
            assert target.stat().st_mtime_ns == zipped.st_mtime_ns, "not packed again"
        with zipfile.ZipFile(target) as archive:
            assert sorted(archive.namelist()) == sorted([*names(result), "clips.csv", "clips.edl"])


# One zip


def test_a_zip_holds_clips_and_lists_and_is_not_squeezed(plain: Path, tmp_path: Path) -> None:
    result = export(ExportRequest(requests=asked(plain), zip=tmp_path / "new" / "all.zip", lists=("csv", "edl")))
    assert result.zip == tmp_path / "new" / "all.zip"
    assert files(tmp_path / "new") == ["all.zip"]
    with zipfile.ZipFile(result.zip) as archive:
        assert archive.testzip() is None
        entries = {each.filename: each for each in archive.infolist()}
        assert list(entries) == [*names(result), "clips.csv", "clips.edl"]
        for name in names(result):
            assert entries[name].compress_type == zipfile.ZIP_STORED
            assert entries[name].extract_version >= 45, "sizes beyond 4 GiB would fit"
            (tmp_path / name).write_bytes(archive.read(name))
            assert len(shown(tmp_path / name)) == 5
    assert result.plain()["clips"][0]["file"] == names(result)[0]


def test_a_zip_takes_a_free_name(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_text("mine")
    result = export(ExportRequest(requests=asked(plain, 1), zip=tmp_path / "all.zip"))
    assert result.zip == tmp_path / "all_2.zip"
    assert (tmp_path / "all.zip").read_text() == "mine"


def test_a_zip_that_was_stopped_goes_on(plain: Path, tmp_path: Path, cuts: list[str]) -> None:
    order = ExportRequest(requests=asked(plain), zip=tmp_path / "all.zip", lists=("csv",))
    told, cancelled = stopping_after(2)
    assert export(order, on_clip=told, cancelled=cancelled).interrupted
    assert not order.zip.exists() if order.zip else False
    result = export(order)
    assert (result.written, len(cuts)) == (3, 3)
    assert files(tmp_path) == ["all.zip"]


def test_a_disk_that_is_full_while_packing_loses_no_clip(
    plain: Path, tmp_path: Path, cuts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ExportRequest(requests=asked(plain), zip=tmp_path / "all.zip")

    def full(*_: Any) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(zip_file, "_add", full)
        with pytest.raises(ExportError, match=r"No space left on device.*continues from there"):
            export(order)
    assert files(tmp_path) == [parts_folder(tmp_path / "all.zip").name]
    assert export(order).written == 3
    assert len(cuts) == 3
    assert files(tmp_path) == ["all.zip"]


def test_nothing_written_is_no_zip(tmp_path: Path) -> None:
    result = export(ExportRequest(requests=asked(tmp_path / "gone.mp4"), zip=tmp_path / "all.zip"))
    assert (result.zip, result.written) == (None, 0)
    assert files(tmp_path) == []


def test_parts_that_nobody_went_on_with_are_swept(plain: Path, tmp_path: Path) -> None:
    old, other = parts_folder(tmp_path / "old.zip"), tmp_path / "mine"
    for folder in (old, other):
        folder.mkdir()
        os.utime(folder, (time.time() - 15 * 86400,) * 2)
    export(ExportRequest(requests=asked(plain, 1), zip=tmp_path / "all.zip"))
    assert files(tmp_path) == ["all.zip", "mine"]


# Orders


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "where to"),
        ({"folder": Path("a"), "zip": Path("b")}, "where to"),
        ({"folder": Path("a"), "name_pattern": "{x}"}, "{rank}"),
        ({"folder": Path("a"), "lists": ("xls",)}, "edl"),
        ({"folder": Path("a"), "clips": False}, "lists only"),
        ({"folder": Path("a"), "handles_seconds": Fraction(-1)}, "handles"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as error:
        ExportRequest(requests=(), **values)
    assert words in str(error.value)


def test_progress_goes_up_within_a_clip(plain: Path, tmp_path: Path) -> None:
    heard: list[tuple[int, float]] = []
    request = ClipRequest(path=str(plain), start_seconds=0, end_seconds=3)
    write_clips([request, request], tmp_path, on_progress=lambda number, share: heard.append((number, share)))
    assert heard == sorted(heard)
    assert {number for number, _ in heard} == {0, 1}
    assert all(0 <= share <= 1 for _, share in heard)
    assert heard[-1] == (1, 1.0)


def test_an_export_that_an_earlier_version_left_unfinished_is_recognised() -> None:
    """These keys stand in manifests on people's disks. With others, every clip there would be cut again.

    The choice of sound tracks is part of them: clips of versions before that choice had one track only.
    """
    one = ClipRequest(
        path="/a.mp4", start_seconds=Fraction(1, 3), end_seconds=2, identity=Identity(fingerprint="f00d"),
        name_hint="hint", collection="reel",
    )  # fmt: skip
    keys = ["6c2bd8d9ed9a74b2e9ca1f91", "eb11cefb6866c6b2b21da25d"]
    assert request_keys([one, one], "exact", Fraction(0), None, "all") == keys


def test_every_setting_makes_another_clip(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"one")
    one: dict[str, Any] = {"path": str(file), "start_seconds": 1, "end_seconds": 2}
    others = [{"start_seconds": 0.5}, {"end_seconds": 3}, {"rank": 2}, {"name_hint": "x"}, {"collection": "x"},
              {"identity": Identity(fingerprint="x")}, {"identity": Identity(fingerprint="x", content_hash="y")},
              {"path": str(tmp_path / "b.mp4")}]  # fmt: skip
    keys = [request_keys([ClipRequest(**one | each)], "exact")[0] for each in ({}, *others)]
    keys += request_keys([ClipRequest(**one)], "smart")
    keys += request_keys([ClipRequest(**one)], "exact", Fraction(1))
    keys += request_keys([ClipRequest(**one)] * 10, "exact")  # names are padded to two digits then
    file.write_bytes(b"another")
    keys += request_keys([ClipRequest(**one)], "exact")
    assert len(set(keys)) == len(keys)
    assert request_keys([ClipRequest(**one | {"score": 1.0, "note": "x"})], "exact") == keys[-1:]


def test_lists_that_an_earlier_version_left_unfinished_are_dropped_unless_edited(tmp_path: Path) -> None:
    kept, edited = tmp_path / "a.csv", tmp_path / "b.csv"
    for each in (kept, edited):
        each.write_text("as exported")
    lists = [[each.name, each.stat().st_size, each.stat().st_mtime_ns] for each in (kept, edited)]
    (tmp_path / FILE_NAME).write_text(json.dumps({"version": 1, "lists": lists, "clips": {}}))
    edited.write_text("edited by hand since")
    Manifest(tmp_path).close()
    assert (kept.exists(), edited.read_text()) == (False, "edited by hand since")
    assert files(tmp_path) == ["b.csv"], "a manifest that records nothing more is removed"


def test_an_export_is_forgotten_once_people_were_told(plain: Path, tmp_path: Path) -> None:
    order = ExportRequest(requests=asked(plain, 1), folder=tmp_path, lists=("csv",))
    told: list[list[str]] = []
    for _ in range(2):
        export(order, on_result=lambda result: told.append(files(tmp_path)))
    assert [FILE_NAME in each for each in told] == [True, True]
    assert files(tmp_path) == sorted([*told[0][1:], *(set(told[1]) - set(told[0]))]), "asked for again, written again"


def test_lists_of_an_unfinished_export_are_replaced_and_those_of_others_stay(plain: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.mp4"
    clips = tmp_path / "clips"
    unfinished = ExportRequest(requests=asked(late, 1), folder=clips, lists=("json",), title="Reel")
    other = ExportRequest(requests=(*asked(late, 1), *asked(plain, 1)), folder=clips, lists=("json",), title="Reel")
    assert [path.name for path in export(other).lists] == ["Reel.json"]
    before = (clips / "Reel.json").read_bytes()
    assert export(unfinished).lists == ()
    os.link(plain, late)
    assert [path.name for path in export(unfinished).lists] == ["Reel_2.json"]
    assert (clips / "Reel.json").read_bytes() == before
    assert [path.name for path in export(other).lists] == ["Reel.json"]
    assert (clips / "Reel.json").read_bytes() != before, "the clip that failed before is in it now"
    assert FILE_NAME not in files(clips)
