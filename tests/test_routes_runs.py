"""Long jobs and exports over HTTP: what the page asks becomes an order, checked before a job starts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import pytest
from page_library import client_of, segment_ids, small_library
from starlette.testclient import TestClient

from app.compose import Settings
from app.exporting.request import ExportOptions
from app.jobs.command_line import words_of
from app.jobs.jobs import Jobs
from app.jobs.orders import ExportOrder, IndexOrder, order_from_json, order_to_json
from app.jobs.state import LOG_FILE
from app.timelines.writing import FORMATS
from db.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with small_library(tmp_path) as library:
        yield library


@pytest.fixture
def client(library: Library) -> TestClient:
    return client_of(library)


@pytest.fixture
def runs(library: Library) -> Jobs:
    return Jobs(library.directory)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[ExportOrder]:
    """What would be started, as its process would read it."""
    orders: list[ExportOrder] = []

    def start(self: Jobs, order: ExportOrder, settings: Settings, **_: Any) -> str:
        read = order_from_json(json.loads(json.dumps(order_to_json(order))))
        assert isinstance(read, ExportOrder)
        orders.append(read)
        return "20260101-000000-abcdef"

    monkeypatch.setattr(Jobs, "start", start)
    return orders


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, dict[str, Any]]]:
    """One library, and a collection of its segments, for many tests that start nothing."""
    with small_library(tmp_path_factory.mktemp("steady")) as library:
        client = client_of(library)
        yield client, filled(client, library)


@pytest.fixture
def tray(client: TestClient, library: Library) -> dict[str, Any]:
    """A collection of both segments."""
    return filled(client, library)


def filled(client: TestClient, library: Library) -> dict[str, Any]:
    here = client.get("/api/collections").json()["tray"]
    items = [{"segment": each} for each in segment_ids(library)]
    client.post(f"/api/collections/{here}/subclips", json={"items": items})
    told: dict[str, Any] = client.get(f"/api/collections/{here}").json()
    return told


def test_runs_are_told_as_their_journals_have_them(client: TestClient, runs: Jobs) -> None:
    assert client.get("/api/runs").json() == {"runs": []}
    run = runs.begin("export", "<script>alert(1)</script>", arguments=["export", "--collection", "Tray"])
    (told,) = client.get("/api/runs").json()["runs"]
    assert (told["kind"], told["title"], told["outcome"]) == ("export", "<script>alert(1)</script>", None)
    assert told["downloadable"] is False
    assert client.get(f"/api/runs/{told['id']}").json()["arguments"] == ["export", "--collection", "Tray"]
    stopping = client.post(f"/api/runs/{told['id']}/stop")
    assert (stopping.status_code, stopping.json()["stopping"]) == (200, True)
    run.finish("stopped", {"ratio": float("nan"), "seconds": [float("inf")]}, "stopped as asked")
    ended = client.get(f"/api/runs/{told['id']}").json()
    assert (ended["outcome"], ended["message"]) == ("stopped", "stopped as asked")
    assert ended["report"] == {"ratio": None, "seconds": [None]}


def test_many_failures_do_not_make_the_list_long(client: TestClient, runs: Jobs) -> None:
    run = runs.begin("index", "videos")
    run.finish("done", {}, "")
    folder = runs.folder / client.get("/api/runs").json()["runs"][0]["id"]
    state = json.loads((folder / "state.json").read_text())
    state |= {"failures": [{"path": f"/v/{number}", "reason": "broken"} for number in range(300)], "failed": 300}
    (folder / "state.json").write_text(json.dumps(state))
    (listed,) = client.get("/api/runs").json()["runs"]
    assert (len(listed["failures"]), listed["failed"]) == (20, 300)
    assert len(client.get(f"/api/runs/{listed['id']}").json()["failures"]) == 300


@pytest.mark.parametrize("identity", ["4711", "..", "..%2f..%2flibrary.sqlite3", "20260101-000000-abcdef", "%00"])
def test_runs_that_are_not_there(identity: str, steady: tuple[TestClient, dict[str, Any]]) -> None:
    client, _ = steady
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("POST", "/stop"), ("POST", "/resume"), ("GET", "/log"), ("GET", "/download"),
    ):  # fmt: skip
        answer = client.request(method, f"/api/runs/{identity}{path}")
        assert answer.status_code == 404
        assert answer.json()["error"]


def test_jobs_are_listed_with_their_cards_and_those_in_progress_alone(client: TestClient, runs: Jobs) -> None:
    runs.begin("index", "ended").finish("done", {}, "3 videos")
    runs.begin("index", "films")
    assert [each["card"]["title"] for each in client.get("/api/runs").json()["runs"]] == [
        "Indexing films", "Indexing ended",
    ]  # fmt: skip
    assert [each["title"] for each in client.get("/api/runs?running=1").json()["runs"]] == ["films"]


def test_a_job_is_continued_in_place_of_the_one_that_ended(
    client: TestClient, runs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[Any, Any]] = []

    def start(self: Jobs, order: Any, settings: Settings, *, title: str, in_place_of: str) -> str:
        begun.append((order, in_place_of))
        return "20260101-000000-abcdef"

    monkeypatch.setattr(Jobs, "start", start)
    order = IndexOrder(paths=("/films",))
    run = runs.begin("index", "films", order)
    (identity,) = (each.id for each in runs.all())
    assert client.post(f"/api/runs/{identity}/resume").status_code == 409, "it is running"
    assert client.delete(f"/api/runs/{identity}").status_code == 409
    run.finish("stopped", {}, "")
    assert client.post(f"/api/runs/{identity}/resume").json() == {"run": "20260101-000000-abcdef"}
    client.post(f"/api/runs/{identity}/retry")
    assert begun == [(order, identity), (replace(order, retry_failed=True), identity)]
    runs.begin("export", "clips").finish("failed", {}, "")
    other = next(each.id for each in runs.all() if each.kind == "export")
    assert client.post(f"/api/runs/{other}/resume").json()["error"] == "This job cannot be restarted from here."


def test_the_log_and_forgetting_one_and_all(client: TestClient, runs: Jobs) -> None:
    for number in range(3):
        runs.begin("index", f"films {number}").finish("done", {}, "")
    running = runs.begin("index", "more")
    first, second, *_ = (each for each in runs.all() if each.outcome)
    (runs.folder / first.id / LOG_FILE).write_text("".join(f"line {number}\n" for number in range(100)))
    assert client.get(f"/api/runs/{first.id}/log").json()["log"].splitlines()[::59] == ["line 40", "line 99"]
    assert client.get(f"/api/runs/{second.id}/log").json() == {"log": ""}
    assert client.delete(f"/api/runs/{first.id}").status_code == 200
    assert client.delete(f"/api/runs/{first.id}").status_code == 404
    assert client.delete("/api/runs").status_code == 200
    assert [each.title for each in runs.all()] == ["more"]
    running.finish("done", {}, "")


def ended_with(runs: Jobs, zip_path: object, outcome: Any = "done") -> str:
    runs.begin("export", "x").finish(outcome, {"zip": zip_path}, "")
    return runs.all()[0].id


def test_a_finished_export_is_downloaded_under_its_name(client: TestClient, runs: Jobs, library: Library) -> None:
    folder = library.directory / "exports"
    folder.mkdir()
    packed = folder / 'Für Elise "x" <b>.zip'
    packed.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    identity = ended_with(runs, str(packed))
    assert client.get(f"/api/runs/{identity}").json()["downloadable"] is True
    assert client.get("/api/runs").json()["runs"][0]["card"]["download"] is True
    answer = client.get(f"/api/runs/{identity}/download")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.content == packed.read_bytes()
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"F_r Elise _x_ <b>.zip\"; filename*=UTF-8''F%C3%BCr%20Elise%20%22x%22%20%3Cb%3E.zip"
    )
    packed.unlink()
    assert client.get(f"/api/runs/{identity}").json()["downloadable"] is False
    assert client.get(f"/api/runs/{identity}/download").status_code == 404


def test_only_zips_of_ours_are_downloaded(client: TestClient, runs: Jobs, library: Library, tmp_path: Path) -> None:
    """A journal is a file that anybody may have written."""
    (library.directory / "exports").mkdir()
    secret = tmp_path / "secret.zip"
    secret.write_text("a secret")
    link = library.directory / "exports" / "link.zip"
    link.symlink_to(secret)
    places = [secret, link, library.directory / "exports" / ".." / "library.sqlite3", library.directory / "exports"]
    for place in [*map(str, places), "exports/x.zip", "", 5, ["x"], None]:
        identity = ended_with(runs, place)
        answer = client.get(f"/api/runs/{identity}/download")
        assert answer.status_code == 404, place
        assert b"secret" not in answer.content
        assert client.get("/api/runs").status_code == 200
    inside = library.directory / "exports" / "half.zip"
    inside.write_bytes(b"half")
    assert client.get(f"/api/runs/{ended_with(runs, str(inside), 'failed')}/download").status_code == 404


def test_an_export_becomes_an_order(
    client: TestClient, library: Library, tray: dict[str, Any], started: list[ExportOrder], tmp_path: Path
) -> None:
    first, second = (clip["id"] for clip in tray["subclips"])
    begun = client.post("/api/exports", json={"collection": tray["id"], "to": str(tmp_path / "clips")})
    assert begun.json() == {"run": "20260101-000000-abcdef"}
    assert started.pop() == ExportOrder(
        collection=tray["id"], collection_name="Tray", options=ExportOptions(folder=tmp_path / "clips", mode="smart")
    )
    body = {
        "collection": tray["id"], "subclips": [second, first], "mode": "copy", "handles_seconds": 1.5, "audio": "3, 1",
        "name_pattern": "{rank} {name}", "lists": ["edl", "otio", "edl"], "to": "zip",
    }  # fmt: skip
    assert client.post("/api/exports", json=body).status_code == 200
    order = started.pop()
    packed = order.options.zip
    assert packed is not None
    assert packed.parent == library.directory / "exports"
    assert packed.name.startswith("Tray ")
    assert order.subclips == (second, first)
    assert order.options == ExportOptions(
        zip=packed,
        mode="copy",
        handles_seconds=Fraction(3, 2),
        name_pattern="{rank} {name}",
        lists=("edl", "otio"),
        audio="1,3",
    )
    words = {"subtitles": "burn", "language": "pt-BR", "words_from": "speech", "markers": True}
    assert client.post("/api/exports", json=body | words | {"mode": "exact"}).status_code == 200
    options = started.pop().options
    assert (options.subtitles, options.language, options.words_from) == ("burn", "pt-BR", "speech")
    assert options.markers
    lists_only = {"collection": tray["id"], "mode": "none", "lists": ["edl"], "to": str(tmp_path)}
    assert client.post("/api/exports", json=lists_only).status_code == 200
    options = started.pop().options
    assert (options.clips, options.lists, options.folder) == (False, ("edl",), tmp_path)


@pytest.mark.parametrize(
    "name", ["--to", "-x", "../../etc", "a/b\\c:d", "<script>", "Ünïcödé 🎬", "x" * 200, "'; rm -rf ~"]
)
def test_names_of_collections_never_become_paths(
    name: str, steady: tuple[TestClient, dict[str, Any]], started: list[ExportOrder]
) -> None:
    client, tray = steady
    client.patch(f"/api/collections/{tray['id']}", json={"name": name})
    assert client.post("/api/exports", json={"collection": tray["id"], "to": "zip"}).status_code == 200
    order = started.pop()
    assert (order.collection, order.collection_name) == (tray["id"], name)
    packed = order.options.zip
    assert packed is not None
    assert packed.parent.name == "exports"
    assert ".." not in packed.parts
    assert len(packed.name) < 120
    assert not packed.name.startswith((".", "-"))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"to": "zip"}, 400),
        ({"collection": 4711, "to": "zip"}, 404),
        ({"to": "clips", "collection": 1}, 400),
        ({"to": "../clips", "collection": 1}, 400),
        ({"to": "", "collection": 1}, 400),
        ({"to": "/a\0b", "collection": 1}, 400),
        ({"to": "/" + "x" * 5000, "collection": 1}, 400),
        ({"to": __file__, "collection": 1}, 400),
        ({"to": "zip", "collection": 1, "mode": "smartest"}, 400),
        ({"to": "zip", "collection": 1, "mode": "none"}, 400),
        ({"to": "zip", "collection": 1, "handles_seconds": -1}, 400),
        ({"to": "zip", "collection": 1, "handles_seconds": 3601}, 400),
        ({"to": "zip", "collection": 1, "handles_seconds": "1"}, 400),
        ({"to": "zip", "collection": 1, "name_pattern": "x" * 201}, 400),
        ({"to": "zip", "collection": 1, "audio": "some"}, 400),
        ({"to": "zip", "collection": 1, "audio": "1," * 101}, 400),
        ({"to": "zip", "collection": 1, "name_pattern": "{nonsense}"}, 400),
        ({"to": "zip", "collection": 1, "name_pattern": "{"}, 400),
        ({"to": "zip", "collection": 1, "lists": ["exe"]}, 400),
        ({"to": "zip", "collection": 1, "subtitles": "above"}, 400),
        ({"to": "zip", "collection": 1, "subtitles": "burn", "mode": "copy"}, 400),
        ({"to": "zip", "collection": 1, "language": "x" * 36}, 400),
        ({"to": "zip", "collection": 1, "language": "e n"}, 400),
        ({"to": "zip", "collection": 1, "words_from": "tag"}, 400),
        ({"to": "zip", "collection": 1, "markers": True}, 400),
        ({"to": "zip", "collection": 1, "lists": "edl"}, 400),
        ({"to": "zip", "collection": 1, "subclips": []}, 400),
        ({"to": "zip", "collection": 1, "subclips": [4711]}, 409),
        ({"to": "zip", "collection": 1, "subclips": ["1"]}, 400),
    ],
)
def test_exports_that_make_no_sense_start_nothing(
    body: dict[str, Any], status: int, steady: tuple[TestClient, dict[str, Any]], started: list[ExportOrder]
) -> None:
    answer = steady[0].post("/api/exports", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].endswith(".")
    assert started == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"to": "zip", "mode": "smartest"}, "`mode` must be one of smart, exact, copy, none."),
        ({"to": "zip", "handles_seconds": 1e308}, "`handles_seconds` must be a number."),
        ({"to": "/tmp/" + 300 * "x"}, "This folder cannot be used: File name too long. Choose another one."),
    ],
)
def test_the_sentence_names_what_is_wrong_with_an_export(
    body: dict[str, Any], sentence: str, steady: tuple[TestClient, dict[str, Any]], started: list[ExportOrder]
) -> None:
    answer = steady[0].post("/api/exports", json={"collection": 1, **body})
    assert (answer.status_code, answer.json()["error"], started) == (400, sentence, [])


@pytest.mark.parametrize("to", ["zip", "folder"])
@pytest.mark.parametrize("mode", ["smart", "exact", "copy", "none"])
def test_the_command_takes_what_it_is_given(
    mode: str, to: str, steady: tuple[TestClient, dict[str, Any]], started: list[ExportOrder], tmp_path: Path
) -> None:
    """Every word that an order becomes is an option that the command has, with a value that it takes."""
    from app.cli import main

    client, tray = steady
    name = "--to <b>"
    client.patch(f"/api/collections/{tray['id']}", json={"name": name})
    chosen = [clip["id"] for clip in tray["subclips"]]
    body = {
        "collection": tray["id"], "subclips": chosen, "mode": mode, "handles_seconds": 0.5,
        "name_pattern": "{rank}_{name}", "lists": list(FORMATS),
        "to": "zip" if to == "zip" else str(tmp_path / "clips"),
    }  # fmt: skip
    assert client.post("/api/exports", json=body).status_code == 200
    command, *words = words_of(started.pop())
    found = main.get_command(click.Context(main), command)
    assert found is not None
    taken = found.make_context(command, words).params
    assert (taken["collection"], taken["what"]) == (name, ())
    assert taken["ids"] == tuple(chosen)
    assert len(taken["lists"]) == 6
    assert taken["pad"] == Fraction(1, 2)


def test_an_empty_collection_has_nothing_to_export(client: TestClient, started: list[ExportOrder]) -> None:
    here = client.get("/api/collections").json()["tray"]
    assert client.post("/api/exports", json={"collection": here, "to": "zip"}).status_code == 400
    assert started == []


def test_a_disk_that_is_full_says_so(client: TestClient, tray: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Jobs, "start", full)
    answer = client.post("/api/exports", json={"collection": tray["id"], "to": "zip"})
    assert (answer.status_code, "full" in answer.json()["error"]) == (507, True)
