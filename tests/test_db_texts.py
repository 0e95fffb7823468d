"""Timed text in a library: it belongs to its video, wherever that goes, and both full-text indexes follow."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from db_samples import add, make_parts, make_video, unit_rows
from postgres import in_a_folder, on_a_server
from test_db_crash import start

from db.errors import LibraryError
from db.library import FILE_NAME, Library
from db.records import FileState, Filters
from db.sql import on_server
from db.text import full_text
from db.text.joining import beginnings_of_next
from db.timed_text import TextSource, TimedLine, TimedWord

SUBTITLES = TextSource(kind="subtitle", origin="track 3", language="en", title="English")
BESIDE = TextSource(
    kind="subtitle", origin="a.en.srt", file="a.en.srt", size_bytes=90, modified_ns=5, content_hash="ab"
)


def lines(*texts: str, step: int = 2000) -> list[TimedLine]:
    return [TimedLine(at * step, at * step + step, text) for at, text in enumerate(texts)]


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as library:
        add(library, make_video("/f/a.mp4", "aa"))
        add(library, make_video("/f/sub/b.mp4", "bb"), seed=1)
        yield library


def found(library: Library, word: str, **narrower: object) -> list[int]:
    """The videos of the lines that have a word; both indexes must agree, and have no more lines than there are."""
    words = library.texts.match_words(f'{{text}} : "{word}"', [f'"{word}"'], **narrower)  # type: ignore[arg-type]
    trigrams = library.texts.match_trigrams(f'"{word[:3]}"', **narrower)  # type: ignore[arg-type]
    assert set(words.ids.tolist()) <= set(trigrams.ids.tolist())
    return sorted(library.texts.videos_of(words.ids).tolist())


def test_what_was_stored_comes_back_in_the_order_of_time(library: Library) -> None:
    words = (TimedWord(10, 20, "Good", 0.9), TimedWord(20, 40, "evening"))
    late, early = (
        TimedLine(5000, 6000, "  later\x00on "),
        TimedLine(10, 40, "Good\nevening", 0.75, words, (0, 0.5, 1, 0.1)),
    )
    source = TextSource(kind="speech", engine="whisper tiny", language="en")
    number = library.texts.replace(1, source, [late, early, TimedLine(7000, 8000, "\x07")])
    stored = library.texts.lines(1)
    assert [each.line for each in stored] == [early, TimedLine(5000, 6000, "later on")], "blank lines are left out"
    assert [(each.source_id, each.video_id, each.kind) for each in stored] == [(number, 1, "speech")] * 2
    (kept,) = library.texts.sources(1)
    assert (kept.lines, kept.video_id, kept.id, kept.engine) == (2, 1, number, "whisper tiny")
    assert library.texts.lines_by_id([stored[0].id, 7])[stored[0].id] == stored[0]
    assert library.check() == []


def test_a_source_is_replaced_whole_and_others_stay(library: Library) -> None:
    library.texts.replace(1, SUBTITLES, lines("old words"))
    library.texts.replace(1, TextSource(kind="subtitle", origin="track 4"), lines("other words"))
    library.texts.replace(1, SUBTITLES, lines("new words", "more"))
    assert [each.line.text for each in library.texts.lines(1)] == ["other words", "new words", "more"]
    assert found(library, "old") == []
    assert found(library, "words") == [1, 1]
    assert [each.lines for each in library.texts.sources(1)] == [2, 1]
    library.texts.replace(1, SUBTITLES, [])
    assert [each.lines for each in library.texts.sources(1)] == [0, 1], "read, and without words"
    assert library.texts.remove([each.id or 0 for each in library.texts.sources(1)]) == 2
    assert found(library, "words") == []
    assert library.check() == []


def test_text_of_a_video_that_is_not_there_is_refused(library: Library) -> None:
    library.hide_videos([2])
    for unknown in (2, 77):
        with pytest.raises(KeyError):
            library.texts.replace(unknown, SUBTITLES, lines("words"))
    assert library.texts.lines(77) == library.texts.sources(77) == []


def test_lines_are_chosen_by_kind_and_time(library: Library) -> None:
    library.texts.replace(1, SUBTITLES, lines("zero", "two", "four"))
    chapters = [TimedLine(0, 0, "Opening"), TimedLine(4000, 4000, "The End")]
    source = library.texts.replace(1, TextSource(kind="chapter", origin="chapters"), chapters)

    def texts(**narrower: object) -> list[str]:
        return [each.line.text for each in library.texts.lines(1, **narrower)]  # type: ignore[arg-type]

    assert texts(kinds=["chapter"]) == texts(source_id=source) == ["Opening", "The End"]
    assert texts(start_ms=2000, end_ms=4000) == ["two"]
    assert texts(start_ms=1999, end_ms=4001) == ["zero", "two", "The End", "four"]
    assert texts(start_ms=0, end_ms=1) == ["Opening", "zero"]
    counts = library.texts.counts()
    assert [(kind, each.videos, each.sources, each.lines) for kind, each in counts.items()] == [
        ("chapter", 1, 1, 2),
        ("subtitle", 1, 1, 3),
    ]
    assert set(library.texts.sources_of()) == set(library.texts.sources_of([1, 2])) == {1}


def test_it_is_hidden_brought_back_and_removed_with_its_video(library: Library) -> None:
    library.texts.replace(1, SUBTITLES, lines("a red kite", "over the hill"))
    library.texts.replace(2, SUBTITLES, lines("a red kite"))
    before = library.texts.lines(1)
    assert library.hide_videos([1]) == 1
    assert found(library, "kite") == [2]
    assert library.texts.lines(1) == library.texts.sources(1) == []
    library.texts.replace(2, SUBTITLES, lines("another kite", "and more"))  # takes no ids of hidden lines
    assert library.check() == []
    library.touch_video(1, path="/g/a.mp4", size_bytes=1, modified_ns=2)
    assert library.texts.lines(1) == before
    assert found(library, "kite") == [1, 2]
    library.remove_videos([1])
    assert found(library, "kite") == [2]
    library.hide_videos([2])
    library.remove_vanished([2])
    with library._database.reading() as connection:
        for table in ("text_sources", "text_lines", "vanished_text_sources", "vanished_text_lines"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
        for table in ("text_index",) if on_server(connection) else ("text_words_docsize", "text_trigrams_docsize"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
        if on_server(connection):
            assert connection.exec_driver_sql("SELECT lines, size FROM text_totals").one() == (0, 0)
    assert library.check() == []


def test_a_copy_has_the_text_of_the_content_and_not_that_of_files_beside_it(library: Library) -> None:
    library.texts.replace(1, SUBTITLES, lines("from the track", "and on"))
    library.texts.replace(1, BESIDE, lines("from the file"))
    copy = library.copy_video(1, path="/elsewhere/a.mp4", size_bytes=1, modified_ns=2)
    assert [each.line for each in library.texts.lines(copy)] == lines("from the track", "and on")
    assert [each.origin for each in library.texts.sources(copy)] == ["track 3"]
    assert found(library, "track") == [1, copy]
    library.remove_videos([1])
    assert found(library, "track") == [copy]
    assert library.check() == []


@pytest.mark.parametrize("count", [3, 5])
def test_it_survives_indexing_again_with_the_same_cuts_and_with_others(library: Library, count: int) -> None:
    library.texts.replace(1, SUBTITLES, lines("still here"))
    library.texts.replace(1, BESIDE, lines("and here"))
    before = [(each.id, each.line) for each in library.texts.lines(1)]
    video = make_video("/f/a.mp4", "aa", content_hash="known now")
    shots, segments = make_parts(video, count)
    again = library.add_video(video, shots, segments, unit_rows(count), encoder_id="other", recipe="r")
    assert (again == 1) == (count == 3)
    assert [(each.id, each.line) for each in library.texts.lines(again)] == before
    assert found(library, "still") == [again]
    assert library.check() == []


def test_other_content_at_its_path_does_not_take_it(library: Library) -> None:
    library.texts.replace(1, SUBTITLES, lines("of the old film"))
    new = add(library, make_video("/f/a.mp4", "other"))
    assert library.texts.lines(new) == []
    assert found(library, "film") == []
    library.touch_video(1, path="/f/old.mp4", size_bytes=1, modified_ns=2)
    assert found(library, "film") == [1]


def test_a_moved_folder_keeps_files_beside_its_videos(library: Library) -> None:
    library.texts.replace(1, BESIDE, lines("words"))
    library.relink({1: FileState(path="/new/a.mp4", size_bytes=1, modified_ns=2)}, vanished={})
    (source,) = library.texts.sources(1)
    assert (source.file, source.size_bytes, source.modified_ns, source.content_hash) == ("a.en.srt", 90, 5, "ab")


def test_names_that_are_not_unicode_are_kept(library: Library) -> None:
    name = os.fsdecode(b"caf\xe9.srt")
    library.texts.replace(
        1, TextSource(kind="subtitle", origin=name, file=name, title="\ud83d half"), lines("a \udce9 b")
    )
    (source,) = library.texts.sources(1)
    assert (source.origin, source.file, source.title) == (name, name, "? half")
    assert [each.line.text for each in library.texts.lines(1)] == ["a ? b"]
    assert library.check() == []


def test_searches_are_of_the_chosen_kinds_and_videos(library: Library) -> None:
    for video in (1, 2):
        for kind in ("subtitle", "screen", "tag"):
            source = TextSource(kind=kind)  # type: ignore[arg-type]
            library.texts.replace(video, source, lines("the red kite", "a red one"))
    assert found(library, "red") == [1] * 6 + [2] * 6
    assert found(library, "red", kinds=["screen", "speech"]) == [1, 1, 2, 2]
    assert found(library, "red", kinds=[]) == []
    assert found(library, "red", videos=np.array([2])) == [2] * 6
    assert found(library, "red", kinds=["tag"], videos=np.array([2, 99])) == [2, 2]
    assert found(library, "red", videos=np.array([], np.int64)) == []
    below = library.filtered_videos(Filters(folder="/f/sub"))
    assert found(library, "red", kinds=["tag"], videos=below) == [2, 2]
    assert library.filtered_videos(Filters(min_seconds=1000.0)).tolist() == [1, 2]
    with pytest.raises(ValueError, match="absolute"):
        library.filtered_videos(Filters(folder="f"))


def test_many_videos_far_apart_are_one_search(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for video in range(20):
        add(library, make_video(f"/g/{video}.mp4", f"g{video}"))
        library.texts.replace(video + 3, SUBTITLES, lines("a red kite"))
    odd = np.arange(3, 23, 2)
    expected = found(library, "kite", videos=odd)
    assert expected == odd.tolist()
    monkeypatch.setattr("db.text.matches.MOST_RANGES", 3)
    monkeypatch.setattr("db.text.matching._BLOCK", 4)
    assert found(library, "kite", videos=odd) == expected
    monkeypatch.setattr("db.text.matches.MOST", 6)
    few = library.texts.match_words('{text} : "kite"', ['"kite"'], videos=odd)
    assert (few.ids.size, few.complete) == (6, False)


def test_bm25_ranks_rare_words_and_length_the_common_ones(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["one two three kite", "kite", "kite kite", "one two"]
    library.texts.replace(1, SUBTITLES, lines(*texts, step=60_000))

    def order() -> list[str]:
        matches = library.texts.match_words('{text} : ("kite" OR "three")', ['"kite"', '"three"'])
        stored = library.texts.lines_by_id(matches.ids.tolist())
        return [stored[number].line.text for number in matches.ids.tolist()]

    assert order() == ["one two three kite", "kite kite", "kite"]
    monkeypatch.setattr("db.text.matches.COMMON", 2)
    assert order() == ["kite", "kite kite", "one two three kite"]


def test_a_line_is_joined_with_the_beginning_of_the_next_if_it_follows_soon() -> None:
    given = [
        TimedLine(0, 1000, "to be or"),
        TimedLine(1100, 2000, "not to be"),
        TimedLine(9000, 9500, "猫が"),
        TimedLine(9500, 9900, "好き"),
    ]
    assert beginnings_of_next("speech", given) == [" not to be  ", "  ", "好き  ", "  "]
    assert beginnings_of_next("screen", given) == ["  "] * 4
    long = [TimedLine(0, 1, "a"), TimedLine(1, 2, " ".join("abcdefghijkl"))]
    assert beginnings_of_next("subtitle", long)[0] == " a b c d e f g h  "
    assert beginnings_of_next("subtitle", []) == []


@in_a_folder
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE text_lines SET text = 'changed' WHERE start_ms = 2000",
        "UPDATE text_lines SET start_ms = 9000 WHERE start_ms = 2000",
        "UPDATE text_lines SET start_ms = 'then' WHERE start_ms = 2000",
        "UPDATE text_lines SET words = '{' WHERE start_ms = 2000",
        "UPDATE text_lines SET box = '[1, 2]' WHERE start_ms = 2000",
        "UPDATE text_lines SET text = x'00ff' WHERE start_ms = 2000",
        "DELETE FROM text_lines WHERE start_ms = 2000",
        "UPDATE text_sources SET lines = 'many' WHERE video_id = 1",
        "UPDATE text_sources SET kind = 'song' WHERE video_id = 1",
    ],
)
def test_damaged_text_is_named_and_the_rest_is_still_there(library: Library, statement: str) -> None:
    library.texts.replace(1, SUBTITLES, lines("one", "two", "three"))
    library.texts.replace(2, BESIDE, lines("sound"))
    with sqlite3.connect(library.directory / FILE_NAME) as connection:
        connection.execute(statement)
    connection.close()
    assert all(each.line.text in {"one", "two", "three", "changed"} for each in library.texts.lines(1))
    assert [each.line.text for each in library.texts.lines(2)] == ["sound"]
    library.texts.sources_of()
    found(library, "sound")
    (problem,) = [line for line in library.check() if "damaged" in line and "full-text" not in line]
    assert "'/f/a.mp4'" in problem
    assert "track 3" in problem


@in_a_folder
@pytest.mark.parametrize("index", full_text.INDEXES)
def test_a_damaged_index_is_made_again(library: Library, index: str) -> None:
    library.texts.replace(1, SUBTITLES, lines("a red kite", "over the hill"))
    with sqlite3.connect(library.directory / FILE_NAME) as connection:
        connection.execute(f"INSERT INTO {index} ({index}) VALUES ('delete-all')")
    connection.close()
    assert library.texts.match_trigrams('"kit"').ids.size + library.texts.match_words('"kite"', []).ids.size < 2
    (problem,) = library.check()
    assert f"{index} was damaged. It has been made again" in problem
    assert found(library, "kite") == [1]
    assert library.check() == []


@on_a_server
def test_a_line_of_a_server_that_is_not_indexed_is_found_by_check(library: Library) -> None:
    library.texts.replace(1, SUBTITLES, lines("a red kite", "over the hill"))
    with library._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM text_index WHERE line_id IN (SELECT min(id) FROM text_lines)")
    assert found(library, "kite") == []
    (problem,) = library.check()
    assert "full-text index was incomplete. It has been made again" in problem
    assert found(library, "kite") == [1]
    assert library.check() == []


def test_without_full_text_search_the_library_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_text, "_OLDEST", (99, 0, 0))
    with pytest.raises(LibraryError, match=r"lacks full-text search.*Use another Python") as refusal:
        Library.open(tmp_path / "new")
    assert "\n" not in str(refusal.value)


def test_a_kill_while_text_is_written_leaves_the_old_lines_or_the_new(place: Path | str) -> None:
    with Library.open(place) as library:
        add(library)
        library.texts.replace(1, SUBTITLES, lines("old words", "that stay"))
    code = """
from db.text import writing
from db.timed_text import TextSource, TimedLine
library = Library.open(sys.argv[1])
from sqlalchemy import event
event.listen(library._database.engine, "commit", lambda *_: os.kill(os.getpid(), 9))  # just before COMMIT
lines = [TimedLine(n, n, f"new {n}") for n in range(5000)]
library.texts.replace(1, TextSource(kind="subtitle", origin="track 3"), lines)
"""
    process = start(code, place)
    errors = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, errors
    with Library.open(place) as library:
        assert [each.line.text for each in library.texts.lines(1)] == ["old words", "that stay"]
        assert found(library, "old") == [1]
        assert found(library, "new") == []
        assert library.check() == []
