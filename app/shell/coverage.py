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
    import numpy as np
    from numpy.typing import NDArray

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
                f"{self.quick:,} of {self.embedded:,} parts of shots are quick: motion waits for the full pass "
                "(prismsearch index FOLDER)"
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
    lacking: list[tuple[str, int]] = []
    quick = 0
    if len(voices) == len(voices[0]) == 1:
        embedded = next((row.segments for row in library.encoders() if row.id == voices[0][0]), 0)
    else:
        import numpy as np  # here, for the sake of --help

        full = [library.segment_ids(Filters(), voice[0]) for voice in voices]
        known = [_together([library.segment_ids(Filters(), each) for each in voice]) for voice in voices]
        embedded, names = len(_together(known)), labels_of(voice[0] for voice in voices)
        lacking = [(names[voice[0]], embedded - len(own)) for voice, own in zip(voices, known, strict=True)]
        quick = len(_together([own[~np.isin(own, ids)] for own, ids in zip(known, full, strict=True)]))
    return Coverage(
        segments=library.segment_count(),
        embedded=embedded,
        quick=quick,
        lacking=tuple((name, count) for name, count in lacking if count),
        failures=len(library.failures()),
        vanished=len(library.vanished_videos()),
    )


def _together(ids: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    import numpy as np

    return np.unique(np.concatenate(ids))
