"""Libraries of earlier formats, made by the migrations themselves and filled with plain SQL."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

from campaigns._libraries import DATABASE

FORMATS = ("0002", "0003", "0004", "0005")
VIDEOS, SEGMENTS, DIM = 60, 8, 64


def make_old_library(folder: Path, revision: str, videos: int = VIDEOS) -> Path:
    """Write a library of a format, with videos, shots, segments, rows and a collection."""
    from sqlalchemy import create_engine

    from db import migrating

    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{folder / DATABASE}")
    with engine.begin() as connection:
        migrating.run_migrations(connection, revision)
    engine.dispose()
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        _fill(connection, videos)
    return folder


def _fill(connection: sqlite3.Connection, videos: int) -> None:
    import numpy as np

    now = "2025-01-01T00:00:00+00:00"
    rows = np.random.default_rng(1).standard_normal((videos * SEGMENTS, DIM))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f2")
    if not connection.execute("SELECT count(*) FROM library").fetchone()[0]:
        _insert(connection, "library", id="0f8fad5b-d9cb-469f-a165-70867728950e", created_at=now)
    _insert(connection, "encoders", number=1, id="old@1:8f:stretch", dim=DIM)
    for video in range(1, videos + 1):
        _insert(
            connection,
            "videos",
            id=video,
            path=os.fsencode(f"/films/{video}.mp4"),
            fingerprint=f"f{video:031d}",
            size_bytes=1000 + video,
            modified_ns=1_700_000_000_000_000_000,
            time_base_num=1,
            time_base_den=90000,
            start_pts=0,
            end_pts=90000 * SEGMENTS,
            frame_rate_num=25,
            frame_rate_den=1,
            frames=25 * SEGMENTS,
            width=640,
            height=360,
            codec="h264",
            rotation=0,
            has_audio=1,
            damaged=0,
        )
        for number in range(SEGMENTS):
            place = {"video_id": video, "number": number, "start_pts": number * 90000, "end_pts": (number + 1) * 90000}
            _insert(connection, "shots", **place)
            segment = (video - 1) * SEGMENTS + number + 1
            _insert(connection, "segments", id=segment, shot_number=number, **place)
            _insert(connection, "embeddings", encoder=1, segment_id=segment, row=rows[segment - 1].tobytes())
        _insert(connection, "encodings", video_id=video, encoder=1, recipe="an old recipe")


def _insert(connection: sqlite3.Connection, table: str, **values: Any) -> None:
    """Insert what the table of that format has; columns without a default that are not given get a plain value."""
    row = {}
    for _, name, kind, required, default, _ in connection.execute(f"PRAGMA table_info({table})"):
        if name in values:
            row[name] = values[name]
        elif required and default is None:
            row[name] = 0 if "INT" in kind.upper() or "BOOL" in kind.upper() else ""
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def dump(library: Path) -> dict[str, list[Any]]:
    """Open a library, which migrates it, and return the rows of its tables. Raises Fault by its check."""
    from campaigns._libraries import examine

    examine(library)
    with contextlib.closing(sqlite3.connect(library / DATABASE)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in tables
            if not name.startswith("sqlite_")
        }
