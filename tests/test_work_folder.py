"""This machine's folder for a library on a server is never used for another library at the same address."""

from __future__ import annotations

import shutil
from pathlib import Path

from click.testing import CliRunner
from db_samples import add
from postgres import needs_postgres, new_place

from app.cli import main
from app.compose import open_library, settings_from
from app.work_folder import NOTE
from db.library import Library
from db.server.address import parse_address
from search.takes.pair_file import FOLDER, Found, PairFile

pytestmark = needs_postgres


def drop(place: str, postgres: str) -> None:
    """Remove the library of an address, as its administrator may."""
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {parse_address(place).schema} CASCADE")


def stats(place: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--library", place, "stats"])
    return result.exit_code, result.output


def test_takes_of_a_library_that_was_there_before_are_not_used(postgres: str, tmp_path: Path) -> None:
    place = new_place(postgres, tmp_path)
    with open_library(settings_from({}).with_options(library=place), create=True) as library:
        add(library)
        PairFile(library.directory, "enc").save(Found())
        assert (library.directory / NOTE).read_text() == f"{library.id}\n"
        work = library.directory
    assert stats(place)[0] == 0, "it is its own"
    drop(place, postgres)
    with Library.open(place) as library:
        add(library)
    code, output = stats(place)
    assert (code, "another library" in output, len(output.strip().splitlines())) == (3, True, 1), output
    assert list((work / FOLDER).iterdir())
    shutil.rmtree(work)
    assert stats(place)[0] == 0


def test_a_copy_is_not_made_beside_them(postgres: str, tmp_path: Path) -> None:
    place, source = new_place(postgres, tmp_path), tmp_path / "source"
    for each in (place, source):
        with open_library(settings_from({}).with_options(library=str(each)), create=True) as library:
            add(library)
    assert not (source / NOTE).exists(), "a library in a folder is where its files are"
    drop(place, postgres)
    words = ["copy", str(source), place]
    refused = CliRunner().invoke(main, words)
    assert (refused.exit_code, "another library" in refused.output) == (3, True)
    shutil.rmtree(tmp_path / "work")
    assert CliRunner().invoke(main, words).exit_code == 0
    assert stats(place)[0] == 0
