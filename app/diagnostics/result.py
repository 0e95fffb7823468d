"""One thing that `prismsearch doctor` looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `advice` says what to do where `state` is not ok."""

    name: str
    state: State
    text: str
    advice: str = ""
