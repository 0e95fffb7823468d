"""Regular expressions: what they need as trigrams, and matching within a time limit.

A pattern can take years on one line: `(a+)+$`. Python's `re` cannot be interrupted, and the package `regex`, which has
a limit, took ten times as long on plain patterns and exceeded its limit tenfold. So lines are matched by a process
that is killed when the time is over. It costs some 30 ms.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from search.text.expressions import trigrams_of
from search.text.terms import TextQueryError

MAX_CHARACTERS = 1000
_MOST_ALTERNATIVES = 32
_WORKER = Path(__file__).with_name("pattern_worker.py")

Spans = dict[int, list[tuple[int, int]]]
"""Where a pattern matches, by the number of the text: first character, and one past the last one."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Texts that a pattern matches.

    Attributes:
        spans: By the number of the text.
        complete: False if the time was over before all texts were looked at.
    """

    spans: Spans
    complete: bool


def required_trigrams(pattern: str) -> str:
    """Return an expression for `text_trigrams` that every line matches which the pattern matches; "" if there is none.

    Raises:
        TextQueryError: The pattern is not valid, or too long.
    """
    if not pattern:
        raise TextQueryError("the regular expression is empty; write one, such as colou?r")
    if len(pattern) > MAX_CHARACTERS:
        raise TextQueryError(
            f"the regular expression has {len(pattern):,} characters; up to {MAX_CHARACTERS:,} are read"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = importlib.import_module("re._parser").parse(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise TextQueryError(f"the regular expression is not valid: {error or 'too deep'}") from None
    return " AND ".join(_required(parsed))


def match_texts(pattern: str, texts: Sequence[str], *, seconds: float, limit: int) -> Matched:
    """Match texts against a regular expression of Python, ignoring case.

    Args:
        pattern: A valid one.
        texts: The texts.
        seconds: The time it may take.
        limit: How many texts that match are enough.
    """
    if not texts or seconds <= 0:
        return Matched({}, not texts)
    asked = json.dumps({"pattern": pattern, "texts": texts, "limit": limit}, ensure_ascii=True)
    # -S and -I: nothing but the standard library is imported, and nothing beside the script.
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(_WORKER)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="ascii",
    ) as worker:  # fmt: skip
        try:
            said, complete = worker.communicate(asked, timeout=seconds)[0], True
        except subprocess.TimeoutExpired:
            worker.kill()
            said, complete = worker.communicate()[0], False
    spans: Spans = {}
    for line in said.splitlines(keepends=True):
        if line.endswith("\n"):  # else it was cut by the end
            number, *places = map(int, line.split())
            spans[number] = list(zip(places[::2], places[1::2], strict=True))
    return Matched(spans, complete and worker.returncode == 0 and len(spans) < limit)


def _required(nodes: Any) -> list[str]:
    """Return expressions that must all be met, for the nodes of a parsed pattern in a row."""
    found: list[str] = []
    runs = [""]  # what the characters in a row may be

    def end_run() -> None:
        nonlocal runs
        if len(runs[0]) >= 3:
            found.append(_either([trigrams_of(run) for run in runs]))
        runs = [""]

    for code, argument in nodes:
        name = str(code)
        letters = _letters(name, argument)
        if letters and len(runs) * len(letters) <= _MOST_ALTERNATIVES:
            runs = [run + letter for run, letter in product(runs, letters)]
            continue
        if name == "AT":  # has no width
            continue
        end_run()
        if name == "SUBPATTERN":
            found += _required(argument[3])
        elif name == "ATOMIC_GROUP":
            found += _required(argument)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and argument[0] > 0:
            found += _required(argument[2])
        elif name == "BRANCH":
            branches = [_required(branch) for branch in argument[1]]
            if all(branches) and len(branches) <= _MOST_ALTERNATIVES:
                found.append(_either(branches))
    end_run()
    return found


def _letters(name: str, argument: Any) -> list[str]:
    """Return the characters that a node may be, if these are few."""
    if name == "LITERAL":
        return [chr(argument)]
    if name == "IN" and len(argument) <= _MOST_ALTERNATIVES and all(str(code) == "LITERAL" for code, _ in argument):
        return list(dict.fromkeys(chr(letter).lower() for _, letter in argument))
    return []


def _either(alternatives: list[list[str]]) -> str:
    parts = [each[0] if len(each) == 1 else f"({' AND '.join(each)})" for each in alternatives]
    return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]
