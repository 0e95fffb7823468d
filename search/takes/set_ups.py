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
    shown = _joined(related, (Relation.SAME,), {})
    groups = _joined(related, (Relation.TAKE, Relation.SAME), shown)
    found: dict[int, SetUp] = {}
    for group in {id(each): each for each in groups.values()}.values():
        runs = _runs(group, related)
        if len(runs) > 1:
            found |= dict.fromkeys(group, SetUp(runs))
    return found


def _joined(
    related: Mapping[Pair, tuple[Relation, float]], kinds: tuple[Relation, ...], one_of: Mapping[int, set[int]]
) -> dict[int, set[int]]:
    """Return the group of each segment that pairs of some kinds bring together.

    Args:
        related: Relation and likeness of pairs.
        kinds: Those that count for a group; PARTS count against it.
        one_of: Segments that count as one, by each of them: what is a take of one of them is a take of all.
    """
    groups: dict[int, set[int]] = dict(one_of)
    together = sorted((-alike, pair) for pair, (kind, alike) in related.items() if kind in kinds)
    for _, (first, second) in together:
        one, other = groups.get(first, {first}), groups.get(second, {second})
        if one is other:
            continue
        votes = [
            sum(_vote(related.get((min(pair), max(pair))), kinds) for pair in product(*units))
            for units in product(_units(one, one_of), _units(other, one_of))
        ]
        others, parts = sum(vote > 0 for vote in votes), sum(vote < 0 for vote in votes)
        if others <= parts or others < _LEAST_SHARE * len(votes):
            continue
        joined = one | other
        for each in joined:
            groups[each] = joined
    return groups


def _units(group: set[int], one_of: Mapping[int, set[int]]) -> list[set[int]]:
    """Return a group in parts that count as one."""
    units = {min(unit): unit for unit in (one_of.get(each, {each}) for each in group)}
    return list(units.values())


def _vote(related: tuple[Relation, float] | None, kinds: tuple[Relation, ...]) -> int:
    """Return 1 for a pair of one of some kinds, -1 for parts of one run, 0 for no relation."""
    if related is None:
        return 0
    return 1 if related[0] in kinds else -1 if related[0] is Relation.PARTS else 0


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
