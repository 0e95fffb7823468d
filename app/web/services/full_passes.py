"""Full passes that quick ones leave to be made: how many, how long they take, and the order of the job."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.jobs.index_journal import last_speed
from app.shell.terminal import count_text
from app.times import format_duration
from app.web.services.word_work import barred_from, top_folders

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from db.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class FullPasses:
    """What the full passes of a library would take.

    Attributes:
        count: Videos over which only quick passes were made.
        about: A line on these, and on the time that full passes take.
        folders: What the job would index: the folders of these videos, without those below another one.
        barred: A line on why it cannot begin now; "" if it can.
    """

    count: int
    about: str
    folders: tuple[str, ...]
    barred: str


def full_passes(library: Library, states: Sequence[JobState]) -> FullPasses | None:
    """Return what full passes would take, or None if no video waits for one.

    Args:
        library: The library.
        states: Its jobs, the newest first.
    """
    waiting = library.quick.videos()
    if not waiting:
        return None
    ids = {video.video_id for video in waiting}
    seconds = sum(video.duration_seconds for video in library.videos() if video.id in ids)
    speed = last_speed(states)
    time = f", roughly {format_duration(seconds / speed)} of work" if speed else ""
    return FullPasses(
        count=len(waiting),
        about=f"{count_text(len(waiting), 'video')} of {format_duration(seconds)}{time}",
        folders=tuple(top_folders({os.path.dirname(video.path) for video in waiting})),
        barred=barred_from(library, states, {"index": "Indexing is in progress; see below."}),
    )
