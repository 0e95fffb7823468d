"""How a run goes about its work. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run goes about it; nothing here changes what a video becomes. ValueError for what cannot be."""

    workers: int = 2  # videos decoded at the same time
    batch_size: int | None = None  # clips encoded at once; None: what keeps the encoder busy. Halved where memory ends
    queue_clips: int = 32  # decoded clips that may wait for the encoder: what bounds memory
    exclude: tuple[str, ...] = ()  # patterns of names or paths to leave out: see indexer.scan
    redo: bool = False  # index again what is unchanged
    retry_failed: bool = False  # try again what failed before and has not changed
    sweep: bool = True  # forget videos that are gone from folders that are there

    def __post_init__(self) -> None:
        for name in ("workers", "batch_size", "queue_clips"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
