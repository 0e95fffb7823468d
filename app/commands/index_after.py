"""The end of an index run: what searches would otherwise have to wait for is prepared, and quick videos are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app import compose
from app.shell.engine import calibration_progress, graph_progress
from app.shell.live_line import LiveLine, Shown
from app.shell.terminal import print_note

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from indexer.report import IndexReport


def prepare_searches(
    library: Library,
    encoder: Encoder,
    report: IndexReport,
    line: LiveLine,
    cancelled: Callable[[], bool],
) -> None:
    """Bring vector files, thresholds and strengths of a space up to date after a run. What fails is left for later.

    Args:
        library: The library.
        encoder: The encoder of the run.
        report: Its report.
        line: Shows what takes long.
        cancelled: Whether to stop.
    """
    from encoder.quick import QuickEncoder

    if report.clips and report.complete:
        line.show(Shown(stage="vectors", text="updating the vector index"))
        _optimize_vectors(library, encoder, line, cancelled)
        _measure_near_copies(library, encoder, line, cancelled)
    if report.complete and library.stamp(encoder.id).count:
        _calibrate(library, encoder, line, cancelled)
        if not isinstance(encoder, QuickEncoder):  # whose takes are wrong as often as right: benchmarks/README.md
            _find_takes(library, encoder, line, cancelled)


def _optimize_vectors(library: Library, encoder: Encoder, line: LiveLine, is_stopped: Callable[[], bool]) -> None:
    """Bring the vector index up to date. What a server refuses, or had no time for, searches do without."""
    from db.errors import LibraryError

    def on_progress(share: float) -> None:
        if is_stopped():
            raise _Stopped
        line.show(graph_progress(share))

    try:
        compose.optimize_vectors(library, encoder.id, on_progress)
    except _Stopped:
        pass
    except LibraryError as error:
        print_note(f"the vector index could not be made ({error}); searches compare every row until then")


def _measure_near_copies(library: Library, encoder: Encoder, line: LiveLine, cancelled: Callable[[], bool]) -> None:
    """Measure the threshold of near-duplicates, once for each encoder. What fails leaves the usual one."""
    from app.commands.near_copies import SHOTS, measure_near_copies
    from db.errors import LibraryError
    from encoder import EncoderError

    def show(done: int) -> None:
        text = f"comparing shots with copies of themselves  {done}/{SHOTS}"
        share = done / SHOTS
        line.show(Shown(stage="near_copies", text=text, done=done, total=SHOTS, unit="shots", fraction=share))

    try:
        measure_near_copies(library, encoder, on_progress=show, cancelled=cancelled)
    except (OSError, EncoderError, LibraryError) as error:
        print_note(f"could not measure how close shots are to their copies ({error}); the next run tries again")


def _find_takes(library: Library, encoder: Encoder, line: LiveLine, cancelled: Callable[[], bool]) -> None:
    """Look for takes among new shots. What fails is looked for after the next run."""
    from app.takes import find_takes
    from db.errors import LibraryError

    def show(done: int, total: int) -> None:
        text = f"looking for takes of one set-up  {done}/{total}"
        line.show(Shown(stage="takes", text=text, done=done, total=total, unit="shots", fraction=done / total))

    try:
        find_takes(library, encoder, on_progress=show, cancelled=cancelled)
    except (OSError, LibraryError) as error:
        print_note(f"could not look for takes ({error}); the next run tries again")


class _Stopped(Exception):
    """The person asked to stop; the next search calibrates."""


def _calibrate(library: Library, encoder: Encoder, line: LiveLine, is_stopped: Callable[[], bool]) -> None:
    """Calibrate the strengths of hits while the person sees how far it is. What fails is done by the next search."""
    from db.errors import LibraryError
    from encoder import EncoderError

    def on_progress(share: float) -> None:
        if is_stopped():
            raise _Stopped
        line.show(calibration_progress(share, f"calibrating strengths {share:.0%}", at_once=False))

    try:
        compose.calibrate(library, encoder, on_progress)
    except _Stopped:
        pass
    except (LibraryError, EncoderError) as error:
        print_note(f"strengths are not calibrated yet ({error}); the next search does it")
