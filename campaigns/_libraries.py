"""Small films, libraries of them, and what two libraries must have in common to be the same."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from campaigns._campaign import Case, Skip
from campaigns._children import Child, Fault, call, command

BLEND = ("--detector", "blend")
COLOURS = ("red", "green", "blue", "yellow", "purple", "cyan", "orange", "white", "grey")
DATABASE = "library.sqlite3"


def make_films(folder: Path, count: int = 14) -> Path:
    """Write films of two or three shots under names that are hard to bear, and a copy of one."""
    from synthetic import make_video

    odd = ["-b 'c\".mkv", "deep/e\u0301;.mp4", "x" * 120 + ".mp4", "last.mp4 ", "%41 #?.mkv"]
    if sys.platform == "linux":
        odd.append(os.fsdecode(b"not \xff utf-8.mp4"))
    names = [*odd, *(f"{number:02d}.mp4" for number in range(count - len(odd)))]
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        shots = [(COLOURS[(number + part * 4) % 9], 14 + number % 5) for part in range(2 + number % 2)]
        make_video(folder / "made.mkv", shots, size=(48, 32))  # type: ignore[arg-type]
        (folder / "made.mkv").rename(folder / name)
    shutil.copy(folder / names[-1], folder / "copy.mp4")
    return folder


def films(case: Case, count: int = 14) -> Path:
    """Return that many films, made once. Not to be changed."""

    def make(folder: Path) -> Path:
        return Path(call(make_films, folder, count, log=case.log("films")))

    return Path(case.once(f"films-{count}", make, common=True))


def indexed(case: Case, folder: Path) -> Path:
    """Return a library of these films, made once by an undisturbed run. Not to be changed."""

    def make(library: Path) -> Path:
        child = command(["index", folder, *BLEND], case.log("undisturbed"), library=library)
        if child.wait() != 0:
            raise Fault(f"the undisturbed run ended with {child.code}: {child.last_words()}")
        return library

    return Path(case.once(f"library-{folder.name}", make, common=True))


def indexed_rows(case: Case, library: Path) -> dict[str, Any]:
    """Return the snapshot of such a library, taken once."""
    rows: dict[str, Any] = case.once(
        f"rows-{library.name}", lambda _: call(snapshot, library, log=case.log("snapshot")), common=True
    )
    return rows


def snapshot(library: Path | str) -> dict[str, Any]:
    """Return all that a library holds of each video, by path, but for its own ids; and its collections.

    Rows are rounded: their last bits depend on which clips came in one batch.
    """
    import numpy as np

    from db.library import Library

    found: dict[str, Any] = {}
    with Library.open(library, create=False) as opened:
        (encoder,) = opened.encoders() or (None,)
        known = opened.known_files(encoder.id) if encoder else {}
        for video in opened.videos():
            assert video.id is not None
            segments = opened.segments_of(video.id)
            rows: Any = ()
            with contextlib.suppress(KeyError):  # a damaged row: the library does not give it out
                ids = [part.id for part in segments if part.id is not None]
                rows = opened.embedding_rows(encoder.id, ids) if encoder else ()
            found[video.path] = {
                "facts": (
                    video.fingerprint,
                    video.size_bytes,
                    video.modified_ns,
                    video.time_base,
                    video.start_pts,
                    video.end_pts,
                    video.frame_rate,
                    video.frames,
                    video.width,
                    video.height,
                    video.codec,
                    video.rotation,
                    video.has_audio,
                ),
                "shots": [(shot.number, shot.start_pts, shot.end_pts) for shot in opened.shots(video.id)],
                "segments": [(part.number, part.shot_number, part.start_pts, part.end_pts) for part in segments],
                "rows": np.round(np.asarray(rows, np.float32), 2).tolist(),
                "recipe": known[video.path].recipe if video.path in known else None,
                "posters": [opened.poster_path(video, part.number).read_bytes() for part in segments],
                "previews": [opened.preview_path(video, part.number).stat().st_size > 0 for part in segments],
            }
    return found


def require_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise Fault that names what differs."""
    if found == wanted:
        return
    missing, more = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing or more:
        raise Fault(f"other videos than an undisturbed run: missing {missing[:3]}, in addition {more[:3]}")
    for path, values in wanted.items():
        for name, value in values.items():
            if found[path][name] != value and not (name == "rows" and _close(found[path][name], value)):
                raise Fault(f"{name} of {os.path.basename(path)!r} are not those of an undisturbed run")


def _close(one: Any, other: Any) -> bool:
    import numpy as np

    return np.shape(one) == np.shape(other) and bool(np.allclose(one, other, atol=0.021))


def examine(library: Path | str) -> set[str]:
    """Return the paths of a library's videos. Raises Fault where it does not open or is not whole."""
    from db.library import Library

    with Library.open(library, create=False) as opened:
        problems = opened.check()
        paths = {video.path for video in opened.videos()}
    if problems:
        raise Fault(f"check says: {problems[0]}")
    return paths


def require_command(name: str) -> None:
    """Raise Skip where this version has no such command."""
    from app.cli import COMMANDS

    if name not in COMMANDS:
        raise Skip(f"there is no command {name}")


class Watch:
    """Follows the number of videos that a library has, from outside, while another process writes them."""

    def __init__(self, library: Path, table: str = "videos") -> None:
        self._file, self._table = library / DATABASE, table
        self._connection: sqlite3.Connection | None = None

    def count(self) -> int:
        """Return the number of committed rows, 0 where there is no table yet."""
        with contextlib.suppress(sqlite3.Error):
            if self._connection is None and self._file.exists():
                self._connection = sqlite3.connect(f"{self._file.as_uri()}?mode=ro", uri=True, timeout=0.2)
            if self._connection is not None:
                return int(self._connection.execute(f"SELECT count(*) FROM {self._table}").fetchone()[0])
        return 0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def wait_for(child: Child, true: Callable[[], bool], *, pause: float = 0.001) -> bool:
    """Wait until something is true, or the child has ended; return whether it still runs."""
    deadline = time.monotonic() + 240
    while not child.ended():
        if true():
            return True
        if time.monotonic() > deadline:
            child.kill(group=True)
            raise Fault(f"made no progress for 240 s: {child.last_words()}")
        time.sleep(pause)
    return False
