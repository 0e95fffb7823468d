"""Chains ("A, then B"): the best path is the one that looking at all finds, and what an engine answers with them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fakes import COLOURS, ColourEncoder, ExactIndex
from numpy.typing import NDArray

from db.library import Library
from db.records import Filters, Segment, Shot, Video
from db.segment_times import SegmentTimes
from search.chain_paths import CHANGE, Paths, gain
from search.chain_query import Chain, ChainQuery, Step
from search.chain_reach import Reach
from search.engine import SearchEngine
from search.query import QueryError, SegmentTerm, TextTerm
from search.strength import Strength

ENCODER = ColourEncoder()


def add(library: Library, path: str, shots: str, *, parts: int = 1) -> int:
    """A video of shots in these colours. A shot of several parts (of one colour, or `red/blue`) has a segment of two
    seconds for each, which begins a second after the one before.
    """
    clips, all_shots, segments, start = [], [], [], 0
    for number, colours in enumerate(shots.split()):
        each = colours.split("/") if "/" in colours else [colours] * parts
        all_shots.append(Shot(number=number, start_pts=start, end_pts=start + 100 * (len(each) + 1)))
        for part, colour in enumerate(each):
            first = start + 100 * part
            segments.append(Segment(number=len(segments), shot_number=number, start_pts=first, end_pts=first + 200))
            clips.append(np.full((4, 16, 16, 3), COLOURS[colour], np.uint8))
        start = all_shots[-1].end_pts
    video = Video(
        path=path, fingerprint=f"of {path}", size_bytes=1, modified_ns=1, time_base=Fraction(1, 100), start_pts=0,
        end_pts=start, frame_rate=Fraction(25), frames=start // 4, width=16, height=16, codec="h264",
    )  # fmt: skip
    rows = ENCODER.encode_clips(np.stack(clips))
    return library.add_video(video, all_shots, segments, rows, encoder_id=ENCODER.id, recipe="test")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        add(opened, "/films/answer.mp4", "grey red blue grey green")
        add(opened, "/films/turned.mp4", "grey blue red grey")
        add(opened, "/films/red only.mp4", "grey red grey red")
        add(opened, "/films/blue only.mp4", "blue grey grey")
        add(opened, "/films/far.mp4", "red grey grey grey grey blue")
        yield opened


@pytest.fixture
def engine(library: Library) -> SearchEngine:
    return SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))


def question(*steps: str, within: float = 2.0, **options: object) -> ChainQuery:
    return ChainQuery(tuple(Step((TextTerm(words),)) for words in steps), within_seconds=within, **options)  # type: ignore[arg-type]


def names(chains: list[Chain]) -> list[str]:
    return [
        f"{Path(each.video.path).stem}:" + ",".join(str(part.segment.number) for part in each.parts) for each in chains
    ]


def test_a_chain_is_found_in_order_and_near_enough(engine: SearchEngine) -> None:
    best = engine.chains(question("red", "blue"))[0]
    assert names([best]) == ["answer:1,2"]
    assert [part.rank for part in best.parts] == [1, 2]
    assert names(engine.chains(question("blue", "red")))[0] == "turned:1,2"
    assert names(engine.chains(question("red", "blue", "green")))[0] == "answer:1,2,4"


def test_the_limit_counts_between_the_end_of_a_part_and_the_start_of_the_next(engine: SearchEngine) -> None:
    def found(within: float) -> bool:
        return "far:0,5" in names(engine.chains(question("red", "blue", within=within)))[:2]

    assert found(8.0)
    assert not found(7.99)


def test_any_order_finds_both_ways(engine: SearchEngine) -> None:
    found = names(engine.chains(question("red", "blue", any_order=True)))
    assert set(found[:2]) == {"answer:1,2", "turned:2,1"}


def test_one_strong_part_does_not_make_up_for_a_missing_one(engine: SearchEngine) -> None:
    ranked = names(engine.chains(question("red", "blue", within=20.0)))
    assert set(ranked[:2]) == {"answer:1,2", "far:0,5"}


def test_two_steps_are_not_met_by_one_shot_that_goes_on_as_it_began(library: Library) -> None:
    add(library, "/films/long.mp4", "red", parts=6)  # 0-2, 1-3, 2-4 ... s
    add(library, "/films/twice.mp4", "red red")
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    found = names(engine.chains(question("red", "red", within=0.0)))
    assert found[0] == "twice:0,1"
    assert not [each for each in found if each.startswith("long")]


def test_one_shot_that_changes_has_two_events_but_not_in_parts_that_overlap(library: Library) -> None:
    add(library, "/films/take.mp4", "grey/red/blue/blue")  # red 1-3 s, blue 2-4 and 3-5 s, in one shot
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    found = names(engine.chains(question("red", "blue", within=0.0)))
    assert "take:1,3" in found[:2]
    assert "take:1,2" not in found


def test_no_segment_is_both_steps(engine: SearchEngine) -> None:
    for chain in engine.chains(question("red", "red", within=20.0)):
        assert len({part.segment.id for part in chain.parts}) == 2


def test_filters_and_limits(engine: SearchEngine) -> None:
    only = question("red", "blue", filters=Filters(name="far"), within=20.0)
    assert {each.video.path for each in engine.chains(only)} == {"/films/far.mp4"}
    assert engine.chains(question("red", "blue", filters=Filters(name="nowhere"))) == []
    assert len(engine.chains(question("red", "blue", k=2))) == 2
    each_once = [each.video.path for each in engine.chains(question("grey", "grey", within=20.0, per_video=1))]
    assert len(each_once) == len(set(each_once)) > 1


def test_an_example_is_not_found_by_its_own_step(engine: SearchEngine, library: Library) -> None:
    video = library.video_at("/films/answer.mp4")
    assert video is not None
    assert video.id is not None
    red = library.segments_of(video.id)[1].id
    assert red is not None
    asked = ChainQuery((Step((SegmentTerm(red),)), Step((TextTerm("blue"),))), within_seconds=20.0)
    assert names(engine.chains(asked))[0] == "far:0,5"
    left_out = ChainQuery((Step((TextTerm("red"),), frozenset({red})), Step((TextTerm("blue"),))), within_seconds=20.0)
    assert names(engine.chains(left_out))[0] == "far:0,5"


def test_many_videos_are_narrowed_to_those_with_the_best_segments(engine: SearchEngine) -> None:
    from search.chain_ground import Asked, SpaceGround
    from search.chains import ChainSearch
    from search.directions import Direction

    rows = [ENCODER.encode_texts([words]) for words in ("red", "blue")]
    asked = [Asked(each, Direction.without_penalties(each[0])) for each in rows]
    ground = SpaceGround(engine.library, engine.index, ENCODER.id, engine.space.rows_of, asked)
    chains, _ = ChainSearch(ground, max_videos=3).answer(question("red", "blue", within=20.0))
    assert {Path(each.video.path).stem for each in chains} == {"answer", "turned", "far"}


def test_a_step_asks_for_something() -> None:
    with pytest.raises(QueryError, match="words or an example"):
        Step(())


@pytest.mark.parametrize("any_order", [False, True])
@pytest.mark.parametrize("steps", [2, 3, 4])
def test_the_best_path_is_that_of_looking_at_all(steps: int, any_order: bool) -> None:
    rng = np.random.default_rng(steps)
    for _ in range(40):
        compare_paths(rng, steps, any_order)


def compare_paths(rng: np.random.Generator, steps: int, any_order: bool) -> None:
    """Compare the paths through a random video with those of looking at all, until there is none left."""
    n = int(rng.integers(0, 9))
    starts = np.sort(rng.integers(0, 20, n)).astype(float)
    ends = starts + rng.integers(1, 8, n)
    shots = np.cumsum(rng.random(n) < 0.6) if n else np.zeros(0, np.int64)
    for shot in set(shots.tolist()):  # shots follow each other, parts of one may overlap
        starts[shots > shot] = np.maximum(starts[shots > shot], ends[shots == shot].max())
        ends = np.maximum(ends, starts + 1)
    z_scores = 2 * rng.normal(size=(steps, n))
    z_scores[rng.random((steps, n)) < 0.1] = -np.inf
    gains = gain(z_scores)
    within = float(rng.integers(0, 6))
    paths = Paths(starts, ends, shots, z_scores, within=within, any_order=any_order)
    blocked: NDArray[np.bool_] = np.zeros(n, np.bool_)

    def follow(first: tuple[int, int], second: tuple[int, int]) -> bool:
        (a, i), (b, j) = first, second  # steps and segments
        changed = z_scores[a, i] >= z_scores[a, j] + CHANGE and z_scores[b, j] >= z_scores[b, i] + CHANGE
        return bool(0 <= starts[j] - ends[i] <= within and (shots[i] != shots[j] or changed))

    while True:
        totals = {}
        for at in itertools.permutations(range(n), steps):
            order = sorted(enumerate(at), key=lambda each: starts[each[1]]) if any_order else list(enumerate(at))
            near = all(follow(a, b) for a, b in itertools.pairwise(order))
            total = sum(gains[step, each] for step, each in enumerate(at))
            if near and np.isfinite(total) and not blocked[list(at)].any():
                totals[at] = total
        path = paths.best()
        if path is None:
            assert not totals
            break
        assert path.total == pytest.approx(max(totals.values()))
        assert totals[path.at] == pytest.approx(path.total)
        paths.take(path)
        for each in path.at:
            blocked |= (starts < ends[each]) & (ends > starts[each])


def test_chains_of_a_copy_are_stacked_left_out_or_shown(engine: SearchEngine, library: Library) -> None:
    add(library, "/films/copy.mp4", "grey red blue grey green")
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))

    def best(duplicates: str) -> list[Chain]:
        return engine.chains(question("red", "blue", k=2, duplicates=duplicates))

    assert names(best("show")) == ["answer:1,2", "copy:1,2"]
    stacked, hidden = best("stack"), best("hide")
    assert names(stacked) == names(hidden)
    assert names(stacked)[0] == "answer:1,2"
    assert "copy" not in str(names(stacked))
    copies = [segment.id for segment in library.segments_of(6)][1:3]
    assert stacked[0].alike == (tuple(copies),)
    assert hidden[0].alike == ()
    with pytest.raises(QueryError):
        question("red", "blue", duplicates="pile")


def test_a_chain_is_judged_by_its_surest_part_and_what_is_within_reach_of_it(library: Library) -> None:
    class Judge:
        def strengths(self, terms: Any, ids: list[int], cosines: NDArray[np.float32]) -> list[Strength]:
            assert cosines.shape == (len(ids), len(terms))
            return [Strength(value=float(own[0]), chance=0.001 if own[0] > 0.9 else 0.5) for own in cosines]

    calibration: Any = SimpleNamespace(judge=Judge)
    engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id), calibration)
    found = {names([chain])[0]: chain for chain in engine.chains(question("red", "blue"))}
    best, half = found["answer:1,2"], found["red only:1,2"]
    assert best.strength is not None
    assert (best.strength.level, [part.strength and part.strength.level for part in best.parts]) == (
        "strong",
        ["strong", "strong"],
    )
    assert half.strength is not None
    assert half.parts[1].strength is not None
    assert (half.strength.value, half.strength.level) == (half.parts[1].strength.value, "weak")
    assert half.strength.chance == 0.5  # never more than that of the part alone
    likely = engine.chains(question("red", "blue", least_level="likely"))
    assert names(likely) == ["answer:1,2"]
    assert likely[0].rank == 1
    with pytest.raises(QueryError):
        question("red", "blue", least_level="great")


def test_within_reach_is_what_follows_or_precedes_all_that_could_make_as_good_a_chain() -> None:
    starts = np.array([0.0, 2, 4, 6, 0, 2, 4])
    ids, videos = np.arange(7), np.array([1, 1, 1, 1, 2, 2, 2])
    z_scores = np.array([[9.0, 0, 0, 9, 0, 4, 0], [0.0] * 7])
    reach = Reach(SegmentTimes(ids, videos, ids, starts, starts + 2), gain(z_scores), 70)

    def count(z_score: float, seconds: float, **sides: bool) -> float:
        total = float(gain(np.array([z_score]))[0])
        return 70 * reach.share(0, total, seconds, **({"before": False, "after": True} | sides))

    assert count(9, 1.0) == pytest.approx(1)  # segment 1; nothing follows segment 3
    assert count(9, 2.0) == pytest.approx(2)
    assert count(4, 2.0) == pytest.approx(3)  # and segment 6
    assert count(9, 0.0, before=True) == pytest.approx(2)  # and segment 2
    assert reach.share(0, -1e9, 1e6, before=True, after=True) <= 1
