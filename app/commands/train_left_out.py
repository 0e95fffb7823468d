"""Captioned stretches that cannot be trained on, as notes and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.shell.stretch_name import stretch_name
from app.shell.terminal import count_text, print_note, printable

if TYPE_CHECKING:
    from app.tuning.examples import LeftOut

_NAMED = 10
"""Stretches left out that are named; the others are counted."""


def say_left_out(left_out: Sequence[LeftOut]) -> None:
    """Name the stretches that cannot be trained on."""
    for each in left_out[:_NAMED]:
        name = stretch_name(each.path, each.start_seconds, each.end_seconds)
        print_note(f"left out: {name}: {printable(each.reason)}")
    if len(left_out) > _NAMED:
        print_note(f"left out, too: {count_text(len(left_out) - _NAMED, 'more stretch', 'more stretches')}")


def left_out_record(left_out: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """Return JSON values."""
    return [
        {"path": each.path, "start_seconds": each.start_seconds, "end_seconds": each.end_seconds, "reason": each.reason}
        for each in left_out
    ]
