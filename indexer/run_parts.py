"""Parts that the steps of an index run share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from encoder.shot_boundaries import ShotBoundaryScorer
    from indexer.isolation import Isolation
    from indexer.progress import ProgressMeter
    from indexer.quick_pass import QuickPass
    from indexer.report import ReportBuilder
    from indexer.settings import RunOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunParts:
    """One index run: what it works on, what it works with, and where it counts."""

    library: Library
    encoder: Encoder
    recipe: str
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
