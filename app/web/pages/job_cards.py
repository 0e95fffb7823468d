"""Cards of the long jobs: the component `indexing/jobs`, which follows them by itself."""

from __future__ import annotations

from app.web.pages import session
from app.web.pages.components import component


def show_jobs() -> None:
    """Draw all jobs, running ones first. When other jobs run than now, the component runs the script again."""
    running = [state.id for state in session.jobs().all() if state.running]
    component("indexing/jobs")(key="jobs", data={"running": running}, on_changed_change=_rerun)


def _rerun() -> None:
    """Do nothing: the run of the script is what is wanted, as there may be new videos or a new model."""
