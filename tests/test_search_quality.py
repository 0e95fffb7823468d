"""The benchmark of search quality: what it counts as right, and that each of its parts runs over a library of rows."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noisy_encoder import NoisyEncoder
from numpy.typing import NDArray

from benchmarks._quality_chains import chains
from benchmarks._quality_footage import Footage, apart
from benchmarks._quality_library import Cut, ask, fill, open_engine, padding
from benchmarks._quality_random import RandomTower
from benchmarks._quality_several import several
from benchmarks._quality_strength import Asked, ask_world, report_worlds, world_cuts
from benchmarks._quality_table import Table
from db.library import Library
from demo import captions, questions
from demo.world import Take
from encoder import Encoder, load_encoder
from search.query import TextTerm


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("demo", "cpu")


class Described(Footage):
    """Footage without films: the row of a take is that of its caption."""

    def __init__(self, encoder: Encoder) -> None:
        object.__setattr__(self, "encoder", encoder)
        object.__setattr__(self, "rows", np.empty((1, 0, 0), np.float32))

    @cached_property
    def known(self) -> dict[Take, NDArray[np.float32]]:
        return {}

    def row(self, take: Take, drawing: int) -> NDArray[np.float32]:
        if take not in self.known:
            self.known[take] = self.encoder.encode_texts([captions.describe(take)])[0]  # type: ignore[attr-defined]
        return self.known[take]


@pytest.fixture(scope="module")
def footage(encoder: Encoder) -> Described:
    return Described(encoder)


def found(table: Table, start: str) -> dict[str, Any]:
    (row,) = [row for row in table.rows if row["name"].startswith(start)]
    return row


def test_chains_are_judged_by_their_very_shots(
    encoder: Encoder, footage: Footage, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(draws=20)
    chains(table, encoder, footage, 3, 1)
    assert found(table, "2 steps: R@1")["n"] == 3
    assert found(table, "2 steps: R@1")["after"] == 1.0
    assert found(table, "2 steps: R@1")["before"] < 1
    assert found(table, "3 steps: R@1")["after"] == 1.0
    assert "3 steps: R@1" in capsys.readouterr().out


def test_a_world_is_asked_and_reported(encoder: Encoder, footage: Footage) -> None:
    asked = ask_world(encoder, footage, 0, 20, 2, 40)
    assert {each.present for each in asked} == {True, False}
    assert {each.kind for each in asked} >= {"sentence", "word", "other-world", "combination"}
    assert any(each.right for each in asked if each.kind == "sentence")
    assert not any(each.right for each in asked if not each.present)
    table = Table(draws=5)
    report_worlds(table, "40 shots", asked)
    assert {row["n"] for row in table.rows[:2]} == {sum(each.kind != "combination" for each in asked)}


def test_strengths_are_compared_with_cosines_question_by_question() -> None:
    def asked(present: bool, cosine: float, strength: float, group: str) -> Asked:
        return Asked("word", present, group, present, cosine, strength, 0.5, strength > 2)

    table = Table(draws=50)
    report_worlds(table, "x", [
        asked(True, 0.3, 5.0, "a"), asked(True, 0.5, 4.0, "b"),
        asked(False, 0.4, 1.0, "c"), asked(False, 0.2, 3.0, "d"),
        Asked("combination", False, "e", False, 0.9, 9.0, 0.0, True),
    ])  # fmt: skip
    assert (found(table, "x: AUC")["before"], found(table, "x: AUC")["after"]) == (0.75, 1.0)
    assert (found(table, "x: kept")["before"], found(table, "x: kept")["after"]) == (0.5, 1.0)
    assert found(table, "x: absent questions with a likely")["after"] == 0.5
    assert found(table, "x: combinations")["after"] == 1.0


def test_takes_that_come_again_are_other_drawings() -> None:
    takes = tuple(sorted(captions.held_out()))[:3]
    rows = np.stack([np.full((3, 2), number, np.float32) for number in range(2)])
    rows[0, 1] = np.nan  # whose shot was not found
    content = questions.World((takes[0], takes[1], takes[0], takes[2]), frozenset(), frozenset(), frozenset())
    (cut,) = world_cuts(Footage(takes, rows), content)
    assert cut.rows[:, 0].tolist() == [0, 1, 1, 0]
    assert Footage(takes, rows).found == pytest.approx(5 / 6)


def test_padding_resembles_what_is_there_and_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = np.eye(3, 64, dtype=np.float32)
    cuts = list(padding(rows, 250, rng))
    made = np.concatenate([cut.rows for cut in cuts])
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    assert ((made @ rows.T).max(1) > 0.8).all()
    with Library.open(tmp_path) as library:
        fill(library, "made@1", cuts)
        assert (library.stats().segments, library.stats().videos) == (250, 3)
        first = library.segments_of(library.videos()[0].id or 0)
        assert [each.end_pts for each in first[:2]] == [4000, 8000]


def test_neighbouring_shots_differ() -> None:
    ordered = apart(tuple(sorted(captions.held_out()))[:200], np.random.default_rng(0))
    assert len(set(ordered)) == 200
    alike = [one for one, two in pairwise(ordered) if one.thing == two.thing or one.background == two.background]
    assert len(alike) < 20


def test_a_random_tower_reads_words_and_nothing_else(tmp_path: Path) -> None:
    tower = RandomTower("videoprism_lvt_demo", 1)
    rows = tower.encode_texts(["a dog", "a dog!", "the cat", *["more"] * 40])
    assert rows.shape == (43, tower.dim)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-5)
    assert float(rows[0] @ rows[2]) < 0.999
    assert tower.encode_texts([]).shape == (0, tower.dim)
    engine = open_engine(tmp_path, tower, [Cut("/a.mp4", (2.0, 2.0), rows[[0, 2]])])  # type: ignore[arg-type]
    with engine.library:
        assert ask(engine, (TextTerm("the cat"),), k=1, nothing_known=True)[0].segment.number == 1


def test_two_encoders_are_asked_the_same_questions_as_each_alone(capsys: pytest.CaptureFixture[str]) -> None:
    encoders = NoisyEncoder(1), NoisyEncoder(2)
    table = Table(draws=20)
    several(table, encoders, (Described(encoders[0]), Described(encoders[1])), seeds=1, shots=32, each=3)
    both = found(table, "R@1 (before: the second alone)")
    assert 0 <= both["low"] <= both["after"] <= both["high"] <= 1
    assert found(table, "R@1: together less the better one alone")["n"] == both["n"] > 5
    assert found(table, "absent questions with a likely match")["after"] < 0.5
    assert found(table, "a search, ms, p50: together")["n"] > both["n"]
    assert "together less" in capsys.readouterr().out
