"""Facts of unchanged files that an earlier version indexed without reading them. At most one frame is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from db.media_facts import MediaFacts
from db.records import KnownFile, Video
from files.file_times import is_same_stamp
from indexer.media.errors import UnreadableVideo
from indexer.media.timeline import JUMP_SECONDS
from indexer.reading import Reading
from indexer.scan import FoundFile, Scan

if TYPE_CHECKING:
    from indexer.media.interlacing import FieldsSeen
    from indexer.media.probe import Source
    from indexer.run_parts import RunParts

_SAME_SECONDS = 1.0  # by which a container may state another length than its frames have


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFacts:
    """What the header of a known file states."""

    file: FoundFile
    timecode: str
    facts: MediaFacts
    kinds: frozenset[str]
    stated_seconds: Fraction | None  # length from the first and last times in a file whose clock may jump


def lacking_facts(files: Iterable[FoundFile], known: dict[str, KnownFile]) -> list[FoundFile]:
    """Return the files that are in the library unchanged, without facts."""

    def lacks(file: FoundFile, stored: KnownFile | None) -> bool:
        stamp = (file.size_bytes, file.modified_ns)
        return (
            stored is not None
            and not stored.facts_read
            and is_same_stamp((stored.size_bytes, stored.modified_ns), stamp)
        )

    return [file for file in files if lacks(file, known.get(file.path))]


def store_missing_facts(run: RunParts, scan: Scan, known: dict[str, KnownFile]) -> None:
    """Store the facts of files that an earlier version indexed without them, and put their kinds into `known`.

    Raises:
        Cancelled: The run is to stop.
    """
    files = lacking_facts(scan.files, known)
    if not files:
        return
    run.meter.start("facts", files_total=len(files))
    with run.report.timed("scan"):
        for read in read_missing_facts(files, run.isolation.reading):
            if read is not None:
                stored = known[read.file.path]
                kinds = stored.kinds | read.kinds
                if seems_to_jump(run.library.video(stored.video_id), read):
                    kinds |= {"clock"}
                run.library.set_facts(stored.video_id, timecode=read.timecode, facts=read.facts, kinds=kinds)
                known[read.file.path] = replace(stored, kinds=kinds, facts_read=True)
            run.meter.files_done += 1
            run.meter.report()
    run.raise_if_cancelled()


def read_missing_facts(files: list[FoundFile], reading: Reading) -> Iterator[ReadFacts | None]:
    """Yield the facts of each file, in order; None for a file that cannot be opened, which is tried again next time.

    Args:
        files: From `lacking_facts`.
        reading: Reads them. Raises Cancelled if it is told to stop.
    """
    for _, future in reading.each(_read, files, lambda file: file.path):
        try:
            yield future.result()
        except (UnreadableVideo, OSError):
            yield None


def _read(file: FoundFile) -> ReadFacts:
    from indexer.media.clock_map import may_jump
    from indexer.media.facts import header_kinds, read_facts
    from indexer.media.interlacing import stated_order
    from indexer.media.probe import open_source

    with open_source(file.path, threads=1) as source:
        fields = None if stated_order(source) else _fields_of_first_frame(source)
        return ReadFacts(
            file=file,
            timecode=source.timecode,
            facts=read_facts(source, fields),
            kinds=header_kinds(source, fields),
            stated_seconds=source.stated_seconds if may_jump(source) else None,
        )


def _fields_of_first_frame(source: Source) -> FieldsSeen:
    """Return whether the first frame is interlaced, for a file whose header does not say it, such as DV in AVI."""
    from indexer.media.decode import Decoding
    from indexer.media.interlacing import FieldsSeen

    fields = FieldsSeen(source)
    first = next(iter(Decoding(source)), None)
    if first is not None:
        fields.look(first.picture)
    return fields


def seems_to_jump(video: Video, read: ReadFacts) -> bool:
    """Return whether an earlier version was misled by the clock of a file: its lengths contradict each other."""
    if read.stated_seconds is None:
        return False
    seconds = video.duration_seconds
    by_frames = float(video.frames / read.facts.nominal_rate)
    return seconds - by_frames > JUMP_SECONDS or abs(seconds - float(read.stated_seconds)) > _SAME_SECONDS
