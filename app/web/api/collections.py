"""Collections and their subclips over HTTP: what the tray, the page of a collection and the trim window do.

Two tabs may edit one collection: a change names the revision it was made of, and 409 brings the current one.
"""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.timelines.model import frame_range
from app.timelines.timecode import nominal_rate
from app.web.api.segments import ratio
from app.web.http.responses import ApiError, Call, bad_request, json_answer, not_found, route
from app.web.http.validation import integer, list_of, number, or_none, text

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.library import Library
    from db.records import Collection, NewSubclip, Subclip

MOST_NAME, MOST_NOTE = 200, 10_000
MOST_AT_ONCE = 2000


def collection_routes(library: Library) -> list[Route]:
    """`/api/collections...` and `/api/subclips...`."""

    def every(call: Call) -> dict[str, Any]:
        tray = library.collections.tray()
        return {"collections": [listed(each) for each in library.collections.all()], "tray": tray.id}

    def create(call: Call) -> dict[str, Any]:
        name = call.fields({"name": text(MOST_NAME)})["name"]
        with bad_request():
            return listed(library.collections.create(name))

    def rename(call: Call) -> dict[str, Any]:
        identity, name = call.id("collection"), call.fields({"name": text(MOST_NAME)})["name"]
        with not_found("collection"), bad_request():
            return listed(library.collections.rename(identity, name))

    def remove(call: Call) -> dict[str, Any]:
        with not_found("collection"):
            library.collections.remove(call.id("collection"))
        return {"removed": call.id("collection")}

    def restore(call: Call) -> dict[str, Any]:
        with not_found("collection"), bad_request():
            return listed(library.collections.restore(call.id("collection")))

    def show(call: Call) -> Response:
        identity = call.id("collection")
        with not_found("collection"):
            collection = library.collections.get(identity)
            content = {**listed(collection), "subclips": describe_all(library.collections.subclips(identity))}
        answer = json_answer(content)
        # Of all that is told, because files go missing and come back without any change of the collection.
        tag = f'"{collection.revision}-{hashlib.blake2b(bytes(answer.body), digest_size=8).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        sent = call.headers.get("if-none-match", "")
        if tag in [each.strip() for each in sent.split(",")]:
            return Response(status_code=304, headers=headers)
        answer.headers.update(headers)
        return answer

    def add(call: Call) -> dict[str, Any]:
        body = call.fields({"items": list_of(new_subclip, MOST_AT_ONCE)}, {"after": or_none(integer)})
        with not_found("collection or segment"), bad_request():
            added = library.collections.add(call.id("collection"), body["items"], after=body.get("after"))
        return {"subclips": describe_all(added)}

    def chosen(call: Call) -> list[int]:
        ids: list[int] = call.fields({"ids": list_of(integer, MOST_AT_ONCE)})["ids"]
        with not_found("collection"):
            library.collections.get(call.id("collection"))
        return ids

    def take_out(call: Call) -> dict[str, int]:
        return {"removed": library.collections.take_out(chosen(call))}

    def put_back(call: Call) -> dict[str, int]:
        return {"restored": library.collections.put_back(chosen(call))}

    def change(call: Call) -> Any:
        from db.errors import EditConflict

        optional = {
            "start_pts": integer,
            "end_pts": integer,
            "name": text(MOST_NAME, blank=True),
            "note": text(MOST_NOTE, blank=True),
        }
        body = call.fields({"revision": integer}, optional)
        revision = body.pop("revision")
        try:
            with not_found("clip"), bad_request():
                return describe(library.collections.change(call.id("clip"), revision, **body), {})
        except EditConflict as conflict:
            raise ApiError(
                409, "This clip was changed elsewhere meanwhile.", current=describe(conflict.current, {})
            ) from conflict

    def move(call: Call) -> dict[str, Any]:
        after = call.fields({"after": or_none(integer)})["after"]
        with not_found("clip"), bad_request():
            return listed(library.collections.move(call.id("clip"), after))

    return [
        route("/api/collections", every),
        route("/api/collections", create, "POST"),
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


def new_subclip(name: str, value: Any) -> NewSubclip:
    """A Field: {segment, start_pts?, end_pts?, name?, note?, score?}."""
    from db.records import NewSubclip

    call = Call("POST", {}, {}, None, value)  # type: ignore[arg-type]
    optional = {
        "start_pts": or_none(integer),
        "end_pts": or_none(integer),
        "name": text(MOST_NAME, blank=True),
        "note": text(MOST_NOTE, blank=True),
        "score": or_none(number),
    }
    kept = call.fields({"segment": integer}, optional)
    return NewSubclip(segment_id=kept.pop("segment"), **kept)


def listed(collection: Collection) -> dict[str, Any]:
    """A collection without its subclips."""
    return {
        "id": collection.id,
        "name": collection.name,
        "revision": collection.revision,
        "items": collection.items,
    }


def describe_all(subclips: list[Subclip]) -> list[dict[str, Any]]:
    """Each file is looked for once, however many subclips it has."""
    there: dict[str, bool] = {}
    return [describe(each, there) for each in subclips]


def describe(subclip: Subclip, there: dict[str, bool]) -> dict[str, Any]:
    """A subclip for the page. Seconds count from the first frame shown; frames as edit lists count them.

    there: which files exist, as far as looked at.
    """
    if subclip.path not in there:
        there[subclip.path] = os.path.isfile(subclip.path)
    start, end = (_seconds(subclip, pts) for pts in (subclip.start_pts, subclip.end_pts))
    in_frame, out_frame = frame_range(start, end, subclip.frame_rate)
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
        "missing": not there[subclip.path],
        "start": float(start),
        "end": float(end),
        "duration": float(end - start),
        "start_pts": subclip.start_pts,
        "end_pts": subclip.end_pts,
        "video_start_pts": subclip.video_start_pts,
        "video_end_pts": subclip.video_end_pts,
        "time_base": ratio(subclip.time_base),
        "rate": ratio(nominal_rate(subclip.frame_rate)),
        "timecode": subclip.timecode,
        "in_frame": in_frame,
        "out_frame": out_frame,
        "note": subclip.note,
        "score": subclip.score,
        "poster": None if subclip.segment_id is None else f"/api/poster/{subclip.segment_id}",
    }


def _seconds(subclip: Subclip, pts: int) -> Fraction:
    return (pts - subclip.video_start_pts) * subclip.time_base
