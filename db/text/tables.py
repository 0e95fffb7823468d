"""The tables of timed text: sources, their lines, and two full-text indexes of the lines, which triggers keep.

`text_words` finds whole words (accents and case folded), `text_trigrams` any three characters in a row, for scripts
without spaces and for regular expressions. Both index a line together with the beginning of the next one (`joined`), so
that what is split over two lines is found. Their content is that of `text_lines`: they store no text of their own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    Computed,
    Connection,
    Float,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
    event,
)  # fmt: skip
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.compiler import DDLCompiler

from db.column_types import Integer, Text
from db.path_types import PathBytes
from db.schema import metadata, vanished_table
from db.sql import SERVER

text_sources = Table(
    "text_sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("origin", PathBytes, nullable=False),  # names of files, which need not be UTF-8
    Column("file", PathBytes, nullable=False),
    Column("language", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("default", Boolean, nullable=False),
    Column("forced", Boolean, nullable=False),
    Column("for_deaf", Boolean, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("modified_ns", Integer, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("first_line", Integer, nullable=False),  # the lines of a source have consecutive ids, in order of time
    Column("checksum", Integer, nullable=False),  # CRC-32 of its lines
    UniqueConstraint("video_id", "kind", "origin", name="uq_text_sources_origin"),
    sqlite_autoincrement=True,
)

# Ids are assigned by `db.text.writing`: those of a kind are one range, so that a search of some kinds reads no others.
text_lines = Table(
    "text_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Integer, ForeignKey("text_sources.id", ondelete="CASCADE"), nullable=False),
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("next", Text, nullable=False),  # the beginning of the next line: db.text.joining
    Column("confidence", Float, nullable=True),
    Column("words", Text, nullable=True),  # JSON: [[start_ms, end_ms, text, confidence], ...]
    Column("box", Text, nullable=True),  # JSON: [left, top, width, height]
    Column("joined", Text, Computed("text || next", persisted=False)),
    Index("ix_text_lines_source_id", "source_id"),
)


@compiles(CreateColumn, SERVER)
def _without_computed(element: CreateColumn, compiler: DDLCompiler, **options: Any) -> str | None:
    """Leave out what SQLite computes for its full-text indexes: no such column is made if this returns None."""
    if element.element.computed is not None:
        return None
    return str(compiler.visit_create_column(element, **options))  # type: ignore[no-untyped-call]


vanished_text_sources = vanished_table(text_sources)
vanished_text_lines = vanished_table(text_lines)

# Prefixes of two and three letters are indexed, because SQLite would merge all words that begin with them.
WORD_TOKENIZER = "unicode61 remove_diacritics 2"
_WORDS = (
    "CREATE VIRTUAL TABLE text_words USING fts5("
    f"text, joined, content='text_lines', content_rowid='id', tokenize='{WORD_TOKENIZER}', prefix='2 3')"
)
# Without positions, which would take three times the space: whoever asks checks the lines that are found.
_TRIGRAMS = (
    "CREATE VIRTUAL TABLE text_trigrams USING fts5("
    "joined, content='text_lines', content_rowid='id', tokenize='trigram', detail=none)"
)
_TERMS = "CREATE VIRTUAL TABLE text_trigram_terms USING fts5vocab(text_trigrams, 'row')"
_ADD = (
    " INSERT INTO text_words (rowid, text, joined) VALUES (NEW.id, NEW.text, NEW.text || NEW.next);"
    " INSERT INTO text_trigrams (rowid, joined) VALUES (NEW.id, NEW.text || NEW.next);"
)
_REMOVE = (
    " INSERT INTO text_words (text_words, rowid, text, joined)"
    " VALUES ('delete', OLD.id, OLD.text, OLD.text || OLD.next);"
    " INSERT INTO text_trigrams (text_trigrams, rowid, joined) VALUES ('delete', OLD.id, OLD.text || OLD.next);"
)
FULL_TEXT = (
    _WORDS,
    _TRIGRAMS,
    _TERMS,
    f"CREATE TRIGGER text_lines_added AFTER INSERT ON text_lines BEGIN{_ADD} END",
    f"CREATE TRIGGER text_lines_removed AFTER DELETE ON text_lines BEGIN{_REMOVE} END",
    f"CREATE TRIGGER text_lines_changed AFTER UPDATE OF id, text, next ON text_lines BEGIN{_REMOVE}{_ADD} END",
)
for _statement in FULL_TEXT:
    _ddl = DDL(_statement)  # type: ignore[no-untyped-call]
    event.listen(metadata, "after_create", _ddl.execute_if(dialect="sqlite"))


def create_all(connection: Connection) -> None:
    """Create all tables of a new library: these, and those of `db.schema`."""
    metadata.create_all(connection)
