"""The page of all messages: what is a message, and phrases that have a plainer English form."""

from __future__ import annotations

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
