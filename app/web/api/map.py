"""Routes for the map: its state, a request to build it, and its points as bytes that browsers cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from app.web.http.errors import ApiError
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.map_making import MapMaker, MapState

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from db.library import Library
    from search.projection import Projection

_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def map_routes(library: Library, maker: MapMaker | None = None) -> list[Route]:
    """Return `/api/map?encoder=ID` (GET: state, POST: make it) and, for one version, `points` and `videos`.

    Args:
        library: The library.
        maker: Builds the maps; None creates one for this library.
    """
    maker = maker or MapMaker(library)

    def encoder_of(request: ApiRequest) -> str:
        encoder_id = request.query.get("encoder", "")
        if encoder_id not in {row.id for row in library.encoders()}:
            raise ApiError(404, "Nothing in this library was indexed with that encoder; index a folder with it first.")
        return encoder_id

    def state(request: ApiRequest) -> dict[str, Any]:
        encoder_id = encoder_of(request)
        return as_json(maker.state(encoder_id), encoder_id)

    def make(request: ApiRequest) -> dict[str, Any]:
        encoder_id = encoder_of(request)
        return as_json(maker.start(encoder_id), encoder_id)

    def as_json(state: MapState, encoder_id: str) -> dict[str, Any]:
        stamp, made = library.stamp(encoder_id), state.projection
        return {
            "version": state.version or None,
            "count": 0 if made is None else len(made.ids),
            "current": made is not None and made.stamp == stamp,
            "new": max(0, stamp.count - (0 if made is None else made.stamp.count)),
            "making": state.making,
            "share": round(state.share, 3),
            "text": state.text,
            "error": state.error or None,
        }

    def versioned(request: ApiRequest) -> Projection:
        found = maker.state(encoder_of(request))
        if found.projection is None or found.version != request.path["version"]:
            raise ApiError(404, "This map has been replaced by a newer one; reload the page.")
        return found.projection

    def points(request: ApiRequest) -> Response:
        from starlette.responses import Response

        return Response(packed(library, versioned(request)), headers=_FOREVER, media_type="application/octet-stream")

    def videos(request: ApiRequest) -> Response:
        from app.web.http.responses import json_response

        versioned(request)
        return json_response(named_videos(library), headers=_FOREVER)

    return [
        route("/api/map", state),
        route("/api/map", make, "POST"),
        route("/api/map/{version}/points", points),
        route("/api/map/{version}/videos", videos),
    ]


def packed(library: Library, made: Projection) -> bytes:
    """Return a map as bytes for the browser.

    Returns:
        Little-endian arrays one after the other: the count as uint32, x and y as float32 (count, 2), segment ids as
        uint32 (count,), video ids as uint32 (count,). A segment removed since the map was made has video 0.
    """
    ids, videos = library.owners(made.stamp.encoder_id)
    at = np.minimum(np.searchsorted(ids, made.ids), max(0, ids.size - 1))
    owners = np.zeros(len(made.ids), np.int64)
    if ids.size:
        there = ids[at] == made.ids
        owners[there] = videos[at[there]]
    return b"".join(
        [
            np.uint32(len(made.ids)).astype("<u4").tobytes(),
            made.points.astype("<f4").tobytes(),
            made.ids.astype("<u4").tobytes(),
            owners.astype("<u4").tobytes(),
        ]
    )


def named_videos(library: Library) -> dict[str, Any]:
    """Return {folders: [path, ...], videos: {id: [name, index of its folder]}}."""
    folders: dict[str, int] = {}
    videos = {}
    for video in library.videos():
        folder, name = os.path.split(video.path)
        videos[video.id] = [name, folders.setdefault(folder, len(folders))]
    return {"folders": list(folders), "videos": videos}
