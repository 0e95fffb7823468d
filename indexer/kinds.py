"""Versions of what the decode pass does with videos of a kind, and the recipes that tell them apart.

When the treatment of a kind changes, its version is raised here: then only the videos of that kind are indexed again.
`indexer.settings.PASS_VERSION`, in contrast, concerns every video. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

TREATMENTS: Mapping[str, int] = MappingProxyType({"alpha": 1, "clock": 1, "hdr": 1, "interlaced": 1})
"""The version of the treatment of each kind (`db.media_facts.VideoKind`); a kind not listed is only recorded."""


def recipe_for(recipe: str, kinds: Iterable[str]) -> str:
    """Return the recipe of a video of these kinds.

    Args:
        recipe: From `IndexSettings.recipe`; the recipe of a video that is of no special kind.
        kinds: The kinds of the video.
    """
    return recipe + "".join(f"+{kind}{TREATMENTS[kind]}" for kind in sorted(kinds) if kind in TREATMENTS)


def plain_recipe(recipe: str) -> str:
    """Return a recipe without its kinds."""
    return recipe.partition("+")[0]
