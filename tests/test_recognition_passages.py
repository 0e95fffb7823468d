"""Passages of sound between pauses, and filters against invented phrases."""

from __future__ import annotations

import numpy as np
import pytest
from stand_in_recognition import ToneTranscriber, blocks, loud_ranges, say

from recognition.protocol import SAMPLE_RATE, RecognizedLine, RecognizedWord
from recognition.speech.invented import Said, SpeechFilter, compression_ratio, credible, repeats
from recognition.speech.passages import MOST_SECONDS, Heard, cut_at_pauses, transcribe_passages


def cuts(*parts: str | float) -> list[float]:
    """Return where the passages of a sound end, in seconds."""
    return [
        (sound.start + len(sound.samples)) / SAMPLE_RATE for sound in cut_at_pauses(blocks(say(*parts)), loud_ranges)
    ]


def test_a_passage_ends_in_the_middle_of_its_last_pause() -> None:
    assert cuts(1.0, "red", 20.0, "red", 4.0, "green", 20.0) == [28.25, 46.5]


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    sound = say(*["red"] * 70)
    quiet = 27 * SAMPLE_RATE
    sound[quiet : quiet + 640] *= 0.1
    found = list(cut_at_pauses(blocks(sound), lambda samples: [(0, len(samples))]))
    assert quiet <= len(found[0].samples) <= quiet + 640
    assert sum(len(each.samples) for each in found) == len(sound)
    assert np.array_equal(np.concatenate([each.samples for each in found]), sound)


def test_a_pause_before_all_speech_is_a_place_to_cut() -> None:
    first, *_ = cuts(2.0, *["red"] * 70)
    assert first == 1.0


def test_short_gaps_between_words_are_no_pauses() -> None:
    assert cuts("red", 0.05, "red")[0] == 1.05
    assert cuts(*["red"] * 58, 0.05, *["red"] * 3)[0] != 29.025


def test_silence_makes_passages_of_the_longest_length_and_is_not_heard() -> None:
    engine = ToneTranscriber()
    found = list(engine.transcribe(blocks(say(65.0))))
    assert [passage.end_ms for passage in found] == [30_000, 60_000, 65_000]
    assert [passage.language for passage in found] == [None, None, None]
    assert engine.heard_seconds == 0


def test_a_sound_of_exactly_the_longest_length_is_one_passage() -> None:
    assert cuts(float(MOST_SECONDS)) == [MOST_SECONDS]


def test_words_are_heard_where_they_are() -> None:
    (passage,) = ToneTranscriber().transcribe(blocks(say(2.0, "red", "blue", 1.0)), start_ms=10_000)
    (line,) = passage.lines
    assert (line.start_ms, line.end_ms, line.text) == (12_000, 13_000, "red blue")
    assert [(word.start_ms, word.text) for word in line.words] == [(12_000, "red"), (12_500, "blue")]


def test_times_beyond_a_passage_are_cut() -> None:
    def hear(samples: np.ndarray, language: str | None) -> Heard:
        word = RecognizedWord(-5, 99_000, "long")
        return Heard((RecognizedLine(-5, 99_000, "long", None, (word,)),), "en", 1.0)

    (passage,) = transcribe_passages([say("red")], loud_ranges, hear, start_ms=1_000)
    assert (passage.lines[0].start_ms, passage.lines[0].end_ms) == (1_000, 1_500)
    assert (passage.lines[0].words[0].start_ms, passage.lines[0].words[0].end_ms) == (1_000, 1_500)


def test_a_language_is_detected_until_it_is_certain() -> None:
    confidences = iter([0.4, 0.9])
    asked = []

    def hear(samples: np.ndarray, language: str | None) -> Heard:
        asked.append(language)
        return Heard((), "de" if len(asked) == 1 else "en", next(confidences, 0.1))

    sound = say("red", 30.0, "red", 30.0, "red", 30.0)
    found = [p for p in transcribe_passages([sound], loud_ranges, hear) if p.language]
    assert asked == [None, None, "en"]
    assert [(p.language, p.language_confidence, p.settled) for p in found[:2]] == [("de", 0.4, None), ("en", 0.9, "en")]
    assert {p.language for p in found[2:]} == {"en"}


SURE = Said("the weather is nice today", no_speech=0.1, log_probability=-0.3, confidence=0.9)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (SURE, True),
        (Said("Thanks for watching", 0.9, -1.5, 0.5), False),  # probably silence, and unlikely words
        (Said("a whisper, but clear words", 0.9, -0.4, 0.8), True),
        (Said("mumbled but certainly speech", 0.1, -1.5, 0.5), True),
        (Said("words that the model itself doubts", 0.1, -0.9, 0.2), False),
        (Said("no no no no", 0.1, -0.3, 0.9), True),
        (Said("and then, and then, and then, and then, and then", 0.1, -0.3, 0.9), False),
        (Said("ha" * 200, 0.1, -0.3, 0.9), False),
        (Said(" ... ", 0.1, -0.3, 0.9), False),
    ],
)
def test_what_nobody_said_is_left_out(line: Said, kept: bool) -> None:
    assert credible([line], SpeechFilter()) == [kept]


def test_a_phrase_that_follows_itself_from_line_to_line_is_kept_twice() -> None:
    loop = [Said(text, 0.1, -0.3, 0.9) for text in ("Thank you.", "thank you", "Thank you!", "Thank you.", "Goodbye.")]
    assert credible(loop, SpeechFilter()) == [True, True, False, False, True]


def test_limits_are_settings() -> None:
    doubted = Said("words that the model itself doubts", 0.1, -0.9, 0.2)
    assert credible([doubted], SpeechFilter(confidence=0.1)) == [True]
    assert credible([], SpeechFilter()) == []


def test_repeats_are_counted_of_phrases_not_of_words() -> None:
    assert repeats(list("ababab"), 9) == 3
    assert repeats(list("aaaaa"), 9) == 2  # "a a" twice
    assert repeats(list("abcd"), 9) == 1
    assert repeats([], 9) == 1
    assert repeats(list("xabababab"), 3) == 3


def test_plain_prose_compresses_little() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("The train to Oslo leaves at nine, from platform four, and it is never late.") < 1.3
    assert compression_ratio("la la la " * 40) > 2.4
