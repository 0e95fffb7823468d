"""Collections and subclips: they outlive changes of their videos, and edits by several people at once."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from db_samples import SECOND, add, ids_of, make_video

from db import ordering
from db.errors import EditConflict
from db.library import Library
from db.records import NewSubclip, Subclip

TESTS = Path(__file__).parent


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


@pytest.fixture
def tray(library: Library) -> int:
    return library.collections.tray().id


def order(library: Library, collection_id: int) -> list[int]:
    return [subclip.id for subclip in library.collections.subclips(collection_id)]


def fill(library: Library, collection_id: int, count: int = 3, path: str = "/films/a.mp4", content: str = "aa") -> Any:
    """A video of `count` segments, all of them kept. Gives (video id, subclips)."""
    video_id = add(library, make_video(path, content), count=count)
    return video_id, library.collections.add(
        collection_id, [NewSubclip(segment_id=each) for each in ids_of(library, video_id)]
    )


# Collections


def test_the_tray_is_the_first_collection_and_is_made_once(library: Library) -> None:
    assert library.collections.all() == []
    tray = library.collections.tray()
    assert (tray.name, tray.items, tray.revision) == ("Tray", 0, 1)
    assert tray.created_at == tray.updated_at
    other = library.collections.create("Other")
    assert library.collections.tray() == tray == library.collections.get(tray.id)
    assert library.collections.all() == [tray, other]


def test_many_threads_make_one_tray(place: Path | str) -> None:
    found: list[int] = []
    libraries = [Library.open(place) for _ in range(6)]
    barrier = threading.Barrier(6)

    def ask(library: Library) -> None:
        barrier.wait()
        found.append(library.collections.tray().id)

    threads = [threading.Thread(target=ask, args=(library,)) for library in libraries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert len(libraries[0].collections.all()) == 1
    for library in libraries:
        library.close()


@pytest.mark.parametrize("name", ["", "  \n", "a" * 201, "half \ud83d", "zero \0"])
def test_names_that_cannot_be_are_refused_in_words(library: Library, tray: int, name: str) -> None:
    for make in (library.collections.create, lambda name: library.collections.rename(tray, name)):
        with pytest.raises(ValueError, match="name"):
            make(name)
    assert [each.name for each in library.collections.all()] == ["Tray"]


@pytest.mark.parametrize(
    ("one", "two"), [("Sunset", "sUNSET"), ("Straße", "STRASSE"), ("caf\u00e9", "CAFE\u0301"), ("x", "  X ")]
)
def test_names_that_read_alike_are_taken(library: Library, one: str, two: str) -> None:
    first = library.collections.create(one)
    with pytest.raises(ValueError, match="already"):
        library.collections.create(two)
    other = library.collections.create("other")
    with pytest.raises(ValueError, match="already"):
        library.collections.rename(other.id, two)
    assert library.collections.rename(first.id, two).name == two.strip(), "one's own name in another case is free"


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a'; DROP TABLE subclips; --", 'q"uo`te', "a\nb", "日" * 199 + "月"]
)
def test_hostile_names_are_only_names(library: Library, name: str) -> None:
    made = library.collections.create(name)
    assert library.collections.get(made.id).name == name
    renamed = library.collections.rename(made.id, name[::-1])
    assert renamed.name == name[::-1]
    assert renamed.revision > made.revision


def test_a_removed_collection_comes_back_with_all_that_was_in_it(library: Library, tray: int) -> None:
    fill(library, tray)
    before = order(library, tray)
    library.collections.remove(tray)
    assert library.collections.all() == []
    for ask in (library.collections.get, library.collections.subclips, library.collections.remove):
        with pytest.raises(KeyError, match=str(tray)):
            ask(tray)
    again = library.collections.tray()
    assert again.id != tray
    restored = library.collections.restore(tray)
    assert (restored.name, restored.items) == ("Tray 2", 3), "its name was taken meanwhile"
    assert order(library, tray) == before
    assert library.collections.restore(tray) == restored, "twice does no harm"
    with pytest.raises(KeyError):
        library.collections.restore(999)


def test_what_was_removed_long_ago_goes_for_good(library: Library, tray: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (one, two, three) = fill(library, tray)
    gone = library.collections.create("gone")
    library.collections.remove(gone.id)
    library.collections.take_out([one.id])
    assert library.collections.put_back([one.id]) == 1
    library.collections.take_out([two.id])
    with monkeypatch.context() as later:
        later.setattr("db.collections.undo_deadline", lambda: "2999-01-01T00:00:00+00:00")
        library.collections.take_out([three.id])
    assert library.collections.put_back([two.id, three.id]) == 1, "the second one is gone, the third was taken out now"
    assert order(library, tray) == [one.id, three.id]
    with pytest.raises(KeyError):
        library.collections.restore(gone.id)


# Subclips


def test_a_subclip_carries_its_video(library: Library, tray: int) -> None:
    video = make_video(
        time_base=Fraction(1001, 30_000), start_pts=7, end_pts=307, timecode="01:00:00;02", has_audio=True, width=1920
    )
    video_id = add(library, video, count=3)
    first = ids_of(library, video_id)[0]
    new = NewSubclip(segment_id=first, start_pts=10, end_pts=40, name="<b>", note="x\n" * 10, score=0.25)
    (kept,) = library.collections.add(tray, [new])
    assert kept == Subclip(
        id=kept.id,
        collection_id=tray,
        revision=1,
        video_id=video_id,
        segment_id=first,
        fingerprint=video.fingerprint,
        path=video.path,
        time_base=video.time_base,
        video_start_pts=7,
        video_end_pts=307,
        frame_rate=video.frame_rate,
        timecode="01:00:00;02",
        start_pts=10,
        end_pts=40,
        name="<b>",
        note="x\n" * 10,
        has_audio=True,
        width=1920,
        height=video.height,
        score=0.25,
        created_at=kept.created_at,
    )
    assert kept.start_seconds == pytest.approx(3 * 1001 / 30_000)
    assert kept.end_seconds - kept.start_seconds == pytest.approx(kept.duration_seconds) == pytest.approx(1.001)
    assert library.collections.get(tray).items == 1


def test_new_ones_go_to_the_end_or_behind_another_and_the_same_range_stays_where_it_is(
    library: Library, tray: int
) -> None:
    _, (a, b, c) = fill(library, tray)
    video_id = add(library, make_video("/films/b.mp4", "bb"))
    ids = ids_of(library, video_id)
    again = NewSubclip(segment_id=b.segment_id, note="another note")
    d, same, e = library.collections.add(
        tray, [NewSubclip(segment_id=ids[0]), again, NewSubclip(segment_id=ids[1])], a.id
    )
    assert same == b, "as it is, note and place"
    assert order(library, tray) == [a.id, d.id, e.id, b.id, c.id]
    (f, f_again) = library.collections.add(tray, [NewSubclip(segment_id=ids[2])] * 2)
    assert f == f_again
    assert order(library, tray)[-1] == f.id
    other = library.collections.create("other").id
    (elsewhere,) = library.collections.add(other, [NewSubclip(segment_id=ids[2])])
    assert elsewhere.id != f.id, "another collection has its own"
    assert library.collections.add(tray, []) == []


def test_the_same_content_at_a_second_path_is_the_same_range(library: Library, tray: int) -> None:
    video_id, (a, *_) = fill(library, tray)
    copy = library.copy_video(video_id, path="/copy.mp4", size_bytes=1, modified_ns=1)
    (same,) = library.collections.add(tray, [NewSubclip(segment_id=ids_of(library, copy)[0])])
    assert same.id == a.id
    assert same.path == "/films/a.mp4"


@pytest.mark.parametrize(
    ("start", "end"), [(5 * SECOND, 5 * SECOND), (6 * SECOND, 5 * SECOND), (0, None), (None, 2**62)]
)
def test_a_range_that_cannot_be_is_refused_and_nothing_is_added(
    library: Library, tray: int, start: int | None, end: int | None
) -> None:
    _, (a, *_) = fill(library, tray)
    good = NewSubclip(segment_id=a.segment_id, start_pts=1000)
    with pytest.raises(ValueError, match="lie within its video"):
        library.collections.add(tray, [good, NewSubclip(segment_id=a.segment_id, start_pts=start, end_pts=end)])
    with pytest.raises(ValueError, match="lie within its video"):
        library.collections.change(a.id, 1, start_pts=start, end_pts=end)
    assert len(order(library, tray)) == 3
    assert library.collections.change(a.id, 1) == a


def test_what_is_not_there_is_a_key_error(library: Library, tray: int) -> None:
    _, (a, *_) = fill(library, tray)
    other = library.collections.create("other").id
    new = NewSubclip(segment_id=a.segment_id)
    calls: list[Callable[[], object]] = [
        lambda: library.collections.add(99, [new]),
        lambda: library.collections.add(tray, [NewSubclip(segment_id=99)]),
        lambda: library.collections.add(other, [new], after=a.id),
        lambda: library.collections.change(99, 1, name="x"),
        lambda: library.collections.move(99, None),
        lambda: library.collections.move(a.id, 99),
        lambda: library.collections.subclips(99),
        lambda: library.collections.rename(99, "x"),
        lambda: library.collections.get(10**30),
        lambda: library.collections.change(10**30, 1, name="x"),
        lambda: library.collections.add(tray, [NewSubclip(segment_id=10**30)]),
        lambda: library.collections.move(a.id, 10**30),
        lambda: library.video(-(10**30)),
    ]
    for call in calls:
        with pytest.raises(KeyError):
            call()
    assert library.collections.take_out([99]) == library.collections.put_back([99]) == 0
    assert library.collections.get(other).items == 0


def test_an_edit_of_an_old_state_is_refused_with_the_current_one(library: Library, tray: int) -> None:
    _, (a, *_) = fill(library, tray)
    named = library.collections.change(a.id, 1, name="one", start_pts=a.start_pts + 5)
    assert named == replace(a, name="one", start_pts=a.start_pts + 5, revision=2)
    with pytest.raises(EditConflict, match="changed in the meantime") as caught:
        library.collections.change(a.id, 1, name="two")
    assert caught.value.current == named
    assert library.collections.change(a.id, 1, name="one") == named, "what is so already is no conflict: a lost answer"
    noted = library.collections.change(a.id, 2, note="seen")
    assert (noted.name, noted.note, noted.revision) == ("one", "seen", 3)
    for wrong in ({"name": "x" * 201}, {"note": "x" * 10_001}, {"note": "\ud800"}):
        with pytest.raises(ValueError, match=r"name|note"):
            library.collections.change(a.id, 3, **wrong)  # type: ignore[arg-type]
    library.collections.take_out([a.id])
    with pytest.raises(KeyError):
        library.collections.change(a.id, 3, name="three")


def test_of_edits_at_once_one_wins_and_the_others_hear_of_it(place: Path | str) -> None:
    libraries = [Library.open(place) for _ in range(5)]
    tray = libraries[0].collections.tray().id
    _, (a, *_) = fill(libraries[0], tray)
    said: list[str] = []
    barrier = threading.Barrier(5)

    def edit(library: Library, name: str) -> None:
        barrier.wait()
        try:
            said.append(library.collections.change(a.id, 1, name=name).name)
        except EditConflict as conflict:
            said.append(f"conflict {conflict.current.name}")

    threads = [threading.Thread(target=edit, args=(each, f"n{at}")) for at, each in enumerate(libraries)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [name for name in said if not name.startswith("conflict")]
    assert sorted(said) == sorted([winner] + [f"conflict {winner}"] * 4)
    for library in libraries:
        library.close()


def test_every_change_makes_the_revision_grow_and_nothing_else_does(library: Library, tray: int) -> None:
    seen = [library.collections.get(tray).revision]

    def grown() -> bool:
        seen.append(library.collections.get(tray).revision)
        return seen[-1] > seen[-2]

    video_id, (a, b, c) = fill(library, tray)
    assert grown()
    steps: list[Callable[[], object]] = [
        lambda: library.collections.change(a.id, 1, note="n"),
        lambda: library.collections.move(c.id, None),
        lambda: library.collections.take_out([b.id]),
        lambda: library.collections.put_back([b.id]),
        lambda: library.collections.rename(tray, "other"),
        lambda: library.touch_video(video_id, path="/films/moved.mp4", size_bytes=1, modified_ns=1),
        lambda: library.copy_video(video_id, path="/films/copy.mp4", size_bytes=1, modified_ns=1),
        lambda: library.remove_videos([video_id]),
        lambda: add(library, make_video("/films/a.mp4", "aa"), count=5),
    ]
    for step in steps:
        step()
        assert grown()
    quiet: list[Callable[[], object]] = [
        lambda: library.collections.subclips(tray),
        lambda: library.collections.change(a.id, 2, note="n"),
        lambda: library.collections.put_back([b.id]),
        lambda: library.collections.rename(tray, "other"),
        lambda: add(library, make_video("/films/b.mp4", "bb")),
        lambda: add(library, make_video("/films/b.mp4", "bb"), seed=3),
        lambda: fill(library, library.collections.create("second").id, path="/films/c.mp4", content="cc"),
    ]
    for step in quiet:
        step()
        assert not grown()


# Order


def test_an_order_can_be_changed_for_ever(library: Library, tray: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a plain list, with gaps so small that they are used up all the time."""
    monkeypatch.setattr(ordering, "STEP", 4)
    chance = random.Random(5)
    _, clips = fill(library, tray, count=8)
    full = [clip.id for clip in clips]  # all, those taken out included, in order
    out: set[int] = set()
    spare = [
        NewSubclip(segment_id=clips[0].segment_id, start_pts=900 + number, end_pts=2000 + number)
        for number in range(40)
    ]
    for _ in range(250):
        shown = [each for each in full if each not in out]
        what = chance.random()
        if what < 0.6 and len(shown) > 1:
            moved = chance.choice(shown)
            after = chance.choice([None, *(each for each in shown if each != moved)])
            library.collections.move(moved, after)
            full.remove(moved)
            full.insert(0 if after is None else full.index(after) + 1, moved)
        elif what < 0.75 and shown:
            chosen = chance.choice(shown)
            assert library.collections.take_out([chosen]) == 1
            out.add(chosen)
        elif what < 0.9 and out:
            chosen = chance.choice(sorted(out))
            assert library.collections.put_back([chosen]) == 1
            out.discard(chosen)
        elif spare:
            after = chance.choice([None, *full])
            some = [spare.pop() for _ in range(min(len(spare), chance.randint(1, 6)))]
            added = [clip.id for clip in library.collections.add(tray, some, after)]
            at = len(full) if after is None else full.index(after) + 1
            full[at:at] = added
        assert order(library, tray) == [each for each in full if each not in out]
    assert not spare, "the gaps were filled many times over"


def test_moving_behind_itself_changes_nothing(library: Library, tray: int) -> None:
    _, clips = fill(library, tray)
    before = order(library, tray)
    collection = library.collections.move(clips[1].id, clips[1].id)
    assert (order(library, tray), collection.items) == (before, 3)
    library.collections.move(clips[1].id, clips[0].id)
    assert order(library, tray) == before


# Subclips outlive their videos


def test_taken_in_when_the_video_is_indexed_anew(library: Library, tray: int) -> None:
    video_id, clips = fill(library, tray, count=3)
    old_ids = {clip.segment_id for clip in clips}
    new_id = add(library, make_video("/films/a.mp4", "aa"), count=6)
    assert new_id != video_id
    now = library.collections.subclips(tray)
    segments = {segment.id: segment for segment in library.segments_of(new_id)}
    for before, after in zip(clips, now, strict=True):
        assert after == replace(before, video_id=new_id, segment_id=after.segment_id)
        assert after.segment_id not in old_ids
        segment = segments[after.segment_id]
        assert segment.start_pts < after.end_pts
        assert segment.end_pts > after.start_pts


def test_the_segment_that_shows_most_of_it_stands_for_it(library: Library, tray: int) -> None:
    video = make_video("/films/a.mp4", "aa")
    (first, *_) = ids_of(library, add(library, video, count=2))
    start = video.start_pts + 5 * SECOND
    new = NewSubclip(segment_id=first, start_pts=start, end_pts=start + 4 * SECOND)  # 5..9 s
    library.collections.add(tray, [new])
    numbered = {segment.id: segment.number for segment in library.segments_of(add(library, video, count=3))}  # 4 s each
    (now,) = library.collections.subclips(tray)
    assert numbered[now.segment_id or 0] == 1


def test_kept_when_the_video_leaves_and_alive_again_when_its_content_returns(library: Library, tray: int) -> None:
    video_id, clips = fill(library, tray)
    library.touch_video(video_id, path="/other disk/renamed.mp4", size_bytes=1, modified_ns=1)
    moved = library.collections.subclips(tray)
    assert moved == [replace(clip, path="/other disk/renamed.mp4") for clip in clips], (
        "ids stay, the path is the new one"
    )
    library.remove_videos([video_id])
    gone = library.collections.subclips(tray)
    assert gone == [replace(clip, video_id=None, segment_id=None) for clip in moved], "the last path that was known"
    changed = library.collections.change(gone[0].id, 1, note="still editable", end_pts=gone[0].end_pts - 10)
    assert changed.video_id is None
    back = add(library, make_video("/third/x.mp4", "aa", timecode="10:00:00:00"), count=3)
    now = library.collections.subclips(tray)
    assert [(clip.video_id, clip.path, clip.timecode) for clip in now] == [(back, "/third/x.mp4", "10:00:00:00")] * 3
    assert [clip.segment_id for clip in now] == ids_of(library, back)


def test_other_content_at_its_path_is_not_it(library: Library, tray: int) -> None:
    _, clips = fill(library, tray)
    add(library, make_video("/films/a.mp4", "ff"))
    assert library.collections.subclips(tray) == [replace(clip, video_id=None, segment_id=None) for clip in clips]


def test_of_two_copies_the_one_it_was_taken_from_counts_then_the_other(library: Library, tray: int) -> None:
    original, _ = fill(library, tray)
    copy = library.copy_video(original, path="/films/0 sorts first.mp4", size_bytes=1, modified_ns=1)
    assert {clip.video_id for clip in library.collections.subclips(tray)} == {original}
    original = add(library, make_video("/films/a.mp4", "aa"), count=4)
    assert original > copy
    assert {clip.video_id for clip in library.collections.subclips(tray)} == {original}, "the path counts, not the age"
    library.remove_videos([original])
    now = library.collections.subclips(tray)
    assert {(clip.video_id, clip.path) for clip in now} == {(copy, "/films/0 sorts first.mp4")}
    assert [clip.segment_id for clip in now] == ids_of(library, copy)


def test_of_two_copies_at_other_paths_the_one_it_was_taken_from_counts(library: Library, tray: int) -> None:
    older = add(library, make_video("/films/a.mp4", "aa"))
    newer = library.copy_video(older, path="/films/b.mp4", size_bytes=1, modified_ns=1)
    library.collections.add(tray, [NewSubclip(segment_id=ids_of(library, newer)[0])])
    library.touch_video(newer, path="/films/moved.mp4", size_bytes=1, modified_ns=1)
    (clip,) = library.collections.subclips(tray)
    assert (clip.video_id, clip.path, clip.segment_id) == (newer, "/films/moved.mp4", ids_of(library, newer)[0])


def test_paths_that_are_not_utf8_survive(library: Library, tray: int) -> None:
    path = "/films/\udcff\udcfe <script>.mp4"
    video_id, _ = fill(library, tray, path=path)
    library.remove_videos([video_id])
    library.close()
    with Library.open(library.place) as again:
        assert {clip.path for clip in again.collections.subclips(tray)} == {path}


def test_thousands_of_subclips_are_listed_and_put_in_at_once(library: Library, tray: int) -> None:
    """More than one statement takes variables for; from a video that is then cut anew."""
    _, clips = fill(library, tray, count=2500)
    assert len(clips) == 2500
    video_id = add(library, make_video("/films/a.mp4", "aa"), count=2000)
    now = library.collections.subclips(tray)
    assert [clip.id for clip in now] == [clip.id for clip in clips]
    assert {clip.segment_id for clip in now} <= set(ids_of(library, video_id))
    assert library.collections.take_out([clip.id for clip in clips]) == 2500
    assert library.check() == []


KILLED = f"""
import os, sys
sys.path[:0] = [{str(TESTS.parent)!r}, {str(TESTS)!r}]
from sqlalchemy import event
from db.library import Library
from db.records import NewSubclip
library = Library.open(sys.argv[1])
event.listen(library._database.engine, "commit", lambda *_: os.kill(os.getpid(), 9))  # just before COMMIT
collection = library.collections.all()[0].id
first = library.collections.subclips(collection)[0]
if sys.argv[2] == "add":
    library.collections.add(collection, [NewSubclip(segment_id=first.segment_id, start_pts=1000 + n) for n in range(9)])
elif sys.argv[2] == "take_out":
    library.collections.take_out([first.id])
else:
    library.collections.remove(collection)
"""


@pytest.mark.parametrize("what", ["add", "take_out", "remove"])
def test_killed_before_the_commit_nothing_has_changed(library: Library, tray: int, what: str) -> None:
    fill(library, tray)
    before = (library.collections.all(), library.collections.subclips(tray))
    arguments = [sys.executable, "-c", KILLED, library.place, what]
    assert subprocess.run(arguments, check=False, capture_output=True).returncode == -9
    assert (library.collections.all(), library.collections.subclips(tray)) == before
    assert library.check() == []


# Saved searches


def test_saved_searches_replace_by_name_and_are_listed_by_name(library: Library) -> None:
    zebra = library.searches.save(" Zebra ", "q=zebra&t=1")
    assert (zebra.name, zebra.link) == ("Zebra", "q=zebra&t=1")
    apple = library.searches.save("apple", "")
    assert library.searches.all() == [apple, zebra]
    again = library.searches.save("ZEBRA", "q=other")
    assert (again.id, again.name, again.link) == (zebra.id, "ZEBRA", "q=other")
    assert library.searches.all() == [apple, again]
    assert library.searches.remove(apple.id)
    assert not library.searches.remove(apple.id)
    assert library.searches.all() == [again]
    for name, link in (("", "q=1"), ("x" * 201, "q=1"), ("x", "q" * 20_001), ("x", "\ud800")):
        with pytest.raises(ValueError, match=r"name|link"):
            library.searches.save(name, link)


def test_a_subclip_never_shows_another_content_of_its_fingerprint(library: Library, tray: int) -> None:
    first = add(library, make_video("/films/a.dv", content_hash="aa"))
    second = add(library, make_video("/films/b.dv", content_hash="bb"))
    items = [NewSubclip(segment_id=ids_of(library, each)[0]) for each in (first, second)]
    assert len({each.id for each in library.collections.add(tray, items)}) == 2, "equal ranges of two contents"
    assert [each.video_id for each in library.collections.subclips(tray)] == [first, second]
    library.remove_videos([first])
    assert [each.video_id for each in library.collections.subclips(tray)] == [None, second]
    again = add(library, make_video("/films/c.dv", content_hash="aa"))
    assert [each.video_id for each in library.collections.subclips(tray)] == [again, second]
    add(library, make_video("/films/c.dv", content_hash="cc"))  # another film at the same path
    assert [each.video_id for each in library.collections.subclips(tray)] == [None, second]


def test_a_subclip_of_before_learns_the_hash_of_its_video(library: Library, tray: int) -> None:
    video_id = add(library, make_video("/films/a.dv"))
    (kept,) = library.collections.add(tray, [NewSubclip(segment_id=ids_of(library, video_id)[0])])
    assert kept.content_hash == ""
    library.set_content_hash(video_id, "aa")
    assert [each.content_hash for each in library.collections.subclips(tray)] == ["aa"]
