"""Content of a library received from somebody else: statements that a person with sqlite3 could type."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from pathlib import Path

from campaigns._libraries import DATABASE

NUMBERS = (
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "1e308",
    "'seven'",
    "x'00ff'",
    "NULL",
    "0.5",
    "'9e999'",
)
COLUMNS = {
    "videos": (
        "size_bytes",
        "modified_ns",
        "time_base_num",
        "time_base_den",
        "start_pts",
        "end_pts",
        "frame_rate_num",
        "frame_rate_den",
        "frames",
        "width",
        "height",
        "rotation",
        "damaged",
        "media_bytes",
        "facts",
        "kinds",
        "timecode",
        "fingerprint",
        "codec",
        "path",
    ),
    "shots": ("number", "start_pts", "end_pts"),
    "segments": ("number", "shot_number", "start_pts", "end_pts", "video_id"),
    "encoders": ("dim", "segments", "generation", "id"),
    "embeddings": ("row", "segment_id"),
    "subclips": (
        "start_pts",
        "end_pts",
        "time_base_den",
        "frame_rate_den",
        "position",
        "score",
        "path",
        "facts",
        "name",
    ),
    "text_sources": ("kind", "origin", "file", "lines", "first_line", "checksum", "video_id"),
    "text_lines": ("start_ms", "end_ms", "text", "next", "words", "box", "source_id"),
    "library": ("detector", "detector_options", "segment_seconds", "decode", "id"),
    "encoder_choices": ("name", "frames", "fit", "still_frames", "last_used"),
    "saved_searches": ("link", "name"),
    "alembic_version": ("version_num",),
}
DEEP = "[" * 20_000 + "]" * 20_000


def hostile_statements(draw: random.Random, victim: Path) -> list[str]:
    """Return some statements: places outside, numbers, texts, triggers, views and tables of their own."""
    way = draw.random()
    table = draw.choice(sorted(COLUMNS))
    column = draw.choice(COLUMNS[table])
    if way < 0.3:
        return [f"UPDATE {table} SET {column} = {draw.choice(NUMBERS)}"]
    if way < 0.45:
        places = (
            str(victim),
            f"../../{victim.name}",
            "..",
            ".",
            "/",
            f"aa/../../../{victim.name}",
            "ab/" + "x" * 5000,
            "a\0b",
            "",
        )
        return [f"UPDATE videos SET media = {quoted(draw.choice(places))}"]
    if way < 0.6:
        texts = (
            DEEP,
            '{"a": ' * 3000,
            "x" * 300_000,
            "\x1b]0;owned\x07",
            "\u202egnp.exe",
            "=cmd|'/c calc'!A1",
            "{}",
            "[]",
            "1e999",
        )
        return [f"UPDATE {table} SET {column} = {quoted(draw.choice(texts))}"]
    if way < 0.7:
        name = draw.choice(["name", "note", "path", "link", "codec"])
        owner = {"note": "subclips", "link": "saved_searches", "codec": "videos"}.get(name, "subclips")
        place = draw.choice(["../" * 40 + "etc/passwd", str(victim / "secret.txt")])
        value = f"x'{place.encode().hex()}'" if name == "path" else quoted(place)
        return [f"UPDATE {owner} SET {name} = {value}"]
    return [draw.choice(schema_statements(victim))]


def schema_statements(victim: Path) -> list[str]:
    return [
        f"CREATE TRIGGER evil AFTER INSERT ON embeddings BEGIN UPDATE videos SET media = {quoted(str(victim))}; END",
        "CREATE TRIGGER evil BEFORE DELETE ON videos BEGIN DELETE FROM collections; END",
        "CREATE TRIGGER evil AFTER UPDATE ON library BEGIN DELETE FROM subclips; END",
        "CREATE VIEW evil AS SELECT * FROM videos",
        "ALTER TABLE videos RENAME TO kept; CREATE VIEW videos AS SELECT * FROM kept",
        "CREATE TABLE evil (a, b)",
        "CREATE INDEX evil ON videos (codec)",
        "DROP INDEX ix_videos_fingerprint",
        "DROP TABLE saved_searches",
        "ALTER TABLE videos ADD COLUMN evil TEXT GENERATED ALWAYS AS (hex(zeroblob(100))) VIRTUAL",
        "DROP TRIGGER embeddings_removed",
        "CREATE VIRTUAL TABLE evil USING fts5(a)",
        "PRAGMA user_version = 99",
        "DELETE FROM library",
        "DELETE FROM alembic_version",
        "UPDATE alembic_version SET version_num = '0001'",
    ]


def quoted(text: str) -> str:
    return "CAST(x'" + text.encode("utf-8", "surrogateescape").hex() + "' AS TEXT)"


def spoil(library: Path, statements: list[str]) -> bool:
    """Run the statements on a library; return whether SQLite took them all."""
    with contextlib.closing(sqlite3.connect(library / DATABASE)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        try:
            for statement in statements:
                connection.executescript(statement)
        except sqlite3.Error:
            return False
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return True


def plant_links(library: Path, victim: Path, draw: random.Random) -> None:
    """Put links to a folder of somebody else where folders of the library are."""
    name = draw.choice(["media", "vectors", "runs", "examples", "proxies", "exports", "media/ab"])
    place = library / name
    if place.is_dir() and not place.is_symlink():
        place.rename(place.with_name(place.name + ".was"))
    place.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.symlink(victim, place)
