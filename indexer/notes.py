"""Notes on files that were indexed: what is unusual about them, one clause each, for the report of a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.media.decode import Decoding

_LONG_PICTURE_SECONDS = 3600.0
_ABSURD_TIMES, _ABSURD_SECONDS = 2, 60.0  # how much longer than its frames a container claims to be


EVERY_FRAME_NOTE = "its key frames cannot be read alone, so the quick pass decoded every frame"


def key_frame_notes(longest_seconds: float) -> tuple[str, ...]:
    """Return a note on a quick pass over a file whose key frames are far apart.

    Args:
        longest_seconds: The longest stretch without a key frame of which other frames were decoded; 0 if there is none.
    """
    if not longest_seconds:
        return ()
    return (
        f"its key frames are up to {longest_seconds:.0f} s apart: there, the quick pass also decoded frames in between",
    )


def file_notes(decoding: Decoding, *, seconds: float, longest_seconds: float) -> tuple[str, ...]:
    """Return the notes on a file that was decoded to its end.

    Args:
        decoding: The decoding, with the file still open.
        seconds: Length of the video.
        longest_seconds: Time for which one picture is shown, of all pictures the longest.
    """
    from indexer.media.containers import extension_of
    from indexer.media.dolby_vision import has_own_colours
    from indexer.media.joined import starts_of_parts
    from indexer.media.probe import shown_streams

    source = decoding.source
    tracks = [stream.index for stream in shown_streams(source.container)]
    notes = track_notes(extension_of(source.path), len(tracks), tracks.index(source.stream.index) + 1)
    with suppress(OSError):  # a note is no reason to lose the video
        notes += colour_notes(own_colours=has_own_colours(source.path, source.container.format.name))
    notes += length_notes(
        jumps=decoding.timeline.jumps,
        stated_seconds=float(source.stated_seconds or 0),
        seconds=seconds,
        longest_seconds=longest_seconds,
    )
    with suppress(OSError):
        notes += joined_notes(starts_of_parts(source.path), decoding.read_bytes)
    return notes


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
        notes.append(f"its timestamps jump {times}; it is treated as one recording of {_clock(seconds)}")
    elif stated_seconds > _ABSURD_TIMES * seconds + _ABSURD_SECONDS:
        notes.append(f"its header claims {_clock(stated_seconds)}, its frames last {_clock(seconds)}")
    if longest_seconds > _LONG_PICTURE_SECONDS:
        notes.append(f"one of its frames is shown for {_clock(longest_seconds)}")
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
