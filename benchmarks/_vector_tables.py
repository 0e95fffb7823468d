"""Tables of figures, in which two stores stand side by side with their ratio."""

from __future__ import annotations

from collections.abc import Mapping

OURS, FORMER = "this tree", "former"

Figures = dict[str, float]
"""The name of a column -> its value."""


def show(title: str, groups: Mapping[str, Mapping[str, Figures]]) -> None:
    """Print a table.

    Args:
        title: The line above.
        groups: The name of a group (may be empty) -> the name of an index -> its figures. Where a group has OURS and
            FORMER, a line with the ratio of the two follows them.
    """
    lines: dict[str, Figures] = {}
    for group, indexes in groups.items():
        for name, figures in indexes.items():
            lines[f"{group} {name}".strip()] = figures
            if name == FORMER and OURS in indexes:
                lines[f"{group} ratio".strip()] = ratios(indexes[OURS], figures)
    widths = {column: max(len(column), 9) for figures in lines.values() for column in figures}
    first = max(map(len, lines))
    print(f"{title}\n")
    print(f"| {'':{first}} | " + " | ".join(f"{column:>{width}}" for column, width in widths.items()) + " |")
    print(f"|{'-' * (first + 2)}|" + "|".join(f"{'-' * (width + 1)}:" for width in widths.values()) + "|")
    for label, figures in lines.items():
        cells = (f"{f'{figures[name]:.4g}' if name in figures else '':>{width}}" for name, width in widths.items())
        print(f"| {label:{first}} | " + " | ".join(cells) + " |")
    print(flush=True)


def ratios(ours: Figures, former: Figures) -> Figures:
    """Return ours over the former's, where both have a figure and it is not 0."""
    return {name: value / former[name] for name, value in ours.items() if former.get(name)}
