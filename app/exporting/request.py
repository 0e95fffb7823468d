"""The request for an export and its result, clip by clip: frozen values, checked when made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Literal

from app.exporting.audio_choice import ALL_TRACKS, parse_audio
from app.exporting.clip_words import ClipWords, SubtitlePlace, WordsFrom, check_language
from app.exporting.naming import ClipFacts, check_pattern
from app.exporting.source_facts import SourceFacts
from app.timelines.writing import FORMATS, check_format
from indexer.identity import Identity

ExportMode = Literal["exact", "smart", "copy"]

MAX_HANDLE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class KnownCopy:
    """A file of the library that may have the content of a request."""

    path: str
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """A range to cut: start <= time < end, in seconds from the first frame shown, exact as Fractions.

    Raises ValueError for a range that is empty, starts before 0 or is not made of numbers, and for a negative rank.
    """

    path: str
    start_seconds: Fraction | float
    end_seconds: Fraction | float
    rank: int | None = None  # first in the clip's name; None: the request's position
    name_hint: str = ""  # chosen by the user; empty: the source's own name
    score: float | None = None  # used in names and lists
    collection: str = ""  # used in names
    identity: Identity | None = None  # of the source's content, if known: no other is ever cut
    copies: tuple[KnownCopy, ...] = ()  # other files that may have this content
    problem: str = ""  # why the source is not the one that was indexed, see `sources`; then nothing is cut
    note: str = ""  # used in lists
    words: ClipWords | None = None  # what is said in the video
    facts: SourceFacts | None = None  # used in lists; None: read from the file
    clock_jumps: bool | None = None  # see Video.clock_jumps; None: the file is looked through

    def __post_init__(self) -> None:
        try:
            start, end = Fraction(self.start_seconds), Fraction(self.end_seconds)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"the range {self.start_seconds}-{self.end_seconds} is not made of numbers") from error
        if start < 0 or end <= start:
            raise ValueError(
                f"a range must start at 0 or later and end after it starts, got {float(start)}-{float(end)}"
            )
        if self.rank is not None and self.rank < 0:
            raise ValueError(f"a rank cannot be negative, got {self.rank}")

    def padded(self, pad: Fraction) -> tuple[Fraction, Fraction]:
        """Return start and end with handles on either side, not before the first frame."""
        return max(Fraction(0), Fraction(self.start_seconds) - pad), Fraction(self.end_seconds) + pad

    def name_facts(self, start_seconds: Fraction, end_seconds: Fraction, *, number: int, total: int) -> ClipFacts:
        """Return what the clip is named by.

        Args:
            start_seconds: Time of the first frame in the range, padding included.
            end_seconds: End of the range.
            number: Position among the requests, from 1.
            total: Number of requests.
        """
        return ClipFacts(
            rank=number if self.rank is None else self.rank,
            total=total,
            source=Path(self.path).stem,
            start_seconds=start_seconds,
            end_seconds=end_seconds,
            label=self.name_hint,
            collection=self.collection,
            score=self.score,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Options of an export: destination, cutting of clips, and lists to write.

    Raises ValueError, with a sentence for the user, for invalid or contradictory values.
    """

    folder: Path | None = None  # exactly one of folder and zip is set
    zip: Path | None = None
    mode: ExportMode = "exact"
    handles_seconds: Fraction = Fraction(0)  # added on either side of every clip, but not in lists
    name_pattern: str | None = None  # see app.exporting.naming; None: rank, source and range
    audio: str = ALL_TRACKS  # sound tracks of the clips: all, first, none, or numbers from 1 such as 1,3
    lists: tuple[str, ...] | None = None  # names in app.timelines' FORMATS; None: CSV and JSON of the clips as cut
    clips: bool = True  # False: lists only, at least one
    subtitles: SubtitlePlace = "none"  # where the words of each clip go
    language: str = ""  # of these words, BCP 47; "": that of the first source, see words.choosing
    words_from: WordsFrom = "best"
    markers: bool = False  # what is said becomes markers in the edit lists

    def __post_init__(self) -> None:
        if (self.folder is None) == (self.zip is None):
            raise ValueError("choose where to write: a folder or one zip")
        check_handles(self.handles_seconds)
        object.__setattr__(self, "audio", parse_audio(self.audio))
        if self.name_pattern is not None:
            check_pattern(self.name_pattern)
        for each in self.lists or ():
            check_format(each)
        check_language(self.language)
        if self.clips and self.subtitles == "burn" and self.mode != "exact":
            raise ValueError("subtitles are burnt into pictures that are encoded again: use the mode exact")
        if self.markers and not self.lists:
            raise ValueError("markers are written into edit lists: choose one, such as fcpxml")
        if not self.clips and not self.lists:
            raise ValueError(f"lists only: choose at least one of {', '.join(FORMATS)}")

    @property
    def carries_words(self) -> bool:
        """Whether clips or lists have what is said in them."""
        return self.markers or (self.clips and self.subtitles != "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest(ExportOptions):
    """A whole export: its clips, and the options common to all."""

    requests: tuple[ClipRequest, ...]
    title: str = "clips"  # the name of the lists and of their files

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
    """The result of a request: a file, or the error that prevented it.

    Seconds count from the source's first frame shown. In `exact` and `smart` mode the clip holds exactly the frames
    from `start_seconds` to `end_seconds`; in `copy` mode it begins `early_seconds` earlier and ends `late_seconds`
    later.
    """

    request: ClipRequest
    mode: ExportMode
    file: Path | None = None
    subtitles: Path | None = None  # the file beside it with what is said
    start_seconds: Fraction | None = None  # time of the first frame in the range, padding included
    end_seconds: Fraction | None = None
    early_seconds: Fraction = Fraction(0)
    late_seconds: Fraction = Fraction(0)
    frames: int = 0  # number of frames in the clip
    copied_frames: int = 0  # number of those copied without encoding
    frame_rate: Fraction | None = None  # nominal rate of the source
    has_audio: bool = False
    timecode: str = ""  # of the source's first frame shown; "": none
    note: str | None = None  # shown to the user, about a clip that was written
    error: str | None = None


def check_handles(seconds: Fraction) -> None:
    """Raise ValueError unless these are handles that a clip may have."""
    if not 0 <= seconds <= MAX_HANDLE_SECONDS:
        raise ValueError(f"handles must be from 0 to {MAX_HANDLE_SECONDS} seconds")


def list_formats(text: str) -> tuple[str, ...]:
    """Parse `csv,edl` to list formats, each once. Raise ValueError for an unknown format or an empty list."""
    names = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise ValueError(f"there is no list format {text!r}; choose among {', '.join(FORMATS)}")
    return names
