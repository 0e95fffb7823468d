"""Names of takes: a collection that holds them gives them its name, on hits, in the shell and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from db_samples import ids_of, make_video
from page_library import client_of, segment_ids, small_library
from test_takes_stacking import ENCODER, RED, engine, fill, open_for_shell, relate

from app.cli import main
from app.commands.export_selection import from_hits
from app.exporting.naming import clip_name
from db.library import Library
from db.records import NewSubclip, Segment, Shot
from search.query import Query
from search.takes.stored import StoredSetUps

NAME = "Kitchen, wide"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as library:
        yield library


@pytest.fixture
def ids(library: Library) -> dict[str, int]:
    found = fill(library)
    relate(library, found)
    return found


def runs(library: Library, ids: dict[str, int]) -> tuple[tuple[int, ...], ...]:
    return StoredSetUps(library.directory, [ENCODER.id]).current()[ids["best"]].runs


def named(library: Library, ids: dict[str, int]) -> str:
    (name,) = library.collections.names_of([runs(library, ids)])
    return name


def names(library: Library) -> list[str]:
    return [each.name for each in library.collections.all()]


def test_a_collection_of_the_name_holds_the_takes(library: Library, ids: dict[str, int]) -> None:
    assert named(library, ids) == ""
    kept = library.collections.name_takes([[ids["second"], ids["copy"]], [], [ids["third"]]], f"  {NAME} ")
    assert kept.name == named(library, ids) == NAME
    clips = [(each.segment_id, each.name) for each in library.collections.subclips(kept.id)]
    assert clips == [(ids["second"], "Take 1"), (ids["third"], "Take 3")], "one for each take that is shown"
    assert names(library) == ["Tray", NAME], "the first collection stays the tray"
    again = library.collections.name_takes(runs(library, ids), "Kitchen")
    assert (again.id, named(library, ids), len(names(library))) == (kept.id, "Kitchen", 2)
    library.collections.rename(kept.id, "Stove")
    assert named(library, ids) == "Stove"
    library.collections.remove(kept.id)
    assert named(library, ids) == ""
    library.collections.restore(kept.id)
    assert named(library, ids) == "Stove"


def test_names_are_refused_as_those_of_collections_are(library: Library, ids: dict[str, int]) -> None:
    library.collections.create("Taken")
    takes = [[ids["second"]], [ids["third"]]]
    for name in ("", "  ", "x" * 201, "taken"):
        with pytest.raises(ValueError, match=r"name|character"):
            library.collections.name_takes(takes, name)
    for few in ([], [[ids["second"]]], [[ids["second"], ids["copy"]], []]):
        with pytest.raises(ValueError, match="two or more"):
            library.collections.name_takes(few, NAME)
    with pytest.raises(KeyError):
        library.collections.name_takes([[ids["second"]], [10**6]], NAME)
    assert names(library) == ["Taken"], "nothing was begun"


def test_only_a_collection_of_takes_of_one_set_up_names_them(library: Library, ids: dict[str, int]) -> None:
    def collection(name: str, *shots: str) -> int:
        made = library.collections.create(name)
        library.collections.add(made.id, [NewSubclip(segment_id=ids[each]) for each in shots])
        return made.id

    collection("Tray", "best", "second")
    collection("Mixed", "best", "second", "other")
    collection("One run", "second", "copy")
    collection("Nothing")
    assert named(library, ids) == "", "the tray, others among them, one run alone, none"
    collection("Two", "best", "copy")
    assert named(library, ids) == "Two"
    three = collection("Three", "best", "second", "third")
    assert named(library, ids) == "Three", "the one with the most of them"
    library.collections.take_out([each.id for each in library.collections.subclips(three)][1:])
    assert named(library, ids) == "Two"
    assert library.collections.names_of([]) == []
    assert library.collections.names_of([((ids["other"],), (ids["last"],)), runs(library, ids)]) == ["", "Two"]


def test_trays_of_people_name_nothing(library: Library, ids: dict[str, int]) -> None:
    library.collections.create("Tray")
    anna = library.people.add("Anna", "collect", None)
    own = library.collections.of(anna.id, "Anna")
    own.add(own.tray().id, [NewSubclip(segment_id=ids[each]) for each in ("best", "second")])
    assert own.names_of([runs(library, ids)]) == [""]
    searching = library.collections.of(anna.id, "Anna", edits_shared=False)
    with pytest.raises(Exception, match="role"):
        searching.name_takes(runs(library, ids), NAME)


def test_the_name_stays_where_shots_are_cut_anew_or_gone(library: Library, ids: dict[str, int]) -> None:
    """As when a full pass takes the place of a quick one: other segments, of the same times."""
    library.collections.name_takes(runs(library, ids), NAME)
    fresh = dict(ids)
    for name in ("best", "second", "copy", "third"):
        video = make_video(f"/{name}.mp4", name, seconds=4)
        middle = (video.start_pts + video.end_pts) // 2
        spans = [(video.start_pts, middle - 1), (middle - 1, video.end_pts)]
        shots = [Shot(number=at, start_pts=start, end_pts=end) for at, (start, end) in enumerate(spans)]
        parts = [
            Segment(number=at, shot_number=at, start_pts=start, end_pts=end) for at, (start, end) in enumerate(spans)
        ]
        rows = ENCODER.encode_texts(["red", "red"])
        video_id = library.add_video(video, shots, parts, rows, encoder_id=ENCODER.id, recipe="again")
        fresh[name] = ids_of(library, video_id)[1]
    relate(library, fresh)
    assert {*fresh.values()}.isdisjoint({ids["best"], ids["second"], ids["third"]})
    assert named(library, fresh) == NAME
    gone = [video.id or 0 for video in library.videos() if video.path in ("/second.mp4", "/copy.mp4", "/third.mp4")]
    library.remove_videos(gone[:2])
    assert named(library, fresh) == NAME
    library.remove_videos(gone[2:])
    assert library.collections.names_of([((fresh["best"],), (fresh["other"],))]) == [NAME], "the others are away"


# Hits


def test_hits_have_the_name_and_exports_use_it(library: Library, ids: dict[str, int]) -> None:
    library.collections.name_takes(runs(library, ids), NAME)
    hits = engine(library).search(Query([RED], takes="stack"))
    assert [hit.set_up for hit in hits] == [NAME, "", ""]
    shown = engine(library).search(Query([RED], k=9))
    assert [hit.set_up for hit in shown] == [NAME, NAME, NAME, NAME, "", ""]
    first, *_, last = from_hits(shown, library)
    facts = first.name_facts(0, 3, number=1, total=6)
    assert clip_name(facts, ".mp4", "{name}") == "Kitchen, wide take 3.mp4"
    assert clip_name(last.name_facts(0, 3, number=6, total=6), ".mp4", "{name}") == "last.mp4"


# The shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    return open_for_shell(tmp_path / "shell", monkeypatch)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_shell_lists_takes_and_names_them(shell: dict[str, int]) -> None:
    lines = run("takes", "list").stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [["1", "take", each] for each in "123"]
    assert ["/second.mp4  (+1 alike)" in lines[0], "/third.mp4" in lines[1], "/best.mp4" in lines[2]] == [True] * 3
    done = run("takes", "name", "/third.mp4@1", NAME)
    assert done.exit_code == 0, done.output
    assert f"3 takes are called {NAME} now" in done.stdout
    (record,) = json.loads(run("takes", "list", "--json").stdout)
    assert record["name"] == NAME
    assert [[each["segment_id"] for each in take] for take in record["takes"]] == [
        [shell["second"], shell["copy"]],
        [shell["third"]],
        [shell["best"]],
    ]
    assert record["takes"][2][0]["path"] == "/best.mp4"
    assert (record["takes"][2][0]["start_seconds"], record["takes"][2][0]["end_seconds"]) == (0, 4)
    assert f"/best.mp4  ({NAME}: take 3 of 3)" in run("search", "red").stdout
    hits = json.loads(run("search", "red", "--json").stdout)["hits"]
    assert [hit["set_up"] for hit in hits] == [NAME, None, None]


def test_the_shell_says_why_there_is_no_name(shell: dict[str, int]) -> None:
    for arguments, code, said in (
        (("/other.mp4@1", NAME), 3, "no other takes"),
        (("/other.mp4@9", NAME), 3, "no shot at that time"),
        (("/other.mp4", NAME), 2, "FILE@TIME"),
        (("/none.mp4@1", NAME), 3, "no such file"),
        (("/best.mp4@1", " "), 2, "name"),
    ):
        result = run("takes", "name", *arguments)
        assert (result.exit_code, said in result.stderr) == (code, True), result.output


def test_a_library_without_takes_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "empty"))
    Library.open(tmp_path / "empty").close()
    result = run("takes", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no takes were found" in result.stderr


# Over HTTP


def test_the_page_names_takes(tmp_path: Path) -> None:
    with small_library(tmp_path) as library:
        client = client_of(library)
        first, second, *_ = segment_ids(library)
        answer = client.post("/api/takes/name", json={"takes": [[first], [], [second]], "name": NAME})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["name"], answer.json()["items"]) == (NAME, 2)
        assert library.collections.names_of([((first,), (second,))]) == [NAME]
        for takes, name, code in (
            ([[first]], "One", 400),
            ([[first], [10**9]], "Gone", 404),
            ([[first], [second]], " ", 422),
            ([["x"], [second]], "Text", 422),
        ):
            refused = client.post("/api/takes/name", json={"takes": takes, "name": name})
            assert refused.status_code in (code, 400), refused.text
            assert refused.json()["error"]
