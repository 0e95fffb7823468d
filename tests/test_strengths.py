"""Strengths of hits: what chance gives, in small and large libraries, for words, examples and several terms."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import db_samples
import numpy as np
import pytest
from numpy.typing import NDArray

from app.shell.live_line import Shown
from db.library import Library
from search.calibration.calibration import Calibration
from search.calibration.questions import forms, null_questions
from search.calibration.verbs import has_verb
from search.query import Query, QueryError, SegmentTerm, Term, TextTerm
from search.strength import Strength

DIM = db_samples.DIM


class RandomTexts:
    """An Encoder whose texts are unrelated to everything, each in a random direction of its own."""

    id, text_id, dim, notice = "encoder-a", "encoder-a:text", DIM, ""

    def __init__(self) -> None:
        self.encoded = 0

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        self.encoded += len(texts)
        seeds = [zlib.crc32(text.encode()) for text in texts]
        return unit(np.stack([np.random.default_rng(seed).normal(size=DIM) for seed in seeds]))


def unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def filled(directory: Path, shots: int) -> Library:
    library = Library.open(directory)
    db_samples.add(library, db_samples.make_video(), count=shots, encoder_id="encoder-a")
    return library


def best(library: Library, calibration: Calibration, terms: list[Term], rows: NDArray[np.float32]) -> Strength | None:
    """Return the strength of the hit that is best for the sum of the terms."""
    ids, stored = next(library.embeddings("encoder-a"))
    at = int(np.argmax(stored @ rows.sum(axis=0)))
    judge = calibration.judge()
    assert judge is not None
    (found,) = judge.strengths(terms, [int(ids[at])], (stored[at : at + 1] @ rows.T))
    return found


def asked(count: int) -> list[str]:
    draw = np.random.default_rng(5)
    words = ["".join(draw.choice(list("bcdefghklm"), 5)) for _ in range(90)]
    return [" ".join(draw.choice(words, draw.integers(1, 9))) for _ in range(count)]


@pytest.mark.parametrize("shots", [1, 20, 300])
def test_unrelated_questions_get_no_good_match_in_a_library_of_any_size(tmp_path: Path, shots: int) -> None:
    encoder = RandomTexts()
    with filled(tmp_path, shots) as library:
        calibration = Calibration(library, encoder, tmp_path / "calibration")
        texts = asked(200)
        found = [best(library, calibration, [TextTerm(text)], encoder.encode_texts([text])) for text in texts]
    weak = sum(each is not None and each.level == "weak" for each in found)
    assert weak / len(found) >= 0.93
    assert weak < len(found)  # chance itself gives one in twenty


def test_what_is_there_is_strong_and_no_chance_is_below_one_in_all_questions(tmp_path: Path) -> None:
    with filled(tmp_path, 300) as library:
        calibration = Calibration(library, RandomTexts(), tmp_path / "calibration")
        _, rows = next(library.embeddings("encoder-a"))
        found = best(library, calibration, [TextTerm("a dog runs")], rows[7:8])
    assert found is not None
    assert (found.level, found.normal) == ("strong", False)
    assert found.chance == pytest.approx(1 / 257)


def test_a_hit_is_as_strong_as_for_its_weakest_important_term(tmp_path: Path) -> None:
    with filled(tmp_path, 300) as library:
        calibration = Calibration(library, RandomTexts(), tmp_path / "calibration")
        ids, stored = next(library.embeddings("encoder-a"))
        judge = calibration.judge()
        assert judge is not None
        rows = np.stack([stored[7], unit(-stored[7])])

        def level(*weights: float) -> str:
            terms = [TextTerm(text, weight) for text, weight in zip(("a dog", "a cat"), weights, strict=True)]
            (found,) = judge.strengths(terms, [int(ids[7])], stored[7:8] @ rows.T)
            return "none" if found is None else found.level

        assert level(1, 0) == "strong"
        assert level(1, 0.4) == "strong"  # too light to decide
        assert level(1, 0.5) == "weak"
        assert level(1, -1) == "strong"  # what is not wanted is not asked for
        assert level(-1, 0) == "none"


def test_kin_are_strong_though_every_shot_has_some_and_a_stranger_is_not(tmp_path: Path) -> None:
    """400 shots in groups of 4 that are much alike: as takes of one setup."""
    draw = np.random.default_rng(3)
    centres = unit(draw.normal(size=(101, DIM)))
    rows = unit(np.repeat(centres[:100], 4, axis=0) + 0.1 * draw.normal(size=(400, DIM)))
    with Library.open(tmp_path) as library:
        video = db_samples.make_video(seconds=400)
        shots, segments = db_samples.make_parts(video, 400)
        library.add_video(video, shots, segments, rows, encoder_id="encoder-a", recipe="r1", media=None)
        calibration = Calibration(library, RandomTexts(), tmp_path / "calibration")
        ids, stored = next(library.embeddings("encoder-a"))
        judge = calibration.judge()
        assert judge is not None

        def levels(example: NDArray[np.float32], hits: list[int]) -> list[str]:
            cosines = (stored[hits] @ example)[:, None]
            found = judge.strengths([SegmentTerm(1)], ids[hits].tolist(), cosines)
            return [each.level for each in found if each is not None]

        assert "weak" not in levels(stored[0], [1, 2, 3])
        stranger = centres[100]
        assert levels(stranger, [int(np.argmax(stored @ stranger))]) == ["weak"]


def test_a_calibration_is_kept_grown_and_made_anew_where_rows_changed(tmp_path: Path) -> None:
    encoder = RandomTexts()
    with filled(tmp_path, 60) as library:
        assert Calibration(library, encoder, tmp_path / "calibration").update()
        assert encoder.encoded == len(null_questions("encoder-a")) == 256
        kept = Calibration(library, encoder, tmp_path / "calibration")
        assert not kept.update()
        first = kept.judge()
        assert first is not None
        assert first.statistics.made_from == 60
        db_samples.add(library, db_samples.make_video("/films/b.mp4", "abcd02"), count=6, encoder_id="encoder-a")
        assert kept.update()  # grown
        grown = kept.judge()
        assert grown is not None
        assert (len(grown.statistics.ids), grown.statistics.made_from) == (66, 60)
        anew = Calibration(library, encoder, tmp_path / "other").judge()
        assert anew is not None
        np.testing.assert_allclose(grown.statistics.words.means, anew.statistics.words.means, atol=1e-5)
        assert encoder.encoded == 512  # nothing was encoded again but for the other folder
        library.remove_videos([library.videos()[1].id])
        assert kept.update()
        less = kept.judge()
        assert less is not None
        assert (len(less.statistics.ids), less.statistics.made_from) == (60, 60)
        for path in (tmp_path / "calibration").glob("*.npz"):
            path.write_bytes(b"damaged")
        assert Calibration(library, encoder, tmp_path / "calibration").update()
        wide = RandomTexts()
        wide.dim = DIM + 1  # as in a file that somebody else made
        assert Calibration(library, wide, tmp_path / "calibration").update()


def test_a_large_library_is_not_calibrated_while_a_search_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.calibration.calibration.MOST_IN_SEARCH", 50)
    with filled(tmp_path, 60) as library:
        calibration = Calibration(library, RandomTexts(), tmp_path / "calibration")
        assert calibration.judge() is None
        assert calibration.update()
        assert calibration.judge() is not None


def test_the_form_of_a_question_is_its_length_and_whether_it_has_a_verb() -> None:
    assert not any(map(has_verb, ("a dog", "something", "a king in the morning")))
    assert all(map(has_verb, ("a dog runs", "juggling", "it is red", "he carries it", "it crosses a road")))
    shares = forms(
        ["dog", "a red dog, a wide old beach", "there it is spinning", "a dog runs to his ball on a beach", "wide sea"]
    )
    assert shares[:4].argmax(axis=1).tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert 0 < shares[4][0] < 1


def test_null_questions_are_of_all_forms_and_different() -> None:
    for encoder_id in ("other@1", "videoprism_lvt_demo@1:8f:stretch"):
        texts = null_questions(encoder_id)
        assert len(texts) == len(set(texts)) == 256
        assert forms(texts).sum(axis=0).min() > 20


def test_a_least_level_is_one_of_three() -> None:
    with pytest.raises(QueryError, match="level"):
        Query(terms=(TextTerm("a"),), least_level="great")  # type: ignore[arg-type]
    assert Strength(value=1, chance=0.03).reaches("likely")
    assert not Strength(value=1, chance=0.03).reaches("strong")


def test_the_shell_says_that_nothing_is_strong_enough_though_shots_pass_the_filters(tmp_path: Path) -> None:
    from app.shell.search_options import SearchOptions, nothing_found
    from db.records import Filters

    with filled(tmp_path, 3) as library:
        for filters, words in (
            (Filters(min_seconds=1.0), "no match is likely"),
            (Filters(min_seconds=99.0), "no shots match"),
        ):
            options = SearchOptions(top_k=10, threshold=None, filters=filters, least_level="likely")
            assert words in nothing_found(library, options)


def test_a_search_that_calibrates_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[float] = []
    with filled(tmp_path, 30) as library:
        Calibration(library, RandomTexts(), tmp_path / "calibration", told.append).judge()
        assert told[-1] == 1
        assert told == sorted(told)
        told.clear()
        Calibration(library, RandomTexts(), tmp_path / "calibration", told.append).judge()
        assert not told, "it is made already"


def test_a_calibration_is_told_of_only_where_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.shell import engine

    clock = iter((0.0, 0.5, 2.0, 3.0))
    monkeypatch.setattr(engine.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(engine, "LiveLine", Lines)
    line = engine.CalibrationLine()
    for share in (0.1, 0.2, 0.5, 1.0):
        line(share)
    assert capsys.readouterr().out == "calibrating strengths, once: 50%\nclosed\n"


class Lines:
    """A live line that prints what it is told."""

    def show(self, shown: Shown) -> None:
        print(shown.text)

    def close(self) -> None:
        print("closed")
