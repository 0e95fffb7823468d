"""Timestamps of stored things, and the time within which a removed one can be restored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

UNDO_DAYS = 30
"""Removed collections and subclips can be restored for so many days."""


def now() -> str:
    """Return the time in ISO 8601, UTC, whole seconds: such texts sort by time."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def undo_deadline() -> str:
    """Return the time before which removed things can no longer be restored, as `now` writes it."""
    return (datetime.now(UTC) - timedelta(days=UNDO_DAYS)).isoformat(timespec="seconds")
