"""The settings file: what it gives commands, the page and jobs, and every way in which it can be wrong."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.cli import COMMANDS, import_command, main
from app.commands.settings_example import EXAMPLE
from app.cut_settings import cut_settings_of
from app.jobs.orders import IndexOrder, read_order, write_order
from app.settings_file import GLOBALS, TABLE_OF, TABLES, read_settings_file, settings_path
from app.shell.file_options import export_options, index_options, search_defaults
from app.shell.settings_values import long_names, parsed_options
from app.web.pages.collections import choice_of
from encoder import ClipSpec
from search.engine import SearchEngine
from search.query import Hit, Query

Write = Callable[[str], Path]

NOT_KEPT = {
    # What a run is about
    *("in", "named", "min-duration", "max-duration", "since", "until", "recorded-since", "recorded-until", "camera"),
    *("min-resolution", "orientation", "codec", "fps", "with-sound", "like", "weight", "not", "not-like", "then"),
    *("within", "any-order", "link", "image", "collection", "subclips", "clips", "from-json", "span", "merge"),
    *("moments", "threshold", "plain-sum", "lists-only", "markers", "hide-duplicates", "show-duplicates"),
    *("said", "written", "text", "text-weight"),
    # What it does once
    *("quick", "redo", "renew", "retry-failed", "read-text", "include-exports", "keep-vanished", "dry-run"),
    # Where its answer goes
    *("to", "zip", "json", "paths", "null", "print0", "open", "url", "progress"),
    # Consent
    *("yes", "no-token"),
    # Who reaches the page: no file opens it to a network
    *("listen", "host-name", "proxy", "person-header"),
}
"""Options of commands with a table that do not stand in the file. A new option belongs here or in TABLES."""


def colours(settings: compose.Settings, sources: object = None) -> ColourEncoder:
    encoder = ColourEncoder(name=settings.fit or "stretch")
    encoder._spec = ClipSpec(settings.frames or 2, 16, settings.fit or "stretch")
    return encoder


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the settings file, and let commands read it. The environment names nothing else."""
    for name in ("LIBRARY", "ENCODER", "DEVICE", "PRECISION", "FFMPEG"):
        monkeypatch.delenv(f"PRISMSEARCH_{name}", raising=False)
    monkeypatch.setattr(compose, "open_encoder", colours)
    path = tmp_path / "config" / "mine.toml"
    path.parent.mkdir()
    monkeypatch.setenv("PRISMSEARCH_SETTINGS", str(path))

    def written(text: str) -> Path:
        path.write_text(text, "utf-8")
        return path

    written('library = "../library"\n')
    return written


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "one.mp4", [("red", 25), ("blue", 25)])
    make_video(folder / "one.tmp.mp4", [("green", 25)])
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def cuts(library: Path) -> Any:
    with compose.open_library(compose.Settings(library=library)) as opened:
        return cut_settings_of(opened)


# Where values come from


def test_a_new_library_begins_with_the_file_and_an_old_one_keeps_its_own(write: Write, films: Path) -> None:
    write('library = "../library"\n[index]\ndetector = "content"\ndetector-option = ["threshold=30"]\nframes = 3\n'
          'segment-seconds = 4\nexclude = ["*.tmp.mp4"]\n')  # fmt: skip
    result = run("index", str(films), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["added"] == 1, "exclude holds"
    library = films.parent / "library"  # relative to the file's folder, not to the current one
    kept = cuts(library)
    assert (kept.detector, kept.segment_seconds, kept.all_detector_options["threshold"]) == ("content", 4.0, 30.0)
    with compose.open_library(compose.Settings(library=library)) as opened:
        assert opened.encoder_choices()[0].frames == 3

    write('library = "../library"\n[index]\ndetector = "hash"\nframes = 5\nexclude = ["*.tmp.mp4"]\n')
    plan = run("index", str(films), "--dry-run")
    assert "unchanged" in plan.stdout
    assert "again" not in plan.stdout
    assert "detector = hash, frames = 5: for new libraries; this one keeps its own" in plan.stdout
    document = json.loads(run("index", str(films), "--dry-run", "--json").stdout)
    assert document["for_new_libraries"] == {"detector": "hash", "frames": 5}
    assert "content -> hash" in run("index", str(films), "--dry-run", "--renew").stdout, "renewed as a new one"
    assert run("index", str(films)).exit_code == 0
    assert cuts(library) == kept

    said = json.loads(run("settings", "--json").stdout)
    assert said["index"]["detector"] == {"value": "content", "source": "library"}
    assert said["index"]["frames"] == {"value": 3, "source": "library"}
    assert said["index"]["exclude"] == {"value": ["*.tmp.mp4"], "source": "file"}
    assert "library (hash applies to new libraries)" in run("settings").stdout


def test_the_command_line_counts_more_than_the_file(write: Write, films: Path) -> None:
    write('library = "../library"\n[index]\ndetector = "content"\nexclude = ["*"]\n')
    assert run("index", str(films), "--detector", "hash", "--exclude", "*.tmp.mp4").exit_code == 0
    assert cuts(films.parent / "library").detector == "hash"


def test_each_source_is_named(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write('device = "cpu"\nprecision = "float32"\nlibrary = "lib"\nencoder = "large"\n[search]\ntop-k = 3\n')
    monkeypatch.setenv("PRISMSEARCH_PRECISION", "bfloat16")
    monkeypatch.setenv("PRISMSEARCH_DEVICE", "")  # empty counts as unset
    said = json.loads(run("--library", str(tmp_path / "other"), "settings", "--json").stdout)
    found = {name: (said[name]["value"], said[name]["source"]) for name in GLOBALS}
    assert found == {
        "library": (str(tmp_path / "other"), "command line"),
        "encoder": ("large", "file"),
        "device": ("cpu", "file"),
        "precision": ("bfloat16", "environment"),
        "ffmpeg": (None, "default"),
        "vector-index": ("faiss", "default"),
    }
    assert said["search"]["top-k"] == {"value": 3, "source": "file"}
    assert said["export"]["top-k"] == {"value": 10, "source": "default"}
    assert not (tmp_path / "other").exists(), "asking makes no library"
    assert "environment (PRISMSEARCH_PRECISION)" in run("settings").stdout


def test_the_encoder_of_the_file_is_for_libraries_without_one(write: Write, films: Path) -> None:
    write('library = "../library"\nencoder = "demo"\n')
    assert compose.settings_from().encoder is None
    assert compose.with_library_encoder(compose.settings_from(), None).encoder == "demo"
    assert run("index", str(films)).exit_code == 0
    write('library = "../library"\nencoder = "large"\n')
    said = json.loads(run("settings", "--json").stdout)["encoder"]
    assert said == {"value": "demo", "source": "library"}


def test_answers_of_searches(write: Write, films: Path) -> None:
    assert run("index", str(films)).exit_code == 0
    write('library = "../library"\n[search]\ntop-k = 1\nmin-strength = "weak"\nduplicates = "show"\n')
    assert len(json.loads(run("search", "red", "--json").stdout)["hits"]) == 1
    assert len(json.loads(run("search", "red", "--json", "-k", "2").stdout)["hits"]) == 2
    assert len(json.loads(run("similar", str(films / "one.mp4@0-1"), "--json").stdout)["hits"]) == 1
    options = search_defaults()
    assert (options.top_k, options.least_level, options.duplicates) == (1, "weak", "show")


def test_a_link_says_itself_how_strong_hits_are(write: Write, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("index", str(films)).exit_code == 0
    write('library = "../library"\n[search]\nmin-strength = "strong"\n')
    levels: list[str | None] = []
    search = SearchEngine.search

    def noted(engine: SearchEngine, query: Query) -> list[Hit]:
        levels.append(query.least_level)
        return search(engine, query)

    monkeypatch.setattr(SearchEngine, "search", noted)
    run("search", "--link", "?q=red", "--json")
    run("search", "red", "--json")
    assert levels == [None, "strong"]


def test_paths(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    folder = write('library = "~/lib"\nffmpeg = "tools/ffmpeg"\nencoder = "mine.npz"\n').parent
    settings = compose.settings_from()
    assert settings.library == tmp_path / "lib"
    assert settings.ffmpeg == str(folder / "tools" / "ffmpeg")
    assert settings.new_encoder == "mine.npz", "no such file there: a name"
    (folder / "mine.npz").write_bytes(b"")
    write('encoder = "mine.npz"\nffmpeg = "ffmpeg"\n')
    assert compose.settings_from().new_encoder == str(folder / "mine.npz")
    assert compose.settings_from().ffmpeg == "ffmpeg", "looked for on the PATH"


def test_the_place_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings_path({"PRISMSEARCH_SETTINGS": ""}).name == "settings.toml"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert settings_path({"PRISMSEARCH_SETTINGS": "~/x.toml"}) == tmp_path / "x.toml"
    assert not read_settings_file({"PRISMSEARCH_SETTINGS": os.devnull}).exists


# The page and its jobs


def test_jobs_get_what_the_file_said_when_they_were_started(write: Write, tmp_path: Path) -> None:
    write('library = "lib"\nencoder = "demo"\n[index]\nworkers = 3\nstall-seconds = 9\nsegment-seconds = 4.5\n')
    order = IndexOrder(paths=(str(tmp_path),), **index_options())
    write_order(tmp_path, order, compose.settings_from())
    write("")
    read, settings = read_order(tmp_path)
    assert read == order
    assert isinstance(read, IndexOrder)
    assert (read.workers, read.shaping.stall_seconds, read.new_library.segment_seconds) == (3, 9, 4.5)
    assert read.shaping.segment_seconds is None, "a library that has its own keeps it"
    assert settings.new_encoder == "demo"


def test_exports_of_the_page_begin_with_the_file(write: Write) -> None:
    assert export_options() == {}
    write('[export]\nmode = "copy"\nhandles = 1.5\nlist = ["edl", "otio"]\n')
    assert export_options() == {"mode": "copy", "handles": 1.5, "list": ("edl", "otio")}
    assert choice_of(export_options()) == {"mode": "copy", "handles": "1.5", "lists": ["edl", "otio"]}
    write('[export]\nsubtitles = "file"\nlanguage = "de"\nwords-from = "speech"\n')
    assert choice_of(export_options()) == {"subtitles": "file", "language": "de", "wordsFrom": "speech"}
    assert choice_of({}) == {}
    assert choice_of({"audio": "first"}) == {"sound": "first"}
    assert choice_of({"audio": "1,3", "name": "{rank}"}) == {"sound": "numbers", "tracks": "1,3", "pattern": "{rank}"}


# What is wrong is one line, with the file, the name and the nearest known one


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('librari = "a"', "librari: no such setting; did you mean library?"),
        ("[index]\nsegment_seconds = 4", "[index] segment_seconds: no such setting; did you mean segment-seconds"),
        ('detector = "hash"', "detector: no such setting; it belongs below [index]"),
        ('[index]\ndevice = "cpu"', "[index] device: no such setting; it belongs above the first [table]"),
        ("[index]\nredo = true", "[index] redo: no such setting"),
        ("index = 3", "index is a table; write [index]"),
        ("x = = 3", "(at line 1, column 5)"),
        ("library = 3", 'library needs a text in quotes: library = "..."'),
        ('library = ""', "library needs a text in quotes"),
        ('library = "a\\u0000b"', "library needs a text in quotes"),
        ('precision = "double"', "precision must be one of auto, float32, bfloat16, int8, not 'double'"),
        ('device = "gpu"', "device must be auto, cpu, cuda, cuda:N or mps, not 'gpu'"),
        ('[index]\ndetector = "conten"', "[index] detector: 'conten' is not one of"),
        ("[index]\nworkers = true", "[index] workers needs a whole number"),
        ("[index]\nworkers = 2.5", "[index] workers needs a whole number"),
        ('[index]\nworkers = "2"', "[index] workers needs a whole number"),
        ("[index]\nworkers = 0", "[index] workers: 0 is not a whole number"),
        ('[index]\nexclude = "*.tmp"', '[index] exclude needs a list of strings: exclude = ["...", "..."]'),
        ("[index]\ndecode = 1", "[index] decode needs a text in quotes"),
        ("[index]\ndecode = 2020-01-01", "[index] decode needs a text in quotes"),
        ('[index]\nsegment-seconds = "soon"', "[index] segment-seconds: 'soon' is not a time"),
        ("[index]\noverlap-seconds = 6", "[index] overlap-seconds must be between 0 and half"),
        ('[index]\ndetector-option = ["a=1"]', "[index] -o a=1: write NAME=VALUE"),
        ("a = " + "[" * 10_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_one_line(write: Write, films: Path, text: str, said: str) -> None:
    path = write(text)
    for arguments in (["index", str(films), "--dry-run"], ["settings"]):
        result = run(*arguments)
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith(f"prismsearch: {path}: ")
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""


def test_values_of_other_tables_are_checked_by_settings(write: Write) -> None:
    write("[ui]\nport = 99999\n")
    assert "[ui] port: 99999 is not a whole number" in run("settings").stderr
    assert "[ui] port" in run("ui").stderr
    write("[export]\nhandles = 99999\n")
    assert "[export] handles: handles must be from 0 to 3600 seconds" in run("settings").stderr.replace(
        "pad or handles", "handles"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_works_whatever_is_in_the_file(write: Write, command: str) -> None:
    plain = run(command, "--help").stdout
    for text in ("x = = 3", "[search]\ntop-k = 99\n[export]\ntop-k = 'x'\n"):
        write(text)
        result = run(command, "--help")
        assert result.exit_code == 0
        assert result.stdout == plain, "defaults are those of the option"


def test_files_that_cannot_be_read(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write("")
    path.write_bytes(b"\xef\xbb\xbflibrary = 'elsewhere'\r\n")  # as Windows' editor saves it
    assert compose.settings_from().library == path.parent / "elsewhere"
    path.write_bytes("library = 'x'".encode("utf-16"))
    assert "not UTF-8 text; save it as UTF-8" in run("stats").stderr
    path.write_bytes(b"#" * 1_000_001)
    assert "more than 1,000,000 bytes" in run("stats").stderr
    for bad, said in ((tmp_path, "not a file"), (tmp_path / "none", "there is no such file, but PRISMSEARCH_SETTINGS")):
        monkeypatch.setenv("PRISMSEARCH_SETTINGS", str(bad))
        result = run("stats")
        assert (result.exit_code, said in result.stderr) == (3, True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_this_user_may_not_read(write: Write) -> None:
    write("").chmod(0)
    result = run("stats")
    assert (result.exit_code, "Permission denied" in result.stderr) == (3, True)


# The command


def test_the_example_has_every_name_and_parses(write: Write) -> None:
    assert run("settings", "--example").stdout == EXAMPLE
    write(re.sub(r"(?m)^# (?=[a-z-]+ = )", "", EXAMPLE))
    file = read_settings_file()
    assert set(file.top) == set(GLOBALS)
    assert {name: set(table) for name, table in file.tables.items()} == {name: set(TABLES[name]) for name in TABLES}
    for name in TABLE_OF:
        assert all(from_file for _, from_file in parsed_options(import_command(name), name).values())
    write(EXAMPLE)
    assert read_settings_file().top == {}


def test_create_writes_the_example_once(write: Write) -> None:
    path = write("")
    path.unlink()
    assert run("settings", "--create").exit_code == 0
    assert path.read_text("utf-8") == EXAMPLE
    path.write_text("x = = 3", "utf-8")
    result = run("settings", "--create")
    assert (result.exit_code, "already exists" in result.stderr) == (2, True)
    assert path.read_text("utf-8") == "x = = 3"


def test_a_damaged_library_hides_only_what_it_keeps(write: Write, tmp_path: Path) -> None:
    write('library = "../library"\n[index]\nworkers = 3\n')
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "library.sqlite3").write_bytes(b"not a library")
    result = run("settings")
    assert result.exit_code == 3
    assert "library.sqlite3 is not a valid library file" in result.stderr
    assert re.search(r"detector +- +library \(cannot be read\)", result.stdout)
    assert re.search(r"workers +3 +file", result.stdout)


def test_every_option_is_kept_or_has_a_reason_not_to_be() -> None:
    for name, table in TABLE_OF.items():
        command = import_command(name)
        options = {each for option in command.params if isinstance(option, click.Option) for each in long_names(option)}
        options -= set(GLOBALS) | {"pad"}
        assert options - set(TABLES[table]) <= NOT_KEPT
        assert not set(TABLES[table]) & NOT_KEPT
        assert set(TABLES.get(name, ())) <= options
