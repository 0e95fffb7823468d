"""The file that a clip is cut from: the one that was indexed, or another one with its content; never a stranger.

A film may have been replaced by another one of its name since it was indexed. Then another file of the library with the
content that was indexed is taken, if there is one, and else nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.exporting.request import ClipRequest, KnownCopy
from db.media_roots import unset_root, unset_text
from indexer.identity import Identity, IdentityCheck, Verdict

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video

REPLACED = "a different file has its name now; put the indexed one back, or index its folder again"
CHANGED = "it has changed since it was indexed, and may be a different video now; index its folder again"


class Sources:
    """Finds the source of each clip of an export. Contents are compared once for each file."""

    def __init__(self, cancelled: Callable[[], bool] | None = None) -> None:
        self._cancelled = cancelled
        self._check = IdentityCheck()

    def find(self, request: ClipRequest) -> ClipRequest:
        """Return the request with the path of a file that is what was indexed, or with the `problem` that forbids it.

        The path stays if no file of the content is there: cutting it says so, and lists may name it.

        Raises:
            Cancelled: A comparison of contents was cancelled.
        """
        if request.identity is None:
            return request
        verdict = self._verdict(request.identity, request.path)
        if verdict is Verdict.SAME:
            return replace(request, problem="")
        for copy in request.copies:
            known = copy.identity
            if not request.identity.shares_content(known):  # the hash of one of them is not known
                known = replace(request.identity, modified_ns=None, file_id="")
            if self._verdict(known, copy.path) is Verdict.SAME:
                return replace(request, path=copy.path, identity=copy.identity, problem="")
        if verdict is None:
            root = unset_root(request.path)
            return request if root is None else replace(request, problem=unset_text(root))
        problem = {Verdict.OTHER: REPLACED, Verdict.UNKNOWN: CHANGED}
        return replace(request, problem=problem[verdict])

    def _verdict(self, identity: Identity, path: str) -> Verdict | None:
        """Return what a file is; None if it is not there or cannot be read."""
        try:
            return self._check.compare(identity, path, cancelled=self._cancelled)
        except OSError:
            return None


def source_notes(asked: Sequence[ClipRequest], found: Sequence[ClipRequest], *, lists: bool) -> list[str]:
    """Return a sentence for each file that is replaced by a copy, left out of the lists, or named there while offline.

    Args:
        asked: The clips as requested.
        found: The same clips as `Sources.find` returns them.
        lists: Edit lists are written.
    """
    notes: dict[str, None] = {}
    for before, after in zip(asked, found, strict=True):
        if after.path != before.path:
            why = "is not what was indexed" if os.path.exists(before.path) else "is missing"
            notes[f"{before.path} {why}: {after.path} has the same content and is used instead"] = None
        elif lists and after.problem:
            notes[f"{after.path} is not in the lists: {after.problem}"] = None
        elif lists and after.facts is not None and not os.path.exists(after.path):
            notes[f"{after.path} is missing; the lists name it as it was indexed"] = None
    return list(notes)


def known_copies(library: Library, identity: Identity, path: str) -> tuple[KnownCopy, ...]:
    """Return the other files of the library that may have a content, by path."""
    return tuple(
        KnownCopy(video.path, Identity.of(video))
        for video in library.videos_with_fingerprint(identity.fingerprint)
        if video.path != path and identity.may_share_content(Identity.of(video))
    )


def with_copies(library: Library, requests: Iterable[ClipRequest]) -> list[ClipRequest]:
    """Return the requests, each with the other files that the library has of its content."""
    known: dict[tuple[Identity, str], tuple[KnownCopy, ...]] = {}
    result = []
    for request in requests:
        if request.identity is not None:
            key = (request.identity, request.path)
            if key not in known:
                known[key] = known_copies(library, *key)
            request = replace(request, copies=known[key])
        result.append(request)
    return result


def reachable(library: Library, video: Video) -> Video:
    """Return a video or, if its file is not there, another one of the same content whose file is."""
    if os.path.lexists(video.path):
        return video
    known = Identity.of(video)
    return next(
        (
            other
            for other in library.videos_with_fingerprint(video.fingerprint)
            if known.shares_content(Identity.of(other)) and os.path.isfile(other.path)
        ),
        video,
    )


def is_as_indexed(video: Video) -> bool:
    """Return whether the file of a video has the content that was indexed. Reads it if only that can tell.

    Raises:
        OSError: The file is not there, or cannot be read.
    """
    return IdentityCheck().compare(Identity.of(video), video.path) is Verdict.SAME


def require_indexed(library: Library, video: Video) -> Video:
    """Return a video, or another one of its content, whose file is there and has the content that was indexed.

    Raises:
        UnreadableVideo: There is another file now.
        OSError: No file is there, or it cannot be read.
    """
    from indexer.media.errors import UnreadableVideo

    video = reachable(library, video)
    if not is_as_indexed(video):
        raise UnreadableVideo(video.path, "error", f"{os.path.basename(video.path)}: {REPLACED}.")
    return video
