"""Options that say which of a video's words are meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import click

from app.exporting.clip_words import WordsFrom


def words_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --language and --words-from to a command, which receives them as `language` and `words_from`."""
    for option in (
        click.option(
            "--words-from",
            type=click.Choice(get_args(WordsFrom)),
            default="best",
            show_default=True,
            help="Which words: subtitles or else speech (best), or one of these alone.",
        ),
        click.option(
            "--language",
            default="",
            metavar="TAG",
            help="Language of the words, such as en or pt-BR; by default that of the first subtitles.",
        ),
    ):
        command = option(command)
    return command
