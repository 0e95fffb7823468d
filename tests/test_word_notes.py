"""Words that an encoder reads in part or not at all are said, in the shell and on the page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import ColourEncoder

from app.search_link import SearchLink
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
    assert word_notes(encoder, ["a red car", "犬 runs", "one two three four"]) == [
        "the encoder cannot read “犬” and goes by the other words",
        "the encoder reads only the beginning of: one two three four",
    ]


@pytest.mark.parametrize("text", ["...", "!!! ?", "犬", "🎂"])
def test_a_text_of_which_nothing_is_read_is_no_question(text: str) -> None:
    with pytest.raises(ValueError, match=r"can read nothing of .*write in English"):
        word_notes(EnglishEncoder(), ["a car", text])


def test_the_page_says_so_and_does_not_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_line, "coverage", lambda *_: SimpleNamespace(text=lambda: ""))
    monkeypatch.setattr(result_line.session, "notice", lambda engine: None)
    shown: list[str] = []
    monkeypatch.setattr(search_page, "st", SimpleNamespace(warning=shown.append))
    engine = cast("Any", SimpleNamespace(encoder=EnglishEncoder(), library=None))  # it cannot search
    assert result_line.notes_on(SearchLink(words="犬 runs"), engine) == [
        "The encoder cannot read “犬” and goes by the other words."
    ]
    search_page.draw_hits(SearchLink(words="犬"), engine)
    assert len(shown) == 1
    assert "nothing of" in shown[0]
