"""The page while the server of its library is away: one line and 503, and it is back with the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gate import Gate
from page_library import client_of
from people_page import HTML, Clock, add_person, log_in, people_page, who
from postgres import needs_postgres, new_place
from streamlit.testing.v1 import AppTest

from app.web.http.responses import AWAY
from app.web.http.visitor import ALONE
from app.web.pages import session
from db.library import Library

pytestmark = needs_postgres
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def gate(postgres: str) -> Iterator[Gate]:
    made = Gate(postgres)
    yield made
    made.remove()


@pytest.fixture
def library(gate: Gate, tmp_path: Path) -> Iterator[Library]:
    with Library.open(new_place(gate.address, tmp_path)) as opened:
        yield opened


def test_routes_say_when_to_ask_again_and_answer_again(library: Library, gate: Gate) -> None:
    client = client_of(library)
    asked = [
        f"/api/{name}" for name in ("library", "library/state", "workers", "cards?ids=1", "collections", "poster/1")
    ]
    before = [client.get(each).status_code for each in asked]
    gate.close()
    for each in asked:
        answer = client.get(each)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), each
        assert answer.json() == {"error": AWAY}
    made = client.post("/api/collections", json={"name": "Foxes"})
    assert made.status_code == 503
    gate.open()
    assert [client.get(each).status_code for each in asked] == before
    assert client.post("/api/collections", json={"name": "Foxes"}).status_code == 200


def test_people_are_not_logged_out_and_nobody_is_let_in(library: Library, gate: Gate) -> None:
    add_person(library, "Ann")
    clock = Clock()
    client, stranger = people_page(library, clock), people_page(library, clock)
    log_in(client, "Ann")
    assert who(client) == "Ann"
    gate.close()
    clock.now += 2  # a log-in is known for a second
    for each in (client, stranger):
        asked = each.get("/api/x") if each is client else log_in(each, "Ann")
        assert (asked.status_code, asked.headers["Retry-After"], asked.json()) == (503, "5", {"error": AWAY})
    shown = client.get("/search", headers=HTML)
    assert (shown.status_code, shown.headers["Retry-After"]) == (503, "5")
    assert AWAY in shown.text
    assert '<meta http-equiv="refresh" content="5">' in shown.text
    gate.open()
    assert who(client) == "Ann"
    assert who(stranger) is None


@pytest.mark.parametrize("where", ["visitor", "page"])
def test_the_page_has_one_line_and_then_itself(
    library: Library, gate: Gate, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    asked: list[object] = []

    def visitor() -> object:
        if where == "visitor":
            asked.append(library.people.find(1))
        return ALONE

    monkeypatch.setattr(session, "visitor", visitor)
    monkeypatch.setattr(session, "open_library", lambda: library)
    gate.close()
    page = AppTest.from_file(str(ROOT / "app" / "page.py"), default_timeout=60).run()
    assert not page.exception
    assert [each.value for each in page.error] == [AWAY]
    assert not page.title
    gate.open()
    page.run()
    assert not page.exception
    assert not page.error
    assert [each.value for each in page.title] == ["Find the shot"]
