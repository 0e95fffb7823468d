"""Report at the end of an index run, as text and as JSON values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from app.shell.encoder_labels import labels_of
from app.shell.interrupt import NOTHING_FINISHED, STOPPED
from app.shell.listing import failure_record
from app.shell.terminal import count_text, display_path, printable, table
from app.times import format_duration
from db.records import Failure
from indexer.scan import Problem

if TYPE_CHECKING:
    from indexer.report import IndexReport

_COUNTS = (
    ("added", "added"),
    ("updated", "indexed again"),
    ("deepened", "indexed in full after a quick pass"),
    ("unchanged", "unchanged"),
    ("mended", "with new posters"),
    ("touched", "only touched"),
    ("moved", "moved"),
    ("duplicates", "already indexed at another path"),
    ("aliases", "reached through a link"),
    ("returned", "restored"),
    ("removed", "removed"),
    ("expired", "removed for good"),
    ("left", "left as they were indexed"),
)
_ENDINGS = 5  # endings of other files that are named
_STAGES = (
    ("scan", "looking for videos"),
    ("fingerprint", "comparing contents"),
    ("decode", "decoding (all workers together)"),
    ("hash", "hashing contents"),
    ("encode", "encoding"),
    ("store", "storing"),
    ("words", "reading words"),
)


def print_report(report: IndexReport) -> None:
    """Print the counts, one line for each failure with its reason, and the times."""
    click.echo(counts_text(report))
    _print_lines("failed:", [_failure_row(each) for each in report.failed])
    if report.skipped_failed:
        files = count_text(len(report.skipped_failed), "file")
        click.echo(
            f"{files} failed before and have not changed (why: prismsearch list --failed; try again: prismsearch retry)"
        )
    _print_lines("to check:", [(display_path(each.path), printable(each.reason)) for each in report.problems])
    _print_lines("note:", [(display_path(each.path), printable(each.reason)) for each in report.notes])
    _print_lines(
        "missing, but kept (drive or card not connected? prismsearch remove --missing FOLDER removes them):",
        [(display_path(path),) for path in report.kept_missing],
    )
    if report.own_exports:
        clips, first = count_text(len(report.own_exports), "clip"), display_path(report.own_exports[0])
        click.echo(f"left out: {clips} exported by prismsearch, such as {first} (index --include-exports indexes them)")
    if report.camera_proxies:
        copies = "small copies" if len(report.camera_proxies) > 1 else "small copy"
        click.echo(f"left out: {len(report.camera_proxies):,} {copies} that a camera recorded beside its videos")
    if not_looked_at := left_out_text(report):
        click.echo(f"skipped: {not_looked_at}")
    if report.quick:
        click.echo(f"quick so far: {quick_text(report.quick)}")
    if report.lines:
        click.echo(
            f"words: {count_text(report.lines, 'line')} of subtitles, chapters and tags read from "
            f"{count_text(report.videos_read, 'video')}"
        )
    if report.fell_back:
        click.echo(
            f"{count_text(report.fell_back, 'video')} decoded on the processor, because no other device could (see "
            "--hardware)"
        )
    if report.clips:
        speed = f", {report.speed:.1f}x real time" if report.speed else ""
        click.echo(
            f"{format_duration(report.video_seconds)} of video, {count_text(report.frames, 'frame')}, "
            f"{count_text(report.clips, 'part')} of shots{_rows_text(report)} in "
            f"{format_duration(report.seconds['wall'])}{speed}"
        )
        stages = [
            f"{words} {format_duration(report.seconds[name])}"
            for name, words in _STAGES
            if report.seconds.get(name, 0.0) >= 0.05
        ]
        click.echo(f"of that: {', '.join(stages)}")


def _rows_text(report: IndexReport) -> str:
    """Return ` (base 680, PE-Core-B-16 12)`, the parts that each of several encoders has encoded; "" for one."""
    if len(report.rows) < 2:
        return ""
    labels = labels_of(report.rows)
    return f" ({', '.join(f'{labels[each]} {count:,}' for each, count in report.rows.items())})"


def quick_text(count: int) -> str:
    """Return how many videos wait for their full pass, and how they get it."""
    waits = "waits for its full pass" if count == 1 else "wait for their full pass"
    return f"{count_text(count, 'video')} {waits} (prismsearch index FOLDER, without --quick)"


def counts_text(report: IndexReport) -> str:
    """Return `12 videos added, 3 unchanged, 1 failed`, without the counts that are zero."""
    return ", ".join(_counts(report)) or ("nothing was finished" if not report.complete else "no videos found")


def _counts(report: IndexReport) -> list[str]:
    counts = [(getattr(report, name), words) for name, words in _COUNTS]
    counts += [(len(report.kept_missing), "missing but kept"), (len(report.failed), "failed")]
    shown = [(count, words) for count, words in counts if count]
    noun = "file" if shown and shown[0][1] == "failed" else "video"  # it may be no video at all
    return [
        f"{f'{count:,}' if place else count_text(count, noun)} {words}" for place, (count, words) in enumerate(shown)
    ]


def stopped_text(report: IndexReport) -> str:
    """Return what the shell says of a run that was stopped, below its counts."""
    return STOPPED if _counts(report) else NOTHING_FINISHED


def stopped_message(report: IndexReport) -> str:
    """Return what the journal says of a run that was stopped."""
    return f"{counts_text(report)}; what was finished is kept" if _counts(report) else NOTHING_FINISHED


def left_out_text(report: IndexReport) -> str:
    """Return `1 hidden file, 12 other files (jpg 10, txt 2)`; empty if there are none."""
    parts = [count_text(report.hidden, "hidden file")] if report.hidden else []
    if report.others:
        endings = [f"{printable(ending) or 'no extension'} {count:,}" for ending, count in report.others[:_ENDINGS]]
        more = ["..."] if len(report.others) > _ENDINGS else []
        total = count_text(sum(count for _, count in report.others), "other file")
        parts.append(f"{total} ({', '.join([*endings, *more])})")
    return ", ".join(parts)


def _print_lines(title: str, rows: list[tuple[str, ...]]) -> None:
    if rows:
        click.echo(title)
        for line in table(rows, "<" * len(rows[0])):
            click.echo(f"  {line}")


def _failure_row(failure: Failure) -> tuple[str, str]:
    return display_path(failure.path), printable(failure.reason)


def report_record(report: IndexReport) -> dict[str, Any]:
    """Return the report as JSON values: every field of IndexReport under its own name, and the speed."""
    record = {each.name: _json_value(getattr(report, each.name)) for each in dataclasses.fields(report)}
    return {**record, "speed": None if report.speed is None else round(report.speed, 2)}


def _json_value(value: Any) -> Any:
    """Return the JSON value of a field; seconds are rounded to milliseconds."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Failure):
        return failure_record(value)
    if isinstance(value, Problem):
        return {"path": value.path, "reason": value.reason}
    if isinstance(value, Mapping):
        return {name: _json_value(each) for name, each in value.items()}
    return [_json_value(each) for each in value] if isinstance(value, tuple) else value
