"""Tasks that a run has not begun. Other runs, on this machine or on others, may have the same: each is done by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from files.file_times import is_same_stamp
from indexer.lacking import is_current
from indexer.quick_pass import known_to_quick_pass

if TYPE_CHECKING:
    from db.claims import Claim, Claims
    from db.library import Library
    from db.records import Failure, KnownFile, Worker
    from indexer.plan import VideoTask
    from indexer.run_parts import RunEncoder
    from indexer.scan import FoundFile

_LOOK = 200
"""The most tasks that are asked for at once. Other runs have begun few."""
_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The state of the library when a run was planned, by which it sees what others have done since.

    Attributes:
        revisions: For each encoder of the run, of the videos that it had encoded, how often, by their ids.
        failures: Files that could not be indexed, by path.
    """

    revisions: Sequence[Mapping[int, int]]
    failures: Mapping[str, Failure]


def revisions(records: Iterable[KnownFile]) -> dict[int, int]:
    """Return how often the rows of videos were written, by their ids. records: as to one encoder."""
    return {record.video_id: record.revision for record in records if record.embedded}


class SharedTasks:
    """The tasks of a run that are still to be begun."""

    def __init__(
        self,
        library: Library,
        claims: Claims,
        encoders: Sequence[RunEncoder],
        before: Before,
    ) -> None:
        """Begin without any.

        Args:
            library, encoders: Of the run.
            claims: Those of the run, by the fingerprints of videos.
            before: What the run was planned by.
        """
        self._library = library
        self._claims = claims
        self._encoders = encoders
        self._before = before
        self._waiting: deque[VideoTask] = deque()
        self._refused = 0  # in a row
        self._ask_at = 0.0
        self._look_at = 0.0
        self._others: tuple[Worker, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, tasks: Iterable[VideoTask]) -> None:
        """Add tasks at the end."""
        self._waiting.extend(tasks)

    def put_first(self, task: VideoTask) -> None:
        """Add a task that is to be begun next."""
        self._waiting.appendleft(task)
        self._ask_at = 0.0

    def take(self, most: int) -> list[VideoTask]:
        """Claim the first tasks that are free, at most so many. Those that others have claimed move to the end.

        Returns:
            Tasks, which are this run's until `release`. None while all were claimed a moment ago.
        """
        if most <= 0 or not self._waiting or monotonic() < self._ask_at:
            return []
        asked = [self._waiting.popleft() for _ in range(min(_LOOK, len(self._waiting)))]
        first: dict[str, VideoTask] = {}
        for task in asked:
            first.setdefault(task.fingerprint, task)
        taken = self._claims.take({name: task.file.path for name, task in first.items()}, most)
        tasks = [first[name] for name in taken]
        tried = asked.index(tasks[-1]) if len(taken) == most else len(asked)
        self._waiting.extendleft(reversed(asked[tried + 1 :]))
        refused = [task for task in asked[:tried] if task not in tasks]
        self._waiting.extend(refused)
        self._refused = 0 if tasks else self._refused + len(refused)
        if self._refused and self._refused >= len(self._waiting):
            self._refused, self._ask_at = 0, monotonic() + self._claims.pause_seconds
        return tasks

    def progress(self) -> None:
        """Tell others that this run goes on with what it has claimed."""
        self._claims.progress()

    def waited_for(self) -> tuple[Worker, ...]:
        """Return the workers on other machines that have videos in work, for a run that has none to begin."""
        now = monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            self._others = tuple(each for each in self._library.workers() if each.doing == "index" and each.paths)
        return self._others

    def claim(self, task: VideoTask) -> Claim | None:
        """Return the claim on a task, for the transaction that stores it."""
        return self._claims.claim(task.fingerprint)

    def release(self, task: VideoTask) -> None:
        """Give up the claim on a task that is stored or has failed."""
        self._claims.release(task.fingerprint)
        self._ask_at = 0.0

    def stored_by_others(self, task: VideoTask) -> int | None:
        """Return the id of the video if another run has done all of a claimed task since this one was planned."""
        records = self._current(task.file)
        if not records:
            return None
        video_id = records[0].video_id
        if task.only_media:
            return None if self._library.lacking_media([video_id]) else video_id
        for number in task.lacks or range(len(records)):
            record = records[number]
            if record.embedded and self._before.revisions[number].get(record.video_id) == record.revision:
                return None  # as it was when the run was planned
        return video_id

    def stored(self, file: FoundFile) -> int | None:
        """Return the id of the video that a file is, if the library has it as the run would index it; else None."""
        records = self._current(file)
        return records[0].video_id if records else None

    def failed_for_others(self, task: VideoTask) -> Failure | None:
        """Return the failure if another run has failed on the file of a claimed task since this one was planned."""
        file = task.file
        failure, former = self._library.failure_at(file.path), self._before.failures.get(file.path)
        stamp = file.size_bytes, file.modified_ns
        if failure is None or not is_same_stamp((failure.size_bytes, failure.modified_ns), stamp):
            return None
        known = former is not None and (former.attempts, former.failed_at) == (failure.attempts, failure.failed_at)
        return None if known else failure

    def _current(self, file: FoundFile) -> list[KnownFile]:
        """Return a file as it is known as to each encoder of the run; none unless all have it as the run would."""
        records = []
        for each in self._encoders:
            record = self._library.known_file(file.path, each.encoder.id)
            if record is not None and each.quick_of is not None:
                record = known_to_quick_pass(record, each.recipe)
            if record is None or not is_current(record, each.recipe):
                return []
            if not is_same_stamp((record.size_bytes, record.modified_ns), (file.size_bytes, file.modified_ns)):
                return []
            records.append(record)
        return records
