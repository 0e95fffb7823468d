"""`demo` and `bench`: their flow on small stand-ins; what the real demo library gives is tested with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.cli import main
from app.commands import bench, demo
from app.shell import notice


class NoticedEncoder(ColourEncoder):
    """One that has something to say, as the demo encoder has."""

    @property
    def notice(self) -> str | None:
        return "this encoder knows colours only"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo library of two videos with their captions, in place of the bundled one."""
    folder = tmp_path / "bundled"
    folder.mkdir()
    shots = {"a.mp4": ["red", "blue", "yellow"], "b.mkv": ["green", "purple", "cyan"]}
    files = []
    for name, colours in shots.items():
        make_video(folder / name, [(colour, 25) for colour in colours])
        records = [
            {"start_seconds": float(i), "end_seconds": float(i + 1), "caption": colour}
            for i, colour in enumerate(colours)
        ]
        files.append({"file": name, "shots": records})
    (folder / "captions.json").write_text(json.dumps({"files": files}))
    monkeypatch.setattr(demo, "DEMO_LIBRARY", folder)
    monkeypatch.setattr(notice, "DEMO_LIBRARY", folder)
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: NoticedEncoder())
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_demo_indexes_asks_and_marks_the_truth(bundled: Path) -> None:
    result = run("demo", "--library", "demo library")
    assert result.exit_code == 0, result.output
    out = result.stdout
    assert "2 videos added" in out
    assert out.count("<- the shot with this caption") == 6
    assert "6 of 6 descriptions found their shot" in out
    assert 'prismsearch search "purple"' in out
    assert "prismsearch similar bundled/a.mp4@00:00:00.000-00:00:01.000" in out
    assert "--library 'demo library' search" in out
    assert "knows colours only" not in result.output, "these videos are of its world"
    assert not Path("mine").exists()


def test_the_commands_that_the_demo_shows_give_what_it_shows(bundled: Path) -> None:
    document: dict[str, Any] = json.loads(run("demo", "--library", "demo", "--json").stdout)
    assert document["index"]["added"] == 2
    for query in document["queries"]:
        if "query" in query:
            asked = ["search", query["query"], "-k", "3"]
        else:
            asked = ["similar", query["like"], "-k", "3"]
        found = json.loads(run(*asked, "--library", "demo", "--json").stdout)["hits"]
        assert [hit["segment_id"] for hit in found] == [hit["segment_id"] for hit in query["hits"]]
    assert sum("like" in query for query in document["queries"]) == 1


def test_without_library_option_the_demo_has_a_place_of_its_own(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "data_directory", lambda: tmp_path / "data")
    assert run("demo").exit_code == 0
    assert (tmp_path / "data" / "demo" / "library.sqlite3").exists()
    assert not Path("mine").exists()


def test_captions_that_are_not_found_are_said_and_are_exit_code_1(bundled: Path) -> None:
    captions = json.loads((bundled / "captions.json").read_text())
    for file in captions["files"]:
        for shot in file["shots"]:
            shot["start_seconds"], shot["end_seconds"] = shot["start_seconds"] + 50, shot["end_seconds"] + 50
    (bundled / "captions.json").write_text(json.dumps(captions))
    result = run("demo", "--library", "demo")
    assert result.exit_code == 1
    assert "0 of 6" in result.stdout


def test_an_installation_without_the_demo_says_so(bundled: Path) -> None:
    (bundled / "captions.json").unlink()
    result = run("demo")
    assert result.exit_code == 3
    assert "captions.json" in result.stderr


def test_the_encoders_notice_is_said_on_other_videos(bundled: Path) -> None:
    make_video(bundled.parent / "holiday.mp4", [("red", 25)])
    said = "note: this encoder knows colours only"
    assert said in run("index", "holiday.mp4").stderr
    assert said in run("search", "red").stderr
    assert said not in run("index", "bundled", "--library", "other").stderr
    assert said not in run("search", "red", "--library", "other").stderr


def test_bench_lists_and_runs_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "benchmarks"
    monkeypatch.setattr(bench, "benchmarks_folder", lambda: folder)
    without = run("bench")
    assert without.exit_code == 0
    assert "benchmarks/" not in without.stdout
    assert run("bench", "all").exit_code == 3

    folder.mkdir()
    (folder / "_part.py").write_text('"""A part."""\n')
    (folder / "good.py").write_text(
        '"""What good measures."""\nimport sys\nfrom pathlib import Path\n'
        'if __name__ == "__main__":\n    Path("ran").write_text(" ".join(sys.argv[1:]))\n'
    )
    (folder / "bad.py").write_text('"""What bad measures."""\nif __name__ == "__main__":\n    raise SystemExit(3)\n')
    listed = run("bench").stdout
    assert listed.endswith(
        "Programs of benchmarks/ (speed and memory):\n  bad   What bad measures.\n  good  What good measures.\n"
    )
    assert run("bench", "good", "--runs", "5").exit_code == 0
    assert (tmp_path / "ran").read_text() == "--runs 5"
    failed = run("bench", "all")
    assert failed.exit_code == 1
    assert "failed: bad" in failed.stderr
    unknown = run("bench", "nothing")
    assert unknown.exit_code == 2
    assert "bad, good" in unknown.stderr


def test_the_benchmarks_of_this_tree_are_found() -> None:
    programs = bench.find_programs(bench.benchmarks_folder())
    assert programs
    assert all(bench.first_line(path) for path in programs.values())
