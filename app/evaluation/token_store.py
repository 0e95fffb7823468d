"""Tokens of clips, kept in files from one run to the next: a clip each, float16, memory-mapped when they are read."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from files.links import remove_tree
from files.replace import replacing
from files.sweep import sweep_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder.protocol import TokenEncoder

FOLDER = "tokens"
"""Name of the folder below that of an evaluation's work."""

_SPARE_BYTES = 1 << 30
"""Room that is left to others."""
_DRAFT = "draft-"


class NoRoom(OSError):
    """The disk has no room for the tokens; the message says how much is missing."""


@dataclass(frozen=True, slots=True)
class Need:
    """What tokens that are not there yet take, and what is free, in bytes."""

    needed: int
    free: int


class TokenStore:
    """Tokens by key, float16 (L, D), in a folder of one .npy file each.

    A file appears under its name when it is complete, so a run that was killed goes on where it was. `[key]` is the
    file's path: `TokenFiles` maps what a batch needs, and no more.
    """

    def __init__(
        self, work: Path, encoder_id: str, precision: str, shape: tuple[int, int], former_id: str | None = None
    ) -> None:
        """Open a store, or make it.

        Args:
            work: The folder of an evaluation's work.
            encoder_id, precision: What shapes tokens: each pair has a folder of its own.
            shape: (L, D).
            former_id: The encoder's id in earlier versions, if it was another: their folder gets the present name.

        Raises:
            OSError: The folder cannot be made.
        """
        self._folder, self._shape = _folder_of(work, encoder_id, precision), shape
        if former_id is not None and not self._folder.exists():
            with suppress(OSError):  # usually, there is none
                _folder_of(work, former_id, precision).rename(self._folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        sweep_files(self._folder, _DRAFT, older_than_seconds=86_400)

    def __contains__(self, key: str) -> bool:
        import numpy as np

        try:
            kept = np.load(self._path(key), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError):  # ValueError: damaged, or cut short by another program
            return False
        return bool(kept.shape == self._shape and kept.dtype == np.float16)

    def __getitem__(self, key: str) -> Path:
        return self._path(key)

    def add(self, key: str, row: NDArray[np.float32]) -> None:
        """Keep the tokens of a clip, float (L, D).

        Raises:
            ValueError: They have another shape, or do not fit into float16.
            OSError: They could not be written, for example because the disk is full.
        """
        import numpy as np

        with np.errstate(over="ignore"):
            half = np.asarray(row, np.float16)
        if half.shape != self._shape or not np.isfinite(half).all():
            raise ValueError(f"tokens {self._shape} of finite numbers are needed, got {half.shape}")
        path = self._path(key)
        with replacing(path, draft=path.with_name(f"{_DRAFT}{path.name}")) as draft, draft.open("wb") as file:
            np.save(file, half, allow_pickle=False)

    @property
    def bytes_of_one(self) -> int:
        """Bytes of the tokens of a clip."""
        return 2 * self._shape[0] * self._shape[1]

    def need(self, keys: Sequence[str]) -> Need:
        """Return what the tokens take that are not there yet."""
        missing = sum(key not in self for key in set(keys))
        return Need(missing * self.bytes_of_one, shutil.disk_usage(self._folder).free)

    def require_room(self, keys: Sequence[str]) -> Need:
        """Return what `need` does. Raise NoRoom if it does not fit."""
        from errno import ENOSPC

        need = self.need(keys)
        if need.needed + _SPARE_BYTES > need.free:
            raise NoRoom(ENOSPC, f"tokens need {need.needed / 1e9:.1f} GB, and {need.free / 1e9:.1f} GB are free")
        return need

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}.npy"


class TokenFiles:
    """Tokens of n clips in files, as `training.heads.map_probe.fit_map` reads them: a batch at a time."""

    def __init__(self, paths: Sequence[Path], shape: tuple[int, int]) -> None:
        self._paths, self._shape = list(paths), shape

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, L, D)."""
        return (len(self._paths), *self._shape)

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.floating]:
        """Return float16 (b, L, D). Raises OSError or ValueError for a file that was damaged or deleted meanwhile."""
        import numpy as np

        tokens = np.empty((len(positions), *self._shape), np.float16)
        for at, position in enumerate(positions):
            tokens[at] = np.load(self._paths[position], allow_pickle=False)
        return tokens

    def means(self) -> NDArray[np.float32]:
        """Return the unit-length mean of the tokens of each clip, float32 (n, D)."""
        import numpy as np

        rows = [unit_mean(self[np.array([at])].astype(np.float32)) for at in range(len(self._paths))]
        return np.concatenate(rows) if rows else np.zeros((0, self._shape[1]), np.float32)


def unit_mean(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the unit-length means of tokens (B, L, D), float32 (B, D)."""
    import numpy as np

    means = tokens.mean(axis=1, dtype=np.float64)
    unit: NDArray[np.float32] = (means / np.sqrt((means**2).sum(axis=1, keepdims=True) + 1e-12)).astype(np.float32)
    return unit


def _folder_of(work: Path, encoder_id: str, precision: str) -> Path:
    return work / FOLDER / hashlib.blake2b(f"{encoder_id} {precision}".encode(), digest_size=8).hexdigest()


def token_shape(encoder: TokenEncoder) -> tuple[int, int]:
    """Return (L, D) of a clip's tokens; nothing is encoded."""
    import numpy as np

    tokens = encoder.encode_tokens(np.zeros((0, *encoder.clip_spec.shape), np.uint8))
    return tokens.shape[1], tokens.shape[2]


def kept_tokens(work: Path) -> tuple[int, int]:
    """Return how many clips have tokens in the folder of an evaluation's work, and their bytes."""
    sizes = [path.stat().st_size for path in (work / FOLDER).glob("*/*.npy")]
    return len(sizes), sum(sizes)


def delete_tokens(work: Path) -> None:
    """Delete all tokens. They can be made again.

    Raises:
        OSError: Something could not be deleted.
    """
    if (work / FOLDER).exists():
        remove_tree(work / FOLDER, work)
