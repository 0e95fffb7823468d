"""The index of the lines on a server: a row for each line, with what FTS5 sees in it.

A word is at its place in the line; those of the line alone have the weight A, so that they can be asked for. Trigrams
have no places: whoever asks checks the lines that are found.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection

from db.sql import raw
from db.text.full_text_tokens import LineTokens, tokens_of

TABLES = (
    "CREATE TABLE text_index (line_id BIGINT PRIMARY KEY REFERENCES text_lines (id) ON DELETE CASCADE,"
    " words TSVECTOR NOT NULL, trigrams TSVECTOR NOT NULL, size INTEGER NOT NULL)",
    "CREATE INDEX ix_text_index_words ON text_index USING gin (words)",
    "CREATE INDEX ix_text_index_trigrams ON text_index USING gin (trigrams)",
    # As bm25 needs them: counted by triggers, because counting a million lines takes longer than a person notices.
    "CREATE TABLE text_totals (lines BIGINT NOT NULL, size BIGINT NOT NULL)",
    "INSERT INTO text_totals VALUES (0, 0)",
)
_MISSING = (
    "SELECT id, text, next FROM text_lines WHERE NOT EXISTS (SELECT 1 FROM text_index WHERE line_id = id)"
    " AND source_id IN (SELECT id FROM text_sources WHERE video_id = ?) ORDER BY id"
)
_INSERT = (
    "INSERT INTO text_index (line_id, words, trigrams, size)"
    " VALUES (?, CAST(? AS TSVECTOR), array_to_tsvector(CAST(? AS TEXT[])), ?)"
)
_BLOCK = 2000
_MOST_PLACES = 16_383  # that a tsvector tells apart
_MOST_BYTES = 2000  # of a word in it; longer ones are runs of letters in scripts without spaces, found by trigrams


def index_lines(connection: Connection, video_id: int) -> None:
    """Index the lines of a video that are not indexed. The caller has written them in this transaction."""
    lines = raw(connection, _MISSING, (video_id,)).all()
    for at in range(0, len(lines), _BLOCK):
        block = lines[at : at + _BLOCK]
        tokens = tokens_of([(text, following) for _, text, following in block])
        rows = [
            (line[0], _as_tsvector(each), each.trigrams, len(each.text) + len(each.joined))
            for line, each in zip(block, tokens, strict=True)
        ]
        raw(connection, _INSERT, rows)


def unindexed_videos(connection: Connection) -> list[int]:
    """Return the videos that have lines which are not indexed."""
    asked = (
        "SELECT DISTINCT video_id FROM text_sources JOIN text_lines ON source_id = text_sources.id"
        " WHERE NOT EXISTS (SELECT 1 FROM text_index WHERE line_id = text_lines.id)"
    )
    return list(raw(connection, asked).scalars())


def mend_lines(connection: Connection) -> list[str]:
    """Index the lines of all videos that are not indexed. Return a sentence if there were any."""
    videos = unindexed_videos(connection)
    for video_id in videos:
        index_lines(connection, video_id)
    return ["The full-text index was incomplete. It has been made again from the lines of text."] if videos else []


def _as_tsvector(tokens: LineTokens) -> str:
    places: dict[str, list[str]] = defaultdict(list)
    for place, word in enumerate(tokens.text, start=1):
        places[word].append(f"{min(place, _MOST_PLACES)}A")
    for place, word in enumerate(tokens.joined, start=1):
        if tokens.text[place - 1 : place] != [word]:
            places[word].append(str(min(place, _MOST_PLACES)))
    return " ".join(f"{lexeme(word)}:{','.join(found)}" for word, found in places.items())


def lexeme(word: str) -> str:
    """Return a word as tsvector and tsquery take it."""
    whole = word.encode()[:_MOST_BYTES].decode("utf-8", "ignore")
    return "'" + whole.replace("\\", "\\\\").replace("'", "''") + "'"
