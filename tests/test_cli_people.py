"""`people`: accounts from the terminal; a password stands in no output, no event and, as it is, not in the library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.commands import people
from app.shell.passwords import MIN_CHARACTERS, Passwords
from db.library import Library
from db.people.records import ROLES

pytest.importorskip("argon2", reason="the extra `server` is not installed")

SECRET = "correct horse battery"


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def run(*arguments: str, input: str | None = SECRET + "\n") -> Result:
    return CliRunner().invoke(main, ["people", *arguments], input=input)


def test_a_person_is_added_with_a_password_from_standard_input(library: Path) -> None:
    added = run("add", "Anna", "--role", "collect")
    assert (added.exit_code, added.stdout) == (0, "Anna was added, with the role collect\n")
    with Library.open(library) as opened:
        found = opened.people.named("anna")
        assert found is not None
        assert Passwords().match(found[1], SECRET)
        assert not Passwords().match(found[1], SECRET + " ")
        assert [(each.action, each.detail, each.person) for each in opened.people.events.latest(9)] == [
            ("person added", "Anna, collect", "")
        ]
    rows = [line.split() for line in run("list").stdout.splitlines()]
    assert rows[1][:3] == ["Anna", "collect", "password"]
    assert [(each["name"], each["role"], "password" in each) for each in json.loads(run("list", "--json").stdout)] == [
        ("Anna", "collect", False)
    ]


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.shell.passwords.has_terminal", lambda: True)
    added = run("add", "Anna", "--role", "search", input=f"{SECRET}\nanother one\n{SECRET}\n{SECRET}\n")
    assert added.exit_code == 0
    assert "Password for Anna" in added.stderr
    assert SECRET not in added.output


@pytest.mark.parametrize("password", ["", "x" * (MIN_CHARACTERS - 1), "x" * 201, "ANNA of the lake"])
def test_passwords_that_are_not_taken(library: Path, password: str) -> None:
    refused = run("add", "Anna of the Lake", "--role", "search", input=password)
    assert refused.exit_code == 2
    assert "choose another" in refused.stderr
    assert not password or password not in refused.output
    with Library.open(library) as opened:
        assert opened.people.all() == []


def test_the_password_stands_nowhere_as_it_is(library: Path) -> None:
    shown = "".join(
        run(*words).output
        for words in (
            ("add", "Anna", "--role", "manage"),
            ("password", "Anna"),
            ("role", "Anna", "delete"),
            ("list", "--json"),
            ("log", "--json"),
        )
    )
    assert SECRET not in shown
    assert "argon2" not in shown, "nor does its hash"
    stored = b"".join(path.read_bytes() for path in library.rglob("*") if path.is_file())
    assert SECRET.encode() not in stored
    assert b"$argon2id$" in stored


def test_a_new_password_logs_out_and_a_removed_person_is_gone(library: Path) -> None:
    run("add", "Anna", "--role", "manage")
    with Library.open(library) as opened:
        anna = opened.people.all()[0]
        for token in "ab":
            opened.people.sign_ins.begin(anna.id, token, now=0, expires=9)
        assert run("password", "ANNA", input="another password\n").exit_code == 0
        assert opened.people.sign_ins.find("a", now=0) is None
        named = opened.people.named("anna")
        assert named is not None
        assert Passwords().match(named[1], "another password")
        opened.searches.of(anna.id).save("Foxes", "q=fox")
        refused = run("remove", "anna")
        assert (refused.exit_code, "1 saved search" in refused.stderr) == (2, True)
        assert run("remove", "anna", "--yes").exit_code == 0
        assert opened.people.all() == []
        done = [each.action for each in opened.people.events.latest(9)]
    assert done == ["person removed", "password changed", "person added"]
    assert next(line.split("  ")[1:] for line in run("log").stdout.splitlines()) == [
        "(terminal)",
        "-",
        "person removed",
        "anna",
    ]


@pytest.mark.parametrize("words", [("role", "x", "search"), ("password", "x"), ("remove", "x", "--yes")])
def test_nobody_by_that_name(words: tuple[str, ...]) -> None:
    run("add", "Anna", "--role", "manage")
    refused = run(*words)
    assert (refused.exit_code, refused.stderr) == (
        3,
        "prismsearch: nobody is called x; prismsearch people list lists people\n",
    )


def test_a_name_is_taken_once_before_the_password_is_asked_for() -> None:
    assert run("add", "Anna", "--role", "search").exit_code == 0
    again = run("add", "anna", "--role", "delete", input="")
    assert (again.exit_code, "already a person called anna" in again.stderr) == (2, True)


def test_a_person_without_a_password_comes_by_a_proxy_only(library: Path) -> None:
    assert run("add", "Anna", "--role", "search", "--no-password", input="").exit_code == 0
    assert run("list").stdout.splitlines()[1].split()[2:4] == ["proxy", "only"]
    with Library.open(library) as opened:
        named = opened.people.named("anna")
    assert named is not None
    assert not Passwords().match(named[1], "")


def test_the_roles_offered_are_those_of_the_library() -> None:
    assert people.ROLES == ROLES


def test_passwords_agree_across_keyboards() -> None:
    passwords = Passwords()
    assert passwords.match(passwords.hashed("cafe\u0301 au lait"), "caf\u00e9 au lait")
    assert not passwords.match("no hash at all", "caf\u00e9 au lait")
