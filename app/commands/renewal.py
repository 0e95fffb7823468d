"""Renewal of a library (`index --renew`): its videos are cut and encoded again with this version's defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.jobs.jobs import Jobs
from app.shell.paths import is_below
from app.shell.terminal import confirm, count_text, print_note
from app.times import format_duration
from indexer.plan import is_current

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from db.library import Library
    from encoder import Encoder
    from indexer.settings import IndexSettings


def confirm_renewal(
    library: Library, encoder: Encoder, roots: Sequence[str], settings: IndexSettings, *, yes: bool
) -> None:
    """Say how many videos a renewal indexes again and about how long it takes, and ask whether to go on.

    Args:
        library: The library.
        encoder: The encoder of the run.
        roots: Absolute paths of the folders and files of the run.
        settings: The settings to renew with.
        yes: Do not ask.

    Raises:
        click.exceptions.Exit: The user declined.
        click.UsageError: There is no terminal to ask on.
    """
    recipe = settings.recipe(encoder.clip_spec)
    old = {
        path
        for path, stored in library.known_files(encoder.id).items()
        if any(is_below(path, root) for root in roots) and not is_current(stored, recipe)
    }
    if not old:
        print_note("nothing to renew: every video here was already indexed this way")
        return
    seconds = sum(video.duration_seconds for video in library.videos() if video.path in old)
    speed = _last_speed(Jobs(library.directory).all())
    time = f"about {format_duration(seconds / speed)} at the speed of the last run" if speed else "as long as at first"
    videos = count_text(len(old), "video")
    print_note(
        f"{videos} ({format_duration(seconds)}) will be cut again by the {settings.detector} detector, shortest shot "
        f"{settings.all_detector_options['min_scene_len']}, and encoded again: {time}. Collections and names stay."
    )
    confirm(f"Index {videos} again?", yes=yes, refusal="nothing was changed")


def _last_speed(jobs: Sequence[JobState]) -> float | None:
    """Return the seconds of video per second of the newest index run that says it; `jobs` begin with the newest."""
    for state in jobs:
        speed = state.report.get("speed")
        if state.kind == "index" and isinstance(speed, int | float) and speed > 0:
            return float(speed)
    return None
