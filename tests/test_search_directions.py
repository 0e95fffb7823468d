"""Directions of queries: equal weights have equal say, examples beside words are whitened, exclusion is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from db_samples import DIM, make_parts, make_video
from fakes import ColourEncoder, ExactIndex
from numpy.typing import NDArray

from db.library import Library
from search import candidates
from search.directions import PENALTY, PENALTY_BOUND, Direction, combine, direction_of
from search.engine import SearchEngine
from search.learners import choose_learner
from search.query import Query, QueryError, SegmentTerm, TextTerm
from search.row_covariance import SHRINKAGE, RowCovariance

Rows = NDArray[np.float32]
ENCODER = ColourEncoder()


def unit(rows: NDArray[np.floating]) -> Rows:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), dtype=np.float32)


def uneven(count: int, seed: int = 0, dim: int = DIM) -> Rows:
    """Rows that vary ten times as much in the first half of the columns."""
    rows = np.random.default_rng(seed).normal(size=(count, dim)) * np.repeat([1.0, 0.1], dim // 2) + 0.2
    return unit(rows)


def covariance_of(rows: Rows) -> RowCovariance:
    found = RowCovariance.of(rows)
    assert found is not None
    return found


def test_the_covariance_is_that_of_all_rows() -> None:
    rows = uneven(400)
    covariance = covariance_of(np.vstack([rows, np.full((3, DIM), np.nan, np.float32)]))
    direction = uneven(1, 5)[0]
    assert covariance.rows == 400
    assert covariance.spread_along(direction) == pytest.approx(float((rows @ direction).std()), rel=1e-4)
    expected = np.cov(rows.T, bias=True)
    shrunk = expected + (SHRINKAGE + DIM / 400) * np.trace(expected) / DIM * np.eye(DIM)
    wanted = np.linalg.solve(shrunk, rows[7] - rows.mean(axis=0))
    np.testing.assert_allclose(covariance.whitened(rows[7]), wanted, rtol=1e-3, atol=1e-3)


def test_rows_that_are_all_the_same_have_no_covariance() -> None:
    assert RowCovariance.of(uneven(1)) is None
    assert RowCovariance.of(np.empty((0, DIM), np.float32)) is None
    assert RowCovariance.of(np.repeat(uneven(1), 9, axis=0)) is None


def test_words_of_equal_weight_have_equal_say() -> None:
    rows = uneven(400)
    covariance = covariance_of(rows)
    wide, narrow = unit(np.eye(DIM)[[0, DIM - 1]])
    direction = direction_of([TextTerm("wide"), TextTerm("narrow")], np.stack([wide, narrow]), covariance)
    scores = direction.scores(rows)
    says = [float(np.corrcoef(scores, rows @ each)[0, 1]) for each in (wide, narrow)]
    assert says[0] == pytest.approx(says[1], abs=0.1)
    plain = rows @ combine(np.stack([wide, narrow]), [1, 1])
    assert np.corrcoef(plain, rows @ wide)[0, 1] > np.corrcoef(plain, rows @ narrow)[0, 1] + 0.5
    heavier = direction_of([TextTerm("wide"), TextTerm("narrow", 3.0)], np.stack([wide, narrow]), covariance)
    says = [float(np.corrcoef(heavier.scores(rows), rows @ each)[0, 1]) for each in (wide, narrow)]
    assert says[1] > says[0] + 0.4


def test_an_example_beside_words_is_known_by_what_is_its_own() -> None:
    """Sixty things in ten states each: the state makes up most of a row, the thing little."""
    random = np.random.default_rng(3)
    things, states = 0.3 * random.normal(size=(60, 64)), random.normal(size=(10, 64))
    rows = unit((things[:, None] + states[None]).reshape(600, 64) + 0.02 * random.normal(size=(600, 64)))
    covariance = covariance_of(rows)
    right = plain = 0
    for thing in range(60):
        terms = [SegmentTerm(0), TextTerm("in the last state")]
        asked = np.stack([rows[10 * thing], unit(states[9])])
        scores = direction_of(terms, asked, covariance).scores(rows)
        right += int(scores.argmax()) == 10 * thing + 9
        plain += int((rows @ combine(asked, [1, 1])).argmax()) == 10 * thing + 9
    assert right >= 57
    assert plain < 30


def test_a_single_term_is_its_row_bit_for_bit() -> None:
    covariance, row = covariance_of(uneven(50)), uneven(1, 9)
    for terms in ([SegmentTerm(1)], [TextTerm("x", 0.3)]):
        np.testing.assert_array_equal(direction_of(terms, row, covariance).row, row[0])
    np.testing.assert_array_equal(direction_of([TextTerm("x", -2)], row, covariance).row, -row[0])
    both = direction_of([SegmentTerm(1), TextTerm("x", -1)], np.vstack([row, uneven(1, 4)]), covariance)
    np.testing.assert_array_equal(both.row, row[0])


def test_a_penalty_is_bounded_and_nothing_is_rewarded() -> None:
    rows = uneven(400)
    covariance = covariance_of(rows)
    asked = uneven(2, 11)
    direction = direction_of([TextTerm("this", 2.0), TextTerm("not that", -0.5)], asked, covariance)
    penalties = direction.penalties(rows)
    unwanted = rows @ asked[1]
    deviations = (unwanted - unwanted.mean()) / unwanted.std()
    one = float((rows @ asked[0]).std())
    wanted = PENALTY * 0.25 * one * np.clip(deviations, 0, PENALTY_BOUND)
    np.testing.assert_allclose(penalties, wanted, atol=1e-3)
    assert (penalties[deviations < -0.01] == 0).all()
    np.testing.assert_allclose(direction.scores(rows), rows @ asked[0] - penalties, atol=1e-6)


def test_terms_that_cancel_are_refused() -> None:
    covariance, rows = covariance_of(uneven(50)), uneven(1, 2)
    with pytest.raises(QueryError, match="cancel"):
        direction_of([TextTerm("this"), TextTerm("its opposite")], np.vstack([rows, -rows]), covariance)
    middle = direction_of([SegmentTerm(1), TextTerm("x")], np.vstack([covariance.mean, rows[0]]), covariance)
    assert np.isfinite(middle.row).all(), "an example that is the mean of the library says nothing"


@pytest.mark.parametrize("wide", [True, False])
def test_what_examples_share_decides_how_they_are_learned_from(wide: bool) -> None:
    """Columns that vary much: the mean is enough. Columns that hardly vary: they must be told from the library."""
    rows, chance = uneven(600), np.random.default_rng(1)
    shared = np.zeros(DIM)
    shared[0 if wide else DIM - 1] = 3.0 if wide else 0.5
    examples = unit(uneven(6, 8) + shared + 0.01 * chance.normal(size=(6, DIM)))
    assert (choose_learner(examples, np.ones(6), covariance_of(rows)) == "lda") is not wide
    assert choose_learner(examples[:1], np.ones(1), covariance_of(rows)) == "mean"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        store(opened, 60)
        yield opened


def store(library: Library, count: int, name: str = "/f/a.mp4", seed: int = 0) -> None:
    video = make_video(name, name)
    shots, segments = make_parts(video, count)
    library.add_video(video, shots, segments, uneven(count, seed), encoder_id=ENCODER.id, recipe="r")


@pytest.mark.parametrize("weight", [-0.5, -20.0])
def test_excluding_finds_exactly_the_best_of_all(
    library: Library, monkeypatch: pytest.MonkeyPatch, weight: float
) -> None:
    monkeypatch.setattr(candidates, "_MORE", 1)
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    ids, rows = next(iter(library.embeddings(ENCODER.id)))
    query = Query([TextTerm("red"), TextTerm("moving", weight)], k=7)
    scores = engine.direction(query.terms).scores(rows)
    best = ids[np.lexsort((ids, -scores))]
    assert [hit.segment.id for hit in engine.search(query)] == best[:7].tolist()
    plain = [hit.segment.id for hit in engine.search(Query([TextTerm("red")], k=7))]
    assert plain != best[:7].tolist()
    middle = float(np.sort(scores)[30])
    answer = engine.answer(replace(query, threshold=middle - 1e-6))
    assert answer.matching == 30
    assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)


def test_the_covariance_is_kept_in_the_library_and_follows_it(library: Library) -> None:

    def covariance() -> RowCovariance | None:
        engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
        engine.direction([TextTerm("red"), TextTerm("blue")])
        return engine.space._covariance._current[1] if engine.space._covariance._current else None

    first = covariance()
    assert first is not None
    assert first.rows == 60
    (stamp,) = (library.directory / "calibration").glob("*.json")
    again = covariance()
    assert again is not None
    np.testing.assert_array_equal(again.eigenvectors, first.eigenvectors)
    store(library, 3, "/f/few.mp4", 1)
    assert (few := covariance()) is not None
    assert few.rows == 60, "5 % more change nothing"
    store(library, 9, "/f/more.mp4", 2)
    assert (more := covariance()) is not None
    assert more.rows == 72
    next(stamp.parent.glob("*.npz")).write_bytes(b"damaged")
    assert (mended := covariance()) is not None
    assert mended.rows == 72
    video = library.video_at("/f/a.mp4")
    assert video is not None
    assert video.id is not None
    library.remove_videos([video.id])
    assert (after := covariance()) is not None
    assert after.rows == 12
    store(library, 9, "/f/more.mp4", 7)
    assert (changed := covariance()) is not None
    assert not np.array_equal(changed.mean, after.mean), "as many rows, but others"


def test_a_library_of_one_shot_can_be_asked(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        store(library, 1)
        engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
        assert len(engine.search(Query([TextTerm("red"), TextTerm("blue", -0.5)]))) == 1
        assert engine.direction([TextTerm("red"), TextTerm("blue")]).row.shape == (DIM,)


def test_a_covariance_that_is_no_number_is_refused(tmp_path: Path) -> None:
    covariance = covariance_of(uneven(50))
    for broken in (covariance, replace(covariance, mean=covariance.mean * np.nan), replace(covariance, rows=0)):
        with (tmp_path / "covariance.npz").open("wb") as file:
            broken.write(file)
        if broken is covariance:
            assert RowCovariance.read(tmp_path / "covariance.npz", DIM).rows == 50
            with pytest.raises(ValueError, match="not those"):
                RowCovariance.read(tmp_path / "covariance.npz", DIM + 1)
            continue
        with pytest.raises(ValueError, match="arrays"):
            RowCovariance.read(tmp_path / "covariance.npz", DIM)


def test_a_direction_of_several_terms_is_searched_more_widely(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    asked: list[int] = []
    search = engine.index.search

    def counted(rows: Rows, k: int, allowed: NDArray[np.int64] | None = None) -> tuple[NDArray[np.int64], Rows]:
        asked.append(k)
        return search(rows, k, allowed)

    monkeypatch.setattr(engine.index, "search", counted)
    assert len(engine.search(Query([TextTerm("red")], k=5, duplicates="show"))) == 5
    both = Query([TextTerm("red"), TextTerm("blue")], k=5, duplicates="show")
    assert len(engine.search(both)) == 5
    assert asked == [5, candidates._LEAST_COMBINED]
    assert len(engine.search(replace(both, k=60))) == 60
    assert engine.answer(replace(both, k=1000, threshold=-1.0)).matching == 60


def test_a_direction_without_penalties_is_its_row() -> None:
    direction = Direction.without_penalties(uneven(1)[0])
    assert not direction.has_penalties
    np.testing.assert_array_equal(direction.penalties(uneven(3)), np.zeros(3))
