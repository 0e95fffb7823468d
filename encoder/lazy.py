"""An encoder that loads its model on the first encode.

An index run without new files needs only the encoder's id and clip shape, while importing torch would take longer than
the rest of the run. Both come from an `EncoderDescription`, stored when the encoder was last loaded. It is current as
long as neither the encoder's files nor the source of this package have changed.

Importing this module does not import torch.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoder.errors import EncoderError
from encoder.frame_features import Features, by_frame
from encoder.protocol import ClipSpec, Encoder, Fit, TokenEncoder, former_id, with_tokens
from encoder.quick import AnyFrames


class EncoderChanged(EncoderError):
    """The loaded encoder does not match its description; the message says what to do."""


@dataclass(frozen=True, slots=True)
class EncoderDescription:
    """The properties of an encoder, and what they depend on: its files and the source of this package.

    Attributes:
        id, text_id, dim, has_text, notice, batch: As in `Encoder`.
        former_id: As in `FormerlyNamed`.
        token_dim, attention_heads: As in `TokenEncoder`; 0 for an encoder without tokens.
        frames, size, fit, ends: As in `ClipSpec`.
        files: Path, size in bytes and modification time in nanoseconds of weights and vocabulary.
        code: The `code_stamp` of the package that loaded the encoder.
    """

    id: str
    text_id: str
    former_id: str | None
    dim: int
    frames: int
    size: int
    fit: Fit
    notice: str | None
    batch: int
    has_text: bool
    token_dim: int
    attention_heads: int
    files: tuple[tuple[str, int, int], ...]
    code: str
    ends: bool = False

    @property
    def clip_spec(self) -> ClipSpec:
        """The shape of its clips."""
        return ClipSpec(self.frames, self.size, self.fit, self.ends)

    def is_current(self) -> bool:
        """Return whether its files and this package are unchanged."""
        return self.code == code_stamp() and all(_stat(path) == (size, time) for path, size, time in self.files)

    def as_record(self) -> dict[str, Any]:
        """Return a JSON-serialisable form for `from_record`."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> EncoderDescription:
        """Restore a description from `as_record`.

        Raises:
            KeyError, TypeError, ValueError: The record is not valid.
        """
        files = tuple((str(path), int(size), int(time)) for path, size, time in record["files"])
        return cls(**{**record, "files": files})


def describe(encoder: Encoder, files: Iterable[Path]) -> EncoderDescription:
    """Describe a loaded encoder, so that a later run can use it without loading it.

    Args:
        encoder: The encoder, loaded.
        files: The files that it was loaded from; see `encoder.model_files.files_of`.

    Raises:
        OSError: A file is missing.
    """
    spec = encoder.clip_spec
    stamps = []
    for path in files:
        status = path.stat()
        stamps.append((str(path), status.st_size, status.st_mtime_ns))
    return EncoderDescription(
        id=encoder.id,
        text_id=encoder.text_id,
        former_id=former_id(encoder),
        dim=encoder.dim,
        frames=spec.frames,
        size=spec.size,
        fit=spec.fit,
        notice=encoder.notice,
        batch=encoder.batch,
        has_text=encoder.has_text,
        token_dim=encoder.token_dim if isinstance(encoder, TokenEncoder) else 0,
        attention_heads=encoder.attention_heads if isinstance(encoder, TokenEncoder) else 0,
        files=tuple(stamps),
        code=code_stamp(),
        ends=spec.ends,
    )


def code_stamp() -> str:
    """Return a digest of the size and time of this package's source files: other code may compute another id."""
    package = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file.relative_to(package).as_posix()} {_stat(str(file))}\n".encode())
    return digest.hexdigest()


class LazyEncoder:
    """An `encoder.Encoder` with the properties of a description, which loads its model at the first clip or text.

    It is a `FrameEncoder` as well, and a `TokenEncoder` if the described one is.

    The encode methods raise the errors of loading, and EncoderChanged. Several threads may call them at once: the first
    one loads, the others wait. After a failure, the next call tries again.
    """

    def __init__(self, description: EncoderDescription, load: Callable[[], Encoder]) -> None:
        """Wrap an encoder that is not loaded yet.

        Args:
            description: The encoder's properties; current (`EncoderDescription.is_current`).
            load: Load the encoder. Not called again once it has succeeded.
        """
        self._description = description
        self._load = load
        self._encoder: Encoder | None = None
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        return self._description.id

    @property
    def text_id(self) -> str:
        return self._description.text_id

    @property
    def former_id(self) -> str | None:
        return self._description.former_id

    @property
    def dim(self) -> int:
        return self._description.dim

    @property
    def has_text(self) -> bool:
        return self._description.has_text

    @property
    def token_dim(self) -> int:
        return self._description.token_dim

    @property
    def attention_heads(self) -> int:
        return self._description.attention_heads

    @property
    def clip_spec(self) -> ClipSpec:
        return self._description.clip_spec

    @property
    def notice(self) -> str | None:
        return self._description.notice

    @property
    def batch(self) -> int:
        return self._description.batch

    def prepare(self) -> None:
        """Start to load in a daemon thread."""

        def load_ahead() -> None:
            with contextlib.suppress(Exception):  # raised again for the caller that needs the encoder
                self._loaded()

        threading.Thread(target=load_ahead, name="load-encoder", daemon=True).start()

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Encoder.encode_clips`."""
        return self._loaded().encode_clips(clips)

    def encode_frames(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `encoder.quick.AnyFrames`."""
        loaded = self._loaded()
        if not isinstance(loaded, AnyFrames):
            raise EncoderError(f"{self.id} cannot encode fewer frames")
        return loaded.encode_frames(clips)

    def encode_tokens(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `TokenEncoder.encode_tokens`."""
        return with_tokens(self._loaded()).encode_tokens(clips)

    def frame_features(self, frames: NDArray[np.uint8]) -> Features:
        """See `FrameEncoder.frame_features`."""
        return by_frame(self._loaded()).frame_features(frames)

    def encode_features(self, features: Features) -> NDArray[np.float32]:
        """See `FrameEncoder.encode_features`."""
        return by_frame(self._loaded()).encode_features(features)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.encode_texts`."""
        return self._loaded().encode_texts(texts)

    def unread(self, text: str) -> str:
        """See `Encoder.unread`."""
        return self._loaded().unread(text)

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """See `Encoder.truncated`."""
        return self._loaded().truncated(texts)

    def _loaded(self) -> Encoder:
        with self._lock:
            if self._encoder is None:
                encoder = self._load()
                if (encoder.id, encoder.dim, encoder.clip_spec) != (self.id, self.dim, self.clip_spec):
                    raise EncoderChanged(
                        f"The encoder is now {encoder.id} and was {self.id} when this began; start the same again."
                    )
                if encoder.text_id != self.text_id:
                    raise EncoderChanged(
                        f"The text encoder is now {encoder.text_id} and was {self.text_id} when this began; start the "
                        "same again."
                    )
                self._encoder = encoder
            return self._encoder


def _stat(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
