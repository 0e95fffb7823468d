"""Zero-shot classification: rows of classes, best classes and shares agree with what numpy makes of the formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder

from app.evaluation.class_names import named_prompts
from app.evaluation.class_search import RowsInMemory, classify_by_names, judge_of
from app.evaluation.row_store import RowStore
from app.evaluation.zero_shot import best_classes, class_rows, sentences
from indexer.media.errors import Cancelled
from search.calibration.questions import null_questions

NAMES = ["red", "moving green", "{} & <b>", "dark\u2028blue"]
TEMPLATES = ["a video of {}.", "{} at the top", "seen: {}"]


class Counting(ColourEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def encode_texts(self, texts):  # type: ignore[no-untyped-def]
        self.texts += texts
        return super().encode_texts(texts)


def unit_rows(count: int, dim: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_class_is_the_unit_mean_of_its_sentences(tmp_path: Path) -> None:
    encoder = ColourEncoder()
    with RowStore(tmp_path / "rows", encoder.dim) as store:
        found = class_rows(encoder, NAMES, TEMPLATES, store)
    for name, row in zip(NAMES, found, strict=True):
        said = encoder.encode_texts([each.split("{}")[0] + name + each.split("{}")[1] for each in TEMPLATES])
        mean = said.astype(np.float64).mean(axis=0)
        assert np.abs(row - mean / np.linalg.norm(mean)).max() < 1e-7
    assert sentences("{}", ["a {}."]) == ["a {}."], "a name is put in once, whatever it holds"


def test_names_are_encoded_once_and_a_stopped_run_goes_on(tmp_path: Path) -> None:
    names = [f"class {number}" for number in range(100)]
    first, second = Counting(), Counting()
    with RowStore(tmp_path / "rows", 16) as store:
        with pytest.raises(Cancelled):
            class_rows(first, names, TEMPLATES, store, cancelled=lambda: len(store) > 30)
        kept, done = len(store), []
        assert 30 < kept < 100
    with RowStore(tmp_path / "rows", 16) as store:
        found = class_rows(second, names, TEMPLATES, store, on_progress=done.append)
        assert len(second.texts) == (100 - kept) * len(TEMPLATES)
        assert (done[0], done[-1]) == (kept, 100)
        assert class_rows(second, names, ["{}"], store).tolist() != found.tolist(), "other templates, other rows"
        assert class_rows(second, [], TEMPLATES, store).shape == (0, 16)


@pytest.mark.parametrize("top", [1, 3, 20])
def test_best_classes_and_shares_are_those_of_the_formulas(top: int) -> None:
    rows, classes = unit_rows(50, 24, 1), unit_rows(40, 24, 2)
    best = best_classes(rows, classes, top)
    cosines = rows.astype(np.float64) @ classes.astype(np.float64).T
    order = np.argsort(-cosines, axis=1)[:, :top]
    shares = np.exp(cosines / 0.01) / np.exp(cosines / 0.01).sum(axis=1, keepdims=True)
    assert best.classes.tolist() == order.tolist()
    assert np.abs(best.cosines - np.take_along_axis(cosines, order, 1)).max() < 1e-6
    assert np.abs(best.shares - np.take_along_axis(shares, order, 1)).max() < 1e-4


def test_equal_cosines_keep_the_order_of_the_classes_and_few_classes_are_all_best() -> None:
    row = unit_rows(1, 8, 3)
    best = best_classes(row, np.concatenate([row, -row, row]), 10)
    many = np.concatenate([-row, *[row] * 30])
    assert best_classes(row, many, 2).classes.tolist() == [[1, 2]]
    assert best_classes(row, many, 12).classes.tolist() == [list(range(1, 13))]
    assert best.classes.tolist() == [[0, 2, 1]]
    assert best.shares.tolist() == [[0.5, 0.5, 0.0]]
    assert best_classes(row, row, 1).shares.tolist() == [[1.0]]


def test_blocks_make_no_difference_and_damaged_rows_are_left_out() -> None:
    rows, classes = unit_rows(30, 16, 4), unit_rows(5, 16, 5)
    rows[7] = np.nan
    names, memory = [f"c{at}" for at in range(5)], RowsInMemory(rows)
    whole = classify_by_names(memory.embeddings("x"), names, classes, None, top=2)
    parts = classify_by_names(memory.embeddings("x", batch=4), names, classes, None, top=2)
    assert whole.damaged == parts.damaged == 1
    assert whole.ids.tolist() == parts.ids.tolist() == [at for at in range(1, 31) if at != 8]
    assert whole.best.classes.tolist() == parts.best.classes.tolist()
    assert whole.strengths == (None,) * 29
    none = classify_by_names(iter(()), names, classes, None, top=2)
    assert none.best.classes.shape == (0, 2)
    with pytest.raises(Cancelled):
        classify_by_names(memory.embeddings("x"), names, classes, None, top=2, cancelled=lambda: True)


def test_a_level_tells_what_is_there_from_what_is_not(tmp_path: Path) -> None:
    encoder = ColourEncoder()
    clips = np.zeros((24, *encoder.clip_spec.shape), np.uint8)
    for at, clip in enumerate(clips):
        clip[:] = (250 - 4 * at, 3 * at, 2 * at)
    clips[5] = (0, 255, 0)
    memory = RowsInMemory(encoder.encode_clips(clips))
    with RowStore(tmp_path / "rows", encoder.dim) as store:
        questions = class_rows(encoder, null_questions(encoder.id), ["{}"], store)
        classes = class_rows(encoder, ["green", "xyzzy"], ["{}"], store)
    judge = judge_of(memory, encoder.id, questions)
    found = classify_by_names(memory.embeddings("x"), ["green", "xyzzy"], classes, judge, top=1)
    levels = [each.level for each in found.strengths if each is not None]
    assert levels[5] == "strong"
    assert set(levels[:5] + levels[6:]) == {"weak"}
    assert judge_of(RowsInMemory(np.zeros((0, 16), np.float32)), encoder.id, questions) is None


def test_the_templates_of_clip_come_with_the_program() -> None:
    kinetics = named_prompts("kinetics")
    assert len(kinetics) == len(set(kinetics)) == 28
    assert (kinetics[0], kinetics[-1]) == ("a photo of {}.", "a demonstration of a person practicing {}.")
    assert named_prompts("default") == ["a video of {}."]
