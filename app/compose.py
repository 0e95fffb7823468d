"""The composition root: settings from options, environment and settings file, and what is built from them.

Prints nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.library_place import data_directory as data_directory
from app.library_place import default_library as default_library
from app.library_place import library_place
from app.library_place import state_directory as state_directory
from app.settings_file import PRECISIONS as PRECISIONS
from app.settings_file import VECTOR_INDEX_VARIABLE as VECTOR_INDEX_VARIABLE
from app.settings_file import SettingsFile, checked_vector_index, read_settings_file, roots_from
from app.settings_file import WrongSetting as WrongSetting
from db.media_roots import NO_ROOTS, MediaRoots

if TYPE_CHECKING:
    from db.library import Library
    from db.server.address import ServerAddress
    from encoder import Encoder, Fit, Shape
    from encoder.checkpoints.download_policy import Sources
    from encoder.shot_boundaries import ShotBoundaryScorer
    from indexer.settings import IndexSettings
    from search.engine import SearchEngine
    from search.space import Space

LIBRARY_VARIABLE = "PRISMSEARCH_LIBRARY"
ENCODER_VARIABLE = "PRISMSEARCH_ENCODER"
DEVICE_VARIABLE = "PRISMSEARCH_DEVICE"
PRECISION_VARIABLE = "PRISMSEARCH_PRECISION"
FFMPEG_VARIABLE = "PRISMSEARCH_FFMPEG"
COMPLETE_VARIABLE = "_PRISMSEARCH_COMPLETE"
"""Set by a shell that completes a command line; click derives its name from that of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a command, from its options, the environment and the settings file.

    None in `encoder`, `frames`, `fit` or `still_frames` stands for the library's stored value, or the default if it has
    none; `with_library_encoder` fills them in.
    """

    library: Path  # its folder; of one on a server, this machine's folder for what is made from it
    server: ServerAddress | None = None
    encoder: str | None = None  # an alias, a full name or a path
    device: str = "auto"
    precision: str = "auto"  # precision of the video tower; does not change the embedding space
    frames: int | None = None  # frames per clip; the default is the encoder's own
    fit: Fit | None = None  # how frames are made square; the default is stretch
    still_frames: int | None = None  # frames per nearly still clip; the default 0 means as many as any clip
    ffmpeg: str | None = None  # a binary to use instead of the packaged one
    vector_index: str = "faiss"  # of libraries on a server: one of VECTOR_INDEXES
    roots: MediaRoots = NO_ROOTS  # of media, on this machine
    new_encoder: str | None = None  # the encoder of a library that has none yet, from the settings file
    shapes: Mapping[str, Shape] = field(default_factory=dict)  # that the library has for weights it may know
    needs_text: bool = True  # whether a plain video encoder is refused, which can neither search nor be searched
    given: frozenset[str] = frozenset()  # fields set on the command line itself

    @property
    def place(self) -> str:
        """What names the library in a command line: its folder, or its address without a password."""
        return str(self.library) if self.server is None else self.server.url

    @property
    def shown(self) -> str:
        """The library, as messages name it."""
        return str(self.library) if self.server is None else str(self.server)

    def with_options(
        self,
        *,
        library: str | None = None,
        encoder: str | None = None,
        device: str | None = None,
        precision: str | None = None,
    ) -> Settings:
        """Return these settings overridden by command-line options; None leaves a value unchanged."""
        options = {"library": library, "encoder": encoder, "device": device, "precision": precision}
        folder, server = (self.library, self.server) if library is None else library_place(library)
        return replace(
            self,
            library=folder,
            server=server,
            encoder=self.encoder if encoder is None else encoder,
            device=self.device if device is None else device,
            precision=self.precision if precision is None else precision,
            given=self.given | {name for name, value in options.items() if value is not None},
        )


def settings_from(environment: Mapping[str, str] | None = None, file: SettingsFile | None = None) -> Settings:
    """Return the settings before any options: the environment over the settings file over the platform's defaults.

    Args:
        environment: The variables, by default `os.environ`. An empty variable counts as unset.
        file: The settings file, by default read from its place.

    Raises:
        WrongSetting, OSError: See `read_settings_file`.
    """
    variables = os.environ if environment is None else environment
    file = read_settings_file(environment) if file is None else file
    top = file.top
    named = variables.get(LIBRARY_VARIABLE) or top.get("library")
    library, server = library_place(named, variables) if named else (default_library(), None)
    return Settings(
        library=library,
        server=server,
        encoder=variables.get(ENCODER_VARIABLE) or None,
        device=variables.get(DEVICE_VARIABLE) or top.get("device", "auto"),
        precision=variables.get(PRECISION_VARIABLE) or top.get("precision", "auto"),
        ffmpeg=variables.get(FFMPEG_VARIABLE) or top.get("ffmpeg"),
        vector_index=checked_vector_index(variables.get(VECTOR_INDEX_VARIABLE) or top.get("vector-index", "faiss")),
        roots=roots_from(variables, file),
        new_encoder=top.get("encoder"),
    )


def open_library(settings: Settings, *, create: bool = False) -> Library:
    """Open the library of these settings, and migrate what an older version stored in a file beside it.

    Args:
        settings: Their `library` is the folder, unless it is on a server.
        create: Create the library if it does not exist.

    Raises:
        LibraryMissing: It does not exist, and `create` is False.
        LibraryError: It is newer than this program, locked, damaged, or the disk is full; or this machine's folder for
            it is another's (`app.work_folder`).
    """
    from app.encoder_choice import take_over_old_choices
    from app.work_folder import require_own
    from db.library import Library

    library = Library.open(settings.server or settings.library, create=create, roots=settings.roots)
    try:
        require_own(library)
        take_over_old_choices(library)
    except BaseException:
        library.close()
        raise
    return library


@contextmanager
def open_existing_library(settings: Settings) -> Iterator[Library | None]:
    """Open the library for the duration of a `with` block; yield None if it does not exist yet.

    Raises:
        LibraryError: As in `open_library`, except for a missing library.
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
    """Return the settings with encoder, frames, fit and still frames filled in from the library.

    These four shape every embedding, so every encoder opened for a library must use them.

    Args:
        settings: Values that are not None take precedence. If `encoder` is set, the other three default to the values
            with which that encoder was last loaded; of an encoder that the library does not know by this name, to
            those of the space with its weights, if it has one.
        library: The library; None if there is none yet. Without a stored encoder, that of the settings file counts.

    Raises:
        LibraryError: The library cannot be read.
    """
    from app.encoder_choice import choice_of, shapes_of

    choice = None if library is None else choice_of(library, settings.encoder)
    if choice is None:
        if settings.encoder is None:
            return replace(settings, encoder=settings.new_encoder)
        if library is None or (settings.frames, settings.fit, settings.still_frames) != (None, None, None):
            return settings
        return replace(settings, shapes=shapes_of(library))
    return replace(
        settings,
        encoder=choice.name if settings.encoder is None else settings.encoder,
        frames=choice.frames if settings.frames is None else settings.frames,
        fit=choice.fit if settings.fit is None else settings.fit,
        still_frames=choice.still_frames if settings.still_frames is None else settings.still_frames,
    )


def encoder_name(settings: Settings) -> str:
    """Return the name or path that `open_encoder` loads: that of the settings, else the default."""
    from encoder import DEFAULT_ENCODER

    return DEFAULT_ENCODER if settings.encoder is None else settings.encoder


def open_encoder(settings: Settings, sources: Sources | None = None) -> Encoder:
    """Load the encoder of these settings.

    Args:
        settings: Unset values are taken from their library, if it exists.
        sources: Callbacks that confirm and follow downloads of weights. None disables large downloads.

    Raises:
        EncoderError: Weights or the device are missing.
        WrongSetting: The encoder or device is unknown, or the encoder has no text tower where it needs one.
        LibraryError: The library cannot be read.
    """
    from app.encoder_names import one_encoder
    from encoder import load_encoder

    if None in (settings.encoder, settings.frames, settings.fit, settings.still_frames):
        with open_existing_library(settings) as library:
            settings = with_library_encoder(settings, library)

    # Threads that spin while waiting for each other take 15 times as long if other programs need the cores too
    # (8 clips of the demo encoder beside a training on two cores: 14 s, and 0.9 s asleep). Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return load_encoder(
            one_encoder(encoder_name(settings)),
            settings.device,
            frames=settings.frames,
            fit=settings.fit or "stretch",
            still_frames=settings.still_frames or 0,
            precision=settings.precision,
            sources=sources,
            needs_text=settings.needs_text,
            shapes=settings.shapes,
        )
    except ValueError as error:
        raise WrongSetting(str(error)) from error


def open_encoder_lazily(settings: Settings, load: Callable[[], Encoder]) -> Encoder:
    """Return an encoder that calls `load` on its first encode, if an earlier run has cached its description.

    Args:
        settings: As for `open_encoder`.
        load: Calls `open_encoder` with these settings.

    Raises:
        EncoderError, WrongSetting: Raised by `load`, if the encoder has to be loaded right away.
    """
    from app.encoder_choice import EncoderRequest, canonical, open_lazily

    name = encoder_name(settings)

    def files() -> list[Path]:
        from encoder import EncoderError
        from encoder.checkpoints.download_policy import Sources
        from encoder.model_files import files_of

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
        shapes=tuple(sorted(settings.shapes.items())),
    )
    encoder = open_lazily(settings.library, request, load, files)
    if settings.needs_text and not encoder.has_text:
        from encoder.config import no_text

        raise WrongSetting(no_text(name))
    return encoder


def open_scorer(settings: Settings, index_settings: IndexSettings) -> ShotBoundaryScorer | None:
    """Return the scorer of shot boundaries that the detector needs; None if it needs none. Loaded on its first use.

    Args:
        settings: The device, and the precision unless it is int8, which this network does not support.
        index_settings: The detector.

    Raises:
        EncoderError: Its weights are not installed; the message says what to install.
    """
    from indexer.settings import LEARNED

    if index_settings.detector not in LEARNED:
        return None
    from encoder.shot_boundaries.lazy import LazyScorer
    from encoder.shot_boundaries.weights import require_weights

    weights = require_weights()

    def load() -> ShotBoundaryScorer:
        from encoder.shot_boundaries.model import ShotBoundaryModel

        device = "cpu" if settings.device == "mps" else settings.device  # where it decides otherwise
        precision = "auto" if settings.precision == "int8" else settings.precision
        return ShotBoundaryModel.load(device, precision, weights=weights)

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see open_encoder
    return LazyScorer(load)


def open_engine(
    settings: Settings,
    library: Library | None = None,
    encoder: Encoder | None = None,
    *,
    on_calibration: Callable[[float], None] | None = None,
) -> SearchEngine:
    """Return a search engine over a library, an encoder and the library's FAISS files.

    Args:
        settings: Used to open the library or encoder if not passed.
        library: An open library, which the caller closes.
        encoder: By default, the library's own encoder.
        on_calibration: Called with the finished fraction, if a search has to calibrate strengths first.

    Raises:
        LibraryError, EncoderError, WrongSetting: See `open_library` and `open_encoder`.
    """
    from search.engine import SearchEngine

    library = library or open_library(settings)
    encoder = encoder or open_encoder(with_library_encoder(settings, library))
    return SearchEngine.of(open_space(library, encoder, on_calibration=on_calibration))


def open_space(
    library: Library,
    encoder: Encoder,
    *,
    on_calibration: Callable[[float], None] | None = None,
    is_quick: bool = False,
) -> Space:
    """Return the rows of an encoder in a library, with their vector index and the library's calibration.

    Args:
        library: An open library, which the caller closes.
        encoder: The encoder.
        on_calibration: As for `open_engine`.
        is_quick: Whether its rows stand in for those of another encoder.

    Raises:
        LibraryError: The library cannot be read.
    """
    from app.encoder_choice import take_over_former_space
    from app.vector_indexes import open_index
    from search.calibration.calibration import Calibration
    from search.calibration.folder import calibration_folder
    from search.space import Space

    take_over_former_space(library, encoder)
    index = open_index(library, encoder.id, settings_from().vector_index)
    calibration = Calibration(library, encoder, calibration_folder(library.directory), on_calibration)
    return Space(library, encoder, index, calibration, is_quick=is_quick)


def optimize_vectors(
    library: Library, encoder_id: str, on_progress: Callable[[float], None] = lambda share: None
) -> None:
    """See `app.vector_indexes.optimize`, of the index that the settings choose."""
    from app.vector_indexes import optimize

    optimize(library, encoder_id, settings_from().vector_index, on_progress)


def calibrate(library: Library, encoder: Encoder, on_progress: Callable[[float], None]) -> None:
    """Bring the calibration of strengths up to date, so that no search has to wait for it.

    Args:
        library: A library with rows of this encoder.
        encoder: Encodes the null questions the first time.
        on_progress: Called with the finished fraction; what it raises ends the work, and the next search goes on.

    Raises:
        LibraryError, EncoderError: The library cannot be read, or a question cannot be encoded.
    """
    from search.calibration.calibration import Calibration
    from search.calibration.folder import calibration_folder

    Calibration(library, encoder, calibration_folder(library.directory)).update(on_progress)
