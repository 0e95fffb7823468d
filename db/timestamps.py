"""Timestamps of stored records, and the period in which removed ones can be restored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

UNDO_DAYS = 30
"""Number of days for which removed collections and subclips can be restored."""


def now() -> str:
    """Return the time in ISO 8601, UTC, whole seconds; these strings sort by time."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def undo_deadline() -> str:
    """Return the time before which removals can no longer be undone, in the format of `now`."""
    return (datetime.now(UTC) - timedelta(days=UNDO_DAYS)).isoformat(timespec="seconds")
