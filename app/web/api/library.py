"""Routes for the library page: all videos, failures and totals in one response."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from app.shell.listing import status_of
from app.web.http.requests import ApiRequest
from app.web.http.routes import route

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.library import Library
    from db.overview import VideoOverview
    from db.records import Failure


def library_routes(library: Library) -> list[Route]:
    """Return the routes of the library.

    `/api/library` lists the library, `/api/library/disk` returns its size on disk, and `/api/library/state` a token
    that changes whenever any process writes to the library, for pages that poll it.
    """

    def listed(request: ApiRequest) -> dict[str, Any]:
        return listing(library)

    def disk(request: ApiRequest) -> dict[str, Any]:
        stats = library.stats()
        return {"bytes": stats.database_bytes + stats.media_bytes}

    def state(request: ApiRequest) -> dict[str, Any]:
        return {"state": library.change_token()}

    return [
        route("/api/library", listed),
        route("/api/library/disk", disk),
        route("/api/library/state", state),
    ]


def listing(library: Library) -> dict[str, Any]:
    """Return {encoders, folders, videos, failures, totals}; a video names its folder and encoders by their index.

    Checks every file, which is slow if many are on a slow drive.
    """
    encoders = {row.id: at for at, row in enumerate(library.encoders())}
    folders: dict[str, int] = {}
    overview = library.overview()
    videos = [_video(each, folders, encoders) for each in overview]
    return {
        "encoders": list(encoders),
        "folders": list(folders),
        "videos": videos,
        "failures": [_failure(each) for each in library.failures()],
        "totals": {
            "videos": len(overview),
            "seconds": round(sum(each.video.duration_seconds for each in overview), 3),
            "shots": sum(each.shots for each in overview),
            "segments": sum(each.segments for each in overview),
            "source_bytes": sum(each["bytes"] for each in videos),
        },
    }


def _video(each: VideoOverview, folders: dict[str, int], encoders: dict[str, int]) -> dict[str, Any]:
    video = each.video
    folder, name = os.path.split(video.path)
    return {
        "id": video.id,
        "folder": folders.setdefault(folder, len(folders)),
        "name": name,
        "seconds": round(video.duration_seconds, 3),
        "shots": each.shots,
        "poster": each.middle_segment,
        "width": video.width,
        "height": video.height,
        "codec": video.codec,
        "rate": round(float(video.nominal_rate), 3),
        "bytes": video.size_bytes,
        "modified": video.modified_ns // 1_000_000,
        "damaged": video.damaged,
        "file": status_of(video),
        # A run with another encoder may have begun after the totals were read.
        "encoders": sorted(encoders[found] for found in each.encoders if found in encoders),
    }


def _failure(failure: Failure) -> dict[str, Any]:
    folder, name = os.path.split(failure.path)
    return {
        "path": failure.path,
        "folder": folder,
        "name": name,
        "kind": failure.kind,
        "reason": failure.reason,
        "attempts": failure.attempts,
        "failed_at": failure.failed_at,
        "gone": not os.path.lexists(failure.path),
    }
