"""A search engine for commands, which says what a search has to wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app import asked_encoders
from app.asked_encoders import AskedEncoders
from app.shell.live_line import LiveLine, Shown

if TYPE_CHECKING:
    from db.library import Library
    from search.engines import Engine

_SILENT_SECONDS = 1.0
"""Waits shorter than this are not worth a line."""


def open_engine(library: Library, encoders: AskedEncoders) -> Engine:
    """Return a search engine that shows the progress of a calibration on standard error.

    `index` calibrates at its end, so this is seen in a library of an earlier version, or after a stopped run.

    Raises:
        LibraryError: See `app.asked_encoders.open_engine`.
    """
    return asked_encoders.open_engine(library, encoders, on_calibration=CalibrationLine())


class CalibrationLine:
    """The progress of a calibration, shown once it takes long."""

    def __init__(self) -> None:
        self._line = LiveLine()
        self._began_seconds: float | None = None

    def __call__(self, share: float) -> None:
        """Show the finished fraction; remove the line at 1."""
        now = time.monotonic()
        began = self._began_seconds = now if self._began_seconds is None else self._began_seconds
        if share >= 1:
            self._line.close()
        elif now - began >= _SILENT_SECONDS:
            self._line.show(calibration_progress(share, f"calibrating strengths, once: {share:.0%}"))


def calibration_progress(share: float, text: str, *, at_once: bool = True) -> Shown:
    """Return the progress of a calibration of which a share is done."""
    return Shown(stage="calibration", text=text, fraction=share, at_once=at_once)
