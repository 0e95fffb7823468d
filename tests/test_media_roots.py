"""Named roots of media: stored paths and those of a machine, back and forth, and the ranges of folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.compose import settings_from
from app.settings_file import ROOTS_VARIABLE, SETTINGS_VARIABLE, WrongSetting
from db.media_roots import NO_ROOTS, MediaRoots, checked_roots, unset_root

HERE = checked_roots({"nas": "/mnt/nas", "old": "/mnt/nas/archive", "usb": "/media/usb"})
NAMES = [
    "a.mp4",
    "films/a.mp4",
    "é/e\u0301.mp4",
    os.fsdecode(b"caf\xe9/\xff.mp4"),
    "a b/c:d\\e%2F.mp4",
    "..a/b..",
    "nas:/a",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_below_a_root_is_stored_by_its_name_and_comes_back(name: str) -> None:
    there = checked_roots({"nas": "/Volumes/nas"})
    stored = HERE.stored(f"/mnt/nas/{name}")
    assert stored == b"nas:/" + os.fsencode(name)
    assert HERE.shown(stored) == f"/mnt/nas/{name}"
    assert there.shown(stored) == f"/Volumes/nas/{name}"
    assert there.stored(there.shown(stored)) == stored


@pytest.mark.parametrize("path", ["/mnt/nas0/a.mp4", "/mnt/nas.mp4", "/mnt/nas", "/mnt/nas/../a.mp4", "/nas:/a"])
def test_other_paths_are_stored_as_they_are(path: str) -> None:
    for roots in (HERE, NO_ROOTS):
        assert roots.stored(path) == os.fsencode(path)
        assert roots.shown(os.fsencode(path)) == path
        assert not roots.is_below(path)


def test_of_nested_roots_the_innermost_counts() -> None:
    assert HERE.stored("/mnt/nas/archive/a.mp4") == b"old:/a.mp4"
    assert HERE.stored("/mnt/nas/archive.mp4") == b"nas:/archive.mp4"
    assert HERE.as_stored_now(b"nas:/archive/a.mp4") == b"old:/a.mp4"  # of a machine that knows the outer one alone
    assert HERE.as_stored_now(b"/mnt/nas/archive/a.mp4") == b"old:/a.mp4"


@pytest.mark.parametrize("name", NAMES)
def test_a_root_that_is_not_set_has_absolute_paths_that_name_it_and_do_not_exist(name: str) -> None:
    stored = b"tape:/" + os.fsencode(name)
    for roots in (HERE, NO_ROOTS):
        shown = roots.shown(stored)
        assert shown == os.path.normpath(shown)
        assert os.path.isabs(shown)
        assert not os.path.lexists(os.path.dirname(shown))
        assert unset_root(shown) == "tape" == roots.root_of(shown)
        assert roots.is_below(shown)
        assert roots.stored(shown) == stored
        assert roots.stored(os.path.abspath(shown)) == stored


@pytest.mark.parametrize(
    "stored",
    [
        b"nas:/../a.mp4",
        b"nas:/a/../../../etc/passwd",
        b"nas:/..",
        b"nas:/",
        b"nas://etc/passwd",
        b"nas:/a\0b",
        b"tape:/x/..",
    ],
)
def test_a_stored_path_that_leaves_its_root_names_nothing(stored: bytes) -> None:
    for roots in (HERE, NO_ROOTS):
        shown = roots.shown(stored)
        assert shown == os.path.normpath(shown)
        assert shown.startswith("/.prismsearch-root/%/")
        assert not os.path.lexists(shown)
        assert roots.stored(shown) == stored
        assert roots.ranges(shown) == [(stored, stored + b"\0")]


@pytest.mark.parametrize("stored", [b"c:/films/a.mp4", b"C:\\films\\a.mp4", b"Nas:/a", b"nas:a", b"n\xc3\xa4s:/a"])
def test_a_drive_is_no_root(stored: bytes) -> None:
    assert HERE.shown(stored) == os.fsdecode(stored)
    assert HERE.stored(os.fsdecode(stored)) == stored


def below(roots: MediaRoots, folder: str, stored: bytes) -> bool:
    return any(begin <= stored < end for begin, end in roots.ranges(folder))


@pytest.mark.parametrize(
    "folder",
    ["/", "/mnt", "/mnt/", "/mnt/nas", "/mnt/nas/", "/mnt/nas/films", "/mnt/nas/archive", "/mnt/na", "/mnt/nas0",
     "/media", "/mnt/nas/films/a.mp4", "/.prismsearch-root/tape", "/.prismsearch-root/tape/f"],
)  # fmt: skip
def test_the_ranges_of_a_folder_have_what_is_shown_below_it(folder: str) -> None:
    rows = [
        *(
            b"nas:/films/a.mp4",
            b"nas:/films/a.mp4x",
            b"nas:/films/b/c.mp4",
            b"nas:/filmsx.mp4",
            b"nas:/z",
            b"old:/films/a.mp4",
        ),
        *(b"usb:/films/a.mp4", b"tape:/films/a.mp4", b"tape:/f", b"nas-two:/films/a.mp4", b"nas0:/a"),
        *(
            b"/mnt/a.mp4",
            b"/mnt/nas0/a.mp4",
            b"/mnt/nas/films/a.mp4",
            b"/media.mp4",
            b"/mnt/nas",
            b"nas:/archive/a.mp4",
        ),
    ]
    bare = folder.rstrip("/")
    for stored in rows:
        shown = HERE.shown(stored)
        assert below(HERE, folder, stored) == (shown == bare or shown.startswith(bare + "/")), stored


def test_without_roots_a_folder_has_the_ranges_that_it_always_had() -> None:
    assert NO_ROOTS.ranges("/a/b") == [(b"/a/b", b"/a/b\0"), (b"/a/b/", b"/a/b0")]


def test_people_write_names_of_roots_and_get_paths_of_this_machine() -> None:
    for text, path in (
        ("nas:/films/", "/mnt/nas/films"), ("nas:/", "/mnt/nas"), ("nas://db/films", "nas://db/films"),
        ("c:/films", "c:/films"), ("tape:/a", "/.prismsearch-root/tape/a"), ("tape:/", "/.prismsearch-root/tape"),
    ):  # fmt: skip
        assert HERE.path_of(text) == path
    assert not os.path.lexists(HERE.path_of("nas:/films/../../../etc"))
    for path, text in (
        ("/mnt/nas/films", "nas:/films"), ("/mnt/nas", "nas:/"), ("/mnt/nas/", "nas:/"), ("/mnt", "/mnt"), ("a", "a"),
        ("/mnt/nas/archive", "old:/"), ("/.prismsearch-root/tape", "tape:/"), ("/.prismsearch-root/tape/a", "tape:/a"),
    ):  # fmt: skip
        assert HERE.named(path) == text


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ({"n": "/mnt/nas"}, "two or more"),  # a drive of Windows
        ({"Nas": "/mnt/nas"}, "two or more"),
        ({"1nas": "/mnt/nas"}, "two or more"),
        ({"na s": "/mnt/nas"}, "two or more"),
        ({"nas": "mnt/nas"}, "absolute"),
        ({"nas": "/mnt/../nas"}, "'..'"),
        ({"nas": ""}, "absolute"),
        ({"nas": "/mnt/n\0as"}, "absolute"),
        ({"nas": "/"}, "whole file system"),
        ({"nas": "//"}, "whole file system"),
        ({"nas": "/.prismsearch-root"}, "not set"),
        ({"nas": "/.prismsearch-root/tape"}, "not set"),
        ({"nas": "/mnt/nas", "old": "/mnt/nas/"}, "the same folder"),
    ],
)
def test_roots_that_cannot_be_used_are_refused(folders: Mapping[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked_roots(folders)


def test_roots_come_from_the_settings_file_or_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('library = "x"\n[roots]\nnas = "/mnt/nas/"\nold-tapes_2 = "~/old"\n')
    environment = {SETTINGS_VARIABLE: str(file)}
    found = settings_from(environment).roots
    assert found.folders == (("nas", "/mnt/nas"), ("old-tapes_2", os.path.expanduser("~/old")))
    named = settings_from(environment | {ROOTS_VARIABLE: "usb=/media/usb:nas=//mnt/other"}).roots
    assert named.folders == (("nas", "/mnt/other"), ("usb", "/media/usb"))
    assert settings_from(environment | {ROOTS_VARIABLE: ""}).roots == found
    assert settings_from({SETTINGS_VARIABLE: os.devnull}).roots == NO_ROOTS


@pytest.mark.parametrize("text", ['roots = "x"', "[roots]\nnas = 1", '[roots]\nn = "/mnt"', '[roots]\nnas = "mnt"'])
def test_wrong_roots_in_the_settings_file_are_one_line_with_the_file(text: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(WrongSetting) as caught:
        settings_from({SETTINGS_VARIABLE: str(file)})
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["nas", "nas=mnt", "nas=/a:nas=/b", "nas=/a:old=/a", "n=/a"])
def test_wrong_roots_in_the_variable_are_refused(text: str) -> None:
    with pytest.raises(WrongSetting, match=ROOTS_VARIABLE):
        settings_from({SETTINGS_VARIABLE: os.devnull, ROOTS_VARIABLE: text})
