"""Files that could not be indexed. Every function runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from db.records import Failure
from db.rows import chunks
from db.schema import failures
from db.sql import upsert
from files.file_times import is_same_stamp


def put_failure(connection: Connection, failure: Failure) -> None:
    """Store a failure. Attempts accumulate while the file is unchanged, and restart for a changed file."""
    stored = connection.execute(select(failures).where(failures.c.path == failure.path)).mappings().first()
    seen = (failure.size_bytes, failure.modified_ns)
    again = stored is not None and is_same_stamp((stored["size_bytes"], stored["modified_ns"]), seen)
    values: dict[str, Any] = {
        "path": failure.path,
        "size_bytes": failure.size_bytes,
        "modified_ns": failure.modified_ns,
        "kind": failure.kind,
        "reason": failure.reason,
        "attempts": stored["attempts"] + 1 if again and stored is not None else failure.attempts,
        "failed_at": failure.failed_at or datetime.now(UTC).isoformat(timespec="seconds"),
    }
    connection.execute(
        upsert(connection, failures).values(values).on_conflict_do_update(index_elements=["path"], set_=values)
    )


def delete_failures(connection: Connection, paths: Iterable[str]) -> int:
    """Delete the failures of these paths. Return how many were deleted."""
    return sum(
        connection.execute(delete(failures).where(failures.c.path.in_(chunk))).rowcount for chunk in chunks(paths)
    )


def move_failures(connection: Connection, paths: Mapping[str, str]) -> int:
    """Give failures the new paths of their files, by the old ones; any at the new paths go. Return how many moved."""
    moved = 0
    for old, new in paths.items():
        if connection.scalar(select(failures.c.path).where(failures.c.path == old)) is not None:
            connection.execute(delete(failures).where(failures.c.path == new))
            moved += connection.execute(update(failures).where(failures.c.path == old).values(path=new)).rowcount
    return moved
