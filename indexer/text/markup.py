"""Removal of markup from the text of cues: HTML, WebVTT and SubStation tags. Linear in the length of the text."""

from __future__ import annotations

import html
import re
import unicodedata

# Classes that exclude their own opening mark never scan a character twice.
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d{1,4}:[\d:.]*>|<!--[^<>]*-->|<>")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\\p(\d+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff\u2028\u2029]")
_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"[^\S\n]+")


def plain(text: str) -> str:
    """Return a text of SubRip, WebVTT and their like without tags, entities and control characters.

    SubStation's overrides, which SubRip files have, too, are removed; braces with other content stay.
    """
    return tidy(html.unescape(_TAG.sub("", _BREAK.sub("\n", _without_overrides(text)))))


def plain_substation(text: str) -> str:
    """Return the text of a SubStation dialogue without overrides, drawings and escapes."""
    if "{" in text:
        text = _without_drawings(text)
    return tidy(_escapes(text))


def tidy(text: str) -> str:
    """Return a text in NFC, without control characters, with single spaces, its rows separated by line feeds."""
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = unicodedata.normalize("NFC", _DIRECTION.sub("", text))
    rows = (row.strip() for row in _SPACES.sub(" ", text).split("\n"))
    return "\n".join(row for row in rows if row)


def _escapes(text: str) -> str:
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def _without_overrides(text: str) -> str:
    """Remove {\\an8} and {y:i}, which players of SubRip and MicroDVD take for commands."""
    if "{" not in text:
        return text
    return re.sub(r"\{\\[^{}]*\}|\{[a-zA-Z]:[^{}]*\}", "", text)


def _without_drawings(text: str) -> str:
    """Remove overrides, and what stands between {\\p1} and {\\p0}, which is a picture."""
    kept, drawing, end = [], False, 0
    for found in _OVERRIDE.finditer(text):
        if not drawing:
            kept.append(text[end : found.start()])
        end = found.end()
        for scale in _DRAWING.findall(found[0]):
            drawing = int(scale[:4]) > 0
    if not drawing:
        kept.append(text[end:])
    return "".join(kept)
