"""Short names of encoders, for people: what tells those of one search apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.strength import Opinion

_OPEN_CLIP = "open_clip:"
_DIGEST = 6  # characters of a digest that tell two files apart


def labels_of(encoder_ids: Iterable[str]) -> dict[str, str]:
    """Return a short name for each encoder's id, all different: `base`, `PE-Core-B-16`, `demo 4f`."""
    ids = list(dict.fromkeys(encoder_ids))
    labels = {each: _name(each) for each in ids}
    for more in (_shape, _digest):
        names = list(labels.values())
        labels = {each: f"{name} {more(each)}" if names.count(name) > 1 else name for each, name in labels.items()}
    return labels


def opinions_text(opinions: Iterable[Opinion]) -> str:
    """Return what each encoder thinks of a hit in a few characters: `base 3.1, PE-Core-B-16 2.4`."""
    known = list(opinions)
    labels = labels_of(each.encoder_id for each in known)
    return ", ".join(
        f"{labels[each.encoder_id]} {'-' if each.strength is None else format(each.strength.value, '.1f')}"
        for each in known
    )


def _name(encoder_id: str) -> str:
    from encoder.config import ALIASES

    name = encoder_id.partition("@")[0]
    aliases = {full: alias for alias, full in ALIASES.items()}
    return name.removeprefix(_OPEN_CLIP).partition("/")[0] if name.startswith(_OPEN_CLIP) else aliases.get(name, name)


def _shape(encoder_id: str) -> str:
    """Return the number of frames, the first part after the digest."""
    return encoder_id.partition("@")[2].partition(":")[2].partition(":")[0]


def _digest(encoder_id: str) -> str:
    return encoder_id.partition("@")[2][:_DIGEST]
