"""The library stores what shapes rows and cuts: options become its own values, and plain commands take them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from sqlalchemy import create_engine
from synthetic import make_video

from app import compose, encoder_choice
from app.cli import main
from app.compose import settings_from, with_library_encoder
from app.cut_settings import cut_settings_of, settings_of_recipe
from app.encoder_choice import OLD_CHOICES_FILE, choice_of
from db import migrating
from db.errors import LibraryDamaged
from db.library import FILE_NAME, Library
from db.records import CutSettings, EncoderChoice
from encoder import ClipSpec
from indexer.settings import IndexSettings

ONE = EncoderChoice(name="one", encoder_id="one@1", frames=4, fit="stretch")
TWO = EncoderChoice(name="two", encoder_id="two@1", frames=None, fit="pad", still_frames=2)


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two videos; the library beside it; an encoder that sees colours, of the frames that are wanted."""
    monkeypatch.setattr(compose, "open_encoder", colours)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    make_video(tmp_path / "films" / "first.mp4", [("red", 50), ("blue", 50)])
    make_video(tmp_path / "films" / "second.mp4", [("green", 25)])
    return tmp_path / "films"


def colours(settings: compose.Settings, sources: object = None) -> ColourEncoder:
    encoder = ColourEncoder()
    encoder._spec = ClipSpec(settings.frames or 2, 16, settings.fit or "stretch")
    return encoder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def indexed(*arguments: str) -> dict[str, Any]:
    result = run("index", *arguments, "--json", "--yes")
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return {name: report[name] for name in ("added", "updated", "unchanged")}


def own() -> tuple[EncoderChoice | None, IndexSettings]:
    """What the library has of its own."""
    with compose.open_library(settings_from()) as library:
        return choice_of(library), cut_settings_of(library)


UNCHANGED = {"added": 0, "updated": 0, "unchanged": 2}
UPDATED = {"added": 0, "updated": 2, "unchanged": 0}


def test_the_library_stores_choices_by_encoder_and_the_last_one_is_its_own(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        assert library.encoder_choices() == []
        assert library.cut_settings() is None
        library.use_encoders(ONE, TWO)
        assert library.encoder_choices() == [TWO, ONE]
        changed = replace(ONE, still_frames=1)
        library.use_encoders(changed)
        cuts = CutSettings(
            detector="content",
            detector_options={"weights": (1.0, 0.5, 1.0, 0.0), "luma_only": True, "min_scene_len": "1s"},
            segment_seconds=4.0,
            overlap_seconds=0.25,
            decode="reference",
            hash_content="never",
        )
        library.use_cut_settings(cuts)
    with Library.open(tmp_path) as library:
        assert library.encoder_choices() == [changed, TWO]
        assert library.cut_settings() == cuts
        assert library.encoders() == [], "a choice is no embedding"


def test_a_library_keeps_whether_its_files_are_read_for_their_hash(films: Path) -> None:
    def hashes() -> set[bool]:
        with compose.open_library(settings_from()) as library:
            return {bool(video.content_hash) for video in library.videos()}

    assert indexed("films", "--hash-content", "never")["added"] == 2
    assert hashes() == {False}
    assert indexed("films", "--redo", "--yes")["updated"] == 2
    assert hashes() == {False}
    assert indexed("films", "--redo", "--yes", "--hash-content", "always")["updated"] == 2
    assert hashes() == {True}


@pytest.mark.parametrize("options", ["torn {", "[1]", "7"])
def test_damaged_detector_options_are_called_so(tmp_path: Path, options: str) -> None:
    with Library.open(tmp_path) as library:
        with library._database.writing() as connection:
            connection.exec_driver_sql("UPDATE library SET detector = 'hash', detector_options = ?", (options,))
        with pytest.raises(LibraryDamaged, match="detector options"):
            library.cut_settings()


def test_plain_index_after_options_encodes_nothing_anew(films: Path) -> None:
    assert indexed("films")["added"] == 2
    given = ["--segment-seconds", "1", "--overlap-seconds", "0", "--detector", "content", "-o", "threshold=20"]
    assert indexed("films", *given, "--decode", "reference") == UPDATED
    assert indexed("films") == UNCHANGED
    settings = own()[1]
    assert settings == IndexSettings(
        detector="content", detector_options={"threshold": 20.0}, segment_seconds=1, overlap_seconds=0,
        decode="reference",
    )  # fmt: skip
    assert indexed("films", "--min-scene-len", "15") == UPDATED, "one option more, the others stay"
    assert own()[1] == replace(settings, detector_options={"threshold": 20.0, "min_scene_len": 15})
    assert indexed("films", "--detector", "adaptive", "--decode", "all") == UPDATED
    assert own()[1].detector_options == {}, "those of another detector"
    assert run("index", "films", "-o", "threshold=20").exit_code == 2, "the detector is the library's: adaptive"


def test_retry_takes_the_library_s_values_and_the_options_of_index(films: Path) -> None:
    indexed("films", "--segment-seconds", "1", "--frames", "3")
    (films / "third.mp4").write_bytes(b"no video")
    assert run("index", "films").exit_code == 1
    make_video(films / "third.mp4", [("red", 50)])
    assert run("retry").exit_code == 0
    choice, settings = own()
    assert choice is not None
    assert (choice.frames, settings.segment_seconds) == (3, 1.0)
    with compose.open_library(settings_from()) as library:
        assert len(library.recipes()) == 1
        assert [row.segments for row in library.encoders()] == [3 + 3 + 1 + 3]
    (films / "fourth.mp4").write_bytes(b"no video")
    assert run("index", "films").exit_code == 1
    make_video(films / "fourth.mp4", [("red", 50)])
    assert run("retry", "--segment-seconds", "2", "--still-frames", "1").exit_code == 0
    choice, settings = own()
    assert choice is not None
    assert (choice.still_frames, settings.segment_seconds) == (1, 2.0)


def test_a_wrong_option_changes_nothing_and_makes_no_library(films: Path) -> None:
    assert run("index", "films", "--segment-seconds", "0.5").exit_code == 2, "an overlap of 0.5 is too much"
    assert not Path("library").exists()
    indexed("films", "--segment-seconds", "2")
    assert run("index", "films", "--segment-seconds", "0.5").exit_code == 2
    assert run("index", "nowhere", "--segment-seconds", "3").exit_code == 3
    assert own()[1].segment_seconds == 2


def test_given_values_win_and_an_encoder_of_several_keeps_its_own(tmp_path: Path) -> None:
    plain = compose.Settings(library=tmp_path)
    with Library.open(tmp_path) as library:
        assert with_library_encoder(plain, library) == plain
        assert with_library_encoder(plain, None) == plain
        assert compose.encoder_name(plain) == "videoprism_lvt_public_v1_base"
        library.use_encoders(ONE, TWO)
        two = with_library_encoder(plain, library)
        assert (two.encoder, two.frames, two.fit, two.still_frames) == ("two", None, "pad", 2)
        one = with_library_encoder(replace(plain, encoder="one", fit="crop"), library)
        assert (one.encoder, one.frames, one.fit, one.still_frames) == ("one", 4, "crop", 0)
        assert with_library_encoder(replace(plain, still_frames=0), library).still_frames == 0
        other = replace(plain, encoder="three")
        assert with_library_encoder(other, library) == other
        library.use_encoders(ONE)
        assert with_library_encoder(plain, library).encoder == "one"


def test_open_encoder_asks_the_library_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from encoder import loading

    loaded: list[tuple[object, ...]] = []

    def load(name: str, device: str, **options: Any) -> ColourEncoder:
        loaded.append((name, options["frames"], options["fit"], options["still_frames"]))
        return ColourEncoder()

    monkeypatch.setattr(loading, "load", load)
    settings = compose.Settings(library=tmp_path / "library")
    compose.open_encoder(settings)
    assert not settings.library.exists()
    with compose.open_library(settings, create=True) as library:
        library.use_encoders(TWO)
        compose.open_encoder(settings)
        compose.open_encoder(replace(settings, frames=8))
        compose.open_encoder(replace(settings, encoder="one"))
    assert loaded == [
        ("videoprism_lvt_public_v1_base", None, "stretch", 0),
        ("two", None, "pad", 2),
        ("two", 8, "pad", 2),
        ("one", None, "stretch", 0),
    ]


def test_two_encoders_stand_side_by_side(films: Path) -> None:
    indexed("films", "--segment-seconds", "2", "--encoder", "base")
    assert indexed("films", "--encoder", "large", "--frames", "5", "--fit", "pad") == UPDATED
    assert indexed("films") == UNCHANGED, "the one used last"
    assert own()[1].segment_seconds == 2, "cuts are of the library, whatever the encoder"
    choice = own()[0]
    assert choice is not None
    assert (choice.name, choice.frames) == ("videoprism_lvt_public_v1_large", 5)
    assert indexed("films", "--encoder", "base") == UNCHANGED
    choice = own()[0]
    assert choice is not None
    assert (choice.name, choice.frames) == ("videoprism_lvt_public_v1_base", 2)


def test_search_takes_the_encoder_of_the_library(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed("films", "--encoder", "large", "--frames", "5")
    opened: list[compose.Settings] = []

    def noting(settings: compose.Settings, sources: object = None) -> ColourEncoder:
        opened.append(settings)
        return colours(settings)

    monkeypatch.setattr(compose, "open_encoder", noting)
    assert run("search", "red", "-k", "1").stdout.split()[-1] == "films/first.mp4"
    assert [(each.encoder, each.frames, each.fit) for each in opened] == [
        ("videoprism_lvt_public_v1_large", 5, "stretch")
    ]


def test_a_run_that_comes_to_nothing_changes_nothing(films: Path, tmp_path: Path) -> None:
    indexed("films")
    before = own()
    (tmp_path / "empty").mkdir()
    indexed("empty", "--detector", "hash", "--segment-seconds", "2", "--encoder", "large", "--frames", "5")
    assert own() == before
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "no.mp4").write_bytes(b"no video")
    assert run("index", "broken", "--detector", "hash").exit_code == 1
    assert run("retry", "--segment-seconds", "3").exit_code == 1
    assert own() == before
    assert indexed("films") == UNCHANGED


def test_a_killed_run_has_stored_the_settings_of_its_first_video(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.commands import index_run
    from indexer.progress import Progress

    indexed("films")
    pid = os.fork()
    if pid == 0:  # the process that is killed

        def kill(job: object, progress: Progress) -> None:
            if progress.phase == "index" and progress.files_done:
                os._exit(9)

        monkeypatch.setattr("indexer.progress._MIN_INTERVAL_SECONDS", 0)
        monkeypatch.setattr(index_run, "journal_progress", kill)
        run("index", "films", "--segment-seconds", "1", "--yes")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert own()[1].segment_seconds == 1


@pytest.mark.parametrize("given", [["--min-scene-len", "x"], ["-o", "kernel_size=4"], ["--min-scene-len", "5 s"]])
def test_options_that_no_detector_takes_are_refused(films: Path, given: list[str]) -> None:
    indexed("films")
    result = run("index", "films", *given)
    assert result.exit_code == 2
    assert "must be" in result.stderr
    assert indexed("films") == UNCHANGED


@pytest.mark.parametrize("length", ["15", "0.6s", "1", "1.5", ".5s", "00:00:01", "00:00:00.600"])
def test_lengths_are_taken_as_the_detector_reads_them(length: str) -> None:
    from scenedetect import FrameTimecode

    IndexSettings(detector_options={"min_scene_len": length})
    assert FrameTimecode(length, fps=25.0).frame_num >= 0


def test_an_encoder_whose_path_is_not_utf_8_is_stored(films: Path, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.npz")
    Path(name).write_bytes(b"")
    indexed("films", "--encoder", name)
    choice = own()[0]
    assert choice is not None
    assert choice.name == name
    make_older(Path("library"), [asdict(choice)])
    assert own()[0] == replace(choice, text_id="")


def test_whole_and_decimal_seconds_are_one_recipe() -> None:
    spec = ClipSpec(4, 16)
    assert IndexSettings(segment_seconds=4, overlap_seconds=0).recipe(spec) == IndexSettings(
        segment_seconds=4.0, overlap_seconds=0.0
    ).recipe(spec)


# Libraries of before


def make_older(directory: Path, choices: object = None) -> None:
    """Make a library of format 3 out of one of today: the same rows, without what shapes them."""
    with Library.open(directory) as library:
        database = library._database
        with database.writing() as connection:
            rows = {
                name: connection.exec_driver_sql(f"SELECT * FROM {name}").mappings().all()
                for name in ("videos", "shots", "segments", "encoders", "encodings", "embeddings")
            }
    (directory / FILE_NAME).rename(directory / "today.sqlite3")
    engine = create_engine(f"sqlite:///{directory / FILE_NAME}")
    with engine.begin() as connection:
        migrating.run_migrations(connection, "0003")
        connection.exec_driver_sql("INSERT INTO library VALUES ('7b0c', '2025-01-01T00:00:00+00:00')")
        for name, found in rows.items():
            there = {column[1] for column in connection.exec_driver_sql(f"PRAGMA table_info({name})")}
            for row in found:
                values = dict(row) | ({"segments": 0, "generation": 0} if name == "encoders" else {})
                values = {column: value for column, value in values.items() if column in there}
                marks = ", ".join("?" * len(values))
                connection.exec_driver_sql(
                    f"INSERT INTO {name} ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
                )
    engine.dispose()
    if choices is not None:
        (directory / OLD_CHOICES_FILE).write_text(json.dumps(choices))


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["--segment-seconds", "4"],
        ["--segment-seconds", "1"],
        ["--segment-seconds", "0.5", "--overlap-seconds", "0"],
        ["--segment-seconds", "1", "--overlap-seconds", "0.2"],
        ["--detector", "adaptive"],
        ["--detector", "hash", "--decode", "reference", "--fit", "pad"],
    ],
)
def test_an_older_library_is_taken_over_and_encodes_nothing_anew(films: Path, given: list[str]) -> None:
    indexed("films", "--frames", "3", *given)
    choice, settings = own()
    assert choice is not None
    make_older(Path("library"), [asdict(choice)])
    assert indexed("films") == UNCHANGED
    assert own() == (choice, settings)
    assert not (Path("library") / OLD_CHOICES_FILE).exists()


UNREADABLE = ["--detector", "adaptive", "-o", "min_content_val=16", "--segment-seconds", "1"]


def test_videos_cut_with_options_that_nobody_can_read_are_kept(films: Path) -> None:
    indexed("films", *UNREADABLE)
    make_older(Path("library"))
    result = run("index", "films", "--json")
    assert json.loads(result.stdout)["unchanged"] == 2
    assert "2 videos cut by an older version" in result.stderr
    told = IndexSettings(detector="adaptive", segment_seconds=1.0, overlap_seconds=0.48)  # 12 of 25 frames, as measured
    assert own()[1] == told, "as far as recipe and parts tell"
    again = run("index", "films", "--json")
    assert json.loads(again.stdout)["unchanged"] == 2
    assert "older" not in again.stderr
    assert indexed("films", "--redo") == UPDATED


@pytest.mark.parametrize("given", [["--segment-seconds", "2"], ["-o", "min_content_val=17"], ["--detector", "blend"]])
def test_options_ask_for_cuts_anew_in_an_older_library_too(films: Path, given: list[str]) -> None:
    indexed("films", *UNREADABLE)
    make_older(Path("library"))
    assert indexed("films", *given) == UPDATED


def test_only_videos_of_the_same_detector_and_lengths_are_kept(films: Path) -> None:
    indexed(str(films / "first.mp4"), *UNREADABLE)
    indexed(str(films / "second.mp4"), "--detector", "hash", "-o", "threshold=0.3")
    make_older(Path("library"))
    assert indexed("films") == {"added": 0, "updated": 1, "unchanged": 1}


def test_of_several_recipes_the_one_of_most_videos_counts(films: Path) -> None:
    indexed("films", "--segment-seconds", "4")
    make_video(films / "third.mp4", [("blue", 50)])
    indexed(str(films / "third.mp4"), "--segment-seconds", "2")
    make_older(Path("library"))
    assert own()[1].segment_seconds == 4
    with compose.open_library(settings_from()) as library:
        library.remove_videos([video.id for video in library.videos("/") if video.id and "first" in video.path])
    assert own()[1].segment_seconds == 2, "of as many, the newest"


@pytest.mark.parametrize(
    "recipe", ["", "test", "blend-8s-4x224", "blend-8s-0x0-00", "magic-8s-4x224-00", "blend-8..s-4x2-0"]
)
def test_what_is_no_recipe(recipe: str) -> None:
    assert settings_of_recipe(recipe) is None


@pytest.mark.parametrize("ends", [False, True])
def test_recipes_are_read_back(ends: bool) -> None:
    spec = ClipSpec(16, 288, "crop", ends=ends)
    assert IndexSettings().recipe(spec) != IndexSettings().recipe(ClipSpec(16, 288, "crop", ends=not ends))
    for settings in (
        IndexSettings(),
        IndexSettings(segment_seconds=2.5, decode="reference"),
        IndexSettings(detector="threshold", overlap_seconds=0.0),
    ):
        assert settings_of_recipe(settings.recipe(spec)) == settings
    assert settings_of_recipe(IndexSettings(poster_pixels=100).recipe(spec)) is None


def test_the_old_file_is_read_once(tmp_path: Path) -> None:
    older = tmp_path / "library"
    older.mkdir()
    rows = [asdict(TWO), {name: value for name, value in asdict(ONE).items() if name != "still_frames"}]
    make_older(older, rows)
    settings = compose.Settings(library=older)
    with compose.open_library(settings) as library:
        assert library.id == "7b0c"
        assert library.encoder_choices() == [TWO, ONE], "the order of use; a row of before there were still frames"
    assert not (older / OLD_CHOICES_FILE).exists()
    (older / OLD_CHOICES_FILE).write_text(json.dumps([asdict(replace(ONE, name="another"))]))
    with compose.open_library(settings) as library:
        assert library.encoder_choices() == [TWO, ONE]


@pytest.mark.parametrize(
    "content",
    [b"", b"torn [", b"{}", b"[1]", b'[{"name": "a"}]', b"\xff\xfe", b'{"name": 1}', b"7",
     b'[{"name": "a", "encoder_id": "a@1", "frames": 4, "fit": "sideways"}]',
     b'[{"name": "a", "encoder_id": "a@1", "frames": "many", "fit": "pad"}]',
     b'[{"name": "a", "encoder_id": "a@1", "frames": 1e999, "fit": "pad"}]',
     b'[{"name": "a", "encoder_id": "a@1", "frames": 1180591620717411303424, "fit": "pad"}]',
     b'[{"name": "a", "encoder_id": "a@1", "frames": 4, "fit": "pad", "still_frames": -1}]',
     b'[{"name": "\\ud800", "encoder_id": "a@1", "frames": 4, "fit": "pad"}]',
     b"[" * 100_000],
)  # fmt: skip
def test_a_torn_or_foreign_file_costs_nothing_but_the_convenience(tmp_path: Path, content: bytes) -> None:
    Library.open(tmp_path).close()
    (tmp_path / OLD_CHOICES_FILE).write_bytes(content)
    with compose.open_library(compose.Settings(library=tmp_path)) as library:
        assert library.encoder_choices() == []
    assert not (tmp_path / OLD_CHOICES_FILE).exists()


@pytest.mark.parametrize("step", ["before the commit", "before the removal"])
def test_a_kill_while_the_old_file_is_taken_over_is_harmless(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_older_in(tmp_path)
    settings = compose.Settings(library=tmp_path)
    pid = os.fork()
    if pid == 0:  # the process that is killed

        def kill(*arguments: object, **named: object) -> None:
            os._exit(9)

        if step == "before the commit":
            monkeypatch.setattr(Library, "use_encoders", kill)
        else:
            monkeypatch.setattr(Path, "unlink", kill)
        compose.open_library(settings)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert (tmp_path / OLD_CHOICES_FILE).exists()
    with compose.open_library(settings) as library:
        assert library.encoder_choices() == [TWO, ONE]
    assert not (tmp_path / OLD_CHOICES_FILE).exists()


def make_older_in(directory: Path) -> None:
    make_older(directory, [asdict(TWO), asdict(ONE)])


def test_a_file_that_cannot_be_read_now_is_left_for_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_older_in(tmp_path)

    def refuse(*arguments: object, **options: object) -> object:
        raise PermissionError

    settings = compose.Settings(library=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(encoder_choice, "read_json", refuse)
        with compose.open_library(settings) as library:
            assert library.encoder_choices() == []
    with compose.open_library(settings) as library:
        assert library.encoder_choices() == [TWO, ONE]


def test_a_file_that_cannot_be_removed_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_older_in(tmp_path)

    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError

    monkeypatch.setattr(encoder_choice.Path, "unlink", refuse)
    with compose.open_library(compose.Settings(library=tmp_path)) as library:
        assert library.encoder_choices() == [TWO, ONE]


@pytest.mark.parametrize("value", ["nan", "inf", "-5"])
def test_a_number_that_no_detector_can_use_is_refused_in_one_line(tmp_path: Path, value: str) -> None:
    result = CliRunner().invoke(main, ["index", str(tmp_path), "--detector", "content", "-o", f"threshold={value}"])
    assert result.exit_code == 2
    assert f"-o threshold={value}" in result.stderr
    assert result.stderr.count("\n") == 1
