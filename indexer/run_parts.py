"""What the steps of an index run share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    from db.claims import Claims
    from db.library import Library
    from encoder import ClipSpec, Encoder
    from encoder.shot_boundaries import ShotBoundaryScorer
    from indexer.isolation import Isolation
    from indexer.progress import ProgressMeter
    from indexer.quick_pass import QuickPass
    from indexer.report import ReportBuilder
    from indexer.settings import RunOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunEncoder:
    """An encoder of a run, and what marks its rows."""

    encoder: Encoder
    recipe: str
    quick_of: str | None = None  # of quick passes: the id of the full encoder


def specs_of(encoders: Iterable[RunEncoder]) -> tuple[ClipSpec, ...]:
    """Return the shapes of the clips that encoders take, each once."""
    return tuple(dict.fromkeys(each.encoder.clip_spec for each in encoders))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunParts:
    """One index run: what it works on, what it works with, and where it counts."""

    library: Library
    claims: Claims  # by which it shares its work with other runs
    encoders: tuple[RunEncoder, ...]  # at least one; one decoding of a video is for all
    options: RunOptions
    isolation: Isolation
    scorer: ShotBoundaryScorer | None
    quick: QuickPass | None  # None: full passes
    meter: ProgressMeter
    report: ReportBuilder
    cancelled: Callable[[], bool]

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled if the run is to stop."""
        if self.cancelled():
            raise Cancelled
