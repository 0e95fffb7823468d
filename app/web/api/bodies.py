"""JSON bodies of the requests under /api/, with the limits of their texts and lists."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.evaluation.own_questions import MAX_QUESTION_CHARACTERS
from app.exporting.audio_choice import ALL_TRACKS, MAX_AUDIO_CHARACTERS
from app.exporting.clip_words import MAX_LANGUAGE_CHARACTERS, SubtitlePlace, WordsFrom
from app.exporting.naming import MAX_PATTERN_CHARACTERS
from app.web.http.validation import NO_NULL, NOT_BLANK, Body, Integer, Number, at_most
from db.text_limits import MAX_LINK_LENGTH, MAX_NAME_LENGTH, MAX_NOTE_LENGTH

# Limits of lists and paths; those of names, notes and links are the library's.
MAX_PATH_CHARACTERS = 4_000  # of an export folder
MAX_TYPED_CHARACTERS = 40_000  # of a typed path: longer than any system allows, which the check says
MAX_SUBCLIPS = 2_000  # per request
MAX_LISTS = 20  # per export
MAX_DROPPED_FILES = 50
MAX_LOOKED_AT = 100  # hits, to be deepened
MAX_ENCODER_CHARACTERS = 300  # of an id

Name = Annotated[str, Field(max_length=MAX_NAME_LENGTH), NO_NULL, NOT_BLANK]
NameOrBlank = Annotated[str, Field(max_length=MAX_NAME_LENGTH), NO_NULL]
Note = Annotated[str, Field(max_length=MAX_NOTE_LENGTH), NO_NULL]
Question = Annotated[str, Field(max_length=MAX_QUESTION_CHARACTERS), NO_NULL, NOT_BLANK]
FolderPath = Annotated[str, at_most(MAX_TYPED_CHARACTERS)]
DroppedName = Annotated[str, at_most(1_000), NO_NULL]
Language = Annotated[str, Field(max_length=MAX_LANGUAGE_CHARACTERS), NO_NULL]
Ids = Annotated[list[Integer], Field(max_length=MAX_SUBCLIPS)]


class CollectionBody(Body):
    """A new collection, or a new name for one."""

    name: Name


class TakesNameBody(Body):
    """A name for takes of one set-up: for each in order, the segments that show it; empty for one that is left out."""

    takes: Annotated[list[Ids], Field(max_length=MAX_SUBCLIPS)]
    name: Name


class SubclipBody(Body):
    """A subclip to add. Start and end default to those of the segment."""

    segment: Integer
    start_pts: Integer | None = None
    end_pts: Integer | None = None
    name: NameOrBlank = ""
    note: Note = ""
    score: Number | None = None


class SubclipsBody(Body):
    """Subclips to add after the subclip `after`, or at the end."""

    items: Annotated[list[SubclipBody], Field(max_length=MAX_SUBCLIPS)]
    after: Integer | None = None


class SubclipIdsBody(Body):
    """Subclips to remove from a collection, or to restore."""

    ids: Ids


class LookedAtBody(Body):
    """Quick hits that a person looks at, the first ones first."""

    segments: Annotated[list[Integer], Field(max_length=MAX_LOOKED_AT)]


class SubclipChangeBody(Body):
    """A change of the subclip as it was at `revision`. Only members that were sent count; the defaults are unused."""

    revision: Integer
    start_pts: Integer = 0
    end_pts: Integer = 0
    name: NameOrBlank = ""
    note: Note = ""


class SubclipMoveBody(Body):
    """A new position: after the subclip `after`, or first if null."""

    after: Integer | None


class SavedSearchBody(Body):
    """A search to save: its name, the query string of the page's URL, the text encoder it was made with, if known."""

    name: Name
    link: Annotated[str, Field(max_length=MAX_LINK_LENGTH), NO_NULL, NOT_BLANK]
    text_id: Annotated[str, Field(max_length=MAX_ENCODER_CHARACTERS), NO_NULL] = ""


class QuestionWordsBody(Body):
    """Other words for a question."""

    question: Question


class QuestionBody(QuestionWordsBody):
    """A question, and a part of the shot that answers it; null if nothing in the library does."""

    segment: Integer | None


class ExportBody(Body):
    """An export to start: of all subclips or some, to a folder or to "zip"."""

    collection: Integer
    to: Annotated[str, Field(max_length=MAX_PATH_CHARACTERS), NO_NULL, NOT_BLANK]
    subclips: Ids | None = None
    mode: Literal["smart", "exact", "copy", "none"] = "smart"  # none: only the lists
    handles_seconds: Number = 0.0
    name_pattern: Annotated[str, Field(max_length=MAX_PATTERN_CHARACTERS), NO_NULL] = ""
    audio: Annotated[str, Field(max_length=MAX_AUDIO_CHARACTERS), NO_NULL] = ALL_TRACKS
    lists: list[str] = Field(default_factory=list, max_length=MAX_LISTS)  # names of formats
    subtitles: SubtitlePlace = "none"
    language: Language = ""
    words_from: WordsFrom = "best"
    markers: bool = False


class ExportWordsBody(Body):
    """A question about the words of subclips, of all or some, with fields of ExportBody."""

    collection: Integer
    subclips: Ids | None = None
    handles_seconds: Number = 0.0
    language: Language = ""
    words_from: WordsFrom = "best"


class FolderPathBody(Body):
    """A path as typed, or as the chooser has it. Lone surrogates stand for bytes that are not UTF-8."""

    path: FolderPath


class FolderListBody(FolderPathBody):
    """A folder to list."""

    hidden: bool = False


class DroppedFileBody(Body):
    """A file of a dropped folder: its path below the folder, and its size."""

    path: Annotated[list[DroppedName], Field(min_length=1, max_length=8)]
    size: Integer


class DroppedFolderBody(Body):
    """A dropped folder, as far as a browser tells."""

    name: DroppedName
    files: Annotated[list[DroppedFileBody], Field(max_length=MAX_DROPPED_FILES)]
