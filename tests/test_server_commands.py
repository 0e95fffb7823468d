"""Commands on both engines: each does the same on a server as in a folder, or names the tool to use there."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from postgres import needs_postgres, new_place

from app.cli import COMMANDS, main
from app.compose import Settings, settings_from
from app.jobs.jobs import Jobs
from app.jobs.orders import IndexOrder, read_order, write_order
from app.library_place import data_directory, library_place
from app.settings_file import WrongSetting
from db.library import Library
from db.server.address import parse_address

SECRET = "s3cret"
FILM = "{films}/three shots.mp4"
NO_LIBRARY = "asks no library"
TABLE: dict[str, list[str] | str] = {
    "demo": "has a folder of its own",
    "fetch-model": NO_LIBRARY,
    "index": ["index", "{films}"],
    "transcribe": ["transcribe", "--dry-run"],
    "search": ["search", "a red thing"],
    "similar": ["similar", FILM],
    "classify": ["classify", "--classes", "{classes}"],
    "probe": NO_LIBRARY,
    "train": "stands for a folder of its own, and reads rows as `search` does",
    "ui": "goes on until it is stopped, and reads the library as the others do",
    "people": ["people", "list"],
    "export": ["export", FILM, "--lists-only", "--list", "edl", "--to", "{clips}"],
    "takes": ["takes", "list"],
    "transcript": ["transcript", FILM],
    "list": ["list"],
    "info": ["info", FILM],
    "stats": ["stats"],
    "relink": ["relink", "{films}", "{elsewhere}", "--dry-run"],
    "roots": ["roots"],
    "remove": ["remove", FILM, "--yes"],
    "backup": ["backup", "{copy}"],
    "restore": ["restore", "{films}"],
    "copy": ["copy", "{place}", "{copied}"],
    "retry": ["retry"],
    "runs": ["runs"],
    "settings": ["settings"],
    "completion": NO_LIBRARY,
    "doctor": "looks at the machine: below",
    "bench": ["bench", "mine"],
}
"""The arguments that are tried, or why there is nothing to try."""

ON_SERVERS = {"backup": "pg_dump", "restore": "pg_restore"}
"""Commands that name a tool of the server instead."""


@dataclass(frozen=True)
class World:
    """A library of one video on an engine, and folders."""

    root: Path
    place: str

    def run(self, *arguments: str) -> Result:
        names = {name: str(self.root / name) for name in ("films", "clips", "elsewhere", "copy", "copied", "classes")}
        return CliRunner().invoke(main, [each.format(**names, place=self.place) for each in arguments])

    def plain(self, text: str) -> str:
        """Return an output without what differs between two places and two runs."""
        for name in (self.place, str(parse_address(self.place)) if "://" in self.place else "", str(self.root)):
            text = text.replace(name, "PLACE") if name else text
        text = re.sub(r"of that: .*", "", text)  # which parts of a run took long
        text = re.sub(r"\d{8}-\d{6}-\w+|\d{4}-\d\d-\d\d \d\d:\d\d|[0-9.:]+ ?s\b|[0-9.,]+ [kMG]?B|[0-9.]+x", "N", text)
        return re.sub(r"PLACE/library\b|\s+", " ", text.replace("PLACE/work", "PLACE")).replace("PLACE", " ")


@pytest.fixture(scope="module")
def worlds(postgres: str, tmp_path_factory: pytest.TempPathFactory, three_shots: Path) -> Iterator[list[World]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRISMSEARCH_ENCODER", "demo")
        patch.setattr("app.cut_settings.default_detector", lambda: "blend")
        made = []
        for engine in ("folder", "server"):
            root = tmp_path_factory.mktemp(engine)
            (root / "films").mkdir()
            (root / "elsewhere").mkdir()
            shutil.copy(three_shots, root / "films")
            (root / "classes").write_text("red\nblue\n")
            place = str(root / "library") if engine == "folder" else new_place(postgres, root)
            made.append(World(root, place))
        yield made


def test_every_command_is_in_the_table() -> None:
    assert set(TABLE) == set(COMMANDS)


@needs_postgres
def test_every_command_does_the_same_on_both_engines(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the table, but what removes comes last."""
    last = ("remove",)
    tried = sorted((name for name, arguments in TABLE.items() if isinstance(arguments, list)), key=last.__contains__)
    for name in tried:
        outputs = []
        for world in worlds:
            monkeypatch.setenv("PRISMSEARCH_LIBRARY", world.place)
            arguments = TABLE[name]
            assert isinstance(arguments, list)
            result = world.run(*arguments)
            assert "Traceback" not in result.output
            outputs.append((result.exit_code, world.plain(result.stdout), result.stderr))
        (code, said, _), (server_code, server_said, refusal) = outputs
        if name in ON_SERVERS:
            assert server_code == 2, name
            assert ON_SERVERS[name] in refusal
            assert len(refusal.strip().splitlines()) == 1
        else:
            assert (server_code, server_said) == (code, said), (name, outputs)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", worlds[1].place)
    doctor = worlds[1].run("doctor", "--json")
    assert "0 videos, 0 shots in postgresql://" in doctor.stdout


@needs_postgres
def test_a_job_of_a_server_runs_in_a_process_that_has_no_password_in_its_words(
    postgres: str, tmp_path: Path, three_shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = new_place(postgres, tmp_path).replace("//postgres@", f"//postgres:{SECRET}@")
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", address)
    monkeypatch.setenv("PRISMSEARCH_ENCODER", "demo")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    films = tmp_path / "films"
    films.mkdir()
    shutil.copy(three_shots, films)
    result = CliRunner().invoke(main, ["index", str(films)])
    assert result.exit_code == 0, result.output
    assert os.environ["PGPASSWORD"] == SECRET, "for the processes that are started"
    settings = settings_from()
    jobs = Jobs(settings.library)
    job = jobs.start(IndexOrder(paths=(str(films),)), settings)
    words = Path(f"/proc/{jobs.get(job).pid}/cmdline")
    seen = words.read_bytes() if words.exists() else b""
    while jobs.get(job).running:
        time.sleep(0.05)
    assert jobs.get(job).outcome == "done", jobs.get(job)
    assert SECRET.encode() not in seen
    shown = CliRunner().invoke(main, ["settings"]).output + CliRunner().invoke(main, ["stats", "--json"]).output
    assert SECRET not in result.output + shown
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert kept == []


def test_a_password_has_no_place_in_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = (
        f"postgresql://ann:{SECRET}@db/films",
        f"postgresql://db/films?password={SECRET}",
        f"postgresql://db/films?sslpassword={SECRET}",
    )
    for url, arguments in product(urls, (["--library", "{}", "stats"], ["stats", "--library", "{}"])):
        result = CliRunner().invoke(main, [each.format(url) for each in arguments])
        assert result.exit_code == 2
        assert "PGPASSWORD" in result.stderr
        assert SECRET not in result.output
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", f"postgresql://ann:{SECRET}/x@db/films")
    result = CliRunner().invoke(main, ["stats"])
    assert (result.exit_code, SECRET in result.output) == (2, False)


def test_a_place_is_a_folder_or_an_address_with_folders_of_this_machine() -> None:
    assert library_place("films") == (Path("films"), None)
    folder, address = library_place("postgresql://db/films", {"PRISMSEARCH_MEDIA": "/mnt/media"})
    assert address is not None
    assert folder == address.work == data_directory() / "servers" / address.folder_name
    assert address.media == Path("/mnt/media")
    folder, address = library_place("postgresql://db/films?media=/m&work=/w", {})
    assert address is not None
    assert (folder, address.media) == (Path("/w"), Path("/m"))
    with pytest.raises(WrongSetting, match="schema"):
        library_place("postgresql://db/films?schema=A", {})


def test_the_order_of_a_job_names_the_server_without_its_password(tmp_path: Path) -> None:
    _, address = library_place(f"postgresql://ann:{SECRET}@db/films?media=/m", {})
    assert address is not None
    settings = Settings(library=tmp_path, server=address)
    write_order(tmp_path, IndexOrder(paths=("/films",)), settings)
    read = read_order(tmp_path)[1].server
    assert read == replace(address, password=None)
    assert SECRET not in "".join(path.read_text() for path in tmp_path.iterdir())


@needs_postgres
def test_without_a_folder_for_media_the_line_says_what_to_add(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRISMSEARCH_MEDIA", raising=False)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", f"{postgres}&schema=nowhere&work={tmp_path}")
    result = CliRunner().invoke(main, ["stats"])
    assert "?media=FOLDER" in result.stderr
    assert "PRISMSEARCH_MEDIA" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    monkeypatch.setenv("PRISMSEARCH_MEDIA", str(tmp_path))
    Library.open(settings_from().server or "").close()
