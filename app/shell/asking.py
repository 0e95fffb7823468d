"""What every command that searches does first: a library with something in it, and the encoder it was indexed with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app import compose
from app.compose import Settings
from app.shell.notice import say_notice
from app.shell.search_options import Narrowing, require_indexed, require_segments

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder


@contextmanager
def ready(settings: Settings, narrowing: Narrowing) -> Iterator[tuple[Library, Encoder, Narrowing]]:
    """The library, its encoder, and the filters with paths as the library knows them; closes the library at the end.

    Says the encoder's notice. Raises what compose raises; Refused where nothing is indexed, or not by this encoder.
    """
    with compose.open_library(settings) as library:
        require_segments(library)
        settled = narrowing.settled(library)
        encoder = compose.open_encoder(settings)
        require_indexed(library, encoder.id)
        if encoder.notice:
            say_notice(encoder, [each.path for each in library.videos()])
        yield library, encoder, settled
