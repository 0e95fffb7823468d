"""Guessing of passwords is slow, however it is done, and keeps nobody out for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from people_page import DAY, NOW, Clock, add_person, log_in, match, password_of, people_page, who

from app.web.http.sign_in import SignInDesk
from db.library import Library
from db.people.events import FAILED


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path) as opened:
        for name in ("Anna", "Bo"):
            add_person(opened, name)
        yield opened


@pytest.fixture
def desk(library: Library) -> SignInDesk:
    return SignInDesk(library.people, match)


def guess(desk: SignInDesk, name: str = "Anna", address: str = "10.0.0.7", now: float = NOW) -> int:
    """A wrong guess. Gives the seconds until the next."""
    outcome = desk.sign_in(name, "a guess", address=address, now=now)
    assert not outcome.token
    return outcome.wait_seconds


def comes_in(desk: SignInDesk, name: str = "Anna", address: str = "10.0.0.7", now: float = NOW) -> bool:
    return bool(desk.sign_in(name, password_of(name), address=address, now=now).token)


@pytest.mark.parametrize("name", ["Anna", "Nobody"])
def test_after_five_guesses_at_a_name_each_costs_twice_the_time_of_the_last(desk: SignInDesk, name: str) -> None:
    now, waits = NOW, []
    for _ in range(12):
        wait = guess(desk, name, now=now)
        waits.append(wait)
        now += wait
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]


def test_while_it_is_locked_not_even_the_right_password_is_compared(library: Library) -> None:
    compared: list[str] = []

    def counted(stored: str | None, password: str) -> bool:
        compared.append(password)
        return match(stored, password)

    desk = SignInDesk(library.people, counted)
    for _ in range(5):
        guess(desk)
    assert desk.sign_in("anna ", password_of("Anna"), address="10.0.0.7", now=NOW + 29).wait_seconds == 1
    assert len(compared) == 5
    assert len([each for each in library.people.events.latest(99) if each.action == FAILED]) == 5
    assert comes_in(desk, now=NOW + 30)


def test_a_name_that_nobody_has_costs_a_comparison_too(library: Library) -> None:
    """So that the time of a refusal tells no names."""
    compared: list[str | None] = []
    desk = SignInDesk(library.people, lambda stored, _: compared.append(stored) is not None)
    guess(desk, "Nobody")
    guess(desk, "Anna")
    assert compared == [None, f"hash of {password_of('Anna')}"]


def test_the_lock_of_a_name_at_one_address_is_not_that_of_another(desk: SignInDesk) -> None:
    for _ in range(5):
        guess(desk)
    assert not comes_in(desk)
    assert comes_in(desk, address="10.0.0.8")
    assert comes_in(desk, "Bo")


def test_one_address_may_not_try_many_names(desk: SignInDesk) -> None:
    waits = [guess(desk, f"name {number}") for number in range(20)]
    assert waits == [0] * 19 + [30]
    assert not comes_in(desk, "Bo")
    assert comes_in(desk, "Bo", address="10.0.0.8")


def test_one_machine_has_no_more_guesses_for_having_many_addresses(desk: SignInDesk) -> None:
    waits = [guess(desk, f"name {each}", f"2001:db8:0:1::{each:x}") for each in range(20)]
    assert waits[-1] == 30
    assert not comes_in(desk, address="2001:db8:0:1:ffff::1")
    assert comes_in(desk, address="2001:db8:0:2::1")


def test_many_addresses_guess_at_a_name_only_once_a_minute_and_keep_nobody_out_for_longer(desk: SignInDesk) -> None:
    waits = [guess(desk, address=f"10.0.1.{each}") for each in range(60)]
    assert waits[:49] == [0] * 49
    assert max(waits) == 30, "the fifty-first was not compared any more"
    now = NOW
    for each in range(5):
        now += 60
        assert guess(desk, address=f"10.0.2.{each}", now=now) <= 60
    assert comes_in(desk, address="10.0.0.9", now=now + 60)


def test_nobody_keeps_a_person_out_from_where_she_has_logged_in_before(desk: SignInDesk) -> None:
    """By guessing at her name all the time, from as many addresses as it takes."""
    for address in ("10.0.0.9", "2001:db8:0:9::1"):
        assert comes_in(desk, address=address)
    for each in range(50):
        guess(desk, address=f"10.0.1.{each}")
    assert not comes_in(desk, address="10.0.0.8")
    assert not comes_in(desk, "anna ", address="10.0.0.8")
    assert comes_in(desk, address="2001:db8:0:9::2"), "another address of the same machine"
    for each in range(50):
        guess(desk, address=f"10.0.1.{each}", now=NOW + 3601)
    assert [guess(desk, address="10.0.0.9", now=NOW + 3601) for _ in range(5)] == [0] * 4 + [30], "her own are counted"
    assert not comes_in(desk, address="10.0.0.9", now=NOW + 3601)


def test_a_lock_does_not_last_for_as_long_as_the_clock_was_wrong(desk: SignInDesk) -> None:
    """As where a machine begins with a wrong time, until it has asked for the right one."""
    for _ in range(5):
        guess(desk, now=NOW + 365 * DAY)
    assert comes_in(desk, now=NOW)
    for _ in range(4):
        guess(desk, now=NOW + 365 * DAY)
    assert [guess(desk) for _ in range(5)] == [0] * 4 + [30]


def test_a_log_in_of_a_time_that_has_not_come_is_none(desk: SignInDesk) -> None:
    token = desk.sign_in("Anna", password_of("Anna"), address="10.0.0.7", now=NOW + 365 * DAY).token
    assert desk.find(token, now=NOW + 365 * DAY - 60) is not None, "clocks are set back a little all the time"
    assert desk.find(token, now=NOW) is None


def test_a_right_password_forgives_guesses_at_its_name_but_not_those_of_its_address(desk: SignInDesk) -> None:
    for _ in range(4):
        guess(desk)
    assert comes_in(desk)
    assert [guess(desk) for _ in range(4)] == [0] * 4
    assert comes_in(desk)
    for each in range(12):
        guess(desk, f"name {each}")
    assert not comes_in(desk), "an account of one's own does not give more guesses at those of others"


def test_guesses_are_forgotten_after_a_while(desk: SignInDesk) -> None:
    for _ in range(5):
        guess(desk)
    assert guess(desk, now=NOW + 3600) == 0


def test_guesses_at_the_same_time_are_compared_one_after_another(library: Library) -> None:
    at_once, most = [0], [0]

    def slow(stored: str | None, password: str) -> bool:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        started.wait(5)
        at_once[0] -= 1
        return False

    started, outcomes = threading.Event(), []
    desk = SignInDesk(library.people, slow)

    def one(number: int) -> None:
        outcomes.append(desk.sign_in("Anna", str(number), address="10.0.0.7", now=NOW))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    while sum(each.busy for each in outcomes) < 16:
        assert any(thread.is_alive() for thread in threads)
    started.set()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert sum(each.busy for each in outcomes) == 16, "who comes while others wait is told so"
    assert guess(desk) == 30, "each of those that were compared has counted"


def test_one_address_does_not_take_all_the_places_of_those_who_log_in(library: Library) -> None:
    comparing, go_on = threading.Semaphore(0), threading.Event()

    def slow(stored: str | None, password: str) -> bool:
        comparing.release()
        return go_on.wait(20) and match(stored, password)

    desk, outcomes = SignInDesk(library.people, slow), []

    def try_from(address: str) -> None:
        outcomes.append((address, desk.sign_in("Anna", password_of("Anna"), address=address, now=NOW)))

    def begin(addresses: list[str]) -> list[threading.Thread]:
        threads = [threading.Thread(target=try_from, args=(address,)) for address in addresses]
        for thread in threads:
            thread.start()
        return threads

    threads = begin(["10.0.0.7"] * 40)
    assert comparing.acquire(timeout=20)
    while len(outcomes) < 36:
        time.sleep(0.01)
    threads += begin(["10.0.0.8"])
    time.sleep(0.1)
    go_on.set()
    for thread in threads:
        thread.join()
    assert sum(outcome.busy for _, outcome in outcomes) == 36
    assert [bool(outcome.token) for address, outcome in outcomes if address == "10.0.0.8"] == [True]
    assert desk.sign_in("Anna", password_of("Anna"), address="10.0.0.7", now=NOW).token, "the places are free again"


def test_the_form_says_for_how_long_it_is_locked(library: Library) -> None:
    client = people_page(library, Clock())
    answers = [log_in(client, "Anna", "a guess") for _ in range(6)]
    assert [each.status_code for each in answers] == [403] * 4 + [429] * 2
    assert "Too many log-ins failed. Try again in 30 seconds." in answers[-1].text
    assert answers[-1].headers["retry-after"] == "30"
    assert log_in(client, "Anna").status_code == 429
    assert who(client) is None


def test_what_is_noted_of_a_log_in_names_nobody_who_does_not_exist(library: Library, desk: SignInDesk) -> None:
    """Somebody may type a password into the field for the name."""
    guess(desk, "my secret password")
    guess(desk, "anna")
    comes_in(desk)
    noted = [(each.action, each.person, each.address, each.detail) for each in library.people.events.latest(9)]
    assert noted == [
        ("log-in", "Anna", "10.0.0.7", ""),
        (FAILED, "Anna", "10.0.0.7", ""),
        (FAILED, "", "10.0.0.7", ""),
    ]
    stored = b"".join(path.read_bytes() for path in library.directory.rglob("*") if path.is_file())
    assert b"my secret password" not in stored
    with library._database.reading() as connection:
        keys = connection.exec_driver_sql("SELECT common FROM failed_sign_ins").scalars().all()
    assert all(len(key.removeprefix("name ").partition(" ")[0]) <= 10 for key in keys)


def test_the_cookie_is_stored_as_a_digest_only(library: Library) -> None:
    client = people_page(library, Clock())
    log_in(client, "Anna")
    [token] = client.cookies.values()
    stored = b"".join(path.read_bytes() for path in library.directory.rglob("*") if path.is_file())
    assert token.encode() not in stored
    assert (
        len(
            {
                SignInDesk(library.people, match).sign_in("Bo", password_of("Bo"), address="a", now=NOW).token
                for _ in range(9)
            }
        )
        == 9
    )
