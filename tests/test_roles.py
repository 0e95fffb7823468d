"""What each role may, on every route and in every action of the page; and nobody meets what another person owns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_library import ORIGIN, segment_ids, small_library
from people_page import add_person
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

import app.jobs.jobs
from app.compose import Settings
from app.exporting.request import ExportOptions
from app.jobs.jobs import Jobs
from app.jobs.orders import ExportOrder, IndexOrder, RetryOrder
from app.web.http import roles
from app.web.http.errors import ApiError
from app.web.http.roles import ACTIONS, ROUTES, role_of
from app.web.http.streamlit_page import page_routes
from app.web.http.visitor import ALONE, VISITOR, Visitor
from app.web.pages import components, session
from app.web.pages import library as library_page
from app.web.server import our_routes
from app.web.services import job_starts
from app.web.services.owned import searches_of
from app.web.services.proxies import Proxies
from db.library import Library
from db.people.records import ROLES, Role
from db.records import Failure

ROOT = Path(__file__).resolve().parent.parent


class Started:
    """Stands in for the processes of jobs."""

    def __init__(self) -> None:
        self.orders: list[Any] = []


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """With a person for each role, by its name, and Other, who may all."""
    with small_library(tmp_path) as opened:
        for role in ROLES:
            add_person(opened, role, role)
        add_person(opened, "Other", "delete")
        yield opened


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    found = Started()

    def start(self: Jobs, order: Any, *_: object, **__: object) -> str:
        found.orders.append(order)
        return "20260101-000000-abcdef"

    monkeypatch.setattr(app.jobs.jobs.Jobs, "start", start)
    return found


def visitor(library: Library, name: str) -> Visitor:
    found = library.people.named(name)
    assert found is not None
    return Visitor(found[0], "10.0.0.7", library.people.events)


def client_as(library: Library, name: str | None) -> TestClient:
    """Our routes as a person asks them who is logged in; None: as whoever uses the page alone."""
    routes = our_routes(Settings(library=library.directory), library, Proxies(library.directory / "proxies"))
    inner = Starlette(routes=routes)

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope if name is None else {**scope, VISITOR: visitor(library, name)}, receive, send)

    return TestClient(asked, base_url=ORIGIN, raise_server_exceptions=False)


def real_routes(library: Library) -> list[str]:
    routes = our_routes(Settings(library=library.directory), library, Proxies(library.directory / "proxies"))
    return [f"{method} {route.path}" for route in routes for method in sorted((route.methods or set()) - {"HEAD"})]


def done(library: Library) -> list[tuple[str, str, str]]:
    """What is noted, the oldest first: who, what, and to what."""
    return [(each.person, each.action, each.detail) for each in library.people.events.latest(99)][::-1]


# The table


def test_every_route_has_a_role_and_every_role_a_route(library: Library) -> None:
    assert sorted(ROUTES) == sorted(real_routes(library))
    assert len(set(real_routes(library))) == len(real_routes(library))


def test_a_route_that_is_not_in_the_table_needs_the_highest_role() -> None:
    assert role_of("GET /api/forgotten") == "delete"


def test_every_route_asks_the_table(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "ROUTES", {})
    client = client_as(library, "manage")
    for each in ROUTES:
        method, _, path = each.partition(" ")
        assert client.request(method, re.sub(r"\{[^}]*\}", "4711", path)).status_code == 403, each


def test_what_the_roles_are_for() -> None:
    """In words of docs/network.md, whatever else the table says."""
    least = {
        "delete": ("DELETE /api/collections/{collection}",),
        "manage": ("POST /api/folders/list", "POST /api/folders/check", "DELETE /api/runs"),
        "collect": (
            "POST /api/collections",
            "POST /api/exports",
            "GET /api/runs/{run}/download",
            "POST /api/questions",
        ),
    }
    assert {role: tuple(ROUTES[each] for each in routes) for role, routes in least.items()} == {
        role: (role,) * len(routes) for role, routes in least.items()
    }
    assert ACTIONS["remove videos"] == "delete"
    assert ACTIONS["run index"] == ACTIONS["export into a folder"] == "manage"
    assert ACTIONS["edit shared collections"] == ACTIONS["run export"] == "collect"


@pytest.mark.parametrize("role", ROLES)
def test_a_route_is_refused_before_it_does_anything_to_whoever_has_a_lesser_role(library: Library, role: Role) -> None:
    client, asked = client_as(library, role), 0
    for each, needed in ROUTES.items():
        method, _, path = each.partition(" ")
        answer = client.request(method, re.sub(r"\{[^}]*\}", "4711", path), json={} if method != "GET" else None)
        refused = answer.status_code == 403 and "needs the role" in answer.json()["error"]
        assert refused == (ROLES.index(role) < ROLES.index(needed)), (each, answer.status_code, answer.text[:200])
        asked += refused
    assert bool(asked) == (role != "delete")


def test_whoever_uses_the_page_alone_may_everything(library: Library) -> None:
    client = client_as(library, None)
    for each in ROUTES:
        method, _, path = each.partition(" ")
        answer = client.request(method, re.sub(r"\{[^}]*\}", "4711", path), json={} if method != "GET" else None)
        assert answer.status_code != 403, each
    assert done(library) == []


def test_jobs_are_started_in_one_place_that_asks_for_the_role() -> None:
    """By the code: nothing else of the page calls `Jobs.start`."""
    found = set()
    for path in (ROOT / "app" / "web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "start"
            if is_call and "jobs" in ast.unparse(node.func.value):  # type: ignore[attr-defined]
                found.add(path.name)
    assert found == {"job_starts.py"}


def test_every_kind_of_job_has_a_role() -> None:
    from app.jobs.orders import _ORDERS

    assert {f"run {kind}" for kind in _ORDERS} == {each for each in ACTIONS if each.startswith("run ")}


@pytest.mark.parametrize(
    ("order", "needed"), [(IndexOrder(paths=("/films",)), "manage"), (RetryOrder(), "manage")], ids=["index", "retry"]
)
def test_a_job_is_started_by_who_may_and_noted(library: Library, started: Started, order: Any, needed: Role) -> None:
    settings, jobs = Settings(library=library.directory), Jobs(library.directory)
    for role in ROLES:
        if ROLES.index(role) < ROLES.index(needed):
            with pytest.raises(ApiError) as refused:
                job_starts.start_job(jobs, order, settings, visitor(library, role), title="films")
            assert refused.value.status == 403
        else:
            job_starts.start_job(jobs, order, settings, visitor(library, role), title="films")
    assert len(started.orders) == 2
    assert done(library) == [(role, f"{order.kind} started", "films") for role in ("manage", "delete")]


# Trays and shared collections


def test_a_person_has_a_tray_and_only_looks_at_what_is_shared_without_the_role(library: Library) -> None:
    shared = library.collections.create("Shared").id
    segment = segment_ids(library)[0]
    clip = client_as(library, None).post(f"/api/collections/{shared}/subclips", json={"items": [{"segment": segment}]})
    there = clip.json()["subclips"][0]
    client = client_as(library, "search")
    told = client.get("/api/collections").json()
    own = next(each for each in told["collections"] if each["own"])
    assert (told["tray"], own["name"]) == (own["id"], "Tray of search")
    assert client.get(f"/api/collections/{shared}").json()["subclips"][0]["id"] == there["id"]
    added = client.post(f"/api/collections/{own['id']}/subclips", json={"items": [{"segment": segment}]})
    mine = added.json()["subclips"][0]
    assert client.patch(f"/api/subclips/{mine['id']}", json={"revision": 1, "note": "mine"}).status_code == 200
    assert client.delete(f"/api/collections/{own['id']}", params={}).status_code == 403
    for method, path, body in (
        ("PATCH", f"/api/collections/{shared}", {"name": "Mine"}),
        ("POST", f"/api/collections/{shared}/subclips", {"items": [{"segment": segment}]}),
        ("DELETE", f"/api/collections/{shared}/subclips", {"ids": [there["id"]]}),
        ("POST", f"/api/collections/{shared}/put-back", {"ids": [there["id"]]}),
        ("PATCH", f"/api/subclips/{there['id']}", {"revision": 1, "note": "mine"}),
        ("POST", f"/api/subclips/{there['id']}/move", {"after": None}),
        ("POST", "/api/collections", {"name": "New"}),
    ):
        refused = client.request(method, path, json=body)
        assert (refused.status_code, "role" in refused.json()["error"]) == (403, True), path
    # Nor by naming one's own tray beside a clip of somebody else.
    assert client.request("DELETE", f"/api/collections/{own['id']}/subclips", json={"ids": [there["id"]]}).json() == {
        "removed": 0
    }
    assert library.collections.subclips(shared)[0].note == ""
    assert (
        client_as(library, "collect")
        .patch(f"/api/subclips/{there['id']}", json={"revision": 1, "note": "x"})
        .is_success
    )


def test_the_tray_of_another_person_is_not_there_for_anybody(library: Library) -> None:
    segment = segment_ids(library)[0]
    owner = client_as(library, "search")
    tray = owner.get("/api/collections").json()["tray"]
    clip = owner.post(f"/api/collections/{tray}/subclips", json={"items": [{"segment": segment, "note": "private"}]})
    clip_id = clip.json()["subclips"][0]["id"]
    for name in ("collect", "manage", "delete", "Other", None):
        client = client_as(library, name)
        assert tray not in [each["id"] for each in client.get("/api/collections").json()["collections"]]
        for method, path, body in (
            ("GET", f"/api/collections/{tray}", None),
            ("PATCH", f"/api/collections/{tray}", {"name": "Mine"}),
            ("DELETE", f"/api/collections/{tray}", None),
            ("POST", f"/api/collections/{tray}/restore", None),
            ("POST", f"/api/collections/{tray}/subclips", {"items": [{"segment": segment}]}),
            ("DELETE", f"/api/collections/{tray}/subclips", {"ids": [clip_id]}),
            ("POST", f"/api/collections/{tray}/put-back", {"ids": [clip_id]}),
            ("PATCH", f"/api/subclips/{clip_id}", {"revision": 1, "note": "seen"}),
            ("PATCH", f"/api/subclips/{clip_id}", {"revision": 7, "note": "seen"}),
            ("POST", f"/api/subclips/{clip_id}/move", {"after": None}),
            ("POST", "/api/exports", {"collection": tray, "to": "zip", "mode": "copy"}),
            ("POST", "/api/exports/words", {"collection": tray}),
            ("GET", f"/api/exports/name?collection={tray}&clip={clip_id}", None),
        ):
            answer = client.request(method, path, json=body)
            assert answer.status_code in (403, 404), (name, method, path, answer.status_code)
            assert "private" not in answer.text
            if name not in ("collect", "manage"):
                assert answer.status_code == 404, (name, method, path)
        mine = client.get("/api/collections").json()["tray"]
        for path in ("subclips", "put-back"):
            method = "DELETE" if path == "subclips" else "POST"
            taken = client.request(method, f"/api/collections/{mine}/{path}", json={"ids": [clip_id]})
            assert set(taken.json().values()) == {0}, "nor by another collection's address"
    assert owner.get(f"/api/collections/{tray}").json()["subclips"][0]["note"] == "private"


def test_saved_searches_are_each_persons_own(library: Library) -> None:
    library.searches.save("Alone", "q=owl")
    client, other = client_as(library, "search"), client_as(library, "Other")
    saved = client.post("/api/searches", json={"name": "Foxes", "link": "?q=fox", "text_id": ""}).json()
    assert [each["name"] for each in client.get("/api/searches").json()["searches"]] == ["Foxes"]
    assert other.get("/api/searches").json()["searches"] == []
    assert other.delete(f"/api/searches/{saved['id']}").status_code == 404
    assert [each["name"] for each in client_as(library, None).get("/api/searches").json()["searches"]] == ["Alone"]
    assert client.delete(f"/api/searches/{saved['id']}").status_code == 200


def test_a_deleted_collection_is_noted_with_its_name(library: Library) -> None:
    shared = library.collections.create("Shared").id
    client = client_as(library, "delete")
    assert client.delete(f"/api/collections/{shared}").status_code == 200
    assert client.delete(f"/api/collections/{shared}").status_code == 404
    assert done(library) == [("delete", "collection deleted", "Shared")]
    own = client.get("/api/collections").json()["tray"]
    refused = client.delete(f"/api/collections/{own}")
    assert (refused.status_code, "cannot be deleted" in refused.json()["error"]) == (400, True)


# Exports and jobs


def filled(library: Library, name: str) -> int:
    """Fill the tray of a person, and give its id."""
    client = client_as(library, name)
    tray: int = client.get("/api/collections").json()["tray"]
    items = [{"segment": each} for each in segment_ids(library)]
    assert client.post(f"/api/collections/{tray}/subclips", json={"items": items}).is_success
    return tray


def test_an_export_into_a_folder_of_the_server_needs_more_than_a_zip(
    library: Library, started: Started, tmp_path: Path
) -> None:
    for name, status in (("collect", 403), ("manage", 200), (None, 200)):
        tray = filled(library, name) if name else library.collections.create("Alone").id
        if name is None:
            items = [{"segment": each} for each in segment_ids(library)]
            client_as(library, None).post(f"/api/collections/{tray}/subclips", json={"items": items})
        client = client_as(library, name)
        order = {"collection": tray, "mode": "copy", "handles_seconds": 0, "lists": []}
        zipped = client.post("/api/exports", json={**order, "to": "zip"})
        assert zipped.status_code == 200, zipped.text
        assert client.post("/api/exports", json={**order, "to": str(tmp_path / "out")}).status_code == status
        clip = client.get(f"/api/collections/{tray}").json()["subclips"][0]["id"]
        probe = {"collection": tray, "clip": clip, "mode": "exact", "folder": "/etc"}
        assert client.get("/api/exports/name", params=probe).status_code == status
    owners = [each.person for each in started.orders]
    collect, manage = (visitor(library, name).id for name in ("collect", "manage"))
    assert owners == [collect, manage, manage, None, None]
    assert done(library) == [
        ("collect", "export started", "Tray of collect"),
        ("manage", "export started", "Tray of manage"),
        ("manage", "export started", "Tray of manage"),
    ]


def test_the_export_of_a_tray_writes_that_tray_and_no_other(library: Library, tmp_path: Path) -> None:
    """By the function that a job's process calls."""
    from app.commands.export_run import export_collection
    from app.shell.errors import CommandError

    tray = filled(library, "collect")
    owner = visitor(library, "collect").id
    options = ExportOptions(folder=tmp_path / "out", mode="smart", clips=False, lists=("csv",))
    order = ExportOrder(collection=tray, collection_name="x", options=options, person=owner)
    export_collection(Settings(library=library.directory), order)
    assert list((tmp_path / "out").glob("*.csv"))
    for other in (None, visitor(library, "Other").id):
        with pytest.raises(CommandError, match="no longer there"):
            export_collection(
                Settings(library=library.directory),
                ExportOrder(collection=tray, collection_name="x", options=options, person=other),
            )


def journal(library: Library, order: Any, title: str) -> str:
    """A finished job with its order in the journal. Gives its id."""
    with Jobs(library.directory).begin("index" if order.kind == "retry" else order.kind, title, order) as job:
        job.finish("done", {"zip": str(library.directory / "exports" / "a.zip")}, "written")
    return next(state.id for state in Jobs(library.directory).all() if state.title == title)


def test_exports_are_seen_by_who_began_them_and_other_jobs_by_everybody(library: Library, tmp_path: Path) -> None:

    (library.directory / "exports").mkdir()
    (library.directory / "exports" / "a.zip").write_bytes(b"PK private clips")
    options = ExportOptions(zip=library.directory / "exports" / "a.zip", lists=("csv",))
    order = ExportOrder(collection=1, collection_name="private", options=options, person=visitor(library, "collect").id)
    export = journal(library, order, "private")
    index = journal(library, IndexOrder(paths=("/films",)), "films")
    for name in ("search", "manage", "Other"):
        client = client_as(library, name)
        assert "private" not in client.get("/api/runs").text
        assert [each["id"] for each in client.get("/api/runs").json()["runs"]] == [index]
        for method, more in (
            ("GET", ""), ("GET", "/log"), ("GET", "/download"), ("POST", "/stop"), ("POST", "/resume"), ("DELETE", ""),
        ):  # fmt: skip
            answer = client.request(method, f"/api/runs/{export}{more}")
            assert answer.status_code in (403, 404), (name, more)
            assert b"private" not in answer.content
    client_as(library, "delete").delete("/api/runs")
    assert [state.id for state in Jobs(library.directory).all()] == [export], "and nobody forgets it for another"
    owner = client_as(library, "collect")
    assert owner.get(f"/api/runs/{export}/download").content == b"PK private clips"
    assert {each["id"] for each in client_as(library, None).get("/api/runs").json()["runs"]} == {export}
    assert owner.delete(f"/api/runs/{export}").status_code == 200


@pytest.mark.parametrize("again", ["resume", "retry"])
def test_an_export_into_a_folder_goes_on_for_who_may_begin_one_now(
    library: Library, started: Started, tmp_path: Path, again: str
) -> None:
    tray = filled(library, "manage")
    options = ExportOptions(folder=tmp_path / "out", mode="copy", lists=("csv",))
    order = ExportOrder(collection=tray, collection_name="x", options=options, person=visitor(library, "manage").id)
    address = f"/api/runs/{journal(library, order, 'mine')}/{again}"
    library.people.set_role("manage", "collect")
    assert client_as(library, "manage").post(address).status_code == 403
    assert started.orders == []
    library.people.set_role("manage", "manage")
    assert client_as(library, "manage").post(address).status_code == 200
    assert started.orders == [order]


def test_jobs_of_others_kinds_are_stopped_and_read_by_who_may_start_them(library: Library) -> None:
    index = journal(library, IndexOrder(paths=("/films",)), "films")
    for name, status in (("collect", 403), ("manage", 200)):
        client = client_as(library, name)
        assert client.get(f"/api/runs/{index}").status_code == 200
        assert client.get(f"/api/runs/{index}/log").status_code == status
        assert client.post(f"/api/runs/{index}/stop").status_code == status
    assert client_as(library, "collect").delete(f"/api/runs/{index}").status_code == 403
    assert done(library) == [("manage", "job stopped", "index films")]


# Streamlit's script


def at_the_page(monkeypatch: pytest.MonkeyPatch, library: Library, who: Visitor) -> None:
    monkeypatch.setattr(session, "visitor", lambda: who)
    monkeypatch.setattr(session, "open_library", lambda: library)
    monkeypatch.setattr(library_page, "list_again", lambda message: None)


def clicked(monkeypatch: pytest.MonkeyPatch, event: str, payload: dict[str, Any]) -> None:
    found = lambda key, name: payload if name == event else None  # noqa: E731
    monkeypatch.setattr(components, "event_payload", found)


def test_videos_are_removed_on_the_page_by_who_may(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    [video] = library.videos()
    clicked(monkeypatch, "remove", {"ids": [video.id]})
    for role in ("search", "collect", "manage"):
        at_the_page(monkeypatch, library, visitor(library, role))
        library_page.on_remove()
    assert len(library.videos()) == 1
    at_the_page(monkeypatch, library, visitor(library, "delete"))
    library_page.on_remove()
    assert library.videos() == []
    assert done(library) == [("delete", "videos removed", "1: a.mp4")]


def test_files_are_tried_again_on_the_page_by_who_may(
    library: Library, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = Failure(path="/films/b.mp4", size_bytes=1, modified_ns=1, kind="broken", reason="It is broken.")
    library.record_failure(failure)
    clicked(monkeypatch, "retry", {"paths": ["/films/b.mp4"]})
    for role in ROLES:
        at_the_page(monkeypatch, library, visitor(library, role))
        library_page.on_retry()
    assert len(started.orders) == 2


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        ("search", ["search", "library", "map", "collections"]),
        ("collect", ["search", "library", "map", "collections", "questions"]),
        ("manage", ["search", "library", "map", "collections", "questions", "indexing"]),
        (None, ["search", "library", "map", "collections", "questions", "indexing"]),
    ],
)
def test_pages_are_there_for_who_may_use_them(
    library: Library, monkeypatch: pytest.MonkeyPatch, role: str | None, pages: list[str]
) -> None:
    at_the_page(monkeypatch, library, ALONE if role is None else visitor(library, role))
    library.remove_videos([video.id for video in library.videos() if video.id is not None])
    page = AppTest.from_file(str(ROOT / "app" / "page.py"), default_timeout=60).run()
    assert not page.exception
    assert list(page.session_state["pages"]) == pages
    titles = [each.value for each in page.title]
    assert titles == (["Nothing here yet"] if role in ("search", "collect") else ["Find the shot"])


@pytest.mark.parametrize(
    ("role", "path", "says"),
    [
        (
            "search",
            "/indexing",
            "Your role, search, may not index videos; ask somebody who has the role manage or delete",
        ),
        ("collect", "/indexing?options=open", "Your role, collect, may not index videos"),
        ("search", "/questions", "may not write questions; ask somebody who has the role collect or manage or delete"),
        ("collect", "/questions", ""),
        ("manage", "/indexing", ""),
        ("search", "/", ""),
        (None, "/indexing", ""),
    ],
)
def test_the_address_of_a_page_says_who_may_use_it(library: Library, role: str | None, path: str, says: str) -> None:
    inner = Starlette(routes=page_routes(b"the page"))

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope if role is None else {**scope, VISITOR: visitor(library, role)}, receive, send)

    answer = TestClient(asked, base_url=ORIGIN).get(path)
    assert answer.status_code == (403 if says else 200)
    assert says in answer.text
    assert (answer.text == "the page") is not bool(says)


def test_searches_saved_on_the_page_are_the_visitors(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    who = visitor(library, "search")
    searches_of(library, who).save("Mine", "q=fox")
    library.searches.save("Alone", "q=owl")
    at_the_page(monkeypatch, library, who)

    def script() -> None:
        from app.search_link import SearchLink
        from app.web.pages import session
        from app.web.pages.saved_searches import saved_searches

        saved_searches(SearchLink(), session.open_library(), "")

    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    assert [each.label for each in page.button if each.label] == ["Mine"]
