"""Answers of several spaces: encoders that judge together, shots that some lack, quick rows beside full ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from noisy_encoder import NoisyEncoder, add_shots, space_of

from db.library import Library
from db.records import Filters
from search.chain_query import ChainQuery, Step
from search.engine import SearchEngine
from search.fused import FusedQuery
from search.fusion import find_fused
from search.query import ClipTerm, Hit, Query, QueryError, SegmentTerm, TextTerm
from search.several.engine import SeveralEngine

FIRST, SECOND = NoisyEncoder(1), NoisyEncoder(2)
QUICK = NoisyEncoder(1, frames=4, name=f"{FIRST.id}:quick4f")
SHOTS = 240
SENTENCES = [f"thing {number}" for number in range(SHOTS)]
CLEAR, NOISY = 1.0, 2.2
"""Lengths of noise: with the first an encoder finds nearly everything, with the second about half."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened


def fill_both(library: Library, noise: float = CLEAR, *, second: int = SHOTS) -> None:
    """Twelve videos of twenty shots; the second encoder has the first so many shots."""
    for start in range(0, SHOTS, 20):
        path, shown = f"/films/{start // 20:02}.mp4", SENTENCES[start : start + 20]
        add_shots(library, FIRST, shown, noise, path=path)
        if start < second:
            add_shots(library, SECOND, shown, noise, path=path)


def both(library: Library) -> SeveralEngine:
    return SeveralEngine([[space_of(library, FIRST)], [space_of(library, SECOND)]])


def number(hit: Hit) -> int:
    """The number of the thing that a hit shows."""
    return 20 * int(Path(hit.video.path).stem) + hit.segment.number


def found_first(engine: SearchEngine | SeveralEngine) -> float:
    """The share of things that are found first."""
    return float(np.mean([number(engine.search(Query([TextTerm(each)], k=1))[0]) == at for at, each in named()]))


def named() -> list[tuple[int, str]]:
    return list(enumerate(SENTENCES))[:: SHOTS // 80]


def test_two_encoders_find_more_than_either(library: Library) -> None:
    fill_both(library, NOISY)
    alone = [found_first(SearchEngine.of(space_of(library, each))) for each in (FIRST, SECOND)]
    together = found_first(both(library))
    assert max(alone) < 0.75
    assert together > max(alone) + 0.05


def test_an_encoder_that_knows_nothing_takes_little_from_one_that_knows_much(library: Library) -> None:
    for start in range(0, SHOTS, 20):
        path, shown = f"/films/{start // 20:02}.mp4", SENTENCES[start : start + 20]
        add_shots(library, FIRST, shown, CLEAR, path=path)
        add_shots(library, SECOND, shown, 30.0, path=path)
    alone = [found_first(SearchEngine.of(space_of(library, each))) for each in (FIRST, SECOND)]
    assert alone[0] > 0.95
    assert alone[1] < 0.1
    assert found_first(both(library)) > alone[0] - 0.03


def test_each_encoder_says_of_a_hit_what_its_own_search_says(library: Library) -> None:
    fill_both(library)
    (hit,) = both(library).search(Query([TextTerm("thing 7")], k=1))
    assert [each.encoder_id for each in hit.opinions] == [FIRST.id, SECOND.id]
    assert not hit.is_quick
    for opinion, encoder in zip(hit.opinions, (FIRST, SECOND), strict=True):
        (own,) = SearchEngine.of(space_of(library, encoder)).described(
            Query([TextTerm("thing 7")]), [hit.segment.id or 0]
        )
        assert opinion.strength == own.strength
    assert hit.strength is not None
    assert hit.score == pytest.approx(hit.strength.value)


def test_sums_by_chance_are_weak(library: Library) -> None:
    fill_both(library, NOISY)
    engine = both(library)
    levels = []
    for at in range(80):
        strength = engine.search(Query([TextTerm(f"an unrelated question {at}")], k=1))[0].strength
        assert strength is not None
        levels.append(strength.level)
    assert levels.count("weak") >= 0.85 * len(levels)
    good = [engine.search(Query([TextTerm(each)], k=1))[0].strength for _, each in named()]
    assert np.mean([each is not None and each.level != "weak" for each in good]) > 0.35


def test_a_shot_that_one_encoder_lacks_is_judged_by_the_other_and_neither_helped_nor_harmed(library: Library) -> None:
    fill_both(library, NOISY, second=SHOTS // 2)
    engine = both(library)
    assert len(engine.segment_ids(Filters())) == SHOTS
    right = [(at, number(engine.search(Query([TextTerm(each)], k=1))[0]) == at) for at, each in named()]
    known = np.mean([good for at, good in right if at < SHOTS // 2])
    alone = np.mean([good for at, good in right if at >= SHOTS // 2])
    assert known > alone > 0.2
    hits = engine.search(Query([TextTerm("thing 239")], k=SHOTS))
    assert len(hits) == SHOTS
    assert {len(hit.opinions) for hit in hits} == {1, 2}
    unrelated = [
        number(engine.search(Query([TextTerm(f"an unrelated question {at}")], k=1))[0]) >= SHOTS // 2
        for at in range(80)
    ]
    assert 0.3 <= np.mean(unrelated) <= 0.7


def test_filters_limits_duplicates_and_counts_are_as_in_one_space(library: Library) -> None:
    fill_both(library)
    add_shots(library, FIRST, SENTENCES[:20], CLEAR, path="/copies/00.mp4")
    add_shots(library, SECOND, SENTENCES[:20], CLEAR, path="/copies/00.mp4")
    engine = both(library)
    asked = Query([TextTerm("thing 3")], k=5, duplicates="stack")
    best = engine.search(asked)[0]
    assert number(best) == 3
    assert len(best.alike) == 1, "its copy"
    answer = engine.answer(Query([TextTerm("thing 3")], k=SHOTS, per_video=1))
    assert len(answer.hits) == 13
    assert (answer.allowed, answer.matching) == (SHOTS + 20, SHOTS + 20)
    folder = engine.answer(Query([TextTerm("thing 3")], k=50, filters=Filters(folder="/copies")))
    assert (len(folder.hits), folder.allowed) == (20, 20)
    assert engine.search(Query([TextTerm("thing 3")], filters=Filters(folder="/nowhere"))) == []
    strong = engine.search(Query([TextTerm("thing 3")], k=SHOTS, least_level="likely"))
    assert 1 <= len(strong) < 20
    assert [hit.rank for hit in strong] == list(range(1, len(strong) + 1))
    with pytest.raises(QueryError, match="minimum strength"):
        engine.search(Query([TextTerm("thing 3")], threshold=0.2))


def test_an_example_and_what_is_not_wanted(library: Library) -> None:
    fill_both(library)
    engine = both(library)
    example = engine.search(Query([TextTerm("thing 3")], k=1))[0].segment.id or 0
    like = engine.search(Query([SegmentTerm(example)], k=3))
    assert example not in [hit.segment.id for hit in like]
    clip = np.full((8, 1, 1, 3), 9, np.uint8)
    shown = engine.search(Query([ClipTerm(clip)], k=1, own_terms={SECOND.id: [ClipTerm(clip)]}))
    assert number(shown[0]) == 9
    parts = engine.search(Query([TextTerm("thing 3"), TextTerm("thing 5")], k=2))
    assert {number(hit) for hit in parts} == {3, 5}
    without = engine.search(Query([TextTerm("thing 3"), TextTerm("thing 5", weight=-1.0)], k=SHOTS))
    assert number(without[0]) == 3
    assert 5 in [number(hit) for hit in without[-SHOTS // 4 :]]


def test_an_encoder_without_a_row_of_the_example_has_nothing_to_say(library: Library) -> None:
    fill_both(library, second=20)
    engine = both(library)
    video = library.video_at("/films/05.mp4")
    assert video is not None
    last = library.segments_of(video.id or 0)[0].id or 0
    hits = engine.search(Query([SegmentTerm(last)], k=3))
    assert hits
    assert all([each.encoder_id for each in hit.opinions] == [FIRST.id] for hit in hits)
    with pytest.raises(QueryError, match="indexed with another encoder"):
        engine.search(Query([SegmentTerm(987_654)]))


def test_chains_are_found_by_both(library: Library) -> None:
    fill_both(library)
    steps = [Step([TextTerm("thing 41")]), Step([TextTerm("thing 43")])]
    (chain,) = both(library).chains(ChainQuery(steps, within_seconds=5.0, k=1))
    assert [number(part) for part in chain.parts] == [41, 43]
    assert chain.strength is not None
    assert all(len(part.opinions) == 2 for part in chain.parts)
    assert both(library).chains(ChainQuery(steps, filters=Filters(folder="/nowhere"))) == []


def test_scores_and_descriptions_are_those_of_the_search(library: Library) -> None:
    fill_both(library)
    engine, asked = both(library), Query([TextTerm("thing 7")], k=4)
    hits = engine.search(asked)
    ids = [hit.segment.id or 0 for hit in hits]
    np.testing.assert_allclose(engine.scores(asked, ids), [hit.score for hit in hits], rtol=1e-6)
    described = engine.described(asked, [*ids, 987_654])
    assert [hit.score for hit in described] == pytest.approx([hit.score for hit in hits])
    assert [hit.opinions for hit in described] == [hit.opinions for hit in hits]
    with pytest.raises(KeyError):
        engine.scores(asked, [987_654])


def test_words_in_text_stand_beside_both(library: Library) -> None:
    from db.timed_text import TextSource, TimedLine
    from search.text.matches import TextPart

    fill_both(library)
    video = library.video_at("/films/00.mp4")
    assert video is not None
    assert video.id is not None
    library.texts.replace(video.id, TextSource(kind="speech", origin="x"), [TimedLine(6000, 7500, "start the engine")])
    asked = FusedQuery(texts=[TextPart("engine", ("speech",))], picture=Query([TextTerm("thing 3")]), k=2)
    (first, *_) = find_fused(library, asked, both(library)).hits
    assert (number(first.hit), first.channels) == (3, ("picture", "said"))


# Quick rows


def quick(library: Library) -> SeveralEngine:
    spaces = [space_of(library, FIRST), space_of(library, QUICK, is_quick=True)]
    return SeveralEngine([spaces])


def fill_quick(library: Library, *, full: int) -> None:
    """Twelve videos of quick shots; the first so many shots have full rows, too."""
    for start in range(0, SHOTS, 20):
        path, shown = f"/films/{start // 20:02}.mp4", SENTENCES[start : start + 20]
        add_shots(library, QUICK, shown, NOISY, path=path)
        if start < full:
            add_shots(library, FIRST, shown, CLEAR, path=path)


def test_a_shot_is_there_once_by_its_full_row_if_it_has_one(library: Library) -> None:
    fill_quick(library, full=60)
    engine = quick(library)
    hits = engine.search(Query([TextTerm("thing 7")], k=SHOTS))
    assert sorted(number(hit) for hit in hits) == list(range(SHOTS))
    assert all(len(hit.opinions) == 1 for hit in hits)
    assert {number(hit) for hit in hits if not hit.is_quick} == set(range(60))
    assert {hit.opinions[0].encoder_id for hit in hits if hit.is_quick} == {QUICK.id}


def test_few_full_rows_are_no_better_for_being_few(library: Library) -> None:
    fill_quick(library, full=20)
    engine = quick(library)
    right = [number(engine.search(Query([TextTerm(each)], k=1))[0]) == at for at, each in named() if at >= 20]
    assert np.mean(right) > 0.25
    unrelated = [
        number(engine.search(Query([TextTerm(f"an unrelated question {at}")], k=1))[0]) < 20 for at in range(80)
    ]
    assert np.mean(unrelated) < 0.25


def test_quick_rows_alone_answer_as_one_space_and_say_so(library: Library) -> None:
    fill_quick(library, full=0)
    asked = Query([TextTerm("thing 7")], k=5, threshold=0.1)
    hits, own = quick(library).search(asked), SearchEngine.of(space_of(library, QUICK)).search(asked)
    assert [(hit.segment.id, hit.score, hit.strength) for hit in hits] == [
        (hit.segment.id, hit.score, hit.strength) for hit in own
    ]
    assert all(hit.is_quick for hit in hits)


def test_a_minimum_score_holds_in_the_space_that_judges(library: Library) -> None:
    fill_quick(library, full=60)
    answer = quick(library).answer(Query([TextTerm("thing 7")], k=SHOTS, threshold=0.3))
    full = SearchEngine.of(space_of(library, FIRST)).answer(Query([TextTerm("thing 7")], k=SHOTS, threshold=0.3))
    assert 1 <= len(answer.hits) == answer.matching < SHOTS
    assert {hit.segment.id for hit in full.hits} == {hit.segment.id for hit in answer.hits if not hit.is_quick}


def test_chains_go_over_full_and_quick_shots(library: Library) -> None:
    fill_quick(library, full=20)
    steps = [Step([TextTerm("thing 1")]), Step([TextTerm("thing 2")])]
    (chain,) = quick(library).chains(ChainQuery(steps, within_seconds=5.0, k=1))
    assert [number(part) for part in chain.parts] == [1, 2]


def test_without_calibrations_the_standing_ranks(library: Library) -> None:
    fill_both(library)
    engine = SeveralEngine([[space_of(library, each, judge=False)] for each in (FIRST, SECOND)])
    hits = engine.search(Query([TextTerm("thing 7")], k=3))
    assert hits[0].strength is None
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert found_first(engine) > 0.5


def test_an_empty_library_has_no_hits(library: Library) -> None:
    assert both(library).answer(Query([TextTerm("thing 7")])).hits == []


def test_cards_say_what_each_encoder_thinks(library: Library) -> None:
    from app.web.services.shot_cards import hit_card

    fill_both(library)
    (hit,) = both(library).search(Query([TextTerm("thing 7")], k=1))
    card = hit_card(hit, 1.0, {})
    assert [each["encoder"] for each in card["opinions"]] == ["noisy1", "noisy2"]
    assert all(each["strength"]["level"] in ("strong", "likely", "weak") for each in card["opinions"])
    assert not card["quick"]
