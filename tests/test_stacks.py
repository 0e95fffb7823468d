"""Near-duplicates stacked behind the best of them, against an oracle of all pairs; the cosine from which they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from db_samples import DIM, add, ids_of, make_parts, make_video, unit_rows
from fakes import ColourEncoder, ExactIndex
from numpy.typing import NDArray

from db.library import Library
from search.calibration.folder import calibration_folder, forget_rows
from search.duplicate_threshold import LEAST, MOST, DuplicateThreshold, least_distinct, threshold_of
from search.engine import SearchEngine
from search.near_duplicates import NEAR_DUPLICATE, Diversified, diversify
from search.query import Hit, Query, QueryError, TextTerm

ENCODER = ColourEncoder()
RED = TextTerm("red")


def groups(count: int, seed: int) -> NDArray[np.float32]:
    """Rows of ten shots, each in many takes that lie on a line away from it: neighbours are alike, the ends are not."""
    chance = np.random.default_rng(seed)
    centres, away = unit_rows(10, seed), unit_rows(10, seed + 99)
    which, far = chance.integers(0, 10, count), chance.uniform(0, 1.5, (count, 1))
    rows = centres[which] + far * away[which]
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def stacks(rows: NDArray[np.float32], k: int, least: float) -> list[list[int]]:
    """Rows in their order, each behind the first hit that it is near; hits come before the rest of their stack."""
    found: list[list[int]] = []
    for at, row in enumerate(rows):
        stack = next((each for each in found if row @ rows[each[0]] >= least), None)
        if stack is not None:
            stack.append(at)
        elif len(found) < k:
            found.append([at])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_each_is_behind_the_best_hit_that_it_is_near_and_behind_no_other(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("search.near_duplicates._BLOCK", 32)
    rows = groups(400, seed)

    def walk(k: int) -> Diversified:
        return diversify(
            range(400),
            k,
            per_video=None,
            near_duplicates=0.9,
            videos_of=lambda ids: dict.fromkeys(ids, 1),
            rows_of=lambda ids: (ids, rows[ids]),
            stack=True,
        )

    for k in (1, 5, 400):
        found, wanted = walk(k), stacks(rows, k, 0.9)
        assert [[first, *rest] for first, rest in zip(found.ids, found.alike, strict=True)] == wanted
        assert found.hidden == 0
    behind = [each for stack in wanted for each in stack]
    assert sorted(behind) == list(range(400))
    assert any(rows[stack[0]] @ rows[other[0]] >= 0.81 for stack in wanted for other in wanted if stack is not other)
    for stack in wanted:  # what is near another of the stack alone is not drawn in
        assert (rows[stack] @ rows[stack[0]] >= 0.9).all()


def test_copies_are_behind_the_best_and_come_out_when_shown(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        video_id = add(library, encoder_id=ENCODER.id, count=5)
        copies = [library.copy_video(video_id, path=f"/{n}.mp4", size_bytes=1, modified_ns=1) for n in range(3)]
        engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
        stacked = engine.answer(Query([RED], k=4, duplicates="stack"))
        assert (len(stacked.hits), stacked.hidden, stacked.stacked) == (4, 0, 12)
        for hit in stacked.hits:
            assert sorted(hit.alike) == [ids_of(library, each)[hit.segment.number] for each in copies]
        hidden = engine.answer(Query([RED], k=4, duplicates="hide"))
        assert ids(hidden.hits) == ids(stacked.hits)
        assert hidden.stacked == 0
        assert hidden.hidden == 9, "behind the last hit nothing is looked at"
        shown = engine.answer(Query([RED], k=16))
        assert sorted(ids(shown.hits)) == sorted(i for hit in stacked.hits for i in (*hit.alike, *ids([hit])))
        assert shown.stacked == shown.hidden == 0


def ids(hits: list[Hit]) -> list[int]:
    return [hit.segment.id or 0 for hit in hits]


def test_a_hit_in_a_missing_file_goes_behind_its_copy_that_is_there(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        (tmp_path / "there.mp4").write_bytes(b"x")
        gone = add(library, make_video("/gone.mp4", content_hash="aa"), encoder_id=ENCODER.id, count=1)
        there = add(library, make_video(str(tmp_path / "there.mp4"), content_hash="aa"), encoder_id=ENCODER.id, count=1)
        add(library, make_video("/other.mp4", "bb"), encoder_id=ENCODER.id, count=3, seed=5)
        engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
        hits = engine.search(Query([RED], k=9, duplicates="stack"))
        (copied,) = [hit for hit in hits if hit.alike]
        assert [copied.segment.id] == ids_of(library, there)
        assert list(copied.alike) == ids_of(library, gone)


def test_given_alone_a_cosine_hides_and_a_wrong_word_is_refused() -> None:
    assert Query([RED], near_duplicates=0.9).duplicates == "hide"
    assert Query([RED], near_duplicates=0.9, duplicates="stack").duplicates == "stack"
    with pytest.raises(QueryError, match="stack, hide, show"):
        Query([RED], duplicates="pile")  # type: ignore[arg-type]


# From which cosine


def test_nearly_all_copies_are_near_and_one_bad_file_changes_nothing() -> None:
    copies = np.linspace(0.985, 0.999, 24, dtype=np.float32)
    copies[7] = -0.3
    threshold = threshold_of(copies)
    assert np.sum(copies >= threshold) >= 23
    assert threshold > 0.98
    assert threshold_of(np.full(24, 0.4, np.float32)) == pytest.approx(LEAST)
    assert threshold_of(np.full(24, 1.0, np.float32)) == pytest.approx(MOST)


def test_where_all_shots_are_near_each_other_only_copies_are_near_duplicates(tmp_path: Path) -> None:
    """The rows of a network without training: all cosines above 0.98. Ten shots must not become one hit."""
    rows = unit_rows(1, 1) + 0.1 * unit_rows(10, 2)
    rows = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
    assert (rows @ rows.T).min() > NEAR_DUPLICATE
    with Library.open(tmp_path) as library:
        video = make_video(seconds=40)
        shots, segments = make_parts(video, 10)
        video_id = library.add_video(video, shots, segments, rows, encoder_id=ENCODER.id, recipe="r")
        library.copy_video(video_id, path="/copy.mp4", size_bytes=1, modified_ns=1)
        engine = SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))
        hits = engine.search(Query([RED], k=30, duplicates="stack"))
        assert [len(hit.alike) for hit in hits] == [1] * 10


def test_ordinary_shots_do_not_raise_it_and_neither_do_copies_of_them() -> None:
    rows = unit_rows(40, 3, dim=64)
    assert least_distinct(rows) < 0.7
    assert least_distinct(np.concatenate([rows, rows[:20], rows[:20]])) < 0.7
    for few in (rows[:0], rows[:1], rows[:2]):
        assert least_distinct(few) == -1


def test_the_measured_one_is_used_and_a_damaged_one_never(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        add(library, encoder_id=ENCODER.id, count=8)

        def used() -> float:
            return SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id)).near_duplicate()

        assert used() == NEAR_DUPLICATE
        stored = DuplicateThreshold(tmp_path, ENCODER.id)
        assert stored.save(np.full(24, 0.991, np.float32)) == used() == pytest.approx(0.991)
        assert DuplicateThreshold(tmp_path, "another").load() is None
        (file,) = (tmp_path / "calibration").iterdir()
        whole = json.loads(file.read_text())
        hostile: list[Any] = [
            "",
            "{",
            "[]",
            "{}",
            *({**whole, "checksum": None, "threshold": x} for x in (0, 2, "x", None, [1])),
        ]
        for content in hostile:
            file.write_text(content if isinstance(content, str) else json.dumps(content))
            assert used() == NEAR_DUPLICATE
        file.write_text(json.dumps(whole).replace("0.991", "0.971"))
        assert used() == NEAR_DUPLICATE, "the checksum is of another content"


def test_a_measured_threshold_stays_when_rows_are_forgotten(tmp_path: Path) -> None:
    forget_rows(tmp_path)
    stored = DuplicateThreshold(tmp_path, ENCODER.id)
    stored.save(np.full(24, 0.991, np.float32))
    for name in ("enc-null.npz", "enc-null.json", "enc-spread.npz"):
        (calibration_folder(tmp_path) / name).write_bytes(b"rows")
    forget_rows(tmp_path)
    assert len(list(calibration_folder(tmp_path).iterdir())) == 1
    assert stored.load() == pytest.approx(0.991)


def test_an_engine_learns_of_it_when_the_library_changes(tmp_path: Path) -> None:
    from search.vectors.faiss_index import FaissIndex

    with Library.open(tmp_path) as library:
        add(library, encoder_id=ENCODER.id, count=8)
        engine = SearchEngine(library, ENCODER, FaissIndex.open(library, ENCODER.id, tmp_path / "vectors"))
        assert engine.near_duplicate() == NEAR_DUPLICATE
        DuplicateThreshold(tmp_path, ENCODER.id).save(np.full(24, 0.991, np.float32))
        add(library, make_video("/more.mp4", "cc"), encoder_id=ENCODER.id, seed=4)
        assert engine.refresh()
        assert engine.near_duplicate() == pytest.approx(0.991)
        assert ENCODER.dim == DIM
