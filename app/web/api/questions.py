"""Routes for the Questions page: shots to write questions for, and the questions that were written.

A line of the file is named by its key, which changes with the line: 409 says that it was changed elsewhere.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.compose import default_library
from app.evaluation.answer_places import AnswerPlaces, NotThere
from app.evaluation.own_questions import FILE_NAME, QuestionLine, QuestionsError, QuestionTable, one_line, questions_of
from app.evaluation.question_store import QuestionStore
from app.evaluation.shot_draw import MAX_SEED, ShotDraw
from app.times import format_timestamp
from app.web.api.bodies import QuestionBody, QuestionWordsBody
from app.web.http.errors import ApiError, as_sentence, not_found
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from files.regular import NotRegularFile

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.library import Library
    from db.records import Segment, Shot, Video

_MOST_SHOWN = 1000


def question_routes(library: Library) -> list[Route]:
    """Return the routes below `/api/questions`."""
    store, draw = QuestionStore(library.directory), ShotDraw(library)
    elsewhere = [] if library.directory == default_library() else ["--library", library.place]
    command = shlex.join(["prismsearch", "bench", "mine", *elsewhere])

    def every(request: ApiRequest) -> dict[str, Any]:
        with _usable(store):
            table = store.read()
        return {
            "path": str(store.path),
            "command": command,
            **listing(library, table, request.integer("limit", 100, _MOST_SHOWN)),
        }

    def drawn(request: ApiRequest) -> dict[str, Any]:
        seed = request.integer("seed", 0, MAX_SEED)
        found = draw.draw(seed, request.id_or_none("after"))
        if found is None:
            return {"shot": None}
        segment, video = library.segments([found.segment_id])[found.segment_id]
        shot = shot_of(library, segment, video)
        return {
            "shot": {
                "segment": found.segment_id,
                "start": video.seconds(shot.start_pts),
                "end": video.seconds(shot.end_pts),
            },
            "seed": found.seed,
            "number": found.number,
            "count": found.count,
        }

    def add(request: ApiRequest) -> dict[str, Any]:
        body = request.json(QuestionBody)
        line = QuestionLine(one_line(body.question))
        if body.segment is not None:
            with not_found("shot"):
                segment, video = library.segments([body.segment])[body.segment]
            line = line_of(line.question, shot_of(library, segment, video), video)
        with _usable(store):
            return {"key": store.add(line)}

    def change(request: ApiRequest) -> dict[str, Any]:
        body = request.json(QuestionWordsBody)
        with _usable(store), _unchanged():
            return {"key": store.change(request.path["key"], one_line(body.question))}

    def remove(request: ApiRequest) -> dict[str, Any]:
        with _usable(store), _unchanged():
            store.remove(request.path["key"])
        return {"removed": request.path["key"]}

    def put_back(request: ApiRequest) -> dict[str, Any]:
        with _usable(store), not_found("removed question"):
            return {"key": store.put_back(request.path["key"])}

    def download(request: ApiRequest) -> Response:
        with _usable(store):
            content = store.content()
        headers = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"', "Cache-Control": "no-store"}
        return Response(content, headers=headers, media_type="text/csv; charset=utf-8")

    return [
        route("/api/questions", every),
        route("/api/questions", add, "POST"),
        route("/api/questions/draw", drawn, max_concurrent=2),
        route("/api/questions/file", download),
        route("/api/questions/{key}", change, "PATCH"),
        route("/api/questions/{key}", remove, "DELETE"),
        route("/api/questions/{key}/put-back", put_back, "POST"),
    ]


def listing(library: Library, table: QuestionTable, limit: int) -> dict[str, Any]:
    """Return {total, questions, none, lines} with the newest lines first, at most `limit` of them.

    `questions` counts those with answers, and `none` those that nothing in the library answers.
    """
    questions = questions_of(table.lines)
    newest = list(zip(table.keys(), table.lines, strict=True))[::-1][:limit]
    places = AnswerPlaces(library) if newest else None
    return {
        "total": len(table.lines),
        "questions": sum(bool(each.answers) for each in questions),
        "none": sum(not each.answers for each in questions),
        "lines": [line_json(library, places, key, line) for key, line in newest if places is not None],
    }


def line_json(library: Library, places: AnswerPlaces, key: str, line: QuestionLine) -> dict[str, Any]:
    """Return a line as the page receives it: `segment` is a part of its answer; `trouble` says why there is none."""
    segment, trouble, start, end = None, "", None, None
    if line.file:
        try:
            place = places.place(line)
            video = places.video_at(place.path)
            start, end = place.start_seconds, place.end_seconds
            segment = _part_at(library, video, (start + end) / 2)
        except NotThere as error:
            trouble = as_sentence(str(error))
    return {
        "key": key,
        "question": line.question,
        "file": os.path.basename(line.file),
        "path": line.file,
        "start": start,
        "end": end,
        "note": line.note,
        "kind": line.kind,
        "segment": segment,
        "trouble": trouble,
    }


def shot_of(library: Library, segment: Segment, video: Video) -> Shot | Segment:
    """Return the whole shot that a segment is part of."""
    assert video.id is not None, "what comes from the library has an id"
    shots = library.shots(video.id)
    return next((each for each in shots if each.number == segment.shot_number), segment)


def line_of(question: str, shot: Shot | Segment, video: Video) -> QuestionLine:
    """Return the line for a question that a shot answers."""
    start, end = (format_timestamp((pts - video.start_pts) * video.time_base) for pts in (shot.start_pts, shot.end_pts))
    return QuestionLine(question, video.path, start, end, fingerprint=video.fingerprint)


def _part_at(library: Library, video: Video, seconds: float) -> int | None:
    assert video.id is not None, "what comes from the library has an id"
    parts = library.segments_of(video.id)
    return min(parts, key=lambda each: abs(video.seconds((each.start_pts + each.end_pts) // 2) - seconds)).id


@contextmanager
def _usable(store: QuestionStore) -> Iterator[None]:
    """Turn a file that cannot be used into a response that names it: 409 with the line, 403 without the permission."""
    try:
        yield
    except PermissionError as error:
        raise ApiError(403, f"You do not have permission to use {store.path}; change its permissions.") from error
    except NotRegularFile as error:
        raise ApiError(409, f"{store.path} is a folder or a pipe, not a file; remove it.") from error
    except QuestionsError as error:
        raise ApiError(409, f"{store.path.name} cannot be used: {error}.") from error


@contextmanager
def _unchanged() -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise ApiError(409, "This question was changed or deleted elsewhere in the meantime.") from error
