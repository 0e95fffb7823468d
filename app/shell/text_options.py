"""Options of a search in the words of videos: --said, --written, --text and --text-weight."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from db.timed_text import TextKind
    from search.text.matches import TextPart

KINDS: Mapping[str, tuple[TextKind, ...] | None] = MappingProxyType(
    {"said": ("subtitle", "speech"), "written": ("screen",), "text": None}
)
"""What is searched by each option, which a link names `text_in`; None for all kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedText:
    """Words to look for in text, as typed; None for those that were not. `weight` None: as measured."""

    said: str | None = None
    written: str | None = None
    text: str | None = None
    weight: float | None = None

    def __bool__(self) -> bool:
        return any(each is not None for each in (self.said, self.written, self.text))

    def record(self) -> dict[str, Any]:
        """Return what was typed as JSON values."""
        return {"said": self.said, "written": self.written, "text": self.text}

    def parts(self) -> list[TextPart]:
        """Return what to look for.

        Raises:
            click.UsageError: One of them cannot be searched for.
        """
        from search.text.matches import TextPart
        from search.text.terms import TextQueryError

        parts = []
        for name, kinds in KINDS.items():
            typed = getattr(self, name)
            if typed is None:
                continue
            part = TextPart(typed, kinds)
            try:
                part.check()
            except TextQueryError as error:
                raise click.UsageError(f"--{name}: {error}") from None
            parts.append(part)
        return parts


def text_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --said, --written, --text and --text-weight to a command, which receives them as `asked`, a TypedText."""

    @click.option(
        "--said",
        metavar="TEXT",
        help="Shots in which this is said, by subtitles or recognised speech: words, 'a \"phrase\"', OR, NOT, begin*, "
        "or /a regular expression/.",
    )
    @click.option("--written", metavar="TEXT", help="Shots in which this can be read in the picture; as --said.")
    @click.option("--text", metavar="TEXT", help="As --said, in any text: also in names of chapters, titles and tags.")
    @click.option(
        "--text-weight",
        type=float,
        metavar="W",
        help="How much text counts beside WORDS, from 0 (only the picture) to 1 (only text).  [default: 0.5]",
    )
    @functools.wraps(command)
    def run(
        *args: Any,
        said: str | None,
        written: str | None,
        text: str | None,
        text_weight: float | None,
        **others: Any,
    ) -> Any:
        asked = TypedText(said=said, written=written, text=text, weight=text_weight)
        if text_weight is not None and not 0 <= text_weight <= 1:
            raise click.UsageError("--text-weight must be from 0 to 1")
        if text_weight is not None and not asked:
            raise click.UsageError("--text-weight belongs to --said, --written or --text")
        return command(*args, asked=asked, **others)

    return run
