"""Routes of exports: one checks a request and starts a job, which outlives the page; two say beforehand what it yields:
the name of a clip, and the words of clips.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from app.exporting.audio_choice import ALL_TRACKS
from app.exporting.clip_words import ClipWords, SubtitlePlace, WordsFrom, check_language
from app.exporting.collection_clips import collection_clips
from app.exporting.request import ClipRequest, ExportMode, ExportOptions, check_handles
from app.exporting.words.choosing import chosen_sources, sources_of_clips
from app.exporting.words.forecast import words_forecast
from app.jobs.orders import ExportOrder
from app.media_workers import ReadMedia
from app.shell.terminal import printable
from app.web.api.bodies import ExportBody, ExportWordsBody
from app.web.http.errors import ApiError, bad_request, not_found
from app.web.http.requests import ApiRequest
from app.web.http.roles import ACTIONS, require
from app.web.http.routes import route
from app.web.services.clip_names import ClipNames
from app.web.services.job_starts import start_job
from app.web.services.owned import collections_of
from files.sweep import sweep_files

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.compose import Settings
    from app.jobs.jobs import Jobs
    from db.collections import Collections
    from db.library import Library

_KEPT_SECONDS = 14 * 24 * 3600.0
_MOST_CLIPS = 999_999
_MOST_REASONS = 3
_UNSAFE = re.compile(r"[^\w. -]+")


def exports_folder(library: Library) -> Path:
    """Return the folder that holds zips until they are downloaded."""
    return library.directory / "exports"


def export_routes(settings: Settings, library: Library, jobs: Jobs, read: ReadMedia) -> list[Route]:
    """Return the routes.

    * `POST /api/exports` responds with the id of the job.
    * `GET /api/exports/name?collection=3&clip=7&total=12&mode=smart&handles=1.5&pattern=...&audio=all&folder=...`
      responds with the name that a clip would get among so many; without `folder`, in a zip. With
      `subtitles=track&language=de&words_from=best`, of one that carries its words.
    * `POST /api/exports/words` responds with the words that clips would carry.
    """
    names = ClipNames(read)

    def mine(request: ApiRequest) -> Collections:
        return collections_of(library, request.visitor)

    def begin(request: ApiRequest) -> dict[str, Any]:
        body = request.json(ExportBody)
        with not_found("collection"):
            collection = mine(request).get(body.collection)
            there = [each.id for each in mine(request).subclips(collection.id)]
        if body.mode == "none" and not body.lists:
            raise ApiError(400, "There is nothing to export; choose a mode, or at least one list.")
        if not there or body.subclips == []:
            raise ApiError(400, "There are no clips to export; add some to the collection first.")
        if body.subclips is not None and set(body.subclips) - set(there):
            raise ApiError(
                409, "Some of these clips are no longer in the collection; check the selection and try again."
            )
        if body.to != "zip":
            require(request.visitor, ACTIONS["export into a folder"])
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
                subtitles=body.subtitles,
                language=body.language.strip(),
                words_from=body.words_from,
                markers=body.markers,
            )
        order = ExportOrder(
            collection=collection.id,
            collection_name=collection.name,
            subclips=None if body.subclips is None else tuple(body.subclips),
            options=options,
        )
        return {"run": start_job(jobs, order, settings, request.visitor)}

    def name(request: ApiRequest) -> dict[str, Any]:
        (collection_id,), (clip_id,) = request.ids("collection", 1), request.ids("clip", 1)
        mode = _one_of(request, "mode", get_args(ExportMode), "smart")
        words_from = cast("WordsFrom", _one_of(request, "words_from", get_args(WordsFrom), "best"))
        folder = _folder_if_usable(request.query.get("folder", ""))
        if folder is not None:  # the name depends on what is in it
            require(request.visitor, ACTIONS["export into a folder"])
        pattern = request.query.get("pattern", "")
        with bad_request():
            options = ExportOptions(
                folder=folder,
                zip=exports_folder(library) / "clips.zip" if folder is None else None,
                mode=cast("ExportMode", mode),
                handles_seconds=Fraction(f"{request.number('handles', 0):.3f}"),
                name_pattern=pattern if pattern.strip() else None,
                audio=request.query.get("audio", ALL_TRACKS),
                subtitles=cast("SubtitlePlace", _one_of(request, "subtitles", get_args(SubtitlePlace), "none")),
                language=request.query.get("language", ""),
                words_from=words_from,
            )
        with not_found("collection"):
            collection = mine(request).get(collection_id)
        clips = collection_clips(library, collection, mine(request).subclips(collection.id), {clip_id})
        if not clips:
            raise ApiError(404, "There is no such clip; it may have been removed.")
        clip = _with_track(library, clips[0], options)
        planned = names.name(clip, options, total=request.integer("total", 1, _MOST_CLIPS))
        return {"name": planned.name, "why": planned.why}

    def words(request: ApiRequest) -> dict[str, Any]:
        body = request.json(ExportWordsBody)
        with bad_request():
            check_language(body.language)
            handles = Fraction(f"{body.handles_seconds:.3f}")
            check_handles(handles)
        with not_found("collection"):
            collection = mine(request).get(body.collection)
        ids = None if body.subclips is None else set(body.subclips)
        clips = collection_clips(library, collection, mine(request).subclips(collection.id), ids)
        found = words_forecast(library, clips, handles, language=body.language, words_from=body.words_from)
        return {
            "kinds": list(found.kinds),
            "languages": list(found.languages),
            "carried": [
                {"kind": kind, "language": language, "clips": count}
                for (kind, language), count in sorted(found.carried.items())
            ],
            "silent": found.silent,
            "without": sum(found.without.values()),
            "reasons": [printable(reason) for reason in list(found.without)[:_MOST_REASONS]],
        }

    return [
        route("/api/exports", begin, "POST"),
        route("/api/exports/name", name, max_concurrent=1),  # some videos must be decoded
        route("/api/exports/words", words, "POST", max_concurrent=1),
    ]


def _one_of(request: ApiRequest, name: str, values: tuple[str, ...], otherwise: str) -> str:
    """Return a parameter that is one of some values. Raise ApiError (400) for anything else."""
    value = request.query.get(name, otherwise)
    if value not in values:
        raise ApiError(400, f"`{name}` must be one of {', '.join(values)}.")
    return value


def _with_track(library: Library, clip: ClipRequest, options: ExportOptions) -> ClipRequest:
    """Return a clip that carries words if it would get a track of them, which not every container holds."""
    if options.subtitles != "track":
        return clip
    sources = sources_of_clips(library, [clip])
    [source] = chosen_sources(sources, language=options.language, words_from=options.words_from)
    return clip if isinstance(source, str) else replace(clip, words=ClipWords(lines=(), place="track"))


def _folder_if_usable(typed: str) -> Path | None:
    """Return the folder that is being typed; None for anything that cannot be one yet."""
    try:
        path = Path(os.path.expanduser(typed.strip()))
    except (RuntimeError, ValueError):
        return None
    return path if path.is_absolute() and "\0" not in typed else None


def _folder(typed: str) -> Path:
    """Return the folder that was typed, which need not exist yet. Raise ApiError (400) for anything else."""
    if any(ord(letter) < 32 or letter == "\x7f" for letter in typed.strip()):
        raise ApiError(400, "The folder's name contains a control character; type it again.")
    path = Path(os.path.expanduser(typed.strip()))
    if not path.is_absolute():
        raise ApiError(400, "Enter the full path of the folder, such as /home/me/clips.")
    try:
        is_file = path.exists() and not path.is_dir()
    except OSError as error:
        raise ApiError(400, f"This folder cannot be used: {error.strerror}. Choose another one.") from error
    if is_file:
        raise ApiError(400, "This is a file, not a folder; choose a folder.")
    return path


def _zip_path(library: Library, name: str) -> Path:
    """Return a new path in the exports folder, named after the collection; remove zips older than two weeks."""
    folder = exports_folder(library)
    folder.mkdir(parents=True, exist_ok=True)
    sweep_files(folder, "", older_than_seconds=_KEPT_SECONDS)
    stem = _UNSAFE.sub("_", name).strip(" ._-")[:60].strip(" ._-") or "clips"
    return folder / f"{stem} {time.strftime('%Y-%m-%d %H%M')} {secrets.token_hex(3)}.zip"
