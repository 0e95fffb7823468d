"""Closed captions of analogue television (CEA-608): pairs of bytes to cues, on the four channels CC1 to CC4.

FFmpeg's decoder is not used: PyAV cannot tell it the times of what no container holds, and it knows one channel only.
Codes are those of CTA-608 and 47 CFR 15.119.
"""

from __future__ import annotations

from indexer.text.cues import MAX_CUES, Cue
from indexer.text.markup import tidy

_COLUMNS = 32
_ROWS = {
    0x10: (11, 11),
    0x11: (1, 2),
    0x12: (3, 4),
    0x13: (12, 13),
    0x14: (14, 15),
    0x15: (5, 6),
    0x16: (7, 8),
    0x17: (9, 10),
}
_BASIC = dict(zip(b"\x27\x2a\x5c\x5e\x5f\x60\x7b\x7c\x7d\x7e\x7f", "’áéíóúç÷Ññ█", strict=True))
_SPECIAL = "®°½¿™¢£♪à èâêîôû"  # 11 30 to 11 3f
_EXTENDED = {
    0x12: "ÁÉÓÚÜü‘¡*'—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»",
    0x13: "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘",
}  # from 20 on; each replaces the character before it, which is there for older decoders
_LOAD, _BACKSPACE, _ERASE_TO_END, _ROLL, _DIRECT = 0x20, 0x21, 0x24, (0x25, 0x26, 0x27), 0x29
_TEXT, _ERASE, _RETURN, _ERASE_LOADED, _SHOW = (0x2A, 0x2B), 0x2C, 0x2D, 0x2E, 0x2F


class CaptionChannels:
    """Reads pairs in the order of their times.

    Attributes:
        cues: By channel, "CC1" to "CC4", those that are over.
    """

    def __init__(self) -> None:
        self.cues: dict[str, list[Cue]] = {}
        self._screens: dict[tuple[int, int], _Screen] = {}
        self._channel = [0, 0]  # that the last code of each field was for
        self._code: list[tuple[int, int] | None] = [None, None]  # the last code of each field: it is sent twice
        self._services = [False, False]  # whether a field is sending data of programmes

    def feed(self, field: int, first: int, second: int, at_ms: int) -> None:
        """Read a pair.

        Args:
            field: 0 or 1.
            first, second: Its bytes, with parity.
            at_ms: When it is shown.
        """
        first, second = first & 0x7F, second & 0x7F
        if 0x10 <= first <= 0x1F:
            self._services[field] = False
            if self._code[field] == (first, second):
                self._code[field] = None
                return
            self._code[field] = first, second
            self._channel[field] = first >> 3 & 1
            self._screen(field).control(first & 0x17, second, at_ms)
            return
        self._code[field] = None
        if 0 < first < 0x10:
            self._services[field] = True
        if first >= 0x20 and not self._services[field]:
            screen = self._screen(field)
            for code in (first, second):
                if code >= 0x20:
                    screen.write(_BASIC.get(code, chr(code)), at_ms)

    def finish(self, at_ms: int) -> None:
        """End what is still shown."""
        for screen in self._screens.values():
            screen.show_nothing(at_ms)

    def _screen(self, field: int) -> _Screen:
        key = field, self._channel[field]
        if key not in self._screens:
            self._screens[key] = _Screen(self.cues.setdefault(f"CC{2 * field + key[1] + 1}", []))
        return self._screens[key]


class _Screen:
    """What one channel shows, and what it has loaded to show next."""

    def __init__(self, cues: list[Cue]) -> None:
        self._cues = cues
        self._shown: dict[int, list[str]] = {}  # characters by row
        self._loaded: dict[int, list[str]] = {}
        self._since = 0  # when what is shown appeared
        self._mode = ""  # "load", "roll", "direct"; "" before the first code, and while text services are sent
        self._row, self._column = 15, 0

    def write(self, character: str, at_ms: int) -> None:
        """Write a character at the cursor."""
        if not self._mode:
            return
        memory = self._loaded if self._mode == "load" else self._shown
        if memory is self._shown and not _text(memory):
            self._since = at_ms
        row = memory.setdefault(self._row, [" "] * _COLUMNS)
        row[min(self._column, _COLUMNS - 1)] = character
        self._column = min(self._column + 1, _COLUMNS)

    def control(self, first: int, second: int, at_ms: int) -> None:
        """Follow a code, `first` being that of the first channel."""
        if second >= 0x40:
            self._move_to(first, second)
        elif first == 0x11 and second >= 0x30:
            self.write(_SPECIAL[second - 0x30], at_ms)
        elif first == 0x11 and second >= 0x20:
            self.write(" ", at_ms)  # a change of style takes a column
        elif first in _EXTENDED and second >= 0x20:
            self._column = max(0, self._column - 1)
            self.write(_EXTENDED[first][second - 0x20], at_ms)
        elif first in (0x14, 0x15) and second >= 0x20:
            self._command(second, at_ms)
        elif first == 0x17 and 0x21 <= second <= 0x23:
            self._column = min(_COLUMNS - 1, self._column + second - 0x20)

    def show_nothing(self, at_ms: int) -> None:
        """Clear what is shown; it becomes a cue."""
        text = _text(self._shown)
        if text and len(self._cues) < MAX_CUES:
            self._cues.append(Cue(len(self._cues) + 1, self._since, max(self._since, at_ms), text))
        self._shown = {}

    def _command(self, code: int, at_ms: int) -> None:
        if code in _TEXT:
            self._mode = ""
        elif code == _LOAD:
            self._mode = "load"
        elif code in _ROLL:
            if self._mode != "roll":
                self.show_nothing(at_ms)
                self._row, self._column = 15, 0
            self._mode = "roll"
        elif code == _DIRECT:
            self._mode = "direct"
        elif code == _ERASE:
            self.show_nothing(at_ms)
        elif code == _ERASE_LOADED:
            self._loaded = {}
        elif code == _SHOW:
            self.show_nothing(at_ms)
            self._shown, self._loaded, self._since, self._mode = self._loaded, {}, at_ms, "load"
        elif code == _RETURN and self._mode == "roll":
            self.show_nothing(at_ms)  # each row is a cue of its own, from its first character until it moves up
            self._column = 0
        elif code == _BACKSPACE:
            self._column = max(0, self._column - 1)
            self._clear_from(self._column, self._column + 1)
        elif code == _ERASE_TO_END:
            self._clear_from(self._column, _COLUMNS)

    def _clear_from(self, start: int, end: int) -> None:
        row = (self._loaded if self._mode == "load" else self._shown).get(self._row)
        if row is not None:
            row[start:end] = [" "] * len(row[start:end])

    def _move_to(self, first: int, second: int) -> None:
        row = _ROWS[first][second >> 5 & 1]
        if self._mode != "roll":
            self._row = row
        self._column = (second >> 1 & 7) * 4 if second & 0x10 else 0


def _text(memory: dict[int, list[str]]) -> str:
    return tidy("\n".join("".join(memory[row]) for row in sorted(memory)))
