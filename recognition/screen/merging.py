"""Lines with a beginning and an end, merged from what single frames show.

The same text in successive frames is one line, wherever it is in the picture: credits that scroll, a watermark that
lasts through cuts. A text that moves through the picture, of which every frame shows another part, is put together
while its parts overlap. Memory is bounded by what is on screen at one time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from recognition.protocol import Box, FoundText, RecognizedLine
from recognition.screen.same_text import SAME, joined, likeness, plain

LEAST_CONFIDENCE = 0.6
"""Below it, most of what PP-OCR reads is noise: leaves and textures as single characters and syllables."""

MOST_GAP_MS = 2_000
"""For this long a text may be missed (a flash, a hand, a misreading) and is still the same line."""

_LONGEST_TICKER = 400  # characters; then another line begins
_LEAST_GROWTH = 3  # characters that come in from the side; fewer are letters that were read otherwise
_SAME_HEIGHT = 0.5  # of the heights of two boxes, by how far their middles may differ in a ticker


@dataclass(frozen=True, slots=True)
class Shown:
    """What a frame shows, and the time for which it stands."""

    start_ms: int
    end_ms: int  # exclusive
    texts: tuple[FoundText, ...]


@dataclass(slots=True)
class _OpenLine:
    """A line that may go on."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float
    box: Box
    last: FoundText
    last_plain: str
    moving: bool = False  # put together from overlapping parts
    order: int = field(default=0)

    def line(self) -> RecognizedLine:
        return RecognizedLine(self.start_ms, self.end_ms, self.text, self.confidence, box=self.box)


def merge_shown(
    frames: Iterable[Shown], *, least_confidence: float = LEAST_CONFIDENCE, most_gap_ms: int = MOST_GAP_MS
) -> Iterator[RecognizedLine]:
    """Merge what successive frames show into lines.

    Args:
        frames: Frames of one video, by ascending time.
        least_confidence: Readings below it are left out. A lower value finds more and invents more.
        most_gap_ms: How long a line may be missing and still goes on.

    Yields:
        Lines as they end: by ascending end, those that end together in the order in which they appeared. Each has the
        text, confidence and box of its best reading.
    """
    open_lines: list[_OpenLine] = []
    count = 0
    for shown in frames:
        going_on = [line for line in open_lines if shown.start_ms - line.end_ms <= most_gap_ms]
        yield from _ended([line for line in open_lines if shown.start_ms - line.end_ms > most_gap_ms])
        found = [text for text in shown.texts if text.confidence >= least_confidence and text.text.strip()]
        plains = [plain(text.text) for text in found]
        for line, i in _pairs(going_on, found, plains):
            _extend(line, shown, found[i], plains[i])
        continued = {id(line.last) for line in going_on}
        for text, text_plain in zip(found, plains, strict=True):
            if id(text) not in continued:
                count += 1
                going_on.append(
                    _OpenLine(
                        shown.start_ms,
                        shown.end_ms,
                        text.text,
                        text.confidence,
                        text.box,
                        text,
                        text_plain,
                        order=count,
                    )
                )
        open_lines = going_on
    yield from _ended(open_lines)


def _ended(lines: list[_OpenLine]) -> Iterator[RecognizedLine]:
    for line in sorted(lines, key=lambda line: (line.end_ms, line.order)):
        yield line.line()


def _pairs(lines: list[_OpenLine], found: list[FoundText], plains: list[str]) -> list[tuple[_OpenLine, int]]:
    """Return which reading continues which line, best matches first, each at most once.

    Equal texts are told apart by where they were last; parts of a moving text by their row.
    """
    candidates = []
    for line in lines:
        for i, text in enumerate(found):
            alike = likeness(line.last_plain, plains[i])
            together = joined(line.text, text.text) if _same_row(line.last.box, text.box) else None
            if together is not None and len(together) > _LONGEST_TICKER:
                continue
            if alike >= SAME or together is not None:
                candidates.append((alike < SAME, -alike, _distance(line.last.box, text.box), line.order, i, line))
    pairs: list[tuple[_OpenLine, int]] = []
    taken_lines, taken = set(), set()
    for *_, order, i, line in sorted(candidates, key=lambda candidate: candidate[:5]):
        if order not in taken_lines and i not in taken:
            taken_lines.add(order)
            taken.add(i)
            pairs.append((line, i))
    return pairs


def _extend(line: _OpenLine, shown: Shown, text: FoundText, text_plain: str) -> None:
    """Let a line go on with a reading: the same text, or the next part of a moving one."""
    together = joined(line.text, text.text) if _same_row(line.last.box, text.box) else None
    line.end_ms = max(line.end_ms, shown.end_ms)
    line.last, line.last_plain = text, text_plain
    if together is not None and len(plain(together)) >= len(plain(line.text)) + (1 if line.moving else _LEAST_GROWTH):
        line.text, line.moving = together, True
        line.confidence = min(line.confidence, text.confidence)
    elif not line.moving and text.confidence > line.confidence:
        line.text, line.confidence, line.box = text.text, text.confidence, text.box


def _same_row(a: Box, b: Box) -> bool:
    return abs((a[1] + a[3] / 2) - (b[1] + b[3] / 2)) <= _SAME_HEIGHT * max(a[3], b[3])


def _distance(a: Box, b: Box) -> float:
    """Return the distance of the middles of two boxes, as a share of the picture."""
    return abs(a[0] + a[2] / 2 - b[0] - b[2] / 2) + abs(a[1] + a[3] / 2 - b[1] - b[3] / 2)
