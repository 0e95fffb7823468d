"""What an export is to do, whoever asks for it: which ranges, how they are cut, where they go, which lists."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from app.exporting.naming import check_pattern
from app.exporting.request import ClipRequest, ExportMode
from app.timelines.writing import FORMATS

MOST_HANDLE_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """An export. Made whole or not at all: raises ValueError with a sentence for what cannot be asked for.

    Exactly one of folder and zip. lists: names in timelines' FORMATS; None: the table and JSON of the clips as they
    were cut. clips False: lists only, of which there must be some. title: what lists are called, in and outside.
    """

    requests: tuple[ClipRequest, ...]
    folder: Path | None = None
    zip: Path | None = None
    mode: ExportMode = "exact"
    handles_seconds: Fraction = Fraction(0)  # more on either side of every clip; lists tell the range without them
    name_pattern: str | None = None
    lists: tuple[str, ...] | None = None
    clips: bool = True
    title: str = "clips"

    def __post_init__(self) -> None:
        if (self.folder is None) == (self.zip is None):
            raise ValueError("say where to: either into a folder or into one zip")
        if not 0 <= self.handles_seconds <= MOST_HANDLE_SECONDS:
            raise ValueError(f"handles are from 0 to {MOST_HANDLE_SECONDS} seconds")
        if self.name_pattern is not None:
            check_pattern(self.name_pattern)
        unknown = [each for each in self.lists or () if each not in FORMATS]
        if unknown:
            raise ValueError(f"there is no list format {unknown[0]!r}; choose among {', '.join(FORMATS)}")
        if not self.clips and not self.lists:
            raise ValueError(f"lists only: say which, among {', '.join(FORMATS)}")

    @property
    def seconds(self) -> list[float]:
        """How long each clip will be, about: what progress is weighed by."""
        more = 2 * self.handles_seconds
        return [float(Fraction(each.end_seconds) - Fraction(each.start_seconds) + more) for each in self.requests]


def list_formats(text: str) -> tuple[str, ...]:
    """`csv,edl` -> the formats, each once. Raises ValueError for one that there is not."""
    names = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise ValueError(f"there is no list format {text!r}; choose among {', '.join(FORMATS)}")
    return names
