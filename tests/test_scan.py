"""A walk finds every video once, in the same order each time, and comes back from wherever it is led."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.library import FILE_NAME
from indexer.media.containers import VIDEO_EXTENSIONS, has_video_signature, is_text
from indexer.media.errors import Cancelled
from indexer.scan import LIBRARY_FILE, Scan, find_videos

MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(100)
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def put(path: Path, data: bytes = b"?") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names(scan: Scan, below: Path) -> list[str]:
    return [os.path.relpath(file.path, below) for file in scan.files]


def test_extensions_in_any_case_and_files_without_one(tmp_path: Path) -> None:
    for name in ("a.mp4", "B.MKV", "c.Webm", "d.txt", "e.jpg", "f.mp4.part", "deep/er/g.m2ts", "mp4"):
        put(tmp_path / name)
    put(tmp_path / "plain", MP4)
    put(tmp_path / "README", b"nothing to see")
    put(tmp_path / "photo", b"\x00\x00\x00\x20ftypheic" + bytes(100))
    found = find_videos([tmp_path])
    assert names(found, tmp_path) == ["B.MKV", "a.mp4", "c.Webm", "deep/er/g.m2ts", "plain"]
    assert found.problems == ()
    status = (tmp_path / "a.mp4").stat()
    file = next(file for file in found.files if file.path.endswith("a.mp4"))
    assert (file.size_bytes, file.modified_ns) == (status.st_size, status.st_mtime_ns)


def test_endings_that_videos_share_with_other_files_are_told_by_content(tmp_path: Path) -> None:
    put(tmp_path / "film.ps", b"\0\0\1\xba\x44" + bytes(50))
    put(tmp_path / "letter.ps", b"%!PS-Adobe-3.0")
    put(tmp_path / "still.webp", b"RIFF\0\0\0\0WEBPVP8 ")
    assert names(find_videos([tmp_path]), tmp_path) == ["film.ps"]


def test_what_was_not_looked_at_is_counted(tmp_path: Path) -> None:
    for name in (".hidden.mp4", "._a.mp4", ".DS_Store", "a.mp4", "b.txt", "deep/c.TXT", "d.jpg", "README", "left.jpg"):
        put(tmp_path / name)
    found = find_videos([tmp_path], exclude=["left*"])
    assert names(found, tmp_path) == ["a.mp4"]
    assert found.hidden == 1, "not the files that macOS keeps beside others"
    assert dict(found.others) == {"txt": 2, "jpg": 1, "": 1}
    assert found.others[0] == ("txt", 2), "most first"


def test_sequences_of_pictures_are_told_once_a_folder(tmp_path: Path) -> None:
    for number in range(24):
        put(tmp_path / "shot" / f"A001_{number:04}.dpx")
        put(tmp_path / "photos" / f"IMG_{number:04}.jpg")
        put(tmp_path / "shot" / f"{number:04}.PNG")
    for number in range(23):
        put(tmp_path / "few" / f"x{number}.exr")
    found = find_videos([tmp_path])
    assert found.files == ()
    assert sorted((os.path.basename(each.path), each.reason) for each in found.sequences) == [
        ("shot", "holds 24 pictures #.png: image sequences are not indexed; encode them as a video first"),
        ("shot", "holds 24 pictures A001_#.dpx: image sequences are not indexed; encode them as a video first"),
    ]


def test_other_extensions(tmp_path: Path) -> None:
    put(tmp_path / "a.mp4")
    put(tmp_path / "b.xyz")
    assert names(find_videos([tmp_path], extensions=[".XYZ"]), tmp_path) == ["b.xyz"]


@pytest.mark.parametrize(
    "head",
    [
        MP4,
        b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat",
        b"\x1aE\xdf\xa3\x01\x00",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"\x00\x00\x01\xba\x44",
        b"\x00\x00\x01\xb3\x14",
        b"FLV\x01\x05",
        b"0&\xb2u\x8ef\xcf\x11\xa6\xd9",
        b"\x06\x0e+4\x02\x05\x01\x01\r\x01\x02\x01",
        b"\x00\x00\x00\x01\x67\x64\x00",
        b"\x00\x00\x01\x09\xf0",
        b"\x00\x00\x00\x01\x40\x01\x0c",
        b"OggS\x00\x02" + bytes(20) + b"\x80theora",
        b"YUV4MPEG2 W2 H2",
        (b"G" + bytes(187)) * 8,
        bytes(50) + (b"G" + bytes(187)) * 8,
        (bytes(4) + b"G" + bytes(187)) * 8,
        (b"G" + bytes(203)) * 8,
    ],
)
def test_containers_are_known_by_their_beginning(head: bytes) -> None:
    assert has_video_signature(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"G",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"\x7fELF",
        b"OggS\x00\x02" + bytes(20) + b"vorbis",
        b"\x00\x00\x00\x20ftypM4A ",
        b"#!/bin/sh\n",
        bytes(4096),
        b"GGGG" * 200 + b"x",
    ],
)
def test_other_files_are_known_by_their_beginning(head: bytes) -> None:
    assert not has_video_signature(head)


def test_typescript_is_no_transport_stream(tmp_path: Path) -> None:
    put(tmp_path / "app.ts", ("export const a = 'ü';\n" * 300).encode())
    put(tmp_path / "mod.mts", b"export {}")
    put(tmp_path / "film.ts", (b"G" + bytes(187)) * 8)
    put(tmp_path / "torn.ts", bytes(range(256)))  # not text: the decoder shall say what is wrong with it
    put(tmp_path / "empty.ts", b"")
    assert names(find_videos([tmp_path]), tmp_path) == ["empty.ts", "film.ts", "torn.ts"]


def test_text_may_be_cut_within_a_character() -> None:
    text = ("a" + "ü" * 3000).encode()[:4096]
    assert text[-1:] != "ü".encode()[-1:]
    assert is_text(text)
    assert not is_text(text[:-1] + b"\xff\xff")


def test_hidden_and_system_folders_and_excluded_ones(tmp_path: Path) -> None:
    for name in (
        "keep/a.mp4", ".hidden.mp4", "._keep.mp4", ".git/a.mp4", "@eaDir/a.mp4", "$RECYCLE.BIN/a.mp4",
        "System Volume Information/a.mp4", "Thumbs/a.mp4", "x/raw/a.mp4", "x/raw2/a.mp4", "x/draft_1.mp4",
    ):  # fmt: skip
        put(tmp_path / name)
    everything = ["keep/a.mp4", "x/draft_1.mp4", "x/raw/a.mp4", "x/raw2/a.mp4"]
    assert names(find_videos([tmp_path]), tmp_path) == everything
    without = {
        "raw": ["keep/a.mp4", "x/draft_1.mp4", "x/raw2/a.mp4"],
        "raw/": ["keep/a.mp4", "x/draft_1.mp4", "x/raw2/a.mp4"],
        "*/raw/*": ["keep/a.mp4", "x/draft_1.mp4", "x/raw2/a.mp4"],
        "x/raw": ["keep/a.mp4", "x/draft_1.mp4", "x/raw2/a.mp4"],
        "draft_*": ["keep/a.mp4", "x/raw/a.mp4", "x/raw2/a.mp4"],
        str(tmp_path / "x"): ["keep/a.mp4"],
        "*.mp4": [],
        "aw": everything,
        "": everything,
        "/": everything,
    }
    for pattern, left in without.items():
        assert names(find_videos([tmp_path], exclude=[pattern]), tmp_path) == left, pattern


def test_exclude_means_both_unicode_forms(tmp_path: Path) -> None:
    put(tmp_path / "Mu\u0308ll" / "a.mp4")
    put(tmp_path / "b.mp4")
    assert names(find_videos([tmp_path], exclude=["M\u00fcll"]), tmp_path) == ["b.mp4"]


def test_what_is_named_is_taken(tmp_path: Path) -> None:
    """A file named by a person is tried whatever its name; a folder is walked even if it is hidden."""
    odd = put(tmp_path / "recording.part")
    hidden = put(tmp_path / ".private" / "a.mp4")
    found = find_videos([odd, hidden.parent], exclude=["*.part"])
    assert [file.path for file in found.files] == [str(hidden), str(odd)]
    assert found.present == (str(tmp_path / ".private"), str(odd))


def test_overlapping_and_relative_roots_give_each_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(tmp_path / "a" / "b" / "c.mp4")
    monkeypatch.chdir(tmp_path)
    found = find_videos(["a", tmp_path / "a" / "b", "a/b/../b/c.mp4", file])
    assert [file.path for file in found.files] == [str(file)]
    assert find_videos(["a"]) == find_videos([tmp_path / "a/"])


def test_missing_roots_and_special_files(tmp_path: Path) -> None:
    put(tmp_path / "a.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")  # reading it would wait for ever
    found = find_videos([tmp_path, tmp_path / "gone", tmp_path / "pipe.mp4"])
    assert names(found, tmp_path) == ["a.mp4"]
    assert found.missing == (str(tmp_path / "gone"),)
    reasons = {os.path.basename(problem.path): problem.reason for problem in found.problems}
    assert reasons.keys() == {"gone", "pipe.mp4"}
    assert "does not exist" in reasons["gone"]
    assert "neither" in reasons["pipe.mp4"]


def test_link_loops_end_and_real_paths_win(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root / "z" / "a.mp4")
    (root / "z" / "up").symlink_to(root)
    (root / "aa").symlink_to(root / "z")  # sorts before the folder it leads to
    (root / "self").symlink_to(root / "self")
    (root / "link.mp4").symlink_to(root / "z" / "a.mp4")
    elsewhere = put(tmp_path / "elsewhere" / "b.mp4").parent
    (root / "out1").symlink_to(elsewhere)
    (root / "out2").symlink_to(elsewhere)
    found = find_videos([root])
    assert names(found, root) == ["out1/b.mp4", "z/a.mp4"]
    assert [os.path.basename(problem.path) for problem in found.problems] == ["self"]


def test_a_link_to_a_file_elsewhere_is_that_file_under_this_name(tmp_path: Path) -> None:
    target = put(tmp_path / "store" / "x.bin", b"12345")
    root = tmp_path / "root"
    root.mkdir()
    (root / "b.mp4").symlink_to(target)
    (root / "c.mp4").symlink_to(target)
    found = find_videos([root])
    assert names(found, root) == ["b.mp4"]
    assert found.files[0].size_bytes == 5


def test_dangling_links_are_told_if_they_look_like_videos(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to(tmp_path / "gone.mp4")
    (tmp_path / "drive").symlink_to("/nowhere/at/all")
    (tmp_path / "notes.txt").symlink_to(tmp_path / "gone.txt")
    found = find_videos([tmp_path])
    assert found.files == ()
    assert [os.path.basename(problem.path) for problem in found.problems] == ["a.mp4", "drive"]


def test_a_folder_named_like_a_video_is_a_folder(tmp_path: Path) -> None:
    put(tmp_path / "x.mp4" / "inside.mp4")
    assert names(find_videos([tmp_path]), tmp_path) == ["x.mp4/inside.mp4"]


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "locked"
    put(folder / "a.mp4")
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.skipif(AS_ROOT, reason="root may read everything")
def test_an_unreadable_folder_is_a_problem_and_the_walk_goes_on(tmp_path: Path, locked: Path) -> None:
    put(tmp_path / "z.mp4")
    found = find_videos([tmp_path])
    assert names(found, tmp_path) == ["z.mp4"]
    assert [problem.path for problem in found.problems] == [str(locked)]
    assert "denied" in found.problems[0].reason


def test_folders_that_fail_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a drive that fails or a folder that goes away midway (and for those who test as root)."""
    put(tmp_path / "a" / "a.mp4")
    put(tmp_path / "b" / "b.mp4")
    put(tmp_path / "c" / "c.mp4")
    errors = {"a": PermissionError(13, "Permission denied"), "b": OSError(5, "Input/output error")}
    scandir = os.scandir

    def failing(path: str) -> Iterator[os.DirEntry[str]]:
        if os.path.basename(path) in errors:
            raise errors[os.path.basename(path)]
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    found = find_videos([tmp_path])
    assert names(found, tmp_path) == ["c/c.mp4"]
    assert [problem.reason for problem in found.problems] == [
        "cannot be read: permission denied",
        "cannot be read: Input/output error",
    ]


def test_libraries_are_never_entered(tmp_path: Path) -> None:
    assert LIBRARY_FILE == FILE_NAME
    put(tmp_path / "other" / LIBRARY_FILE)
    put(tmp_path / "other" / "media" / "ab" / "preview.mp4")
    put(tmp_path / "new library" / "media" / "preview.mp4")
    put(tmp_path / "a.mp4")
    (tmp_path / "way in").symlink_to(tmp_path / "new library")
    own = tmp_path / "new library"
    found = find_videos([tmp_path], avoid=[own])
    assert names(found, tmp_path) == ["a.mp4"]
    inside = find_videos([own], avoid=[own])
    assert inside.files == ()
    assert "never indexed" in inside.problems[0].reason


def test_thousands_of_levels_and_awkward_names(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(60):
        deep = deep / ("d" * 20)
    put(deep / "a.mp4")
    awkward = ["-rf.mp4", "a'b\"c.mp4", "semi;colon.mp4", "new\nline.mp4", "e\u0301.mp4", "\u00e9.mp4",
               "x" * 200 + ".mp4", "trailing.mp4 ", "😀.mp4", "%s{}.mp4"]  # fmt: skip
    for name in awkward:
        put(tmp_path / name)
    raw = os.fsencode(tmp_path) + b"/\xff\xfe latin \xe9.mp4"
    if sys.platform == "linux":
        with open(raw, "wb") as file:
            file.write(b"?")
    found = find_videos([tmp_path])
    paths = {file.path for file in found.files}
    assert str(deep / "a.mp4") in paths
    assert {os.path.basename(path) for path in paths} >= set(awkward)
    if sys.platform == "linux":
        assert raw in {os.fsencode(path) for path in paths}
    assert [file.path for file in found.files] == sorted(paths)
    assert find_videos([tmp_path]) == found


def test_a_walk_can_be_stopped_and_tells_how_far_it_is(tmp_path: Path) -> None:
    for folder in "abc":
        put(tmp_path / folder / "x.mp4")
    told: list[int] = []
    find_videos([tmp_path], on_found=told.append)
    assert told[-1] == 3
    with pytest.raises(Cancelled):
        find_videos([tmp_path], cancelled=lambda: True)


def test_every_usual_extension_is_known() -> None:
    asked = "avi m4v mkv mov mp4 mpeg mpg ts m2ts mts webm wmv mxf flv 3gp ogv mpv h264 hevc gif vob asf f4v dv"
    assert set(asked.split()) <= VIDEO_EXTENSIONS
