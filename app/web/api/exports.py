"""Route that starts an export: it checks the request and starts a job, which outlives the page."""

from __future__ import annotations

import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.web.api.bodies import ExportBody
from app.web.http.errors import ApiError, bad_request, not_found
from app.web.http.requests import ApiRequest
from app.web.http.routes import route

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.compose import Settings
    from app.jobs.jobs import Jobs
    from db.library import Library

MAX_HANDLE_SECONDS = 60.0
_KEPT_SECONDS = 14 * 24 * 3600.0
_UNSAFE = re.compile(r"[^\w. -]+")


def exports_folder(library: Library) -> Path:
    """Return the folder that holds zips until they are downloaded."""
    return library.directory / "exports"


def export_routes(settings: Settings, library: Library, runs: Jobs) -> list[Route]:
    """Return the route `POST /api/exports`, which responds with the id of the job."""
    from app.exporting.naming import check_pattern

    def begin(request: ApiRequest) -> dict[str, Any]:
        body = request.json(ExportBody)
        handles = body.handles_seconds
        if not 0 <= handles <= MAX_HANDLE_SECONDS:
            raise ApiError(400, f"Handles are from 0 to {MAX_HANDLE_SECONDS:g} seconds.")
        pattern = body.name_pattern
        if pattern.strip():
            with bad_request():
                check_pattern(pattern)
        with not_found("collection"):
            collection = library.collections.get(body.collection)
            there = [each.id for each in library.collections.subclips(collection.id)]
        if body.mode == "none" and not body.lists:
            raise ApiError(400, "There is nothing to write; choose a mode, or at least one list.")
        chosen = body.subclips
        if not there or chosen == []:
            raise ApiError(400, "There is no clip to export; add some to the collection first.")
        if chosen is not None and set(chosen) - set(there):
            raise ApiError(409, "Some of these clips are not in the collection any more; look at it again.")
        words = ["export", "--collection", collection.name]
        if body.to == "zip":
            words += ["--zip", str(_zip_path(library, collection.name))]
        else:
            words += ["--to", str(_folder(body.to))]
        if body.mode == "none":
            words += ["--lists-only"]
        else:
            words += ["--mode", body.mode, "--handles", f"{handles:.3f}"]
        if pattern.strip():
            words += ["--name", pattern]
        if body.lists:
            words += ["--list", ",".join(dict.fromkeys(body.lists))]
        if chosen is not None:
            words += ["--subclips", ",".join(map(str, chosen))]
        return {"run": runs.start(words, settings)}

    return [route("/api/exports", begin, "POST")]


def _folder(typed: str) -> Path:
    """Return the folder that a person typed, which need not exist yet. Raises ApiError (400) for anything else."""
    if any(ord(letter) < 32 or letter == "\x7f" for letter in typed.strip()):
        raise ApiError(400, "There is a control character in the name of the folder; type it anew.")
    path = Path(os.path.expanduser(typed.strip()))
    if not path.is_absolute():
        raise ApiError(400, "Write the whole path of the folder, from its root (such as /home/me/clips).")
    if path.exists() and not path.is_dir():
        raise ApiError(400, "There is a file of this name; choose a folder.")
    return path


def _zip_path(library: Library, name: str) -> Path:
    """Return a new path in the folder of exports, named after the collection, and remove zips older than two weeks."""
    folder = exports_folder(library)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        with suppress(OSError):
            if time.time() - old.lstat().st_mtime > _KEPT_SECONDS:
                old.unlink()
    stem = _UNSAFE.sub("_", name).strip(" ._-")[:60].strip(" ._-") or "clips"
    return folder / f"{stem} {time.strftime('%Y-%m-%d %H%M')} {secrets.token_hex(3)}.zip"
