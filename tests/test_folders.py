"""Choosing of folders: listing, places, dropped folders, drives that do not respond, and the routes of these."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_library import client_of
from starlette.testclient import TestClient

from app.jobs.state import STATE_FILE, JobState, write_state
from app.web.services import drive_calls, folder_listing, folder_places
from app.web.services.drive_calls import DriveCalls, NoAnswer, drive_of
from app.web.services.folder_find import DroppedFile, find_folders
from app.web.services.folder_listing import list_folder
from app.web.services.folder_places import drives, home_folders
from db.library import Library
from files.filesystems import Mount


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    for name in ("Videos/Holiday", "Videos/b", "Videos/.hidden", "Videos/lost+found", "Desktop"):
        (folder / name).mkdir(parents=True)
    for name, size in (("a.mp4", 1000), ("B.MOV", 500), ("notes.txt", 7), (".c.mp4", 9)):
        (folder / "Videos" / "Holiday" / name).write_bytes(b"x" * size)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    return folder


@pytest.fixture
def client(home: Path, tmp_path: Path) -> Iterator[TestClient]:
    with Library.open(tmp_path / "library") as library:
        yield client_of(library)


# Listing


def test_folders_are_listed_with_their_videos_and_hidden_ones_are_left_out(home: Path) -> None:
    listing = list_folder(str(home / "Videos"))
    assert [(each.name, each.videos) for each in listing.folders] == [("b", 0), ("Holiday", 2)]
    assert (listing.hidden, listing.complete) == (1, True)
    everything = list_folder(str(home / "Videos"), hidden=True)
    assert [each.name for each in everything.folders] == [".hidden", "b", "Holiday"]
    assert everything.hidden == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_to_folders_are_listed_and_a_loop_is_no_trouble(home: Path) -> None:
    (home / "Videos" / "loop").symlink_to(home)
    (home / "Videos" / "gone").symlink_to(home / "nothing")
    (home / "Videos" / "file").symlink_to(home / "Videos" / "Holiday" / "a.mp4")
    assert [each.name for each in list_folder(str(home / "Videos")).folders] == ["b", "Holiday", "loop"]


def test_a_long_list_is_cut_and_says_so(home: Path) -> None:
    for number in range(30):
        (home / f"{number:02}").mkdir()
    listing = list_folder(str(home), max_folders=10)
    assert (len(listing.folders), listing.complete) == (10, False)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_link_to_a_dead_drive_delays_no_list(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "nas").symlink_to(home / "Desktop")
    ended = threading.Event()
    real = os.path.isdir
    monkeypatch.setattr(
        folder_listing.os.path, "isdir", lambda path: ended.wait(60) if path.endswith("nas") else real(path)
    )
    monkeypatch.setattr(folder_listing, "LINK_SECONDS", 0.05)
    try:
        assert [each.name for each in list_folder(str(home)).folders] == ["Desktop", "Videos"]
    finally:
        ended.set()


def test_videos_are_counted_while_there_is_time(home: Path) -> None:
    assert {each.videos for each in list_folder(str(home), count_seconds=-1).folders} == {None}


# Drives


def test_a_drive_that_does_not_respond_is_given_up_and_then_refused_at_once(tmp_path: Path) -> None:
    calls, ended = DriveCalls(), threading.Event()
    dead = str(tmp_path)
    for _ in range(2):
        with pytest.raises(NoAnswer):
            calls(dead, lambda: ended.wait(60), seconds=0.02)
    before = threading.active_count()
    with pytest.raises(NoAnswer):
        calls(dead, lambda: "never called", seconds=60)
    assert threading.active_count() == before, "a dead drive holds few threads"
    ended.set()
    deadline = time.monotonic() + 30
    while True:  # it works again: so do calls
        try:
            assert calls(dead, lambda: 3) == 3
            break
        except NoAnswer:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_an_error_of_a_call_is_that_of_the_call() -> None:
    with pytest.raises(PermissionError):
        DriveCalls()("/", lambda: os.fspath(_refuse()))


def _refuse() -> str:
    raise PermissionError(13, "Permission denied")


@pytest.mark.skipif(sys.platform == "win32", reason="drives have letters there")
def test_the_drive_of_a_path_is_told_by_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [Mount("/", "ext4", "a"), Mount("/mnt/nas", "nfs4", "b"), Mount("/mnt/nas/deep", "nfs4", "c")]
    monkeypatch.setattr(drive_calls, "mounts", lambda: points)
    assert [drive_of(path) for path in ("/home/me", "/mnt/nas/x", "/mnt/nas/deep", "/mnt/nasty", "x")] == [
        "/", "/mnt/nas", "/mnt/nas/deep", "/", "/",
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="drives have letters there")
def test_drives_are_what_is_mounted_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        Mount("/", "ext4", ""), Mount("/proc", "proc", ""), Mount("/run/media/me/CARD", "exfat", ""),
        Mount("/films", "nfs4", ""), Mount("/boot", "vfat", ""),
    ]  # fmt: skip
    monkeypatch.setattr(folder_places, "mounts", lambda: points)
    assert [place.name for place in drives()] == ["CARD", "films", "Computer"]


def test_places_are_those_that_are_there(home: Path) -> None:
    assert [place.name for place in home_folders()] == ["Home", "Videos", "Desktop"]


# Dropped folders


def test_a_dropped_folder_is_found_by_its_name_and_files(home: Path) -> None:
    files = [DroppedFile(("a.mp4",), 1000), DroppedFile(("B.MOV",), 500)]
    assert find_folders("Holiday", files, [str(home)]) == [str(home / "Videos" / "Holiday")]
    assert find_folders("Holiday", files, [str(home / "Videos" / "Holiday")]) == [str(home / "Videos" / "Holiday")]
    assert find_folders("Holiday", [DroppedFile(("a.mp4",), 999)], [str(home)]) == [], "of another size"
    assert find_folders("Videos", [DroppedFile(("Holiday", "a.mp4"), 1000)], [str(home)]) == [str(home / "Videos")]
    assert find_folders("Holiday", [], [str(home)]) == [], "a name alone is too little"
    copy = home / "Desktop" / "old" / "Holiday"
    copy.mkdir(parents=True)
    (copy / "a.mp4").write_bytes(b"x" * 1000)
    found = find_folders("Holiday", files[:1], [str(home)])
    assert found == [str(home / "Videos" / "Holiday"), str(copy)]


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "../Videos", "a/b"])
def test_the_name_of_a_dropped_folder_leads_nowhere_else(home: Path, name: str) -> None:
    assert find_folders(name, [DroppedFile(("a.mp4",), 1000)], [str(home / "Videos" / "Holiday")]) == []
    assert find_folders("Holiday", [DroppedFile((name, "a.mp4"), 1000)], [str(home)]) == []


def test_a_place_that_does_not_respond_delays_no_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, real = threading.Event(), os.scandir

    def scandir(path: str) -> object:
        if path == "/dead":
            ended.wait(60)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    try:
        files = [DroppedFile(("a.mp4",), 1000)]
        assert find_folders("Holiday", files, ["/dead", str(home)], max_seconds=1.0)
    finally:
        ended.set()


# Routes


def test_a_typed_path_is_checked(client: TestClient, home: Path) -> None:
    answer = client.post("/api/folders/check", json={"path": "~/Videos"}).json()
    assert answer == {
        "path": str(home / "Videos"), "shown": str(home / "Videos"), "level": "good",
        "sentence": "2 video files, 1.50 kB.", "videos": 2, "suggestions": [],
    }  # fmt: skip
    wrong = client.post("/api/folders/check", json={"path": str(home / "Vidoes")}).json()
    assert wrong["level"] == "bad"
    assert wrong["suggestions"] == [{"path": str(home / "Videos"), "shown": str(home / "Videos")}]
    assert client.post("/api/folders/check", json={"path": "/" + "x" * 50_000}).status_code == 400


def test_a_folder_is_listed_with_the_way_to_it(client: TestClient, home: Path) -> None:
    answer = client.post("/api/folders/list", json={"path": str(home / "Videos")}).json()
    assert answer["folders"] == [["b", "b", 0], ["Holiday", "Holiday", 2]]
    assert answer["base"] == str(home / "Videos") + os.sep
    assert [each["name"] for each in answer["crumbs"]][-2:] == ["home", "Videos"]
    assert answer["crumbs"][0]["path"] == os.path.splitdrive(home)[0] + os.sep


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_any_name_can_be_listed_and_entered(client: TestClient, home: Path) -> None:
    odd = ["not \udcff utf-8", "<b>bold", "two\nlines", "\u202egpj.exe"]
    for name in odd:
        (home / "Desktop" / name / "in").mkdir(parents=True)
    answer = client.post("/api/folders/list", json={"path": str(home / "Desktop")}).json()
    assert sorted(name for name, _, _ in answer["folders"]) == sorted(odd)
    shown = {name: text for name, text, _ in answer["folders"]}
    assert shown["not \udcff utf-8"] == "not \\xff utf-8"
    assert "\n" not in shown["two\nlines"]
    for name in odd:
        inside = client.post(
            "/api/folders/list",
            content=json.dumps({"path": answer["base"] + name}).encode("ascii"),
            headers={"Content-Type": "application/json"},
        ).json()
        assert [each[0] for each in inside["folders"]] == ["in"]


@pytest.mark.parametrize(
    ("path", "status"), [("relative", 400), ("/a\0b", 400), ("/nobody/of/this/name", 404), ("", 400)]
)
def test_what_cannot_be_listed_is_said_in_a_sentence(client: TestClient, path: str, status: int) -> None:
    answer = client.post("/api/folders/list", json={"path": path})
    assert answer.status_code == status
    assert answer.json()["error"].endswith((".", "?"))


def test_a_folder_without_permission_is_said(client: TestClient, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    answer = client.post("/api/folders/list", json={"path": str(home)})
    assert (answer.status_code, "permission to read" in answer.json()["error"]) == (403, True)


def test_the_chooser_begins_where_videos_are(client: TestClient, home: Path) -> None:
    answer = client.post("/api/folders/places", json={}).json()
    assert answer["start"] == str(home / "Videos")
    assert [each["name"] for each in answer["places"][:3]] == ["Home", "Videos", "Desktop"]


def test_a_server_that_a_library_names_is_not_contacted(client: TestClient, home: Path, tmp_path: Path) -> None:
    """Opening the chooser and dropping a folder look at recent folders; a received library could name any."""
    for number, path in enumerate(("//evil/share/films", "\\\\evil\\share\\films")):
        folder = tmp_path / "library" / "runs" / f"20260101-00000{number}-abcdef"
        folder.mkdir(parents=True)
        state = JobState(id=folder.name, kind="index", title="", arguments=("index", "--", path), outcome="done")
        write_state(folder / STATE_FILE, state)
    answer = client.post("/api/folders/places", json={}).json()
    assert answer["start"] == str(home / "Videos")
    assert "films" in [each["name"].rpartition("\\")[2] for each in answer["places"]], "a person may still choose it"


def test_a_dropped_folder_is_found_over_http(client: TestClient, home: Path) -> None:
    body = {"name": "Holiday", "files": [{"path": ["a.mp4"], "size": 1000}]}
    found = client.post("/api/folders/find", json=body).json()["found"]
    assert [each["path"] for each in found] == [str(home / "Videos" / "Holiday")]


@pytest.mark.parametrize("route", ["check", "list", "places", "find"])
def test_pages_of_other_sites_learn_nothing_of_folders(client: TestClient, home: Path, route: str) -> None:
    """Neither by a form, which needs no permission of ours, nor by an address, which could be an image's."""
    body = {"path": str(home), "name": "Videos", "files": []}
    form = client.post(f"/api/folders/{route}", json=body, headers={"X-Prismsearch": ""})
    other = client.post(f"/api/folders/{route}", json=body, headers={"Origin": "http://example.com"})
    assert (form.status_code, other.status_code) == (403, 403)
    assert client.get(f"/api/folders/{route}").status_code in (404, 405)
