"""Facts of unchanged files that an earlier version indexed without reading them. Nothing is decoded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from db.media_facts import MediaFacts
from db.records import KnownFile
from indexer.media.errors import UnreadableVideo
from indexer.scan import FoundFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFacts:
    """What the header of a known file states."""

    file: FoundFile
    timecode: str
    facts: MediaFacts
    kinds: frozenset[str]


def lacking_facts(files: Iterable[FoundFile], known: dict[str, KnownFile]) -> list[FoundFile]:
    """Return the files that are in the library unchanged, without facts."""

    def lacks(file: FoundFile, stored: KnownFile | None) -> bool:
        stamp = (file.size_bytes, file.modified_ns)
        return stored is not None and not stored.facts_read and (stored.size_bytes, stored.modified_ns) == stamp

    return [file for file in files if lacks(file, known.get(file.path))]


def read_missing_facts(
    files: list[FoundFile], *, workers: int, cancelled: Callable[[], bool]
) -> Iterator[ReadFacts | None]:
    """Yield the facts of each file, in order; None for a file that cannot be opened, which is tried again next time.

    Args:
        files: From `lacking_facts`.
        workers: Files opened at the same time.
        cancelled: Polled for each file; True ends the iteration.
    """
    stop = threading.Event()

    def read(file: FoundFile) -> ReadFacts | None:
        from indexer.media.facts import header_kinds, read_facts
        from indexer.media.probe import open_source

        if stop.is_set():
            return None
        try:
            with open_source(file.path, threads=1) as source:
                return ReadFacts(
                    file=file, timecode=source.timecode, facts=read_facts(source), kinds=header_kinds(source)
                )
        except (UnreadableVideo, OSError):
            return None

    pool = ThreadPoolExecutor(workers, thread_name_prefix="facts")
    try:
        for future in [pool.submit(read, file) for file in files]:
            if cancelled():
                return
            yield future.result()
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
