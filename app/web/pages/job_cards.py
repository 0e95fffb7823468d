"""Cards of the long jobs: the progress or outcome of each, and buttons to stop, resume, retry or remove it.

A fragment redraws them every second, without the rest of the page.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from app.compose import settings_from
from app.jobs.command_line import paths_of
from app.jobs.orders import DownloadOrder, IndexOrder, Order, RetryOrder, order_of
from app.jobs.state import JobState
from app.shell.terminal import printable
from app.web.pages import session
from app.web.pages.escape import escape_markdown
from app.web.pages.job_texts import capitalized, progress_text, report_lines, when_text

EVERY_SECONDS = 1.0
_MAX_FINISHED = 6  # finished jobs shown at first
_LOG_LINES = 60
_SEEN, _ERROR, _ALL = "runs_seen_running", "runs_trouble", "runs_show_all"
_VERBS = {"index": "Indexing", "export": "Exporting", "download": "Downloading"}
_OUTCOMES = {
    "done": ("Done", "green", ":material/check:"),
    "stopped": ("Stopped", "gray", ":material/stop_circle:"),
    "failed": ("Failed", "red", ":material/error:"),
    "interrupted": ("Interrupted", "orange", ":material/power_off:"),
}


@st.fragment(run_every=EVERY_SECONDS, key="runs")
def show_jobs() -> None:
    """Draw all jobs, running ones first."""
    states = session.jobs().all()
    if error := st.session_state.pop(_ERROR, None):
        st.error(escape_markdown(error))
    running = [state for state in states if state.running]
    finished = [state for state in states if not state.running]
    if running:
        st.markdown("##### Under way")
    for state in running:
        _card(state, _running)
    if finished:
        st.markdown("##### Before")
    everything = st.session_state.get(_ALL, False)
    for state in finished if everything else finished[:_MAX_FINISHED]:
        _card(state, _finished)
    with st.container(horizontal=True):
        if len(finished) > _MAX_FINISHED:
            label = "Show fewer" if everything else f"Show all {len(finished)}"
            st.button(label, key="runs_all", type="tertiary", on_click=_toggle, args=(_ALL,))
        if len(finished) > 1:
            st.button("Clear this list", key="runs_clear", type="tertiary", on_click=_forget_all, help=_FORGET_HELP)
    _rerun_when_finished({state.id for state in running})


def order_to_retry(order: Order) -> Order:
    """Return the order that retries the failures: an index job scans its folders again, failed files included."""
    return replace(order, redo=False, retry_failed=True) if isinstance(order, IndexOrder) else order


def _card(state: JobState, body: Callable[[JobState], None]) -> None:
    with st.container(border=True, key=f"run_{state.id}"):
        body(state)
        _failures(state)
        if st.session_state.get(_log_key(state)):
            log = session.jobs().log(state.id) if session.jobs().has_log(state.id) else ""
            st.code("\n".join(log.splitlines()[-_LOG_LINES:]) or "Nothing was printed yet.", language=None)


def _running(state: JobState) -> None:
    with _head(state):
        st.button(
            "Stop", key=f"stop_{state.id}", icon=":material/stop:", disabled=state.stopping,
            on_click=_do, args=("stop", state), help="What is finished is kept; it can go on later.",
        )  # fmt: skip
        _log_button(state)
    st.progress(state.progress.fraction or 0.0, text=escape_markdown(progress_text(state)))
    # Always one line, so that nothing below jumps between two files.
    names = " · ".join(printable(os.path.basename(path)) for path in state.progress.current)
    st.caption(escape_markdown(names) or "\N{NO-BREAK SPACE}")


def _finished(state: JobState) -> None:
    with _head(state):
        word, colour, icon = _OUTCOMES[state.outcome or "interrupted"]
        word += f" · {state.failed:,} failed" if state.failed else ""
        st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]
        order = order_of(state)
        if state.outcome != "done" and isinstance(order, IndexOrder | RetryOrder | DownloadOrder):
            st.button(
                "Resume", key=f"resume_{state.id}", icon=":material/play_arrow:", on_click=_do, args=("resume", state),
                help="Goes on where it ended; what is finished is not done again.",
            )  # fmt: skip
        failed = state.failed or state.report.get("skipped_failed")
        if isinstance(order, IndexOrder | RetryOrder) and failed:
            st.button(
                "Retry failed", key=f"retry_{state.id}", icon=":material/refresh:", on_click=_do, args=("retry", state),
                help="Tries the files again that could not be read.",
            )  # fmt: skip
        _log_button(state)
        st.button(
            "Forget", key=f"forget_{state.id}", icon=":material/close:", on_click=_do, args=("forget", state),
            help=_FORGET_HELP,
        )  # fmt: skip
    with st.container(gap="xxsmall"):
        if state.message:
            st.write(escape_markdown(capitalized(state.message)))
        for line in report_lines(state):
            st.caption(escape_markdown(line))
        st.caption(escape_markdown(when_text(state)))


def _head(state: JobState) -> Any:
    """Draw the line with the name, and return it as a container for buttons."""
    line = st.container(horizontal=True, vertical_alignment="center")
    verb = _VERBS.get(state.kind, state.kind.capitalize())
    with line, st.container(gap=None):
        st.markdown(f"**{escape_markdown(f'{verb} {printable(state.title)}'.strip())}**")
        if where := paths_of(state):
            more = f" and {len(where) - 1} more" if len(where) > 1 else ""
            st.caption(escape_markdown(printable(where[0]) + more))
    return line


def _failures(state: JobState) -> None:
    if not state.failures:
        return
    with st.expander("Files that failed", key=f"failed_{state.id}", expanded=state.failed <= 3):
        st.dataframe(
            {
                "File": [printable(os.path.basename(each.path)) for each in state.failures],
                "Why": [printable(each.reason) for each in state.failures],
                "Folder": [printable(os.path.dirname(each.path)) for each in state.failures],
            },
            hide_index=True,
            column_config={
                "File": st.column_config.TextColumn(width="medium"),
                "Why": st.column_config.TextColumn(width="large"),
            },
            key=f"failures_{state.id}",
        )
        if state.failed > len(state.failures):
            st.caption(f"and {state.failed - len(state.failures):,} more")


_FORGET_HELP = "Takes it from this list only; what was indexed stays."


def _log_key(state: JobState) -> str:
    return f"runs_log_{state.id}"


def _log_button(state: JobState) -> None:
    """Draw the log button, for jobs started from the page; others print to their terminal."""
    if session.jobs().has_log(state.id):
        st.button(
            "Log", key=f"log_{state.id}", icon=":material/notes:", on_click=_toggle, args=(_log_key(state),),
            help="What the run printed.",
        )  # fmt: skip


def _toggle(name: str) -> None:
    st.session_state[name] = not st.session_state.get(name, False)


def _do(what: str, state: JobState) -> None:
    """Perform the action of a button. A job that has ended or was removed meanwhile is ignored."""
    jobs, settings = session.jobs(), settings_from()
    try:
        if what == "stop":
            jobs.stop(state.id)
        elif what == "forget":
            jobs.forget(state.id)
        elif jobs.get(state.id).outcome is not None:  # another tab may have resumed it already
            order = order_of(state)
            if order is not None:
                order = order_to_retry(order) if what == "retry" else order
                jobs.start(order, settings, title=state.title, in_place_of=state.id)
    except (KeyError, ValueError):
        return
    except OSError as error:
        st.session_state[_ERROR] = f"That could not be done: {error.strerror or error}. Is the disk full?"


def _forget_all() -> None:
    for state in session.jobs().all():
        if not state.running:
            _do("forget", state)


def _rerun_when_finished(running: set[str]) -> None:
    """Redraw the whole page when a job has ended: there may be new videos or a new model."""
    before: set[str] = st.session_state.get(_SEEN, set())
    st.session_state[_SEEN] = running
    if before - running:
        st.rerun(scope="app")
