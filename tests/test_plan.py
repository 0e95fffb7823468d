"""Plan of an index run: known content is never encoded again, and nothing that may come back is lost."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from db.records import Failure, KnownFile
from indexer.contents import Contents
from indexer.lacking import Lacking, lacking
from indexer.missing_files import find_missing, is_below, was_renamed_to
from indexer.plan import Plan, Relocation, classify_files, in_safe_order, make_plan
from indexer.scan import FoundFile


def found(path: str, look: int = 1) -> FoundFile:
    return FoundFile(path=path, size_bytes=look, modified_ns=look)


def known(number: int, content: str, look: int = 1, recipe: str = "r") -> KnownFile:
    return KnownFile(
        video_id=number, size_bytes=look, modified_ns=look, fingerprint=content, recipe=recipe, embedded=bool(recipe)
    )


def lacking_in(library: dict[str, KnownFile]) -> Lacking:
    return lacking([library.values()], ["r"])


def plan(
    library: dict[str, KnownFile], files: dict[str, str], *, gone: tuple[str, ...] = (), redo: bool = False
) -> Plan:
    """files: path -> content of new and changed files; gone: paths of the library that are no longer there."""
    return make_plan(
        [],
        Contents({found(path, 2): content for path, content in files.items()}),
        library,
        lacking_in(library),
        redo=redo,
        was_moved=lambda old, record, file: old in gone,
    )


def steps(items: tuple[Relocation, ...]) -> list[tuple[int, str]]:
    return [(item.video_id, item.file.path) for item in items]


def replay(library: dict[str, KnownFile], moves: list[Relocation]) -> dict[str, int]:
    """Path -> video id after the moves, each of which overwrites what it meets, as the library does."""
    state = {path: record.video_id for path, record in library.items()}
    for move in moves:
        old = next(path for path, video_id in state.items() if video_id == move.video_id)
        del state[old]
        state[move.file.path] = move.video_id
    return state


def test_size_and_time_decide_what_is_looked_into() -> None:
    files = [found("/new"), found("/same"), found("/changed", 2), found("/other recipe"), found("/not embedded")]
    library = {
        "/same": known(1, "a"),
        "/changed": known(2, "b"),
        "/other recipe": known(3, "c", recipe="old"),
        "/not embedded": known(4, "d", recipe=""),
    }
    looks = classify_files(files, library, {}, lacking_in(library), redo=False, retry_failed=False)
    assert [file.path for file in looks.unchanged] == ["/same"]
    assert [file.path for file in looks.unknown] == ["/new", "/changed"]
    assert [file.path for file in looks.outdated] == ["/other recipe", "/not embedded"]
    again = classify_files(files, library, {}, lacking_in(library), redo=True, retry_failed=False)
    assert again.unknown == files


@pytest.mark.parametrize(
    ("kind", "attempts", "tried"),
    [("broken", 1, False), ("not_video", 1, False), ("missing", 9, True), ("permission", 9, True), ("error", 2, True),
     ("error", 3, False)],
)  # fmt: skip
def test_what_failed_is_tried_again_only_where_that_may_help(kind: str, attempts: int, tried: bool) -> None:
    def looks(file: FoundFile, *, redo: bool = False, retry_failed: bool = False) -> bool:
        failure = Failure(path="/a", size_bytes=1, modified_ns=1, kind=kind, reason="", attempts=attempts)
        result = classify_files([file], {}, {"/a": failure}, {}, redo=redo, retry_failed=retry_failed)
        assert len(result.unknown) + len(result.skipped_failed) == 1
        return bool(result.unknown)

    assert looks(found("/a")) is tried
    assert looks(found("/a", 2))
    assert looks(found("/a"), retry_failed=True)
    assert looks(found("/a"), redo=True)


def test_a_link_to_a_known_file_is_an_alias_and_a_hard_link_is_not(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.mp4").write_bytes(b"x")
    (tmp_path / "link").symlink_to(real)
    os.link(real / "a.mp4", real / "b.mp4")
    library = {str(real / "a.mp4"): known(1, "a")}
    files = [found(str(tmp_path / "link" / "a.mp4")), found(str(real / "b.mp4"))]
    looks = classify_files(files, library, {}, lacking_in(library), redo=False, retry_failed=False)
    assert (looks.aliases, looks.unknown) == (files[:1], files[1:])


def test_moved_duplicated_touched_changed_new() -> None:
    library = {"/a": known(1, "A"), "/b": known(2, "B"), "/c": known(3, "C"), "/d": known(4, "D")}
    made = plan(library, {"/a2": "A", "/b2": "B", "/c": "C", "/d": "D2", "/e": "E"}, gone=("/a",))
    assert steps(made.moved) == [(1, "/a2")]
    assert steps(made.copied) == [(2, "/b2")]
    assert steps(made.touched) == [(3, "/c")]
    assert [task.file.path for task in made.tasks] == ["/d", "/e"]


def test_one_of_two_new_names_is_the_moved_one() -> None:
    made = plan({"/a": known(1, "A")}, {"/x": "A", "/y": "A"}, gone=("/a",))
    assert steps(made.moved) == [(1, "/x")]
    assert steps(made.copied) == [(1, "/y")]


def test_moved_videos_of_another_recipe_or_encoder_are_encoded_after_it() -> None:
    made = plan({"/a": known(1, "A", recipe="")}, {"/x": "A"}, gone=("/a",))
    assert steps(made.moved) == [(1, "/x")]
    assert [task.file.path for task in made.tasks] == ["/x"]


def test_new_files_of_one_content_are_encoded_once() -> None:
    made = plan({}, {"/c": "A", "/a": "A", "/b": "B", "/d": "A"})
    assert [(task.file.path, [copy.path for copy in task.copies]) for task in made.tasks] == [
        ("/a", ["/c", "/d"]),
        ("/b", []),
    ]
    own = plan({"/z": known(1, "A")}, {"/z": "A", "/a": "A"}, redo=True)
    assert [(task.file.path, [copy.path for copy in task.copies]) for task in own.tasks] == [("/z", ["/a"])]


def test_a_name_taken_over_by_another_file() -> None:
    """mv a old; cp new a: the row of `a` goes to `old`, and `a` is encoded."""
    made = plan({"/a": known(1, "A")}, {"/a": "NEW", "/old": "A"})
    assert steps(made.moved) == [(1, "/old")]
    assert [(task.file.path, task.fingerprint) for task in made.tasks] == [("/a", "NEW")]


def test_two_files_that_changed_names() -> None:
    library = {"/a": known(1, "A"), "/b": known(2, "B")}
    made = plan(library, {"/a": "B", "/b": "A"})
    assert made.tasks == ()
    assert replay(library, list(made.moved)) == {"/a": 2, "/b": 1}


def test_any_shuffle_of_names_loses_no_row() -> None:
    for seed in range(50):
        chance = random.Random(seed)
        paths = [f"/{number}" for number in range(8)]
        library = {path: known(number, path) for number, path in enumerate(paths)}
        now = chance.sample([*paths, *(f"/new{number}" for number in range(3))], 8)
        changed = {path: content for path, content in zip(now, paths, strict=True) if path != content}
        made = plan(library, changed, gone=tuple(set(paths) - set(now)))
        assert made.tasks == ()
        assert replay(library, list(made.moved)) == {
            path: int(content[1:]) for path, content in zip(now, paths, strict=True)
        }


def test_a_ring_is_parked_where_no_file_is() -> None:
    moves = [
        Relocation(video_id=number, fingerprint="", old_path=f"/d/{number}", file=found(f"/d/{(number + 1) % 3}"))
        for number in range(3)
    ]
    ordered = in_safe_order(moves)
    assert len(ordered) == 4
    assert os.path.dirname(ordered[0].file.path) == "/d"
    assert len(os.path.basename(ordered[0].file.path)) < 60


def test_gone_only_from_a_folder_that_still_holds_something(tmp_path: Path) -> None:
    for folder in ("full", "emptied", "removed"):
        (tmp_path / folder).mkdir()
    (tmp_path / "full" / "other").write_bytes(b"")
    paths = [str(tmp_path / folder / "a.mp4") for folder in ("full", "emptied", "removed")]
    (tmp_path / "removed").rmdir()
    here = tmp_path / "full" / "here.mp4"
    here.symlink_to("/nowhere")  # a link stays, though its drive may be unplugged
    result = find_missing([*paths, str(here), str(tmp_path / "full" / "other" / "below a file")])
    assert result.deleted == (paths[0],)
    assert set(result.unreachable) == {paths[1], paths[2], str(tmp_path / "full" / "other" / "below a file")}


def test_a_folder_that_cannot_be_read_keeps_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").write_bytes(b"")
    path = str(tmp_path / "a.mp4")
    assert find_missing([path]).deleted == (path,)

    def failing(folder: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "scandir", failing)
    assert find_missing([path]).unreachable == (path,)
    monkeypatch.setattr(os, "lstat", failing)
    assert find_missing([path]).unreachable == ()


def test_a_new_spelling_where_case_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Films").mkdir()
    (tmp_path / "Films" / "movie.mp4").write_bytes(b"")
    new = str(tmp_path / "Films" / "movie.mp4")
    spelled = [str(tmp_path / "Films" / "Movie.mp4"), str(tmp_path / "films" / "movie.mp4")]
    assert all(was_renamed_to(old, new) for old in spelled)  # here, where case counts, there is no such file
    monkeypatch.setattr(
        "indexer.missing_files.exists", lambda path: True
    )  # and where it does not, any spelling answers
    assert all(was_renamed_to(old, new) for old in spelled)
    assert not was_renamed_to(new, new)
    assert not was_renamed_to(str(tmp_path / "Films" / "another.mp4"), new)
    shutil.copy(new, spelled[0])  # two files, side by side
    assert not was_renamed_to(spelled[0], new)


def test_below() -> None:
    assert is_below("/a/b/c", "/a/b")
    assert is_below("/a/b", "/a/b")
    assert is_below("/a", "/")
    assert not is_below("/a/bc", "/a/b")


def test_many_files_of_one_size_and_time_cost_one_look_each(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    real = os.path.realpath

    def counted(path: str) -> str:
        nonlocal looks
        looks += 1
        return real(path)

    monkeypatch.setattr(os.path, "realpath", counted)
    stored = {f"/f/old {number}.mp4": known(number, f"{number}") for number in range(200)}
    files = [found(f"/f/new {number}.mp4") for number in range(200)]
    sorted_files = classify_files(files, stored, {}, lacking_in(stored), redo=False, retry_failed=False)
    assert len(sorted_files.unknown) == 200
    assert looks == 400, "one look at each file, known or new"
