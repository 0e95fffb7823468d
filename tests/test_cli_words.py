"""`index --read-text` and `transcribe`: each video once, however a run ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from numpy.typing import NDArray
from stand_in_recognition import PaintedTextReader, ToneTranscriber, say
from synthetic import make_video
from talkies import SIZE, card, index, make_talkie

from app import compose, word_engines
from app.cli import main
from app.commands.read_text import read_indexed_videos
from app.commands.transcribe_run import download_speech_model
from app.jobs import recognition_cost
from app.jobs.command_line import words_of
from app.jobs.jobs import Jobs
from app.jobs.orders import ReadTextOrder, TranscribeOrder, order_from_json, order_of, order_to_json
from app.shell.errors import CommandError
from db.library import Library
from db.timed_text import TextKind, TextSource, TimedLine
from encoder.checkpoints.download_policy import Sources
from encoder.checkpoints.transfer import DownloadProgress
from recognition.screen import models as screen_models

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


class CountingReader(PaintedTextReader):
    """Stops the process, as Ctrl-C does, after some frames."""

    def __init__(self, stop_after: int = 10**9) -> None:
        super().__init__()
        self.stop_after = stop_after

    def read(self, frame: NDArray[np.uint8]) -> Any:
        if self.frames == self.stop_after:
            os.kill(os.getpid(), signal.SIGINT)
        return super().read(frame)


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: ColourEncoder())
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "first.mp4", [(card("alfa", 60), 25), (card("", 200), 25)], size=SIZE)
    make_video(folder / "second.mp4", [(card("beta", 60), 25)], size=SIZE)
    return folder


@pytest.fixture
def talks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with a talk in German, one in English, one with subtitles, and a silent video."""
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(word_engines, "require_speech", lambda: None)
    monkeypatch.setattr(word_engines, "open_transcriber", lambda settings, model, sources: ToneTranscriber())
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "talks"
    make_talkie(folder / "a german.mkv", say("rot", "blau"), seconds=1)
    make_talkie(folder / "b english.mkv", say("red", 0.5, "green"), seconds=2)
    make_talkie(folder / "c subtitled.mkv", say("red"), seconds=1)
    make_video(folder / "d silent.mp4", [("red", 25)])
    with Library.open(tmp_path / "library") as library:
        index(library, [folder])
        [video] = [video for video in library.videos() if "subtitled" in video.path]
        assert video.id is not None
        library.texts.replace(video.id, TextSource(kind="subtitle"), [TimedLine(0, 500, "Red.")])
    return folder


def texts(kind: TextKind) -> dict[str, list[str]]:
    """Return the lines of a kind by the name of the video; videos that have a source only."""
    with Library.open(Path("library")) as library:
        return {
            Path(video.path).name: [each.line.text for each in library.texts.lines(video.id or 0, kinds=[kind])]
            for video in library.videos()
            if any(source.kind == kind for source in library.texts.sources(video.id or 0))
        }


def test_text_is_read_after_indexing_and_only_once(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = CountingReader()
    monkeypatch.setattr(word_engines, "open_text_reader", lambda: reader)
    assert run("index", "films").exit_code == 0
    assert texts("screen") == {}, "it is off unless it is asked for"

    result = run("index", "films", "--read-text")
    assert result.exit_code == 0, result.output
    assert "2 videos unchanged" in result.stdout
    assert texts("screen") == {"first.mp4": ["alfa"], "second.mp4": ["beta"]}
    assert "text on screen: 2 lines in 2 videos; 3 frames of 3 shots read, " in result.stderr
    assert "CPU seconds a shot" in result.stderr
    assert "reading text  0/2 videos" in result.stderr
    states = Jobs(Path("library")).all()
    assert [(state.kind, state.outcome) for state in states][:2] == [("read-text", "done"), ("index", "done")]
    assert states[0].arguments[:2] == ("index", "--read-text")

    read = reader.frames
    again = run("index", "films", "--read-text")
    assert "every video was read before" in again.stderr
    assert reader.frames == read


def test_a_stopped_reading_goes_on_with_the_video_that_it_was_at(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_engines, "open_text_reader", lambda: CountingReader(stop_after=2))
    result = run("index", "films", "--read-text")
    assert result.exit_code == 130, result.output
    assert "what was finished is kept" in result.stderr
    assert list(texts("screen")) == ["first.mp4"]
    assert Jobs(Path("library")).all()[0].outcome == "stopped"

    reader = CountingReader()
    monkeypatch.setattr(word_engines, "open_text_reader", lambda: reader)
    assert run("index", "films", "--read-text").exit_code == 0
    assert texts("screen") == {"first.mp4": ["alfa"], "second.mp4": ["beta"]}
    assert reader.frames == 1


def test_a_job_reads_what_is_indexed_and_nothing_new(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = CountingReader()
    monkeypatch.setattr(word_engines, "open_text_reader", lambda: reader)
    assert run("index", "films").exit_code == 0
    make_video(films / "third.mp4", [(card("gamma", 60), 25)], size=SIZE)
    order = ReadTextOrder(paths=(str(films),))
    settings = compose.Settings(library=tmp_path / "library")
    monkeypatch.setattr(compose, "open_encoder", None)  # it needs none
    read_indexed_videos(settings, order)
    assert texts("screen") == {"first.mp4": ["alfa"], "second.mp4": ["beta"]}
    [state, _] = Jobs(Path("library")).all()
    assert (state.kind, state.outcome, order_of(state)) == ("read-text", "done", order)
    assert state.arguments == ("index", "--read-text", "--", str(films))
    assert (state.report["seconds"], state.report["elapsed_seconds"] > 0) == (3.0, True)

    read = reader.frames
    read_indexed_videos(settings, order)
    assert reader.frames == read
    read_indexed_videos(settings, replace(order, redo=True))
    assert reader.frames == 2 * read


def test_a_library_that_is_read_only_is_not_read(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("index", "films").exit_code == 0
    monkeypatch.setattr(word_engines, "open_text_reader", None)
    monkeypatch.setattr(Library, "read_only", True)
    with pytest.raises(CommandError, match="is read-only: no text was read"):
        read_indexed_videos(compose.Settings(library=Path("library")), ReadTextOrder(paths=(str(films),)))


def planned(*arguments: str) -> tuple[str, Any]:
    """The line of a dry run about text on screen, and its record."""
    result = run("index", *arguments, "--read-text", "--dry-run")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.startswith("text on screen")]
    record = json.loads(run("index", *arguments, "--read-text", "--dry-run", "--json").stdout)
    return " ".join("".join(lines).split()[3:]), record["read_text"]


def test_a_dry_run_says_what_would_be_read(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_engines, "require_text_reader", lambda: None)
    monkeypatch.setattr(word_engines, "text_reader_id", lambda: PaintedTextReader.id)
    monkeypatch.setattr(word_engines, "open_text_reader", PaintedTextReader)
    monkeypatch.setattr(recognition_cost, "cores", lambda: 2)
    monkeypatch.setattr(recognition_cost, "_LEAST_SECONDS", 1e9)  # the job here says nothing of speed, however slow
    nothing = {"videos": [], "shots": 0, "seconds": 0.0}
    assert planned("films") == ("what is new or changed", nothing)
    assert not Path("library").exists()

    assert run("index", "films").exit_code == 0
    both = [str(films / "first.mp4"), str(films / "second.mp4")]
    assert planned("films") == ("2 videos (3 shots, roughly 1.5s)", {"videos": both, "shots": 3, "seconds": 1.5})
    assert texts("screen") == {}
    assert planned("films/second.mp4")[1]["videos"] == both[1:]

    assert run("index", "films/first.mp4", "--read-text").exit_code == 0
    make_video(films / "third.mp4", [(card("gamma", 60), 25)], size=SIZE)
    assert planned("films") == (
        "1 video (1 shot, roughly 0.5s), and what is new or changed",
        {"videos": both[1:], "shots": 1, "seconds": 0.5},
    )
    assert planned("films", "--redo")[1]["videos"] == both
    make_video(films / "second.mp4", [(card("delta", 60), 50)], size=SIZE)
    assert planned("films") == ("what is new or changed", nothing)
    (films / "third.mp4").unlink()
    assert run("index", "films", "--read-text").exit_code == 0
    assert planned("films") == ("every video was read before", nothing)


def test_without_the_extra_a_dry_run_says_so(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_models, "_folder", lambda: None)
    result = run("index", "films", "--read-text", "--dry-run")
    assert result.exit_code == 3
    assert "pip install 'prismsearch[ocr]'" in result.stderr


def test_without_the_extra_nothing_is_begun(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_models, "_folder", lambda: None)
    result = run("index", "films", "--read-text")
    assert result.exit_code == 3
    [line] = result.stderr.splitlines()
    assert "pip install 'prismsearch[ocr]'" in line
    assert not Path("library").exists()


def test_two_jobs_transcribe_each_video_once(talks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another job has in work is left to it, and what it has done since this one began is not done again."""
    with Library.open(Path("library")) as library, library.claims("transcribe") as other:
        german, english = (video for video in library.videos() if "german" in video.path or "english" in video.path)
        other.take({f"transcribe-{german.fingerprint}": german.path}, 1)
        result = run("transcribe", "--json")
        assert json.loads(result.stdout)["done"] == 1
        assert "1 video left to other jobs, which had them in work" in result.stderr
        assert list(texts("speech")) == ["b english.mkv"]

        class Slow(ToneTranscriber):
            def transcribe(self, *arguments: Any, **options: Any) -> Any:
                if not library.texts.sources(english.id or 0)[0].engine.startswith("other"):
                    source = TextSource(kind="speech", engine="other engine")
                    library.texts.replace(english.id or 0, source, [TimedLine(0, 500, "By another job.")])
                return super().transcribe(*arguments, **options)

        monkeypatch.setattr(word_engines, "open_transcriber", lambda settings, model, sources: Slow())
        other.close()
        result = run("transcribe", "--redo")
        assert "1 video left to other jobs" in result.stderr
        assert texts("speech")["b english.mkv"] == ["By another job."]
        assert texts("speech")["a german.mkv"]


def test_speech_is_transcribed_where_there_are_no_subtitles(talks: Path) -> None:
    result = run("transcribe", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["done"], report["lines"], report["languages"]) == (2, 3, {"de": 1, "en": 1})
    assert "left out: 1 without sound, 1 with subtitles (--also-subtitled)" in result.stderr
    assert texts("speech") == {"a german.mkv": ["rot blau"], "b english.mkv": ["red", "green"]}
    with Library.open(Path("library")) as library:
        languages = {source.language for each in library.texts.sources_of().values() for source in each}
    assert languages == {"de", "en", ""}

    again = run("transcribe")
    assert again.exit_code == 0
    assert "2 transcribed before (--redo)" in again.stderr
    assert "nothing to transcribe" in again.stderr

    more = run("transcribe", "talks/c subtitled.mkv", "--also-subtitled")
    assert more.exit_code == 0
    assert "speech: 1 line in 1 video (en 1)" in more.stderr


def test_a_missing_file_costs_itself(talks: Path) -> None:
    (talks / "a german.mkv").unlink()
    result = run("transcribe")
    assert result.exit_code == 1
    assert "a german.mkv: The file is not there" in result.stderr
    assert list(texts("speech")) == ["b english.mkv"]


def test_wrong_words_are_one_line(talks: Path) -> None:
    wrong = run("transcribe", "--language", "fr")
    assert (wrong.exit_code, "--language" in wrong.stderr) == (2, True)
    nowhere = run("transcribe", "elsewhere")
    assert (nowhere.exit_code, "the library has no videos in" in nowhere.stderr) == (3, True)


def test_without_the_extra_speech_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    result = run("transcribe")
    assert result.exit_code == 3
    [line] = result.stderr.splitlines()
    assert "pip install 'prismsearch[speech]'" in line


KILLED = """
import os
import sys
from app import word_engines
from app.cli import main
from stand_in_recognition import ToneTranscriber

class Killed(ToneTranscriber):
    def _hear(self, samples, language):
        if self.heard_seconds:
            os.kill(os.getpid(), 9)
        return super()._hear(samples, language)

word_engines.require_speech = lambda: None
word_engines.open_transcriber = lambda settings, model, sources: Killed()
main(["transcribe"])
"""


def test_a_speech_model_comes_in_a_job_of_its_own(talks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is announced by whoever starts the job; stopped, it goes on with the transcription."""
    fetched: list[tuple[str, bool]] = []

    def fetch(model: str, sources: Sources) -> None:
        assert sources.confirm is not None
        fetched.append((model, sources.confirm("486 MB")))
        assert sources.on_progress is not None
        sources.on_progress(DownloadProgress("model.bin", 100, 400))

    monkeypatch.setattr(word_engines, "fetch_speech_model", fetch)
    order = TranscribeOrder(model="base", fetch=True)
    download_speech_model(compose.Settings(library=Path("library")), order)
    assert fetched == [("base", True)]
    [state] = Jobs(Path("library")).all()
    assert (state.kind, state.title, state.outcome) == ("download", "speech model base", "done")
    assert (state.progress.phase, state.progress.fraction) == ("download", 0.25)
    assert state.message == "the speech model base is on this machine"
    assert order_of(state) == order


def test_after_a_kill_the_next_run_goes_on(talks: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run([sys.executable, "-c", KILLED], env=os.environ | {"PYTHONPATH": path}, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert texts("speech") == {"a german.mkv": ["rot blau"]}
    result = run("transcribe")
    assert result.exit_code == 0, result.output
    assert "1 transcribed before (--redo)" in result.stderr
    assert texts("speech") == {"a german.mkv": ["rot blau"], "b english.mkv": ["red", "green"]}


def test_the_order_of_a_job_is_its_command() -> None:
    order = TranscribeOrder(model="base", language="de", paths=("/videos",))
    assert words_of(order) == ["transcribe", "--model", "base", "--language", "de", "--", "/videos"]
    assert order_from_json(order_to_json(order)) == order
