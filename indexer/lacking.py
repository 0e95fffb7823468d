"""Known videos that were not indexed as a run would index them: by which of its encoders, and how they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from db.records import KnownFile
from indexer.kinds import recipe_for

Lacking = Mapping[int, Mapping[int, KnownFile]]
"""By the id of a video, and by the number of each encoder whose rows it lacks: how it was indexed, as to it."""


def is_current(record: KnownFile, recipe: str) -> bool:
    """Return whether a video was indexed by a recipe: that of the run, for the video's kinds."""
    return record.embedded and record.recipe == recipe_for(recipe, record.kinds)


def lacking(records: Iterable[Iterable[KnownFile]], recipes: Iterable[str]) -> dict[int, dict[int, KnownFile]]:
    """Return which encoders each known video lacks.

    Args:
        records: For each encoder of the run, the known files as to it.
        recipes: For each, the recipe of the run.
    """
    found: dict[int, dict[int, KnownFile]] = {}
    for number, (files, recipe) in enumerate(zip(records, recipes, strict=True)):
        for record in files:
            if not is_current(record, recipe):
                found.setdefault(record.video_id, {})[number] = record
    return found
