"""`search --encoder A+B` and its kin as a person uses them, on a small library of colours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cli_library
import numpy as np
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main
from app.encoder_names import encoder_names, one_encoder
from app.settings_file import WrongSetting
from app.shell.encoder_labels import labels_of
from db.library import Library
from db.records import EncoderChoice
from encoder import Encoder

ONE, TWO = ColourEncoder(name="one"), ColourEncoder(name="two", frames=2, text_id="two:text@1")


class QuickColour(ColourEncoder):
    """The quick encoder of ONE."""

    @property
    def id(self) -> str:
        return f"{ONE.id}:quick2f"


QUICK = QuickColour(frames=2)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def open_encoder(settings: compose.Settings, sources: Any = None) -> Encoder:
        return {"one": ONE, "two": TWO, "again": ONE, None: ONE}[settings.encoder and one_encoder(settings.encoder)]

    monkeypatch.setattr(compose, "open_encoder", open_encoder)
    monkeypatch.setattr("encoder.quick.quick_of", lambda full, encoder_id: QUICK if encoder_id == QUICK.id else None)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(tmp_path, ONE)))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def index_with(root: Path, encoder: ColourEncoder, *names: str) -> None:
    """Store rows of another encoder for the shots of these videos, as an index run would."""
    spec = encoder.clip_spec
    with Library.open(root / "library") as library:
        for name in names:
            video = library.video_at(str(root / name))
            assert video is not None
            assert video.id is not None
            clips = np.zeros((len(cli_library.FILMS[name]), *spec.shape), np.uint8)
            for clip, (colour, _, _) in zip(clips, cli_library.FILMS[name], strict=True):
                clip[:] = colour
            shots, segments = library.shots(video.id), library.segments_of(video.id)
            rows = encoder.encode_clips(clips)
            library.add_video(video, shots, segments, rows, encoder_id=encoder.id, recipe="test")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_names_are_joined_by_a_plus_and_files_may_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a+b.npz").touch()
    assert encoder_names("base") == ("base",)
    assert encoder_names("base+open_clip:PE-Core-B-16/meta") == ("base", "open_clip:PE-Core-B-16/meta")
    assert encoder_names("a+b.npz") == ("a+b.npz",)
    assert encoder_names("base+a+b.npz+demo") == ("base", "a+b.npz", "demo")
    for wrong in ("base+", "+base", "base++demo", "base+base"):
        with pytest.raises(WrongSetting):
            encoder_names(wrong)
    with pytest.raises(WrongSetting, match="--encoder base or --encoder demo"):
        one_encoder("base+demo")


def test_labels_tell_encoders_apart() -> None:
    ids = ["videoprism_lvt_demo@0123456789abcdef:8f:stretch", "videoprism_lvt_demo@0123456789abcdef:4f:stretch"]
    assert list(labels_of(ids).values()) == ["demo 8f", "demo 4f"]
    seeds = ["videoprism_lvt_demo@0123456789abcdef:8f:stretch", "videoprism_lvt_demo@fedcba9876543210:8f:stretch"]
    assert list(labels_of(seeds).values()) == ["demo 8f 012345", "demo 8f fedcba"]
    clip = ["videoprism_lvt_public_v1_base@0:16f:stretch", "open_clip:PE-Core-B-16/meta@1:8f:stretch"]
    assert list(labels_of(clip).values()) == ["base", "PE-Core-B-16"]


def test_each_line_says_what_each_encoder_thinks(root: Path) -> None:
    index_with(root, TWO, *cli_library.FILMS)
    result = run("search", "blue", "-k", "1", "--encoder", "one+two")
    assert result.exit_code == 0, result.output
    assert "films/red.mp4" in result.stdout
    assert "one-t4-s16 " in result.stdout
    assert "two-t2-s16 " in result.stdout
    found = run("search", "blue", "-k", "1", "--encoder", "one+two", "--json")
    document = json.loads(found.stdout)
    assert document["encoders"] == [ONE.id, TWO.id]
    (hit,) = document["hits"]
    assert [each["encoder"] for each in hit["opinions"]] == [ONE.id, TWO.id]
    assert all(isinstance(each["strength"], float) and not each["quick"] for each in hit["opinions"])
    assert result.stderr == ""


def test_the_environment_and_the_settings_file_can_name_several(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index_with(root, TWO, *cli_library.FILMS)
    monkeypatch.setenv("PRISMSEARCH_ENCODER", "one+two")
    assert len(json.loads(run("search", "blue", "--json").stdout)["encoders"]) == 2
    monkeypatch.delenv("PRISMSEARCH_ENCODER")
    (root / "settings.toml").write_text('encoder = "one+two"\n')
    monkeypatch.setenv("PRISMSEARCH_SETTINGS", str(root / "settings.toml"))
    assert "encoders" not in json.loads(run("search", "blue", "--json").stdout), "the library may lack one of them"
    with Library.open(root / "library") as library:
        choices = [
            EncoderChoice(name=name, encoder_id=each.id, frames=4, fit="stretch")
            for name, each in (("one", ONE), ("two", TWO))
        ]
        library.use_encoders(*choices)
    assert len(json.loads(run("search", "blue", "--json").stdout)["encoders"]) == 2


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        ("one+", "lacks the name"),
        ("one+one", "twice"),
        ("one+again", "the same encoder"),
        ("one+two", f"nothing in library was indexed with {TWO.id}"),
    ],
)
@pytest.mark.usefixtures("root")
def test_what_cannot_be_asked_is_one_line(encoder: str, words: str) -> None:
    result = run("search", "blue", "--encoder", encoder)
    assert result.exit_code in (2, 3)
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr


def test_options_that_are_one_encoders_say_so(root: Path) -> None:
    index_with(root, TWO, *cli_library.FILMS)
    result = run("search", "blue", "--encoder", "one+two", "--threshold", "0.5")
    assert result.exit_code == 2
    assert "minimum strength" in result.stderr


def test_examples_chains_text_and_links_work_with_several(root: Path) -> None:
    index_with(root, TWO, *cli_library.FILMS)
    several = ("--encoder", "one+two", "--json")
    like = json.loads(run("similar", "films/red.mp4@0", *several).stdout)
    assert like["hits"][0]["path"].endswith("red@home.mp4")
    chain = json.loads(run("search", "red", "--then", "blue", *several).stdout)
    assert [part["start_seconds"] for part in chain["chains"][0]["parts"]] == [0, 2]
    assert len(chain["chains"][0]["parts"][0]["opinions"]) == 2
    link = json.loads(run("search", "--link", "?q=green", *several).stdout)
    assert link["hits"][0]["path"].endswith("green.mp4")
    beside = run("search", "green", "--said", "engine", *several)
    assert json.loads(beside.stdout)["hits"][0]["path"].endswith("green.mp4")


def test_shots_that_one_encoder_lacks_are_hits_and_a_line_says_so(root: Path) -> None:
    index_with(root, TWO, "films/red.mp4")
    result = run("search", "green", "-k", "1", "--encoder", "one+two")
    assert "films/green.mp4" in result.stdout
    assert "are not indexed with two-t2-s16: the others judge them alone" in result.stderr
    assert json.loads(run("search", "green", "--encoder", "one+two", "--json").stdout)["looked_at"]["lacking"]


def test_quick_shots_are_marked_and_a_line_says_how_many(root: Path) -> None:
    with Library.open(root / "library") as library:
        (green,) = [each for each in library.videos() if each.path.endswith("green.mp4")]
        library.remove_videos([green.id or 0])
        cli_library.add(library, QUICK, root / "films/green.mp4", cli_library.FILMS["films/green.mp4"])
    result = run("search", "green", "-k", "3")
    first, *others = result.stdout.splitlines()
    assert "(quick)" in first
    assert not any("(quick)" in each for each in others)
    assert "1 of 5 parts of shots are quick" in result.stderr
    hits = json.loads(run("search", "green", "--json").stdout)["hits"]
    assert [each["opinions"][0]["quick"] for each in hits].count(True) == 1


def test_a_command_for_one_encoder_refuses_several() -> None:
    settings = replace(compose.Settings(library=Path("/nowhere")), encoder="base+demo")
    with pytest.raises(WrongSetting, match="one encoder at a time"):
        compose.open_encoder(settings)
