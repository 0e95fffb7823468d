"""One suite for every Transcriber: what the rest of the program relies on, whichever engine is behind it."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from stand_in_recognition import ToneTranscriber, blocks, say
from tiny_whisper import SphinxTranscriber, make_tiny_whisper

from recognition.errors import Cancelled
from recognition.protocol import SAMPLE_RATE, Passage, Transcriber
from recognition.speech.invented import SpeechFilter
from recognition.speech.models import WhisperFolder
from recognition.speech.passages import MOST_SECONDS

SPEECH = Path(__file__).parent / "words" / "speech.flac"
ANYTHING = SpeechFilter(
    no_speech=1.0, log_probability=-1e9, compression=1e9, confidence=0.0, repeats=10**6, silence_seconds=None
)
"""Limits for a network that says nonsense."""

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    engine: Transcriber
    sound: Sound  # about 44 s with speech in several places
    language: str  # that it speaks
    unknown: str  # a language that it does not know


def read_speech() -> Sound:
    with av.open(str(SPEECH)) as source:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in source.decode(audio=0)])
    return samples.astype(np.float32) / 32768


def tones() -> Case:
    sound = say(1.0, "red", "green", 12.0, "blue", 12.0, "red", "red", 13.0, "green", 2.5)
    return Case(ToneTranscriber(), sound, "en", "fr")


def whisper() -> Case:
    if importlib.util.find_spec("faster_whisper") is None:
        pytest.skip("the extra 'speech' is not installed")
    from recognition.speech.whisper import WhisperTranscriber

    folder = WhisperFolder("tiny-random", _tiny_folder[0])
    return Case(WhisperTranscriber(folder, threads=1, limits=ANYTHING), read_speech(), "fr", "xx")


def sphinx() -> Case:
    if importlib.util.find_spec("pocketsphinx") is None:
        pytest.skip("pocketsphinx, of the extra 'test', is not installed")
    return Case(SphinxTranscriber(), read_speech(), "en", "de")


_tiny_folder: list[Path] = []


@pytest.fixture(scope="module", params=[tones, whisper, sphinx])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    make: Callable[[], Case] = request.param
    if make is whisper and importlib.util.find_spec("faster_whisper") is not None:
        _tiny_folder[:] = [make_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny")]
    return make()


@pytest.fixture(scope="module")
def passages(case: Case) -> list[Passage]:
    return list(case.engine.transcribe(blocks(case.sound)))


def test_the_sound_is_covered_without_gaps(case: Case, passages: list[Passage]) -> None:
    assert passages[0].start_ms == 0
    assert passages[-1].end_ms == len(case.sound) * 1000 // SAMPLE_RATE
    assert all(a.end_ms == b.start_ms for a, b in itertools.pairwise(passages))
    assert all(0 < p.end_ms - p.start_ms <= MOST_SECONDS * 1000 for p in passages)
    assert len(passages) > 1


def test_lines_have_words_with_times_in_their_passage(passages: list[Passage]) -> None:
    lines = [line for passage in passages for line in passage.lines]
    assert len(lines) > 1
    assert any(line.words for line in lines)
    for passage in passages:
        for line in passage.lines:
            assert passage.start_ms <= line.start_ms <= line.end_ms <= passage.end_ms
            assert line.text == line.text.strip() != ""
            assert line.confidence is None or 0 <= line.confidence <= 1
            assert line.box is None
            for word in line.words:
                assert passage.start_ms <= word.start_ms <= word.end_ms <= passage.end_ms
                assert word.text.strip()
                assert word.confidence is None or 0 <= word.confidence <= 1
            assert [word.start_ms for word in line.words] == sorted(word.start_ms for word in line.words)
    assert [line.start_ms for line in lines] == sorted(line.start_ms for line in lines)


def test_a_language_is_detected_where_somebody_speaks(passages: list[Passage]) -> None:
    spoken = [passage for passage in passages if passage.lines]
    assert all(passage.language for passage in spoken)
    assert all(0 <= (passage.language_confidence or 0) <= 1 for passage in spoken)


def test_a_stated_language_is_taken(case: Case) -> None:
    for passage in case.engine.transcribe(blocks(case.sound[: 4 * SAMPLE_RATE]), language=case.language):
        assert (passage.language, passage.settled, passage.language_confidence) == (case.language, case.language, 1.0)


def test_a_language_that_it_does_not_know_is_refused(case: Case) -> None:
    with pytest.raises(ValueError, match=case.unknown):
        list(case.engine.transcribe(blocks(case.sound), language=case.unknown))


def test_work_begun_again_at_the_end_of_a_passage_gives_the_rest(case: Case, passages: list[Passage]) -> None:
    done = passages[0]
    rest = case.sound[done.end_ms * SAMPLE_RATE // 1000 :]
    again = list(case.engine.transcribe(blocks(rest), start_ms=done.end_ms, language=done.settled))
    assert [(p.start_ms, p.end_ms, p.lines) for p in again] == [(p.start_ms, p.end_ms, p.lines) for p in passages[1:]]


def test_a_caller_who_asks_to_stop_gets_no_more(case: Case, passages: list[Passage]) -> None:
    kept: list[Passage] = []
    stream = case.engine.transcribe(blocks(case.sound), cancelled=lambda: bool(kept))
    kept.append(next(stream))
    with pytest.raises(Cancelled):
        next(stream)
    assert kept == passages[:1]


def test_sound_is_taken_no_faster_than_it_is_transcribed_and_in_blocks_of_any_size(
    case: Case, passages: list[Passage]
) -> None:
    taken = 0

    def counted() -> Iterator[Sound]:
        nonlocal taken
        for block in blocks(case.sound, 12_345):
            taken += len(block)
            yield block

    done = 0
    for passage, same in zip(case.engine.transcribe(counted()), passages, strict=True):
        assert passage == same
        assert taken - done * SAMPLE_RATE // 1000 <= MOST_SECONDS * SAMPLE_RATE + 12_345
        done = passage.end_ms


@pytest.mark.parametrize("seconds", [0, 0.001, 3, 30, 61])
def test_silence_has_no_lines(case: Case, seconds: float) -> None:
    silence = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    found = list(case.engine.transcribe(blocks(silence)))
    assert not any(passage.lines for passage in found)
    assert sum(passage.end_ms - passage.start_ms for passage in found) == round(seconds * 1000)


@pytest.mark.parametrize(
    "block", [np.zeros(9, np.int16), np.zeros(9, np.float64), np.zeros((9, 2), np.float32)], ids=["int", "64", "stereo"]
)
def test_sound_of_another_form_is_refused(case: Case, block: NDArray[np.generic]) -> None:
    wrong: Iterable[Sound] = [block]  # type: ignore[list-item]
    with pytest.raises(ValueError, match="float32"):
        list(case.engine.transcribe(wrong))


def test_its_id_stays(case: Case) -> None:
    assert case.engine.id == case.engine.id != ""


def test_a_real_engine_hears_what_is_said() -> None:
    case = sphinx()
    said = [line for passage in case.engine.transcribe(blocks(case.sound)) for line in passage.lines]
    expected = {
        1: "one two three four five",
        14: "nine three two",
        27: "five four hundred",
        40: "three thousand five hundred",
    }
    for (second, words), line in zip(expected.items(), said, strict=True):
        assert line.text == words
        assert abs(line.start_ms - 1000 * second) < 500
