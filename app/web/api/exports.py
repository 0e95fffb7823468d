"""Route that starts an export: it checks the request and starts a job, which outlives the page."""

from __future__ import annotations

import os
import re
import secrets
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.exporting.request import ExportOptions
from app.jobs.orders import ExportOrder
from app.web.api.bodies import ExportBody
from app.web.http.errors import ApiError, bad_request, not_found
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from files.sweep import sweep_files

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.compose import Settings
    from app.jobs.jobs import Jobs
    from db.library import Library

_KEPT_SECONDS = 14 * 24 * 3600.0
_UNSAFE = re.compile(r"[^\w. -]+")


def exports_folder(library: Library) -> Path:
    """Return the folder that holds zips until they are downloaded."""
    return library.directory / "exports"


def export_routes(settings: Settings, library: Library, jobs: Jobs) -> list[Route]:
    """Return the route `POST /api/exports`, which responds with the id of the job."""

    def begin(request: ApiRequest) -> dict[str, Any]:
        body = request.json(ExportBody)
        with not_found("collection"):
            collection = library.collections.get(body.collection)
            there = [each.id for each in library.collections.subclips(collection.id)]
        if body.mode == "none" and not body.lists:
            raise ApiError(400, "There is nothing to write; choose a mode, or at least one list.")
        if not there or body.subclips == []:
            raise ApiError(400, "There is no clip to export; add some to the collection first.")
        if body.subclips is not None and set(body.subclips) - set(there):
            raise ApiError(409, "Some of these clips are not in the collection any more; look at it again.")
        with bad_request():
            options = ExportOptions(
                folder=None if body.to == "zip" else _folder(body.to),
                zip=_zip_path(library, collection.name) if body.to == "zip" else None,
                mode="smart" if body.mode == "none" else body.mode,
                handles_seconds=Fraction(f"{body.handles_seconds:.3f}"),
                name_pattern=body.name_pattern if body.name_pattern.strip() else None,
                audio=body.audio,
                lists=tuple(dict.fromkeys(body.lists)) or None,
                clips=body.mode != "none",
            )
        order = ExportOrder(
            collection=collection.id,
            collection_name=collection.name,
            subclips=None if body.subclips is None else tuple(body.subclips),
            options=options,
        )
        return {"run": jobs.start(order, settings)}

    return [route("/api/exports", begin, "POST")]


def _folder(typed: str) -> Path:
    """Return the folder that was typed, which need not exist yet. Raise ApiError (400) for anything else."""
    if any(ord(letter) < 32 or letter == "\x7f" for letter in typed.strip()):
        raise ApiError(400, "There is a control character in the name of the folder; type it anew.")
    path = Path(os.path.expanduser(typed.strip()))
    if not path.is_absolute():
        raise ApiError(400, "Write the whole path of the folder, from its root (such as /home/me/clips).")
    try:
        is_file = path.exists() and not path.is_dir()
    except OSError as error:
        raise ApiError(400, f"This folder cannot be used: {error.strerror}. Choose another one.") from error
    if is_file:
        raise ApiError(400, "There is a file of this name; choose a folder.")
    return path


def _zip_path(library: Library, name: str) -> Path:
    """Return a new path in the exports folder, named after the collection; remove zips older than two weeks."""
    folder = exports_folder(library)
    folder.mkdir(parents=True, exist_ok=True)
    sweep_files(folder, "", older_than_seconds=_KEPT_SECONDS)
    stem = _UNSAFE.sub("_", name).strip(" ._-")[:60].strip(" ._-") or "clips"
    return folder / f"{stem} {time.strftime('%Y-%m-%d %H%M')} {secrets.token_hex(3)}.zip"
