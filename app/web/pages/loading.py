"""Loading of what all pages need, before the server listens.

Otherwise the first tabs would do it, each import holding up every other answer: those of a server that was started
again are asked by all old tabs at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from app.web.pages import session

if TYPE_CHECKING:
    from search.engines import Engine


def load_pages() -> None:
    """Import the pages, and open the library and, if anything was indexed, the engine. Never fails: pages say why."""
    from app.web.pages import collections, indexing, library, map, search  # noqa: F401

    with _without_script(), suppress(Exception):
        if any(row.segments for row in session.open_library().encoders()):
            session.open_engine()


def shared_engine() -> Engine:
    """Return the engine that all tabs share, up to date, to a route, which is no script.

    Raises:
        EncoderError, WrongSetting: See `session.open_engine`.
    """
    with _without_script():
        return session.open_engine()


@contextmanager
def _without_script() -> Iterator[None]:
    """Keep Streamlit from warning that no script runs, in which a cached function would show its spinner."""
    logger = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False
