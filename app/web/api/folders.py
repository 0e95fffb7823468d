"""Routes for choosing a folder to index: checking a path, listing folders, and finding a dropped folder.

They tell names of folders anywhere on this machine, which is more than other routes do. All are POST requests, although
they change nothing: these need our header, which pages of other sites cannot send, and keep paths out of addresses.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from app.jobs.command_line import paths_of, title_of
from app.shell.terminal import printable
from app.web.api.bodies import DroppedFolderBody, FolderListBody, FolderPathBody
from app.web.http.errors import ApiError
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.drive_calls import DriveCalls, NoAnswer
from app.web.services.folder_check import NO_ANSWER, check_folder, unreadable_sentence
from app.web.services.folder_find import DroppedFile, find_folders
from app.web.services.folder_listing import list_folder
from app.web.services.folder_places import Place, drives, home_folders, path_json, usual_folders
from app.web.services.folder_suggestions import recent_folders

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.jobs.jobs import Jobs
    from db.library import Library

_MAX_CHECKS = 4  # at a time; each counts videos for some seconds at most


def folder_routes(library: Library, jobs: Jobs) -> list[Route]:
    """Return the routes below `/api/folders`."""
    calls = DriveCalls()

    def check(request: ApiRequest) -> dict[str, Any]:
        found = check_folder(request.json(FolderPathBody).path, library.directory, drives=calls)
        running = found.usable and any(found.path in paths_of(state) for state in jobs.all() if state.running)
        return {
            **path_json(found.path),
            "level": "bad" if running else found.level,
            "sentence": "This folder is being indexed now." if running else found.sentence,
            "videos": found.videos,
            "suggestions": [path_json(path) for path in found.suggestions],
        }

    def places(request: ApiRequest) -> dict[str, Any]:
        home = os.path.expanduser("~")
        try:
            own = calls(home, home_folders)
            usual = calls(home, usual_folders)
        except NoAnswer:
            own, usual = [], []
        recent = recent_folders(jobs.all())
        start_from = next((path for path in recent if not _is_remote(path)), None)
        start = os.path.dirname(start_from) if start_from else next(iter(usual), home)
        return {
            "start": start,
            "places": [
                *map(_place_json, [*own, *drives()]),
                *({**path_json(path), "name": printable(title_of([path])), "kind": "recent"} for path in recent),
            ],
        }

    def listed(request: ApiRequest) -> dict[str, Any]:
        body = request.json(FolderListBody)
        path = _absolute(body.path)
        try:
            found = calls(path, lambda: list_folder(path, hidden=body.hidden))
        except NoAnswer:
            raise ApiError(504, NO_ANSWER) from None
        except (FileNotFoundError, NotADirectoryError):
            raise ApiError(404, "This folder cannot be found. Is its drive connected?") from None
        except (OSError, ValueError) as error:
            raise ApiError(403, unreadable_sentence(error)) from error
        return {
            **path_json(path),
            "base": os.path.join(path, ""),
            "crumbs": _crumbs(path),
            "folders": [[each.name, printable(each.name), each.videos] for each in found.folders],
            "hidden": found.hidden,
            "complete": found.complete,
        }

    def find(request: ApiRequest) -> dict[str, Any]:
        body = request.json(DroppedFolderBody)
        files = [DroppedFile(tuple(each.path), each.size) for each in body.files]
        recent = [path for path in recent_folders(jobs.all()) if not _is_remote(path)]
        machine = [place.path for place in drives() if place.path != "/"]
        where = [*recent, *map(os.path.dirname, recent), *usual_folders(), os.path.expanduser("~"), *machine]
        return {"found": [path_json(path) for path in find_folders(body.name, files, where)]}

    return [
        route("/api/folders/check", check, "POST", max_concurrent=_MAX_CHECKS),
        route("/api/folders/places", places, "POST"),
        route("/api/folders/list", listed, "POST"),
        route("/api/folders/find", find, "POST", max_concurrent=1),
    ]


def _place_json(place: Place) -> dict[str, str]:
    return {**path_json(place.path), "name": printable(place.name), "kind": place.kind}


def _is_remote(path: str) -> bool:
    """Return whether a path names a server: no journal of a library that somebody else made may have one contacted."""
    return path.startswith(("\\\\", "//"))


def _absolute(path: str) -> str:
    if "\0" in path or not os.path.isabs(path):
        raise ApiError(400, "This is not the path of a folder; choose another.")
    return os.path.normpath(path)


def _crumbs(path: str) -> list[dict[str, str]]:
    """Return the folders from the root to a folder, the folder included."""
    crumbs = [path]
    while (above := os.path.dirname(crumbs[-1])) != crumbs[-1]:
        crumbs.append(above)
    return [{**path_json(each), "name": printable(os.path.basename(each) or each)} for each in reversed(crumbs)]
