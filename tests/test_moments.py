"""Moments of real shots: a library of small videos, an encoder that sees colours, frames read from the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import ColourEncoder, ExactIndex
from synthetic import make_video

from app.media_workers import read_here
from app.moments import open_finder
from db.library import Library
from db.records import Segment, Video
from indexer.media.clip import read_clip
from indexer.media.errors import UnreadableVideo
from indexer.media.stretch import read_stretch
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings
from search.calibration.calibration import Calibration
from search.engine import SearchEngine
from search.moments import moment_cache
from search.moments.moment import Moment
from search.moments.moment_cache import FOLDER, MomentCache
from search.moments.ranking import by_moments
from search.moments.windows import MOST_FRAMES
from search.query import ClipTerm, Hit, Query, TextTerm

ONE_SHOT = IndexSettings(detector="content", detector_options={"threshold": 1000.0})
VIDEOS: dict[str, Any] = {
    "three": [("red", 30), ("blue", 25), ("green", 40)],
    "plain": [("blue", 50)],
    "long": [("red", 130), ("blue", 130), ("green", 260)],  # 20.8 s: three parts
    "brighter": [(lambda n: np.full((48, 64, 3), 5 * n, np.uint8), 50)],
    "one": [("red", 1)],
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> SearchEngine:
    root = tmp_path_factory.mktemp("moments")
    (root / "videos").mkdir()
    for name, shots in VIDEOS.items():
        make_video(root / "videos" / f"{name}.mp4", shots)
    encoder = ColourEncoder()
    library = Library.open(root / "library")
    assert index_folders(library, encoder, [root / "videos"], ONE_SHOT).added == len(VIDEOS)
    index = ExactIndex.of(library, encoder.id)
    return SearchEngine(library, encoder, index, Calibration(library, encoder, root / "calibration"))


def hit_of(engine: SearchEngine, name: str, part: int = 0) -> tuple[Segment, Video]:
    video = next(each for each in engine.library.videos() if Path(each.path).stem == name)
    assert video.id is not None
    return engine.library.segments_of(video.id)[part], video


def find(engine: SearchEngine, name: str, words: str, part: int = 0) -> tuple[Moment, float, float]:
    segment, video = hit_of(engine, name, part)
    moment = open_finder(engine, read_here).find(segment, video, Query((TextTerm(words),)))
    return moment, video.seconds(moment.start_pts), video.seconds(moment.end_pts)


@pytest.mark.parametrize(("colour", "start", "end"), [("red", 0, 1.2), ("blue", 1.2, 2.2), ("green", 2.2, 3.8)])
def test_one_of_three_takes_is_found(engine: SearchEngine, colour: str, start: float, end: float) -> None:
    moment, first, last = find(engine, "three", colour)
    assert (first, last) == pytest.approx((start, end), abs=0.2)
    assert not moment.is_whole
    assert moment.score > moment.whole_score
    assert moment.backwards is None
    assert moment.seconds > 0


def test_edges_are_frames_of_the_file(engine: SearchEngine) -> None:
    segment, video = hit_of(engine, "three")
    moment, _, _ = find(engine, "three", "blue")
    start, end = ((pts - video.start_pts) * video.time_base for pts in (segment.start_pts, segment.end_pts))
    pts = read_stretch(video.path, engine.encoder.clip_spec, start, end, MOST_FRAMES).pts
    assert len(pts) == 95
    assert moment.start_pts in pts
    assert moment.end_pts in pts
    assert all(segment.start_pts <= at <= segment.end_pts for at, _ in moment.curve)
    assert [at for at, _ in moment.curve] == sorted(at for at, _ in moment.curve)


def test_a_shot_that_is_wholly_the_answer_is_the_moment(engine: SearchEngine) -> None:
    segment, _ = hit_of(engine, "plain")
    moment, _, _ = find(engine, "plain", "blue")
    assert moment.is_whole
    assert (moment.start_pts, moment.end_pts) == (segment.start_pts, segment.end_pts)
    assert moment.score == moment.whole_score


def test_a_moment_may_begin_in_another_part_of_the_shot(engine: SearchEngine) -> None:
    for part in (0, 1):
        moment, first, last = find(engine, "long", "blue", part)
        assert (first, last) == pytest.approx((5.2, 10.4), abs=1.0)
        assert not moment.is_whole


def test_a_single_frame_is_its_moment(engine: SearchEngine) -> None:
    segment, _ = hit_of(engine, "one")
    moment, _, _ = find(engine, "one", "red")
    assert (moment.is_whole, moment.start_pts, moment.end_pts) == (True, segment.start_pts, segment.end_pts)


def test_an_example_finds_its_moment_too(engine: SearchEngine) -> None:
    segment, video = hit_of(engine, "three")
    spec = engine.encoder.clip_spec
    clip = np.empty(spec.shape, np.uint8)
    clip[:] = (30, 40, 200)
    moment = open_finder(engine, read_here).find(segment, video, Query((ClipTerm(clip),)))
    assert (video.seconds(moment.start_pts), video.seconds(moment.end_pts)) == pytest.approx((1.2, 2.2), abs=0.2)


def test_what_runs_the_other_way_is_noticed(engine: SearchEngine) -> None:
    darker, _, _ = find(engine, "brighter", "darkening")
    assert darker.backwards is not None
    assert darker.may_run_backwards
    brighter, _, _ = find(engine, "brighter", "brightening")
    assert brighter.backwards is not None
    assert not brighter.may_run_backwards
    assert brighter.backwards < 0 < darker.backwards


def test_a_stretch_has_the_frames_of_clips(engine: SearchEngine) -> None:
    segment, video = hit_of(engine, "long", 1)
    spec = engine.encoder.clip_spec
    start, end = ((pts - video.start_pts) * video.time_base for pts in (segment.start_pts, segment.end_pts))
    found = read_stretch(video.path, spec, start, end, 4)
    clip = read_clip(video.path, spec, start_seconds=float(start), end_seconds=float(end))
    assert (found.frames == clip).all()
    assert [found.pts[at] for at in found.at] == [found.pts[k * len(found.pts) // 4] for k in range(4)]
    assert found.pts[0] == segment.start_pts
    assert len(read_stretch(video.path, spec, start, end, 1000).frames) == len(found.pts)


def test_moments_are_kept(engine: SearchEngine) -> None:
    first, _, _ = find(engine, "three", "green")

    def unreadable(*_: Any, **__: Any) -> Any:
        raise UnreadableVideo("three.mp4", "error", "It is not read again.")

    segment, video = hit_of(engine, "three")
    finder = open_finder(engine, unreadable)
    assert finder.find(segment, video, Query((TextTerm("green"),))) == first
    assert finder.find(segment, video, Query((TextTerm("green"),), k=3, threshold=0.1)) == first  # the same question
    with pytest.raises(UnreadableVideo):
        finder.find(segment, video, Query((TextTerm("yellow"),)))


def test_damaged_and_foreign_files_of_the_cache_are_none(tmp_path: Path) -> None:
    moment = Moment(
        start_pts=3, end_pts=9, is_whole=False, score=0.5, whole_score=0.25, curve=((4, 0.5), (6, 0.25)),
        backwards=None, seconds=1.5,
    )  # fmt: skip
    cache = MomentCache(tmp_path)
    assert cache.get("a") is None
    cache.put("a", moment)
    assert cache.get("a") == moment
    good = json.loads((tmp_path / FOLDER / "a.json").read_text())
    for damage in (
        "", "[]", "{", json.dumps({**good, "end_pts": 3}), json.dumps({**good, "start_pts": "3"}),
        json.dumps({**good, "curve": [[1]]}), json.dumps({**good, "is_whole": 1}), "9" * 100_000,
    ):  # fmt: skip
        (tmp_path / FOLDER / "b.json").write_text(damage)
        assert cache.get("b") is None
    MomentCache(tmp_path, read_only=True).put("c", moment)
    assert MomentCache(tmp_path).get("c") is None
    (tmp_path / "else.json").write_text(json.dumps(good))
    (tmp_path / FOLDER / "d.json").symlink_to(tmp_path / "else.json")
    assert cache.get("d") is None


def test_the_oldest_moments_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment_cache, "MOST_FILES", 10)
    moment = Moment(
        start_pts=3, end_pts=9, is_whole=True, score=0.5, whole_score=0.5, curve=(), backwards=None, seconds=1
    )
    cache = MomentCache(tmp_path)
    for number in range(25):
        cache.put(f"k{number:02}", moment)
    kept = sorted(path.name for path in (tmp_path / FOLDER).iterdir())
    assert len(kept) <= 10
    assert "k24.json" in kept


def test_progress_that_raises_ends_the_work(engine: SearchEngine) -> None:
    segment, video = hit_of(engine, "three")
    shares: list[float] = []

    def stop(share: float) -> None:
        shares.append(share)
        if len(shares) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_finder(engine, read_here).find(segment, video, Query((TextTerm("purple"),)), stop)
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_a_file_that_was_replaced_is_not_read(engine: SearchEngine) -> None:
    segment, video = hit_of(engine, "plain")
    path = Path(video.path)
    kept = path.read_bytes()
    make_video(path, [("red", 10)])
    try:
        with pytest.raises(UnreadableVideo):
            open_finder(engine, read_here).find(segment, video, Query((TextTerm("cyan"),)))
        path.unlink()
        with pytest.raises(OSError, match="plain"):
            open_finder(engine, read_here).find(segment, video, Query((TextTerm("cyan"),)))
    finally:
        path.write_bytes(kept)


def test_hits_of_one_shot_are_ranked_by_their_moments_among_their_own_places(engine: SearchEngine) -> None:
    first, long = hit_of(engine, "long")
    second, third = hit_of(engine, "long", 1)[0], hit_of(engine, "long", 2)[0]
    of_other, other = hit_of(engine, "plain")
    hits = [
        Hit(rank=rank, score=1.0 / rank, segment=segment, video=video, term_scores=())
        for rank, (segment, video) in enumerate([(first, long), (of_other, other), (second, long), (third, long)], 1)
    ]

    def moment(score: float) -> Moment:
        return Moment(
            start_pts=0, end_pts=1, is_whole=False, score=score, whole_score=0.0, curve=(), backwards=None, seconds=0.0
        )

    moments = {first.id or 0: moment(0.2), second.id or 0: moment(0.7), of_other.id or 0: moment(0.9)}
    ranked = by_moments(hits, moments)
    assert [hit.segment for hit in ranked] == [second, of_other, first, third]  # the third has no moment
    assert [hit.rank for hit in ranked] == [1, 2, 3, 4]
