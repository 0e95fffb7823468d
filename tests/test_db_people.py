"""People of a library: accounts, log-ins, failures and events; and nobody sees what another owns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from db_samples import add, ids_of, make_video
from postgres import in_a_folder

from db import quick_names
from db.library import FILE_NAME, Library
from db.people import events
from db.people.records import ROLES, Person, Role
from db.people.sign_ins import FORGOTTEN_SECONDS
from db.records import NewSubclip

NOW = 1_800_000_000


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def person(library: Library, name: str, role: Role = "collect") -> Person:
    return library.people.add(name, role, f"hash of {name}")


# Accounts


def test_a_person_is_found_by_name_ignoring_case(library: Library) -> None:
    assert library.people.all() == []
    anna, bo = person(library, "Anna"), library.people.add("bo", "search")
    assert [anna.has_password, bo.has_password] == [True, False]
    assert library.people.named("ANNA") == (anna, "hash of Anna")
    assert library.people.named("bo") == (bo, None)
    assert library.people.named("nobody") is None
    assert library.people.named("anna\0") is None, "which PostgreSQL does not even compare"
    assert library.people.all() == [anna, bo]


@pytest.mark.parametrize("name", ["", " ", "a" * 101, "a\nb", "a\0b", "\u202eanna", "anna", "ANNA "])
def test_names_that_are_not_allowed(library: Library, name: str) -> None:
    person(library, "Anna")
    with pytest.raises(ValueError):
        library.people.add(name, "search")
    assert len(library.people.all()) == 1


def test_a_role_includes_those_before_it(library: Library) -> None:
    for at, role in enumerate(ROLES):
        someone = person(library, role, role)
        assert [someone.may(each) for each in ROLES] == [number <= at for number in range(len(ROLES))]


def test_the_role_changes_at_once(library: Library) -> None:
    anna = person(library, "Anna")
    library.people.sign_ins.begin(anna.id, "t", now=NOW, expires=NOW + 10)
    assert library.people.set_role("anna", "delete").role == "delete"
    found = library.people.sign_ins.find("t", now=NOW)
    assert found is not None
    assert (found.person.id, found.person.role) == (anna.id, "delete")


def test_changes_of_nobody(library: Library) -> None:
    for change in (
        lambda: library.people.set_role("x", "search"),
        lambda: library.people.set_password("x", "h"),
        lambda: library.people.remove("x"),
        lambda: library.people.owned("x"),
    ):
        with pytest.raises(KeyError):
            change()


@in_a_folder
@pytest.mark.parametrize(
    ("column", "value"), [("role", "'root'"), ("role", "7"), ("name", "x'00'"), ("created_at", "x'00'")]
)
def test_a_damaged_person_is_nobody(library: Library, column: str, value: str) -> None:
    anna = person(library, "Anna")
    library.people.sign_ins.begin(anna.id, "t", now=NOW, expires=NOW + 10)
    with sqlite3.connect(library.directory / FILE_NAME) as connection:
        connection.execute(f"UPDATE people SET {column} = {value}")
    connection.close()
    assert library.people.all() == []
    assert library.people.named("anna") is library.people.sign_ins.find("t", now=NOW) is None


@in_a_folder
def test_messages_of_errors_leave_out_what_was_to_be_stored(library: Library) -> None:
    person(library, "Anna")
    with pytest.raises(Exception, match="is not supported") as failed:
        library.people.set_password("Anna", ["a hash"])  # type: ignore[arg-type]
    assert "a hash" not in str(failed.value)


# Log-ins


def test_a_log_in_ends_by_time_by_hand_and_with_its_password_or_person(library: Library) -> None:
    anna, bo = person(library, "Anna"), person(library, "Bo")
    sign_ins = library.people.sign_ins

    def logged_in(now: int = NOW) -> str:
        return "".join(token for token in "abcd" if sign_ins.find(token, now=now) is not None)

    for token, someone in (("a", anna), ("b", anna), ("c", bo), ("d", bo)):
        sign_ins.begin(someone.id, token, now=NOW, expires=NOW + (50 if token == "d" else 10))
    assert logged_in() == "abcd"
    assert logged_in(NOW + 10) == "d"
    sign_ins.extend("b", expires=NOW + 20)
    assert logged_in(NOW + 10) == "bd"
    sign_ins.end("a")
    assert logged_in() == "bcd"
    library.people.set_password("anna", "another")
    assert logged_in() == "cd"
    library.people.remove("bo")
    assert logged_in() == ""


def test_log_ins_that_have_expired_are_removed_and_those_of_removed_people_never_begin(library: Library) -> None:
    anna = person(library, "Anna")
    sign_ins = library.people.sign_ins
    sign_ins.begin(anna.id, "old", now=NOW, expires=NOW + 1)
    sign_ins.begin(anna.id, "new", now=NOW + 1, expires=NOW + 5)
    library.people.remove("Anna")
    sign_ins.begin(anna.id, "late", now=NOW, expires=NOW + 5)
    with library._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sign_ins").scalar() == 0
    again = person(library, "Anna")
    assert again.id > anna.id, "what was the first one's is never the second one's"


def test_failures_are_counted_for_each_thing_in_common_until_forgiven_or_forgotten(library: Library) -> None:
    sign_ins = library.people.sign_ins
    sign_ins.note_failure(["person 1", "address a"], now=NOW)
    sign_ins.note_failure(["person 1", "address b"], now=NOW + 1)
    every = ["person 1", "address a", "address b", "address c"]
    counted = {"person 1": (2, NOW + 1), "address a": (1, NOW), "address b": (1, NOW + 1)}
    assert sign_ins.failures(every, now=NOW + 1) == counted
    sign_ins.forgive(["person 1"])
    later = NOW + FORGOTTEN_SECONDS
    assert sign_ins.failures(every, now=later) == {"address b": (1, NOW + 1)}
    sign_ins.note_failure(["address c"], now=later)
    assert sign_ins.failures(every, now=later) == {"address b": (1, NOW + 1), "address c": (1, later)}
    assert sign_ins.failures(every, now=NOW) == {"address b": (1, NOW + 1)}, "of a clock that was set back since"


# What people own


def fill(library: Library) -> list[int]:
    video_id = add(library, make_video("/f/1.mp4", "aa"))
    return ids_of(library, video_id)


def test_each_person_has_a_tray_that_nobody_else_sees(library: Library) -> None:
    segments = fill(library)
    alone = library.collections
    shared = alone.create("Shared")
    anna, bo = (alone.of(each.id, each.name) for each in (person(library, "Anna"), person(library, "Bo")))
    hers, his = anna.tray(), bo.tray()
    assert (hers.name, his.name) == ("Tray of Anna", "Tray of Bo")
    assert anna.tray() == hers
    assert [each.id for each in anna.all()] == [hers.id, shared.id]
    assert [each.id for each in bo.all()] == [his.id, shared.id]
    assert [each.id for each in alone.all()] == [shared.id] == [alone.tray().id]
    clip = anna.add(hers.id, [NewSubclip(segment_id=segments[0])])[0]
    for other in (bo, alone):
        for attempt in (
            lambda other=other: other.get(hers.id),
            lambda other=other: other.subclips(hers.id),
            lambda other=other: other.rename(hers.id, "mine"),
            lambda other=other: other.remove(hers.id),
            lambda other=other: other.restore(hers.id),
            lambda other=other: other.add(hers.id, [NewSubclip(segment_id=segments[1])]),
            lambda other=other: other.change(clip.id, clip.revision, note="seen"),
            lambda other=other: other.change(clip.id, clip.revision + 1, note="seen"),
            lambda other=other: other.move(clip.id, None),
        ):
            with pytest.raises(KeyError):
                attempt()
        assert other.take_out([clip.id]) == other.put_back([clip.id]) == 0
    assert anna.subclips(hers.id) == [clip]
    assert anna.take_out([clip.id]) == anna.put_back([clip.id]) == 1


def test_a_tray_keeps_no_name_from_others_and_cannot_be_deleted(library: Library) -> None:
    anna = person(library, "Anna")
    hers = library.collections.of(anna.id, anna.name)
    tray = hers.tray()
    assert hers.rename(tray.id, "Rushes").name == "Rushes"
    assert library.collections.create("rushes").name == "rushes"
    assert hers.rename(tray.id, "rushes").name == "rushes"
    with pytest.raises(ValueError, match="cannot be deleted"):
        hers.remove(tray.id)
    assert hers.restore(tray.id).name == "rushes"


def test_each_person_has_searches_of_their_own(library: Library) -> None:
    alone = library.searches
    anna, bo = (alone.of(person(library, name).id) for name in ("Anna", "Bo"))
    saved = [searches.save("Foxes", f"q={number}") for number, searches in enumerate((alone, anna, bo))]
    assert [searches.all() for searches in (alone, anna, bo)] == [[each] for each in saved]
    assert anna.save("FOXES", "q=9").id == saved[1].id
    assert not bo.remove(saved[1].id)
    assert not alone.remove(saved[1].id)
    assert anna.remove(saved[1].id)
    assert len(alone.all()) == len(bo.all()) == 1


def test_what_a_person_owns_goes_with_the_person(library: Library) -> None:
    segments = fill(library)
    anna = person(library, "Anna")
    hers, searches = library.collections.of(anna.id, anna.name), library.searches.of(anna.id)
    hers.add(hers.tray().id, [NewSubclip(segment_id=each) for each in segments[:2]])
    searches.save("Foxes", "q=fox")
    shared = library.collections.create("Shared")
    library.collections.add(shared.id, [NewSubclip(segment_id=segments[0])])
    assert library.people.owned("anna") == (2, 1)
    library.people.remove("anna")
    assert searches.all() == []
    assert [(each.id, each.items) for each in hers.all()] == [(shared.id, 1)]


@in_a_folder
def test_completion_offers_nothing_that_people_own(library: Library) -> None:
    anna = person(library, "Anna")
    library.collections.of(anna.id, anna.name).tray()
    library.searches.of(anna.id).save("Foxes", "q=fox")
    library.collections.create("Shared")
    library.searches.save("Owls", "q=owl")
    assert quick_names.collection_names(library.directory) == ["Shared"]
    assert quick_names.saved_searches(library.directory) == [("q=owl", "Owls")]


# Events


def test_events_are_kept_newest_first_and_texts_of_browsers_are_stored_safely(library: Library) -> None:
    library.people.events.note("log-in", person="Anna", address="10.0.0.7")
    library.people.events.note(events.FAILED, "\ud800\0" + "x" * 9999)
    failed, came = library.people.events.latest(5)
    assert (came.person, came.address, came.action, came.detail) == ("Anna", "10.0.0.7", "log-in", "")
    assert failed.detail.startswith("\\ud800\\0xxx")
    assert len(failed.detail) < 600
    assert library.people.events.latest(1) == [failed]


def test_failed_log_ins_never_push_out_other_events(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_FAILED", 4)
    monkeypatch.setattr(events, "MOST_EVENTS", 6)
    monkeypatch.setattr(events, "_SWEPT_EVERY", 1)
    for number in range(3):
        library.people.events.note("video removed", str(number))
    for number in range(20):
        library.people.events.note(events.FAILED, str(number))
    kept = library.people.events.latest(100)
    assert [each.detail for each in kept] == ["19", "18", "17", "16", "2", "1", "0"]
    for number in range(3, 20):
        library.people.events.note("video removed", str(number))
    removed = [each.detail for each in library.people.events.latest(100) if each.action != events.FAILED]
    assert removed == ["19", "18", "17", "16", "15", "14"]
