"""Starting of jobs by the page: the one place that asks for the role, and notes who did it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from app.jobs.orders import ExportOrder
from app.web.http.errors import ApiError
from app.web.http.roles import ACTIONS, Action, require
from app.web.services.owned import sees_job

if TYPE_CHECKING:
    from app.compose import Settings
    from app.jobs.jobs import Jobs
    from app.jobs.orders import Order
    from app.web.http.visitor import Visitor

MOST_EXPORTS = 2
"""Exports of one person that run at a time; whoever uses the page alone may start any number."""


def start_job(
    jobs: Jobs, order: Order, settings: Settings, visitor: Visitor, *, title: str = "", in_place_of: str | None = None
) -> str:
    """Start a job for a visitor, as `Jobs.start` does. Return its id.

    Raises:
        ApiError: 403, if the visitor's role does not allow it; 429, if the person has enough exports running.
        OrderError, OSError: See `Jobs.start`.
    """
    require_for(visitor, order.kind)
    if isinstance(order, ExportOrder):
        if order.options.folder is not None:  # the role may be another one than when a job began that goes on
            require(visitor, ACTIONS["export into a folder"])
        if visitor.person is not None:
            _require_turn(jobs, visitor)
        order = replace(order, person=visitor.id)
    run = jobs.start(order, settings, title=title, in_place_of=in_place_of)
    what = order.collection_name if isinstance(order, ExportOrder) else title
    visitor.note(f"{order.kind} started", what)
    return run


def _require_turn(jobs: Jobs, visitor: Visitor) -> None:
    running = [each for each in jobs.all() if each.running and each.kind == "export" and sees_job(visitor, each)]
    if len(running) >= MOST_EXPORTS:
        raise ApiError(429, f"{len(running)} of your exports are running; wait until one has ended, or stop it.")


def require_for(visitor: Visitor, kind: str) -> None:
    """Return if a visitor may start, stop and forget jobs of a kind.

    Raises:
        ApiError: 403 otherwise.
    """
    action = cast("Action", f"run {kind}")
    require(visitor, ACTIONS.get(action, ACTIONS["run index"]))
