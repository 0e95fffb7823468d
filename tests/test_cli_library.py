"""`list`, `info`, `stats` and `remove` on a small library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app.cli import main
from db.library import Library
from db.media_facts import AudioTrack, MediaFacts
from db.records import EncoderChoice, Failure
from db.timed_text import TextSource, TimedLine

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(tmp_path, ColourEncoder())))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=input)


def listed(*arguments: str) -> list[str]:
    return [os.path.relpath(line) for line in run("list", "--paths", *arguments).stdout.splitlines()]


@pytest.mark.usefixtures("root")
def test_list_shows_what_is_there_gone_changed_and_failed() -> None:
    Path("films/green.mp4").write_bytes(b"another")
    lines = run("list").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["length", "shots", "status", "file"],
        ["10s", "1", "missing", "films/gone.mp4"],
        ["3.0s", "1", "changed", "films/green.mp4"],
        ["4.0s", "2", "ok", "films/red.mp4"],
        ["2.0s", "1", "ok", "other/red@home.mp4"],
        ["failed", "films/broken.mp4:", "This", "is", "not", "a", "video."],
    ]
    assert len({line.rindex("films/") for line in lines[1:4]}) == 1, "the last column is aligned"


@pytest.mark.usefixtures("root")
def test_list_narrows_by_folder_and_status() -> None:
    assert listed("other") == ["other/red@home.mp4"]
    assert listed("oth") == []
    assert listed("--missing") == ["films/gone.mp4"]
    assert listed("--failed") == ["films/broken.mp4"]
    assert listed("other", "--failed") == []
    assert run("list", "--failed", "--missing").exit_code == 2


@pytest.mark.usefixtures("root")
def test_list_as_json_holds_every_fact() -> None:
    records = {os.path.basename(each["path"]): each for each in json.loads(run("list", "--json").stdout)}
    red = records["red.mp4"]
    assert (red["duration_seconds"], red["shots"], red["segments"], red["status"]) == (4.0, 2, 2, "ok")
    assert (red["width"], red["height"], red["codec"], red["frame_rate"]) == (64, 48, "h264", "25")
    assert records["broken.mp4"]["reason"] == "This is not a video."


@pytest.mark.usefixtures("root")
def test_every_document_has_the_ids_that_scripts_join_by(root: Path) -> None:
    listed = {os.path.basename(each["path"]): each["id"] for each in json.loads(run("list", "--json").stdout)}
    assert listed["broken.mp4"] is None, "a file that could not be indexed has no id"
    assert len({*listed.values()}) == len(listed)
    assert json.loads(run("info", "films/red.mp4", "--json").stdout)["id"] == listed["red.mp4"]
    with Library.open(root / "library") as library:
        assert json.loads(run("stats", "--json").stdout)["id"] == library.id
        assert library.video(listed["red.mp4"]).path == str(root / "films" / "red.mp4")
        library.hide_videos([listed["red.mp4"]])
    [gone] = json.loads(run("list", "--vanished", "--json").stdout)
    assert gone["id"] == listed["red.mp4"]


def test_a_name_with_a_line_break_is_one_line_or_ends_with_a_null_byte(root: Path) -> None:
    path = root / "two\nlines.mp4"
    with Library.open(root / "library") as library:
        cli_library.add(library, ColourEncoder(), path, [((9, 9, 9), 0, 1)])
    count = len(json.loads(run("list", "--json").stdout))
    lines = run("list", "--paths").stdout_bytes.splitlines()
    assert len(lines) == count
    assert os.fsencode(root) + rb"/two\nlines.mp4" in lines
    for words in (["-0"], ["--null"], ["--paths", "-0"]):
        names = run("list", *words).stdout_bytes.removesuffix(b"\0").split(b"\0")
        assert len(names) == count
        assert os.fsencode(path) in names


def test_the_rate_of_a_video_is_the_nominal_one_also_where_frames_were_dropped(root: Path) -> None:
    facts = MediaFacts(nominal_rate=Fraction(30), field_order="tff", audio=(AudioTrack(codec="aac", channels=6),))
    with Library.open(Path(os.environ["PRISMSEARCH_LIBRARY"])) as library:
        red = next(video for video in library.videos() if video.path.endswith("films/red.mp4"))
        assert red.id is not None
        library.set_facts(red.id, timecode="01:00:00;02", facts=facts, kinds=frozenset())
    [record] = [each for each in json.loads(run("list", "--json").stdout) if each["path"] == red.path]
    assert (record["frame_rate"], record["average_frame_rate"]) == ("30", "25")
    assert (record["timecode"], record["field_order"], record["audio_channels"]) == ("01:00:00;02", "tff", [6])
    assert "30 frames/s" in run("info", "films/red.mp4").stdout


@pytest.mark.usefixtures("root")
def test_info_says_the_shots_counted_from_the_first_frame_shown() -> None:
    result = run("info", "films/red.mp4")
    assert result.exit_code == 0
    assert "00:00:00.000-00:00:02.000" in result.stdout
    assert "00:00:02.000-00:00:04.000" in result.stdout
    record = json.loads(run("info", "films/red.mp4", "--json").stdout)
    assert [(each["start"], each["end"]) for each in record["segments"]] == [("0", "2"), ("2", "4")]
    assert record["segments"][1]["start_pts"] == cli_library.START + 2 * cli_library.RATE


def test_info_says_the_parts_of_a_long_shot(root: Path) -> None:
    with Library.open(Path(os.environ["PRISMSEARCH_LIBRARY"])) as library:
        shots = [((255, 0, 0), 0, 8), ((255, 0, 0), 7, 15), ((0, 0, 255), 15, 17)]
        cli_library.add(library, ColourEncoder(), root / "films/long.mp4", shots, shot_numbers=[0, 0, 1])
    lines = run("info", "films/long.mp4").stdout.splitlines()
    assert [" ".join(line.split()) for line in lines[-4:]] == [
        "1 00:00:00.000-00:00:15.000",
        "00:00:00.000-00:00:08.000 part 1 of 2",
        "00:00:07.000-00:00:15.000 part 2 of 2",
        "2 00:00:15.000-00:00:17.000",
    ]


def test_info_says_where_words_come_from(root: Path) -> None:
    with Library.open(root / "library") as library:
        video = library.video_at(str(root / "films" / "red.mp4"))
        assert video is not None
        for source, lines in (
            (TextSource(kind="subtitle", origin="red.en.srt", file="red.en.srt", language="en"), 2),
            (TextSource(kind="subtitle", origin="track 2", title="Signs", language="de", forced=True), 1),
            (TextSource(kind="screen", engine="letters@1"), 0),
            (TextSource(kind="tag", origin="title", title="title"), 1),
            (TextSource(kind="tag", origin="read"), 0),
        ):
            library.texts.replace(video.id or 0, source, [TimedLine(0, 500, "word")] * lines)
    said = [line.removeprefix("words").strip() for line in run("info", "films/red.mp4").stdout.splitlines()]
    assert said[said.index("writing on screen: 0 lines, letters@1") :][:4] == [
        "writing on screen: 0 lines, letters@1",
        "subtitles (en): 2 lines, red.en.srt",
        "subtitles (de, forced): 1 line, track 2 Signs",
        "titles and tags: 1 line, title",
    ]
    record = json.loads(run("info", "films/red.mp4", "--json").stdout)["words"]
    assert [(each["kind"], each["language"], each["lines"], each["engine"]) for each in record] == [
        ("screen", "", 0, "letters@1"), ("subtitle", "en", 2, ""), ("subtitle", "de", 1, ""), ("tag", "", 1, ""),
    ]  # fmt: skip


@pytest.mark.usefixtures("root")
def test_info_of_what_is_not_there_says_why() -> None:
    failed = run("info", "films/broken.mp4")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "This is not a video." in failed.stderr
    unknown = run("info", "films/unknown.mp4")
    assert unknown.exit_code == 3
    assert "none by that name in the library" in unknown.stderr


@pytest.mark.usefixtures("root")
def test_stats_count() -> None:
    record = json.loads(run("stats", "--json").stdout)
    assert (record["videos"], record["shots"], record["segments"], record["failures"]) == (4, 5, 5, 1)
    assert record["seconds"] == pytest.approx(19)
    assert record["encoders"] == [
        {"id": ColourEncoder().id, "text_id": None, "dim": 16, "segments": 5, "quick_of": None}
    ]
    assert "4 (19s in total)" in run("stats").stdout


def test_stats_name_the_text_encoder_that_was_used_last(root: Path) -> None:
    encoder = ColourEncoder()
    with Library.open(root / "library") as library:
        library.use_encoders(
            EncoderChoice(name="colour", encoder_id=encoder.id, frames=None, fit="stretch", text_id=encoder.text_id)
        )
    [record] = json.loads(run("stats", "--json").stdout)["encoders"]
    assert (record["id"], record["text_id"]) == (encoder.id, encoder.text_id)


def test_remove_forgets_and_never_touches_files(root: Path) -> None:
    result = run("remove", "films/red.mp4", "--yes")
    assert result.exit_code == 0
    assert "no video file was touched" in result.stdout
    assert (root / "films" / "red.mp4").exists()
    assert "films/red.mp4" not in listed()
    assert run("remove", "films", "-y").exit_code == 0
    assert listed() == ["other/red@home.mp4"], "failed files below the folder are forgotten, too"
    assert (root / "films" / "broken.mp4").exists()


@pytest.mark.usefixtures("root")
def test_remove_asks_and_without_a_terminal_refuses() -> None:
    result = run("remove", "films", input="y\n")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert len(listed()) == 5


@pytest.mark.usefixtures("root")
def test_remove_asks_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.shell.questions.has_terminal", lambda: True)
    kept = run("remove", "films", input="n\n")
    assert kept.exit_code == 1
    assert "Remove 3 videos and 1 failed file from the library?" in kept.stderr
    assert len(listed()) == 5
    assert run("remove", "films", input="y\n").exit_code == 0
    assert len(listed()) == 1


@pytest.mark.usefixtures("root")
def test_remove_missing_takes_only_what_is_gone() -> None:
    assert run("remove", ".", "--missing", "--yes").exit_code == 0
    assert listed() == ["films/green.mp4", "films/red.mp4", "other/red@home.mp4", "films/broken.mp4"]
    assert "no file is missing" in run("remove", ".", "--missing", "--yes").stderr


@pytest.mark.usefixtures("root")
def test_remove_of_what_is_unknown_changes_nothing() -> None:
    result = run("remove", "films/red.mp4", "nowhere", "--yes")
    assert result.exit_code == 3
    assert "nothing was removed" in result.stderr
    assert len(listed()) == 5


def test_an_empty_library_says_what_to_do(tmp_path: Path) -> None:
    result = run("list", "--library", str(tmp_path / "none"))
    assert result.exit_code == 3
    assert result.stderr.startswith("prismsearch: ")
    assert result.stderr.count("\n") == 1


def test_what_was_indexed_through_a_link_is_found_by_its_real_name_and_the_other_way_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real, target_is_directory=True)
    for spelled, other in ((real, link), (link, real)):
        directory = tmp_path / f"library of {spelled.name}"
        encoder = ColourEncoder()
        with Library.open(directory) as library:
            for name in ("a/red.mp4", "a/b/green.mp4", "ab/blue.mp4"):
                cli_library.add(library, encoder, spelled / name, [((200, 0, 0), 0, 1)])
            broken = Failure(
                path=str(spelled / "c" / "x.mp4"), size_bytes=1, modified_ns=1, kind="empty", reason="Empty."
            )
            library.record_failure(broken)
        (real / "c").mkdir(exist_ok=True)
        (real / "c" / "x.mp4").touch()
        monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(directory))
        assert run("info", str(other / "a" / "red.mp4")).exit_code == 0
        for folder, names in {"a": ["a/b/green.mp4", "a/red.mp4"], "a/b": ["a/b/green.mp4"], "c": ["c/x.mp4"]}.items():
            found = run("list", "--paths", str(other / folder)).stdout.splitlines()
            assert found == [str(spelled / name) for name in names]
        assert run("list", "--paths", str(tmp_path / "elsewhere")).stdout == ""
        assert run("remove", str(other / "a"), "--yes").exit_code == 0
        assert run("list", "--paths").stdout.splitlines() == [str(spelled / "ab/blue.mp4"), str(spelled / "c/x.mp4")]


@pytest.mark.usefixtures("root")
def test_names_that_the_terminal_cannot_show_are_escaped() -> None:
    with Library.open(Path("library")) as library:
        cli_library.add(library, ColourEncoder(), Path("films/日本.mp4").absolute(), [((1, 1, 1), 0, 1)])
    code = "from app.cli import main; main(prog_name='prismsearch')"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(ROOT)}
    result = subprocess.run([sys.executable, "-c", code, "list"], env=environment, capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert rb"films/\u65e5\u672c.mp4" in result.stdout


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"]])
def test_the_list_counts_all_videos_in_one_query(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    def video_by_video(*_: object) -> None:
        raise AssertionError("one query for each video")

    expected = run(*arguments).stdout
    monkeypatch.setattr("db.library.Library.shots", video_by_video)
    monkeypatch.setattr("db.library.Library.segments_of", video_by_video)
    assert run(*arguments).stdout == expected
    assert expected.count("red.mp4")
