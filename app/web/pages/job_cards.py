"""Cards of the long jobs, and of a library on a server who works for it: components that follow both by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.web.pages import session
from app.web.pages.components import component

if TYPE_CHECKING:
    from db.library import Library


def show_workers(library: Library) -> None:
    """Draw who works for a library on a server, on all of its machines; nothing for one in a folder."""
    if library.shared:
        component("indexing/workers")(key="workers")


def show_jobs() -> None:
    """Draw all jobs, running ones first. When other jobs run than now, the component runs the script again."""
    running = [state.id for state in session.jobs().all() if state.running]
    component("indexing/jobs")(key="jobs", data={"running": running}, on_changed_change=_rerun)


def _rerun() -> None:
    """Do nothing: the run of the script is what is wanted, as there may be new videos or a new model."""
