"""Timed text of videos: subtitles, speech, writing on screen, chapters and tags, with two full-text indexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"

_WORDS = (
    "CREATE VIRTUAL TABLE text_words USING fts5("
    "text, joined, content='text_lines', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3')"
)
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
_TRIGGERS = (
    f"CREATE TRIGGER text_lines_added AFTER INSERT ON text_lines BEGIN{_ADD} END",
    f"CREATE TRIGGER text_lines_removed AFTER DELETE ON text_lines BEGIN{_REMOVE} END",
    f"CREATE TRIGGER text_lines_changed AFTER UPDATE OF id, text, next ON text_lines BEGIN{_REMOVE}{_ADD} END",
)


def upgrade() -> None:
    op.create_table(
        "text_sources", *_sources(), sa.UniqueConstraint("video_id", "kind", "origin", name="uq_text_sources_origin"),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"), sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "text_lines", *_lines(), sa.Column("joined", sa.Text(), sa.Computed("text || next", persisted=False)),
        sa.ForeignKeyConstraint(["source_id"], ["text_sources.id"], ondelete="CASCADE"),
    )  # fmt: skip
    op.create_index("ix_text_lines_source_id", "text_lines", ["source_id"])
    op.create_index("ix_segments_start", "segments", ["video_id", "start_pts", "end_pts"])
    op.create_table("vanished_text_sources", *_sources())
    op.create_table("vanished_text_lines", *_lines())
    for statement in (_WORDS, _TRIGRAMS, _TERMS, *_TRIGGERS):
        op.execute(statement)


def _sources() -> list[sa.Column]:  # type: ignore[type-arg]
    texts = ("language", "title", "engine", "content_hash")
    return [
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("video_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("origin", "file")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("default", "forced", "for_deaf")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("size_bytes", "modified_ns", "lines")),
        sa.Column("first_line", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.Integer(), nullable=False),
    ]


def _lines() -> list[sa.Column]:  # type: ignore[type-arg]
    return [
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("next", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("box", sa.Text(), nullable=True),
    ]
