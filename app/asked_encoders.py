"""The encoders that one search asks: those that were named, and those of their quick rows in the library."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import compose
from app.compose import Settings, WrongSetting
from app.encoder_choice import canonical
from app.encoder_names import encoder_names

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from search.engines import Engine


@dataclass(frozen=True, slots=True)
class AskedEncoders:
    """The encoders of a search.

    Attributes:
        voices: For each that was named, it and the encoders of its quick rows.
    """

    voices: tuple[tuple[Encoder, ...], ...]

    @property
    def first(self) -> Encoder:
        """The one that was named first."""
        return self.voices[0][0]

    @property
    def named(self) -> tuple[Encoder, ...]:
        """Those that were named."""
        return tuple(voice[0] for voice in self.voices)

    @property
    def every(self) -> tuple[Encoder, ...]:
        """All of them, the first one first."""
        return tuple(encoder for voice in self.voices for encoder in voice)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all of them."""
        return tuple(encoder.id for encoder in self.every)

    def only(self) -> Encoder:
        """Return the one that was named.

        Raises:
            WrongSetting: There are several.
        """
        if len(self.voices) > 1:
            raise WrongSetting("one encoder at a time can do this; name one of them with --encoder")
        return self.first


def names_asked(settings: Settings, library: Library) -> tuple[str, ...]:
    """Return the names of the encoders that searches of a library ask; none for the library's own.

    Several in the settings file count for a library that was indexed with all of them.

    Raises:
        WrongSetting: See `encoder_names`.
        LibraryError: The library cannot be read.
    """
    if settings.encoder is not None:
        return encoder_names(settings.encoder)
    names = encoder_names(settings.new_encoder or "")
    known = {choice.name for choice in library.encoder_choices()} if len(names) > 1 else set()
    return names if known and known.issuperset(map(canonical, names)) else ()


def open_asked(settings: Settings, library: Library) -> AskedEncoders:
    """Load the encoders that a search of a library asks; see `open_named`."""
    return with_quick(library, open_named(settings, library))


def open_named(settings: Settings, library: Library) -> tuple[Encoder, ...]:
    """Load the encoders that the settings name, or the library's own.

    Raises:
        EncoderError, WrongSetting, LibraryError: See `compose.open_encoder`. Two names stand for one encoder.
    """
    names = names_asked(settings, library)
    each = [replace(settings, encoder=name) for name in names] or [settings]
    named = [compose.open_encoder(compose.with_library_encoder(one, library)) for one in each]
    if len({encoder.id for encoder in named}) < len(named):
        raise WrongSetting(f"{' and '.join(names)} are the same encoder")
    return tuple(named)


def with_quick(library: Library, named: Iterable[Encoder]) -> AskedEncoders:
    """Return what a search asks: encoders, and those of the quick rows that stand in for theirs in a library."""
    from encoder.quick import quick_of

    held = [row.id for row in library.encoders() if row.segments]
    return AskedEncoders(
        tuple(
            (encoder, *(quick for each in held if (quick := quick_of(encoder, each)) is not None)) for encoder in named
        )
    )


def open_engine(
    library: Library, encoders: AskedEncoders, *, on_calibration: Callable[[float], None] | None = None
) -> Engine:
    """Return the search engine over the rows of these encoders in a library.

    Args:
        library: An open library, which the caller closes.
        encoders: What is asked.
        on_calibration: Called with the finished fraction, if a search has to calibrate strengths first.

    Raises:
        LibraryError: The library cannot be read.
    """
    from search.engine import SearchEngine
    from search.several.engine import SeveralEngine

    voices = [
        tuple(
            compose.open_space(library, encoder, on_calibration=on_calibration, is_quick=number > 0)
            for number, encoder in enumerate(voice)
        )
        for voice in encoders.voices
    ]
    spaces = [space for voice in voices for space in voice]
    return SearchEngine.of(spaces[0]) if len(spaces) == 1 else SeveralEngine(voices)


def held_ids(library: Library, voices: Iterable[Iterable[str]]) -> list[list[str]]:
    """Return, for the ids of each voice, those that the library has rows of."""
    held = {row.id for row in library.encoders() if row.segments}
    return [[each for each in voice if each in held] for voice in voices]
