"""`index` reads the words that files hold, and follows the files beside videos without encoding anything."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import worker_tasks
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video
from test_embedded_text import with_track

from app import compose
from app.cli import main
from db.errors import LibraryError
from db.library import Library
from db.text.texts import Texts
from db.timed_text import TextSource, TimedLine
from indexer import words_reading
from indexer.isolation import Isolation
from indexer.pipeline import index_folders
from indexer.progress import Progress
from indexer.report import IndexReport
from indexer.settings import IndexSettings, RunOptions
from indexer.words import READ

SPEECH = TextSource(kind="speech", engine="a model")


def cues(*texts: str) -> str:
    return "".join(f"{at + 1}\n00:00:0{at}.200 --> 00:00:0{at}.900\n{text}\n\n" for at, text in enumerate(texts))


class World:
    """A folder with a video that has a text track and one without any words, and a library."""

    def __init__(self, root: Path) -> None:
        self.root = root / "films"
        self.root.mkdir()
        self.encoder = ColourEncoder()
        self.directory = root / "library"
        with_track(self.root / "first.mkv", "srt")
        make_video(self.root / "second.mp4", [("green", 50)])

    def index(self, **options: Any) -> IndexReport:
        named = {name: options.pop(name) for name in ("on_progress",) if name in options}
        with Library.open(self.directory) as library:
            return index_folders(library, self.encoder, [self.root], IndexSettings(), RunOptions(**options), **named)

    def texts(self) -> dict[str, list[str]]:
        """The texts of each source; of one that marks a video as read, none."""
        with Library.open(self.directory) as library:
            assert library.check() == []
            return {
                f"{os.path.basename(video.path)} {source.kind} {source.origin}": [
                    each.line.text for each in library.texts.lines(video.id or 0, source_id=source.id)
                ]
                for video in library.videos()
                for source in library.texts.sources(video.id or 0)
                if source.origin != READ.origin
            }

    def beside(self, name: str, *texts: str) -> Path:
        path = self.root / name
        path.write_text(cues(*texts), encoding="utf-8")
        return path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: world.encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", os.fspath(world.directory))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


TRACK = {"first.mkv subtitle track 1": ["Hello you\nsecond row", "Köln 終"]}


@pytest.mark.usefixtures("shell")
def test_words_come_in_are_reported_and_a_changed_file_is_read_without_encoding(world: World) -> None:
    world.beside("second.en.srt", "Good evening", "to all")
    first = run("index", os.fspath(world.root))
    assert first.exit_code == 0, first.output
    assert "words: 4 lines of subtitles, chapters and tags read from 2 videos" in first.stdout.splitlines()
    assert "srt" not in first.stdout, "a file that is read is not skipped"
    assert world.texts() == TRACK | {"second.mp4 subtitle second.en.srt": ["Good evening", "to all"]}
    assert "words    subtitles: 4 lines of 2 videos" in run("stats").stdout.splitlines()
    assert json.loads(run("stats", "--json").stdout)["words"] == {"subtitle": {"videos": 2, "sources": 2, "lines": 4}}

    encoded = len(world.encoder.batches)
    assert "words:" not in run("index", os.fspath(world.root)).stdout
    world.beside("second.en.srt", "Good morning")
    world.beside("first.de.srt", "Guten Tag")
    report = json.loads(run("index", os.fspath(world.root), "--json").stdout)
    assert (report["lines"], report["videos_read"], report["unchanged"]) == (2, 2, 2)
    assert world.texts() == TRACK | {
        "first.mkv subtitle first.de.srt": ["Guten Tag"],
        "second.mp4 subtitle second.en.srt": ["Good morning"],
    }
    assert len(world.encoder.batches) == encoded


def test_an_unchanged_library_needs_no_reading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.beside("second.en.srt", "Good evening")
    world.index()
    monkeypatch.setattr(Isolation, "read_words", lambda *_: pytest.fail("nothing is to be read"))
    monkeypatch.setattr(Texts, "replace", lambda *_, **__: pytest.fail("nothing is to be stored"))
    phases: list[Progress] = []
    report = world.index(on_progress=phases.append)
    assert (report.unchanged, report.lines, report.stopped) == (2, 0, "")
    assert "words" not in {each.phase for each in phases}


def test_what_is_gone_is_removed_but_not_what_engines_recognised(world: World) -> None:
    beside = world.beside("second.en.srt", "Good evening")
    world.index()
    with Library.open(world.directory) as library:
        for video in library.videos():
            library.texts.replace(video.id or 0, SPEECH, [TimedLine(0, 900, "Testing")])
    spoken = {f"{name} speech ": ["Testing"] for name in ("first.mkv", "second.mp4")}
    beside.unlink()
    world.index()
    assert world.texts() == TRACK | spoken
    assert world.index(redo=True).lines == 2
    assert world.texts() == TRACK | spoken


@pytest.mark.parametrize("isolated", [True, False])
def test_a_library_that_never_had_words_gets_them_without_encoding(world: World, isolated: bool) -> None:
    world.index(isolated=isolated)
    with Library.open(world.directory) as library:
        held = library.texts.sources_of()
        library.texts.remove(source.id or 0 for sources in held.values() for source in sources)
    encoded = len(world.encoder.batches)
    report = world.index(isolated=isolated)
    assert (report.lines, report.videos_read, report.unchanged) == (2, 1, 2)
    assert (world.texts(), len(world.encoder.batches)) == (TRACK, encoded)


@pytest.mark.usefixtures("shell")
def test_damaged_and_unreadable_files_are_named_with_what_to_do_and_fail_nothing(world: World) -> None:
    good = world.beside("second.en.srt", "Good evening")
    damaged = world.root / "second.de.srt"
    damaged.write_text(cues("Guten Abend") + "9\n00:0x --> 00:00:03,000\nkaputt\n", encoding="utf-8")
    (world.root / "second.fr.srt").write_text("no subtitles at all", encoding="utf-8")
    result = run("index", os.fspath(world.root))
    assert result.exit_code == 0, result.output
    advice = "; index again once it is replaced or corrected"
    notes = [line for line in result.stdout.splitlines() if line.endswith(advice)]
    assert len(notes) == 2
    assert "second.de.srt  1 of 2 cues were left out: line " in notes[0]
    assert "second.fr.srt  it holds no subtitles in any format" in notes[1]
    assert world.texts()["second.mp4 subtitle second.de.srt"] == ["Guten Abend"]
    good.chmod(0)
    if os.access(good, os.R_OK):
        return  # this user may read everything
    os.utime(good, ns=(1, 1))
    assert "Permission denied" in run("index", os.fspath(world.root)).stdout
    assert world.texts()["second.mp4 subtitle second.en.srt"] == ["Good evening"], "the file is still there"


def test_hostile_files_end_and_cost_no_others_their_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words_reading, "read_parts", worker_tasks.faulty_parts)
    world.beside("first.crash.srt", "never")
    world.beside("first.en.srt", "Hello")
    world.beside("second.hang.srt", "never")
    world.beside("second.en.srt", "Good evening")
    report = world.index(isolated=True, stall_seconds=1.0)
    assert (report.added, report.failed, report.lines) == (2, (), 4)
    assert [os.path.basename(note.path) for note in report.notes] == ["first.crash.srt", "second.hang.srt"]
    assert "crashed on it" in report.notes[0].reason
    assert "No progress for 1 s" in report.notes[1].reason
    wanted = TRACK | {
        "first.mkv subtitle first.crash.srt": [],
        "first.mkv subtitle first.en.srt": ["Hello"],
        "second.mp4 subtitle second.en.srt": ["Good evening"],
    }
    assert world.texts() == wanted
    monkeypatch.undo()
    report = world.index()
    assert report.lines == 1, "what may have been the drive is tried again, what crashed is not until it changes"
    assert world.texts() == wanted | {"second.mp4 subtitle second.hang.srt": ["never"]}


def test_a_run_that_is_stopped_while_it_reads_goes_on_in_the_next(world: World) -> None:
    def stop(progress: Progress) -> None:
        if progress.phase == "words":
            raise KeyboardInterrupt

    report = world.index(on_progress=stop)
    assert (report.added, report.interrupted) == (2, True)
    assert world.index().lines == 2
    assert world.texts() == TRACK


def test_a_run_that_ends_between_two_sources_leaves_old_or_new_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.beside("second.de.srt", "Alt")
    world.beside("second.en.srt", "Old")
    world.index()
    world.beside("second.de.srt", "Neuer")
    world.beside("second.en.srt", "Newer")
    store, stored = Texts.replace, list[object]()

    def fails(texts: Texts, *arguments: Any, **options: Any) -> int:
        if stored:
            raise LibraryError("the disk is full")
        stored.append(arguments)
        return store(texts, *arguments, **options)

    monkeypatch.setattr(Texts, "replace", fails)
    assert world.index().stopped == "the disk is full"
    monkeypatch.undo()
    between = world.texts()
    assert (between["second.mp4 subtitle second.de.srt"], between["second.mp4 subtitle second.en.srt"]) == (
        ["Neuer"],
        ["Old"],
    )
    assert world.index().lines == 1
    assert world.texts()["second.mp4 subtitle second.en.srt"] == ["Newer"]


def test_a_renamed_video_keeps_its_own_words_and_gets_those_of_the_files_with_its_new_name(world: World) -> None:
    world.beside("first.en.srt", "Hello")
    world.index()
    (world.root / "first.mkv").rename(world.root / "third.mkv")
    encoded = len(world.encoder.batches)
    world.index()
    assert world.texts() == {"third.mkv subtitle track 1": TRACK["first.mkv subtitle track 1"]}
    (world.root / "first.en.srt").rename(world.root / "third.en.srt")
    world.index()
    assert world.texts()["third.mkv subtitle third.en.srt"] == ["Hello"]
    assert len(world.encoder.batches) == encoded
