"""Bytes of a text file to text, whatever encoding it is in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODE_PAGES = (
    "cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "euc_jp", "gb18030", "big5",
    "cp949", "cp1254",
)  # fmt: skip
_BY_LANGUAGE = {
    "ru": ("cp1251", "koi8_r"), "uk": ("cp1251",), "be": ("cp1251",), "bg": ("cp1251",), "mk": ("cp1251",),
    "el": ("cp1253",), "tr": ("cp1254",), "he": ("cp1255",), "ar": ("cp1256",), "fa": ("cp1256",), "th": ("cp874",),
    "ja": ("cp932", "euc_jp"), "ko": ("cp949",), "zh": ("gb18030", "big5"), "zh-Hans": ("gb18030",),
    "zh-Hant": ("big5", "gb18030"), "pl": ("cp1250", "iso8859_2"), "cs": ("cp1250", "iso8859_2"),
    "sk": ("cp1250", "iso8859_2"), "hu": ("cp1250", "iso8859_2"), "ro": ("cp1250", "iso8859_2"),
    "sl": ("cp1250", "iso8859_2"), "hr": ("cp1250", "iso8859_2"), "lt": ("cp1257",), "lv": ("cp1257",),
    "et": ("cp1257",), "vi": ("cp1258",),
}  # fmt: skip
"""Encodings that files in a language have besides UTF-8, the usual one first."""
_LATIN = {
    "cp1252": "àâäáãåæçèéêëìíîïñòóôöõøœùúûüßÀÂÄÁÅÆÇÈÉÊÍÑÓÖØÜŒ¿¡«»°…“”‘’‚„–—·",
    "cp1250": "áâäăąćčçďđéęěëíîĺľłńňóôöőŕřśšşťţúůüűýźżžßÁÂĂĄĆČĎÉĘĚÍŁŃŇÓÖŐŘŚŠŞŤŢÚŮÜŰÝŹŻŽ«»°…“”‘’‚„–—",
    "iso8859_2": "áâäăąćčçďđéęěëíîĺľłńňóôöőŕřśšşťţúůüűýźżžßÁÂĂĄĆČĎÉĘĚÍŁŃŇÓÖŐŘŚŠŞŤŢÚŮÜŰÝŹŻŽ",
    "cp1254": "âçğıîöşüûéÂÇĞİÖŞÜÛ…“”‘’–—",
}
_SMALL_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґў«»–—…"
_CYRILLIC = {"cp1251": _SMALL_CYRILLIC, "koi8_r": _SMALL_CYRILLIC}  # each reads capitals as small letters of the other
_FAMILIES = (_LATIN, _CYRILLIC)
"""Characters that texts in each of these encodings hold: decoding never fails, so letters have to tell them apart."""
_SAMPLE_LINES, _LONGEST_LINE = 200, 1000
_MOST_DAMAGED = 0.25  # of the characters of several bytes, in UTF-8 all the same
_SPOILT = "\ufffd"


def decode(content: bytes, language: str = "") -> tuple[str, str]:
    """Return the text of a file, and the name of its encoding. Bytes that cannot be read become U+FFFD.

    Args:
        content: The file.
        language: BCP 47, as the file's name states it; a hint for old encodings.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), encoding
    encoding = _utf_16(content) or _escaped(content) or _utf_8(content) or _code_page(content, language)
    return content.decode(encoding, "replace"), encoding


def _utf_16(content: bytes) -> str:
    """Return UTF-16 without a mark: digits and line feeds have a zero in every other place."""
    head = content[:4000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 8 and odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) // 8 and even > 4 * odd else ""


def _escaped(content: bytes) -> str:
    return "iso2022_jp" if b"\x1b$B" in content or b"\x1b$@" in content else ""


def _utf_8(content: bytes) -> str:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
        spoilt = text.count(_SPOILT)
        whole = len(text) - len(text.encode("ascii", "ignore")) - spoilt
        return "utf-8" if spoilt <= _MOST_DAMAGED * whole else ""
    return "utf-8"


def _code_page(content: bytes, language: str) -> str:
    sample = _sample(content)
    stated = _BY_LANGUAGE.get(language) or _BY_LANGUAGE.get(language.partition("-")[0], ())
    usable = [encoding for encoding in stated if _spoilt(sample, encoding) == 0]
    if len(usable) == 1:
        return usable[0]
    found = _guess(sample, usable or _CODE_PAGES)
    for family in _FAMILIES:
        if found in family:
            alike = [encoding for encoding in usable or family if encoding in family]
            return max(alike, key=lambda encoding: _expected(sample, encoding, family))  # of equal ones the more usual
    return found or min(stated or ("cp1252",), key=lambda encoding: _spoilt(sample, encoding))


def _guess(sample: bytes, encodings: Sequence[str]) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(encodings), threshold=0.5).best()
    return best.encoding if best is not None else ""


def _sample(content: bytes) -> bytes:
    """Return some lines that are not ASCII; in no encoding here is a line feed a part of a character."""
    lines = [line for line in content.split(b"\n") if not line.isascii()]
    usual = [line for line in lines if len(line) <= _LONGEST_LINE][:_SAMPLE_LINES]
    return b"\n".join(usual) or lines[0][:_LONGEST_LINE]


def _spoilt(sample: bytes, encoding: str) -> int:
    return sample.decode(encoding, "replace").count(_SPOILT)


def _expected(sample: bytes, encoding: str, family: Mapping[str, str]) -> float:
    """Return the share of the letters that texts in this encoding usually hold."""
    letters = re.findall(r"[^\x00-\x7f]", sample.decode(encoding, "replace"))
    return sum(each in family[encoding] for each in letters) / max(1, len(letters))
