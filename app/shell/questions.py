"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

import click

from app.shell.errors import NothingDone


def has_terminal() -> bool:
    """Return whether standard input is a terminal, so that questions can be answered."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool, refusal: str) -> None:
    """Ask a question, and return if the answer is yes.

    Args:
        question: The question.
        yes: True skips the question (--yes).
        refusal: Text of the usage error without a terminal.

    Raises:
        NothingDone: After a no.
        click.UsageError: There is no terminal.
    """
    if yes:
        return
    if not has_terminal():
        raise click.UsageError(f"{refusal} (no terminal to ask on; use --yes to confirm)")
    if not click.confirm(question, err=True):
        raise NothingDone("Nothing was changed.")
