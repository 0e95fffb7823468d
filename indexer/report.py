"""What a run did, as one frozen value. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db.records import Failure
from indexer.scan import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

STAGES = ("scan", "fingerprint", "decode", "encode", "store", "wall")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What became of every file that the run looked at. Counts are of files.

    A file is counted once among added, updated, unchanged, touched, moved, duplicates, failed and skipped_failed; only
    one that was moved and then had to be encoded after all is among `moved` and `updated`.
    """

    added: int = 0  # new to the library, decoded and encoded
    updated: int = 0  # in the library before, decoded and encoded again: changed content, settings or encoder
    unchanged: int = 0
    touched: int = 0  # another time stamp, the same content: nothing encoded
    moved: int = 0  # moved or renamed: nothing encoded
    duplicates: int = 0  # content that the library has at another path as well: nothing encoded
    aliases: int = 0  # reached through a link, and in the library under its own path
    removed: int = 0  # gone from a folder that is there: forgotten
    kept_missing: tuple[str, ...] = ()  # not found, and neither is their folder: kept (an unplugged drive?)
    failed: tuple[Failure, ...] = ()  # tried in this run
    skipped_failed: tuple[Failure, ...] = ()  # failed before, unchanged since: not tried
    problems: tuple[Problem, ...] = ()  # unreadable folders, dangling links, folders that are not there
    interrupted: bool = False  # stopped by the person; what was finished is kept
    stopped: str = ""  # why the run could not go on (disk full, the encoder failed...), with what to do; else empty
    seconds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    # `seconds` by STAGES: scan, fingerprint, encode, store and wall are the run's own; decode is summed over workers,
    # which decode beside the rest, so the parts may add up to more than wall
    video_seconds: float = 0.0  # of video, decoded and encoded in this run
    clips: int = 0
    frames: int = 0  # of those videos
    fell_back: int = 0  # videos that hardware was to decode and the processor did

    @property
    def speed(self) -> float | None:
        """Seconds of video per second of the whole run; None when nothing was encoded."""
        wall = self.seconds["wall"]
        return self.video_seconds / wall if self.video_seconds and wall > 0 else None

    @property
    def complete(self) -> bool:
        """Every file was looked at: neither interrupted nor stopped."""
        return not self.interrupted and not self.stopped
