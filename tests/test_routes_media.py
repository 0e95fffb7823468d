"""Posters, previews and videos over HTTP: by id only, in ranges, only what was indexed, and a sentence for the rest."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import psutil
import pytest
from live_server import answer_of, live, request_bytes
from page_library import client_of, segment_ids, small_library
from starlette.applications import Starlette
from starlette.testclient import TestClient
from synthetic import make_video

from app.web.http.file_response import file_response
from app.web.http.routes import route
from app.web.services.segment_cache import MAX_STALE_SECONDS, SegmentCache
from db.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return small_library(tmp_path)


@pytest.fixture
def client(library: Library) -> TestClient:
    return client_of(library)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """One library for many tests that change nothing."""
    return small_library(tmp_path_factory.mktemp("steady"))


def first_video(library: Library) -> Path:
    return Path(library.videos()[0].path)


def test_media_go_out_in_ranges_and_by_id_only(library: Library, client: TestClient) -> None:
    (identity, (segment, video)), *_ = library.segments(range(1, 100)).items()
    whole = Path(video.path).read_bytes()
    part = client.get(f"/api/video/{identity}", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert client.get(f"/api/poster/{identity}").content[:2] == b"\xff\xd8"
    assert client.get(f"/api/preview/{identity}").content == library.preview_path(video, segment.number).read_bytes()
    assert client.get("/api/poster/999999").status_code == 404
    for crooked in (
        "/api/video/..%2f..%2fetc%2fpasswd",
        "/api/video/-1",
        "/api/poster/1.5",
        f"/api/video/{'9' * 5000}",
    ):
        assert client.get(crooked).status_code == 404
    Path(video.path).unlink()
    gone = client.get(f"/api/video/{identity}")
    assert gone.status_code == 404
    assert "drive" in gone.json()["error"]
    assert client.get(f"/api/poster/{identity}").status_code == 200, "posters stay when the drive is gone"


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=5-5", 206, slice(5, 6)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=3-99999999999", 206, slice(3, None)),
        ("bytes=99999999999-", 416, None),
        ("bytes=9-3", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("bytes=0-1,5-6", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=" + "1" * 4000 + "-", 200, slice(None)),
    ],
)
def test_ranges(steady: Library, header: str, status: int, part: slice | None) -> None:
    whole = first_video(steady).read_bytes()
    answer = client_of(steady).get(f"/api/video/{segment_ids(steady)[0]}", headers={"Range": header})
    assert answer.status_code == status
    if part is not None:
        assert answer.content == whole[part]
        assert answer.headers["content-length"] == str(len(whole[part]))


def test_a_large_file_comes_whole_and_in_parts(tmp_path: Path) -> None:
    library = small_library(
        tmp_path, {"noise.mp4": {"shots": [("noise", 40)], "size": (320, 240), "options": {"crf": "8"}}}
    )
    client, (identity, *_) = client_of(library), segment_ids(library)
    whole = first_video(library).read_bytes()
    assert len(whole) > 1 << 20, "must be sent in several pieces"
    everything = client.get(f"/api/video/{identity}")
    assert everything.content == whole
    assert everything.headers["content-type"] == "video/mp4"
    assert (
        client.get(f"/api/video/{identity}", headers={"Range": "bytes=100000-900000"}).content == whole[100000:900001]
    )
    head = client.head(f"/api/video/{identity}")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(whole)))


def test_a_file_is_closed_when_it_was_sent_and_when_the_browser_goes(tmp_path: Path) -> None:
    """On a real socket: a test client takes everything, whatever its reader does."""
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(64 << 20))
    app = Starlette(
        routes=[route("/api/large", lambda request: file_response(request, large, media_type="video/mp4"))],
    )

    def is_open() -> bool:
        return str(large) in [each.path for each in psutil.Process().open_files()]

    def closed_soon() -> bool:
        end = time.monotonic() + 30
        while is_open() and time.monotonic() < end:
            time.sleep(0.01)
        return not is_open()

    with live(app) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request_bytes(port, "GET", "/api/large", {}))
            assert connection.recv(1024).startswith(b"HTTP/1.1 200")
            assert is_open()
        assert closed_soon(), "the browser has gone"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request_bytes(port, "GET", "/api/large", {"Range": "bytes=1-3000000"}))
            status, body = answer_of(connection)
        assert (status, len(body)) == (206, 3_000_000)
        assert closed_soon(), "all of it was sent"


def test_a_file_that_shrinks_while_it_is_sent_ends_the_connection_and_one_that_grows_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "changing.bin"
    size = 32 << 20
    app = Starlette(routes=[route("/api/it", lambda request: file_response(request, path, media_type="video/mp4"))])

    def received_while_it_becomes(new_size: int, connection: socket.socket) -> int:
        path.write_bytes(bytes(size))
        connection.settimeout(20)
        connection.sendall(request_bytes(port, "GET", "/api/it", {}))
        received = len(connection.recv(1024).partition(b"\r\n\r\n")[2])
        os.truncate(path, new_size)
        while received < size and (part := connection.recv(1 << 20)):
            received += len(part)
        return received

    with live(app) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            assert received_while_it_becomes(2 * size, connection) == size
            path.write_bytes(b"next")
            connection.sendall(request_bytes(port, "GET", "/api/it", {}))
            assert answer_of(connection) == (200, b"next"), "the connection goes on"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            assert received_while_it_becomes(size // 8, connection) < size


def test_what_the_browser_has_is_not_sent_again(library: Library, client: TestClient) -> None:
    address = f"/api/poster/{segment_ids(library)[0]}"
    first = client.get(address)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache", "another library may be at this address tomorrow"
    again = client.get(address, headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    video = f"/api/video/{segment_ids(library)[0]}"
    stale = client.get(video, headers={"Range": "bytes=0-3", "If-Range": '"of another day"'})
    assert stale.status_code == 200, "half of one file and half of another must not be put together"


def test_a_link_in_the_media_folder_leads_nowhere(library: Library, client: TestClient, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    (identity, (segment, video)), *_ = library.segments(range(1, 100)).items()
    poster = library.poster_path(video, segment.number)
    poster.unlink()
    poster.symlink_to(secret)
    assert client.get(f"/api/poster/{identity}").status_code == 404
    poster.unlink()
    folder = poster.parent
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert client.get(f"/api/preview/{identity}").status_code == 404, "a folder that is a link leads outside too"


def test_another_file_at_the_path_of_a_video_is_not_sent(library: Library, client: TestClient, tmp_path: Path) -> None:
    path, identity = first_video(library), segment_ids(library)[0]
    content, info = path.read_bytes(), path.stat()
    path.write_bytes(b"x" * len(content))  # as long, and something else
    changed = client.get(f"/api/video/{identity}")
    assert changed.status_code == 409
    assert "index" in changed.json()["error"]
    path.write_bytes(content)  # the same content, copied: only the time differs
    os.utime(path, ns=(1, info.st_mtime_ns + 5_000_000_000))
    assert client.get(f"/api/video/{identity}").content == content
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert client.get(f"/api/video/{identity}").status_code == 409
    path.unlink()
    path.mkdir()
    assert client.get(f"/api/video/{identity}").status_code == 404
    path.rmdir()
    os.mkfifo(path)
    assert client.get(f"/api/video/{identity}").status_code == 404, "must not wait for somebody to write"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_403(library: Library, client: TestClient) -> None:
    first_video(library).chmod(0)
    answer = client.get(f"/api/video/{segment_ids(library)[0]}")
    assert answer.status_code == 403
    assert "permissions" in answer.json()["error"]


def test_a_file_that_the_system_refuses_is_403(
    library: Library, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = str(first_video(library)), os.open

    def refuse(name: str, *arguments: int) -> int:
        if name == path:
            raise PermissionError(13, "Permission denied", path)
        return real(name, *arguments)

    monkeypatch.setattr(os, "open", refuse)
    answer = client.get(f"/api/video/{segment_ids(library)[0]}")
    assert (answer.status_code, "permissions" in answer.json()["error"]) == (403, True)


def test_a_video_indexed_again_shows_its_new_poster(library: Library, tmp_path: Path) -> None:
    """Places are remembered, but never beyond a change of the library, whoever makes it."""
    asked: list[int] = []
    real, (identity, *_) = library.segments, segment_ids(library)

    def counted(ids: list[int]) -> object:
        asked.extend(ids)
        return real(ids)

    library.segments = counted  # type: ignore[method-assign]
    now = [0.0]
    segments = SegmentCache(library, clock=lambda: now[0])
    before = segments.get(identity)
    now[0] += 1
    assert segments.get(identity) is before
    assert asked == [identity], "asked once for both"
    with Library.open(library.directory) as other:
        moved = tmp_path / "videos" / "renamed.mp4"
        first_video(library).rename(moved)
        other.touch_video(before.video.id or 0, path=str(moved), size_bytes=1, modified_ns=1)
    assert segments.get(identity) is before, "a burst of requests asks once whether the library has changed"
    assert segments.get(identity, fresh=True).video.path == str(moved)
    now[0] += MAX_STALE_SECONDS
    assert segments.get(identity).video.path == str(moved)


def test_a_segment_looked_up_just_before_a_write_is_looked_up_again(library: Library) -> None:
    real, (identity, *_) = library.segments, segment_ids(library)

    def overtaken(ids: list[int]) -> object:
        found = real(ids)
        with Library.open(library.directory) as other:
            other.touch_video(found[identity][1].id or 0, path="/moved.mp4", size_bytes=1, modified_ns=1)
        return found

    now = [0.0]
    segments = SegmentCache(library, clock=lambda: now[0])
    library.segments = overtaken  # type: ignore[method-assign]
    assert segments.get(identity).video.path != "/moved.mp4"
    library.segments = real  # type: ignore[method-assign]
    now[0] += MAX_STALE_SECONDS
    assert segments.get(identity).video.path == "/moved.mp4"


def test_names_that_are_not_utf8_and_markup_in_names(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    plain = make_video(tmp_path / "plain.mp4", [("red", 10)])
    names = [
        b"<script>alert(1)</script>.mp4".replace(b"/", b"_"),
        b'caf\xe9 "quoted"\nnew line.mp4',
        b"@import 'x';.mp4",
    ]
    for number, name in enumerate(names):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(plain.read_bytes() + bytes([number]))
    library = Library.open(tmp_path / "library")
    from page_library import index

    index(library, folder, 3)
    client = client_of(library)
    seen = set()
    for identity in segment_ids(library):
        facts = client.get(f"/api/segment/{identity}")
        assert facts.headers["content-type"] == "application/json"
        assert facts.headers["x-content-type-options"] == "nosniff"
        facts.content.decode("ascii")
        seen.add(os.fsencode(facts.json()["name"]))
        assert client.get(f"/api/video/{identity}").status_code == 200
    assert seen == set(names)
