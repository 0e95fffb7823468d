"""Videos that an index job would encode again though they did not change, said on the page before the job begins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.compose import Settings, encoder_name, with_library_encoder
from app.cut_settings import cut_settings_of
from app.encoder_choice import canonical
from app.encoder_names import JOINT, encoder_names
from app.encoding_again import stored_description
from app.jobs.index_journal import last_speed
from app.shell.terminal import count_text
from app.times import format_duration
from indexer.lacking import is_current
from indexer.missing_files import is_below

if TYPE_CHECKING:
    from app.jobs.orders import IndexOrder
    from app.jobs.state import JobState
    from db.library import Library


def again_text(library: Library, order: IndexOrder, settings: Settings, states: Sequence[JobState]) -> str:
    """Return how many videos a job would encode again, and for how long; "" if none.

    Goes by what is stored, without looking at files and without loading a model. Of a model's file that the library
    does not know by its name, nothing is said: it may have a space of the library, and the job itself says if not.

    Args:
        library: The library.
        order: The order of the job.
        settings: The settings that the job gets.
        states: The library's jobs, the newest first.
    """
    settings = replace(settings, encoder=order.encoder or settings.encoder)
    settings = with_library_encoder(order.shaping.encoder_settings(settings), library)
    names = [canonical(each) for each in encoder_names(encoder_name(settings))]
    old = set[int]().union(*(_old_videos(library, order, settings, name) for name in names))
    if not old or order.redo or order.quick:
        return ""
    seconds = sum(video.duration_seconds for video in library.videos() if video.id in old)
    speed = last_speed(states, JOINT.join(names))
    time = f", which takes about {format_duration(seconds / speed)}" if speed else ""
    return (
        f"{count_text(len(old), 'unchanged video')} ({format_duration(seconds)}) would be re-encoded{time}: "
        "the encoder, the options or the version differ from last time."
    )


def _old_videos(library: Library, order: IndexOrder, settings: Settings, name: str) -> set[int]:
    """Return the ids of the videos that a job would encode again by one of its encoders."""
    choice = next((each for each in library.encoder_choices() if each.name == name), None)
    if choice is None and settings.shapes and os.path.exists(name):
        return set()
    known = stored_description(library, choice)
    shaping = replace(order.shaping, hardware="none")  # it shapes nothing, and would be tried here
    recipe = shaping.index_settings(cut_settings_of(library)).recipe(known.clip_spec)
    return {
        record.video_id
        for path, record in library.known_files(known.id).items()
        if any(is_below(path, root) for root in order.paths) and not is_current(record, recipe) and not record.quick
    }
