"""Examples that a run is trained on: stretches of videos with their sentences, divided by content into sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Example:
    """A stretch of a video and what is said of it.

    Attributes:
        path: The file, absolute.
        start_seconds, end_seconds: From the first frame shown, end exclusive; None for the beginning and the end.
        captions: The sentences about it; none for footage without words.
        content: Fingerprint of the file: copies of one file are one.
        split: `train`, `validation`, `test`, or "" where nobody said.
        group: What else must stay together, such as an animal; "" where nobody said.
    """

    path: str
    start_seconds: float | None
    end_seconds: float | None
    captions: tuple[str, ...]
    content: str
    split: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stretch that cannot be trained on, with the reason in one sentence."""

    path: str
    start_seconds: float | None
    end_seconds: float | None
    reason: str


def divide(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Return the examples, each with its side in `split`: train, validation or test.

    Stretches of one content, and those of one group, are on one side. Where a file of captions says which, that
    counts; where it says two things of one content, what is kept from training wins. Otherwise the groups with the
    smallest hashes are held out: a group stays on its side as long as few others come or go.

    Args:
        examples: All of them.
        share: Of the groups that nobody assigned, to hold out; above 0, at least one if there are two.
        seed: Chooses the hashes.
    """
    groups = _joined(examples)
    said: dict[str, set[str]] = {}
    for each, group in zip(examples, groups, strict=True):
        said.setdefault(group, set()).add(each.split)
    sides = {
        group: next((side for side in ("test", "validation", "train") if side in of), "") for group, of in said.items()
    }
    free = sorted((group for group, side in sides.items() if not side), key=lambda group: _hash(group, seed))
    assigned = any(side == "validation" for side in sides.values())
    held = 0 if assigned or share <= 0 or len(free) < 2 else min(max(1, round(share * len(free))), len(free) - 1)
    sides |= {group: "validation" if place < held else "train" for place, group in enumerate(free)}
    return [replace(each, split=sides[group], group=group) for each, group in zip(examples, groups, strict=True)]


def _joined(examples: Sequence[Example]) -> list[str]:
    """Return the name of a group for each example: those that share a content or a group have the same one."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for each in examples:
        if each.group:
            first, second = sorted((root(f"content {each.content}"), root(f"group {each.group}")))
            parent[second] = first  # the smaller name, whatever the order of the file
    return [root(f"content {each.content}") for each in examples]


def _hash(group: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed} {group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


def sides_of(examples: Iterable[Example]) -> dict[str, int]:
    """Return how many examples each side has."""
    counts = {"train": 0, "validation": 0, "test": 0}
    for each in examples:
        counts[each.split] += 1
    return counts
