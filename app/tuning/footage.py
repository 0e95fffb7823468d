"""Clips of examples, read as an index run reads them, for a training loop; decoded clips are kept on disk."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.media_workers import ReadMedia
from app.tuning.examples import Example, LeftOut
from files.links import is_link
from files.replace import replacing
from indexer.media.errors import Cancelled, UnreadableVideo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec

    Clip = NDArray[np.uint8]

_SUFFIX = ".npy"
_FORM = re.compile(r"[0-9a-f]{32}\.npy")


class UnreadableClip(OSError):
    """A clip cannot be read; the message has the file and the reason."""


class ClipCache:
    """Decoded clips in a folder, up to a size. What does not fit is read from the videos again. Thread-safe."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Open the cache.

        Args:
            folder: Made if it is not there. Only files of ours in it are counted.
            most_bytes: The most that it may hold; 0 keeps nothing.
        """
        # A link may name any place of this machine, where nothing is kept, and nothing deleted.
        self._folder, self._most_bytes = folder, 0 if is_link(folder) else most_bytes
        self._lock = threading.Lock()
        self._bytes = 0
        with suppress(OSError):
            self._bytes = sum(each.stat().st_size for each in self._files())

    def get(self, name: str, spec: ClipSpec) -> Clip | None:
        """Return a clip; None if it is not there, damaged, or of another shape."""
        import numpy as np

        if not self.has(name):
            return None
        try:
            # Mapped, so that a header cannot ask for more memory than the file has; zip files and pickles are refused.
            clip = np.lib.format.open_memmap(self._path(name), mode="r")
        except (OSError, ValueError, EOFError, OverflowError):
            return None
        return np.array(clip) if clip.dtype == np.uint8 and clip.shape == spec.shape else None

    def has(self, name: str) -> bool:
        """Return whether a clip is there; its file is not read."""
        return bool(self._most_bytes) and self._path(name).is_file() and not is_link(self._path(name))

    def put(self, name: str, clip: Clip) -> None:
        """Keep a clip, if there is room. A full disk is no error: the clip is read again."""
        import numpy as np

        with self._lock:
            if self._bytes + clip.nbytes > self._most_bytes:
                return
            self._bytes += clip.nbytes
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._path(name)) as draft, draft.open("wb") as stream:
                np.save(stream, clip)

    def clear(self) -> None:
        """Delete the clips, and the folder if nothing else is in it."""
        with suppress(OSError):
            for each in self._files():
                each.unlink()
            self._folder.rmdir()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _files(self) -> list[Path]:
        """Return the files of clips. Raise OSError if there is no folder."""
        return [] if is_link(self._folder) else [each for each in self._folder.iterdir() if _FORM.fullmatch(each.name)]


class Footage:
    """A `training.batches.ClipSource` of examples. No augmentation: captions may say left and right."""

    def __init__(self, examples: Sequence[Example], spec: ClipSpec, read: ReadMedia, cache: ClipCache) -> None:
        """Make the source; nothing is read yet.

        Args:
            examples: What is trained on.
            spec: Shape of a clip.
            read: Calls what reads files.
            cache: Keeps what was read.
        """
        self._examples, self._spec, self._read, self._cache = tuple(examples), spec, read, cache

    def __len__(self) -> int:
        """See `ClipSource`."""
        return len(self._examples)

    @property
    def clip_spec(self) -> ClipSpec:
        """The shape of a clip."""
        return self._spec

    def clip(self, position: int, rng: np.random.Generator | None = None) -> Clip:
        """See `ClipSource`. The clip that an index run would take of this stretch.

        Raises:
            UnreadableClip: It cannot be read.
        """
        from indexer.media.clip import read_clip

        each = self._examples[position]
        name = _name(each, self._spec)
        known = self._cache.get(name, self._spec)
        if known is not None:
            return known
        try:
            clip = self._read(
                read_clip,
                each.path,
                self._spec,
                start_seconds=each.start_seconds,
                end_seconds=each.end_seconds,
                path=each.path,
            )
        except UnreadableVideo as error:
            raise UnreadableClip(f"{each.path}: {error.reason}") from error
        except ValueError as error:
            raise UnreadableClip(f"{each.path}: {error}") from error
        self._cache.put(name, clip)
        return clip

    def is_kept(self, position: int) -> bool:
        """Return whether a clip is in the cache, so that its file is not needed."""
        return self._cache.has(_name(self._examples[position], self._spec))

    def captions(self, position: int) -> Sequence[str]:
        """See `ClipSource`."""
        return self._examples[position].captions


def readable(
    footage: Footage,
    examples: Sequence[Example],
    on_progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> tuple[list[Example], list[LeftOut]]:
    """Read every clip once, so that no bad file ends a run after hours; what was read is kept in the cache.

    Args:
        footage: The clips of the examples.
        examples: The same, in the same order.
        on_progress: Called with how many are read, and of how many.
        cancelled: Polled before each.

    Returns:
        Those that can be read, and the others with their reasons.

    Raises:
        Cancelled: `cancelled` said so.
    """
    kept, left_out = [], []
    for place, each in enumerate(examples):
        if cancelled():
            raise Cancelled
        on_progress(place, len(examples))
        try:
            footage.clip(place)
        except UnreadableClip as error:
            reason = str(error).removeprefix(f"{each.path}: ")
            left_out.append(LeftOut(each.path, each.start_seconds, each.end_seconds, reason))
        else:
            kept.append(each)
    on_progress(len(examples), len(examples))
    return kept, left_out


def _name(each: Example, spec: ClipSpec) -> str:
    """Return the name of a clip in the cache: of content and stretch, wherever the file is."""
    what = f"{each.content} {each.start_seconds} {each.end_seconds} {spec.frames} {spec.size} {spec.fit}"
    return hashlib.blake2b(what.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
