"""Texts about long jobs: progress, outcome, and details of index reports."""

from __future__ import annotations

import time
from typing import Any

from app.jobs.state import JobState
from app.shell.terminal import count_text, printable
from app.times import format_duration

_STARTS = {
    "index": "Loading the encoder",
    "read-text": "Loading what reads text",
    "transcribe": "Loading the speech model",
}


def progress_text(state: JobState) -> str:
    """Return the progress of a job as one line, as far as known."""
    progress = state.progress
    if state.stopping:
        return "Stopping; finished work is kept"
    if progress.phase in ("", "start"):
        return _STARTS.get(state.kind, "Starting")
    if progress.phase == "waiting":
        return "The library's server is not reachable; waiting for it"
    if progress.phase == "others":
        return progress.text[:1].upper() + progress.text[1:]
    if progress.phase == "scan":
        return f"Looking for videos · {count_text(progress.files_done, 'file')}"
    if progress.phase == "facts":
        return f"Reading file details · {progress.files_done:,} of {progress.files_total:,}"
    if progress.phase == "words":
        return f"Reading subtitles, chapters and tags · {progress.files_done:,} of {progress.files_total:,}"
    if progress.phase == "fingerprint":
        return f"Comparing contents · {progress.files_done:,} of {progress.files_total:,}"
    if state.kind not in ("index", "read-text", "transcribe"):
        return progress.text or progress.phase
    parts = [f"{progress.files_done:,} of {count_text(progress.files_total, 'video')}"]
    if progress.fraction is not None:
        parts.append(f"{progress.fraction:.0%}")
    if progress.speed is not None:
        parts.append(f"{progress.speed:.1f}× real time")
    if progress.eta_seconds is not None:
        parts.append(f"about {format_duration(progress.eta_seconds)} left")
    return " · ".join(parts)


def report_lines(state: JobState) -> list[str]:
    """Return lines about an index report beyond its counts."""
    left_out = state.report.get("left_out") if isinstance(state.report.get("left_out"), dict) else {}

    def held(name: str) -> list[Any]:
        value = state.report.get(name)
        return value if isinstance(value, list) else []

    def number(name: str) -> int:
        more = left_out.get(name, 0) if isinstance(left_out, dict) else 0
        return len(held(name)) + (more if isinstance(more, int) else 0)

    lines = []
    for problem in held("problems")[:3]:
        if isinstance(problem, dict):
            lines.append(f"{printable(str(problem.get('path', '')))} {problem.get('reason', '')}")
    if number("problems") > 3:
        lines.append(f"and {number('problems') - 3:,} more problems")
    for note in held("notes")[:3]:
        if isinstance(note, dict):
            lines.append(f"{printable(str(note.get('path', '')))}: {note.get('reason', '')}")
    if number("notes") > 3:
        lines.append(f"and notes on {number('notes') - 3:,} more")
    if skipped := number("skipped_failed"):
        lines.append(f"Not retried: {count_text(skipped, 'file')} that failed before and did not change")
    if kept := number("kept_missing"):
        lines.append(f"Offline: {count_text(kept, 'video')}, kept in the library. Is a drive disconnected?")
    quick = state.report.get("quick")
    if isinstance(quick, int) and quick:
        lines.append(f"Quick so far: {count_text(quick, 'video')}")
    hidden = state.report.get("hidden")
    others = sum(
        each[1] for each in held("others") if isinstance(each, list) and len(each) == 2 and isinstance(each[1], int)
    )
    left = [
        count_text(count, noun)
        for count, noun in ((hidden, "hidden file"), (others, "other file"))
        if isinstance(count, int) and count
    ]
    if left:
        lines.append(f"Skipped: {', '.join(left)}")
    return lines


def capitalized(message: str) -> str:
    """Return the message with a capital, unless it begins with a name."""
    return f"{message[:1].upper()}{message[1:]}" if message.partition(" ")[0].isalpha() else message


def when_text(state: JobState) -> str:
    """Return when a job started and how long it took."""
    began = time.strftime("%d %B, %H:%M", time.localtime(state.started_at)).lstrip("0")
    took = state.updated_at - state.started_at
    return f"{began} · {format_duration(took)}" if 0 < took < 1e7 else began
