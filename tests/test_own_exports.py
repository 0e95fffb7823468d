"""Clips that prismsearch exported are no footage: they are left out, said, and taken if asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result
from synthetic import make_video
from test_pipeline import World, counts

from app.cli import main
from app.shell.index_report import print_report
from indexer.own_exports import MARK, is_own_export
from indexer.report import IndexReport


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    make_video(str(path), [("red", 25)], options={"x264-params": "keyint=5:scenecut=0"})
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.library.close()


@pytest.mark.parametrize("mode", ["exact", "smart", "copy"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_every_clip_bears_the_mark(place: Path, film: Path, mode: str, suffix: str) -> None:
    source = film
    if suffix != "mp4":
        source = place / f"film.{suffix}"
        with av.open(str(film)) as given, av.open(str(source), "w") as taken:
            taken.metadata["comment"] = "take two"
            stream = taken.add_stream_from_template(given.streams.video[0])
            for packet in given.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    taken.mux(packet)
    assert not is_own_export(str(source))
    result = run("export", f"{source}@0.2-0.6", "--to", "out", "--mode", mode)
    assert result.exit_code == 0, result.output
    (clip,) = (path for path in Path("out").iterdir() if path.suffix not in (".json", ".csv"))
    assert is_own_export(str(clip))
    with av.open(str(clip)) as container:
        comment = {key.lower(): value for key, value in container.metadata.items()}["comment"]
    assert comment == (MARK if suffix == "mp4" else f"take two ({MARK})")


def test_clips_below_an_indexed_folder_are_left_out_unless_asked_for_or_named(world: World) -> None:
    world.put("film.mp4", "red")
    clip = world.put("clips/001.mp4", "red", note=MARK)
    report = world.run()
    assert counts(report) == {"added": 1}
    assert report.own_exports == (str(clip),)
    assert counts(world.run(include_exports=True)) == {"unchanged": 1, "added": 1}
    assert counts(world.run()) == {"unchanged": 2}, "what was taken stays"
    named = world.put("clips/002.mp4", "blue", note=MARK)
    assert counts(world.run(named)) == {"added": 1}


def test_what_is_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(IndexReport(own_exports=("/a/1.mp4", "/a/2.mp4"), camera_proxies=("/a/3.lrv",)))
    said = capsys.readouterr().out
    assert "left out: 2 clips exported by prismsearch, such as /a/1.mp4 (index --include-exports indexes them)" in said
    assert "left out: 1 small copy that a camera recorded beside its videos" in said


def test_a_long_header_at_the_beginning_is_looked_through_to_its_end(tmp_path: Path) -> None:
    def box(name: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4, "big") + name + content

    def movie(comment: bytes) -> bytes:
        header = box(b"free", bytes(400_000)) + box(b"udta", comment)
        return box(b"ftyp", b"isom") + box(b"moov", header) + box(b"mdat", bytes(400_000))

    path = tmp_path / "long.mp4"
    for comment, own in ((MARK.encode(), True), (b"another", False)):
        path.write_bytes(movie(comment))
        assert is_own_export(str(path)) is own


@pytest.mark.parametrize(
    "table", ["[" * 100_000, "{}", '{"clips": [1, {"clip": 7}]}', '{"clips": [{"clip": "a.mxf"}]}']
)
def test_only_a_table_of_ours_tells_of_clips_without_a_place_for_the_mark(tmp_path: Path, table: str) -> None:
    (tmp_path / "a.mxf").write_bytes(b"x")
    (tmp_path / "clips.json").write_text(table)
    assert not is_own_export(str(tmp_path / "a.mxf"))
    (tmp_path / "clips.json").write_text(json.dumps({"clips": [{"clip": "a.mxf", "source": "s", "early_seconds": 0}]}))
    assert is_own_export(str(tmp_path / "a.mxf"))
