"""Clips are encoded in batches: full ones while the encoder is behind, what there is while it has nothing to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from fakes import ColourEncoder
from numpy.typing import NDArray

from indexer.batches import Batches, EncodingFailed
from indexer.media.errors import Cancelled


class Gated(ColourEncoder):
    """Encodes when it is let; more than `limit` clips at once are too many."""

    def __init__(self, limit: int = 100) -> None:
        super().__init__()
        self.open = threading.Event()
        self.tried: list[int] = []
        self.limit = limit

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert self.open.wait(30)
        self.tried.append(len(clips))
        if len(clips) > self.limit:
            raise RuntimeError("CUDA out of memory")
        return super().encode_clips(clips)


@pytest.fixture
def encoder() -> Iterator[Gated]:
    made = Gated()
    yield made
    made.open.set()


def add(batches: Batches, path: str, *numbers: int) -> list[tuple[str, int]]:
    clip = np.zeros(ColourEncoder().clip_spec.shape, np.uint8)
    return [(row.path, row.number) for number in numbers for row in batches.add(path, number, clip)]


def test_an_idle_encoder_begins_with_a_part_of_a_batch(encoder: Gated) -> None:
    done = threading.Event()
    batches = Batches(encoder, 8, on_batch=done.set)
    add(batches, "a", 0)
    assert len(batches) == 1, "one clip alone is not worth a call"
    add(batches, "a", 1)
    assert len(batches) == 0
    add(batches, "b", 0, 1, 2)
    assert len(batches) == 3, "they wait while the encoder is at work"
    assert batches.finished() == batches.start_if_idle() == []
    encoder.open.set()
    assert done.wait(30)
    assert [(row.path, row.number) for row in batches.finished()] == [("a", 0), ("a", 1)]
    assert len(batches) == 0, "what waited was begun at once"
    assert len(batches.flush()) == 3
    assert encoder.tried == [2, 3]


def test_batches_are_full_while_the_encoder_is_behind_and_mix_videos(encoder: Gated) -> None:
    batches = Batches(encoder, 4)
    add(batches, "a", 0)
    add(batches, "b", 0, 1, 2)
    threading.Timer(0.05, encoder.open.set).start()
    assert add(batches, "c", 0) == [("a", 0)], "waits for the batch at work, so that not too many clips wait"
    assert {row.path for row in batches.flush()} == {"b", "c"}
    assert encoder.tried == [1, 4]


def test_what_is_left_is_begun_when_no_more_is_in_sight(encoder: Gated) -> None:
    batches = Batches(encoder, 100)
    encoder.open.set()
    add(batches, "a", 0)
    assert batches.finished() == batches.start_if_idle() == []
    assert len(batches) == 0
    assert len(batches.wait()) == 1


def test_clips_of_a_video_that_failed_are_not_encoded(encoder: Gated) -> None:
    batches = Batches(encoder, 16)
    encoder.open.set()
    add(batches, "a", 0, 1)
    batches.drop("a")
    add(batches, "b", 0)
    assert [(row.path, row.number) for row in batches.flush()] == [("b", 0)]
    assert encoder.tried == [1]


def test_rows_of_a_video_that_fails_while_they_are_made_are_left_out(encoder: Gated) -> None:
    batches = Batches(encoder, 4)
    add(batches, "a", 0)
    batches.drop("a")
    add(batches, "b", 0)
    encoder.open.set()
    assert [(row.path, row.number) for row in batches.flush()] == [("b", 0)]


def test_batches_shrink_for_good_to_what_fits(encoder: Gated) -> None:
    encoder.limit = 2
    batches = Batches(encoder, 8)
    add(batches, "a", 0, 1)
    add(batches, "b", *range(7))
    encoder.open.set()
    assert len(batches.flush()) == 9
    assert encoder.tried == [2, 7, 4, 2, 2, 2, 1]
    assert batches.size == 2


def test_one_clip_that_does_not_fit_is_an_error_with_advice(encoder: Gated) -> None:
    encoder.limit = 0
    encoder.open.set()
    batches = Batches(encoder, 4)
    add(batches, "a", 0)
    with pytest.raises(EncodingFailed, match="another device"):
        batches.flush()


def test_a_clip_that_the_encoder_refuses_costs_itself_alone(encoder: Gated) -> None:
    class Picky(Gated):
        def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
            if (clips == 1).all(axis=(1, 2, 3, 4)).any():
                raise ValueError("not this one\nbecause")
            return super().encode_clips(clips)

    picky = Picky()
    batches = Batches(picky, 8)
    shape = ColourEncoder().clip_spec.shape
    for number in range(5):
        assert not batches.add("a", number, np.full(shape, number == 3, np.uint8))
    picky.open.set()
    rows = batches.flush()
    assert [(row.number, row.problem) for row in rows] == [
        (number, "ValueError: not this one" if number == 3 else "") for number in range(5)
    ]
    assert batches.size == 8, "there were not too many"


def test_nobody_waits_for_a_batch_that_is_not_wanted_any_more(encoder: Gated) -> None:
    stop = threading.Event()
    batches = Batches(encoder, 1, cancelled=stop.is_set)
    add(batches, "a", 0)
    stop.set()
    with pytest.raises(Cancelled):
        add(batches, "a", 1)
    batches.close()
    left = [thread for thread in threading.enumerate() if thread.name == "encode" and thread.is_alive()]
    assert left
    assert all(thread.daemon for thread in left), "the end of the program does not wait for it either"
