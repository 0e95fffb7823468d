"""Embeddings: what is refused, what float16 costs, and what a copy of the rows is told about changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from db_samples import DIM, add, ids_of, make_parts, make_video, unit_rows

from db.library import Library


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def test_float16_costs_less_than_a_millionth_of_cosine(library: Library) -> None:
    rows = unit_rows(400, seed=5, dim=768)
    video = make_video(seconds=400)
    shots, segments = make_parts(video, 400)
    video_id = library.add_video(video, shots, segments, rows, encoder_id="enc", recipe="r")
    back = library.embedding_rows("enc", ids_of(library, video_id))
    assert back.dtype == np.float32
    lengths = np.linalg.norm(back.astype(np.float64), axis=1)
    assert np.abs(lengths - 1).max() < 1e-3  # measured: 4e-5
    exact = rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    cosine = (exact * back).sum(axis=1) / lengths
    assert (1 - cosine).max() < 1e-6  # measured: 3e-8, to itself
    assert np.abs(exact @ exact.T - back.astype(np.float64) @ back.T.astype(np.float64)).max() < 1e-3  # 8e-5


def test_bytes_on_disk_are_little_endian_float16(library: Library) -> None:
    video = make_video()
    shots, segments = make_parts(video, 1)
    row = np.zeros((1, 4), np.float32)
    row[0, 2] = -1
    library.add_video(video, shots, segments, row, encoder_id="enc", recipe="r")
    with library._database.reading() as connection:
        stored = connection.exec_driver_sql("SELECT row FROM embeddings").scalar_one()
    assert stored == b"\x00\x00\x00\x00\x00\xbc\x00\x00"


def _with(change: str) -> np.ndarray:
    rows = unit_rows(3)
    if change == "nan":
        rows[1, 2] = np.nan
    elif change == "infinite":
        rows[2, 0] = np.inf
    elif change == "long":
        rows[0] *= 1.02
    elif change == "zero":
        rows[0] = 0
    elif change == "fewer":
        rows = rows[:2]
    elif change == "more":
        rows = unit_rows(4)
    elif change == "flat":
        rows = rows.ravel()
    elif change == "no columns":
        rows = rows[:, :0]
    elif change == "integers":
        rows = np.eye(3, DIM, dtype=np.int64)  # type: ignore[assignment]
    elif change == "other width":
        rows = unit_rows(3, dim=DIM + 1)
    return rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("nan", "has length nan"),
        ("infinite", "has length inf"),
        ("long", "has length"),
        ("zero", "has length 0"),
        ("fewer", "3 segments need 3 embeddings, got a matrix of shape (2, "),
        ("more", "3 segments need 3 embeddings, got a matrix of shape (4, "),
        ("flat", "must be a float matrix"),
        ("no columns", "3 segments need 3 embeddings, got a matrix of shape (3, 0)"),
        ("integers", "must be a float matrix"),
        ("other width", "columns"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused_and_changes_nothing(library: Library, change: str, message: str) -> None:
    add(library, make_video("/f/first.mp4", "aa"))
    before = (library.stamp("enc"), library.videos())
    video = make_video("/f/first.mp4", "bb")
    shots, segments = make_parts(video)
    with pytest.raises(ValueError, match=re.escape(message)):
        library.add_video(video, shots, segments, _with(change), encoder_id="enc", recipe="r")
    assert (library.stamp("enc"), library.videos()) == before


def test_rows_within_a_hundredth_of_unit_length_are_taken_as_they_are(library: Library) -> None:
    video = make_video()
    shots, segments = make_parts(video)
    rows = unit_rows(3) * np.float32(0.992)
    video_id = library.add_video(video, shots, segments, rows, encoder_id="enc", recipe="r")
    np.testing.assert_array_equal(
        library.embedding_rows("enc", ids_of(library, video_id)), rows.astype(np.float16).astype(np.float32)
    )


def test_the_stream_gives_every_row_once_in_order_whatever_the_batch(library: Library) -> None:
    for number in range(4):
        add(library, make_video(f"/f/{number}.mp4", f"f{number}"), count=5, seed=number)
        add(library, make_video(f"/f/{number}.mp4", f"f{number}"), count=5, seed=9, encoder_id="other", dim=8)
    library.remove_videos([2])
    ids = [i for video in library.videos() for i in ids_of(library, video.id or 0)]
    for batch in (1, 4, 5, 15, 8192):
        parts = list(library.embeddings("enc", batch=batch))
        assert np.concatenate([part[0] for part in parts]).tolist() == sorted(ids)
        assert all(0 < len(part[0]) <= batch and part[0].dtype == np.int64 for part in parts)
        np.testing.assert_array_equal(
            np.concatenate([part[1] for part in parts]), library.embedding_rows("enc", sorted(ids))
        )
    (part,) = library.embeddings("enc", after=sorted(ids)[11])
    assert part[0].tolist() == sorted(ids)[12:]
    assert list(library.embeddings("enc", after=max(ids))) == []
    assert list(library.embeddings("unknown")) == []
    with pytest.raises(ValueError, match="batch"):
        next(library.embeddings("enc", batch=0))


def test_a_stream_outlives_writes_between_its_batches(library: Library) -> None:
    """A reader that takes its time neither blocks a writer nor sees a row twice."""
    for number in range(3):
        add(library, make_video(f"/f/{number}.mp4", f"f{number}"), count=4)
    stream = library.embeddings("enc", batch=4)
    seen = next(stream)[0].tolist()
    library.remove_videos([2])
    add(library, make_video("/f/new.mp4", "ff"), count=4)
    for ids, _ in stream:
        seen += ids.tolist()
    assert seen == [1, 2, 3, 4, 9, 10, 11, 12, 13, 14, 15, 16]


def test_rows_come_in_the_order_asked_and_a_missing_one_is_an_error(library: Library) -> None:
    ids = ids_of(library, add(library, seed=4))
    wanted = [ids[2], ids[0], ids[2]]
    np.testing.assert_allclose(library.embedding_rows("enc", wanted), unit_rows(3, 4)[[2, 0, 2]], atol=1e-3)
    assert library.embedding_rows("enc", []).shape == (0, DIM)
    with pytest.raises(KeyError, match="99"):
        library.embedding_rows("enc", [ids[0], 99])
    with pytest.raises(KeyError, match="unknown"):
        library.embedding_rows("unknown", ids)


def test_the_stamp_of_an_encoder_never_seen_is_empty(library: Library) -> None:
    stamp = library.stamp("enc")
    assert (stamp.library_id, stamp.encoder_id) == (library.id, "enc")
    assert (stamp.dim, stamp.count, stamp.last_id, stamp.generation) == (0, 0, 0, 0)


def test_additions_leave_the_generation_and_raise_count_and_last_id(library: Library) -> None:
    for number in range(3):
        add(library, make_video(f"/f/{number}.mp4", f"f{number}"))
        stamp = library.stamp("enc")
        assert (stamp.dim, stamp.generation) == (DIM, 0)
        assert stamp.count == stamp.last_id == 3 * (number + 1)
    library.copy_video(1, path="/f/copy.mp4", size_bytes=1, modified_ns=1)
    stamp = library.stamp("enc")
    assert (stamp.count, stamp.last_id, stamp.generation) == (12, 12, 0)


def test_whatever_makes_a_row_go_or_change_raises_the_generation(library: Library) -> None:
    first = add(library, make_video("/f/1.mp4", "f1"))
    add(library, make_video("/f/2.mp4", "f2"))

    def generation() -> int:
        return library.stamp("enc").generation

    seen = [generation()]
    add(library, make_video("/f/1.mp4", "f1"))  # the same to the bit
    library.touch_video(first, path="/f/moved.mp4", size_bytes=1, modified_ns=1)
    add(library, make_video("/g/x.mp4", "gg"), encoder_id="other")
    assert generation() == seen[0]
    moved = make_video("/f/moved.mp4", "f1", size_bytes=1, modified_ns=1)
    add(library, moved, seed=1)  # changed rows under the same ids
    seen.append(generation())
    add(library, make_video("/f/2.mp4", "f2-new".replace("-", "")))  # other content
    seen.append(generation())
    library.touch_video(first, path="/f/2.mp4", size_bytes=1, modified_ns=1)  # moved onto another
    seen.append(generation())
    library.remove_videos([first])
    seen.append(generation())
    assert seen == sorted(set(seen))
    assert library.stamp("enc").count == 0


def test_rows_that_come_below_the_last_id_raise_the_generation(library: Library) -> None:
    """A copy that asks for what came after its last id would never see them."""
    for number in range(3):
        add(library, make_video(f"/f/{number}.mp4", f"f{number}"))
    add(library, make_video("/f/2.mp4", "f2"), encoder_id="late")
    before = library.stamp("late")
    add(library, make_video("/f/0.mp4", "f0"), encoder_id="late")
    after = library.stamp("late")
    assert after.last_id == before.last_id == 9
    assert after.count == 6
    assert after.generation > before.generation


def test_a_copy_that_follows_the_stamp_always_equals_the_rows(library: Library) -> None:
    """Random work on the library; a reader that only trusts its stamp must end with exactly what is stored."""
    random = np.random.default_rng(11)
    copy: dict[int, bytes] = {}
    stamp = library.stamp("enc")
    rebuilt = 0
    for step in range(120):
        name = int(random.integers(8))
        video = make_video(f"/f/{name}.mp4", f"f{name}x{int(random.integers(2))}")
        stored = library.video_at(video.path)
        match int(random.integers(6)):
            case 0 if stored is not None:
                library.remove_videos([stored.id or 0])
            case 1 if stored is not None:
                library.touch_video(stored.id or 0, path=f"/f/{(name + 1) % 8}.mp4", size_bytes=1, modified_ns=step)
            case 2 if stored is not None:
                library.copy_video(stored.id or 0, path=f"/f/{(name + 3) % 8}.mp4", size_bytes=1, modified_ns=step)
            case kind:
                add(library, video, encoder_id="enc" if kind < 5 else "other", seed=int(random.integers(3)))
        now = library.stamp("enc")
        if now.generation != stamp.generation or now.dim != stamp.dim:
            copy, after, rebuilt = {}, 0, rebuilt + 1
        else:
            after = stamp.last_id
        for ids, rows in library.embeddings("enc", after=after, batch=7):
            copy |= {int(i): row.tobytes() for i, row in zip(ids, rows, strict=True)}
        stamp = now
        truth = {
            int(i): row.tobytes() for ids, rows in library.embeddings("enc") for i, row in zip(ids, rows, strict=True)
        }
        assert copy == truth, step
        assert (stamp.count, stamp.last_id) == (len(truth), max(truth, default=0))
    assert 0 < rebuilt < 120
    assert library.check() == []


def test_a_stamp_holds_while_rows_are_only_added(library: Library) -> None:
    video_id = add(library)
    before = library.stamp("enc")
    assert before.holds_at(before)
    add(library, make_video("/films/another.mp4"))
    more = library.stamp("enc")
    assert before.count < more.count
    assert before.holds_at(more)
    library.remove_videos([video_id])
    assert not before.holds_at(library.stamp("enc"))
    assert not before.holds_at(library.stamp("another"))
