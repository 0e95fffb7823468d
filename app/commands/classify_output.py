"""Output of `classify`: a table, JSON, paths, or a CSV with a line for each video or shot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.shell.exit_codes import FAILED
from app.shell.hits import strength_fields
from app.shell.terminal import count_text, display_path, print_json, print_note, print_paths, printable, table
from app.times import format_timestamp

if TYPE_CHECKING:
    from app.commands.classify_run import Findings
    from app.evaluation.labelled import Stretch
    from search.strength import Level

NONE = "none of these"
_BLOCK = 8192  # rows of a CSV made at once
_COLUMNS = ("file", "start", "end", "rank", "class", "cosine", "share", "level")


@dataclass(frozen=True, slots=True)
class ClassifyOutput:
    """The chosen form: JSON, paths, a CSV file; how many shots of each class; the least level; the classes shown."""

    as_json: bool
    print0: bool
    to: Path | None
    shots: int
    least_level: Level | None
    only: frozenset[str]


def show_findings(findings: Findings, output: ClassifyOutput) -> None:
    """Print what was found in the chosen form.

    Raises:
        click.exceptions.Exit: Code 1 if a file could not be read, or nothing reaches its level.
        OSError: The CSV could not be written.
    """
    for each in findings.unread:
        print_note(f"{display_path(each.stretch.path)}: {each.reason}")
    found = findings.classified
    if found.damaged:
        print_note(f"{count_text(found.damaged, 'damaged row')} left out")
    classes = classes_of(findings, output.least_level)
    wanted = [
        at for at, name in enumerate(classes) if name in output.only or (name is None and _shows_all(findings, output))
    ]
    shown = _best_of_each(findings, classes, wanted, output.shots) if findings.of_library else wanted
    if output.to is not None:
        _write_table(findings, classes, wanted, output.to)
    places = findings.stretches(wanted if output.print0 else shown)
    if output.print0:
        named = [place for at, place in zip(wanted, places, strict=True) if place and classes[at] is not None]
        print_paths(dict.fromkeys(each.path for each in named), null=True)
    elif output.as_json:
        print_json(_document(findings, classes, dict(zip(shown, places, strict=True))))
    else:
        for text in _lines(findings, classes, dict(zip(shown, places, strict=True))):
            click.echo(text)
    weak = all(each is not None and each.level == "weak" for each in found.strengths)
    if weak and len(found.ids):
        print_note("nothing is nearer to its class than unrelated questions are to their best match here: all are weak")
    if findings.unread or weak or not any(classes[at] for at in wanted):
        raise click.exceptions.Exit(FAILED)


def classes_of(findings: Findings, least_level: Level | None) -> list[str | None]:
    """Return the best class of each; None for what is weaker than the level."""
    found = findings.classified
    return [
        None if least_level and strength and not strength.reaches(least_level) else findings.names[best]
        for best, strength in zip(found.best.classes[:, 0].tolist(), found.strengths, strict=True)
    ]


def _shows_all(findings: Findings, output: ClassifyOutput) -> bool:
    return len(output.only) == len(findings.names)


def _best_of_each(findings: Findings, classes: Sequence[str | None], wanted: Sequence[int], most: int) -> list[int]:
    """Return the positions of the best shots of each class, classes with most shots first; none of what has none."""
    cosines = findings.classified.best.cosines[:, 0]
    counts, taken = Counter(classes[at] for at in wanted), Counter[str | None]()
    rank = {name: at for at, (name, _) in enumerate(counts.most_common())}
    shown = []
    for at in sorted(wanted, key=lambda at: (rank[classes[at]], -cosines[at])):
        taken[classes[at]] += 1
        if classes[at] is not None and taken[classes[at]] <= most:
            shown.append(at)
    return shown


def _lines(findings: Findings, classes: Sequence[str | None], places: dict[int, Stretch | None]) -> Iterator[str]:
    """Yield lines for people: of files a table with the best classes of each, of a library classes with their shots."""
    if not findings.of_library:
        rows = [row for at, place in places.items() for row in _rows_of_file(findings, classes, at, place)]
        yield from table(rows, "<<>><", header=("video", "class", "cosine", "share", "level"))
        return
    counts = Counter(classes)
    none = counts.pop(None, 0)
    last: str | None = None
    for at, place in places.items():
        name = classes[at]
        if name != last and name is not None:
            yield f"{printable(name)}: {count_text(counts[name], 'shot')}"
        last = name
        if place is not None:
            where = f"{_range(place)}  {display_path(place.path)}{_mark(findings, at)}"
            yield f"  {_cosine(findings, at, 0)}  {_share(findings, at, 0)}  {where}"
    if none:
        yield f"{NONE}: {count_text(none, 'shot')}"
    absent = [printable(name) for name in findings.names if name not in counts]
    if absent and len(counts) + len(absent) == len(findings.names):
        more = f", and {len(absent) - 10:,} more" if len(absent) > 10 else ""
        yield f"no shot: {', '.join(absent[:10])}{more}"


def _rows_of_file(
    findings: Findings, classes: Sequence[str | None], at: int, place: Stretch | None
) -> Iterator[tuple[str, ...]]:
    strength = findings.classified.strengths[at]
    file = "" if place is None else display_path(place.path)
    if classes[at] is None:
        yield file, NONE, "", "", "" if strength is None else strength.level
        return
    for rank, best in enumerate(findings.classified.best.classes[at].tolist()):
        level = strength.level if strength is not None and not rank else ""
        name = printable(findings.names[best])
        yield "" if rank else file, name, _cosine(findings, at, rank), _share(findings, at, rank), level


def _cosine(findings: Findings, at: int, rank: int) -> str:
    return f"{findings.classified.best.cosines[at, rank]:.3f}"


def _share(findings: Findings, at: int, rank: int) -> str:
    return f"{findings.classified.best.shares[at, rank]:4.0%}"


def _range(place: Stretch) -> str:
    return f"{format_timestamp(place.start_seconds or 0)}-{format_timestamp(place.end_seconds or 0)}"


def _mark(findings: Findings, at: int) -> str:
    strength = findings.classified.strengths[at]
    return "  (weak)" if strength is not None and strength.level == "weak" else ""


def _best_record(findings: Findings, at: int) -> list[dict[str, Any]]:
    best = findings.classified.best
    return [
        {
            "class": findings.names[which],
            "cosine": round(float(best.cosines[at, rank]), 6),
            "share": round(float(best.shares[at, rank]), 6),
        }
        for rank, which in enumerate(best.classes[at].tolist())
    ]


def _document(findings: Findings, classes: Sequence[str | None], places: dict[int, Stretch | None]) -> dict[str, Any]:
    counts = Counter(classes)
    return {
        **findings.facts,
        "classified": len(classes),
        "classes": [{"class": name, "count": counts[name]} for name in findings.names],
        "none": counts[None],
        "results": [
            {
                "path": place.path,
                "start_seconds": place.start_seconds,
                "end_seconds": place.end_seconds,
                "class": classes[at],
                **strength_fields(findings.classified.strengths[at]),
                "best": _best_record(findings, at),
            }
            for at, place in places.items()
            if place is not None
        ],
        "failed": [{"path": each.stretch.path, "reason": each.reason} for each in findings.unread],
    }


def _write_table(findings: Findings, classes: Sequence[str | None], wanted: Sequence[int], target: Path) -> None:
    """Write a line for each of the best classes of each video or shot, cells safe for spreadsheets."""
    from app.timelines.table_file import csv_bytes
    from files.replace import replace_file

    rows: list[dict[str, Any]] = []
    for start in range(0, len(wanted), _BLOCK):
        some = wanted[start : start + _BLOCK]
        for at, place in zip(some, findings.stretches(some), strict=True):
            if place is None:
                continue
            strength = findings.classified.strengths[at]
            level = None if strength is None else strength.level
            for rank, each in enumerate(_best_record(findings, at), start=1):
                where = {"file": place.path, "start": place.start_seconds, "end": place.end_seconds}
                label = NONE if rank == 1 and classes[at] is None else each["class"]
                rows.append({**where, "rank": rank, **each, "class": label, "level": level if rank == 1 else None})
    replace_file(target, csv_bytes(rows, _COLUMNS))
    print_note(f"{count_text(len(wanted), 'shot' if findings.of_library else 'video')} in {display_path(str(target))}")
