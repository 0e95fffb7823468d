"""From pairs to set-ups: what comes together, what never does, and the file that keeps the pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from search.takes.pair_file import FOLDER, FORMAT, Found, PairFile
from search.takes.relations import Relation
from search.takes.set_ups import SetUp, set_ups_of
from search.takes.stored import StoredSetUps

TAKE, SAME, PARTS = Relation.TAKE, Relation.SAME, Relation.PARTS


def runs(related: dict[tuple[int, int], tuple[Relation, float]]) -> list[tuple[tuple[int, ...], ...]]:
    return sorted({each.runs for each in set_ups_of(related).values()})


def test_takes_of_takes_come_together_and_copies_are_one_run() -> None:
    related = {
        (1, 2): (TAKE, 0.9),
        (1, 3): (TAKE, 0.8),
        (2, 3): (TAKE, 0.8),
        (3, 9): (SAME, 0.95),
        (1, 9): (TAKE, 0.7),
        (20, 21): (TAKE, 0.7),
    }
    assert runs(related) == [((1,), (2,), (3, 9)), ((20,), (21,))]
    found = set_ups_of(related)
    assert found[9] is found[1]
    assert (found[9].run_of(9), found[9].run_of(2)) == (2, 1)
    assert 4 not in found


def test_a_copy_comes_with_what_it_is_a_copy_of_though_it_is_hardly_like_the_other_takes() -> None:
    takes = dict.fromkeys(((1, 2), (1, 3), (2, 3)), (TAKE, 0.9))
    assert runs({**takes, (3, 9): (SAME, 0.7)}) == [((1,), (2,), (3, 9))]
    assert runs({**takes, (3, 9): (TAKE, 0.7)}) == [((1,), (2,), (3,))], "a take is compared with each of the others"
    copies = {(1, 9): (SAME, 0.9), (2, 9): (TAKE, 0.8), (3, 4): (TAKE, 0.8), (2, 3): (TAKE, 0.7)}
    assert runs(copies) == [((1, 9), (2,)), ((3,), (4,))], "copies have one voice: 3 is like one of two, 4 like none"


def test_copies_alone_are_no_set_up() -> None:
    assert runs({(1, 2): (SAME, 0.99), (2, 3): (SAME, 0.99), (1, 3): (SAME, 0.98)}) == []
    assert runs({}) == []


def test_one_like_pair_does_not_join_two_set_ups() -> None:
    full = {(a, b): (TAKE, 0.9) for group in ((1, 2, 3), (4, 5, 6)) for a in group for b in group if a < b}
    assert runs({**full, (3, 4): (TAKE, 0.8)}) == [((1,), (2,), (3,)), ((4,), (5,), (6,))]
    half = dict.fromkeys(((1, 4), (1, 5), (2, 5), (3, 6), (3, 4)), (TAKE, 0.7))
    assert runs({**full, **half}) == [((1,), (2,), (3,), (4,), (5,), (6,))], "more than half of the pairs do"


def test_half_of_the_pairs_are_enough() -> None:
    pairs = {(1, 2): (TAKE, 0.9), (3, 4): (TAKE, 0.9), (1, 3): (TAKE, 0.7)}
    assert runs(pairs) == [((1,), (2,)), ((3,), (4,))], "a quarter is not"
    assert runs({**pairs, (2, 4): (TAKE, 0.7)}) == [((1,), (2,), (3,), (4,))]


def test_the_most_alike_come_first_and_parts_of_one_run_speak_against_it() -> None:
    related = {(1, 2): (TAKE, 0.8), (1, 3): (TAKE, 0.9), (2, 3): (PARTS, 0.95)}
    assert runs(related) == [((1,), (3,))]
    assert runs({(1, 2): (PARTS, 0.9)}) == []
    four = dict.fromkeys(((1, 2), (1, 3), (1, 4), (2, 3), (2, 4)), (TAKE, 0.8))
    assert runs({**four, (3, 4): (PARTS, 0.9)}) == [((1,), (2,), (3, 4))], "the others outvote it, but it is one run"


@pytest.mark.parametrize("seed", range(3))
def test_every_set_up_agrees_with_its_members(seed: int) -> None:
    chance = np.random.default_rng(seed)
    related = {
        (a, b): (Relation(int(chance.integers(1, 4))), float(chance.random()))
        for a in range(30)
        for b in range(a + 1, 30)
        if chance.random() < 0.2
    }
    found = set_ups_of(related)
    for segment_id, set_up in found.items():
        members = [each for run in set_up.runs for each in run]
        assert segment_id in members
        assert len(members) == len(set(members))
        assert all(found[each] is set_up for each in members)
        run_of = {each: at for at, run in enumerate(set_up.runs) for each in run}
        assert all(
            run_of[a] == run_of[b] for (a, b), (kind, _) in related.items() if {a, b} <= {*members} and kind is not TAKE
        )


# The file


def found() -> Found:
    return Found(np.array([1, 2, 5], np.int64), {(1, 2): (TAKE, 0.75), (2, 5): (SAME, 0.5), (1, 5): (PARTS, 0.25)})


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    file = PairFile(tmp_path, "enc")
    assert file.load().related == {}
    assert not file.has_changed()
    file.save(found())
    assert not file.has_changed(), "it wrote it itself"
    reader = PairFile(tmp_path, "enc")
    assert reader.has_changed()
    back = reader.load()
    assert back.looked_at.tolist() == [1, 2, 5]
    assert back.related == found().related
    assert not reader.has_changed()
    file.save(Found())
    assert reader.has_changed()
    assert reader.load().related == {}
    assert PairFile(tmp_path, "another").load().related == {}


def test_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    PairFile(tmp_path, "enc").save(found())
    (stamp,) = (tmp_path / FOLDER).glob("*.json")
    (data,) = (tmp_path / FOLDER).glob("*.npz")
    whole, content = json.loads(stamp.read_text()), data.read_bytes()
    for record in (
        {**whole, "format": 99},
        {**whole, "encoder": "x"},
        {**whole, "file": "../x"},
        [],
        {"format": FORMAT},
    ):
        stamp.write_text(json.dumps({**record, "checksum": None} if isinstance(record, dict) else record))
        assert not len(PairFile(tmp_path, "enc").load().looked_at)
    stamp.write_text(json.dumps(whole))
    data.write_bytes(content[:-9] + b"\0" * 9)
    assert not len(PairFile(tmp_path, "enc").load().looked_at)


@pytest.mark.parametrize(
    "changed",
    [
        {"pairs": np.array([[2, 1]])},
        {"pairs": np.array([[1, 2, 3]])},
        {"kinds": np.array([7], np.uint8)},
        {"alike": np.array([np.nan], np.float32)},
        {"alike": np.zeros(2, np.float32)},
        {"looked_at": np.zeros((2, 2), np.int64)},
        {"looked_at": np.array(["a"])},
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    arrays: dict[str, object] = {
        "looked_at": np.array([1, 2], np.int64),
        "pairs": np.array([[1, 2]], np.int64),
        "kinds": np.array([1], np.uint8),
        "alike": np.array([0.5], np.float32),
    }
    file = PairFile(tmp_path, "enc")
    for given, wanted in ((arrays, 1), (arrays | changed, 0)):
        entry = file._files.write(".npz", lambda out, given=given: np.savez(out, **given))  # type: ignore[misc]
        file._files.save({"format": FORMAT, "encoder": "enc"} | entry)
        assert len(PairFile(tmp_path, "enc").load().related) == wanted


def test_a_set_up_tells_the_run() -> None:
    assert [SetUp(((1, 4), (2,))).run_of(each) for each in (1, 4, 2)] == [0, 0, 1]


# Of several spaces


def test_what_two_shots_are_is_told_by_the_first_space_that_has_both(tmp_path: Path) -> None:
    full, quick = PairFile(tmp_path, "enc"), PairFile(tmp_path, "enc:quick")
    both, quick_alone = StoredSetUps(tmp_path, ["enc", "enc:quick"]), StoredSetUps(tmp_path, ["enc:quick"])
    assert both.current() == {}
    pairs = {(1, 2): (TAKE, 0.9), (3, 4): (TAKE, 0.9), (5, 6): (TAKE, 0.9)}
    quick.save(Found(np.array([1, 2, 3, 4, 5, 6], np.int64), pairs))
    assert set(both.current()) == {1, 2, 3, 4, 5, 6}
    full.save(Found(np.array([1, 2, 3, 7, 8], np.int64), {(7, 8): (TAKE, 0.9)}))
    assert set(both.current()) == {3, 4, 5, 6, 7, 8}, (
        "1 and 2 are compared by their full rows; of 3 and 4, one has none"
    )
    assert set(quick_alone.current()) == {1, 2, 3, 4, 5, 6}
    full.save(Found(np.array([1, 2], np.int64), {(1, 2): (SAME, 0.9)}))
    assert set(both.current()) == {3, 4, 5, 6}, "copies by their full rows are no takes by their quick ones"
