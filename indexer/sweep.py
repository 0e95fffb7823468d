"""Videos and failures whose files are gone: which of them a run may forget.

A file that is missing from a folder that is there was deleted, by the rule of `missing_files`. Yet if most videos of a
root are gone at once, another card may be in its place: these wait for a yes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from db.media_roots import NO_ROOTS, MediaRoots
from db.records import Failure, KnownFile
from indexer.media_roots import Reach
from indexer.missing_files import exists, find_missing, is_below, is_empty_folder
from indexer.plan import Plan
from indexer.scan import Problem, Scan

MOST = 0.5
"""The share of a root's videos above which their absence is not taken for deletion without asking."""
FEW = 1
"""So many videos may go without asking, whatever their share: their rows are kept for a while anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What is missing below the roots of a run; paths of files."""

    deleted: tuple[str, ...] = ()
    doubtful: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by root, most of whose videos are gone
    unreachable: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()  # files that could not be indexed and are gone

    def forgotten(self, roots: Iterable[str]) -> list[str]:
        """Return the paths to forget if the videos below some of the doubtful roots were really deleted."""
        return [*self.deleted, *(path for root in roots for path in self.doubtful.get(root, ()))]


def find_gone(
    scan: Scan,
    known: Mapping[str, KnownFile],
    failures: Mapping[str, Failure],
    plan: Plan,
    volumes: Mapping[str, str],
    roots: MediaRoots = NO_ROOTS,
) -> Gone:
    """Return the files that are missing below the roots that exist.

    Args:
        scan: The walk over the roots.
        known: The library's files, by path.
        failures: The library's failures, by path.
        plan: The plan of the run; a file that was moved is not gone.
        volumes: The identities of the volumes that known files were on, by path.
        roots: The roots of media. Below one that is not proved, nothing is gone.
    """
    seen = {file.path for file in scan.files} | {item.old_path for item in plan.moved}

    def below_roots(paths: Iterable[str]) -> list[str]:
        return [path for path in paths if any(is_below(path, root) for root in scan.present)]

    own = below_roots(known)
    missing = find_missing([path for path in own if path not in seen], volumes)
    reach = Reach(roots, known, {file.path for file in scan.files})
    doubted = {path for path in missing.deleted if not reach.is_proved(path)}
    deleted = set(missing.deleted) - doubted
    doubtful: dict[str, tuple[str, ...]] = {}
    for root in scan.present:
        gone = tuple(path for path in missing.deleted if path in deleted and is_below(path, root))
        if len(gone) > max(FEW, MOST * sum(is_below(path, root) for path in own)):
            doubtful[root] = gone
            deleted -= set(gone)
    failed = [path for path in below_roots(failures) if path not in seen]
    return Gone(
        deleted=tuple(sorted(deleted)),
        doubtful=doubtful,
        unreachable=tuple(sorted({*missing.unreachable, *doubted})),
        failures=tuple(filter(reach.is_proved, find_missing(failed).deleted)),
    )


def renamed_failures(scan: Scan, failures: Mapping[str, Failure]) -> dict[str, str]:
    """Return the new paths, by the old ones, of files that could not be indexed and whose folder was renamed.

    Name, size and time are the same, and nothing has the old path. Where several files are like that, none counts.
    """
    gone: dict[tuple[str, int, int], list[str]] = {}
    for path, failure in failures.items():
        if failure.size_bytes and not exists(path):
            gone.setdefault((os.path.basename(path), failure.size_bytes, failure.modified_ns), []).append(path)
    found: dict[tuple[str, int, int], list[str]] = {}
    for file in scan.files if gone else ():
        key = (os.path.basename(file.path), file.size_bytes, file.modified_ns)
        if key in gone and file.path not in failures:
            found.setdefault(key, []).append(file.path)
    return {gone[key][0]: paths[0] for key, paths in found.items() if len(paths) == len(gone[key]) == 1}


def problems_of(scan: Scan, gone: Gone) -> tuple[Problem, ...]:
    """Return a line for each root that is empty though the library has videos of it."""
    lines = []
    for root in scan.present:
        if is_empty_folder(root) and (kept := sum(is_below(path, root) for path in gone.unreachable)):
            reason = f"is empty, and {kept} of its videos stay in the library; is its drive connected?"
            lines.append(Problem(path=root, reason=reason))
    return tuple(lines)


def notes_of(scan: Scan, known: Iterable[str], gone: Gone, forgotten: Iterable[str]) -> tuple[Problem, ...]:
    """Return a line for each root most of whose videos are gone and were kept."""
    known, forgotten = list(known), set(forgotten)
    return tuple(
        Problem(
            path=root,
            reason=f"{len(paths)} of its {sum(is_below(path, root) for path in known)} videos are missing, as if "
            "another card or drive were in its place: they are kept (prismsearch remove --missing FOLDER removes them)",
        )
        for root, paths in gone.doubtful.items()
        if root not in forgotten
    )
