"""Matches texts against a regular expression, in a process of its own, which is killed when the time is over.

Reads JSON from standard input: {"pattern": ..., "texts": [...], "limit": ...}. Writes, for each text that matches, its
number and the first character and the end of each match, one line each. Started by `search.text.patterns`; it imports
nothing of ours.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from itertools import islice

_MOST_PLACES = 50


def main() -> None:
    """Match all texts."""
    asked = json.load(sys.stdin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pattern = re.compile(asked["pattern"], re.IGNORECASE)
    left = asked["limit"]
    for number, text in enumerate(asked["texts"]):
        matches = (match.span() for match in pattern.finditer(text) if match.end() > match.start())
        places = list(islice(matches, _MOST_PLACES))
        if not places:
            continue
        sys.stdout.write(" ".join(map(str, (number, *(edge for place in places for edge in place)))) + "\n")
        sys.stdout.flush()
        left -= 1
        if not left:
            break


if __name__ == "__main__":
    main()
