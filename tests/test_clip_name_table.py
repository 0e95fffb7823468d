"""Names of clips against a table of right ones (clip_name_table.json).

A text of the table is a string, or a list of strings and of pairs (string, how often). Times are fractions of a second.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.exporting.naming import ClipFacts, check_pattern, clip_name

TABLE: dict[str, list[Any]] = json.loads(Path(__file__).with_name("clip_name_table.json").read_text("utf-8"))
PLAIN = {"rank": 7, "total": 12, "source": "film", "start": [1248, 100], "end": [16, 1], "suffix": ".mp4"}


def written_out(text: str | list[Any]) -> str:
    """Return a text of the table as one string."""
    parts = [text] if isinstance(text, str) else text
    return "".join(each if isinstance(each, str) else each[0] * each[1] for each in parts)


@pytest.mark.parametrize("row", TABLE["names"], ids=ascii)
def test_the_export_names_clips_as_the_table_does(row: dict[str, Any]) -> None:
    values = {**PLAIN, **row}
    facts = ClipFacts(
        rank=values["rank"],
        total=values["total"],
        source=written_out(values["source"]),
        start_seconds=Fraction(*values["start"]),
        end_seconds=Fraction(*values["end"]),
        label=written_out(values.get("label", "")),
        collection=written_out(values.get("collection", "")),
        score=values.get("score"),
    )
    check_pattern(written_out(row["pattern"]))
    assert clip_name(facts, values["suffix"], written_out(row["pattern"])) == written_out(row["name"])


@pytest.mark.parametrize("pattern", TABLE["refused"], ids=ascii)
def test_the_export_refuses_what_the_table_does(pattern: str | list[Any]) -> None:
    with pytest.raises(ValueError, match="it may hold"):
        check_pattern(written_out(pattern))
