"""Routes for collections and their subclips, used by the tray, the page of collections and the trim window.

Two tabs may edit one subclip: a change names the revision that it was made from, and 409 returns the current one.
"""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.exporting.source_facts import SourceFacts
from app.timelines.model import frame_range
from app.web.api.bodies import (
    CollectionBody,
    SubclipChangeBody,
    SubclipIdsBody,
    SubclipMoveBody,
    SubclipsBody,
    TakesNameBody,
)
from app.web.api.segments import ratio
from app.web.http.errors import ApiError, bad_request, not_found
from app.web.http.requests import ApiRequest
from app.web.http.responses import has_etag, json_response
from app.web.http.roles import ACTIONS, require
from app.web.http.routes import route
from app.web.services.owned import collections_of

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.collections import Collections
    from db.library import Library
    from db.records import Collection, Subclip


def collection_routes(library: Library) -> list[Route]:
    """Return the routes below `/api/collections` and `/api/subclips`, and that which names takes by a collection."""

    def mine(request: ApiRequest) -> Collections:
        return collections_of(library, request.visitor)

    def every(request: ApiRequest) -> dict[str, Any]:
        tray = mine(request).tray()
        return {"collections": [collection_json(each) for each in mine(request).all()], "tray": tray.id}

    def create(request: ApiRequest) -> dict[str, Any]:
        body = request.json(CollectionBody)
        with bad_request():
            return collection_json(mine(request).create(body.name))

    def rename(request: ApiRequest) -> dict[str, Any]:
        identity, body = request.id("collection"), request.json(CollectionBody)
        with not_found("collection"), bad_request():
            return collection_json(mine(request).rename(identity, body.name))

    def name_takes(request: ApiRequest) -> dict[str, Any]:
        body = request.json(TakesNameBody)
        with not_found("shot"), bad_request():
            return collection_json(mine(request).name_takes(body.takes, body.name))

    def remove(request: ApiRequest) -> dict[str, Any]:
        with not_found("collection"), bad_request():
            name = mine(request).get(request.id("collection")).name
            mine(request).remove(request.id("collection"))
        request.visitor.note("collection deleted", name)
        return {"removed": request.id("collection")}

    def restore(request: ApiRequest) -> dict[str, Any]:
        with not_found("collection"), bad_request():
            return collection_json(mine(request).restore(request.id("collection")))

    def show(request: ApiRequest) -> Response:
        identity = request.id("collection")
        with not_found("collection"):
            collection = mine(request).get(identity)
            content = {**collection_json(collection), "subclips": subclips_json(mine(request).subclips(identity))}
        response = json_response(content)
        # The tag covers the whole content, because files disappear and reappear without a change of the collection.
        etag = f'"{collection.revision}-{hashlib.blake2b(bytes(response.body), digest_size=8).hexdigest()}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if has_etag(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        return response

    def add(request: ApiRequest) -> dict[str, Any]:
        from db.records import NewSubclip

        body = request.json(SubclipsBody)
        items = [NewSubclip(segment_id=each.segment, **each.model_dump(exclude={"segment"})) for each in body.items]
        with not_found("collection or shot"), bad_request():
            added = mine(request).add(request.id("collection"), items, after=body.after)
        return {"subclips": subclips_json(added)}

    def chosen(request: ApiRequest) -> list[int]:
        body = request.json(SubclipIdsBody)
        with not_found("collection"):
            collection = mine(request).get(request.id("collection"))
        if collection.owner is None:
            require(request.visitor, ACTIONS["edit shared collections"])
        return body.ids

    def take_out(request: ApiRequest) -> dict[str, int]:
        return {"removed": mine(request).take_out(chosen(request))}

    def put_back(request: ApiRequest) -> dict[str, int]:
        return {"restored": mine(request).put_back(chosen(request))}

    def change(request: ApiRequest) -> Any:
        from db.errors import EditConflict

        body = request.json(SubclipChangeBody)
        changes = body.model_dump(exclude={"revision"}, exclude_unset=True)
        try:
            with not_found("clip"), bad_request():
                return subclip_json(mine(request).change(request.id("clip"), body.revision, **changes), {})
        except EditConflict as conflict:
            raise ApiError(
                409, "This clip was changed elsewhere in the meantime.", current=subclip_json(conflict.current, {})
            ) from conflict

    def move(request: ApiRequest) -> dict[str, Any]:
        body = request.json(SubclipMoveBody)
        with not_found("clip"), bad_request():
            return collection_json(mine(request).move(request.id("clip"), body.after))

    return [
        route("/api/collections", every),
        route("/api/collections", create, "POST"),
        route("/api/takes/name", name_takes, "POST"),
        route("/api/collections/{collection}", show),
        route("/api/collections/{collection}", rename, "PATCH"),
        route("/api/collections/{collection}", remove, "DELETE"),
        route("/api/collections/{collection}/restore", restore, "POST"),
        route("/api/collections/{collection}/subclips", add, "POST"),
        route("/api/collections/{collection}/subclips", take_out, "DELETE"),
        route("/api/collections/{collection}/put-back", put_back, "POST"),
        route("/api/subclips/{clip}", change, "PATCH"),
        route("/api/subclips/{clip}/move", move, "POST"),
    ]


def collection_json(collection: Collection) -> dict[str, Any]:
    """Return a collection without its subclips."""
    return {
        "id": collection.id,
        "name": collection.name,
        "revision": collection.revision,
        "items": collection.items,
        "own": collection.owner is not None,
    }


def subclips_json(subclips: list[Subclip]) -> list[dict[str, Any]]:
    """Return subclips as the page receives them. Each file is checked once, however many subclips it has."""
    exists: dict[str, bool] = {}
    return [subclip_json(each, exists) for each in subclips]


def subclip_json(subclip: Subclip, exists: dict[str, bool]) -> dict[str, Any]:
    """Return a subclip as the page receives it. Seconds count from the first frame shown, frames as in edit lists.

    Args:
        subclip: The subclip.
        exists: Cache of file existence by path; filled in by the call.
    """
    if subclip.path not in exists:
        exists[subclip.path] = os.path.isfile(subclip.path)
    start, end = (_seconds(subclip, pts) for pts in (subclip.start_pts, subclip.end_pts))
    rate = SourceFacts.of_subclip(subclip).rate
    in_frame, out_frame = frame_range(start, end, rate)
    file_name = os.path.basename(subclip.path)
    return {
        "id": subclip.id,
        "revision": subclip.revision,
        "collection": subclip.collection_id,
        "segment": subclip.segment_id,
        "video": subclip.video_id,
        "name": subclip.name,
        "title": subclip.name or os.path.splitext(file_name)[0],
        "fileName": file_name,
        "path": subclip.path,
        "missing": not exists[subclip.path],
        "start": float(start),
        "end": float(end),
        "duration": float(end - start),
        "start_pts": subclip.start_pts,
        "end_pts": subclip.end_pts,
        "video_start_pts": subclip.video_start_pts,
        "video_end_pts": subclip.video_end_pts,
        "time_base": ratio(subclip.time_base),
        "rate": ratio(rate),
        "timecode": subclip.timecode,
        "in_frame": in_frame,
        "out_frame": out_frame,
        "note": subclip.note,
        "score": subclip.score,
        "poster": None if subclip.segment_id is None else f"/api/poster/{subclip.segment_id}",
    }


def _seconds(subclip: Subclip, pts: int) -> Fraction:
    return (pts - subclip.video_start_pts) * subclip.time_base
