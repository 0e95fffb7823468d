"""Quick passes: a few frames of coarse shots now, so that a library can be searched early; the full pass follows.

A quick pass reads the key frames of a video only, and divides it by them. What it makes has an embedding space of its
own (`encoder.quick`), and stays until the full pass replaces all of it in one transaction. It never takes the place of
a full pass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Literal

from indexer.kinds import recipe_for
from indexer.plan import VideoTask
from indexer.settings import PASS_VERSION, IndexSettings

if TYPE_CHECKING:
    from db.quick import QuickVideo
    from db.records import KnownFile
    from encoder import ClipSpec

Reads = Literal["key frames", "every frame"]

KEYS_VERSION = 1
"""Increased whenever the same file and settings would result in other quick shots, clips or pictures than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickPass:
    """What the passes of a run are, if they are quick.

    Attributes:
        full_id: The encoder of the full passes to follow.
        reads: Key frames; or every frame, to compare: then shots are those of a full pass, and only clips are small.
    """

    full_id: str
    reads: Reads = "key frames"

    def recipe(self, settings: IndexSettings, spec: ClipSpec) -> str:
        """Return the recipe of the passes; see `IndexSettings.recipe`.

        Args:
            settings: Lengths of segments, posters and previews. Key frames need no detector.
            spec: The clip shape of the quick encoder.
        """
        if self.reads == "every frame":
            return settings.recipe(spec)
        names = ("segment_seconds", "poster_pixels", "preview_pixels", "preview_seconds", "preview_rate")
        chosen: dict[str, object] = {name: getattr(settings, name) for name in names}
        chosen["clip"] = list(astuple(spec))
        chosen["version"] = [PASS_VERSION, KEYS_VERSION]
        digest = hashlib.blake2b(json.dumps(chosen, sort_keys=True).encode(), digest_size=6).hexdigest()
        return f"keys-{settings.segment_seconds:g}s-{spec.frames}x{spec.size}-{digest}"


def known_to_quick_pass(record: KnownFile, recipe: str) -> KnownFile:
    """Return a known file as a run of quick passes takes it: what has had a full pass needs no quick one."""
    if record.quick:
        return record
    return replace(record, embedded=True, recipe=recipe_for(recipe, record.kinds))


def most_useful_first(tasks: Sequence[VideoTask], waiting: Sequence[QuickVideo]) -> list[VideoTask]:
    """Return tasks in the order in which they are of use.

    What cannot be found at all comes first: new and changed files. Then the videos that wait for their full pass:
    those with clips in collections, those whose hits were looked at, and the newest.

    Args:
        tasks: The tasks.
        waiting: The videos that wait for their full pass, the most useful first.
    """
    places = {video.path: place for place, video in enumerate(waiting)}
    return sorted(tasks, key=lambda task: places.get(task.file.path, -1))
