"""Finding of takes: which shots are compared, once, and what of a library's facts decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from db_samples import add, ids_of, make_parts, make_video
from fakes import ColourEncoder, ExactIndex
from numpy.typing import NDArray
from test_takes_evidence import walking

from db.library import Library
from db.records import Segment, Shot, Video
from search.space import Space
from search.take_threshold import LEAST, MOST, NEAR_TAKE, TakeThreshold, near_take, threshold_of
from search.takes import finding
from search.takes.finding import ReadLook, TakeFinder, furthest_take, pending_shots
from search.takes.pair_file import PairFile
from search.takes.relations import Relation

ENCODER = ColourEncoder()
RED, BLUE = (220, 30, 30), (30, 60, 220)
DAY = 1_700_000_000


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path) as library:
        yield library


def row(cosine: float, number: int) -> NDArray[np.float32]:
    """A unit row with this cosine with the first axis, away from it in a direction of its own."""
    made = np.zeros((1, ENCODER.dim), np.float32)
    made[0, 0], made[0, 1 + number % 15] = cosine, np.sqrt(1 - cosine**2)
    return made


def finder(space: Space, look: ReadLook) -> TakeFinder:
    near = near_take(space.library.directory, space.id)
    return TakeFinder(space.library, space.id, space.index, space.rows_of, look, near=near)


class Films:
    """A library of one-shot videos, the pictures of each by its path, and what was read."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.pictures: dict[str, NDArray[np.uint8] | None] = {}
        self.read: list[str] = []

    def add(self, name: str, pictures: NDArray[np.uint8] | None, cosine: float = 1.0, **values: object) -> int:
        path = f"/films/{name}.mp4"
        self.pictures[path] = pictures
        video = make_video(path, name, seconds=4, **values)
        shot = Shot(number=0, start_pts=video.start_pts, end_pts=video.end_pts)
        segment = Segment(number=0, shot_number=0, start_pts=video.start_pts, end_pts=video.end_pts)
        video_id = self.library.add_video(
            video, [shot], [segment], row(cosine, len(self.pictures)), encoder_id=ENCODER.id, recipe="r"
        )
        (segment_id,) = ids_of(self.library, video_id)
        return segment_id

    def look(self, segment: Segment, video: Video) -> NDArray[np.uint8] | None:
        self.read.append(Path(video.path).stem)
        return self.pictures[video.path]

    def find(self, stop_after: int | None = None) -> int:
        space = Space(self.library, ENCODER, ExactIndex.of(self.library, ENCODER.id))
        calls: list[int] = []
        self.read.clear()
        return finder(space, self.look).find(
            on_progress=lambda done, total: calls.append(total),
            cancelled=lambda: stop_after is not None and len(calls) >= stop_after,
        )

    def related(self) -> dict[tuple[int, int], Relation]:
        found = PairFile(self.library.directory, ENCODER.id).load().related
        return {pair: kind for pair, (kind, _) in found.items()}


@pytest.fixture
def films(library: Library) -> Films:
    return Films(library)


def test_takes_copies_and_parts_are_told_apart(films: Films) -> None:
    first = films.add("a", walking(RED, 0.0, 0.9), recorded_at=DAY)
    second = films.add("b", walking(RED, 0.1, 0.95), recorded_at=DAY + 90)
    copy = films.add("c", walking(RED, 0.0, 0.9))
    early = films.add("d", walking(BLUE, 0.0, 0.4, ground=120), recorded_at=DAY + 500)
    late = films.add("e", walking(BLUE, 0.427, 0.827, ground=120), recorded_at=DAY + 504)
    assert films.find() == 5
    assert films.related() == {
        (first, second): Relation.TAKE,
        (second, copy): Relation.TAKE,
        (first, copy): Relation.SAME,
        (early, late): Relation.PARTS,
    }


def test_a_recording_that_follows_much_later_does_not_go_on(films: Films) -> None:
    films.add("a", walking(BLUE, 0.0, 0.4), recorded_at=DAY)
    films.add("b", walking(BLUE, 0.427, 0.827), recorded_at=DAY + 60)
    films.find()
    assert list(films.related().values()) == [Relation.TAKE]


def test_every_shot_is_looked_at_once_and_new_ones_are_compared_with_old_ones(films: Films, library: Library) -> None:
    first = films.add("a", walking(RED, 0.0, 0.9))
    assert films.find() == 1
    assert pending_shots(library, ENCODER.id).tolist() == []
    assert films.find() == 0
    second = films.add("b", walking(RED, 0.1, 0.95))
    assert pending_shots(library, ENCODER.id).tolist() == [second]
    assert films.find() == 1
    assert films.related() == {(first, second): Relation.TAKE}
    assert sorted(films.read) == ["a", "b"]


def test_what_is_gone_is_forgotten(films: Films, library: Library) -> None:
    first = films.add("a", walking(RED, 0.0, 0.9))
    films.add("b", walking(RED, 0.1, 0.95))
    films.find()
    library.remove_videos([video.id or 0 for video in library.videos() if video.path.endswith("b.mp4")])
    films.add("c", walking(RED, 0.05, 0.95), cosine=0.0)
    films.find()
    assert films.related() == {}
    assert first in PairFile(library.directory, ENCODER.id).load().looked_at


def test_shots_that_are_far_apart_or_framed_otherwise_are_not_even_read(films: Films) -> None:
    films.add("a", walking(RED, 0.0, 0.9))
    films.add("far", walking(RED, 0.1, 0.95), cosine=furthest_take(NEAR_TAKE) - 0.02)
    films.add("tall", walking(RED, 0.1, 0.95), width=48, height=64)
    films.find()
    assert films.read == []
    assert films.related() == {}


def test_shots_not_so_near_are_takes_if_what_moves_has_the_same_colours(films: Films) -> None:
    first = films.add("a", walking(RED, 0.0, 0.9))
    same = films.add("same", walking(RED, 0.1, 0.95), cosine=NEAR_TAKE - 0.02)
    films.add("other", walking(BLUE, 0.15, 0.9), cosine=NEAR_TAKE - 0.02)
    films.find()
    assert films.related() == {(first, same): Relation.TAKE}


def test_a_shot_without_pictures_has_no_takes_and_is_not_asked_again(films: Films) -> None:
    films.add("a", walking(RED, 0.0, 0.9))
    films.add("b", None)
    assert films.find() == 2
    assert films.related() == {}
    assert films.find() == 0


def test_after_some_in_vain_the_others_are_left(films: Films, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PATIENCE", 3)
    for number in range(9):
        films.add(str(number), walking(RED, 0.0, 0.9, wall=1 + number), cosine=0.99)
    first = films.add("a", walking(RED, 0.0, 0.9))
    films.find()
    assert films.related() == {}
    assert len(films.read) == 10
    second = films.add("b", walking(RED, 0.1, 0.95))
    films.find()
    assert films.related() == {(first, second): Relation.TAKE}
    assert len(films.read) == 5, "itself, the take, and three others"


def test_parts_of_one_shot_and_other_parts_of_two_long_ones_are_not_related(library: Library) -> None:
    same = np.ones((1, ENCODER.dim), np.float32) / np.sqrt(ENCODER.dim)
    for name in ("a", "b"):
        video = make_video(f"/{name}.mp4", name, seconds=32)
        _, segments = make_parts(video, 4)
        segments = [Segment(number=s.number, shot_number=0, start_pts=s.start_pts, end_pts=s.end_pts) for s in segments]
        shot = Shot(number=0, start_pts=video.start_pts, end_pts=video.end_pts)
        library.add_video(video, [shot], segments, same.repeat(4, axis=0), encoder_id=ENCODER.id, recipe="r")
    first, second = (ids_of(library, video.id or 0) for video in library.videos())

    def look(segment: Segment, video: Video) -> NDArray[np.uint8]:
        return walking(RED, 0.0, 0.9) if video.path == "/a.mp4" else walking(RED, 0.1, 0.95)

    space = Space(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    finder(space, look).find(on_progress=lambda done, total: None, cancelled=lambda: False)
    found = PairFile(library.directory, ENCODER.id).load().related
    assert set(found) == {(min(pair), max(pair)) for pair in zip(first, second, strict=True)}


def test_a_stopped_run_keeps_what_it_found(films: Films, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_BLOCK", 2)
    pairs = []
    for number in range(3):
        ground, colour = 60 + 30 * number, (200 - 60 * number, 30 + 80 * number, 30)
        pairs.append(
            tuple(films.add(f"{number}{name}", walking(colour, start, 0.9, ground=ground)) for name, start in
                  (("a", 0.0), ("b", 0.1)))
        )  # fmt: skip
    assert films.find(stop_after=1) == 2
    assert pairs[0] in films.related()
    assert films.find() == 4
    assert set(pairs) <= set(films.related())


def test_a_damaged_row_is_left_out(films: Films, library: Library) -> None:
    films.add("a", walking(RED, 0.0, 0.9))
    add(library, make_video("/nan.mp4", "nan"), encoder_id=ENCODER.id, count=1)

    class Damaged(Space):
        def rows_of(self, ids: list[int]) -> tuple[list[int], NDArray[np.float32]]:
            there, found = super().rows_of(ids)
            return there, np.full_like(found, np.nan)

    space = Damaged(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    assert finder(space, films.look).find(on_progress=lambda a, b: None, cancelled=lambda: False) == 2
    assert films.read == []


# From which cosine


def test_most_pretended_takes_are_as_near_as_takes(tmp_path: Path) -> None:
    cosines = np.linspace(0.9, 0.99, 24, dtype=np.float32)
    assert np.sum(cosines >= threshold_of(cosines)) in (18, 19)
    assert threshold_of(np.full(24, -0.5, np.float32)) == LEAST
    assert threshold_of(np.ones(24, np.float32)) == pytest.approx(MOST)
    assert near_take(tmp_path, "enc") == NEAR_TAKE
    assert (
        TakeThreshold(tmp_path, "enc").save(cosines)
        == near_take(tmp_path, "enc")
        == pytest.approx(threshold_of(cosines))
    )
    assert near_take(tmp_path, "another") == NEAR_TAKE
    assert furthest_take(0.95) == pytest.approx(0.8)
