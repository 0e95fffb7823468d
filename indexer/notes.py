"""Notes on files that were indexed: what is unusual about them, one clause each, for the report of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

_LONG_PICTURE_SECONDS = 3600.0
_ABSURD_TIMES, _ABSURD_SECONDS = 2, 60.0  # how much longer than its frames a container claims to be


def length_notes(*, jumps: int, stated_seconds: float, seconds: float, longest_seconds: float) -> tuple[str, ...]:
    """Return notes on the length of a video.

    Args:
        jumps: Number of jumps of the container's clock.
        stated_seconds: Length that the container states; 0 if it states none.
        seconds: Length of the video.
        longest_seconds: Time for which one picture is shown, of all pictures the longest.
    """
    notes = []
    if jumps:
        times = "once" if jumps == 1 else f"{jumps:,} times"
        notes.append(f"its clock jumps {times}; it is taken as one recording of {_clock(seconds)}")
    elif stated_seconds > _ABSURD_TIMES * seconds + _ABSURD_SECONDS:
        notes.append(f"its header claims {_clock(stated_seconds)}, its frames last {_clock(seconds)}")
    if longest_seconds > _LONG_PICTURE_SECONDS:
        notes.append(f"one picture of it is shown for {_clock(longest_seconds)}")
    return tuple(notes)


def track_notes(extension: str, tracks: int, number: int) -> tuple[str, ...]:
    """Return a note on a file with several video tracks, of which one is indexed.

    Args:
        extension: Extension of the file, in lower case: files of some cameras hold a track for each lens.
        tracks: Number of video tracks, without covers.
        number: Which of them is indexed, from 1.
    """
    if tracks < 2:
        return ()
    lenses = ", one for each lens" if extension in ("insv", "360") else ""
    return (f"it has {tracks} video tracks{lenses}; only track {number} is indexed",)


def colour_notes(*, own_colours: bool) -> tuple[str, ...]:
    """Return a note on a video in the colours of Dolby Vision profile 5."""
    if not own_colours:
        return ()
    return ("it is Dolby Vision without a compatible base layer (profile 5), whose colours cannot be shown right",)


def joined_notes(starts: Sequence[int], read_bytes: int) -> tuple[str, ...]:
    """Return a note on recordings that were joined byte by byte and are not all read.

    Args:
        starts: Where each of them begins, in bytes.
        read_bytes: Position in the file up to which pictures were found.
    """
    read = sum(start < read_bytes for start in starts)
    if not 0 < read < len(starts):
        return ()
    return (f"it is {len(starts):,} recordings joined byte by byte, of which {read:,} can be read",)


def _clock(seconds: float) -> str:
    """Return h:mm:ss."""
    return str(timedelta(seconds=round(seconds)))
