"""Cards of the long jobs, as the Indexing page shows them: their texts, and what can be done with each job."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.jobs.command_line import paths_of
from app.jobs.orders import (
    DownloadOrder,
    IndexOrder,
    Order,
    ReadTextOrder,
    RetryOrder,
    TranscribeOrder,
    order_of,
)
from app.shell.terminal import printable
from app.web.services.job_texts import capitalized, progress_text, report_lines, when_text

if TYPE_CHECKING:
    from app.jobs.state import JobState

MAX_FAILURES = 20
"""Failures listed on a card; `failed` is the count of all."""
_VERBS = {
    "index": "Indexing",
    "export": "Exporting",
    "download": "Downloading",
    "read-text": "Reading text in",
    "transcribe": "Transcribing",
}
_OUTCOMES = {"done": "Done", "stopped": "Stopped", "failed": "Failed", "interrupted": "Interrupted"}


def job_card(state: JobState, *, has_log: bool) -> dict[str, Any]:
    """Return the card of a job.

    Args:
        state: The state from its journal.
        has_log: Whether its output is kept.
    """
    verb, where = _verb(state), paths_of(state)
    card: dict[str, Any] = {
        "id": state.id,
        "title": f"{verb} {printable(state.title)}".strip(),
        "where": printable(where[0]) + (f" and {len(where) - 1:,} more" if len(where) > 1 else "") if where else "",
        "outcome": state.outcome,
        "failures": [
            {
                "file": printable(os.path.basename(each.path)),
                "reason": printable(each.reason),
                "folder": printable(os.path.dirname(each.path)),
            }
            for each in state.failures[:MAX_FAILURES]
        ],
        "failed": state.failed,
        "actions": [*_actions(state), *(["log"] if has_log else [])],
    }
    if state.running:
        share = state.progress.fraction
        return card | {
            "progress": progress_text(state),
            "share": share if share is not None and 0 <= share <= 1 else 0.0,
            "current": " · ".join(printable(os.path.basename(path)) for path in state.progress.current),
        }
    failed = f" · {state.failed:,} failed" if state.failed else ""
    lines = [capitalized(state.message), *report_lines(state)]
    return card | {
        "result": _OUTCOMES[state.outcome or "interrupted"] + failed,
        "lines": [printable(line) for line in lines if line],
        "when": when_text(state),
    }


def _verb(state: JobState) -> str:
    order = order_of(state)
    if isinstance(order, IndexOrder) and order.quick:
        return "Quick pass over"
    return _VERBS.get(state.kind, state.kind.capitalize())


def order_to_restart(state: JobState, *, retry: bool) -> Order | None:
    """Return the order that continues a finished job, or that retries its failures; None where there is none.

    An index job that retries scans its folders again, failed files included.
    """
    order = order_of(state)
    if retry and isinstance(order, IndexOrder):
        return replace(order, redo=False, retry_failed=True)
    if retry and isinstance(order, ReadTextOrder | TranscribeOrder):  # what failed has no lines yet
        return replace(order, redo=False)
    return order


def _actions(state: JobState) -> list[str]:
    """Return what can be done with a job, in the order of its buttons."""
    if state.running:
        return [] if state.stopping else ["stop"]
    actions, order = [], order_of(state)
    if state.outcome != "done" and isinstance(
        order, IndexOrder | RetryOrder | DownloadOrder | ReadTextOrder | TranscribeOrder
    ):
        actions.append("resume")
    if isinstance(order, IndexOrder | RetryOrder) and (state.failed or state.report.get("skipped_failed")):
        actions.append("retry")
    if isinstance(order, ReadTextOrder | TranscribeOrder) and state.outcome == "done" and state.failed:
        actions.append("retry")
    return [*actions, "forget"]
