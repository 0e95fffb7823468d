"""Tasks that tests run in worker processes, which import them from here."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from db.records import Video
from indexer.fingerprint import fingerprint
from indexer.isolated_pass import PassOrder, PassResult, run_pass
from indexer.media.errors import UnreadableVideo
from indexer.new_files import NewFile
from indexer.scan import Scan
from indexer.scanning import _scan
from indexer.text.found import TextFound
from indexer.text.sidecars import Sidecar
from indexer.text.sources import read_parts
from indexer.workers.child import Link


def spell(link: Link, word: str) -> int:
    for letter in word:
        link.send(letter)
    return len(word)


def pictures(link: Link, count: int) -> None:
    for number in range(count):
        link.send((number, np.full((4, 64, 64, 3), number, np.uint8)))


def asks(link: Link, values: list[int]) -> list[int]:
    return [link.ask(value) for value in values]


def aborts(link: Link) -> None:
    os.abort()


def exits(link: Link) -> None:
    os._exit(3)


def killed(link: Link) -> None:
    os.kill(os.getpid(), 9)


def hangs(link: Link) -> None:
    link.send("about to hang")
    threading.Event().wait()


def hangs_with_the_lock(link: Link) -> None:
    """Hang as native code may that holds Python's lock."""
    link.send(os.getpid())
    ctypes.PyDLL(None).pause()


def slowly(link: Link, seconds: float) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        link.progress(end)
        time.sleep(0.01)
    return "done"


def allocates(link: Link, size: int) -> int:
    return len(bytearray(size))


def fills(link: Link, size: int) -> None:
    held = b"x" * size
    link.send(len(held))
    threading.Event().wait()


def raises(link: Link, path: str) -> None:
    raise UnreadableVideo(path, "broken", "It is broken.")


class _Unsendable(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def raises_oddly(link: Link) -> None:
    raise _Unsendable(1, 2)


def modules(link: Link) -> list[str]:
    return sorted(sys.modules)


def descriptors(link: Link) -> list[str]:
    names = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the listing itself
            names.append(os.readlink(f"/proc/self/fd/{name}"))
    return names


def process_id() -> int:
    return os.getpid()


def total(rows: NDArray[np.uint8]) -> tuple[int, bool]:
    return int(rows.sum()), rows.flags.writeable


def faulty_pass(link: Link, order: PassOrder) -> PassResult:
    """Decode a video as the indexer does; where its name says so, fail as a decoder may when it opens it."""
    name = os.path.basename(order.path)
    if "abort" in name:
        os.abort()
    if "hang" in name:
        ctypes.PyDLL(None).pause()
    if "memory" in name:
        bytearray(4 * 10**9)
    return run_pass(link, order)


def faulty_scan(link: Link, roots: list[str], exclude: tuple[str, ...], avoid: tuple[str, ...]) -> Scan:
    """Find videos, but hang in the folder "silent", as with a drive that does not answer."""
    real = os.scandir

    def scandir(path: str) -> Any:
        if os.path.basename(path) == "silent":
            threading.Event().wait()
        return real(path)

    with mock.patch("os.scandir", scandir):
        return _scan(link, roots, exclude, avoid)


def dying_scan(link: Link, roots: list[str], exclude: tuple[str, ...], avoid: tuple[str, ...]) -> Scan:
    """Find videos, but end the first process that does; `exclude` names a file by which the next one knows."""
    mark = Path(exclude[0])
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return _scan(link, roots, exclude, avoid)


def faulty_look(new: NewFile) -> tuple[str, str]:
    """Look at a file, unless its drive does not answer."""
    if "silent" in new.file.path:
        threading.Event().wait()
    return "", fingerprint(new.file.path)


def prepare() -> None:
    os.environ["PREPARED"] = "yes"


def is_prepared(_: Any = None) -> bool:
    return os.environ.get("PREPARED") == "yes"


def breaks_at_once() -> None:
    raise ImportError("a library is missing")


def faulty_parts(link: Link, video: Video, sidecars: Sequence[Sidecar], in_video: bool) -> TextFound:
    """Read words as `indexer.text.sources.read_parts` does, but end at files with names that say how."""
    for sidecar in sidecars:
        if "crash" in sidecar.name or "hang" in sidecar.name:
            link.progress(sidecar.name, now=True)
            os.abort() if "crash" in sidecar.name else threading.Event().wait()
    return read_parts(link, video, sidecars, in_video)
