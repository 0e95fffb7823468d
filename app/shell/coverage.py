"""Shots that a search could not look at, and why: shots without rows by its encoder, files that failed or vanished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.shell.terminal import count_text, print_note

if TYPE_CHECKING:
    from db.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What there is to search in a library, as to one encoder."""

    segments: int  # in the library
    embedded: int  # of these, by the encoder
    failures: int  # files that could not be indexed
    vanished: int  # videos that are hidden because their files vanished

    @property
    def gap(self) -> str:
        """`searched 3 of 14 parts of shots: ...`; empty if there was nothing else to look at."""
        if self.embedded >= self.segments:
            return ""
        return (
            f"searched {self.embedded:,} of {self.segments:,} parts of shots: "
            "the others were indexed with another encoder or other frames"
        )

    def text(self) -> str:
        """Return `gap` with all reasons and the commands that help; empty if there was nothing else to look at.

        Files that failed or vanished alone are not worth a line with every search.
        """
        if not self.gap:
            return ""
        reasons = [f"{self.gap} (prismsearch index FOLDER)"]
        if self.failures:
            reasons.append(f"{count_text(self.failures, 'file')} could not be indexed (prismsearch list --failed)")
        if self.vanished:
            reasons.append(f"{count_text(self.vanished, 'video')} vanished (prismsearch list --vanished)")
        return ", ".join(reasons)

    def record(self) -> dict[str, int]:
        """Return the values for JSON."""
        return {
            "segments": self.embedded,
            "of": self.segments,
            "failures": self.failures,
            "vanished": self.vanished,
        }


def note_coverage(library: Library, encoder_id: str) -> dict[str, int]:
    """Print what a search did not look at, if there is anything; return the values for JSON."""
    found = coverage(library, encoder_id)
    if text := found.text():
        print_note(text)
    return found.record()


def coverage(library: Library, encoder_id: str) -> Coverage:
    """Return what a search with an encoder looks at."""
    return Coverage(
        segments=library.segment_count(),
        embedded=next((row.segments for row in library.encoders() if row.id == encoder_id), 0),
        failures=len(library.failures()),
        vanished=len(library.vanished_videos()),
    )
