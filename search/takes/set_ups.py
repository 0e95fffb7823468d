"""Set-ups: shots that are takes of each other, grouped by their runs, from the relations of pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from search.takes.relations import Relation

_LEAST_SHARE = 0.5
"""Of all pairs between two groups, those that must be related before the groups become one: a set-up never grows from
shot to shot into another one."""

Pair = tuple[int, int]
"""Ids of two segments, the lower one first."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """The shots of one set-up.

    Attributes:
        runs: Two or more; for each, the ids of the segments that show it, ascending.
    """

    runs: tuple[tuple[int, ...], ...]

    def run_of(self, segment_id: int) -> int:
        """Return the number of the run that a segment of the set-up shows, from 0."""
        return next(at for at, run in enumerate(self.runs) if segment_id in run)


def set_ups_of(related: Mapping[Pair, tuple[Relation, float]]) -> dict[int, SetUp]:
    """Return the set-up of each segment that has one.

    The most alike come together first. Parts of one run that goes on speak against it.

    Args:
        related: Relation and likeness of pairs.
    """
    groups: dict[int, set[int]] = {}
    together = sorted(((-alike, pair) for pair, (kind, alike) in related.items() if kind is not Relation.PARTS))
    for _, (first, second) in together:
        one, other = groups.get(first, {first}), groups.get(second, {second})
        if one is other:
            continue
        between = [related.get((min(pair), max(pair))) for pair in product(one, other)]
        kinds = [None if each is None else each[0] for each in between]
        parts = kinds.count(Relation.PARTS)
        others = sum(kind is not None for kind in kinds) - parts
        if others <= parts or others < _LEAST_SHARE * len(kinds):
            continue
        joined = one | other
        for each in joined:
            groups[each] = joined
    found: dict[int, SetUp] = {}
    for group in {id(each): each for each in groups.values()}.values():
        runs = _runs(group, related)
        if len(runs) > 1:
            found |= dict.fromkeys(group, SetUp(runs))
    return found


def _runs(group: Iterable[int], related: Mapping[Pair, tuple[Relation, float]]) -> tuple[tuple[int, ...], ...]:
    """Return the runs of a group: what shows the same one, or parts of it, comes together."""
    members = sorted(group)
    run_of = {each: {each} for each in members}
    for at, first in enumerate(members):
        for second in members[at + 1 :]:
            kind = related.get((first, second))
            if kind is not None and kind[0] is not Relation.TAKE and run_of[first] is not run_of[second]:
                joined = run_of[first] | run_of[second]
                for each in joined:
                    run_of[each] = joined
    runs: dict[int, list[int]] = defaultdict(list)
    for each in members:
        runs[min(run_of[each])].append(each)
    return tuple(tuple(run) for _, run in sorted(runs.items()))
