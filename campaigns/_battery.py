"""Commands run one after the other in one child, each judged: it works, or says one line."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from campaigns._children import Fault, call

WORKS_OR_SAYS_WHY = (0, 1, 3)
MOST_LINES = 40


@dataclass(frozen=True)
class Answer:
    """What one command answered."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str


def run_all(library: Path, commands: Sequence[Sequence[object]], log: Path, seconds: float = 240) -> list[Answer]:
    """Run commands on a library with the demo encoder, in a child. Raises Fault if it died or hung."""
    words = [tuple(str(word) for word in each) for each in commands]
    return [Answer(*each) for each in call(_run_all, str(library), words, log=log, seconds=seconds)]


def _run_all(library: str, commands: Sequence[tuple[str, ...]]) -> list[tuple[tuple[str, ...], int, str, str]]:
    from app.cli import main

    os.environ.update(PRISMSEARCH_LIBRARY=library, PRISMSEARCH_ENCODER="demo", PRISMSEARCH_DEVICE="cpu")
    answers = []
    for words in commands:
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(list(words), prog_name="prismsearch")
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        print(words, code, err.getvalue()[-500:])  # for the folder that is kept
        answers.append((words, code, out.getvalue(), err.getvalue()))
    return answers


def require_words(answers: Sequence[Answer], codes: Sequence[int] = WORKS_OR_SAYS_WHY) -> None:
    """Raise Fault for an answer that is raw: a traceback, an error of ours, another code, or silence."""
    for answer in answers:
        text, what = answer.err + answer.out, " ".join(answer.words[:1])
        lines = [line for line in answer.err.splitlines() if line.strip()]
        if answer.code == 4 or "Traceback (most recent" in text or "an error in prismsearch itself" in text:
            raise Fault(f"raw: {what} ended with {answer.code}: {lines[-1][:300] if lines else ''}")
        if answer.code not in codes:
            raise Fault(f"{what} ended with {answer.code}: {lines[-1][:300] if lines else ''}")
        if answer.code and not lines and not answer.out.strip():
            raise Fault(f"{what} ended with {answer.code} and said nothing")
        if len(lines) > MOST_LINES:
            raise Fault(f"{what} said {len(lines)} lines: {lines[-1][:200]}")
