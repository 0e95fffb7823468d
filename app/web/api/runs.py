"""Routes for long jobs: their states and logs, their buttons, and downloading the zip of a finished export."""

from __future__ import annotations

import dataclasses
import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.web.api.exports import exports_folder
from app.web.http.errors import ApiError, as_sentence, not_found
from app.web.http.file_response import file_response
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.job_card import MAX_FAILURES, job_card, order_to_restart
from app.web.services.job_starts import require_for, start_job
from app.web.services.owned import sees_job

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from app.compose import Settings
    from app.jobs.jobs import Jobs, JobState
    from db.library import Library

_LOG_LINES = 60


def run_routes(settings: Settings, library: Library, jobs: Jobs) -> list[Route]:
    """Return the routes below `/api/runs`.

    Args:
        settings: Passed on to jobs that are started again.
        library: The library of the jobs.
        jobs: Its jobs.
    """

    def every(request: ApiRequest) -> dict[str, Any]:
        """List all jobs; with `running=1`, only those that run, which a page asks for each second."""
        states = [each for each in jobs.all() if each.running or not request.query.get("running")]
        return {"runs": [with_card(each) for each in states if sees_job(request.visitor, each)]}

    def with_card(state: JobState) -> dict[str, Any]:
        record, card = job_json(state, MAX_FAILURES), job_card(state, has_log=jobs.has_log(state.id))
        return {**record, "card": {**card, "download": record["downloadable"]}}

    def find(request: ApiRequest) -> JobState:
        with not_found("run"):
            state = jobs.get(request.path["run"])
            if not sees_job(request.visitor, state):
                raise KeyError(state.id)
            return state

    def find_to_change(request: ApiRequest) -> JobState:
        state = find(request)
        require_for(request.visitor, state.kind)
        return state

    def stop(request: ApiRequest) -> dict[str, Any]:
        state = find_to_change(request)
        jobs.stop(state.id)
        request.visitor.note("job stopped", f"{state.kind} {state.title}")
        return job_json(find(request))

    def restart(request: ApiRequest, *, retry: bool) -> dict[str, Any]:
        state = find_to_change(request)
        order = order_to_restart(state, retry=retry)
        if state.running or order is None:
            raise ApiError(
                409, "This job is already running." if state.running else "This job cannot be restarted from here."
            )
        try:
            return {"run": start_job(jobs, order, settings, request.visitor, title=state.title, in_place_of=state.id)}
        except ValueError as error:
            raise ApiError(409, as_sentence(str(error))) from error

    def forget(request: ApiRequest) -> dict[str, Any]:
        state = find_to_change(request)
        with not_found("run"):
            try:
                jobs.forget(state.id)
            except ValueError as error:
                raise ApiError(409, as_sentence(str(error))) from error
        return {}

    def forget_all(request: ApiRequest) -> dict[str, Any]:
        for state in jobs.all():
            if not sees_job(request.visitor, state):
                continue
            with suppress(KeyError, ValueError):  # another tab forgot it, or it runs
                jobs.forget(state.id)
        return {}

    def log(request: ApiRequest) -> dict[str, Any]:
        state = find_to_change(request)
        with not_found("run"):
            return {"log": "\n".join(jobs.log(state.id).splitlines()[-_LOG_LINES:])}

    def download(request: ApiRequest) -> Response:
        path = _zip_of(find(request))
        if path is None:
            raise ApiError(404, "This job has nothing to download.")
        name = path.name.encode("ascii", "replace").decode().replace('"', "_").replace("\\", "_").replace("?", "_")
        headers = {"Content-Disposition": f"attachment; filename=\"{name}\"; filename*=UTF-8''{_percent(path.name)}"}
        return file_response(
            request,
            path,
            media_type="application/zip",
            max_age_seconds=0,
            inside=exports_folder(library),
            headers=headers,
        )

    return [
        route("/api/runs", every),
        route("/api/runs/{run}", lambda request: job_json(find(request))),
        route("/api/runs", forget_all, "DELETE"),
        route("/api/runs/{run}", forget, "DELETE"),
        route("/api/runs/{run}/stop", stop, "POST"),
        route("/api/runs/{run}/resume", lambda request: restart(request, retry=False), "POST"),
        route("/api/runs/{run}/retry", lambda request: restart(request, retry=True), "POST"),
        route("/api/runs/{run}/log", log),
        route("/api/runs/{run}/download", download),
    ]


def job_json(state: JobState, max_failures: int | None = None) -> dict[str, Any]:
    """Return the state of a job as the page receives it, without internal fields of the journal.

    Args:
        state: The state from its journal.
        max_failures: Number of failures listed; `failed` is the count of all.
    """
    path = _zip_of(state)
    record = dataclasses.asdict(dataclasses.replace(state, failures=state.failures[:max_failures]))
    for internal in ("create_time", "host_id", "order"):
        del record[internal]
    finite: dict[str, Any] = _finite(record)
    return {**finite, "downloadable": path is not None and path.is_file()}


def _finite(value: Any) -> Any:
    """Return `value` with None for numbers that are not finite, which JSON lacks. A journal may contain anything."""
    if isinstance(value, dict):
        return {str(name): _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _zip_of(state: JobState) -> Path | None:
    """Return the path of a finished export's zip according to its journal, or None."""
    report = state.report if isinstance(state.report, dict) else {}
    packed = report.get("zip")
    return Path(packed) if state.outcome == "done" and isinstance(packed, str) and packed else None


def _percent(name: str) -> str:
    from urllib.parse import quote

    return quote(name.encode("utf-8", "replace"), safe="")
