"""Collections, subclips and saved searches over HTTP: two tabs, undo, hostile names, a library that is busy or full."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_library import client_of, segment_ids, small_library
from starlette.testclient import TestClient

from db.library import Library

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a \"quoted\" 'name' & more; DROP TABLE subclips; --",
    "{{7*7}} ${7*7} %s",
    "first line\nsecond line",
    "\u202egpj.exe",
    "🎬" * 100,
    '=HYPERLINK("http://evil")',
]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with small_library(tmp_path) as library:
        yield library


@pytest.fixture
def client(library: Library) -> TestClient:
    return client_of(library)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One library for many tests that change nothing."""
    with small_library(tmp_path_factory.mktemp("steady")) as library:
        yield client_of(library)


def tray(client: TestClient) -> int:
    found: int = client.get("/api/collections").json()["tray"]
    return found


def added(client: TestClient, collection: int, *items: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    answer = client.post(f"/api/collections/{collection}/subclips", json={"items": list(items), **more})
    assert answer.status_code == 200, answer.text
    clips: list[dict[str, Any]] = answer.json()["subclips"]
    return clips


def test_an_empty_library_has_a_tray(client: TestClient) -> None:
    told = client.get("/api/collections").json()
    (only,) = told["collections"]
    assert (only["id"], only["name"], only["items"]) == (told["tray"], "Tray", 0)
    assert client.get("/api/collections").json() == told


def test_a_clip_as_the_page_gets_it(client: TestClient, library: Library) -> None:
    first, second = segment_ids(library)
    video = library.videos()[0]
    (clip,) = added(client, tray(client), {"segment": second, "score": 0.5})
    assert clip == {
        "id": clip["id"], "revision": clip["revision"], "collection": tray(client), "segment": second,
        "video": video.id, "name": "",
        "title": "a", "fileName": "a.mp4", "path": video.path, "missing": False, "start": 0.8, "end": 1.6,
        "duration": 0.8, "start_pts": clip["start_pts"], "end_pts": video.end_pts, "video_start_pts": video.start_pts,
        "video_end_pts": video.end_pts, "time_base": [1, video.time_base.denominator], "rate": [25, 1], "timecode": "",
        "in_frame": 20, "out_frame": 40, "note": "", "score": 0.5, "poster": f"/api/poster/{second}",
    }  # fmt: skip
    told = client.get(f"/api/collections/{tray(client)}").json()
    assert told["subclips"] == [clip]
    assert (told["name"], told["items"]) == ("Tray", 1)
    assert first != second
    Path(video.path).unlink()
    (gone,) = client.get(f"/api/collections/{tray(client)}").json()["subclips"]
    assert gone["missing"] is True


def test_what_has_not_changed_is_not_sent_again(client: TestClient, library: Library) -> None:
    address = f"/api/collections/{tray(client)}"
    added(client, tray(client), {"segment": segment_ids(library)[0]})
    tag = client.get(address).headers["etag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    Path(library.videos()[0].path).unlink()  # no change of the collection, and yet another answer
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_order_undo_and_other_collections(client: TestClient, library: Library) -> None:
    one, other = segment_ids(library)
    here = tray(client)
    a, b = (clip["id"] for clip in added(client, here, {"segment": one}, {"segment": other}))
    (c,) = (clip["id"] for clip in added(client, here, {"segment": one, "end_pts": 512}, after=a))

    def order() -> list[int]:
        return [clip["id"] for clip in client.get(f"/api/collections/{here}").json()["subclips"]]

    assert order() == [a, c, b]
    assert added(client, here, {"segment": one})[0]["id"] == a, "the same range is not added twice"
    assert client.post(f"/api/subclips/{b}/move", json={"after": None}).status_code == 200
    assert order() == [b, a, c]
    removed = client.request("DELETE", f"/api/collections/{here}/subclips", json={"ids": [a, b]})
    assert removed.json() == {"removed": 2}
    assert order() == [c]
    assert client.post(f"/api/collections/{here}/put-back", json={"ids": [a, b]}).json() == {"restored": 2}
    assert order() == [b, a, c]
    second = client.post("/api/collections", json={"name": "Second"}).json()
    assert (second["name"], second["items"]) == ("Second", 0)
    assert client.patch(f"/api/collections/{second['id']}", json={"name": "Other"}).json()["name"] == "Other"
    assert client.post("/api/collections", json={"name": "other"}).status_code == 400, "taken, whatever its case"
    assert client.delete(f"/api/collections/{second['id']}").status_code == 200
    assert client.get(f"/api/collections/{second['id']}").status_code == 404
    assert client.post(f"/api/collections/{second['id']}/restore").json()["name"] == "Other"


def test_two_tabs_that_edit_one_clip(client: TestClient, library: Library) -> None:
    (clip,) = added(client, tray(client), {"segment": segment_ids(library)[0]})
    address = f"/api/subclips/{clip['id']}"
    first = client.patch(address, json={"revision": clip["revision"], "note": "from the first tab"})
    assert first.status_code == 200
    late = client.patch(address, json={"revision": clip["revision"], "note": "from the second tab"})
    assert late.status_code == 409
    assert late.json()["current"] == first.json()
    assert late.json()["error"]
    again = client.patch(address, json={"revision": first.json()["revision"], "name": "Take 2", "end_pts": 512})
    assert (again.json()["name"], again.json()["title"], again.json()["out_frame"]) == ("Take 2", "Take 2", 1)
    assert again.json()["note"] == "from the first tab"


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_only_words(words: str, client: TestClient, library: Library) -> None:
    (clip,) = added(client, tray(client), {"segment": segment_ids(library)[0]})
    note = client.patch(f"/api/subclips/{clip['id']}", json={"revision": clip["revision"], "note": words})
    assert note.json()["note"] == words
    name = words.replace("\n", " ")
    made = client.post("/api/collections", json={"name": name})
    assert made.status_code == 200, made.text
    assert made.json()["name"] == name
    saved = client.post("/api/searches", json={"name": name, "link": "q=" + words.replace("\n", " ")})
    assert saved.json()["name"] == name
    for address in ("/api/collections", f"/api/collections/{tray(client)}", "/api/searches"):
        answer = client.get(address)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        answer.content.decode("ascii")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/collections", {"name": ""}, 400),
        ("POST", "/api/collections", {"name": "x" * 201}, 400),
        ("POST", "/api/collections", {"name": None}, 400),
        ("POST", "/api/collections", None, 400),
        ("PATCH", "/api/collections/{tray}", {}, 400),
        ("PATCH", "/api/collections/4711", {"name": "x"}, 404),
        ("DELETE", "/api/collections/4711", None, 404),
        ("POST", "/api/collections/4711/restore", None, 404),
        ("GET", "/api/collections/4711", None, 404),
        ("GET", "/api/collections/x", None, 404),
        ("POST", "/api/collections/4711/subclips", {"items": []}, 404),
        ("POST", "/api/collections/{tray}/subclips", {"items": [{"segment": 4711}]}, 404),
        ("POST", "/api/collections/{tray}/subclips", {"items": [{}]}, 400),
        ("POST", "/api/collections/{tray}/subclips", {"items": ["x"]}, 400),
        ("POST", "/api/collections/{tray}/subclips", {"items": {}}, 400),
        ("POST", "/api/collections/{tray}/subclips", {"items": [{"segment": 1}] * 2001}, 400),
        ("POST", "/api/collections/{tray}/subclips", {"items": [{"segment": 2**62}]}, 404),
        ("POST", "/api/collections/{tray}/subclips", {"items": [{"segment": 1, "start_pts": 9, "end_pts": 3}]}, 400),
        ("POST", "/api/collections/{tray}/subclips", {"items": [{"segment": 1, "start_pts": -(2**62)}]}, 400),
        ("POST", "/api/collections/{tray}/subclips", {"items": [{"segment": 1, "end_pts": 2**62}]}, 400),
        ("POST", "/api/collections/{tray}/subclips", {"items": [{"segment": 1, "end_pts": 512}], "after": 4711}, 404),
        ("DELETE", "/api/collections/4711/subclips", {"ids": [1]}, 404),
        ("DELETE", "/api/collections/{tray}/subclips", {"ids": ["1"]}, 400),
        ("DELETE", "/api/collections/{tray}/subclips", {}, 400),
        ("PATCH", "/api/subclips/4711", {"revision": 1, "name": "x"}, 404),
        ("PATCH", "/api/subclips/{clip}", {"name": "x"}, 400),
        ("PATCH", "/api/subclips/{clip}", {"revision": 1, "note": "x" * 10_001}, 400),
        ("PATCH", "/api/subclips/{clip}", {"revision": 1, "start_pts": 1.5}, 400),
        ("PATCH", "/api/subclips/{clip}", {"revision": 1, "start_pts": None}, 400),
        ("POST", "/api/subclips/{clip}/move", {}, 400),
        ("POST", "/api/subclips/{clip}/move", {"after": 4711}, 404),
        ("POST", "/api/searches", {"name": "x"}, 400),
        ("POST", "/api/searches", {"name": "x", "link": "q" * 8001}, 400),
        ("DELETE", "/api/searches/4711", None, 404),
    ],
)
def test_requests_that_make_no_sense(method: str, path: str, body: Any, status: int, steady: TestClient) -> None:
    client, here = steady, tray(steady)
    (clip,) = added(client, here, {"segment": 1})
    before = client.get(f"/api/collections/{tray(client)}").json()
    sent = {} if body is None else {"json": body}
    address = path.replace("{tray}", str(tray(client))).replace("{clip}", str(clip["id"]))
    answer = client.request(method, address, **sent)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].endswith(".")
    assert client.get(f"/api/collections/{tray(client)}").json() == before, "nothing of it was done"


def test_saved_searches(client: TestClient) -> None:
    assert client.get("/api/searches").json() == {"searches": []}
    kept = client.post("/api/searches", json={"name": "Dogs", "link": "/?q=dog&min=2"}).json()
    assert kept["link"] == "q=dog&min=2"
    again = client.post("/api/searches", json={"name": "dogs", "link": "q=dogs"}).json()
    assert client.get("/api/searches").json()["searches"] == [again]
    evil = client.post("/api/searches", json={"name": "Evil", "link": "//evil.example/?x"}).json()
    assert evil["link"] == "evil.example/?x", "text after a question mark, nothing more"
    assert client.delete(f"/api/searches/{again['id']}").json() == {"removed": again["id"]}
    assert [each["name"] for each in client.get("/api/searches").json()["searches"]] == ["Evil"]


def test_a_library_that_another_process_keeps_locked_says_so(tmp_path: Path) -> None:
    small_library(tmp_path).close()
    with Library.open(tmp_path / "library", busy_seconds=0.1) as library:
        client, here = client_of(library), 0
        here = tray(client)
        lock = sqlite3.connect(tmp_path / "library" / "library.sqlite3", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        try:
            answer = client.post("/api/collections", json={"name": "New"})
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
            assert "locked" in answer.json()["error"]
            assert client.get(f"/api/collections/{here}").status_code == 200, "reading goes on"
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        assert client.post("/api/collections", json={"name": "New"}).status_code == 200


def test_a_full_disk_says_so_and_nothing_is_lost(tmp_path: Path) -> None:
    small_library(tmp_path).close()
    with Library.open(tmp_path / "library") as library:
        client = client_of(library)
        (clip,) = added(client, tray(client), {"segment": segment_ids(library)[0]})
        with library._database.writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        from sqlalchemy import event

        def no_more(driver: sqlite3.Connection, *_: Any) -> None:
            driver.execute(f"PRAGMA max_page_count = {pages}")

        event.listen(library._database.engine, "connect", no_more)
        library._database.engine.dispose()
        revision, refused = clip["revision"], None
        for number in range(40):
            answer = client.patch(
                f"/api/subclips/{clip['id']}", json={"revision": revision, "note": str(number) + "x" * 9000}
            )
            if answer.status_code != 200:
                refused = answer
                break
            revision = answer.json()["revision"]
            added(client, tray(client), *({"segment": segment_ids(library)[0], "start_pts": number} for _ in range(1)))
        if refused is None:
            pytest.fail("the disk should have been full by now")
        assert refused.status_code == 507
        assert "space" in refused.json()["error"]
        assert client.get(f"/api/collections/{tray(client)}").status_code == 200


@pytest.mark.parametrize("score", [1e308, -1e308, 1e300])
def test_a_score_beyond_all_measure_is_refused(score: float, steady: TestClient) -> None:
    items = [{"segment": 1, "score": score}]
    answer = steady.post(f"/api/collections/{tray(steady)}/subclips", json={"items": items})
    assert (answer.status_code, answer.json()["error"]) == (400, "`score` must be a number.")
