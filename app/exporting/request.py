"""The request for an export and its result, clip by clip: frozen values, checked when made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Literal

from app.exporting.naming import check_pattern
from app.exporting.source_facts import SourceFacts
from app.timelines.writing import FORMATS

ExportMode = Literal["exact", "smart", "copy"]

MOST_HANDLE_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """A range to be cut: start <= time < end, seconds counted from the first frame shown, exact as Fractions.

    rank: comes first in the clip's name; the place among the requests where None. name_hint: what a person called it,
    instead of the source's own name. collection, score: for names and lists; note and facts: for lists. fingerprint:
    of the source's content, where it is known.
    """

    path: str
    start_seconds: Fraction | float
    end_seconds: Fraction | float
    rank: int | None = None
    name_hint: str = ""
    score: float | None = None
    collection: str = ""
    fingerprint: str = ""
    note: str = ""
    facts: SourceFacts | None = None

    def __post_init__(self) -> None:
        try:
            start, end = Fraction(self.start_seconds), Fraction(self.end_seconds)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"the range {self.start_seconds}-{self.end_seconds} is not made of numbers") from error
        if start < 0 or end <= start:
            raise ValueError(f"a range begins at 0 or later and ends after it begins, got {float(start)}-{float(end)}")
        if self.rank is not None and self.rank < 0:
            raise ValueError(f"a rank is not negative, got {self.rank}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Where the files of an export go, how its clips are cut, and which lists are written beside them.

    Raises ValueError, with a sentence for a person, where the values make no sense (together).
    """

    folder: Path | None = None  # exactly one of folder and zip
    zip: Path | None = None
    mode: ExportMode = "exact"
    handles_seconds: Fraction = Fraction(0)  # more on either side of every clip; lists tell the range without them
    name_pattern: str | None = None  # see app.exporting.naming; None: rank, source and range
    lists: tuple[str, ...] | None = None  # names in app.timelines' FORMATS; None: CSV and JSON of the clips as cut
    clips: bool = True  # False: lists only, of which there must be some

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest(ExportOptions):
    """A whole export: its clips, and the options that hold for all of them."""

    requests: tuple[ClipRequest, ...]
    title: str = "clips"  # the name of the lists, in and outside of the files

    @classmethod
    def with_options(cls, options: ExportOptions, requests: Iterable[ClipRequest], title: str) -> ExportRequest:
        """Return the request for these clips under these options."""
        values = {each.name: getattr(options, each.name) for each in fields(ExportOptions)}
        return cls(requests=tuple(requests), title=title, **values)

    @property
    def seconds(self) -> list[float]:
        """Return the approximate length of each clip, by which progress is weighed."""
        more = 2 * self.handles_seconds
        return [float(Fraction(each.end_seconds) - Fraction(each.start_seconds) + more) for each in self.requests]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedClip:
    """What became of a request. `error` is None where there is a file, and says why where there is none.

    Seconds count from the source's first frame shown. In `exact` and `smart` mode the clip holds just what
    start_seconds and end_seconds say; in `copy` mode it begins early_seconds before and ends late_seconds after that.
    """

    request: ClipRequest
    mode: ExportMode
    file: Path | None = None
    start_seconds: Fraction | None = None  # of the first frame asked for, padding included
    end_seconds: Fraction | None = None
    early_seconds: Fraction = Fraction(0)
    late_seconds: Fraction = Fraction(0)
    frames: int = 0  # in the clip
    copied_frames: int = 0  # of them: packets as they are in the source, not encoded again
    frame_rate: Fraction | None = None  # of the source, nominal
    has_audio: bool = False
    note: str | None = None  # what a person should know about a clip that was written
    error: str | None = None


def list_formats(text: str) -> tuple[str, ...]:
    """Return the list formats of `csv,edl`, each once. Raises ValueError for an unknown one, or where there is none."""
    names = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise ValueError(f"there is no list format {text!r}; choose among {', '.join(FORMATS)}")
    return names
