"""Words that an encoder reads in part or not at all are said, in the shell and on the page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import ColourEncoder

from app.search_link import LinkStep, LinkTerm, SearchLink
from app.shell.word_notes import word_notes
from app.web.pages import result_line
from app.web.pages import search as search_page


class EnglishEncoder(ColourEncoder):
    """Reads ASCII words, and three of them."""

    def unread(self, text: str) -> str:
        return " ".join(
            word for word in text.split() if not any(letter.isascii() and letter.isalnum() for letter in word)
        )

    def truncated(self, texts: Any) -> list[bool]:
        return [len(text.split()) > 3 for text in texts]


def test_what_is_not_read_is_said_and_what_is_read_is_not() -> None:
    encoder = EnglishEncoder()
    assert word_notes(encoder, ["a red car", "犬 runs", "one two three four", "one two three four"]) == [
        "the encoder cannot read “犬” and uses the other words only",
        "only the first 3 of 4 words of “one two three four” are read, up to “one two three”",
    ]


def test_the_words_that_are_read_are_counted_as_often_as_a_text_differs() -> None:
    encoder = EnglishEncoder()
    (alone,) = word_notes(encoder, ["a b c d e f g"])
    assert alone == "only the first 3 of 7 words are read, up to “a b c”"
    assert len(word_notes(encoder, ["a b c d"] * 3)) == 1

    class SpacelessEncoder(EnglishEncoder):
        def truncated(self, texts: Any) -> list[bool]:
            return [len(text) > 3 for text in texts]

    assert word_notes(SpacelessEncoder(), ["abcdef"]) == ["the encoder reads only the beginning of “abcdef”"]


def test_cut_words_of_every_step_and_of_exclusions_are_said_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_line, "coverage", lambda *_: SimpleNamespace(gap="", notes=list))
    monkeypatch.setattr(result_line.session, "notice", lambda engine: None)
    library = SimpleNamespace(encoder_choices=list)
    engine = cast("Any", SimpleNamespace(encoder=EnglishEncoder(), library=library, voice_ids=()))
    never = LinkTerm("text", "no one of these", -0.5)
    link = SearchLink(words="first of all steps", terms=(never,), then=(LinkStep("second of all steps"),))
    assert [note.text for note in result_line.notes_on(link, engine)] == [
        "Only the first 3 of 4 words of “first of all steps” are read, up to “first of all”.",
        "Only the first 3 of 4 words of “second of all steps” are read, up to “second of all”.",
        "Only the first 3 of 4 words of “no one of these” are read, up to “no one of”.",
    ]


@pytest.mark.parametrize("text", ["...", "!!! ?", "犬", "🎂"])
def test_a_text_of_which_nothing_is_read_is_no_question(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot read any of .*describe the shot in English"):
        word_notes(EnglishEncoder(), ["a car", text])


def test_the_page_says_so_and_does_not_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_line, "coverage", lambda *_: SimpleNamespace(gap="", notes=list))
    monkeypatch.setattr(result_line.session, "notice", lambda engine: None)
    shown: list[str] = []
    monkeypatch.setattr(search_page, "st", SimpleNamespace(warning=shown.append))
    engine = cast(
        "Any",
        SimpleNamespace(encoder=EnglishEncoder(), library=SimpleNamespace(encoder_choices=list), voice_ids=()),
    )  # it cannot search
    (note,) = result_line.notes_on(SearchLink(words="犬 runs"), engine)
    assert note.text == "The encoder cannot read “犬” and uses the other words only."
    search_page.draw_hits(SearchLink(words="犬"), engine)
    assert len(shown) == 1
    assert "cannot read any of" in shown[0]
