"""A mutant: one small change of one source file; and the draw of a sample of them."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Mutant:
    """Bytes from start to end of the file are replaced. A test that runs a line from first to last reaches it."""

    path: str
    operator: str
    line: int
    offset: int
    """Bytes between the first letter of the line and the change."""
    line_text: str
    original: str
    replacement: str
    start: int
    end: int
    first: int
    last: int
    at_import: bool
    """Runs when the module is imported: no test can be told by lines to depend on it."""

    @property
    def identity(self) -> tuple[str, str, str, int, str]:
        """The change, wherever it has moved to in its file."""
        return (self.path, self.operator, self.line_text, self.offset, self.replacement)

    def apply(self, source: bytes) -> bytes:
        return source[: self.start] + self.replacement.encode() + source[self.end :]

    def changed_line(self) -> str:
        """The line as the mutant has it; of a change over several lines, its first line."""
        text = self.line_text.encode()
        before, after = text[: self.offset], text[self.offset + len(self.original.encode()) :]
        if "\n" in self.original:
            after = b""
        replacement = " ".join(self.replacement.split()) if "\n" in self.replacement else self.replacement
        return before.decode() + replacement + after.decode()


def at(
    path: str, source: bytes, operator: str, span: tuple[int, int], replacement: str, *,
    lines: tuple[int, int] = (0, 0), at_import: bool = False,
) -> Mutant:  # fmt: skip
    """Make a mutant of the bytes from the start to the end of a span."""
    start, end = span
    line_start = max(source.rfind(b"\n", 0, start), source.rfind(b"\r", 0, start)) + 1
    line_end = source.find(b"\n", start)
    line = source[line_start : line_end if line_end >= 0 else len(source)]
    indent = len(line) - len(line.lstrip())
    return Mutant(
        path=path,
        operator=operator,
        line=source.count(b"\n", 0, start) + 1,
        offset=start - line_start - indent,
        line_text=line.strip().decode(),
        original=source[start:end].decode(),
        replacement=replacement,
        start=start,
        end=end,
        first=lines[0],
        last=lines[1],
        at_import=at_import,
    )


def draw(candidates: Iterable[Mutant], seed: str, count: int, is_real: Callable[[Mutant], bool]) -> list[Mutant]:
    """Draw mutants, all equally likely, at most one for each place in the source.

    Each candidate has a number made of the seed and of its own text, and the lowest are drawn. So an edit elsewhere in
    the room does not draw others. `is_real` refuses those that do not compile or change nothing.
    """
    times: dict[tuple[str, str, str, int, str], int] = {}
    ranked = []
    for mutant in candidates:
        occurrence = times[mutant.identity] = times.get(mutant.identity, 0) + 1
        text = "\0".join([seed, *map(str, mutant.identity), str(occurrence)])
        ranked.append((hashlib.blake2b(text.encode(), digest_size=12).hexdigest(), mutant))
    drawn: dict[tuple[str, int, int], Mutant] = {}
    for _, mutant in sorted(ranked, key=lambda pair: pair[0]):
        if len(drawn) == count:
            break
        place = (mutant.path, mutant.start, mutant.end)
        if place not in drawn and is_real(mutant):
            drawn[place] = mutant
    return list(drawn.values())


def find_again(mutant: Mutant, candidates: Iterable[Mutant]) -> Mutant | None:
    """Return the same change in sources that were edited since, or None if that code is gone."""
    same = [candidate for candidate in candidates if candidate.identity == mutant.identity]
    return min(same, key=lambda candidate: abs(candidate.line - mutant.line), default=None)


def as_record(mutant: Mutant) -> dict[str, str | int | bool]:
    return dataclasses.asdict(mutant)
