"""Files dropped to search with: kept by content, shown, bounded; whatever goes wrong leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from live_server import answer_of, live, request_bytes
from page_library import ORIGIN, client_of
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from synthetic import make_audio, make_video

from app.web.api.examples import example_routes, file_name
from app.web.http.errors import ApiError
from app.web.http.requests import body_parts
from app.web.http.security import SecurityMiddleware
from app.web.services.examples import Examples, find_example
from db.library import Library

SMALL = 200_000


@pytest.fixture
def examples(tmp_path: Path) -> Examples:
    return Examples(tmp_path)


def app_of(examples: Examples) -> Starlette:
    return Starlette(routes=example_routes(examples, max_bytes=SMALL), middleware=[Middleware(SecurityMiddleware)])


@pytest.fixture
def client(examples: Examples) -> TestClient:
    return TestClient(app_of(examples), base_url=ORIGIN, headers={"X-Prismsearch": "1"}, raise_server_exceptions=False)


def picture(size: tuple[int, int] = (80, 60), kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **options)
    return out.getvalue()


def drop(client: TestClient, content: bytes, name: str = "a.png") -> Any:
    return client.post("/api/examples", content=content, headers={"X-File-Name": name})


def left(examples: Examples) -> list[str]:
    return sorted(path.name for path in examples.directory.iterdir()) if examples.directory.exists() else []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_is_kept_and_shown(kind: str, client: TestClient, examples: Examples) -> None:
    content = picture(kind=kind)
    told = drop(client, content, "holiday.of%20mine").json()
    assert (told["kind"], told["name"]) == ("image", "holiday.of mine")
    example = examples.get(told["token"])
    assert example.path.read_bytes() == content
    poster = client.get(f"/api/examples/{told['token']}/poster")
    assert poster.headers["content-type"] == "image/jpeg"
    red, green, _ = Image.open(io.BytesIO(poster.content)).convert("RGB").getpixel((40, 30))  # type: ignore[misc]
    assert red > 150 > green
    assert client.get(f"/api/examples/{told['token']}").json() == told
    assert drop(client, content, "other.name").json()["token"] == told["token"], "the same content, the same example"
    assert len(left(examples)) == 3


def test_a_video_is_kept_and_shown_upright(client: TestClient, examples: Examples, tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", [("halves", 10)], size=(96, 64), rotation=90)
    told = drop(client, video.read_bytes(), "V.MP4").json()
    assert told["kind"] == "video"
    example = examples.get(told["token"])
    assert example.path.suffix == ".mp4"
    with Image.open(example.poster) as poster:
        assert poster.size == (64, 96)


def test_large_pictures_get_small_posters_turned_as_the_camera_says(client: TestClient, examples: Examples) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    told = drop(client, picture((1200, 600), "JPEG", exif=exif)).json()
    with Image.open(examples.get(told["token"]).poster) as poster:
        assert poster.size == (320, 640)


def test_what_is_neither_is_refused_and_leaves_nothing(client: TestClient, examples: Examples, tmp_path: Path) -> None:
    sound = make_audio(tmp_path / "a.m4a", 1.0).read_bytes()
    for content, word in (
        (b"<script>alert(1)</script>", "neither"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "neither"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "neither"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "neither"),
        (picture()[:60], "damaged"),
        (sound, "sound"),
        (b"", "empty"),
    ):
        answer = drop(client, content, "x.mp4")
        assert answer.status_code in (400, 422), content[:20]
        assert word in answer.json()["error"]
        assert left(examples) == []


def test_a_picture_of_too_many_pixels_is_not_decoded(client: TestClient, examples: Examples) -> None:
    header = bytearray(picture((64, 64)))
    header[16:24] = (60_000).to_bytes(4, "big") * 2  # a PNG of 10 GB, in a few bytes
    import zlib

    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4, "big")
    answer = drop(client, bytes(header))
    assert (answer.status_code, "too many pixels" in answer.json()["error"]) == (422, True)
    assert left(examples) == []


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C%3A%5CVideos%5Cfilm.mp4", "film.mp4"),
        ("%3Cscript%3Ealert(1)%3C%2Fscript%3E.mp4", "script>.mp4"),
        ("%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.png", "<img src=x onerror=alert(1)>.png"),
        ("a%0Ab%00c%1B%5B31m.mp4", "a b c [31m.mp4"),
        ("%E2%80%AEgpj.exe", "gpj.exe"),
        ("%FF%FE", "\ufffd\ufffd"),
        ("x" * 5000, "x" * 255),
        ("", "example"),
        ("%2F", "example"),
    ],
)
def test_names_are_text_of_one_line(header: str, name: str) -> None:
    assert file_name(header) == name


def test_the_name_never_becomes_a_path(client: TestClient, examples: Examples) -> None:
    for name in ("..%2F..%2Fevil.png", "%2Fetc%2Fevil", "a.json", "evil.sh", "b.JPG%00.php"):
        told = drop(client, picture((10, 10 + len(name))), name).json()
        assert examples.get(told["token"]).path.parent == examples.directory
        assert examples.get(told["token"]).path.name == f"{told['token']}.png"


@pytest.mark.parametrize("token", ["..", "0" * 31, "0" * 32, "G" * 32, "../" * 10, "0" * 32 + ".json", ""])
def test_unknown_tokens(token: str, examples: Examples, client: TestClient) -> None:
    with pytest.raises(KeyError):
        examples.get(token)
    assert find_example(examples.directory.parent, token) is None
    assert client.get(f"/api/examples/{token or 'x'}/poster").status_code in (404, 405)


def test_links_in_the_folder_lead_nowhere(client: TestClient, examples: Examples, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_text("a secret")
    token = drop(client, picture()).json()["token"]
    example = examples.get(token)
    example.poster.unlink()
    example.poster.symlink_to(secret)
    assert client.get(f"/api/examples/{token}/poster").status_code == 404
    example.path.unlink()
    example.path.symlink_to(secret)
    with pytest.raises(KeyError):
        examples.get(token)
    forged = "f" * 32
    (examples.directory / f"{forged}.json").write_text(
        json.dumps({"name": "x", "kind": "image", "extension": "../../secret"})
    )
    with pytest.raises(KeyError):
        examples.get(forged)


def test_too_large_by_its_own_word_is_refused_before_it_is_read(client: TestClient, examples: Examples) -> None:
    answer = client.post("/api/examples", content=b"x", headers={"Content-Length": str(5 << 30)})
    assert answer.status_code == 413
    assert "larger" in answer.json()["error"]
    assert left(examples) == []


def test_five_gigabytes_over_a_real_socket(examples: Examples) -> None:
    """Refused at the head of the request; no byte of it is waited for."""
    with live(app_of(examples)) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request_bytes(port, "POST", "/api/examples", {"Content-Length": str(5 << 30)}))
        status, body = answer_of(connection)
    assert (status, "larger" in json.loads(body)["error"]) == (413, True)
    assert left(examples) == []


def test_a_length_that_is_not_told_is_cut_off_while_it_streams(examples: Examples) -> None:
    with live(app_of(examples)) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request_bytes(port, "POST", "/api/examples", {"Transfer-Encoding": "chunked"}))
        sent = 0
        try:
            while sent < 200 * SMALL:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536
        except OSError:  # the other side has had enough
            pass
        try:
            status = answer_of(connection)[0]
        except OSError:
            status = 413  # its answer was lost with the connection, as it may be
    assert status == 413
    assert sent < 200 * SMALL, "must not be read to its end"
    assert left(examples) == []


def test_an_upload_that_breaks_off_leaves_nothing(examples: Examples) -> None:
    with live(app_of(examples)) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request_bytes(port, "POST", "/api/examples", {"Content-Length": "100000"}) + b"x" * 500)
            while not left(examples):  # until it has begun
                pass
        with socket.create_connection(("127.0.0.1", port)) as connection:  # and the server goes on
            content = picture()
            head = request_bytes(port, "POST", "/api/examples", {"Content-Length": str(len(content))})
            connection.sendall(head + content)
            assert answer_of(connection)[0] == 200
        for _ in range(10_000):
            if not any(name.startswith(".partial") for name in left(examples)):
                break
    assert len(left(examples)) == 3


def test_uploads_that_stop_arriving_are_given_up_and_make_room_for_others(examples: Examples) -> None:
    routes = example_routes(examples, max_bytes=SMALL, stalled_seconds=0.2)
    content = picture()
    with live(Starlette(routes=routes)) as port, ExitStack() as open_until_the_end:
        stalled = [open_until_the_end.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(2)]
        for connection in stalled:
            head = {"X-File-Name": "a.png", "Content-Length": str(len(content))}
            connection.sendall(request_bytes(port, "POST", "/api/examples", head) + content[:10])
        for connection in stalled:
            status, body = answer_of(connection)
            assert (status, "upload stalled" in json.loads(body)["error"]) == (408, True)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request_bytes(port, "POST", "/api/examples", head) + content)
            assert answer_of(connection)[0] == 200
    assert len(left(examples)) == 3, "the file that came whole, and nothing of the others"


def test_an_upload_that_drips_is_given_up_as_well() -> None:
    """Each byte comes in time, but all of them together would take for ever."""

    async def drip() -> int:
        sent = 0

        async def stream() -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                await anyio.sleep(0.02)
                sent += 1
                yield b"x"

        with pytest.raises(ApiError, match="upload stalled"):
            async for _ in body_parts(SimpleNamespace(stream=stream), stalled_seconds=0.1):  # type: ignore[arg-type]
                pass
        return sent

    assert 1 <= anyio.run(drip) <= 5


def test_no_room_on_the_disk_is_507(client: TestClient, examples: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    answer = drop(client, picture())
    assert (answer.status_code, "no space" in answer.json()["error"]) == (507, True)
    monkeypatch.undo()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.web.services.examples.ExampleUpload.write", full)
    answer = drop(client, picture())
    assert (answer.status_code, "full" in answer.json()["error"]) == (507, True)
    assert left(examples) == []


def test_those_used_longest_ago_go_first(tmp_path: Path) -> None:
    examples = Examples(tmp_path, max_kept_bytes=11_000)
    client = TestClient(app_of(examples), base_url=ORIGIN, headers={"X-Prismsearch": "1"})
    tokens = []
    for number in range(3):
        tokens.append(drop(client, picture((30, 30)) + b"\0" * 2500 + bytes([number])).json()["token"])
        for path in examples.directory.glob(f"{tokens[-1]}.*"):
            os.utime(path, (number + 1, number + 1))
    examples.get(tokens[0])  # used now
    drop(client, picture((31, 31)) + b"\0" * 2500)
    kept = {name.partition(".")[0] for name in left(examples)}
    assert tokens[0] in kept
    assert tokens[1] not in kept


def test_remains_of_a_killed_server_are_swept(client: TestClient, examples: Examples) -> None:
    examples.directory.mkdir(parents=True)
    old = examples.directory / ".partial-old"
    old.write_bytes(b"half")
    os.utime(old, (1, 1))
    assert drop(client, picture()).status_code == 200
    assert not old.exists()


def test_the_app_has_these_routes(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        client = client_of(library)
        token = drop(client, picture()).json()["token"]
        assert (library.directory / "examples" / f"{token}.png").is_file()
        assert client.get("/api/poster/1").status_code == 404, "an empty library is a library"
        assert client.post("/api/examples", content=b"x", headers={"X-Prismsearch": "no"}).status_code == 403
