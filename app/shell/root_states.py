"""Roots of media as commands list them: folder here, videos, and whether they can be reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.shell.terminal import count_text, display_path, print_note
from indexer.media_roots import RootState, root_state

if TYPE_CHECKING:
    from db.library import Library
    from db.media_roots import MediaRoots


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRoot:
    """A root that the library or this machine knows.

    Attributes:
        folder: Where this machine has it; None if it does not know.
        videos: Those stored below it.
        others: Those in its folder that are stored in another way.
    """

    name: str
    folder: str | None
    state: RootState
    videos: int
    others: int

    @property
    def folder_shown(self) -> str:
        """The folder, as the terminal can show it."""
        return "-" if self.folder is None else display_path(self.folder)

    @property
    def state_shown(self) -> str:
        """The state in words, and what to do about videos that are stored in another way."""
        if not self.others:
            return self.state
        return f"{self.state}; {count_text(self.others, 'video')} from before (prismsearch roots adopt {self.name})"


def known_roots(roots: MediaRoots, library: Library | None) -> list[KnownRoot]:
    """Return the roots that a machine or a library, if there is one, knows, by name."""
    held = {} if library is None else {each.name: (each.videos, each.others) for each in library.root_rows()}
    return [
        KnownRoot(
            name=name,
            folder=roots.folder(name),
            state=root_state(roots, name),
            videos=held.get(name, (0, 0))[0],
            others=held.get(name, (0, 0))[1],
        )
        for name in sorted({*held, *(name for name, _ in roots.folders)})
    ]


def root_records(found: Iterable[KnownRoot]) -> list[dict[str, Any]]:
    """Return roots as JSON values."""
    return [asdict(each) for each in found]


def note_unreachable(noun: str, reasons: Iterable[str | None]) -> None:
    """Print a note for each reason why files cannot be reached, with their number; None is of one that can."""
    for reason, count in Counter(reasons).items():
        if reason is not None:
            print_note(f"{count_text(count, noun)} cannot be reached: {reason}")
