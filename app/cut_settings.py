"""The cut settings of a library: detector, its options, segment and overlap seconds, decode.

The library stores them when it is indexed. Libraries before format 4 did not: theirs are read off the recipes that are
stored with their videos.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, get_args

from indexer.settings import DECODE, IndexSettings

if TYPE_CHECKING:
    from db.library import Library

_RECIPE = re.compile(r"(?P<detector>[a-z]+)-(?P<seconds>[0-9.]+)s-(?P<frames>\d+)x(?P<size>\d+)-[0-9a-f]+")


def cut_settings_of(library: Library | None) -> IndexSettings:
    """Return the settings that the library is indexed with where no option says otherwise.

    Args:
        library: None for a library that does not exist yet.

    Returns:
        The stored settings; else those of most of its videos, where the recipes tell; else the defaults.
    """
    if library is None:
        return IndexSettings()
    cuts = library.cut_settings()
    if cuts is None:
        return _from_recipes(library.recipes())
    return IndexSettings(
        detector=cuts.detector,
        detector_options=cuts.detector_options,
        segment_seconds=cuts.segment_seconds,
        overlap_seconds=cuts.overlap_seconds,
        decode=cuts.decode,
    )


def store_cut_settings(library: Library, settings: IndexSettings) -> None:
    """Make these settings the library's own."""
    from db.records import CutSettings

    library.use_cut_settings(
        CutSettings(
            detector=settings.detector,
            detector_options=settings.detector_options,
            segment_seconds=settings.segment_seconds,
            overlap_seconds=settings.overlap_seconds,
            decode=settings.decode,
        )
    )


def settings_of_recipe(recipe: str) -> IndexSettings | None:
    """Return the settings that have this recipe, or None where they cannot be told.

    A recipe names the detector and the segment seconds, and has a digest of everything else. So every `decode`, no
    overlap and the fits of clips are tried out; all other settings are taken to be the defaults.
    """
    from db.records import Fit
    from encoder import ClipSpec

    found = _RECIPE.fullmatch(recipe)
    if found is None:
        return None
    for decode, overlap, fit in product(DECODE, (IndexSettings().overlap_seconds, 0.0), get_args(Fit)):
        try:
            spec = ClipSpec(frames=int(found["frames"]), size=int(found["size"]), fit=fit)
            settings = IndexSettings(
                detector=found["detector"],
                segment_seconds=float(found["seconds"]),
                overlap_seconds=overlap,
                decode=decode,
            )
        except ValueError:
            continue
        if settings.recipe(spec) == recipe:
            return settings
    return None


def _from_recipes(recipes: dict[str, int]) -> IndexSettings:
    """Return the settings of most videos, so that as few as can be are encoded anew; of as many, the newest ones."""
    candidates: list[IndexSettings] = []
    counts: Counter[int] = Counter()
    for recipe, count in recipes.items():
        settings = settings_of_recipe(recipe)
        if settings is None:
            continue
        if settings not in candidates:
            candidates.append(settings)
        counts[candidates.index(settings)] += count
    return candidates[counts.most_common(1)[0][0]] if candidates else IndexSettings()
