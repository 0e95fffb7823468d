"""A library over versions: facts never read are read without decoding, a changed treatment concerns its kind alone, and
cuts stay as they are until they are renewed."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import pytest
from click.testing import CliRunner
from fakes import ColourEncoder
from sqlalchemy import create_engine
from synthetic import make_video

from app import compose, cut_settings
from app.cli import main
from db import migrating
from db.library import FILE_NAME, Library
from db.media_facts import MediaFacts
from indexer import kinds
from indexer.pipeline import index_folders
from indexer.settings import DETECTORS, IndexSettings
from indexer.video_pass import VideoPass


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "one.mp4", [("red", 25), ("blue", 25)])
    make_video(folder / "two.mp4", [("green", 25)])
    return folder


def run_sql(library: Library, statement: str) -> None:
    with library._database.writing() as connection:
        connection.exec_driver_sql(statement)


def test_facts_that_were_never_read_are_read_without_decoding(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(tmp_path / "library") as library:
        index_folders(library, ColourEncoder(), [films], IndexSettings())
        before = library.videos()
        assert all(video.facts is not None and video.facts.nominal_rate == 25 for video in before)
        run_sql(library, "UPDATE videos SET facts = NULL, timecode = '01:00:00:00'")
        monkeypatch.setattr(VideoPass, "__iter__", lambda self: pytest.fail("nothing is to be decoded"))
        phases: list[str] = []
        report = index_folders(
            library, ColourEncoder(), [films], IndexSettings(), on_progress=lambda now: phases.append(now.phase)
        )
        assert (report.unchanged, report.updated) == (2, 0)
        assert library.videos() == before, "the time code is what the file says"
        assert "facts" in phases
        phases.clear()
        index_folders(
            library, ColourEncoder(), [films], IndexSettings(), on_progress=lambda now: phases.append(now.phase)
        )
        assert "facts" not in phases, "once"


def test_a_file_that_changed_or_cannot_be_opened_keeps_its_facts_unread(films: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        index_folders(library, ColourEncoder(), [films], IndexSettings())
        run_sql(library, "UPDATE videos SET facts = NULL")
        one = films / "one.mp4"
        stamp, size = one.stat().st_mtime_ns, one.stat().st_size
        one.write_bytes(b"\0" * size)
        os.utime(one, ns=(stamp, stamp))
        report = index_folders(library, ColourEncoder(), [films], IndexSettings())
        assert (report.unchanged, report.failed) == (2, ())
        assert [video.facts is None for video in library.videos()] == [True, False]


def test_a_changed_treatment_concerns_the_videos_of_its_kind_alone(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(tmp_path / "library") as library:

        def updated() -> list[str]:
            moments = {video.path: video for video in library.videos()}
            report = index_folders(library, ColourEncoder(), [films], IndexSettings())
            assert report.updated + report.unchanged == len(moments)
            return [Path(video.path).name for video in library.videos() if video != moments[video.path]]

        index_folders(library, ColourEncoder(), [films], IndexSettings())
        number = library.videos()[1].id
        run_sql(library, f"UPDATE videos SET kinds = 'hdr', damaged = 7 WHERE id = {number}")
        monkeypatch.setattr(kinds, "TREATMENTS", MappingProxyType({}))
        assert updated() == [], "a kind without a treatment is recorded only"
        monkeypatch.setattr(kinds, "TREATMENTS", MappingProxyType({"hdr": 1, "alpha": 3}))
        assert updated() == ["two.mp4"]
        assert library.known_files("colour-t4-s16")[str(films / "two.mp4")].recipe.count("+") == 0, "it is of no kind"
        run_sql(library, f"UPDATE videos SET kinds = 'alpha hdr', damaged = 7 WHERE id = {number}")
        run_sql(library, "UPDATE encodings SET recipe = recipe || '+alpha3+hdr1' WHERE video_id = " + str(number))
        assert updated() == [], "kinds are in order, each with its version"


def test_recipes_of_kinds() -> None:
    assert kinds.recipe_for("r", ()) == "r"
    assert kinds.plain_recipe("r+hdr1+alpha2") == "r"


def make_format_4(directory: Path, detector: str, options: dict[str, object]) -> None:
    directory.mkdir()
    engine = create_engine(f"sqlite:///{directory / FILE_NAME}")
    with engine.begin() as connection:
        migrating.run_migrations(connection, "0004")
        connection.exec_driver_sql(
            "INSERT INTO library VALUES ('7b0c', '2025-01-01T00:00:00+00:00', ?, ?, 8.0, 0.5, 'all')",
            (detector, json.dumps(options)),
        )
    engine.dispose()


def test_a_library_of_format_4_keeps_its_options_when_defaults_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_format_4(tmp_path / "library", "blend", {"window_width": 3})
    changed = {**DETECTORS["blend"], "blend_score": 77.0, "min_scene_len": "9s", "window_width": 4}
    monkeypatch.setattr("indexer.settings.DETECTORS", MappingProxyType({**DETECTORS, "blend": changed}))
    with Library.open(tmp_path / "library") as library:
        options = cut_settings.cut_settings_of(library).all_detector_options
    assert (options["blend_score"], options["min_scene_len"], options["window_width"]) == (0.5, "0.6s", 3)
    assert options["weights"] == (1.0, 1.0, 1.0, 0.0)


@pytest.mark.parametrize(("detector", "options"), [("hash", {"size": 4}), ("blend", "torn {"), ("", {})])
def test_other_options_of_format_4_stay_as_they_are(tmp_path: Path, detector: str, options: object) -> None:
    make_format_4(tmp_path / "library", detector, {})
    engine = create_engine(f"sqlite:///{tmp_path / 'library' / FILE_NAME}")
    text = options if isinstance(options, str) else json.dumps(options)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE library SET detector_options = ?", (text,))
    engine.dispose()
    with Library.open(tmp_path / "library") as library, library._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT detector_options FROM library").scalar() == text


def test_renewal_says_what_it_costs_and_asks(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: ColourEncoder())
    monkeypatch.setattr(cut_settings, "default_detector", lambda: "content")
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))

    def index(*arguments: str) -> tuple[int, dict[str, int], str]:
        result = CliRunner().invoke(main, ["index", str(films), "--json", *arguments])
        report = json.loads(result.stdout) if result.stdout else {}
        return (
            result.exit_code,
            {name: report[name] for name in ("updated", "unchanged") if name in report},
            result.stderr,
        )

    def stored() -> tuple[str, float]:
        with Library.open(tmp_path / "library") as library:
            settings = cut_settings.cut_settings_of(library)
        return settings.detector, settings.segment_seconds

    assert index("--detector", "adaptive", "--segment-seconds", "1")[0] == 0
    code, _, said = index("--renew")
    assert code == 2
    assert "2 videos" in said
    assert "detector adaptive -> content" in said
    assert "--yes" in said
    assert index()[1] == {"updated": 0, "unchanged": 2}, "nothing was changed"
    assert stored() == ("adaptive", 1.0)
    code, report, said = index("--renew", "--yes")
    assert (code, report) == (0, {"updated": 2, "unchanged": 0}), said
    assert stored() == ("content", 1.0), "lengths of segments were chosen, so they stay"
    code, report, said = index("--renew", "--yes")
    assert (code, report) == (0, {"updated": 0, "unchanged": 2})
    assert "nothing to renew" in said


def test_facts_are_those_of_the_file(films: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        index_folders(library, ColourEncoder(), [films], IndexSettings())
        facts = library.videos()[0].facts
    assert facts == MediaFacts(nominal_rate=Fraction(25), field_order="progressive")


@pytest.mark.parametrize(
    ("settings", "former"),
    [
        (IndexSettings(detector="blend", detector_options=cut_settings.FORMER_DEFAULTS["blend"]), True),
        (IndexSettings(detector="blend"), True),  # where the default is the learned detector
        (IndexSettings(detector="learned"), False),
        (IndexSettings(detector="blend", detector_options={"blend_score": 7.0}), False),
        (IndexSettings(detector="adaptive"), False),
    ],
)
def test_a_renewal_is_offered_only_where_nobody_chose(
    settings: IndexSettings, former: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_settings, "default_detector", lambda: "learned")
    assert cut_settings.has_former_defaults(settings) == former


def test_recipes_of_former_defaults_are_still_read() -> None:
    spec = ColourEncoder().clip_spec
    for detector, options in cut_settings.FORMER_DEFAULTS.items():
        settings = IndexSettings(detector=detector, detector_options=options)
        assert cut_settings.settings_of_recipe(settings.recipe(spec) + "+hdr1") == settings
