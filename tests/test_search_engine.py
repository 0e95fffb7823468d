"""From terms to hits, over a real library and both kinds of index: what is found, in which order, and what is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import COLOURS, ColourEncoder, ExactIndex
from numpy.typing import NDArray

from db.library import Library
from db.records import Filters, Segment, Shot, Video
from search.directions import combine
from search.engine import SearchEngine
from search.query import ClipTerm, Hit, Query, QueryError, SegmentTerm, TextTerm
from search.vectors.faiss_index import FaissIndex
from search.vectors.vector_index import RowStore

ENCODER = ColourEncoder()


def clip(colour: str, *, left: str | None = None) -> NDArray[np.uint8]:
    """A still picture of one colour, perhaps with another left half."""
    pixels = np.zeros((4, 16, 16, 3), np.uint8)
    pixels[:] = COLOURS[colour]
    if left is not None:
        pixels[:, :, :8] = COLOURS[left]
    return pixels


def add(library: Library, path: str, clips: list[NDArray[np.uint8]], *, parts: int = 1, modified_ns: int = 0) -> int:
    """A video of one-second shots, or of shots in `parts` overlapping segments, one clip a segment."""
    shots = len(clips) // parts
    video = Video(
        path=path,
        fingerprint=f"of {path}",
        size_bytes=1,
        modified_ns=modified_ns,
        time_base=Fraction(1, 100),
        start_pts=0,
        end_pts=100 * shots,
        frame_rate=Fraction(25),
        frames=25 * shots,
        width=16,
        height=16,
        codec="h264",
    )
    starts = [100 * (n // parts) for n in range(len(clips))]
    segments = [
        Segment(number=n, shot_number=n // parts, start_pts=start + 10 * (n % parts), end_pts=start + 100)
        for n, start in enumerate(starts)
    ]
    return library.add_video(
        video,
        [Shot(number=n, start_pts=100 * n, end_pts=100 * (n + 1)) for n in range(shots)],
        segments,
        ENCODER.encode_clips(np.stack(clips)),
        encoder_id=ENCODER.id,
        recipe="test",
    )


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        add(opened, "/films/primary.mp4", [clip("red"), clip("green"), clip("blue")], modified_ns=1_000)
        add(opened, "/films/mixed/halves.mp4", [clip("blue", left="red"), clip("red", left="blue")], modified_ns=2_000)
        add(opened, "/home/greys.mp4", [clip("white"), clip("grey"), clip("black")], modified_ns=3_000)
        add(opened, "/home/long.mp4", [clip("orange")] * 3 + [clip("brown")] * 3, parts=3, modified_ns=4_000)
        yield opened


@pytest.fixture(params=["faiss", "exact"])
def engine(library: Library, request: pytest.FixtureRequest, tmp_path: Path) -> SearchEngine:
    index: Any = (
        ExactIndex.of(library, ENCODER.id)
        if request.param == "exact"
        else FaissIndex.open(library, ENCODER.id, tmp_path / "vectors")
    )
    return SearchEngine(library, ENCODER, index)


def names(hits: list[Hit]) -> list[str]:
    return [f"{Path(hit.video.path).stem}:{hit.segment.number}" for hit in hits]


def id_of(library: Library, path: str, number: int = 0) -> int:
    video = library.video_at(path)
    assert video is not None
    assert video.id is not None
    found = library.segments_of(video.id)[number].id
    assert found is not None
    return found


def test_words_find_what_they_mean(engine: SearchEngine) -> None:
    for colour in ("red", "green", "blue"):
        hits = engine.search(Query([TextTerm(colour)], k=1))
        assert names(hits) == [f"primary:{['red', 'green', 'blue'].index(colour)}"]
        assert hits[0].score == pytest.approx(1.0, abs=1e-3)
    assert names(engine.search(Query([TextTerm("left red")], k=2)))[0] in ("halves:0", "primary:0")


def test_hits_are_ranked_scored_and_explained(engine: SearchEngine) -> None:
    hits = engine.search(Query([TextTerm("red"), TextTerm("blue", weight=2.0)], k=5, plain_sum=True))
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    red, blue = ENCODER.encode_texts(["red", "blue"])
    for hit in hits:
        row = engine.library.embedding_rows(ENCODER.id, [hit.segment.id or 0])[0]
        assert hit.term_scores == pytest.approx((float(row @ red), float(row @ blue)), abs=1e-6)
        length = float(np.linalg.norm(red + 2 * blue))
        assert hit.score == pytest.approx((hit.term_scores[0] + 2 * hit.term_scores[1]) / length, abs=1e-5)
        assert -1.001 <= hit.score <= 1.001


def test_a_clip_finds_itself(engine: SearchEngine) -> None:
    hits = engine.search(Query([ClipTerm(clip("red", left="blue"))], k=1))
    assert names(hits) == ["halves:1"]
    assert hits[0].term_scores == pytest.approx((1.0,), abs=1e-3)


def test_a_negative_weight_pushes_away(engine: SearchEngine) -> None:
    plain = names(engine.search(Query([TextTerm("red")], k=14)))
    without_blue = [TextTerm("red"), TextTerm("blue", weight=-1.0)]
    pushed = names(engine.search(Query(without_blue, k=14)))
    assert pushed[0] == "primary:0", "red is still red"
    assert pushed.index("halves:0") > plain.index("halves:0")
    summed = names(engine.search(Query(without_blue, k=14, plain_sum=True)))
    assert summed[0] == "long:0", "red less blue is (1, 0, -1), and that is orange"
    assert names(engine.search(Query([TextTerm("white", weight=-1)], k=1))) == ["greys:2"], "the farthest from white"


def test_weights_only_count_in_proportion(engine: SearchEngine) -> None:
    def ask(factor: float) -> list[tuple[int | None, float]]:
        query = Query([TextTerm("red", factor), TextTerm("blue", 3 * factor), TextTerm("x", 0.0)], k=14)
        return [(hit.segment.id, round(hit.score, 5)) for hit in engine.search(query)]

    assert ask(1.0) == ask(1e-9) == ask(1e12)


def test_a_term_of_weight_zero_changes_nothing_and_is_explained(engine: SearchEngine) -> None:
    (hit,) = engine.search(Query([TextTerm("red"), TextTerm("blue", 0.0)], k=1))
    assert names([hit]) == ["primary:0"]
    assert len(hit.term_scores) == 2


def test_a_segment_is_never_its_own_answer(engine: SearchEngine) -> None:
    red = id_of(engine.library, "/films/primary.mp4", 0)
    hits = engine.search(Query([SegmentTerm(red)], k=14))
    assert red not in [hit.segment.id for hit in hits]
    assert len(hits) == 13, "all the others are still given"
    assert names(hits)[0] == "long:0", "orange is nearest to red"


def test_parts_of_one_shot_are_left_out_only_when_asked(engine: SearchEngine) -> None:
    orange = id_of(engine.library, "/home/long.mp4", 1)
    near = names(engine.search(Query([SegmentTerm(orange)], k=3)))
    assert set(near[:2]) == {"long:0", "long:2"}
    far = names(engine.search(Query([SegmentTerm(orange)], k=3, exclude_same_shot=True)))
    assert not {"long:0", "long:1", "long:2"} & set(far)
    assert set(far) <= {"long:3", "long:4", "long:5", "primary:0"}, "other shots of the same video stay"
    assert len(far) == 3


def test_terms_of_every_kind_go_to_the_encoder_in_two_batches(library: Library, tmp_path: Path) -> None:
    encoder = ColourEncoder()
    engine = SearchEngine(library, encoder, ExactIndex.of(library, encoder.id))
    terms = [
        ClipTerm(clip("green")),
        TextTerm("red"),
        SegmentTerm(id_of(library, "/home/greys.mp4", 0)),
        ClipTerm(clip("blue")),
        TextTerm("black"),
    ]
    hits = engine.search(Query(terms, k=3))
    assert encoder.batches == [2]
    row = library.embedding_rows(encoder.id, [hits[0].segment.id or 0])[0]
    wanted = [
        *(row @ encoder.encode_clips(np.stack([clip("green")])).T),
        *(row @ encoder.encode_texts(["red"]).T),
        float(row @ library.embedding_rows(encoder.id, [id_of(library, "/home/greys.mp4", 0)])[0]),
        *(row @ encoder.encode_clips(np.stack([clip("blue")])).T),
        *(row @ encoder.encode_texts(["black"]).T),
    ]
    assert hits[0].term_scores == pytest.approx(tuple(wanted), abs=1e-6)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(folder="/films"), {"primary", "halves"}),
        (Filters(folder="/home/greys.mp4"), {"greys"}),
        (Filters(since_ns=3_000), {"greys", "long"}),
        (Filters(folder="/home", until_ns=3_000), {"greys"}),
        (Filters(max_seconds=0.95), {"long"}),
        (Filters(folder="/nowhere"), set()),
        (Filters(min_seconds=100), set()),
    ],
)
def test_filters_narrow_before_the_k_best_are_taken(engine: SearchEngine, filters: Filters, wanted: set[str]) -> None:
    hits = engine.search(Query([TextTerm("green")], filters=filters, k=14))
    assert {Path(hit.video.path).stem for hit in hits} == wanted
    oracle = ExactIndex.of(engine.library, ENCODER.id)
    ids, _ = oracle.search(ENCODER.encode_texts(["green"]), 14, engine.library.segment_ids(filters, ENCODER.id))
    assert [hit.segment.id for hit in hits] == ids[0].tolist()


def test_threshold_keeps_what_is_good_enough(engine: SearchEngine) -> None:
    everything = engine.search(Query([TextTerm("red")], k=14))
    at = everything[4].score
    kept = engine.search(Query([TextTerm("red")], k=14, threshold=at))
    assert [hit.segment.id for hit in kept] == [hit.segment.id for hit in everything if hit.score >= at]
    assert engine.search(Query([TextTerm("red")], k=14, threshold=1.5)) == []
    assert len(engine.search(Query([TextTerm("red")], k=2, threshold=-1))) == 2


def test_rows_that_vanished_are_skipped_and_refilled(engine: SearchEngine) -> None:
    """The index has not heard yet that the two best videos are gone: k hits come all the same."""
    gone = [engine.library.video_at(path) for path in ("/films/primary.mp4", "/home/long.mp4")]
    engine.library.remove_videos([video.id for video in gone if video is not None and video.id is not None])
    hits = engine.search(Query([TextTerm("red")], k=4))
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert {Path(hit.video.path).stem for hit in hits} == {"halves", "greys"}
    assert len(engine.search(Query([TextTerm("red")], k=100))) == 5


def test_a_row_that_goes_between_two_questions_is_skipped(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = engine.search(Query([TextTerm("red")], k=1))[0].segment.id
    real = engine.library.embedding_rows

    def without_best(encoder_id: str, ids: Any) -> Any:
        if best in [int(i) for i in ids]:
            raise KeyError(f"segment {best} has no embedding by {encoder_id}")
        return real(encoder_id, ids)

    monkeypatch.setattr(engine.library, "embedding_rows", without_best)
    if isinstance(engine.index, RowStore):  # such an index is asked instead
        given = engine.index.rows_of
        monkeypatch.setattr(
            engine.index, "rows_of", lambda ids: without_best(ENCODER.id, ids) if best in ids else given(ids)
        )
    hits = engine.search(Query([TextTerm("red")], k=5))
    assert best not in [hit.segment.id for hit in hits]
    assert len(hits) == 5


def test_what_is_indexed_later_is_found_after_refresh(library: Library, tmp_path: Path) -> None:
    engine = SearchEngine(library, ENCODER, FaissIndex.open(library, ENCODER.id, tmp_path / "vectors"))
    assert not engine.refresh()
    add(library, "/new/pink.mp4", [clip("pink")])
    assert engine.refresh()
    assert names(engine.search(Query([TextTerm("pink")], k=1))) == ["pink:0"]
    pink = library.video_at("/new/pink.mp4")
    assert pink is not None
    add(library, "/new/pink.mp4", [clip("cyan"), clip("pink")])
    assert engine.refresh()
    assert names(engine.search(Query([TextTerm("pink")], k=1))) == ["pink:1"]
    assert len(engine.search(Query([TextTerm("pink")], k=100))) == 16
    exact = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    assert not exact.refresh(), "an index that is no copy has nothing to catch up with"


def test_another_encoders_rows_are_not_found(library: Library, tmp_path: Path) -> None:
    other = ColourEncoder(name="other")
    engine = SearchEngine(library, other, FaissIndex.open(library, other.id, tmp_path / "vectors"))
    assert engine.search(Query([TextTerm("red")])) == []
    with pytest.raises(QueryError, match="another encoder"):
        engine.search(Query([SegmentTerm(1)]))


def test_an_empty_library_has_no_hits(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as empty:
        engine = SearchEngine(empty, ENCODER, FaissIndex.open(empty, ENCODER.id, tmp_path / "vectors"))
        assert engine.search(Query([TextTerm("red")])) == []
        assert engine.search(Query([TextTerm("red")], filters=Filters(folder="/films"))) == []


def test_what_cannot_be_asked_is_refused_in_words(engine: SearchEngine) -> None:
    with pytest.raises(QueryError, match="segment 4711 has no embedding"):
        engine.search(Query([SegmentTerm(4711)]))
    with pytest.raises(QueryError, match=r"takes clips of shape \(4, 16, 16, 3\)"):
        engine.search(Query([ClipTerm(np.zeros((8, 16, 16, 3), np.uint8))]))
    with pytest.raises(QueryError, match="cancel"):
        engine.search(Query([TextTerm("red"), TextTerm("red", weight=-1)], plain_sum=True))


# Queries and combinations by themselves


@pytest.mark.parametrize("text", ["", "  ", "\n\t", "\u3000"])
def test_blank_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a few words"):
        TextTerm(text)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), float("-inf")])
def test_weights_must_be_numbers(weight: float) -> None:
    for make in (
        lambda: TextTerm("red", weight),
        lambda: SegmentTerm(3, weight),
        lambda: ClipTerm(clip("red"), weight),
    ):
        with pytest.raises(ValueError, match="finite"):
            make()


def test_queries_that_ask_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no terms"):
        Query([])
    with pytest.raises(ValueError, match="weight 0"):
        Query([TextTerm("red", 0), SegmentTerm(3, 0.0)])
    for k in (0, -3):
        with pytest.raises(ValueError, match="at least 1"):
            Query([TextTerm("red")], k=k)
    with pytest.raises(ValueError, match="threshold"):
        Query([TextTerm("red")], threshold=float("nan"))
    with pytest.raises(ValueError, match="not negative"):
        SegmentTerm(-1)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 16, 16, 3), np.float32),
        np.zeros((16, 16, 3), np.uint8),
        np.zeros((4, 16, 16, 4), np.uint8),
        np.zeros((0, 16, 16, 3), np.uint8),
    ],
)
def test_what_is_no_clip_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="uint8"):
        ClipTerm(wrong)


def test_a_query_cannot_change_behind_our_back() -> None:
    terms: list[Any] = [TextTerm("red")]
    query = Query(terms)
    terms.clear()
    assert query.terms == (TextTerm("red"),)
    with pytest.raises(dataclasses.FrozenInstanceError):
        query.k = 3  # type: ignore[misc]


def test_one_term_is_combined_bit_for_bit() -> None:
    rows = ENCODER.encode_texts(["red", "left blue"])
    for weight in (1.0, 0.3, 7e-8):
        np.testing.assert_array_equal(combine(rows[:1], [weight]), rows[0])
        np.testing.assert_array_equal(combine(rows, [weight, 0.0]), rows[0])
    np.testing.assert_array_equal(combine(rows[:1], [-2.0]), -rows[0])


def test_combined_rows_are_the_weighted_sum_at_length_one() -> None:
    rows = ENCODER.encode_texts(["red", "left blue", "white"])
    combined = combine(rows, [1.0, 0.5, -0.25])
    wanted = rows[0] + 0.5 * rows[1] - 0.25 * rows[2]
    assert combined.dtype == np.float32
    np.testing.assert_allclose(combined, wanted / np.linalg.norm(wanted), atol=1e-6)
    tiny = combine(rows, [1e-300, 0.5e-300, -0.25e-300])
    np.testing.assert_allclose(tiny, combined, atol=1e-6)


def test_the_row_of_a_single_term_is_returned_bit_for_bit() -> None:
    row = np.array([[0.6, 0.8004, 0.0]], np.float32)  # as stored: its length is not quite 1
    np.testing.assert_array_equal(combine(row, [3.0]), row[0])
    np.testing.assert_array_equal(combine(row, [-0.1]), -row[0])
    np.testing.assert_array_equal(combine(np.vstack([np.eye(1, 3, 2), row]), [0.0, 2.0]), row[0])
