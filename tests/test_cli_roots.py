"""`prismsearch roots`, paths that are written with the name of a root, and links, on both engines."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner, Result
from db_samples import add, make_video
from fakes import ColourEncoder
from pretend import Reader, put_video
from test_shared_roots import stored

from app.cli import main
from app.jobs.jobs import Jobs
from app.search_link import SearchLink, parse_address, parse_link
from app.settings_file import ROOTS_VARIABLE
from app.web.services.folder_check import typed_path
from db.library import Library
from db.media_roots import NO_ROOTS, checked_roots
from db.records import Failure, NewSubclip
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings, RunOptions


class Shared:
    """A library of two machines, of which this process can be either."""

    def __init__(self, place: Path | str, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
        self.place, self.patch = place, patch
        self.folders = [tmp_path / "a" / "nas", tmp_path / "b" / "nas"]
        put_video(self.folders[0] / "films" / "one.mp4", ["red", "blue"])
        put_video(self.folders[0] / "two.mp4", ["green"], note="2")
        shutil.copytree(*self.folders)
        patch.setenv("PRISMSEARCH_LIBRARY", str(place))

    def be(self, machine: int | None) -> Path:
        """Be a machine, or one on which the root is not set."""
        if machine is None:
            self.patch.delenv(ROOTS_VARIABLE, raising=False)
            return self.folders[0]
        self.patch.setenv(ROOTS_VARIABLE, f"nas={self.folders[machine]}")
        return self.folders[machine]

    def open(self, machine: int | None = None) -> Library:
        folder = None if machine is None else self.folders[machine]
        return Library.open(self.place, roots=checked_roots({"nas": str(folder)}) if folder else NO_ROOTS)

    def index(self, machine: int | None = None) -> None:
        with self.open(machine) as library:
            report = index_folders(
                library, ColourEncoder(), [self.folders[machine or 0]], IndexSettings(), RunOptions(decode_workers=1),
                open_video=Reader(),
            )  # fmt: skip
            assert report.complete

    def stored(self, table: str = "videos") -> list[bytes]:
        with self.open() as library:
            return stored(library, table)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)


NAMED = [b"nas:/films/one.mp4", b"nas:/two.mp4"]


@pytest.fixture
def shared(place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shared:
    return Shared(place, tmp_path, monkeypatch)


def test_roots_are_listed_with_their_states(shared: Shared) -> None:
    shared.index(0)
    folder = shared.be(1)
    listed = shared.run("roots").stdout.splitlines()
    assert listed[0].split() == ["root", "folder", "videos", "state"]
    assert listed[1].split()[0] == "nas"
    assert listed[1].split()[-2:] == ["2", "reachable"]
    record = {"name": "nas", "folder": str(folder), "state": "reachable", "videos": 2, "others": 0}
    assert json.loads(shared.run("roots", "--json").stdout) == [record]
    assert json.loads(shared.run("stats", "--json").stdout)["roots"] == [record]
    assert "nas (2 videos):" in shared.run("stats").stdout
    shutil.rmtree(folder)
    assert shared.run("roots").stdout.split()[-1] == "missing"
    folder.mkdir()
    assert shared.run("roots").stdout.split()[-1] == "empty"
    shared.be(None)
    assert shared.run("roots").stdout.splitlines()[1].split() == ["nas", "-", "2", "not", "set"]


def test_without_roots_there_is_nothing_to_list(shared: Shared) -> None:
    shared.be(None)
    assert "no roots are set" in shared.run("roots").stderr
    shared.index()
    assert json.loads(shared.run("roots", "--json").stdout) == []
    assert "root" not in shared.run("stats").stdout.split()


def test_adopt_stores_every_path_below_the_root_and_release_undoes_it(shared: Shared) -> None:
    shared.index()
    with shared.open() as library:
        two = library.video_at(str(shared.folders[0] / "two.mp4"))
        assert two is not None
        assert two.id is not None
        assert two.file_id
        segment = library.segments_of(two.id)[0].id
        assert segment is not None
        collection = library.collections.create("Best").id
        library.collections.add(collection, [NewSubclip(segment_id=segment)])
        gone = add(library, make_video(str(shared.folders[0] / "gone.mp4"), "ff01"))
        library.hide_videos([gone])
        bad = Failure(path=str(shared.folders[0] / "bad.mp4"), size_bytes=1, modified_ns=1, kind="broken", reason="x")
        library.record_failure(bad)
    plain = {name: shared.stored(name) for name in ("videos", "vanished_videos", "failures", "subclips")}
    shared.be(0)
    assert "2 videos from before (prismsearch roots adopt nas)" in shared.run("roots").stdout
    assert shared.run("roots", "adopt", "nas").exit_code == 2  # nobody to ask
    assert shared.stored() == plain["videos"]
    done = shared.run("roots", "adopt", "nas", "--yes")
    assert (done.exit_code, done.stdout) == (0, "2 videos and 3 other rows are stored below nas:/ now\n")
    assert "every other machine" in done.stderr
    assert [shared.stored(name) for name in plain] == [NAMED, [b"nas:/gone.mp4"], [b"nas:/bad.mp4"], [b"nas:/two.mp4"]]
    with shared.open(1) as library:
        found = library.video_at(str(shared.folders[1] / "two.mp4"))
        assert found is not None
        assert (found.id, found.file_id, found.volume) == (two.id, "", "")
        assert library.check() == []
    assert shared.run("roots", "adopt", "nas", "--yes").stdout.startswith("0 videos")
    done = shared.run("roots", "release", "nas", "--yes")
    assert "take nas out of [roots]" in done.stderr
    assert {name: shared.stored(name) for name in plain} == plain


def test_adopt_names_the_folders_of_saved_searches(shared: Shared) -> None:
    shared.index()
    shared.be(None)
    link = SearchLink(words="a dog", folder=str(shared.folders[0] / "films"))
    others = SearchLink(words="a dog", folder="/elsewhere"), SearchLink(words="a cat")
    with shared.open() as library:
        ann = library.people.add("ann", "search", None)
        for searches in (library.searches, library.searches.of(ann.id)):
            for name, each in zip(("here", "there", "all"), (link, *others), strict=True):
                searches.save(name, each.query_string(), text_id="t1")
    shared.be(0)
    assert shared.run("roots", "adopt", "nas", "--yes").exit_code == 0
    shared.be(1)
    with shared.open(1) as library:
        for searches in (library.searches, library.searches.of(ann.id)):
            found = {each.name: parse_address(each.link)[0] for each in searches.all()}
            assert found["here"].folder == str(shared.folders[1] / "films")
            assert (found["there"], found["all"]) == others
            assert {each.text_id for each in searches.all()} == {"t1"}


def test_adopt_is_refused_where_two_videos_would_be_one(shared: Shared) -> None:
    shared.index(0)
    shared.index()  # by a machine that lacks the root
    before = shared.stored()
    shared.be(0)
    done = shared.run("roots", "adopt", "nas", "--yes")
    assert done.exit_code == 3
    assert "twice" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert shared.stored() == before
    shared.be(None)
    assert shared.run("remove", str(shared.folders[0]), "--yes").stdout.startswith("removed 2 videos")
    assert shared.stored() == NAMED
    shared.be(0)
    assert shared.run("roots", "adopt", "nas", "--yes").exit_code == 0


def test_a_failure_that_is_there_twice_is_one_after_adoption(shared: Shared) -> None:
    with shared.open() as library, shared.open(0) as other:
        failure = Failure(
            path=str(shared.folders[0] / "bad.mp4"), size_bytes=1, modified_ns=1, kind="broken", reason="x"
        )
        other.record_failure(failure)
        library.record_failure(failure)
    shared.be(0)
    assert shared.run("roots", "adopt", "nas", "--yes").exit_code == 0
    assert shared.stored("failures") == [b"nas:/bad.mp4"]


def test_adopt_leaves_what_is_of_an_inner_root_or_of_none(place: Path | str) -> None:
    with Library.open(place) as library:
        for number, path in enumerate(["/m/nas/a.mp4", "/m/nas/in/b.mp4", "/m/nas0/c.mp4", "/m/d.mp4", "/x/e.mp4"]):
            add(library, make_video(path, f"ab{number}"))
    outer = checked_roots({"out": "/m", "nas": "/m/nas", "inner": "/m/nas/in"})
    with Library.open(place, roots=outer) as library:
        assert [(each.name, each.others) for each in library.root_rows()] == [("inner", 1), ("nas", 1), ("out", 2)]
        assert library.adopt_root("nas").videos == 1
        assert stored(library) == [b"/m/d.mp4", b"/m/nas/in/b.mp4", b"/m/nas0/c.mp4", b"/x/e.mp4", b"nas:/a.mp4"]
        assert library.adopt_root("out").videos == 2
        assert library.adopt_root("inner").videos == 1
        assert stored(library) == [b"/x/e.mp4", b"inner:/b.mp4", b"nas:/a.mp4", b"out:/d.mp4", b"out:/nas0/c.mp4"]
        assert library.release_root("out").videos == 2
    with Library.open(place, roots=checked_roots({"out": "/m"})) as library:  # knows the outer root alone
        library.adopt_root("out")
        add(library, make_video("/m/nas/late.mp4", "cd01"))
        assert b"out:/nas/late.mp4" in stored(library)
    with Library.open(place, roots=outer) as library:
        assert library.adopt_root("nas").videos == 1
        assert b"nas:/late.mp4" in stored(library)


def test_nothing_is_adopted_while_another_process_works(shared: Shared) -> None:
    shared.index()
    shared.be(0)
    with shared.open() as library, Jobs(library.directory).begin("index", "films"):
        done = shared.run("roots", "adopt", "nas", "--yes")
        assert (done.exit_code, "another process works for the library" in done.stderr) == (1, True)
        assert stored(library) == sorted(os.fsencode(shared.folders[0] / name) for name in ("films/one.mp4", "two.mp4"))


def test_a_root_that_is_not_set_cannot_be_adopted(shared: Shared) -> None:
    shared.index()
    shared.be(None)
    done = shared.run("roots", "adopt", "nas", "--yes")
    assert (done.exit_code, "root 'nas' is not set on this machine" in done.stderr) == (3, True)


KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from db import adoption
from db.library import Library
from db.media_roots import checked_roots
adoption._BLOCK = 50
changes, seen = adoption._changes, []
def some(*given):
    for each in changes(*given):
        seen.append(each)
        if len(seen) == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield each
adoption._changes = some
adoption.chunks = lambda each: ([one] for one in each)
Library.open(sys.argv[1], roots=checked_roots({"nas": sys.argv[2]})).adopt_root("nas")
"""


def test_adopt_that_is_killed_has_done_nothing(place: Path | str) -> None:
    with Library.open(place) as library:
        for number in range(120):
            add(library, make_video(f"/films/nas/{number}.mp4", f"ab{number}"), count=1)
        before = stored(library)
        for kill_at in (1, 60, 120):
            done = subprocess.run(
                [sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(place), "/films/nas", str(kill_at)], check=False
            )
            assert done.returncode == -signal.SIGKILL
            assert stored(library) == before
        done = subprocess.run([sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(place), "/films/nas", "0"], check=False)
        assert done.returncode == 0
        assert stored(library) == sorted(f"nas:/{number}.mp4".encode() for number in range(120))
        assert library.check() == []


def test_the_shell_takes_names_of_roots_and_prints_paths_of_this_machine(shared: Shared, three_shots: Path) -> None:
    shared.index(0)
    with shared.open(0) as library:
        for folder in shared.folders:
            shutil.copy2(three_shots, folder / "real.mp4")
        index_folders(library, ColourEncoder(), [shared.folders[0] / "real.mp4"], IndexSettings())
    for machine in (1, 0):
        folder = shared.be(machine)
        assert shared.run("list", "--paths", "nas:/films").stdout == f"{folder}/films/one.mp4\n"
        assert json.loads(shared.run("info", "nas:/two.mp4", "--json").stdout)["path"] == f"{folder}/two.mp4"
        to = folder.parent / "clips"
        done = shared.run("export", "nas:/real.mp4@0-1", "--lists-only", "--list", "csv", "--to", str(to))
        assert done.exit_code == 0, done.output
        assert f"{folder}/real.mp4" in next(to.glob("*.csv")).read_text()
    assert shared.run("remove", "nas:/films", "--yes").stdout.startswith("removed 1 video ")
    assert shared.stored() == [b"nas:/real.mp4", b"nas:/two.mp4"]


def test_the_shell_says_of_names_of_roots_that_are_not_set_what_to_do(shared: Shared) -> None:
    shared.index(0)
    shared.be(None)
    for arguments in (["index", "nas:/films"], ["relink", "/x", "nas:/films"], ["similar", "tape:/a.mp4@1-2"]):
        done = shared.run(*arguments)
        assert done.exit_code == 3, done.output
        assert "is not set on this machine: add it to [roots]" in done.stderr.replace("R", "r")
    to = shared.folders[0].parent / "clips"
    done = shared.run("export", "nas:/films/one.mp4@0-1", "--lists-only", "--list", "csv", "--to", str(to))
    assert "root 'nas' is not set" in done.output
    assert shared.run("remove", "nas:/films", "--yes").stdout.startswith("removed 1 video ")


def test_index_refuses_files_from_before_a_root_in_one_line(shared: Shared) -> None:
    shared.patch.setenv("PRISMSEARCH_ENCODER", "demo")
    shared.index()
    folder = shared.be(0)
    before = shared.stored()
    for more in ([], ["--dry-run"]):
        done = shared.run("index", str(folder), *more)
        assert done.exit_code == 3
        assert "Take such files over first: prismsearch roots adopt nas" in done.stderr
    assert shared.stored() == before


def test_copies_have_the_stored_paths(shared: Shared, tmp_path: Path) -> None:
    shared.index(0)
    shared.be(1)
    with shared.open(0) as library:
        add(library, make_video("/x/plain.mp4", "cd01"))
    done = shared.run("copy", str(shared.place), str(tmp_path / "copied"))
    assert done.exit_code == 0, done.output
    with Library.open(tmp_path / "copied") as library:
        assert stored(library) == [b"/x/plain.mp4", *NAMED]


def test_a_link_with_a_folder_is_for_all_machines(shared: Shared) -> None:
    folder = shared.be(0)
    link = SearchLink(words="a dog", folder=str(folder / "films" / os.fsdecode(b"caf\xe9")))
    query = link.query_string()
    assert parse_address(query) == (link, [])
    other = shared.be(1)
    assert parse_address(query)[0].folder == str(other / "films" / os.fsdecode(b"caf\xe9"))
    assert parse_link({"in": ["nas:/"]})[0].folder == str(other)
    assert parse_link({"in": ["/plain"]})[0].query_string() == "in=%2Fplain"
    shared.be(None)
    assert parse_qs(parse_address(query)[0].query_string()) == parse_qs(query)
    assert parse_link({"in": ["nas:/../../etc"]})[0].folder == "/.prismsearch-root/%/nas%3A%2F..%2F..%2Fetc"


def test_the_page_takes_names_of_roots(shared: Shared) -> None:
    folder = shared.be(1)
    assert typed_path(" nas:/films ") == str(folder / "films")


def test_settings_and_doctor_tell_the_roots(shared: Shared) -> None:
    from app.compose import settings_from
    from app.diagnostics.environment import check_roots

    folder = shared.be(1)
    shown = json.loads(shared.run("settings", "--json").stdout)["roots"]
    assert shown == {"nas": {"value": str(folder), "source": "environment"}}
    shared.index(0)
    [found] = check_roots(settings_from())
    assert (found.name, found.state) == ("root nas", "ok")
    shared.be(None)
    [found] = check_roots(settings_from())
    assert (found.state, "is not set" in found.advice) == ("note", True)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_files_below_a_root_are_its_files_however_links_lead_to_them(shared: Shared) -> None:
    """A root may be set by a link, or a folder of it be named by one, as the current folder is not."""
    folder = shared.be(0)
    link, films = folder.parent / "link", folder.parent / "films of mine"
    link.symlink_to(folder)
    films.symlink_to(folder / "films")
    for root, named in ((link, folder), (folder, link), (folder, films)):
        with Library.open(shared.place, roots=checked_roots({"nas": str(root)})) as library:
            library.remove_videos([video.id for video in library.videos() if video.id is not None])
            index_folders(library, ColourEncoder(), [named], IndexSettings(), open_video=Reader())
        assert shared.stored() == (NAMED if named != films else NAMED[:1])


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_videos_from_before_are_taken_over_by_a_root_that_is_set_by_a_link(shared: Shared) -> None:
    folder = shared.be(None)
    shared.index()
    shared.be(0)
    link = folder.parent / "link"
    link.symlink_to(folder)
    shared.patch.setenv(ROOTS_VARIABLE, f"nas={link}")
    assert "2 videos from before" in shared.run("roots").stdout
    assert "roots adopt nas" in shared.run("index", str(link)).stderr
    assert "2 videos" in shared.run("roots", "adopt", "nas", "--yes").stdout
    assert shared.stored() == NAMED
    assert "from before" not in shared.run("roots").stdout
