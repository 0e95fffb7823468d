"""Shots that a search could not look at, and why: shots without rows by its encoders, files that failed or vanished.

Of several encoders, also the shots that not all of them know, and those with quick rows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.asked_encoders import AskedEncoders
from app.shell.encoder_labels import labels_of
from app.shell.terminal import count_text, print_note
from db.records import Filters

if TYPE_CHECKING:
    from db.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What there is to search in a library, as to the encoders that are asked."""

    segments: int  # in the library
    embedded: int  # of these, by an encoder
    quick: int = 0  # of these, by quick rows only, for an encoder at least
    lacking: tuple[tuple[str, int], ...] = ()  # encoders that lack some of these, and how many
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

    def notes(self) -> list[str]:
        """Return what is to be said of the shots that were looked at: a sentence for each kind of gap."""
        notes = [
            f"{count:,} of {self.embedded:,} parts of shots are not indexed with {name}: the others judge them alone"
            for name, count in self.lacking
        ]
        if self.quick:
            notes.append(
                f"{self.quick:,} of {self.embedded:,} parts of shots are quick: seen in a few frames, until the full "
                "pass (prismsearch index FOLDER)"
            )
        return notes

    def record(self) -> dict[str, Any]:
        """Return the values for JSON."""
        return {
            "segments": self.embedded,
            "of": self.segments,
            "failures": self.failures,
            "vanished": self.vanished,
            **({"quick": self.quick} if self.quick else {}),
            **({"lacking": dict(self.lacking)} if self.lacking else {}),
        }


def note_coverage(library: Library, encoders: AskedEncoders) -> dict[str, Any]:
    """Print what a search did not look at, or not in full, if there is anything; return the values for JSON."""
    found = coverage(library, [[each.id for each in voice] for voice in encoders.voices])
    for text in (found.text(), *found.notes()):
        if text:
            print_note(text)
    return found.record()


def coverage(library: Library, voices: Sequence[Sequence[str]]) -> Coverage:
    """Return what a search looks at.

    Args:
        library: The library.
        voices: The id of each encoder, followed by those of its quick rows.
    """
    embedded, lacking, quick = 0, [], 0
    if len(voices) == len(voices[0]) == 1:
        embedded = next((row.segments for row in library.encoders() if row.id == voices[0][0]), 0)
    else:
        known = [[set(library.segment_ids(Filters(), each).tolist()) for each in voice] for voice in voices]
        by_voice = [set[int]().union(*voice) for voice in known]
        every = set[int]().union(*by_voice)
        embedded, names = len(every), labels_of([voice[0] for voice in voices])
        counts = [(names[voice[0]], len(every - own)) for voice, own in zip(voices, by_voice, strict=True)]
        lacking = [(name, count) for name, count in counts if count]
        quick = len(set[int]().union(*(own - voice[0] for voice, own in zip(known, by_voice, strict=True))))
    return Coverage(
        segments=library.segment_count(),
        embedded=embedded,
        quick=quick,
        lacking=tuple(lacking),
        failures=len(library.failures()),
        vanished=len(library.vanished_videos()),
    )
