"""Videos in, videos out: what is replaced, what stays, and what a filter lets through."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from db_samples import add, ids_of, make_parts, make_video, unit_rows

from db.library import Library
from db.records import EncoderChoice, Failure, Filters, KnownFile, Segment, Shot
from db.video_rows import VideoRows


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def test_what_goes_in_comes_out_also_after_reopening(library: Library) -> None:
    video = make_video(
        time_base=Fraction(1001, 2_997_003),
        frame_rate=Fraction(24_000, 1001),
        start_pts=-2048,
        end_pts=2**40,
        rotation=270,
        has_audio=True,
        damaged=3,
    )
    shots, segments = make_parts(video, 4)
    video_id = library.add_video(video, shots, segments, unit_rows(4), encoder_id="enc", recipe="r1")
    library.close()
    with Library.open(library.place, create=False) as again:
        assert again.id == library.id
        assert again.videos() == [replace(video, id=video_id)] == again.videos_with_fingerprint(video.fingerprint)
        assert again.video_at(video.path) == replace(video, id=video_id)
        assert again.video_at("/films/b.mp4") is None
        assert again.shots(video_id) == shots
        stored = again.segments_of(video_id)
        assert [replace(segment, id=None) for segment in stored] == segments
        assert again.segments(ids_of(again, video_id)) == {s.id: (s, replace(video, id=video_id)) for s in stored}
        assert again.known_files("enc") == {
            video.path: KnownFile(
                video_id=video_id,
                size_bytes=video.size_bytes,
                modified_ns=video.modified_ns,
                fingerprint=video.fingerprint,
                recipe="r1",
                embedded=True,
            )
        }


def test_another_encoder_has_its_own_recipe_and_does_not_count_as_embedded(library: Library) -> None:
    add(library, encoder_id="one", recipe="r1")
    assert not library.known_files("two")["/films/a.mp4"].embedded
    assert library.known_files("two")["/films/a.mp4"].recipe == ""
    add(library, encoder_id="two", recipe="r2", dim=8)
    assert library.known_files("one")["/films/a.mp4"].recipe == "r1"
    assert library.known_files("two")["/films/a.mp4"].recipe == "r2"
    assert [(row.id, row.dim, row.segments) for row in library.encoders()] == [("one", 16, 3), ("two", 8, 3)]


def test_same_content_and_segments_keep_their_ids_and_other_encoders_rows(library: Library) -> None:
    first = add(library, make_video(content_hash="aa"), encoder_id="one", seed=1)
    ids = ids_of(library, first)
    before = library.embedding_rows("one", ids)
    again = add(library, make_video(content_hash="aa", modified_ns=5), encoder_id="two", seed=2)
    assert (again, ids_of(library, again)) == (first, ids)
    assert library.videos()[0].modified_ns == 5
    np.testing.assert_array_equal(library.embedding_rows("one", ids), before)
    np.testing.assert_allclose(library.embedding_rows("two", ids), unit_rows(3, 2), atol=1e-3)


def test_the_rows_of_several_encoders_come_together_or_not_at_all(library: Library) -> None:
    video = make_video(content_hash="aa")
    shots, segments = make_parts(video)

    def add_both(dim: int) -> int:
        two = VideoRows(encoder_id="two", recipe="r2", embeddings=unit_rows(3, 2, dim))
        rows = unit_rows(3, 1)
        return library.add_video(video, shots, segments, rows, encoder_id="one", recipe="r1", further=[two])

    both = add_both(8)
    assert [(row.id, row.dim, row.segments) for row in library.encoders()] == [("one", 16, 3), ("two", 8, 3)]
    assert [library.known_files(name)[video.path].recipe for name in ("one", "two")] == ["r1", "r2"]
    np.testing.assert_allclose(library.embedding_rows("two", ids_of(library, both)), unit_rows(3, 2, 8), atol=1e-3)
    assert library.is_cut_so(video, shots, segments)
    assert not library.is_cut_so(video, shots, segments[:2])
    assert not library.is_cut_so(replace(video, path="/films/other.mp4"), shots, segments)
    library.remove_videos([both])
    with pytest.raises(ValueError, match="8 columns by two, not 4"):
        add_both(4)
    assert library.videos() == []
    assert [row.segments for row in library.encoders()] == [0, 0]
    assert library.check() == []


@pytest.mark.parametrize(("by", "stays"), [(-1, False), (0, True), (500, True), (3003, False)])
def test_a_part_that_began_between_two_frames_is_the_one_that_begins_with_the_next(
    library: Library, by: int, stays: bool
) -> None:
    """Earlier versions cut long shots between frames; another encoder must not lose the rows of the first for it."""
    video = make_video(content_hash="aa")  # 3003 units of pts a frame
    first = add(library, video, encoder_id="one")
    shots, segments = make_parts(video)
    border = segments[0].end_pts + by
    segments[:2] = replace(segments[0], end_pts=border), replace(segments[1], start_pts=border)
    again = library.add_video(video, shots, segments, unit_rows(3), encoder_id="two", recipe="r1")
    assert (again == first) is stays
    assert [row.segments for row in library.encoders()] == ([3, 3] if stays else [0, 3])


@pytest.mark.parametrize("what", ["content", "content of one fingerprint", "segments", "shots"])
def test_anything_else_at_that_path_takes_new_ids_and_the_old_ones_never_return(library: Library, what: str) -> None:
    video = make_video(content_hash="aa")
    old = add(library, video, encoder_id="one")
    add(library, video, encoder_id="two")
    old_ids = ids_of(library, old)
    if what == "content":
        new = add(library, replace(video, fingerprint="ffff"), encoder_id="one")
    elif what == "content of one fingerprint":
        new = add(library, replace(video, content_hash="bb"), encoder_id="one")
    elif what == "segments":
        new = add(library, video, count=4, encoder_id="one")
    else:
        shots, segments = make_parts(video)
        shots[1] = replace(shots[1], end_pts=shots[1].end_pts - 1)
        new = library.add_video(video, shots, segments, unit_rows(3), encoder_id="one", recipe="r1")
    assert [v.id for v in library.videos()] == [new]
    assert new > old
    assert min(ids_of(library, new)) > max(old_ids)
    assert library.segments(old_ids) == {}
    assert [row.segments for row in library.encoders()] == [len(ids_of(library, new)), 0]  # no row of `two` is left
    assert not library.known_files("two")[video.path].embedded
    assert library.check() == []


def test_ids_are_not_reused_after_everything_went_and_the_library_was_reopened(library: Library) -> None:
    gone = add(library)
    gone_ids = ids_of(library, gone)
    assert library.remove_videos([gone]) == 1
    library.close()
    with Library.open(library.place) as again:
        new = add(again)
        assert new > gone
        assert min(ids_of(again, new)) > max(gone_ids)


def test_move_keeps_every_id_and_takes_the_place_of_what_was_there(library: Library) -> None:
    moved = add(library, make_video("/films/a.mp4", "aa"))
    add(library, make_video("/films/b.mp4", "bb"))
    ids = ids_of(library, moved)
    library.record_failure(Failure(path="/films/b.mp4", size_bytes=1, modified_ns=1, kind="broken", reason="torn"))
    library.touch_video(moved, path="/films/b.mp4", size_bytes=7, modified_ns=8)
    (video,) = library.videos()
    assert (video.id, video.path, video.size_bytes, video.modified_ns) == (moved, "/films/b.mp4", 7, 8)
    assert ids_of(library, moved) == ids
    assert library.failures() == []
    with pytest.raises(KeyError):
        library.touch_video(99, path="/films/c.mp4", size_bytes=1, modified_ns=1)
    assert library.video_at("/films/b.mp4") is not None


def test_two_files_can_swap_names_in_two_steps_as_a_scan_would_see_it(library: Library) -> None:
    a = add(library, make_video("/films/a.mp4", "aa"))
    b = add(library, make_video("/films/b.mp4", "bb"))
    library.touch_video(a, path="/films/.swap", size_bytes=1, modified_ns=1)
    library.touch_video(b, path="/films/a.mp4", size_bytes=1, modified_ns=1)
    library.touch_video(a, path="/films/b.mp4", size_bytes=1, modified_ns=1)
    assert {video.path: video.id for video in library.videos()} == {"/films/a.mp4": b, "/films/b.mp4": a}


def test_copy_has_rows_of_its_own_that_say_the_same(library: Library) -> None:
    video = make_video()
    original = add(library, video, encoder_id="one", count=5)
    add(library, video, encoder_id="two", count=5, seed=3)
    add(library, make_video("/backup/a.mp4", "0ther"))
    library.record_failure(Failure(path="/backup/a.mp4", size_bytes=1, modified_ns=1, kind="broken", reason="torn"))
    copy = library.copy_video(original, path="/backup/a.mp4", size_bytes=1000, modified_ns=42)
    assert library.failures() == []
    assert library.video_at("/backup/a.mp4") == replace(video, id=copy, path="/backup/a.mp4", modified_ns=42)
    assert len(library.videos()) == 2
    assert library.shots(copy) == library.shots(original)
    assert [replace(s, id=None) for s in library.segments_of(copy)] == make_parts(video, 5)[1]
    assert not set(ids_of(library, copy)) & set(ids_of(library, original))
    for encoder in ("one", "two"):
        rows = [library.embedding_rows(encoder, ids_of(library, video_id)) for video_id in (original, copy)]
        np.testing.assert_array_equal(rows[0], rows[1])
        assert library.known_files(encoder)["/backup/a.mp4"].embedded
    library.remove_videos([original])
    assert len(library.segments_of(copy)) == 5
    assert library.check() == []
    with pytest.raises(ValueError, match="another path"):
        library.copy_video(copy, path="/backup/a.mp4", size_bytes=1, modified_ns=1)
    with pytest.raises(KeyError):
        library.copy_video(original, path="/backup/b.mp4", size_bytes=1, modified_ns=1)


def test_a_copy_that_another_process_has_made_stays_and_nothing_vanishes(library: Library) -> None:
    """Several workers find the same copy, each in its own scan."""
    original = add(library, make_video(), encoder_id="one")
    copy = library.copy_video(original, path="/backup/a.mp4", size_bytes=1000, modified_ns=42)
    assert library.copy_video(original, path="/backup/a.mp4", size_bytes=1000, modified_ns=43) == copy
    assert library.video(copy).modified_ns == 43
    assert library.vanished_videos() == []
    add(library, make_video(), encoder_id="two", seed=3)
    again = library.copy_video(original, path="/backup/a.mp4", size_bytes=1000, modified_ns=43)
    assert again != copy, "it lacked the rows of an encoder"
    assert library.known_files("two")["/backup/a.mp4"].embedded
    assert library.check() == []


def test_remove_says_how_many_there_were(library: Library) -> None:
    ids = [add(library, make_video(f"/films/{i}.mp4", f"f{i}")) for i in range(3)]
    assert library.remove_videos([ids[0], ids[2], 12345]) == 2
    assert [video.id for video in library.videos()] == [ids[1]]
    assert library.stats().segments == 3
    assert library.remove_videos([]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "films/a.mp4"}, "absolute"),
        ({"segments": []}, "no segment"),
        ({"segments": [Segment(number=1, shot_number=0, start_pts=0, end_pts=9)]}, "numbered"),
        ({"segments": [Segment(number=0, shot_number=1, start_pts=0, end_pts=9)]}, "of shot 1"),
        ({"shots": [Shot(number=3, start_pts=0, end_pts=9)]}, "numbered"),
    ],
)
def test_parts_that_do_not_fit_are_refused(library: Library, change: dict[str, object], message: str) -> None:
    video = make_video(path=str(change.get("path", "/films/a.mp4")))
    shots = change.get("shots", [Shot(number=0, start_pts=0, end_pts=9)])
    segments = change.get("segments", [Segment(number=0, shot_number=0, start_pts=0, end_pts=9)])
    with pytest.raises(ValueError, match=message):
        library.add_video(video, shots, segments, unit_rows(len(segments)), encoder_id="e", recipe="r")  # type: ignore[arg-type]
    assert library.videos() == []
    assert library.encoders() == []


def test_failures_count_attempts_until_the_file_changes(library: Library) -> None:
    failure = Failure(path="/films/\udcff.mp4", size_bytes=5, modified_ns=6, kind="broken", reason="torn")
    library.record_failure(failure)
    library.record_failure(replace(failure, reason="still torn"))
    (stored,) = library.failures()
    assert (stored.path, stored.reason, stored.attempts) == (failure.path, "still torn", 2)
    assert stored.failed_at.endswith("+00:00")
    library.record_failure(replace(failure, modified_ns=7))
    assert [f.attempts for f in library.failures()] == [1]
    library.record_failure(replace(failure, path="/films/b.mp4"))
    assert library.clear_failures([failure.path, "/films/none.mp4"]) == 1
    add(library, make_video("/films/b.mp4"))
    assert library.failures() == []


FOLDERS = ["/a/b/1.mp4", "/a/b/c/2.mp4", "/a/bc/3.mp4", "/a/b", "/a/b0.mp4", "/a/b.mp4", "/z.mp4", "/a/B/4.mp4"]


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("/a/b", {"/a/b/1.mp4", "/a/b/c/2.mp4", "/a/b"}),
        ("/a/b/", {"/a/b/1.mp4", "/a/b/c/2.mp4", "/a/b"}),
        ("/a/b/c", {"/a/b/c/2.mp4"}),
        ("/a/b/1.mp4", {"/a/b/1.mp4"}),
        ("/a", set(FOLDERS) - {"/z.mp4"}),
        ("/", set(FOLDERS)),
        ("/a/%", set()),
        ("/a/_", set()),
        ("/nowhere", set()),
    ],
)
def test_a_folder_is_what_lies_below_it_or_that_very_file(library: Library, folder: str, inside: set[str]) -> None:
    for number, path in enumerate(FOLDERS):
        add(library, make_video(path, f"f{number}"))
    assert {video.path for video in library.videos(folder)} == inside
    found = library.segments(library.segment_ids(Filters(folder=folder), "enc"))
    assert {video.path for _, video in found.values()} == inside
    with pytest.raises(ValueError, match="absolute"):
        library.videos("a/b")


def test_names_are_bytes_so_odd_ones_survive_and_unicode_forms_stay_apart(library: Library) -> None:
    names = [
        b"/films/caf\xc3\xa9.mp4",  # e with acute, one code point
        b"/films/cafe\xcc\x81.mp4",  # e, combining acute
        b"/films/caf\xe9.mp4",  # Latin-1, not UTF-8
        b"/films/'; DROP TABLE videos; --.mp4",
        b"/films/ trailing ",
        b'/films/-dash\nnewline\t"quote".mp4',
        "/films/😀.mp4".encode(),
        b"/films/" + b"x" * 200,
        b"/films/\xff\xfe/y.mp4",
    ]
    paths = [os.fsdecode(name) for name in names]
    for number, path in enumerate(paths):
        add(library, make_video(path, f"f{number}"))
    assert [os.fsencode(video.path) for video in library.videos()] == sorted(names)
    assert set(library.known_files("enc")) == set(paths)
    for number, path in enumerate(paths):
        video = library.video_at(path)
        assert video is not None
        assert video.fingerprint == f"f{number}"
    assert [v.path for v in library.videos(os.fsdecode(b"/films/\xff\xfe"))] == [paths[-1]]


def test_filters_by_length_and_time_are_inclusive_and_combine(library: Library) -> None:
    short = add(library, make_video("/f/short.mp4", "aa", seconds=6, modified_ns=100), count=3)  # 2 s segments
    long = add(library, make_video("/f/long.mp4", "bb", seconds=30, modified_ns=200), count=3)  # 10 s
    odd = add(  # 60 frames of 1001/30000 s: 2.002 s
        library,
        make_video("/g/odd.mp4", "cc", modified_ns=300, time_base=Fraction(1001, 30_000), start_pts=0, end_pts=180),
    )

    def owners(**limits: object) -> set[int]:
        ids = library.segment_ids(Filters(**limits), "enc")  # type: ignore[arg-type]
        assert ids.dtype == np.int64
        assert (np.diff(ids) > 0).all()
        return {video.id or 0 for _, video in library.segments(ids).values()}

    assert owners() == {short, long, odd}
    assert owners(min_seconds=2.0) == {short, long, odd}
    assert owners(min_seconds=2.001) == {long, odd}
    assert owners(min_seconds=2.002) == {long, odd}
    assert owners(max_seconds=2.002) == {short, odd}
    assert owners(max_seconds=1.999) == set()
    assert owners(min_seconds=2.0020009, max_seconds=2.0020009) == owners(min_seconds=2.0019991, max_seconds=2.0019991)
    assert owners(min_seconds=2.0019991, max_seconds=2.0019991) == {odd}, "a millionth of a second of slack"
    assert owners(min_seconds=2.0020011, max_seconds=9) == owners(min_seconds=2.1, max_seconds=2.0019989) == set()
    assert owners(since_ns=200) == {long, odd}
    assert owners(until_ns=200) == {short, long}
    assert owners(since_ns=200, until_ns=200, folder="/f", min_seconds=1.0) == {long}
    assert library.segment_ids(Filters(), "no such encoder").size == 0


def test_lookups_of_five_thousand_ids(library: Library) -> None:
    videos = [add(library, make_video(f"/f/{i}.mp4", f"f{i}", seconds=100), count=500, seed=i) for i in range(10)]
    ids = library.segment_ids(Filters(), "enc")
    assert ids.size == 5000
    order = np.random.default_rng(0).permutation(ids)
    found = library.segments(order)  # numpy integers, as they come from FAISS
    assert set(found) == set(ids.tolist())
    assert {video.id for _, video in found.values()} == set(videos)
    assert library.segments([*order.tolist(), 10**9]).keys() == found.keys()
    rows = library.embedding_rows("enc", order)
    np.testing.assert_array_equal(rows[np.argsort(order)], library.embedding_rows("enc", ids))


def test_stats_count_what_is_there(library: Library) -> None:
    assert library.stats().seconds == 0
    add(library, make_video("/f/a.mp4", "aa", seconds=12))
    add(library, make_video("/f/b.mp4", "bb", seconds=30), count=4)
    library.record_failure(Failure(path="/f/c", size_bytes=0, modified_ns=0, kind="empty", reason="empty"))
    stats = library.stats()
    assert (stats.videos, stats.shots, stats.segments, stats.failures) == (2, 5, 7, 1)
    assert stats.seconds == pytest.approx(42)
    assert stats.media_bytes == 0
    if (file := library.directory / "library.sqlite3").exists():
        assert stats.database_bytes >= file.stat().st_size > 0
    assert stats.database_bytes > 10_000
    assert [(row.id, row.segments) for row in stats.encoders] == [("enc", 7)]


def test_an_overview_counts_as_the_single_questions_do(library: Library) -> None:
    first = add(library, make_video("/films/a.mp4", "aa"), count=5)
    second = add(library, make_video("/films/b.mp4", "bb"), count=2, encoder_id="other")
    add(library, make_video("/films/a.mp4", "aa"), count=5, encoder_id="other")
    overview = {each.video.id: each for each in library.overview()}
    assert set(overview) == {first, second}
    for video_id, each in overview.items():
        assert each.shots == len(library.shots(video_id))
        assert each.segments == len(library.segments_of(video_id))
        assert each.middle_segment == ids_of(library, video_id)[each.segments // 2]
    assert (overview[first].encoders, overview[second].encoders) == ({"enc", "other"}, {"other"})
    ids, videos = library.owners("enc")
    assert ids.tolist() == ids_of(library, first)
    assert videos.tolist() == [first] * 5
    assert library.owners("nobody")[0].tolist() == []


def test_recipes_are_replaced_of_one_encoder_and_counted(library: Library) -> None:
    for letter, recipe in zip("abc", ("r1", "r2", "r3"), strict=True):
        video = make_video(f"/films/{letter}.mp4", letter * 2)
        add(library, video, recipe=recipe)
        add(library, video, recipe=recipe, encoder_id="other")
    assert library.replace_recipes("enc", ["r1", "r2", "r9"], "new") == 2
    assert library.recipes() == {"new": 2, "r1": 1, "r2": 1, "r3": 2}


def test_a_fit_that_does_not_exist_is_refused() -> None:
    EncoderChoice(name="base", encoder_id="base@1", frames=None, fit="pad")
    with pytest.raises(ValueError, match="fit must be stretch, crop, pad, got 'fill'"):
        EncoderChoice(name="base", encoder_id="base@1", frames=None, fit="fill")  # type: ignore[arg-type]


def test_the_newest_shots_are_the_first_ones_of_the_newest_files(library: Library) -> None:
    for name, modified in (("b", 3), ("c", 1), ("a", 3), ("d", 2)):
        add(library, make_video(f"/films/{name}.mp4", f"abcd0{name}", modified_ns=modified))
    found = library.newest_shots(3)
    assert [video.path for _, video in found] == ["/films/a.mp4", "/films/b.mp4", "/films/d.mp4"]
    assert all(video == library.video_at(video.path) for _, video in found)
    assert [segment for segment, _ in found] == [library.segments_of(video.id or 0)[0] for _, video in found]
    assert library.newest_shots(0) == []
    add(library, make_video("/other/e.mp4", "abcd0e", modified_ns=9))
    assert library.newest_shots(9)[0][1].path == "/other/e.mp4"
    assert [video.path for _, video in library.newest_shots(2, Filters(folder="/films"))] == [
        "/films/a.mp4",
        "/films/b.mp4",
    ]
    assert library.newest_shots(2, Filters(folder="/nowhere")) == []
