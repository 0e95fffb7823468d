"""The cut settings of a library: detector, its options, segment and overlap seconds, decode.

The library stores them when it is indexed. Libraries older than format 4 do not have them: theirs are inferred from the
recipes stored with their videos.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise, product
from types import MappingProxyType
from typing import TYPE_CHECKING, get_args

from indexer.kinds import plain_recipe
from indexer.settings import DECODE, IndexSettings, OptionValue

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder

FORMER_DEFAULTS: Mapping[str, Mapping[str, OptionValue]] = MappingProxyType(
    {"blend": {"blend_score": 0.5, "min_scene_len": "0.6s"}, "learned": {"threshold": 0.3}}
)
"""Options that were a detector's defaults in earlier versions, where they differ from those of today."""

_RECIPE = re.compile(r"(?P<detector>[a-z]+)-(?P<seconds>[0-9.]+)s-(?P<frames>\d+)x(?P<size>\d+)-[0-9a-f]+")


def default_detector() -> str:
    """Return the detector of a new library: `learned` if its weights are installed, else `blend`."""
    from encoder.shot_boundaries import installed_weights

    return "blend" if installed_weights() is None else "learned"


def new_library_settings() -> IndexSettings:
    """Return the settings that a new library begins with, unless options or the settings file override them."""
    return IndexSettings(detector=default_detector())


def cut_settings_of(library: Library | None, *, new: IndexSettings | None = None) -> IndexSettings:
    """Return the settings that the library is indexed with, unless options override them.

    Args:
        library: None for a library that does not exist yet.
        new: The settings of a library without videos, by default `new_library_settings()`.

    Returns:
        The stored settings; else those of most videos, as far as their recipes show; else those of a new library.
    """
    cuts = None if library is None else library.cut_settings()
    if cuts is None:
        return (None if library is None else _from_recipes(library)) or new or new_library_settings()
    return IndexSettings(
        detector=cuts.detector,
        detector_options=cuts.detector_options,
        segment_seconds=cuts.segment_seconds,
        overlap_seconds=cuts.overlap_seconds,
        decode=cuts.decode,
        hash_content=cuts.hash_content or IndexSettings().hash_content,
    )


def renewed(own: IndexSettings, new: IndexSettings | None = None) -> IndexSettings:
    """Return a library's settings with the detector, its options and the way of decoding of a new library.

    The lengths of segments and overlaps were chosen, so they stay.

    Args:
        own: The library's settings.
        new: Those of a new library, by default `new_library_settings()`.
    """
    new = new or new_library_settings()
    return replace(own, detector=new.detector, detector_options=new.detector_options, decode=new.decode)


def has_former_defaults(own: IndexSettings) -> bool:
    """Return whether these settings are the defaults of an earlier version, or of an installation without weights."""
    former = FORMER_DEFAULTS.get(own.detector)
    if former is None or renewed(own) == own:
        return False
    return own.detector_options in ({}, IndexSettings(detector=own.detector, detector_options=former).detector_options)


def store_cut_settings(library: Library, settings: IndexSettings) -> None:
    """Make these settings the library's own."""
    from db.records import CutSettings

    library.use_cut_settings(
        CutSettings(
            detector=settings.detector,
            detector_options=settings.all_detector_options,  # so that they stay if defaults change
            segment_seconds=settings.segment_seconds,
            overlap_seconds=settings.overlap_seconds,
            decode=settings.decode,
            hash_content=settings.hash_content,
        )
    )


def adopt_videos(library: Library, encoder: Encoder, settings: IndexSettings) -> int:
    """Mark videos that an older version cut with unstored options as cut with `settings`.

    Otherwise they would only be known to have another recipe, and all of them would be re-encoded. This happens once,
    before the library's settings are stored for the first time, and only if no option overrides the library's
    settings.

    Args:
        library: Open for writing.
        encoder: The encoder whose videos to adopt.
        settings: The settings of the index run.

    Returns:
        The number of videos adopted.
    """
    if library.cut_settings() is not None:
        return 0
    recipe = settings.recipe(encoder.clip_spec)
    prefix = recipe.rpartition("-")[0]
    unreadable = [
        each
        for each, found in _read_recipes(library).items()
        if found is None and each != recipe and each.rpartition("-")[0] == prefix
    ]
    if not unreadable or recipe != cut_settings_of(library).recipe(encoder.clip_spec):
        return 0
    return library.replace_recipes(encoder.id, unreadable, recipe)


def settings_of_recipe(recipe: str, overlaps: Sequence[float] = ()) -> IndexSettings | None:
    """Return the settings that have this recipe, or None if they cannot be determined.

    A recipe names the detector and the segment seconds, and has a digest of everything else. So every `decode`, the
    default overlap, no overlap and `overlaps`, the fits of clips and whether they have both ends, and the detector's
    defaults and former defaults are tried out; all other settings are taken to be the defaults.
    """
    from db.records import Fit
    from encoder import ClipSpec

    recipe = plain_recipe(recipe)
    found = _RECIPE.fullmatch(recipe)
    if found is None:
        return None
    detector, former = found["detector"], FORMER_DEFAULTS.get(found["detector"])
    lengths = (IndexSettings().overlap_seconds, 0.0, *overlaps)
    every = product(DECODE, lengths, get_args(Fit), (False, True), ({}, *([former] if former else [])))
    for decode, overlap, fit, ends, options in every:
        try:
            spec = ClipSpec(frames=int(found["frames"]), size=int(found["size"]), fit=fit, ends=ends)
            settings = IndexSettings(
                detector=detector,
                detector_options=options,
                segment_seconds=float(found["seconds"]),
                overlap_seconds=overlap,
                decode=decode,
            )
        except ValueError:
            continue
        if settings.recipe(spec) == recipe:
            return settings
    return None


def detector_and_length(recipe: str) -> tuple[str, float | None]:
    """Return the detector and the segment seconds that a recipe names; "" and None if it cannot be read."""
    found = _RECIPE.fullmatch(plain_recipe(recipe))
    return ("", None) if found is None else (found["detector"], float(found["seconds"]))


def _from_recipes(library: Library) -> IndexSettings | None:
    """Return the most common settings of videos, so that as few as possible are re-encoded. Ties go to the newest.

    If no recipe can be fully decoded, the most common one still provides detector and segment seconds. None without
    videos.
    """
    recipes = library.recipes()
    counts: Counter[int] = Counter()
    candidates: list[IndexSettings] = []
    for recipe, settings in _read_recipes(library).items():
        if settings is None:
            continue
        if settings not in candidates:
            candidates.append(settings)
        counts[candidates.index(settings)] += recipes[recipe]
    if candidates:
        return candidates[counts.most_common(1)[0][0]]
    for recipe, _ in Counter(recipes).most_common(1):
        found = _RECIPE.fullmatch(plain_recipe(recipe))
        with suppress(ValueError):
            if found is not None:
                settings = IndexSettings(
                    detector=found["detector"], segment_seconds=float(found["seconds"]), overlap_seconds=0.0
                )
                overlap = min((*_overlaps(library), settings.segment_seconds / 2, IndexSettings().overlap_seconds))
                return replace(settings, overlap_seconds=overlap)
    return IndexSettings(detector="blend") if recipes else None


def _read_recipes(library: Library) -> dict[str, IndexSettings | None]:
    """Return the settings of each recipe of the library, None for those that cannot be determined, the newest first."""
    found = {recipe: settings_of_recipe(recipe) for recipe in library.recipes()}
    if None in found.values():  # measuring the overlap may look at the segments of every video
        overlaps = _overlaps(library)
        found = {recipe: settings or settings_of_recipe(recipe, overlaps) for recipe, settings in found.items()}
    return found


def _overlaps(library: Library) -> list[float]:
    """Return the overlap in seconds of parts of the first long shot that is found, in milliseconds' precision."""
    for video in library.videos():
        if video.id is not None:
            for one, other in pairwise(library.segments_of(video.id)):
                if one.shot_number == other.shot_number:
                    return [round(float((one.end_pts - other.start_pts) * video.time_base), 3)]
    return []
