"""The composition root: settings from options and environment, and the parts made from them. Prints nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
"""Those of `encoder.runtime.precision`; importing that package would bring numpy into every --help."""


class WrongSetting(ValueError):
    """A setting has a value without meaning: the name of no encoder, or of no device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a command, from its options and the environment.

    None in `encoder`, `frames`, `fit` or `still_frames` stands for the library's own value, or the default where it has
    none; `with_library_encoder` fills them in.
    """

    library: Path
    encoder: str | None = None  # an alias, a full name or a path
    device: str = "auto"
    precision: str = "auto"  # of the video tower; rows of all precisions are of one space
    frames: int | None = None  # of a clip; the default is the encoder's own
    fit: Fit | None = None  # how frames become square; the default is stretch
    still_frames: int | None = None  # of clips that hardly move; the default is 0, as many as of any clip
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
        """Return these settings with what was given on the command line over them; None leaves a value as it is."""
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
    """Return the settings that hold before any option is read: the environment over the platform's own places.

    Args:
        environment: `os.environ` unless given. An empty variable counts as not set.
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
    """Return the library's folder where none is named: `library` in the platform's data directory."""
    return data_directory() / "library"


def data_directory() -> Path:
    """Return the folder for data that must last (~/.local/share/prismsearch on Linux)."""
    from platformdirs import user_data_path

    return user_data_path("prismsearch", appauthor=False)


def open_library(settings: Settings, *, create: bool = False) -> Library:
    """Open the library of these settings, and take over what an older version kept in a file beside it.

    Args:
        settings: Their `library` is the folder.
        create: Make the library where there is none.

    Raises:
        LibraryMissing: There is none, and `create` is False.
        LibraryError: It is newer than this program, locked, damaged, or the disk is full.
    """
    from app.encoder_choice import take_over_old_choices
    from db.library import Library

    library = Library.open(settings.library, create=create)
    try:
        take_over_old_choices(library)
    except BaseException:
        library.close()
        raise
    return library


@contextmanager
def open_existing_library(settings: Settings) -> Iterator[Library | None]:
    """Open the library for the length of a `with` block, or yield None where there is none yet.

    Raises:
        LibraryError: As `open_library`, but for a library that is missing.
    """
    from db.errors import LibraryMissing

    try:
        library = open_library(settings)
    except LibraryMissing:
        yield None
        return
    with library:
        yield library


def with_library_encoder(settings: Settings, library: Library | None) -> Settings:
    """Return the settings with the library's own encoder, frames, fit and still frames where none were given.

    Those four shape every vector, so every encoder that is opened for a library takes them from here.

    Args:
        settings: Values that are not None win. Where `encoder` is one of them, the other three are taken from how that
            encoder was loaded last.
        library: None leaves the settings as they are.

    Raises:
        LibraryError: The library cannot be read.
    """
    from app.encoder_choice import choice_of

    choice = None if library is None else choice_of(library, settings.encoder)
    if choice is None:
        return settings
    return replace(
        settings,
        encoder=choice.name if settings.encoder is None else settings.encoder,
        frames=choice.frames if settings.frames is None else settings.frames,
        fit=choice.fit if settings.fit is None else settings.fit,
        still_frames=choice.still_frames if settings.still_frames is None else settings.still_frames,
    )


def encoder_name(settings: Settings) -> str:
    """Return the name or path that `open_encoder` loads: the one of the settings, else the default."""
    from encoder import DEFAULT_ENCODER

    return DEFAULT_ENCODER if settings.encoder is None else settings.encoder


def open_encoder(settings: Settings, sources: Sources | None = None) -> Encoder:
    """Load the encoder of these settings.

    Args:
        settings: What they leave open is taken from their library, where there is one.
        sources: Callbacks that confirm a download of weights and report its progress. None downloads nothing large.

    Raises:
        EncoderError: Weights or the device are missing.
        WrongSetting: No encoder or device has that name.
        LibraryError: The library cannot be read.
    """
    from encoder import load_encoder

    if None in (settings.encoder, settings.frames, settings.fit, settings.still_frames):
        with open_existing_library(settings) as library:
            settings = with_library_encoder(settings, library)

    # Threads that wait for each other by spinning take 15 times as long where other programs want the cores as well
    # (8 clips of the demo encoder beside a training on two cores: 14 s, and 0.9 s asleep). Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return load_encoder(
            encoder_name(settings),
            settings.device,
            frames=settings.frames,
            fit=settings.fit or "stretch",
            still_frames=settings.still_frames or 0,
            precision=settings.precision,
            sources=sources,
        )
    except ValueError as error:
        raise WrongSetting(str(error)) from error


def open_encoder_lazily(settings: Settings, load: Callable[[], Encoder]) -> Encoder:
    """Return an encoder that `load` loads when it first has to encode, where an earlier run has described it.

    Args:
        settings: As for `open_encoder`.
        load: Calls `open_encoder` with these settings.

    Raises:
        EncoderError, WrongSetting: As `load` raises them, where the encoder has to be loaded at once.
    """
    from app.encoder_choice import EncoderRequest, canonical, open_lazily

    name = encoder_name(settings)

    def files() -> list[Path]:
        from encoder import EncoderError
        from encoder.checkpoints.download_policy import Sources
        from encoder.loading import files_of

        try:
            return files_of(name, Sources(offline=True))
        except (EncoderError, ValueError):
            return []

    request = EncoderRequest(
        name=canonical(name),
        device=settings.device,
        frames=settings.frames,
        fit=settings.fit or "stretch",
        still_frames=settings.still_frames or 0,
        precision=settings.precision,
    )
    return open_lazily(settings.library, request, load, files)


def open_engine(settings: Settings, library: Library | None = None, encoder: Encoder | None = None) -> SearchEngine:
    """Return a search engine over a library, an encoder and the FAISS files beside the library.

    Args:
        settings: What the parts are made from that are not passed.
        library: The caller closes it.
        encoder: Opened for the library unless given.

    Raises:
        LibraryError, EncoderError, WrongSetting: As `open_library` and `open_encoder` raise them.
    """
    from search.engine import SearchEngine
    from search.vectors.faiss_index import FaissIndex

    library = library or open_library(settings)
    encoder = encoder or open_encoder(with_library_encoder(settings, library))
    return SearchEngine(library, encoder, FaissIndex.open(library, encoder.id, library.directory / "vectors"))


def order_vectors(library: Library, encoder_id: str) -> None:
    """Bring the vector index files of a large library up to date, so that no search waits for them to be built."""
    from search.vectors.vector_index import CODED_ROWS

    if library.stamp(encoder_id).count >= CODED_ROWS:
        from search.vectors.faiss_index import FaissIndex

        FaissIndex.open(library, encoder_id, library.directory / "vectors").optimize()
