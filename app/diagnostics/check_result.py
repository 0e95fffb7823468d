"""Result of one check of `prismsearch doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check: its subject, state and finding, with advice unless the state is ok."""

    name: str
    state: State
    text: str
    advice: str = ""
