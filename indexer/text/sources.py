"""The doors: all words that a video and the files beside it hold, or only those beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from db.records import Video
from indexer.text.finder_tags import read_finder_tags
from indexer.text.found import TextFound, TextProblem
from indexer.text.sidecar_file import read_sidecar
from indexer.text.sidecars import Sidecar, find_sidecars

if TYPE_CHECKING:
    from indexer.workers.child import Link


def read_text_sources(video: Video, *, cancelled: Callable[[], bool] = lambda: False) -> TextFound:
    """Return all words that a video holds: text tracks, captions, chapters, tags, and those of files beside it.

    Args:
        video: The video as indexed: times count from its first frame shown, and end with it.
        cancelled: Called for every packet of a video with text tracks or captions; True stops.

    Raises:
        UnreadableVideo: The video cannot be opened or read.
        Cancelled: `cancelled()` returned True.
    """
    return read_video(video, cancelled=cancelled) + read_sidecars(video)


def read_video(video: Video, *, cancelled: Callable[[], bool] = lambda: False) -> TextFound:
    """Return the words that the file of a video itself holds. Arguments and errors are those of `read_text_sources`."""
    from indexer.media.probe import open_source
    from indexer.text.container import read_container
    from indexer.text.embedded import read_embedded

    duration_ms = length_ms(video)
    with open_source(video.path, threads=1) as source:
        found = read_container(source, start_pts=video.start_pts, duration_ms=duration_ms)
        found += read_embedded(source, start_pts=video.start_pts, duration_ms=duration_ms, cancelled=cancelled)
    return found + TextFound(tuple(read_finder_tags(video.path, duration_ms=duration_ms)))


def read_sidecars(video: Video, sidecars: Iterable[Sidecar] | None = None) -> TextFound:
    """Return the words of the files beside a video. The video is not opened; never raises for a file.

    Args:
        video: The video as indexed.
        sidecars: Its files, of a `SidecarFolder` that serves all videos of a folder; None to look for them.
    """
    if sidecars is None:
        try:
            sidecars = find_sidecars(video.path)
        except OSError as error:
            folder = os.path.basename(os.path.dirname(video.path))
            return TextFound(problems=(TextProblem(folder, f"the folder cannot be read ({error.strerror or error})"),))
    found = TextFound()
    for sidecar in sidecars:
        found += read_sidecar(sidecar, rate=video.nominal_rate, duration_ms=length_ms(video))
    return found


def length_ms(video: Video) -> int:
    """Return the length of a video in milliseconds."""
    return round((video.end_pts - video.start_pts) * video.time_base * 1000)


def read_parts(link: Link, video: Video, sidecars: Iterable[Sidecar], in_video: bool) -> TextFound:
    """Return the words of a video, if `in_video`, and of files beside it; a task of a worker process.

    The state of its progress is the name of the file beside the video that is being read, or "" for the video.
    """
    found = TextFound()
    if in_video:

        def alive() -> bool:
            link.progress("")
            return False  # the task is cancelled by the end of this process

        link.progress("", now=True)
        found = read_video(video, cancelled=alive)
    for sidecar in sidecars:
        link.progress(sidecar.name, now=True)
        found += read_sidecars(video, [sidecar])
    return found
