"""`export --collection` as the shell offers it: which clips, where to, which lists, and the journal of the run."""

from __future__ import annotations

import json
import shutil
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.child import run_order
from app.cli import main
from app.compose import Settings
from app.exporting.request import ExportOptions
from app.jobs.jobs import Jobs
from app.jobs.orders import ExportOrder, order_of, write_order
from app.timelines.writing import FORMATS
from db.library import Library
from db.records import NewSubclip

NAME = "Reel <1> \u6f22"


@pytest.fixture
def reel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two files of 50 frames, and a collection of three subclips of them; gives their ids."""
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    keys = {"x264-params": "keyint=10:min-keyint=10:scenecut=0"}
    make_video("films/one.mp4", [("red", 25), ("blue", 25)], options=keys)
    make_video("films/two.mp4", [("green", 25), ("white", 25)], options=keys)
    assert run("index", "films").exit_code == 0
    monkeypatch.setattr(compose, "open_encoder", None)  # exports of a collection need none
    with Library.open(tmp_path / "library") as library:
        segments = {video.path[-7:-4]: library.segments_of(video.id or 0) for video in library.videos()}
        collection = library.collections.create(NAME)
        first, second = segments["one"][:2]
        base = 512  # pts a frame, at 25 frames a second in MP4
        items = [
            NewSubclip(segment_id=second.id or 0, name="the blue one", note="keep\nthis", score=0.5),
            NewSubclip(segment_id=segments["two"][0].id or 0, start_pts=0, end_pts=20 * base),
            NewSubclip(segment_id=first.id or 0, start_pts=5 * base, end_pts=15 * base, name="../red"),
        ]
        return [each.id for each in library.collections.add(collection.id, items)]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def files(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def frames(path: str | Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.usefixtures("reel")
def test_a_collection_becomes_clips_in_its_order() -> None:
    result = run("export", "--collection", NAME, "--to", "clips", "--mode", "smart")
    assert result.exit_code == 0, result.output
    assert files("clips") == [
        "001_the blue one_00h00m01.000s-00h00m02.000s.mp4",
        "002_two_00h00m00.000s-00h00m00.800s.mp4",
        "003__red_00h00m00.200s-00h00m00.600s.mp4",
        "clips.csv",
        "clips.json",
    ]
    assert [frames(f"clips/{name}") for name in files("clips")[:3]] == [25, 20, 10]
    assert "20 of 25 frames copied as they are" in result.stdout


def test_some_of_it_by_id_with_handles_names_and_lists(reel: list[int]) -> None:
    result = run(
        "export", "--collection", NAME.upper(), "--subclips", f"{reel[2]},{reel[0]}", "--to", "out",
        "--handles", "0.08", "--name", "{collection} {rank} {label}", "--list", "edl,otio", "--list", "CSV", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    stem = "Reel _1_ \u6f22"
    assert files("out") == sorted(
        [f"{stem} 001 the blue one.mp4", f"{stem} 003 _red.mp4", f"{stem}.csv", f"{stem}.edl", f"{stem}.otio"]
    )
    assert [frames(each["file"]) for each in document["clips"]] == [27, 14], "to the end, and two on either side"
    assert document["written"] == 2
    assert document["folder"] == str(Path("out").absolute())
    edl = Path(f"out/{stem}.edl").read_text()
    assert "00:00:01:00 00:00:02:00" in edl, "lists tell the range without handles"
    assert "00:00:00:05 00:00:00:15" in edl


def test_one_zip(reel: list[int]) -> None:
    result = run("export", "--collection", NAME, "--zip", "a/all.zip", "--list", "fcpxml", "--clips", str(reel[1]))
    assert result.exit_code == 0, result.output
    assert files("a") == ["all.zip"]
    with zipfile.ZipFile("a/all.zip") as archive:
        assert archive.namelist() == ["002_two_00h00m00.000s-00h00m00.800s.mp4", "Reel _1_ \u6f22.fcpxml"]


@pytest.mark.usefixtures("reel")
def test_lists_only_need_no_file() -> None:
    shutil.rmtree("films")
    result = run("export", "--collection", NAME, "--to", "lists", "--lists-only", "--list", ",".join(FORMATS))
    assert result.exit_code == 0, result.output
    assert len(files("lists")) == len(FORMATS)
    assert run("export", "--collection", NAME, "--to", "lists", "--lists-only").exit_code == 2


@pytest.mark.usefixtures("reel")
def test_a_source_that_is_gone_fails_alone_and_is_still_listed() -> None:
    Path("films/two.mp4").unlink()
    result = run("export", "--collection", NAME, "--to", "clips", "--list", "json")
    assert result.exit_code == 1
    assert result.stderr.count("not written: ") == 1
    assert "no longer there" in result.stderr
    assert len(files("clips")) == 4, "two clips, the list, and what the next run goes by"
    listed = json.loads(next(Path("clips").glob("Reel*.json")).read_text())["clips"]
    assert len(listed) == 3


@pytest.mark.usefixtures("reel")
def test_the_run_keeps_a_journal() -> None:
    Path("films/two.mp4").unlink()
    assert (
        run("export", "--collection", NAME, "--zip", "all.zip", "--mode", "smart", "--handles", "0.5s").exit_code == 1
    )
    state, *_ = [each for each in Jobs(Path("library")).all() if each.kind == "export"]
    assert (state.title, state.outcome, state.failed) == (NAME, "done", 1)
    assert state.failures[0].path.endswith("two.mp4")
    assert state.report["zip"] == str(Path("all.zip").absolute())
    assert (state.report["written"], state.message) == (2, "2 clips, 2 lists, 1 not written")
    again = list(state.arguments)
    assert again[:1] == ["export"]
    assert again[again.index("--zip") + 1] == str(Path("all.zip").absolute())
    assert again[again.index("--collection") + 1] == NAME
    order = order_of(state)
    assert isinstance(order, ExportOrder)
    assert (order.options.zip, order.collection_name) == (Path("all.zip").absolute(), NAME), "from anywhere"
    assert run(*again).exit_code == 1
    assert {each.name for each in Path(".").glob("*.zip")} == {"all.zip", "all_2.zip"}


@pytest.mark.usefixtures("reel")
def test_a_run_that_is_asked_to_stop_goes_on_later(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.jobs import journal

    with monkeypatch.context() as patch:
        asked = iter([False, True, True, True, True])
        patch.setattr(journal.Job, "stop_requested", lambda self: next(asked))
        result = run("export", "--collection", NAME, "--zip", "all.zip")
        assert result.exit_code == 130
        assert "run the same command again" in result.stderr
    state = Jobs(Path("library")).all()[0]
    assert (state.outcome, state.failed, state.report["written"]) == ("stopped", 0, 1)
    assert not Path("all.zip").exists()
    assert run(*state.arguments).exit_code == 0
    with zipfile.ZipFile("all.zip") as archive:
        assert len(archive.namelist()) == 5


def test_a_job_exports_the_collection_that_its_order_names_by_id(
    reel: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ExportOptions(folder=tmp_path / "clips", handles_seconds=Fraction(2, 25), lists=("edl",))
    with Library.open(tmp_path / "library") as library:
        collection = next(each for each in library.collections.all() if each.name == NAME)
        library.collections.rename(collection.id, "Reel 2")
        library.collections.create(NAME)
    order = ExportOrder(collection=collection.id, collection_name=NAME, subclips=(reel[2], reel[0]), options=options)
    write_order(tmp_path, order, Settings(library=tmp_path / "library"))
    assert run_order(tmp_path) == 0
    assert [frames(f"clips/{name}") for name in files("clips") if name.endswith(".mp4")] == [27, 14]
    assert "Reel 2.edl" in files("clips"), "named as it is called now"
    assert order_of(Jobs(tmp_path / "library").all()[0]) == order
    with Library.open(tmp_path / "library") as library:
        library.collections.remove(collection.id)
    capsys.readouterr()
    assert run_order(tmp_path) == 3
    assert capsys.readouterr().err == "prismsearch: the collection Reel <1> \u6f22 is no longer there\n"


def test_clips_of_content_that_moved_are_found(reel: list[int], tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        (video,) = [each for each in library.videos() if each.path.endswith("one.mp4")]
        new = tmp_path / "films" / "moved.mp4"
        Path(video.path).rename(new)
        stat = new.stat()
        library.touch_video(video.id or 0, path=str(new), size_bytes=stat.st_size, modified_ns=stat.st_mtime_ns)
    assert run("export", "--collection", NAME, "--to", "clips", "--subclips", str(reel[0])).exit_code == 0
    assert frames(Path("clips") / files("clips")[0]) == 25


@pytest.mark.usefixtures("reel")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--collection", NAME], 2, "--zip FILE"),
        (["--collection", NAME, "--to", "x", "--zip", "y.zip"], 2, "choose where to write"),
        (["--collection", NAME, "red", "--to", "x"], 2, "give one of"),
        (["--collection", "nothing", "--to", "x"], 3, "Reel <1>"),
        (["--collection", NAME, "--subclips", "999", "--to", "x"], 2, "999"),
        (["--collection", NAME, "--subclips", "a", "--to", "x"], 2, "ids"),
        (["--subclips", "1", "red", "--to", "x"], 2, "--collection"),
        (["--collection", NAME, "--to", "x", "--name", "{title}"], 2, "{label}"),
        (["--collection", NAME, "--to", "x", "--list", "xls"], 2, "fcpxml"),
        (["--collection", NAME, "--to", "x", "--handles", "-1"], 2, "time"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_code(arguments: list[str], code: int, words: str) -> None:
    result = run("export", *arguments)
    assert result.exit_code == code, result.output
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert not Path("x").exists()


def test_an_empty_collection_is_said(reel: list[int], tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        library.collections.take_out(reel)
    result = run("export", "--collection", NAME, "--to", "x")
    assert result.exit_code == 1
    assert "is empty; there is nothing to export" in result.stderr


@pytest.mark.usefixtures("reel")
def test_hits_are_listed_for_editing_programs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    assert run("export", "blue", "-k", "1", "--to", "hits", "--list", "edl", "--lists-only").exit_code == 0
    assert "00:00:01:00 00:00:02:00" in Path("hits/clips.edl").read_text()
    assert run("export", "films/one.mp4@0.4-1.2", "--to", "ranges", "--list", "otio,edl").exit_code == 0
    assert "00:00:00:10 00:00:01:05" in Path("ranges/clips.edl").read_text()
    assert Fraction(frames(next(Path("ranges").glob("*.mp4")))) == 20
