"""What is said in a video, as `transcript` and `export` hand it on, read again as `index` reads it."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.child import run_order
from app.cli import main
from app.exporting.request import ExportOptions
from app.jobs.command_line import words_of
from app.jobs.orders import ExportOrder, order_from_json, order_to_json, write_order
from db.library import Library
from db.records import NewSubclip
from db.timed_text import TextSource, TimedLine, TimedWord
from indexer.text.sources import read_sidecars

LINES = [
    TimedLine(0, 800, "Good evening"),
    TimedLine(900, 1600, "\u6f22\u5b57 <3 and {braces}"),
    TimedLine(1700, 2000, "two\nrows"),
]
SPEECH = [TimedLine(500, 1500, "spoken words", 0.9, (TimedWord(500, 1000, "spoken"), TimedWord(1000, 1500, "words")))]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    make_video("films/two.mp4", [("red", 25), ("blue", 25)])
    make_video("films/mute.mp4", [("green", 25)])
    assert run("index", "films").exit_code == 0
    monkeypatch.setattr(compose, "open_encoder", None)
    with Library.open(tmp_path / "library") as library:
        video = library.video_at(str(tmp_path / "films/two.mp4"))
        assert video is not None
        assert video.id is not None
        library.texts.replace(video.id, TextSource(kind="subtitle", origin="two.de.srt", language="de"), LINES)
        library.texts.replace(video.id, TextSource(kind="subtitle", origin="z.srt", language="en"), LINES[:1])
        library.texts.replace(video.id, TextSource(kind="speech", language="en", engine="e"), SPEECH)
    return tmp_path / "library"


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("form", ["srt", "vtt", "json", "txt"])
def test_a_transcript_beside_a_video_is_read_as_it_was(tmp_path: Path, form: str) -> None:
    result = run("transcript", "films/two.mp4", "--to", f"films/two.{form}")
    assert result.exit_code == 0, result.output
    with Library.open(tmp_path / "library") as library:
        video = library.video_at(str(tmp_path / "films/two.mp4"))
        assert video is not None
    (text,) = read_sidecars(video).texts
    expected = [(line.start_ms, line.text.replace("\n", " ") if form == "txt" else line.text) for line in LINES]
    assert [(line.start_ms, line.text) for line in text.lines] == expected
    if form != "txt":
        assert [line.end_ms for line in text.lines] == [line.end_ms for line in LINES]


@pytest.mark.usefixtures("library")
def test_a_transcript_of_a_language_or_of_the_speech() -> None:
    assert run("transcript", "films/two.mp4", "--language", "en", "--format", "txt").stdout == (
        "[00:00:00.000] Good evening\n"
    )
    spoken = json.loads(run("transcript", "films/two.mp4", "--words-from", "speech", "--format", "json").stdout)
    assert [each["word"] for each in spoken["segments"][0]["words"]] == ["spoken", "words"]


@pytest.mark.usefixtures("library")
def test_what_cannot_be_printed_is_said_in_one_line(tmp_path: Path) -> None:
    for arguments, said in (
        (["films/mute.mp4"], "the library has no subtitles or recognised speech of it"),
        (["films/two.mp4", "--language", "fr"], "it has none in fr, only in de, en"),
        (["films/two.mp4", "--language", "\x1b[31m"], "a language is a tag such as en"),
        (["films/none.mp4"], "films/none.mp4"),
    ):
        result = run("transcript", *arguments)
        assert result.exit_code != 0
        assert said in result.stderr.splitlines()[-1], result.stderr
        assert result.stdout == ""
    Path("there.srt").write_text("mine")
    assert "exists already" in run("transcript", "films/two.mp4", "--to", "there.srt").stderr
    assert Path("there.srt").read_text() == "mine"


@pytest.mark.usefixtures("library")
def test_exported_ranges_carry_the_words_of_their_videos() -> None:
    ranges = ["films/two.mp4@0.4-1.2", "films/mute.mp4@0-0.4"]
    result = run("export", *ranges, "--to", "clips", "--subtitles", "file", "--language", "de", "--json")
    assert result.exit_code == 0, result.output
    assert "mute.mp4: without words, because the library has no subtitles" in result.stderr
    first, second = json.loads(result.stdout)["clips"]
    assert first["subtitles"] == str(Path(first["file"]).with_suffix(".srt"))
    assert "subtitles" not in second
    assert Path(first["subtitles"]).read_text("utf-8") == (
        "1\n00:00:00,000 --> 00:00:00,400\nGood evening\n\n"
        "2\n00:00:00,500 --> 00:00:00,800\n\u6f22\u5b57 <3 and {braces}\n"
    )
    spoken = run("export", ranges[0], "--to", "spoken", "--subtitles", "file", "--words-from", "speech", "--json")
    beside = json.loads(spoken.stdout)["clips"][0]["subtitles"]
    assert Path(beside).read_text() == "1\n00:00:00,100 --> 00:00:00,800\nspoken\n"


@pytest.mark.usefixtures("library")
def test_a_file_that_is_not_the_indexed_one_has_none_of_its_words() -> None:
    make_video("films/two.mp4", [("white", 50)])
    result = run("export", "films/two.mp4@0-1", "--to", "clips", "--subtitles", "file")
    assert result.exit_code == 0, result.output
    assert "without words" in result.stderr
    assert not list(Path("clips").glob("*.srt"))


def test_without_a_library_clips_are_cut_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "none"))
    make_video(tmp_path / "a.mp4", [("red", 25)])
    result = run("export", f"{tmp_path / 'a.mp4'}@0-0.4", "--to", str(tmp_path / "clips"), "--subtitles", "track")
    assert result.exit_code == 0, result.output
    assert "without words: there is no library" in result.stderr


@pytest.mark.usefixtures("library")
def test_lists_mark_what_is_said_if_that_is_wanted() -> None:
    arguments = ["export", "films/two.mp4@0.4-1.2", "--lists-only", "--list", "csv,edl"]
    assert run(*arguments, "--to", "plain").exit_code == 0
    assert "Good evening" not in Path("plain/clips.csv").read_text() + Path("plain/clips.edl").read_text()
    assert run(*arguments, "--to", "marked", "--markers").exit_code == 0
    assert "Good evening" in Path("marked/clips.csv").read_text()
    assert "* LOC: 00:00:00:00 WHITE   Good evening" in Path("marked/clips.edl").read_text()


def test_the_job_of_a_collection_carries_them_too(library: Path, tmp_path: Path) -> None:
    with Library.open(library) as opened:
        video = opened.video_at(str(tmp_path / "films/two.mp4"))
        assert video is not None
        segment = opened.segments_of(video.id or 0)[0]
        collection = opened.collections.create("Tray 2")
        opened.collections.add(collection.id, [NewSubclip(segment_id=segment.id or 0)])
    options = ExportOptions(folder=tmp_path / "clips", subtitles="track", language="de", mode="smart")
    order = ExportOrder(collection=collection.id, collection_name="Tray 2", options=options)
    assert order_from_json(order_to_json(order)) == order
    assert words_of(order)[-4:] == ["--subtitles", "track", "--language", "de"]
    write_order(tmp_path, order, compose.Settings(library=library))
    assert run_order(tmp_path) == 0
    (clip,) = (tmp_path / "clips").glob("*.mp4")
    with av.open(str(clip)) as container:
        (stream,) = container.streams.subtitles
        texts = [bytes(packet)[2:].decode() for packet in container.demux(stream) if packet.size > 2]
    assert texts == ["Good evening", LINES[1].text]
