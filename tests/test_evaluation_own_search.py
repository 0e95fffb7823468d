"""Ranks of a person's answers among all shots, compared with a count by hand, and the measures over them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_library import FILMS, add, build
from fakes import ColourEncoder, ExactIndex

from app.evaluation.answer_places import AnswerPlaces, Place, PlacedQuestion
from app.evaluation.own_measures import Outcome, compare, measures_of
from app.evaluation.own_questions import OwnQuestion, QuestionLine
from app.evaluation.own_search import search_own
from app.evaluation.shot_ranks import ShotTable, scores_of_all
from db.library import Library
from search.engine import SearchEngine
from search.query import Hit, Query, TextTerm
from search.strength import Strength


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(build(tmp_path, ColourEncoder()))


def place_of(library: Library, file: str, start: str = "", end: str = "") -> Place:
    return AnswerPlaces(library).place(QuestionLine("x", file, start, end))


def table_of(library: Library) -> ShotTable:
    return ShotTable(library, ColourEncoder().id)


def paths_and_starts(library: Library, table: ShotTable) -> list[tuple[str, float]]:
    found = library.segments(table.ids.tolist())
    return [
        (Path(video.path).name, video.seconds(segment.start_pts))
        for segment, video in (found[each] for each in table.ids.tolist())
    ]


def test_the_table_has_every_part_with_its_seconds_from_the_first_frame(library: Library) -> None:
    table = table_of(library)
    assert (table.shots, table.videos) == (5, 4)
    known = dict(zip(paths_and_starts(library, table), zip(table.starts, table.ends, strict=True), strict=True))
    assert known["red.mp4", 2.0] == (2.0, 4.0)
    assert known["gone.mp4", 0.0] == (0.0, 10.0)


@pytest.mark.parametrize(
    ("start", "end", "right"),
    [
        ("", "", {0.0, 2.0}),  # the whole video
        ("0", "2", {0.0}),
        ("0.5", "0.6", {0.0}),  # within a hit
        ("1", "3", {0.0, 2.0}),  # half of each
        ("0", "3", {0.0, 2.0}),  # one second of the second one, which is half of it
        ("1.1", "3.1", {2.0}),  # 0.9 of 2 s in the first, 1.1 in the second
        ("1.9", "2.2", {2.0}),  # a third in the first
    ],
)
def test_a_hit_is_right_that_shares_half_of_the_shorter_one(
    library: Library, start: str, end: str, right: set[float]
) -> None:
    table = table_of(library)
    found = table.right([place_of(library, "red.mp4", start, end)])
    where = paths_and_starts(library, table)
    assert {where[at] for at in np.flatnonzero(found)} == {("red.mp4", each) for each in right}


def test_ranks_are_those_of_a_search_for_all_shots(library: Library) -> None:
    encoder = ColourEncoder()
    engine = SearchEngine(library, encoder, ExactIndex.of(library, encoder.id))
    table = table_of(library)
    for words in ("red", "blue", "green", "white", "purple", "anything"):
        (scores,) = scores_of_all(engine, [words], table)
        hits = engine.search(Query([TextTerm(words)], k=100))
        assert len(hits) == len(table.ids)
        for hit in hits:
            start, end = hit.video.seconds(hit.segment.start_pts), hit.video.seconds(hit.segment.end_pts)
            rank = table.rank(scores, [Place(hit.video.fingerprint, hit.video.path, start, end)])
            assert rank is not None
            score = round(hit.score, 6)
            assert rank.shots.above == sum(round(each.score, 6) > score for each in hits)
            assert rank.shots.equal == sum(round(each.score, 6) == score for each in hits) - 1
            best_of_video = max(each.score for each in hits if each.video.id == hit.video.id)
            others = {each.video.id for each in hits if each.score > best_of_video}
            assert rank.videos.above == len(others)
            assert rank.right.score == pytest.approx(hit.score, abs=1e-6)
            assert rank.wrong is not None
            first_other = next(each for each in hits if each.segment.id != hit.segment.id)
            assert rank.wrong.score == pytest.approx(first_other.score, abs=1e-6)


def test_every_shot_counts_once_and_copies_are_one_video(library: Library, tmp_path: Path) -> None:
    encoder = ColourEncoder()
    parts = [((90, 0, 0), at, at + 1) for at in range(6)]
    add(library, encoder, tmp_path / "long.mp4", parts, shot_numbers=[0] * 6)
    red = next(video for video in library.videos() if video.path.endswith("films/red.mp4"))
    add(library, encoder, tmp_path / "copy.mp4", FILMS["films/red.mp4"], fingerprint=red.fingerprint)
    table = table_of(library)
    assert (table.shots, table.videos) == (6, 5)
    where = paths_and_starts(library, table)
    scores = np.array([1.0 if name == "long.mp4" else 0.5 for name, _ in where], np.float32)
    rank = table.rank(scores, [place_of(library, "copy.mp4", "0", "2")])
    assert rank is not None
    assert (rank.shots.above, rank.shots.equal) == (1, 4), "six parts of one shot are one; the copy is right as well"
    assert (rank.videos.above, rank.videos.equal) == (1, 3)
    part = table.rank(scores, [place_of(library, "long.mp4", "5", "6")])
    assert part is not None
    assert (part.shots.above, part.shots.equal) == (0, 1), "another part of the right shot is one wrong hit"


def test_many_questions_are_scored_in_several_reads(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = ColourEncoder()
    engine = SearchEngine(library, encoder, ExactIndex.of(library, encoder.id))
    table, words = table_of(library), ["red", "blue", "green"]
    whole = list(scores_of_all(engine, words, table))
    monkeypatch.setattr("app.evaluation.shot_ranks._SCORES", 5)
    told: list[float] = []
    for one, other in zip(whole, scores_of_all(engine, words, table, on_progress=told.append), strict=True):
        np.testing.assert_array_equal(one, other)
    assert told == pytest.approx([1 / 3, 2 / 3, 1])


def test_what_another_encoder_has_embedded_is_no_answer(library: Library, tmp_path: Path) -> None:
    add(library, ColourEncoder(name="other"), tmp_path / "other.mp4", FILMS["films/green.mp4"])
    table = table_of(library)
    assert table.rank(np.zeros(len(table.ids), np.float32), [place_of(library, "other.mp4")]) is None


@pytest.mark.parametrize(
    ("chances", "good", "level"),
    [([0.2, 0.03], True, "likely"), ([0.2, 0.3], False, "weak"), ([0.005], True, "strong")],
)
def test_a_search_claims_a_good_match_if_one_hit_is_better_than_weak(
    library: Library, chances: list[float], good: bool, level: str
) -> None:
    asked = [PlacedQuestion(OwnQuestion("a boat"), ())]
    (result,), left_out = search_own(engine_with(library, chances), asked, table_of(library))
    assert result.verdict is not None
    assert (result.verdict.good, result.verdict.level, result.verdict.chance) == (good, level, min(chances))
    assert (result.rank, result.answers, left_out) == (None, 0, [])


def test_without_a_calibration_nothing_is_claimed(library: Library) -> None:
    asked = [PlacedQuestion(OwnQuestion("a boat"), ())]
    ((result,), _) = search_own(engine_with(library, []), asked, table_of(library))
    assert result.verdict is None
    assert Outcome.of(result).good is None


def engine_with(library: Library, chances: list[float]) -> SearchEngine:
    """An engine whose hits are as strong as this."""

    class Engine(SearchEngine):
        def search(self, query: Query) -> list[Hit]:
            found = super().search(query)[: len(chances)]
            strengths = [Strength(value=1 - chance, chance=chance) for chance in chances]
            return [replace(hit, strength=each) for hit, each in zip(found, strengths, strict=True)]

    encoder = ColourEncoder()
    return Engine(library, encoder, ExactIndex.of(library, encoder.id))


def outcome(text: str, above: int | None, good: bool | None = True, group: str = "a", equal: int = 0) -> Outcome:
    pair = None if above is None else (above, equal)
    return Outcome(text, group, pair, pair, good)


def test_measures_by_hand() -> None:
    found = {
        each.name: each
        for each in measures_of(
            [
                outcome("a", 0),
                outcome("b", 4, good=False, group="b"),
                outcome("c", 0, equal=1, group="c"),
                outcome("d", None, good=False, group="none: d"),
                outcome("e", None, good=True, group="none: e"),
                outcome("f", None, good=None, group="none: f"),
            ],
            seed=0,
        )
    }
    assert found["shots_r1"].value == pytest.approx((1 + 0 + 0.5) / 3)
    assert found["shots_r5"].value == 1
    assert found["videos_medr"].value == 1.5
    assert (found["good_match"].value, found["good_match"].questions) == (pytest.approx(2 / 3), 3)
    assert (found["no_good_match"].value, found["no_good_match"].questions) == (0.5, 2)
    assert found["shots_r1"].interval is None, "three videos are too few"


def test_intervals_draw_whole_videos() -> None:
    """Many questions about a few videos say no more than a few questions about them."""
    rows = [(number % 6, 0 if number % 6 < 3 else 9) for number in range(60)]
    few = [outcome(f"{video}", above, group=f"{video}") for video, above in rows[:6]]
    many = [outcome(f"{at}", above, group=f"{video}") for at, (video, above) in enumerate(rows)]
    first, second = (measures_of(each, seed=0)[0] for each in (few, many))
    assert (first.value, second.value) == (0.5, 0.5)
    assert first.interval == second.interval
    assert first.interval is not None
    assert first.interval[1] - first.interval[0] > 0.5


def test_without_questions_of_a_kind_a_measure_is_not_defined() -> None:
    found = {each.name: each for each in measures_of([outcome("d", None)], seed=0)}
    assert (found["shots_r1"].value, found["shots_r1"].interval, found["shots_r1"].questions) == (None, None, 0)
    assert found["no_good_match"].record() == {"value": 0.0, "interval": None, "questions": 1}
    assert {each.value for each in measures_of([], seed=0)} == {None}


def test_two_runs_are_compared_question_by_question() -> None:
    mine = [outcome("a", 0, group="a"), outcome("b", 0, group="b"), outcome("new", 3, group="c"), outcome("x", None)]
    theirs = {"a": outcome("a", 9), "b": outcome("b", 0), "gone": outcome("gone", 0), "x": outcome("x", 1)}
    found, common = compare(mine, theirs, seed=0)
    by_name = {each.name: each for each in found}
    assert common == 2, "a question with answers in one run only is another question"
    assert by_name["shots_r1"].value == 0.5
    assert by_name["shots_r10"].value == 0.0
    assert by_name["shots_medr"].value == 1 - 5.5
    assert by_name["shots_r1"].interval is None
    assert by_name["no_good_match"].value is None
    assert [each.value for each in compare(mine, {}, seed=0)[0] if each.value is not None] == []
    better = [outcome(str(video), 0, group=str(video)) for video in range(8)]
    worse = {str(video): outcome(str(video), video % 2 * 9, group=str(video)) for video in range(8)}
    (r1, *_), _ = compare(better, worse, seed=0)
    assert r1.value == 0.5
    assert r1.interval is not None
    assert 0 <= r1.interval[0] < 0.5 < r1.interval[1] <= 1
