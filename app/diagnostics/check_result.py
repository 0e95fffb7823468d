"""Result of one check of `prismsearch doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check: what was looked at, its state, the finding in words, and advice where it is not ok."""

    name: str
    state: State
    text: str
    advice: str = ""
