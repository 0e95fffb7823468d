"""From captions or a library to the data of a run: what can be trained on, what cannot, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.tuning.captions_file import Captioned
from app.tuning.examples import Example, LeftOut, divide
from app.tuning.run_data import RunData
from app.tuning.stored_rows import stored_rows
from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    from db.library import Library


@dataclass(frozen=True, slots=True)
class Watch:
    """How the work is followed.

    Attributes:
        on_progress: Called with the stage of the work, how much is done, and of how much.
        cancelled: Polled between parts of it.
    """

    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None
    cancelled: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a run.

    Attributes:
        data: The examples, each with its side, and their rows if the stage trains on rows.
        left_out: Stretches that cannot be trained on, and why.
    """

    data: RunData
    left_out: list[LeftOut] = field(default_factory=list)


def rows_of_library(
    library: Library,
    encoder_id: str,
    captioned: Sequence[Captioned],
    *,
    share: float,
    seed: int,
    guard: Sequence[str] = (),
) -> Prepared:
    """Return captions with the stored rows of a library.

    Args:
        library, encoder_id, captioned: As in `stored_rows`.
        share, seed: As in `divide`.
        guard: Sentences that hold the text tower; none for those of everyday life.

    Raises:
        LibraryError: The library cannot be read.
    """
    found = stored_rows(library, encoder_id, captioned)
    data = RunData(divide(found.examples, share, seed), found.rows, found.others, tuple(guard))
    return Prepared(data, found.left_out)


def captioned_clips(captioned: Sequence[Captioned], watch: Watch) -> tuple[list[Example], list[LeftOut]]:
    """Return captions as examples, with the fingerprints of their files; those without a file are left out.

    Raises:
        Cancelled: It was stopped.
    """
    from indexer.fingerprint import fingerprint

    known: dict[str, str | OSError] = {}
    examples, left_out = [], []
    for done, each in enumerate(captioned):
        if watch.cancelled():
            raise Cancelled
        watch.on_progress("files", done, len(captioned))
        if each.path not in known:
            try:
                known[each.path] = fingerprint(each.path)
            except OSError as error:
                known[each.path] = error
        content = known[each.path]
        if isinstance(content, OSError):
            reason = (
                "there is no such file" if isinstance(content, FileNotFoundError) else content.strerror or str(content)
            )
            left_out.append(LeftOut(each.path, each.start_seconds, each.end_seconds, reason))
            continue
        examples.append(
            Example(each.path, each.start_seconds, each.end_seconds, each.captions, content, each.split, each.group)
        )
    watch.on_progress("files", len(captioned), len(captioned))
    return examples, left_out


def shots_of_library(library: Library, folder: str | None) -> tuple[list[Example], list[LeftOut]]:
    """Return the segments of a library as examples without words; those of files that are not there are left out.

    Args:
        library: The library; it is only read.
        folder: Only videos below it; None for all.

    Raises:
        LibraryError: The library cannot be read.
    """
    import os

    examples, left_out = [], []
    seen: set[str] = set()
    for video in library.videos(folder):
        if video.fingerprint in seen or video.id is None:
            continue  # a copy shows the same
        if not os.path.isfile(video.path):
            left_out.append(LeftOut(video.path, None, None, "there is no such file"))
            continue
        seen.add(video.fingerprint)
        for each in library.segments_of(video.id):
            start, end = video.seconds(each.start_pts), video.seconds(each.end_pts)
            examples.append(Example(video.path, start, end, (), video.fingerprint))
    return examples, left_out
