"""One person does not hold up the others, and what watches the server learns of nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from people_page import ASKED, HTML, SOCKET, Clock, add_person, log_in, match, password_of, people_page, who
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from app.compose import Settings
from app.exporting.request import ExportOptions
from app.jobs.jobs import Jobs
from app.jobs.orders import ExportOrder
from app.jobs.process import own_process_id
from app.jobs.state import START_FILE, JobState, write_state
from app.web.api.examples import example_routes
from app.web.http import people_access
from app.web.http.counts import Counts, CountsMiddleware
from app.web.http.errors import ApiError
from app.web.http.pace import BURST, PER_SECOND, Pace
from app.web.http.people_access import MOST_AT_ONCE
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.http.sign_in import SignInDesk
from app.web.http.visitor import ALONE, VISITOR, Visitor
from app.web.network import Network, guards
from app.web.services import job_starts
from app.web.services.examples import Examples
from db.errors import LibraryError
from db.library import Library
from db.people.records import Person
from db.records import Worker

NOW = 1_800_000_000.0


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path) as opened:
        for name in ("Anna", "Bo"):
            add_person(opened, name)
        yield opened


# Pace


def test_a_person_may_ask_a_number_of_times_at_once_and_then_as_fast_as_time_goes_by() -> None:
    pace = Pace(burst=3, per_second=2)
    assert [pace.refused_for(1, NOW) for _ in range(4)] == [0, 0, 0, 0.5]
    assert pace.refused_for(2, NOW) == 0, "each person has their own"
    assert pace.refused_for(1, NOW + 0.25) == 0.25
    assert [pace.refused_for(1, NOW + 0.5), pace.refused_for(1, NOW + 0.5)] == [0, 0.5]
    assert [pace.refused_for(1, NOW + 3600) for _ in range(4)] == [0, 0, 0, 0.5]
    assert pace.refused_for(1, NOW) == 0.5, "a clock that was set back gives nothing"
    assert [pace.delay_of(3, NOW) for _ in range(6)] == [0, 0, 0, 0.5, 1, 1.5]


def test_changes_beyond_it_are_refused_for_a_moment_and_looking_is_not(library: Library) -> None:
    clock = Clock()
    client, other = people_page(library, clock), people_page(library, clock)
    log_in(client, "Anna")
    log_in(other, "Bo")
    answers = [client.post("/api/x").status_code for _ in range(int(BURST) + 3)]
    assert answers == [200] * int(BURST) + [429] * 3
    refused = client.post("/api/x")
    assert (refused.headers["retry-after"], "try again" in refused.json()["error"]) == ("1", True)
    assert {client.get("/api/x").status_code for _ in range(200)} == {200}
    assert other.post("/api/x").status_code == 200
    clock.now += 1
    assert [client.post("/api/x").status_code for _ in range(6)] == [200] * int(PER_SECOND) + [429]


def test_messages_of_a_socket_beyond_it_wait(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    sleep = anyio.sleep

    async def counted(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr(anyio, "sleep", counted)
    client = people_page(library, Clock())
    log_in(client, "Anna")
    with client.websocket_connect(SOCKET) as socket:
        for _ in range(int(BURST) + 2):
            socket.send_bytes(ASKED)
            assert socket.receive_json()["name"] == "Anna"
    assert waited[: int(BURST)] == [0.0] * int(BURST)
    assert waited[int(BURST) :] == [pytest.approx(1 / PER_SECOND), pytest.approx(2 / PER_SECOND)]


# Looking


def test_of_what_one_person_looks_at_a_bounded_part_keeps_threads_from_others(library: Library) -> None:
    """As with the list of a large library, asked for a hundred times at once."""
    at_work, go_on = threading.Semaphore(0), threading.Event()

    def slow(request: ApiRequest) -> dict[str, str]:
        at_work.release()
        go_on.wait(20 if request.visitor.name == "Anna" else 0)
        return {"name": request.visitor.name}

    with people_page(library, Clock(), routes=[route("/api/library", slow)]) as client:
        cookies = {}
        for name in ("Anna", "Bo"):
            log_in(client, name)
            cookies[name] = {"Cookie": "; ".join(f"{each}={value}" for each, value in client.cookies.items())}
            client.cookies.clear()
        answers: list[int] = []

        def look() -> None:
            answers.append(client.get("/api/library", headers=cookies["Anna"]).status_code)

        threads = [threading.Thread(target=look) for _ in range(MOST_AT_ONCE + 50)]
        for thread in threads:
            thread.start()
        for _ in range(MOST_AT_ONCE):
            assert at_work.acquire(timeout=20)
        assert not at_work.acquire(timeout=0.3), "the others wait"
        assert client.get("/api/library", headers=cookies["Bo"]).json() == {"name": "Bo"}
        go_on.set()
        for thread in threads:
            thread.join()
        assert answers == [200] * len(threads)


# Web sockets


def message(**of: Any) -> bytes:
    from streamlit.proto.BackMsg_pb2 import BackMsg

    return BackMsg(**of).SerializeToString()


def test_a_socket_passes_on_what_the_page_sends_and_nothing_that_clears_the_caches_of_all(library: Library) -> None:
    passed: list[bytes] = []

    async def streamlit(websocket: WebSocket) -> None:
        await websocket.accept()
        async for each in websocket.iter_bytes():
            passed.append(each)
            await websocket.send_text("")

    asked = message(rerun_script={"query_string": "q=fox"})
    client = people_page(library, Clock(), socket=streamlit)
    log_in(client, "Anna")
    with client.websocket_connect(SOCKET) as socket:
        socket.send_text("which Streamlit would log with a traceback each time")
        for sent in (message(clear_cache=True), message(load_git_info=True), b"\xff no message", b"", asked):
            socket.send_bytes(sent)
        socket.receive_text()
        socket.send_bytes(message(app_heartbeat=True))
        socket.receive_text()
    assert passed == [asked, message(app_heartbeat=True)]


def test_a_person_has_a_bounded_number_of_sockets(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_access, "MOST_SOCKETS", 2)
    clock = Clock()
    anna, bo = people_page(library, clock), people_page(library, clock)
    log_in(anna, "Anna")
    with anna.websocket_connect(SOCKET), anna.websocket_connect(SOCKET):
        with pytest.raises(WebSocketDenialResponse) as refused, anna.websocket_connect(SOCKET):
            pass
        assert refused.value.status_code == 429
        log_in(bo, "Bo")
    with anna.websocket_connect(SOCKET) as socket:
        socket.send_bytes(ASKED)
        assert socket.receive_json()["name"] == "Anna"


def test_log_ins_that_one_address_sends_slowly_leave_room_for_those_of_others(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_access, "MOST_FORMS", 2)
    page = people_page(library, Clock(), proxies=["10.0.0.7"])
    release, arrived, answers = threading.Event(), threading.Semaphore(0), []
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def of(address: str) -> dict[str, str]:
        return {"X-Forwarded-For": address, **form}

    def slow() -> Iterator[bytes]:
        arrived.release()
        release.wait(20)
        yield b"name=Anna&password=x"

    def send() -> None:
        answers.append(page.post("/login", content=slow(), headers=of("203.0.113.9")).status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert arrived.acquire(timeout=20)
    refused = page.post("/login", content=b"name=Anna", headers=of("203.0.113.9"))
    assert (refused.status_code, refused.headers["connection"]) == (503, "close")
    assert page.post("/login", content=b"name=Anna", headers=of("203.0.113.8")).status_code == 403
    release.set()
    for thread in threads:
        thread.join()
    assert answers == [403, 403]
    assert page.post("/login", content=b"name=Anna", headers=of("203.0.113.9")).status_code == 403


# Exports and uploads


def running_export(jobs: Jobs, number: int, person: int | None) -> None:
    folder = jobs.folder / f"20260101-000000-00000{number}"
    folder.mkdir(parents=True)
    state = JobState(id=folder.name, kind="export", title="x", order={"kind": "export", "person": person})
    write_state(folder / START_FILE, state.with_process(own_process_id()))


def test_a_person_has_two_exports_at_a_time(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, started = Jobs(library.directory), []
    monkeypatch.setattr(Jobs, "start", lambda self, order, *_, **__: started.append(order.person))
    anna, bo = (Visitor(person, "10.0.0.7", library.people.events) for person in library.people.all())
    options = ExportOptions(zip=Path("/x.zip"), lists=("csv",))

    def start(visitor: Visitor) -> None:
        order = ExportOrder(collection=1, collection_name="x", options=options)
        job_starts.start_job(jobs, order, Settings(library=library.directory), visitor)

    running_export(jobs, 1, anna.id)
    start(anna)
    running_export(jobs, 2, anna.id)
    with pytest.raises(ApiError) as refused:
        start(anna)
    assert refused.value.status == 429
    running_export(jobs, 3, None)
    running_export(jobs, 4, None)
    for visitor in (bo, ALONE):
        start(visitor)
    assert started == [anna.id, bo.id, None]


def test_two_uploads_of_one_person_leave_room_for_those_of_others(library: Library) -> None:
    """Slow ones, which never end by themselves."""
    inner = Starlette(routes=example_routes(Examples(library.directory)))
    anna, bo = library.people.all()
    release = threading.Event()

    def upload(person: Person | None, body: Any) -> int:
        visitor = Visitor(person) if person else ALONE

        async def asked(scope: Any, receive: Any, send: Any) -> None:
            await inner({**scope, VISITOR: visitor}, receive, send)

        return TestClient(asked).post("/api/examples", content=body).status_code

    arrived = threading.Semaphore(0)

    def slow() -> Iterator[bytes]:
        arrived.release()
        release.wait(20)
        yield b"not a picture"

    threads = [threading.Thread(target=upload, args=(anna, slow())) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert arrived.acquire(timeout=20)
    assert upload(anna, b"x") == 503
    assert upload(bo, b"x") not in (503, 500)
    assert upload(None, b"x") not in (503, 500)
    release.set()
    for thread in threads:
        thread.join()
    assert upload(anna, b"x") not in (503, 500)


# Counts


def counted_page(counts: Counts, client: str, workers: Callable[[], list[Worker]] | None = None) -> TestClient:
    async def page(_: Any) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("page")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    guard = Middleware(CountsMiddleware, counts=counts, workers=workers)
    routes = [Route("/", page), WebSocketRoute("/socket", socket)]
    return TestClient(
        Starlette(routes=routes, middleware=[guard]), base_url="http://127.0.0.1:8501", client=(client, 1)
    )


def test_counts_are_told_to_this_machine_in_the_format_of_prometheus(library: Library) -> None:
    counts = Counts()
    client = counted_page(counts, "127.0.0.1")
    for path in ("/", "/", "/nothing"):
        client.get(path)
    desk = SignInDesk(library.people, match, counts)
    for password in ("wrong", password_of("Anna")):
        desk.sign_in("Anna", password, address="10.0.0.7", now=NOW)
    with client.websocket_connect("/socket") as socket:
        during = client.get("/metrics").text
        socket.send_text("bye")
    assert "prismsearch_open_pages 1\n" in during
    lines = client.get("/metrics").text.splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        'prismsearch_requests_total{status="2xx"} 2',
        'prismsearch_requests_total{status="4xx"} 1',
        'prismsearch_log_ins_total{result="done"} 1',
        'prismsearch_log_ins_total{result="failed"} 1',
        "prismsearch_open_pages 0",
    ]
    assert "Anna" not in "".join(lines)
    assert [line.split()[2:] for line in lines if line.startswith("# TYPE")] == [
        ["prismsearch_requests_total", "counter"],
        ["prismsearch_log_ins_total", "counter"],
        ["prismsearch_open_pages", "gauge"],
    ]


def test_workers_are_counted_as_long_as_the_library_answers() -> None:
    at_work = [worker("/films/a.mp4", "/films/b.mp4", "/films/c.mp4"), worker()]

    def workers() -> list[Worker]:
        if not at_work:
            raise LibraryError("The library cannot be reached.")
        return at_work

    told = counted_page(Counts(), "127.0.0.1", workers).get("/metrics").text
    assert "\nprismsearch_workers 2\n" in told
    assert "# TYPE prismsearch_claims gauge\nprismsearch_claims 3\n" in told
    assert "films" not in told
    at_work.clear()
    answer = counted_page(Counts(), "127.0.0.1", workers).get("/metrics")
    assert answer.status_code == 200
    assert "prismsearch_workers" not in answer.text


def test_the_page_of_a_library_counts_its_own_workers(place: Path | str) -> None:
    """Those of one on a server; one in a folder has none, and says nothing of them."""
    with Library.open(place) as library, library.claims("index") as claims:
        claims.take({"a": "/films/a.mp4"}, 1)
        app = Starlette(middleware=guards(library, Network(host="127.0.0.1", port=8501), ""))
        told = TestClient(app, base_url="http://127.0.0.1:8501", client=("127.0.0.1", 50000)).get("/metrics").text
        assert ("\nprismsearch_workers 1\n" in told) is library.shared
        assert ("\nprismsearch_claims 1\n" in told) is library.shared
        assert ("prismsearch_workers" in told) is library.shared


def worker(*paths: str) -> Worker:
    return Worker(machine="render", process=1, version="1", doing="index", seconds=2.0, paths=paths)


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 404),
        ("testclient", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 404),
        ("127.0.0.1", {"Host": "localhost:8501"}, 200),
        ("::1", {"Host": "[::1]:8501"}, 200),
        ("127.0.0.1", {"Host": "search.example.org"}, 404),  # by a proxy that says no more, or by a name made for this
        ("127.0.0.1", {"Host": "127.0.0.1:8501@evil.example"}, 404),
    ],
)
def test_counts_are_told_to_nobody_else(client: str, headers: dict[str, str], status: int) -> None:
    page = counted_page(Counts(), client)
    assert page.get("/metrics", headers=headers).status_code == status


def test_without_a_log_in_the_form_costs_nobody_any_pace(library: Library) -> None:
    client = people_page(library, Clock())
    for _ in range(int(BURST) + 5):
        assert client.get("/", headers=HTML).status_code == 401
    log_in(client, "Anna")
    assert who(client) == "Anna"
