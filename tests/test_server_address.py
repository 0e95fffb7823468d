"""Addresses of libraries on servers: read as libpq reads them, and never shown with their password."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.server.address import ServerAddress, is_address, parse_address, server_address

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "shown", "whole"),
    [
        ("postgresql://db/films", "postgresql://db/films", "postgresql://db/films"),
        ("postgres://ann@db:5433/films", "postgresql://ann@db:5433/films", "postgresql://ann@db:5433/films"),
        (f"postgresql://ann:{SECRET}@db/films", "postgresql://ann@db/films", "postgresql://ann@db/films"),
        (f"postgresql://ann:{SECRET}@[::1]:5432/films", "postgresql://ann@[::1]:5432/films", None),
        (f"postgresql:///films?host=/run&user=ann&password={SECRET}", "postgresql:///films?host=/run&user=ann", None),
        (
            f"postgresql://ann:{SECRET}@db/films?schema=team&media=/mnt/a b&sslmode=require",
            "postgresql://ann@db/films?sslmode=require&schema=team",
            "postgresql://ann@db/films?sslmode=require&schema=team&media=/mnt/a%20b",
        ),
    ],
)  # fmt: skip
def test_an_address_is_shown_and_handed_on_without_its_password(url: str, shown: str, whole: str | None) -> None:
    address = parse_address(url)
    assert str(address) == shown
    assert address.url == (whole or shown)
    assert (address.password == SECRET) == (SECRET in url)
    assert SECRET not in f"{address!r} {address} {address.url} {address.folder_name} {address.server}"
    again = parse_address(address.url)
    assert (again.server, again.schema, again.media) == (address.server, address.schema, address.media)


def test_parts_of_our_own() -> None:
    address = parse_address("postgresql://db/films?media=/mnt/media&work=/var/work&schema=two")
    assert (address.media, address.work, address.schema) == (Path("/mnt/media"), Path("/var/work"), "two")
    assert address.server == "postgresql://db/films"
    assert parse_address("postgresql://db/films").schema == "prismsearch"
    assert parse_address(f"postgresql://ann:a%40{SECRET}%2F@db/films").password == f"a@{SECRET}/"


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://ann:{SECRET}@db/films",
        f"postgresql:/ann:{SECRET}@db/films",  # as a Path has it
        f"postgresql://ann:{SECRET}/{SECRET}@db/films",
        f"postgresql://ann:{SECRET}#{SECRET}@db/films",
        f"postgresql://ann:{SECRET}@db/films/more",
        f"postgresql://ann:{SECRET}@[db/films",
        f"postgresql://ann:{SECRET}@db/films?schema=Team",
        f"postgresql://ann:{SECRET}@db/films?schema=a;drop",
        f"postgresql://ann:{SECRET}@db/films?media=here",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        parse_address(url)
    assert SECRET not in str(refused.value)


def test_folders_are_no_addresses() -> None:
    assert not any(map(is_address, ("/films", "films", "postgresql", Path("/postgresql:/x"), "C:\\films")))
    assert server_address(Path("/films")) is None
    address = ServerAddress(server="postgresql://db/films")
    assert server_address(address) is address


def test_each_library_has_a_folder_of_its_own() -> None:
    names = {
        parse_address(url).folder_name
        for url in ("postgresql://db/films", "postgresql://db/films?schema=two", "postgresql://db2/films")
    }
    assert len(names) == 3
    assert all(name.replace("-", "").replace(".", "").replace("_", "").isalnum() for name in names)
    (one, other) = (parse_address(f"postgresql://{user}@db/films?media=/{user}").folder_name for user in ("ann", "bob"))
    assert one.startswith("db-films-prismsearch-")
    assert one == other, "whoever opens it"
