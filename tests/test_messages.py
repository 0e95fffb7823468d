"""The page of all messages: what is a message, and phrases that have a plainer English form."""

from __future__ import annotations

import functools
import re

import pytest

from bootstrap.messages import javascript_messages, messages, python_messages


def test_sentences_labels_and_help_are_messages_and_logs_and_docstrings_are_not() -> None:
    source = '''
"""The module's own words."""
@click.command(epilog="\\b\\nExamples of it")
@click.option("--to", metavar="DIR", help="Where to.")
def export(name: str) -> None:
    """Write the clips."""
    logger.warning("nobody reads this line")
    print_note(f"{len(videos):,} of {self.all} are there; run `{command(name)}`")
    st.button("Stop", help="Ends it")
    raise CommandError("there is no " + "such file", MISSING)
def inner() -> None:
    """Another docstring of words."""
    return {"key": "--flag", "kind": "two words"}["kind"]
'''
    assert [text for _, text in python_messages(source)] == [
        "\b\nExamples of it",
        "DIR",
        "Where to.",
        "Write the clips.",
        "{videos} of {all} are there; run `{name}`",
        "Stop",
        "Ends it",
        "there is no ",
        "such file",
        "two words",
    ]


def test_texts_of_modules_are_messages_and_selectors_and_styles_are_not() -> None:
    source = """
// a comment of words
const css = 'ps-card ps-on', at = `.ps-grid > img`, size = `calc(100% - ${x}px)`
button.title = 'Undo'
toast(`${items.length} shots added to “${name}”`) /* more words here */
"""
    assert list(javascript_messages(source)) == [(4, "Undo"), (5, "{length} shots added to “{name}”")]


@pytest.mark.parametrize(
    "name", ["app/cli.py", "app/commands/index.py", "app/web/pages/search.py", "app/web/static/shell.js"]
)
def test_the_page_has_what_people_meet(name: str) -> None:
    assert messages()[name]


RETIRED = {
    r"to be seen\b": "describe the shot, or what it shows",
    r"\bgoes? with\b": "can only be used with",
    r"^Say (what is|how|that|which)\b": "Show ..., List ...",
    r"\bfor so (many|long)\b": "for this many, after this long",
    r"\bthe newest first\b": "newest first",
    r"\b(there|that) (is|are) to fetch\b": "available",
    r"\bthe best there (is|are)\b": "the best available",
    r"\bhow far they are\b": "name the state",
    r"\b[Dd]o not ask\.": "Do not ask for confirmation.",
    r"--yes says yes": "use --yes to confirm",
    r"\bto put right\b": "to fix",
    r"\bno video format\b": "Not a video file.",
    r"\bpush(es)? (this|it) down\b": "rank lower",
    r"\bhardly heeded\b": "has little effect",
    r"\bembed, remember\b": "embed",
    r"\bgive (a file|a video|it) up\b": "give up on it",
    r"\bis no (sound|kind|unit|picture)\b": "is not a ...",
    r"\bthat could be sought\b": "timestamps to seek by",
    r"\b(at|has) (the|its|a) (new|old) place\b": "in the new location",
    r"\bone that somebody else\b": "one made by somebody else",
    r"\bis not a sound\b": "is not a valid",
    r"\bcan only be read\b": "is read-only",
    r"\b(in another way|a little otherwise)\b": "differently",
    r"\bthe same (command|export) goes on from there": "continues from there",
    r"\bcame of it\b": "no progress, the result",
    r"\bSee (that|how)\b": "Check that",
    r"\bnear duplicate": "near-duplicate",
    r"\bone a line\b": "one per line",
    r"\btime codes?\b": "timecode",
    r"\bWhat is selected\b": "Selection",
    r"^(Put it back|Drop it|Take that)$": "Restore, Discard, Use theirs",
    r"\bhas begun\b": "started",
    r"\bagain: quicker\b": "press again to speed up",
    r"^These keys$": "Show keyboard shortcuts",
    r"\bthe page (Search|Indexing|Library|Map|Collections|Questions)\b": "the Search page",
    r"\bwas not taken\b": "accepted",
    r"\bThe whole (map|video|collection)\b": "Whole map",
    r"\bleast (score|strength|cosine)\b": "minimum score",
    r"\bnot looked at:": "Skipped:",
    r"^Forget\b": "Dismiss, Delete",
}
"""Phrases that no message may have, as patterns, and what to write instead."""


@pytest.mark.parametrize("pattern", RETIRED)
def test_no_message_has_a_phrase_that_a_plainer_one_replaced(pattern: str) -> None:
    wrong = re.compile(pattern, re.IGNORECASE)
    found = [f"{path}:{line}: {text}" for path, texts in _every_message() for line, text in texts if wrong.search(text)]
    assert not found, f"write instead: {RETIRED[pattern]}"


@functools.cache
def _every_message() -> list[tuple[str, list[tuple[int, str]]]]:
    return list(messages().items())
