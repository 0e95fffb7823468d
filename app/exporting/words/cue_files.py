"""Cues as the text of files: SubRip, WebVTT, plain text and JSON for transcripts, SubStation Alpha for ffmpeg.

A text is always shown as it is. Where a format has markup, what looks like it is escaped, or, where a format knows no
escape, split by a word joiner, which is not seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from app.exporting.clip_words import ClipCue
from db.timed_text import TimedLine

_JOINER = "\u2060"  # word joiner: no width, no break
_TAG = re.compile(r"<(?=/?(?:b|i|u|s|font|ruby|rt)\b)", re.IGNORECASE)  # what players take for markup in SubRip
_BREAKS = re.compile(r"[\r\n\u2028\u2029\x85\x0b\x0c]+")
_CONTROL = re.compile("[\x00-\x09\x0e-\x1f\x7f]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def srt_bytes(cues: Sequence[ClipCue]) -> bytes:
    """Return cues as SubRip, UTF-8."""
    blocks = []
    for number, cue in enumerate(cues, 1):
        text = _TAG.sub(f"<{_JOINER}", "\n".join(_rows(cue.text)))
        text = text.replace("{\\", f"{{{_JOINER}\\").replace("-->", "->")
        blocks.append(f"{number}\n{_stamp(cue.start_ms, ',')} --> {_stamp(cue.end_ms, ',')}\n{text}\n")
    return "\n".join(blocks).encode()


def vtt_bytes(cues: Sequence[ClipCue]) -> bytes:
    """Return cues as WebVTT."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        text = "\n".join(_rows(cue.text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_stamp(cue.start_ms, '.')} --> {_stamp(cue.end_ms, '.')}\n{text}\n")
    return "\n".join(blocks).encode()


def txt_bytes(cues: Sequence[ClipCue]) -> bytes:
    """Return cues as plain text, one a line, each after its time."""
    return "".join(f"[{_stamp(cue.start_ms, '.')}] {' '.join(_rows(cue.text))}\n" for cue in cues).encode()


def json_bytes(lines: Sequence[TimedLine], language: str) -> bytes:
    """Return lines as JSON in the form that Whisper writes, with the times of words, in seconds."""
    segments: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        words = [
            {"word": _clean(word.text), "start": word.start_ms / 1000, "end": word.end_ms / 1000}
            | ({} if word.confidence is None else {"probability": word.confidence})
            for word in line.words
        ]
        segment = {"id": number, "start": line.start_ms / 1000, "end": line.end_ms / 1000, "text": _clean(line.text)}
        segments.append(segment | ({"words": words} if words else {}))
    text = " ".join(" ".join(_rows(line.text)) for line in lines)
    document = {"language": language or None, "text": text, "segments": segments}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def substation_bytes(cues: Sequence[ClipCue], style: str, size: tuple[int, int], *, drawn: bool) -> bytes:
    """Return cues as SubStation Alpha, whose times are in hundredths of a second.

    Args:
        cues: The cues.
        style: The line of the style `Default`, without `Style: `.
        size: Width and height that sizes in the style count in.
        drawn: libass draws it; otherwise ffmpeg makes the text of an MP4 track of it, and knows fewer codes.
    """
    escape = _escaped_for_libass if drawn else _escaped_for_ffmpeg
    head = [
        "[Script Info]", "ScriptType: v4.00+", f"PlayResX: {size[0]}", f"PlayResY: {size[1]}", "WrapStyle: 0",
        "ScaledBorderAndShadow: yes", "", "[V4+ Styles]",
        "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
        "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
        "MarginR, MarginV, Encoding",
        f"Style: {style}", "", "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ]  # fmt: skip
    events = [
        f"Dialogue: 0,{_hundredths(cue.start_ms)},{_hundredths(cue.end_ms)},Default,,0,0,0,,"
        + "\\N".join(escape(row) for row in _rows(cue.text))
        for cue in cues
    ]
    return "\n".join([*head, *events, ""]).encode()


def _escaped_for_libass(row: str) -> str:
    """Return a row without codes: a backslash means something only with what follows it."""
    return row.replace("\\", f"\\{_JOINER}").replace("{", "\\{").replace("}", "\\}")


def _escaped_for_ffmpeg(row: str) -> str:
    """Return a row without what ffmpeg's encoder of MP4 text takes for codes: `{\\`, `\\n` and `\\N`."""
    return re.sub(r"\\(?=[nN])", lambda _: f"\\{_JOINER}", row.replace("{\\", f"{{{_JOINER}\\"))


def _rows(text: str) -> list[str]:
    """Return the rows of a text, without blank ones, which would end a cue."""
    return [row for each in _BREAKS.split(_clean(text)) if (row := each.strip())]


def _clean(text: str) -> str:
    return _SURROGATES.sub("\ufffd", _CONTROL.sub(" ", text))


def _stamp(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def _hundredths(milliseconds: int) -> str:
    hundredths = (milliseconds + 5) // 10
    seconds, rest = divmod(hundredths, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:02}"
