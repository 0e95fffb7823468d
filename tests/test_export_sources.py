"""Another film under an indexed name is never exported as the old one; of equal files, one that is there is taken."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.cli import main
from app.exporting.request import ClipRequest
from app.exporting.sources import CHANGED, REPLACED, Sources
from db.library import Library
from db.records import NewSubclip
from indexer.fingerprint import fingerprint
from indexer.identity import Identity


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make_video(str(folder / "red.mp4"), [("red", 25)])
    make_video(str(folder / "blue.mp4"), [("blue", 25)])
    return folder


@pytest.fixture
def place(tmp_path: Path, films: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with films/x.mp4, which is red, and a collection C of it."""
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    shutil.copy2(films / "red.mp4", "films/x.mp4")
    index()
    with Library.open(tmp_path / "library") as library:
        (video,) = library.videos()
        collection = library.collections.create("C")
        segment = library.segments_of(video.id or 0)[0]
        library.collections.add(collection.id, [NewSubclip(segment_id=segment.id or 0)])
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def index(*options: str) -> None:
    result = run("index", "films", "--yes", *options)
    assert result.exit_code == 0, result.output


def put_another_film(films: Path) -> None:
    shutil.copyfile(films / "blue.mp4", "films/x.mp4")


def colour(path: str | Path) -> str:
    with av.open(str(path)) as container:
        pixel = next(container.decode(video=0)).to_ndarray(format="rgb24")[10, 10]
    return ("red", "green", "blue")[int(pixel.argmax())]


def written(folder: str = "out") -> list[str]:
    return (
        sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))
        if Path(folder).is_dir()
        else []
    )


COLLECTION = ("export", "--collection", "C")
WORDS = ("export", "red")


@pytest.mark.parametrize("what", [COLLECTION, WORDS])
@pytest.mark.parametrize("mode", ["exact", "smart", "copy"])
def test_another_film_under_the_name_is_not_cut(place: Path, films: Path, what: tuple[str, ...], mode: str) -> None:
    put_another_film(films)
    result = run(*what, "--to", "out", "--mode", mode)
    assert result.exit_code == 1
    assert result.stderr.count(REPLACED) == 1
    assert written() == []
    shutil.copy2(films / "red.mp4", "films/x.mp4")
    assert run(*what, "--to", "out", "--mode", mode).exit_code == 0


def test_neither_once_it_was_indexed(place: Path, films: Path) -> None:
    put_another_film(films)
    index()
    result = run(*COLLECTION, "--to", "out")
    assert (result.exit_code, REPLACED in result.stderr, written()) == (1, True, [])


def test_nor_put_into_a_zip_or_a_list(place: Path, films: Path) -> None:
    put_another_film(films)
    assert run(*COLLECTION, "--zip", "o.zip").exit_code == 1
    assert not Path("o.zip").exists()
    result = run(*COLLECTION, "--to", "out", "--lists-only", "--list", "edl,json")
    assert (result.exit_code, written()) == (1, [])
    assert f"films/x.mp4 is not in the lists: {REPLACED}" in result.stderr


def test_another_file_of_the_content_is_taken(place: Path, films: Path) -> None:
    shutil.copy2(films / "red.mp4", "films/backup.mp4")
    index()
    put_another_film(films)
    for what in (COLLECTION, WORDS[:2]):
        result = run(*what, "--to", "out", *(["-k", "1"] if what[1] == "red" else []))
        assert result.exit_code == 0, result.output
    assert {colour(path) for path in Path("out").glob("*.mp4")} == {"red"}
    assert {clip["source"] for clip in json.loads(Path("out/clips.json").read_text())["clips"]} == {
        str(place / "films" / "backup.mp4")
    }
    lists = run(*COLLECTION, "--to", "lists", "--lists-only", "--list", "json")
    assert "has the same content and is used instead" in lists.stderr
    assert json.loads(Path("lists/C.json").read_text())["clips"][0]["source"].endswith("backup.mp4")


def test_a_missing_file_is_taken_from_its_copy_and_said_offline_in_lists_without_one(place: Path, films: Path) -> None:
    Path("films/x.mp4").rename("x.away")
    result = run(*COLLECTION, "--to", "out", "--lists-only", "--list", "edl")
    assert (result.exit_code, written()) == (0, ["C.edl"])
    assert "films/x.mp4 is missing; the lists name it as it was indexed" in result.stderr
    Path("x.away").rename("films/x.mp4")
    shutil.copy2(films / "red.mp4", "films/backup.mp4")
    index()
    Path("films/x.mp4").unlink()
    assert run(*COLLECTION, "--zip", "o.zip").exit_code == 0
    with zipfile.ZipFile("o.zip") as archive:
        assert any("backup" in name for name in archive.namelist())


def test_hits_and_clips_in_json_say_which_film_they_are_of(place: Path, films: Path) -> None:
    Path("hits.json").write_text(run("search", "red", "--json").stdout)
    assert run("export", "--from-json", "hits.json", "--to", "made").exit_code == 0
    put_another_film(films)
    for file in ("hits.json", "made/clips.json"):
        for again in (False, True):
            result = run("export", "--from-json", file, "--to", "out")
            assert (result.exit_code, REPLACED in result.stderr, written()) == (1, True, []), result.output
            if not again:
                shutil.rmtree("library")  # the file itself says which film it is of
                assert run("index", "films", "--yes").exit_code == 0


def test_a_named_file_is_cut_as_it_is_now_with_a_note(place: Path, films: Path) -> None:
    put_another_film(films)
    result = run("export", "films/x.mp4@0-0.4", "--to", "out")
    assert result.exit_code == 0, result.output
    assert "films/x.mp4 is not the file that was indexed; it is cut as it is now" in result.stderr
    assert colour(next(Path("out").glob("*.mp4"))) == "blue"


def test_a_named_file_that_is_gone_is_cut_from_its_copy(place: Path, films: Path) -> None:
    shutil.copy2(films / "red.mp4", "films/backup.mp4")
    index()
    Path("films/x.mp4").unlink()
    assert run("export", "films/x.mp4@0-0.4", "--to", "out").exit_code == 0
    assert colour(next(Path("out").glob("*.mp4"))) == "red"


def test_an_example_is_the_film_that_is_there_now(place: Path, films: Path) -> None:
    put_another_film(films)
    result = run("similar", "films/x.mp4", "--json")
    assert "films/x.mp4 is not the file that was indexed; it is read as it is now" in result.stderr
    assert json.loads(result.stdout)["hits"][0]["score"] < 0.9, "blue is not red"


def test_a_touched_file_is_compared_and_cut(place: Path) -> None:
    os.utime("films/x.mp4", (1, 1))
    assert run(*COLLECTION, "--to", "out").exit_code == 0


def test_a_changed_file_without_a_hash_to_compare_with_is_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.dv"
    path.write_bytes(bytes(2 << 20))
    info, content = path.stat(), fingerprint(path)

    def problem(**known: object) -> str:
        identity = Identity(fingerprint=content, size_bytes=info.st_size, **known)  # type: ignore[arg-type]
        return Sources().find(ClipRequest(path=str(path), start_seconds=0, end_seconds=1, identity=identity)).problem

    assert problem(modified_ns=info.st_mtime_ns) == ""
    assert problem(modified_ns=1) == CHANGED
    assert problem(modified_ns=1, content_hash="00" * 32) == REPLACED
    assert problem(modified_ns=info.st_mtime_ns, file_id=f"1:{info.st_ino + 1}") == "", "another inode, and as it was"


def test_a_film_that_is_replaced_during_the_export_is_noticed(
    place: Path, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.exporting import exporter

    real = exporter.write_clips

    def late(*arguments: object, **options: object) -> object:
        put_another_film(films)
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(exporter, "write_clips", late)
    result = run(*COLLECTION, "--to", "out")
    assert (result.exit_code, REPLACED in result.stderr, written()) == (1, True, [])
