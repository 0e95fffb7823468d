"""An Encoder that is not loaded before it has to encode: what is known of it answers for it until then.

A run over files of which none is new asks for the encoder's id and the shape of its clips, and torch alone takes longer
to import than all the rest. What is known was noted when the encoder was last loaded, and holds while neither its files
nor this package's own have changed. Importing this module imports neither torch nor numpy's heavy parts.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from encoder.errors import EncoderError
from encoder.protocol import ClipSpec, Encoder


class EncoderChanged(EncoderError):
    """What was loaded is not what was known; the message says what to do."""


@dataclass(frozen=True, slots=True)
class KnownEncoder:
    """What can be told of an encoder without loading it, and by what is seen that it is still true."""

    id: str
    dim: int
    frames: int
    size: int
    fit: Literal["stretch", "crop", "pad"]
    notice: str | None
    batch: int
    files: tuple[tuple[str, int, int], ...]  # path, bytes, modification time in ns
    code: str  # of this package: see `code_stamp`

    def holds(self) -> bool:
        """Whether its files and this package are those that it was loaded with."""
        return self.code == code_stamp() and all(_look(path) == (size, time) for path, size, time in self.files)

    def as_record(self) -> dict[str, Any]:
        """For JSON; `from_record` reads it."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> KnownEncoder:
        """Raises KeyError, TypeError or ValueError for a record that was not written by `as_record`."""
        files = tuple((str(path), int(size), int(time)) for path, size, time in record["files"])
        return cls(**{**record, "files": files})


def known_of(encoder: Encoder, files: Iterable[Path]) -> KnownEncoder:
    """What is to be noted of a loaded encoder that came from `files`. Raises OSError where one is gone already."""
    spec = encoder.clip_spec
    looks = []
    for path in files:
        status = path.stat()
        looks.append((str(path), status.st_size, status.st_mtime_ns))
    return KnownEncoder(
        id=encoder.id,
        dim=encoder.dim,
        frames=spec.frames,
        size=spec.size,
        fit=spec.fit,
        notice=encoder.notice,
        batch=encoder.batch,
        files=tuple(looks),
        code=code_stamp(),
    )


def code_stamp() -> str:
    """Changes with every change of this package's source: what made an id yesterday may make another one today."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(f"{file.name} {_look(str(file))}\n".encode())
    return digest.hexdigest()


class Deferred:
    """Implements `encoder.Encoder`; loads at the first clip or text, or ahead of it after `prepare`."""

    def __init__(self, known: KnownEncoder, load: Callable[[], Encoder]) -> None:
        """load: gives the encoder itself; called at most once with success, by whichever thread comes first."""
        self._known = known
        self._load = load
        self._encoder: Encoder | None = None
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        return self._known.id

    @property
    def dim(self) -> int:
        return self._known.dim

    @property
    def clip_spec(self) -> ClipSpec:
        return ClipSpec(self._known.frames, self._known.size, self._known.fit)

    @property
    def notice(self) -> str | None:
        return self._known.notice

    @property
    def batch(self) -> int:
        return self._known.batch

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Encoder. Raises as well what loading raises, and EncoderChanged."""
        return self.loaded().encode_clips(clips)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Encoder. Raises as well what loading raises, and EncoderChanged."""
        return self.loaded().encode_texts(texts)

    def prepare(self) -> None:
        """Begin to load in a thread of its own, as something will have to be encoded soon."""

        def ahead() -> None:
            with contextlib.suppress(Exception):  # whoever needs the encoder tries again, and is told
                self.loaded()

        threading.Thread(target=ahead, name="load-encoder", daemon=True).start()

    def loaded(self) -> Encoder:
        """The encoder itself. Raises what loading raises; EncoderChanged where it is not the one that was known."""
        with self._lock:
            if self._encoder is None:
                encoder = self._load()
                if (encoder.id, encoder.dim, encoder.clip_spec) != (self.id, self.dim, self.clip_spec):
                    raise EncoderChanged(
                        f"The encoder is now {encoder.id} and was {self.id} when this began; start the same again."
                    )
                self._encoder = encoder
            return self._encoder

    def __getattr__(self, name: str) -> Any:
        """What only some encoders have is asked of the encoder itself."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.loaded(), name)


def _look(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
