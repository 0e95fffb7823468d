"""Videos of a library whose words no engine has recognised yet: what a job would work on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video
    from db.timed_text import TextSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """The videos to transcribe, and how many are left out for which reason.

    Attributes:
        videos: To transcribe.
        silent: Number of those without sound.
        subtitled: Number of those with subtitles.
        transcribed: Number of those that were transcribed before.
    """

    videos: tuple[Video, ...] = ()
    silent: int = 0
    subtitled: int = 0
    transcribed: int = 0


def shots_of(library: Library, videos: Iterable[Video]) -> int:
    """Return the number of shots of these videos of a library."""
    ids = {video.id for video in videos}
    return sum(each.shots for each in library.overview() if each.video.id in ids)


def unread_videos(library: Library, videos: Iterable[Video], reader_id: str) -> list[Video]:
    """Return the videos whose text on screen an engine has not read; one that shows none was read, too.

    Args:
        library: The library.
        videos: Of it.
        reader_id: `TextReader.id`.
    """
    chosen = list(videos)
    sources = _sources_of(library, chosen)
    return [
        video
        for video in chosen
        if not any(each.kind == "screen" and each.engine == reader_id for each in sources.get(video.id or 0, ()))
    ]


def unheard_videos(
    library: Library, videos: Iterable[Video], *, also_subtitled: bool = False, redo: bool = False
) -> Unheard:
    """Return the videos to transcribe.

    Args:
        library: The library.
        videos: Of it.
        also_subtitled: Those with subtitles, too.
        redo: Those that were transcribed before, too.
    """
    chosen = list(videos)
    sources = _sources_of(library, chosen)
    left: list[Video] = []
    silent = subtitled = transcribed = 0
    for video in chosen:
        own = sources.get(video.id or 0, ())
        if not video.has_audio:
            silent += 1
        elif not also_subtitled and any(map(_is_subtitle, own)):
            subtitled += 1
        elif not redo and any(source.kind == "speech" for source in own):
            transcribed += 1
        else:
            left.append(video)
    return Unheard(videos=tuple(left), silent=silent, subtitled=subtitled, transcribed=transcribed)


def _sources_of(library: Library, videos: Sequence[Video]) -> dict[int, list[TextSource]]:
    return library.texts.sources_of([video.id for video in videos if video.id is not None])


def _is_subtitle(source: TextSource) -> bool:
    """Return whether a source has what is said; a forced one has signs and other languages only."""
    return source.kind == "subtitle" and source.lines > 0 and not source.forced
