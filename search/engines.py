"""The engines of a library: one space, or several that answer together."""

from __future__ import annotations

from search.engine import SearchEngine
from search.several.engine import SeveralEngine

Engine = SearchEngine | SeveralEngine
