"""A person's file of sentences that a tuned text tower should go on reading as before, one per line."""

from __future__ import annotations

from app.text_files import read_lines, wrong
from files.regular import AnyPath

LEAST, MOST = 20, 20_000
"""Fewer sentences hold nothing; so many are encoded before the first step, which takes a full-size tower minutes."""


def read_guard(path: AnyPath) -> tuple[str, ...]:
    """Return the sentences of a file, each once. Empty lines and those that begin with # are left out.

    Raises:
        OSError: It cannot be read, or is no regular file.
        TextFileError: It is too large or not UTF-8, or has too few or too many sentences.
    """
    sentences = tuple(dict.fromkeys(line for _, line in read_lines(path)))
    if not LEAST <= len(sentences) <= MOST:
        many = f"{LEAST} to {MOST:,} different sentences, one per line"
        raise wrong(path, None, f"a guard has {many}; got {len(sentences):,}")
    return sentences
