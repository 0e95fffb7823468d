"""`prismsearch remove`: forget videos at once and whole, with all that was made of them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.options import PathWord, with_settings
from app.shell.paths import as_indexed, files_of_name
from app.shell.questions import confirm
from app.shell.root_states import note_unreachable
from app.shell.terminal import count_text, print_note, printable
from db.errors import LibraryError
from files.links import is_link, remove_tree
from indexer.media_roots import Reach
from indexer.missing_files import is_below

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video

_SMALL_BYTES = 64 << 20
"""A database of at most this size is written anew after each removal, so that nothing of the videos is left in it."""
_FREE_SHARE = 0.1
_EXAMPLE = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{1,8}")


@click.command(
    epilog="""\b
Examples:
  prismsearch remove old.mp4
  prismsearch remove ~/Videos/old --yes
  prismsearch remove --missing /media/usb     only those whose file is missing

\b
Your video files are never touched. Everything the library holds about them is deleted at once: rows,
posters, previews, copies for the browser, dropped examples and the records of vanished files
(prismsearch list --vanished).""",
)
@click.argument("paths", nargs=-1, required=True, type=PathWord())
@click.option("--missing", is_flag=True, help="Only videos whose file is missing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@with_settings
def remove(settings: Settings, paths: tuple[str, ...], missing: bool, yes: bool) -> None:
    """Remove videos from the library: files, or everything in folders. The video files themselves are not touched."""
    with compose.open_library(settings) as library:
        videos: dict[int, Video] = {}
        failures: list[str] = []
        vanished: set[int] = set()
        proving = [each.path for each in library.videos()] if missing and library.roots else []
        reach, absent = Reach(library.roots, proving), set[str]()

        def is_gone(path: str) -> bool:
            if os.path.exists(path):
                return False
            absent.add(path)
            return reach.is_proved(path)

        for path in (as_indexed(library, each) for each in paths):
            found = {each.id: each for each in library.videos(path) if each.id is not None}
            failed = [each.path for each in library.failures() if is_below(each.path, path)]
            held = library.vanished_videos(path)
            kept = {each.video_id for each in held if not missing or reach.is_proved(each.path)}
            absent |= {each.path for each in held} if missing else set()
            if not found and not failed and not held:
                elsewhere = files_of_name(library, path)
                known = f"it has {printable(elsewhere[0])}" if elsewhere else "nothing was removed"
                raise CommandError(f"{printable(path)} is not in the library; {known}", MISSING)
            videos |= {number: each for number, each in found.items() if not missing or is_gone(each.path)}
            failures += [each for each in failed if not missing or is_gone(each)]
            vanished |= kept
        note_unreachable("file", map(reach.why_not, absent))
        if not videos and not failures and not vanished:
            print_note("no file is missing; nothing was removed")
            return
        counts = [(len(videos), "video"), (len(failures), "failed file"), (len(vanished), "vanished video")]
        what = " and ".join(count_text(count, noun) for count, noun in counts if count)
        confirm(
            f"Remove {what} from the library? The video files themselves are not touched.",
            yes=yes,
            refusal=f"this would remove {what} from the library",
        )
        _remove_caches(library, list(videos.values()))
        removed = library.remove_videos(list(videos)) + library.remove_vanished(vanished)
        library.clear_failures(failures)
        _give_back(library)
        click.echo(f"removed {count_text(removed, 'video')} from the library; no video file was touched")


def _remove_caches(library: Library, videos: Sequence[Video]) -> None:
    """Remove what the page has made of videos: copies for the browser, and dropped examples of the same content."""
    from app.web.services.proxies import proxy_range

    proxies = library.directory / "proxies"
    if proxies.is_dir() and not is_link(proxies):
        for video in videos:
            for segment in library.segments_of(video.id or 0):
                for suffix in (".mp4", ".json"):
                    with suppress(OSError):
                        (proxies / f"{proxy_range(segment, video).key}{suffix}").unlink()
    _remove_examples(library, {(video.size_bytes, video.fingerprint) for video in videos})


def _remove_examples(library: Library, contents: Collection[tuple[int, str]]) -> None:
    """Remove dropped files whose size and fingerprint are those of a video."""
    from indexer.fingerprint import fingerprint

    sizes = {size for size, _ in contents}
    folder = library.directory / "examples"
    if is_link(folder):  # to a folder of the person's own, where the video itself may be
        return
    with suppress(OSError):
        for file in list(folder.iterdir()):
            size = file.lstat().st_size
            if (
                _EXAMPLE.fullmatch(file.name)
                and size in sizes
                and not file.is_symlink()
                and (size, fingerprint(file)) in contents
            ):
                for part in folder.glob(f"{file.name.partition('.')[0]}.*"):
                    part.unlink()


def _give_back(library: Library) -> None:
    """Give free pages, old vector files and the calibration back to the disk. What cannot be done now is done later."""
    from search.calibration.folder import forget_rows
    from search.vectors.vector_index import CODED_ROWS

    forget_rows(library.directory)
    if all(row.segments < CODED_ROWS for row in library.encoders()):
        remove_tree(library.directory / "vectors", library.directory)  # rebuilt by the next search
    with suppress(LibraryError):
        library.compact(least_bytes=_SMALL_BYTES, least_share=_FREE_SHARE)
