"""A person's own questions: their file, where its answers are, and which shots are drawn to write questions for."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_library import FILMS, build
from fakes import ColourEncoder

from app.evaluation.answer_places import AnswerPlaces, NotThere
from app.evaluation.own_questions import (
    MAX_LINES,
    QuestionLine,
    QuestionsError,
    QuestionTable,
    parse_questions,
    questions_of,
    read_questions,
    render_questions,
)
from app.evaluation.question_store import QuestionStore
from app.evaluation.shot_draw import ShotDraw, shot_order
from db.errors import LibraryBusy
from db.library import Library
from files.claims import Claims

PLAIN = "question,file,start,end\na red car,red.mp4,0,2\na dog,,,\n"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(build(tmp_path, ColourEncoder()))


# The file


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").replace("\n", "\r\n").encode(),
        PLAIN.replace("question,file", " Question ,FILE").encode(),
        (PLAIN + "\n,,,\n  ,\n").encode(),
        PLAIN.rstrip("\n").encode(),
    ],
    ids=["plain", "mark", "semicolons", "tabs", "names", "blank lines", "no last line break"],
)
def test_what_spreadsheets_write_is_read(content: bytes) -> None:
    table = parse_questions(content)
    assert table.lines == (QuestionLine("a red car", "red.mp4", "0", "2"), QuestionLine("a dog"))
    assert [line.number for line in table.lines] == [2, 3]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty"),
        (b"words,video\na,b\n", "line 1 does not name the columns"),
        (b"question,file,file\na,b,c\n", "line 1 names the column `file` twice"),
        (b"question,file\na dog, running,b.mp4\n", "line 2 has 3 cells for 2 columns; put quotes"),
        (b"question,file,start\nx,b.mp4,1\n  ,b.mp4,1\n", "line 3 has no question"),
        (b"question,file,start\nx,,1\n", "line 2 has a time and no file"),
        (b"question,file,start,end\nx,b.mp4,5,4\n", "line 2: the range ends"),
        (b"question,file,start,end\nx,b.mp4,,4\n", "line 2: a range needs a start"),
        (b"question,file,start\nx,b.mp4,soon\n", "line 2: 'soon' is not a time"),
        (b'question,file\n"x\ny",b.mp4\n\xe9t\xe9,b.mp4\n', "line 4 is not in UTF-8"),
        ("question,file\nx,b.mp4\n".encode("utf-16"), "it is not text in UTF-8"),
        (b"question,file\n" + b"x" * 1001 + b",b.mp4\n", "line 2 has a question of more than 1,000"),
        (b'question,file\nx,"' + b"y" * 200_000 + b'"\n', "line 2 is not CSV"),
        (b"question,file\n" + b"x,b\n" * (MAX_LINES + 1), "more than 100,000 lines"),
        (b"question,file\nx,b.mp4\ny,\nx,\n", "line 4 says that nothing answers"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_with_its_line(content: bytes, told: str) -> None:
    with pytest.raises(QuestionsError) as refused:
        parse_questions(content)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_pipe_a_link_and_a_huge_file_are_not_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(17_000_000)
    with pytest.raises(QuestionsError, match="bytes"):
        read_questions(huge)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(OSError):
        read_questions(tmp_path / "pipe.csv")
    (tmp_path / "real.csv").write_text(PLAIN)
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert len(read_questions(tmp_path / "link.csv").lines) == 2
    with pytest.raises(OSError):
        read_questions(tmp_path / "link.csv", follow_links=False)


def test_what_is_written_is_read_again_with_unknown_columns_and_order() -> None:
    content = b"who;Question;file;mood;start;end\nme;b;x.mp4;calm;1;2\nyou;a;;;;\n"
    table = parse_questions(content)
    more = QuestionLine(
        "=1+1", " odd name\n.mp4", "1", "2", note="-x", kind="'@", fingerprint="f", others=("we", "'=a")
    )
    grown = replace(table, lines=(*table.lines, more))
    written = render_questions(grown)
    assert written.decode("utf-8-sig").splitlines()[0] == "who;Question;file;mood;start;end;note;kind;fingerprint"
    assert ";'=1+1;" in written.decode("utf-8-sig"), "no spreadsheet may take it for a formula"
    again = parse_questions(written)
    assert again.lines == grown.lines
    assert render_questions(again) == written


def test_bytes_of_a_file_name_that_are_not_utf8_are_kept() -> None:
    path = os.fsdecode(b"/films/caf\xe9.mp4")
    table = QuestionTable((QuestionLine("x", path, "0", "1"),))
    assert parse_questions(render_questions(table)).lines[0].file == path


def test_lines_with_one_question_are_its_answers() -> None:
    lines = parse_questions(b"question,file,kind\n x  y ,a.mp4,\nz,,\nx y,b.mp4,cars\nx y,b.mp4,cars\n").lines
    first, none = questions_of(lines)
    assert (first.text, [line.file for line in first.answers], first.kind) == ("x y", ["a.mp4", "b.mp4"], "cars")
    assert (none.text, none.answers) == ("z", ())


def test_keys_tell_equal_lines_apart_and_change_with_the_line() -> None:
    same = QuestionLine("x", "a.mp4")
    one, two, other = QuestionTable((same, same, QuestionLine("y", "a.mp4"))).keys()
    assert len({one, two, other}) == 3
    assert QuestionTable((QuestionLine("z"), same)).keys()[1] == one


# Where answers are


def test_a_video_is_found_by_path_by_a_unique_name_and_by_content(library: Library, tmp_path: Path) -> None:
    red = str(tmp_path / "films/red.mp4")
    fingerprint = next(video.fingerprint for video in library.videos() if video.path == red)
    places = AnswerPlaces(library)
    lines = [QuestionLine("x", file) for file in (red, "red.mp4", "RED.MP4", "films/red.mp4", "films\\red.mp4")]
    lines.append(QuestionLine("x", "/elsewhere/gone.mp4", fingerprint=fingerprint))
    for line in lines:
        assert places.place(line).path == red, line
    whole = places.place(lines[0])
    assert (whole.start_seconds, whole.end_seconds) == (0.0, 4.0)
    part = places.place(QuestionLine("x", red, "0:01", "90"))
    assert (part.start_seconds, part.end_seconds) == (1.0, 4.0), "what is beyond the end is cut"


@pytest.mark.parametrize(
    ("file", "start", "told"),
    [
        ("blue.mp4", "", "blue.mp4 is not in the library"),
        ("/other/red.mp4", "", "; the library has "),
        ("../films/red.mp4", "", "is not in the library"),
        ("red.mp4", "4", "has only 4.0 s"),
    ],
)
def test_what_the_library_does_not_have_is_told(library: Library, file: str, start: str, told: str) -> None:
    with pytest.raises(NotThere, match=told.replace(".", r"\.")):
        AnswerPlaces(library).place(QuestionLine("x", file, start))


def test_a_name_of_several_videos_needs_more_of_the_path(tmp_path: Path) -> None:
    films = FILMS | {"other/red.mp4": FILMS["films/green.mp4"]}
    library = Library.open(build_of(tmp_path, films))
    places = AnswerPlaces(library)
    with pytest.raises(NotThere, match="is the name of 2 videos"):
        places.place(QuestionLine("x", "red.mp4"))
    assert places.place(QuestionLine("x", "other/red.mp4")).path == str(tmp_path / "other/red.mp4")


def build_of(root: Path, films: dict[str, object]) -> Path:
    from cli_library import add

    with Library.open(root / "library") as library:
        for name, parts in films.items():
            content = f"{abs(hash(name)):032x}"[:32]
            add(library, ColourEncoder(), root / name, parts, fingerprint=content)  # type: ignore[arg-type]
    return root / "library"


# Writing


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    """As tabs of two servers do."""
    stores = [QuestionStore(tmp_path) for _ in range(2)]

    def write(number: int) -> None:
        for at in range(5):
            stores[number % 2].add(QuestionLine(f"question {number} {at}", "a.mp4"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line.question for line in stores[0].read().lines) == sorted(
        f"question {number} {at}" for number in range(4) for at in range(5)
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims", "questions.csv"]


def test_a_line_is_changed_removed_and_put_back_in_its_place(tmp_path: Path) -> None:
    store = QuestionStore(tmp_path)
    first, second, third = (store.add(QuestionLine(text, "a.mp4")) for text in "abc")
    changed = store.change(second, "B")
    with pytest.raises(KeyError):
        store.change(second, "stale")
    store.remove(changed)
    assert [line.question for line in store.read().lines] == ["a", "c"]
    with pytest.raises(KeyError):
        store.remove(changed)
    assert store.put_back(changed) == changed
    with pytest.raises(KeyError):
        store.put_back(changed)
    assert [line.question for line in store.read().lines] == ["a", "B", "c"]
    assert {first, changed, third} == set(store.read().keys())


def test_what_a_person_has_broken_by_hand_is_not_overwritten(tmp_path: Path) -> None:
    store = QuestionStore(tmp_path)
    store.path.write_text("mine, all mine\n")
    with pytest.raises(QuestionsError):
        store.add(QuestionLine("a"))
    assert store.path.read_text() == "mine, all mine\n"


def test_a_contradiction_is_refused_and_nothing_written(tmp_path: Path) -> None:
    store = QuestionStore(tmp_path)
    store.add(QuestionLine("a dog"))
    before = store.path.read_bytes()
    with pytest.raises(QuestionsError, match="line 2 says that nothing answers"):
        store.add(QuestionLine("a dog", "a.mp4"))
    assert store.path.read_bytes() == before


def test_a_writer_that_never_ends_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.evaluation.question_store._PATIENCE_SECONDS", 0.0)
    other = Claims(tmp_path / "claims")
    assert other.take("questions")
    with pytest.raises(LibraryBusy):
        QuestionStore(tmp_path).add(QuestionLine("a"))
    other.close()
    QuestionStore(tmp_path).add(QuestionLine("a"))


# Drawing


def drawn(library: Library, seed: int, count: int) -> list[int]:
    draw, found, after = ShotDraw(library), [], None
    for _ in range(count):
        shot = draw.draw(seed, after)
        assert shot is not None
        after = shot.segment_id
        found.append(after)
    return found


def test_every_shot_is_drawn_once_before_any_twice_one_of_each_video_first(library: Library) -> None:
    owners = library.video_ids(shot_order(library, 3).tolist())
    assert len(owners) == 5
    order = shot_order(library, 3).tolist()
    assert len({owners[each] for each in order[:4]}) == 4, "one of each video before a second one"
    assert shot_order(library, 3).tolist() == order
    assert any(shot_order(library, seed).tolist() != order for seed in range(10))
    there = {each for each in order if "gone" not in library.video(owners[each]).path}
    assert set(drawn(library, 3, len(there))) == there, "what cannot be played is passed over"


def test_after_the_last_shot_the_next_order_begins(library: Library) -> None:
    draw = ShotDraw(library)
    last = int(shot_order(library, 3)[-1])
    following = draw.draw(3, last)
    assert following is not None
    assert (following.seed, following.count) == (4, 5)
    assert draw.draw(3, 10**9) == draw.draw(3), "a shot that is gone begins the order anew"


def test_the_order_does_not_change_with_what_is_added(library: Library, tmp_path: Path) -> None:
    from cli_library import add

    before = shot_order(library, 1).tolist()
    add(library, ColourEncoder(), tmp_path / "new.mp4", [((1, 2, 3), 0, 2), ((9, 9, 9), 2, 3)])
    after = [each for each in shot_order(library, 1).tolist() if each in before]
    assert after == before


def test_a_long_shot_and_a_copy_are_drawn_once(library: Library, tmp_path: Path) -> None:
    from cli_library import add

    red = next(video for video in library.videos() if video.path.endswith("red.mp4"))
    add(library, ColourEncoder(), tmp_path / "copy.mp4", FILMS["films/red.mp4"], fingerprint=red.fingerprint)
    parts = [((1, 2, 3), 0, 2), ((1, 2, 3), 2, 4), ((1, 2, 3), 4, 6)]
    add(library, ColourEncoder(), tmp_path / "long.mp4", parts, shot_numbers=[0, 0, 0])
    order = shot_order(library, 0)
    assert len(order) == 6
    long = next(video for video in library.videos() if video.path.endswith("long.mp4"))
    assert long.id is not None
    assert np.isin(order, [each.id for each in library.segments_of(long.id)]).sum() == 1


def test_an_empty_library_has_nothing_to_draw(tmp_path: Path) -> None:
    assert ShotDraw(Library.open(tmp_path)).draw(0) is None
