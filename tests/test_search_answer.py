"""Answers with their counts, against an oracle that looks at everything: filters, thresholds, so many of a video, near
duplicates; scores of given segments; and terms that are encoded once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from db_samples import DIM, add, ids_of, make_parts, make_video
from fakes import ColourEncoder, ExactIndex
from numpy.typing import NDArray

from db.library import Library
from db.records import Filters
from search import near_duplicates
from search.engine import SearchEngine
from search.near_duplicates import NEAR_DUPLICATE
from search.query import Answer, ClipTerm, Query, QueryError, SegmentTerm, Term, TextTerm
from search.query_cache import QueryCache
from search.vectors.faiss_index import FaissIndex

ENCODER = ColourEncoder()
VIDEOS = 24


def clustered_rows(count: int, seed: int) -> NDArray[np.float32]:
    """Few directions, many rows close to each: cosines from -1 to nearly 1."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(6, DIM))
    spread = chance.choice([0.0, 0.05, 0.2, 0.6], size=(count, 1))
    rows = centres[chance.integers(0, 6, count)] + spread * chance.normal(size=(count, DIM))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """VIDEOS videos of 1 to 24 segments, of several shapes; nobody writes to it."""
    with Library.open(tmp_path_factory.mktemp("answers")) as library:
        for number in range(VIDEOS):
            video = make_video(
                f"/f/{'even' if number % 2 else 'odd'}/{number}.mp4",
                f"content{number}",
                width=640 if number % 3 else 360,
                height=480,
            )
            shots, segments = make_parts(video, number + 1)
            rows = clustered_rows(number + 1, number % 4)
            library.add_video(video, shots, segments, rows, encoder_id=ENCODER.id, recipe="r")
        yield library


@pytest.fixture(scope="module", params=["faiss", "exact"])
def engine(full: Library, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SearchEngine:
    directory = tmp_path_factory.mktemp("vectors")
    index: Any = (
        ExactIndex.of(full, ENCODER.id) if request.param == "exact" else FaissIndex.open(full, ENCODER.id, directory)
    )
    return SearchEngine(full, ENCODER, index)


def oracle(engine: SearchEngine, query: Query) -> tuple[list[int], int, int, int]:
    """(ids, allowed, matching, hidden), by looking at every row and every pair."""
    batches = list(engine.library.embeddings(ENCODER.id))
    ids = np.concatenate([batch for batch, _ in batches]).tolist()
    rows = np.concatenate([batch for _, batch in batches]).astype(np.float64)
    stored = dict(zip(ids, rows, strict=True))
    direction = engine.direction(query.terms, plain_sum=query.plain_sum)
    own = {term.segment_id for term in query.terms if isinstance(term, SegmentTerm)} | query.leave_out
    let = set(engine.library.segment_ids(query.filters, ENCODER.id).tolist()) - own
    found, scores = engine.index.search(direction.row[None, :], len(ids))  # equal scores: the index's promise
    if direction.has_penalties:
        scores = scores - direction.penalties(np.asarray([stored[i] for i in found[0].tolist()], np.float32))
        order = np.lexsort((found[0], -scores[0]))
        found, scores = found[:, order], scores[:, order]
    ranked = [(i, score) for i, score in zip(found[0].tolist(), scores[0].tolist(), strict=True) if i in let]
    good = [i for i, score in ranked if query.threshold is None or score >= query.threshold]
    videos = {i: video.id for i, (_, video) in engine.library.segments(ids).items()}
    chosen: list[int] = []
    hidden = 0
    for i in good:
        if len(chosen) == query.k:
            break
        of_video = Counter(videos[other] for other in chosen)[videos[i]]
        alike = [
            float(stored[i] @ stored[other] / np.linalg.norm(stored[i]) / np.linalg.norm(stored[other]))
            for other in chosen
        ]
        if query.near_duplicates is not None:
            assert all(abs(cosine - query.near_duplicates) > 1e-5 for cosine in alike), "too near to tell: another seed"
        if (query.per_video is not None and of_video >= query.per_video) or (
            query.near_duplicates is not None and max(alike, default=-1) >= query.near_duplicates
        ):
            hidden += 1
        else:
            chosen.append(i)
    return chosen, len(let), len(good), hidden


def ids(answer: Answer) -> list[int]:
    return [hit.segment.id or 0 for hit in answer.hits]


@pytest.mark.parametrize("seed", range(40))
def test_any_query_gives_what_looking_at_everything_gives(engine: SearchEngine, seed: int) -> None:
    chance = np.random.default_rng(seed)
    everything = engine.library.segment_ids(Filters(), ENCODER.id)
    words = ["red", "blue top", "moving green", "grey left", "nothing known"]
    terms: list[TextTerm | SegmentTerm] = [TextTerm(str(chance.choice(words)), float(chance.uniform(0.2, 2)))]
    if seed % 2:
        terms = [SegmentTerm(int(chance.choice(everything)), float(chance.uniform(-1, 1)) or 1.0), *terms[: seed % 3]]
    query = Query(
        terms=terms,
        filters=[
            Filters(),
            Filters(folder="/f/odd"),
            Filters(name="1"),
            Filters(orientation="portrait"),
            Filters(min_short_side=400, folder="/f/even"),
        ][int(chance.integers(0, 5))],
        k=int(chance.choice([1, 3, 10, 50, 1000])),
        threshold=[None, 0.0, float(chance.uniform(-0.5, 0.8))][int(chance.integers(0, 3))],
        per_video=[None, 1, 3][int(chance.integers(0, 3))],
        near_duplicates=[None, 0.5003, 0.97003][int(chance.integers(0, 3))],
        leave_out=frozenset(chance.choice(everything, int(chance.integers(0, 9))).tolist()),
        plain_sum=seed % 5 == 0,
    )
    answer = engine.answer(query)
    chosen, allowed, matching, hidden = oracle(engine, query)
    assert ids(answer) == chosen
    assert (answer.allowed, answer.matching, answer.hidden) == (allowed, matching, hidden)
    assert [hit.rank for hit in answer.hits] == list(range(1, len(chosen) + 1))
    assert engine.search(query) == answer.hits


def test_a_threshold_at_a_score_itself_counts_it(engine: SearchEngine) -> None:
    plain = engine.answer(Query([TextTerm("red")], k=1000))
    assert plain.matching == plain.allowed == len(plain.hits) == VIDEOS * (VIDEOS + 1) // 2
    for hit in plain.hits[::17]:
        answer = engine.answer(Query([TextTerm("red")], k=1, threshold=hit.score))
        assert answer.matching == sum(other.score >= hit.score for other in plain.hits)


@pytest.mark.parametrize(("limit", "duplicates"), [("MAX_COUNTED", None), ("MAX_COMPARED", 1.0)])
def test_hits_are_looked_for_as_far_down_as_it_takes_and_no_further(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch, limit: str, duplicates: float | None
) -> None:
    query = Query([TextTerm("red")], k=10, per_video=1, near_duplicates=duplicates)
    assert len(engine.answer(query).hits) == 10
    monkeypatch.setattr(f"search.choosing.{limit}", 15)
    videos = [hit.video.id for hit in engine.answer(Query([TextTerm("red")], k=15)).hits]
    answer = engine.answer(query)
    if duplicates is None:
        assert [hit.video.id for hit in answer.hits] == list(dict.fromkeys(videos))[:10]
    assert {hit.video.id for hit in answer.hits} <= set(videos)
    assert len(answer.hits) + answer.hidden <= 15
    assert answer.allowed == VIDEOS * (VIDEOS + 1) // 2


def test_copies_are_hidden_also_at_a_cosine_of_one(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        video_id = add(library, encoder_id=ENCODER.id, count=5)
        for number in range(4):
            library.copy_video(video_id, path=f"/copy{number}.mp4", size_bytes=1, modified_ns=1)
        engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
        for cosine in (1.0, NEAR_DUPLICATE):
            answer = engine.answer(Query([TextTerm("red")], k=100, near_duplicates=cosine))
            assert sorted(hit.segment.number for hit in answer.hits) == [0, 1, 2, 3, 4]
            assert {hit.video.id for hit in answer.hits} == {video_id}, "of equal ones the oldest"
            assert (answer.hidden, answer.matching) == (20, 25)


def test_what_has_gone_hides_nothing(tmp_path: Path) -> None:
    """The index still has the rows of a removed video, which are the best, and near-duplicates of what is there."""
    with Library.open(tmp_path) as library:
        gone = add(library, encoder_id=ENCODER.id, count=5)
        library.copy_video(gone, path="/copy.mp4", size_bytes=1, modified_ns=1)
        add(library, make_video("/other.mp4", "bb"), encoder_id=ENCODER.id, count=3, seed=9)
        engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
        library.remove_videos([gone])
        for query in (Query([TextTerm("red")], k=8, near_duplicates=0.99), Query([TextTerm("red")], k=8, per_video=5)):
            answer = engine.answer(query)
            assert len(answer.hits) == 8
            assert answer.hidden == 0


def test_a_row_that_goes_while_duplicates_are_looked_for_is_skipped(
    full: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = SearchEngine(full, ENCODER, ExactIndex.of(full, ENCODER.id))
    best = ids(engine.answer(Query([TextTerm("red")], k=3)))
    real = full.embedding_rows

    def without_best(encoder_id: str, wanted: Any) -> Any:
        if set(best) & {int(i) for i in wanted}:
            raise KeyError(f"segment {best[0]} has no embedding by {encoder_id}")
        return real(encoder_id, wanted)

    monkeypatch.setattr(full, "embedding_rows", without_best)
    answer = engine.answer(Query([TextTerm("red")], k=20, near_duplicates=0.97))
    assert len(answer.hits) == 20
    assert not set(best) & set(ids(answer))


def test_the_own_segments_of_a_query_are_in_no_count(engine: SearchEngine) -> None:
    first, second, third = engine.library.segment_ids(Filters(), ENCODER.id)[[3, 40, 41]].tolist()
    total = VIDEOS * (VIDEOS + 1) // 2
    query = Query([SegmentTerm(first), SegmentTerm(second)], k=1000)
    assert engine.answer(query).allowed == engine.answer(query).matching == len(engine.answer(query).hits) == total - 2
    assert engine.answer(replace(query, leave_out=frozenset({third, second, 10**9}))).allowed == total - 3
    folder = Filters(folder=engine.library.segments([first])[first][1].path)
    assert (
        engine.answer(replace(query, filters=folder)).allowed == len(engine.library.segment_ids(folder, ENCODER.id)) - 1
    )
    assert engine.answer(replace(query, threshold=-1.0, k=1)).matching == total - 2


def test_scores_of_given_segments_are_those_of_hits(engine: SearchEngine) -> None:
    query = Query([TextTerm("red"), TextTerm("moving", weight=-0.5)], k=50, filters=Filters(folder="/f/odd"))
    hits = engine.search(query)
    wanted = [hit.segment.id or 0 for hit in hits][::-1]
    scores = engine.scores(query, wanted)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [hit.score for hit in hits][::-1], atol=1e-6)
    assert engine.scores(query, []).shape == (0,)
    with pytest.raises(KeyError, match="987654"):
        engine.scores(query, [wanted[0], 987654])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"per_video": 0}, "at least 1 hit"),
        ({"near_duplicates": 0.0}, "above 0"),
        ({"near_duplicates": 1.01}, "at most 1"),
        ({"near_duplicates": float("nan")}, "near-duplicates"),
    ],
)
def test_limits_that_mean_nothing_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        Query([TextTerm("red")], **wrong)


# Remembered terms


class Counting(ColourEncoder):
    """Says what it was asked to encode."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[list[str]] = []

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts.append(list(texts))
        return super().encode_texts(texts)


def picture(level: int) -> NDArray[np.uint8]:
    return np.full((4, 16, 16, 3), level, np.uint8)


def test_a_weight_or_a_filter_encodes_nothing_again(full: Library) -> None:
    encoder = Counting()
    engine = SearchEngine(full, encoder, ExactIndex.of(full, encoder.id))
    terms: list[Term] = [TextTerm("red"), TextTerm("blue"), ClipTerm(picture(9)), TextTerm("red", weight=0.5)]
    first = engine.answer(Query(terms, k=5))
    assert (encoder.texts, encoder.batches) == ([["red", "blue"]], [1])
    assert engine.answer(Query(terms, k=5)) == first
    for weight in (0.1, -1.0):
        changed: list[Term] = [TextTerm("blue", weight), ClipTerm(picture(9), weight), TextTerm("red")]
        engine.answer(Query(changed, filters=Filters(folder="/f/odd")))
        engine.scores(Query(changed), ids_of(full, 1))
    assert (encoder.texts, encoder.batches) == ([["red", "blue"]], [1])
    engine.answer(Query([TextTerm("red"), TextTerm("green"), ClipTerm(picture(8)), ClipTerm(picture(9))]))
    assert (encoder.texts, encoder.batches) == ([["red", "blue"], ["green"]], [1, 1])


def test_a_clip_that_was_changed_in_place_is_another(full: Library) -> None:
    rows, pixels = QueryCache(ENCODER), picture(9)
    before = rows.of_clips([pixels])
    pixels[:] = 200
    np.testing.assert_array_equal(rows.of_clips([pixels]), ENCODER.encode_clips(pixels[None]))
    np.testing.assert_array_equal(rows.of_clips([picture(9)]), before)
    np.testing.assert_array_equal(rows.of_clips([pixels[:, ::-1]]), ENCODER.encode_clips(pixels[None, :, ::-1]))


def test_the_term_used_longest_ago_is_forgotten() -> None:
    encoder = Counting()
    rows = QueryCache(encoder, capacity=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        np.testing.assert_array_equal(rows.of_texts([text]), ENCODER.encode_texts([text]))
    assert encoder.texts == [["a"], ["b"], ["c"], ["b"]]
    many = [str(number) for number in range(7)]
    np.testing.assert_array_equal(rows.of_texts(many), ENCODER.encode_texts(many))  # more than are remembered


def test_rows_handed_out_are_nobodys_to_change(full: Library) -> None:
    rows = QueryCache(ENCODER)
    rows.of_texts(["red"])[:] = 0
    np.testing.assert_array_equal(rows.of_texts(["red"]), ENCODER.encode_texts(["red"]))


def test_threads_get_their_own_rows(full: Library) -> None:
    rows = QueryCache(ENCODER, capacity=3)
    wrong: list[str] = []

    def ask(seed: int) -> None:
        chance = np.random.default_rng(seed)
        for _ in range(60):
            texts = [f"word {number}" for number in chance.integers(0, 8, 3)]
            if not np.array_equal(rows.of_texts(texts), ENCODER.encode_texts(texts)):
                wrong.append(str(texts))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# The walk down the ranking by itself


@pytest.mark.parametrize("seed", range(5))
def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rows = clustered_rows(300, seed)
    videos = np.random.default_rng(seed).integers(0, 40, 300).tolist()

    def choose(block: int) -> near_duplicates.Diversified:
        monkeypatch.setattr(near_duplicates, "_BLOCK", block)
        return near_duplicates.diversify(
            range(300),
            30,
            per_video=2,
            near_duplicates=0.9,
            videos_of=lambda ids: {i: videos[i] for i in ids if i % 7},
            rows_of=lambda ids: ([i for i in ids if i % 11], rows[[i for i in ids if i % 11]]),
        )

    whole = choose(1000)
    assert whole.ids
    assert all(i % 7 and i % 11 for i in whole.ids)
    assert choose(1) == choose(7) == choose(64) == whole
