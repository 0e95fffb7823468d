"""The composition root: settings from options and environment, and the parts made from them. Prints nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder, Fit
    from encoder.checkpoints.download_policy import Sources
    from search.engine import SearchEngine

LIBRARY_VARIABLE = "PRISMSEARCH_LIBRARY"
ENCODER_VARIABLE = "PRISMSEARCH_ENCODER"
DEVICE_VARIABLE = "PRISMSEARCH_DEVICE"
PRECISION_VARIABLE = "PRISMSEARCH_PRECISION"
FFMPEG_VARIABLE = "PRISMSEARCH_FFMPEG"
PRECISIONS = ("auto", "float32", "bfloat16", "int8")
"""Those of `encoder.runtime.precision`, whose package would bring numpy into every --help."""


class WrongSetting(ValueError):
    """A value of a setting that means nothing: an unknown encoder, no device's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every command needs to know. `encoder` None: the one the library was last indexed with, else the default."""

    library: Path
    encoder: str | None = None
    device: str = "auto"
    precision: str = "auto"  # of the video tower; rows of all precisions are of one space
    frames: int | None = None  # None: the encoder's own, or what the library was indexed with
    fit: Fit | None = None  # None: what the library was indexed with, else stretch
    still_frames: int | None = None  # of clips that hardly move, 0: all. None: as the library was indexed
    ffmpeg: str | None = None  # a binary to use instead of the packaged one
    given: frozenset[str] = frozenset()  # fields that were given on the command line itself

    def with_options(
        self,
        *,
        library: str | None = None,
        encoder: str | None = None,
        device: str | None = None,
        precision: str | None = None,
    ) -> Settings:
        """These settings with what was given on the command line in their place; None leaves a value as it is."""
        options = {"library": library, "encoder": encoder, "device": device, "precision": precision}
        return replace(
            self,
            library=self.library if library is None else Path(library),
            encoder=self.encoder if encoder is None else encoder,
            device=self.device if device is None else device,
            precision=self.precision if precision is None else precision,
            given=self.given | {name for name, value in options.items() if value is not None},
        )


def settings_from(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings before any option is read: the environment over the platform's own places.

    An empty variable counts as not set. environment: `os.environ` unless given.
    """
    variables = os.environ if environment is None else environment
    library = variables.get(LIBRARY_VARIABLE)
    return Settings(
        library=Path(library) if library else default_library(),
        encoder=variables.get(ENCODER_VARIABLE) or None,
        device=variables.get(DEVICE_VARIABLE) or "auto",
        precision=variables.get(PRECISION_VARIABLE) or "auto",
        ffmpeg=variables.get(FFMPEG_VARIABLE) or None,
    )


def default_library() -> Path:
    """The library's folder where nobody names another: `library` in the platform's data directory."""
    return data_directory() / "library"


def data_directory() -> Path:
    """Where this program keeps what must last (~/.local/share/prismsearch on Linux)."""
    from platformdirs import user_data_path

    return user_data_path("prismsearch", appauthor=False)


def open_library(settings: Settings, *, create: bool = False) -> Library:
    """The library of these settings. LibraryError: missing (unless `create`), newer, locked, disk full, damaged."""
    from db.library import Library

    return Library.open(settings.library, create=create)


def open_encoder(settings: Settings, sources: Sources | None = None) -> Encoder:
    """The encoder of these settings, with its weights loaded.

    What is not asked for is taken as the library was last indexed, because it shapes every vector.
    sources: who is asked before weights are downloaded, and who is told how far it is; None downloads nothing large.
    Raises EncoderError where weights or the device are missing, WrongSetting for names that nobody knows.
    """
    from encoder.loading import load

    # Threads that wait for each other by spinning take 15 times as long where other programs want the cores as well
    # (8 clips of the demo encoder beside a training on two cores: 14 s, and 0.9 s asleep). Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    frames, fit, still = shape(settings)
    try:
        return load(
            encoder_name(settings),
            settings.device,
            frames=frames,
            fit=fit,
            still_frames=still,
            precision=settings.precision,
            sources=sources,
        )
    except ValueError as error:
        raise WrongSetting(str(error)) from error


def open_encoder_deferred(settings: Settings, load: Callable[[], Encoder]) -> Encoder:
    """What `load` gives (by `open_encoder` with these settings), but only when it has to encode, where the library
    knows the encoder from an earlier run and its files are those of then."""
    from app.encoder_choice import canonical
    from app.known_encoders import Asked, open_deferred

    name = encoder_name(settings)
    frames, fit, still = shape(settings)

    def files() -> list[Path]:
        from encoder import EncoderError
        from encoder.checkpoints.download_policy import Sources
        from encoder.loading import files_of

        try:
            return files_of(name, Sources(offline=True))
        except (EncoderError, ValueError):
            return []

    asked = Asked(canonical(name), settings.device, frames, fit, still, settings.precision)
    return open_deferred(settings.library, asked, load, files)


def shape(settings: Settings) -> tuple[int | None, Fit, int]:
    """Frames, fit and still frames: as asked, else as the library was last indexed with this encoder."""
    from app.encoder_choice import recall

    choice = recall(settings.library, settings.encoder)
    frames = settings.frames if settings.frames is not None or choice is None else choice.frames
    still = settings.still_frames
    if still is None:
        still = choice.still_frames if choice else 0
    return frames, settings.fit or (choice.fit if choice else "stretch"), still


def encoder_name(settings: Settings) -> str:
    """The name or path that `open_encoder` loads: asked for, else the library's last one, else the default."""
    from app.encoder_choice import recall
    from encoder import DEFAULT_ENCODER

    if settings.encoder is not None:
        return settings.encoder
    choice = recall(settings.library)
    return choice.name if choice else DEFAULT_ENCODER


def open_engine(settings: Settings, library: Library | None = None, encoder: Encoder | None = None) -> SearchEngine:
    """A search engine over the library, its encoder and the FAISS file beside it. Whoever passes a part closes it."""
    from search.engine import SearchEngine
    from search.vectors.faiss_index import FaissIndex

    library = library or open_library(settings)
    encoder = encoder or open_encoder(settings)
    return SearchEngine(library, encoder, FaissIndex.open(library, encoder.id, library.directory / "vectors"))


def order_vectors(library: Library, encoder_id: str) -> None:
    """Have the vector index of a large library ready in its files, so that no search waits for its making."""
    from search.vectors.vector_index import CODED_ROWS

    if library.stamp(encoder_id).count >= CODED_ROWS:
        from search.vectors.faiss_index import FaissIndex

        FaissIndex.open(library, encoder_id, library.directory / "vectors").optimize()
