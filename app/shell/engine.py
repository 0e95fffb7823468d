"""A search engine for commands, which says what a search has to wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app import asked_encoders
from app.asked_encoders import AskedEncoders
from app.shell.live_line import LiveLine, Shown
from app.shell.terminal import print_note

if TYPE_CHECKING:
    from db.library import Library
    from search.engines import Engine
    from search.vectors.vector_index import VectorIndex

_SILENT_SECONDS = 1.0
"""Waits shorter than this are not worth a line."""


def open_engine(library: Library, encoders: AskedEncoders) -> Engine:
    """Return a search engine that shows on standard error what it has to wait for: a calibration, a server's graph.

    `index` sees to both at its end, so this is seen in a library of an earlier version, or after a stopped run.

    Raises:
        LibraryError: See `app.asked_encoders.open_engine`.
    """
    engine = asked_encoders.open_engine(library, encoders, on_calibration=CalibrationLine())
    if library.server_rows is not None:
        for space in engine.spaces:
            _make_graph(space.index)
    return engine


def _make_graph(index: VectorIndex) -> None:
    """Let the server make the graph that its searches need, if it lacks one. What it refuses, they do without."""
    from db.errors import LibraryError
    from search.vectors.server_index import ServerIndex

    if not isinstance(index, ServerIndex):
        return
    try:
        with LiveLine() as line:
            index.optimize(lambda share: line.show(graph_progress(share)))
    except LibraryError as error:
        print_note(f"the vector index could not be made ({error}); every row is compared instead")


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


def graph_progress(share: float) -> Shown:
    """Return the progress of a server that makes the graph of an encoder's rows, of which a share is done."""
    text = f"the server makes its index of vectors, once: {share:.0%}"
    return Shown(stage="vectors", text=text, fraction=share)


def calibration_progress(share: float, text: str, *, at_once: bool = True) -> Shown:
    """Return the progress of a calibration of which a share is done."""
    return Shown(stage="calibration", text=text, fraction=share, at_once=at_once)
