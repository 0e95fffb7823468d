"""Reading of one file beside a video, into a source with lines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from fractions import Fraction

from db.timed_text import TextKind, TextSource
from files.regular import read_regular
from indexer.text.cue_formats import CuesRead, read_cues
from indexer.text.cues import Cue
from indexer.text.encodings import decode
from indexer.text.found import ReadText, TextFound, TextProblem
from indexer.text.languages import language_tag
from indexer.text.lines import to_lines
from indexer.text.sidecars import OUTSIDE, PICTURE_EXTENSIONS, XMP_EXTENSION, Sidecar
from indexer.text.xmp import read_xmp

MAX_BYTES = 16 << 20
"""Of a file. SubStation files may hold fonts; the words of a film have 100 kB."""
_MAY_BE_ANYTHING = frozenset(("txt", "json", "tsv", "xmp", "ttml", "dfxp"))
"""Endings that other files have, too: it is no fault if they hold no words with times."""
_VOBSUB = b"\x00\x00\x01\xba"
_PICTURES = "its subtitles are pictures, which are not read"
_TELEMETRY = re.compile(r"\b(?:SrtCnt|FrameCnt|DiffTime)\s*:|\bGPS ?\(|\bHOME ?\(|\[iso ?:", re.IGNORECASE)
_LOOKED_AT = 20  # cues


def read_sidecar(sidecar: Sidecar, *, rate: Fraction, duration_ms: int) -> TextFound:
    """Return the source of a file, or several of an XMP file. A file without words is a source without lines.

    Args:
        sidecar: The file.
        rate: Frames per second of the video.
        duration_ms: Its length.
    """
    if sidecar.outside:
        return _empty(sidecar, "", OUTSIDE)
    if sidecar.extension in PICTURE_EXTENSIONS:
        return _empty(sidecar, "", _PICTURES)
    if sidecar.size_bytes > MAX_BYTES:
        return _empty(sidecar, "", f"it has {sidecar.size_bytes:,} bytes; {MAX_BYTES:,} are the most")
    try:
        content = read_regular(sidecar.path, max_bytes=MAX_BYTES, follow_links=False)
    except OSError as error:
        return TextFound(problems=(TextProblem(sidecar.name, f"it cannot be read ({error.strerror or error})"),))
    except ValueError as error:
        return _empty(sidecar, "", str(error))
    digest = hashlib.blake2b(content, digest_size=32).hexdigest()
    if content.startswith(_VOBSUB):
        return _empty(sidecar, digest, _PICTURES)
    text, _ = decode(content, sidecar.parts.language)
    try:
        if sidecar.extension == XMP_EXTENSION:
            return _xmp(sidecar, digest, text, rate, duration_ms)
        found = read_cues(text, rate)
    except ValueError as error:
        return _empty(sidecar, digest, "" if sidecar.extension in _MAY_BE_ANYTHING else str(error))
    if found is None:
        is_fault = sidecar.extension not in _MAY_BE_ANYTHING and text.strip()
        return _empty(sidecar, digest, "it holds no subtitles in any format that is known" if is_fault else "")
    if _is_telemetry(found):
        return _empty(sidecar, digest, "")  # every clip of a drone has them: nothing is lacking
    return _subtitles(sidecar, digest, found, duration_ms)


def given_up(sidecar: Sidecar, reason: str, *, again: bool) -> TextFound:
    """Return the account of a file whose reading was given up.

    Args:
        sidecar: The file.
        reason: A clause for a person.
        again: Whether to read it again although it has not changed.
    """
    return TextFound(() if again else _empty(sidecar, "", "").texts, (TextProblem(sidecar.name, reason),))


def _subtitles(sidecar: Sidecar, digest: str, found: CuesRead, duration_ms: int) -> TextFound:
    lines = to_lines(found.cues, duration_ms=duration_ms, unit=found.unit)
    problems = lines.problems
    if found.cut_off:
        problems = (*problems, f"it has more than {len(found.cues):,} cues; those behind were left out")
    language = sidecar.parts.language or language_tag(found.language)
    return TextFound(
        (ReadText(_source(sidecar, digest, language=language), lines.lines),),
        tuple(TextProblem(sidecar.name, problem) for problem in problems),
    )


def _xmp(sidecar: Sidecar, digest: str, text: str, rate: Fraction, duration_ms: int) -> TextFound:
    texts = [
        ReadText(_source(sidecar, digest, kind=kind, title=title, origin=f"{sidecar.name}: {title}"), lines)
        for kind, title, lines in read_xmp(text, rate=rate, duration_ms=duration_ms)
    ]
    return TextFound(tuple(texts)) if texts else _empty(sidecar, digest, "")


def _is_telemetry(found: CuesRead) -> bool:
    """Return whether cues are what drones write for each frame: exposure and position."""
    cues = [cue for cue in found.cues[:_LOOKED_AT] if isinstance(cue, Cue)]
    return bool(cues) and sum(_TELEMETRY.search(cue.text) is not None for cue in cues) * 2 > len(cues)


def _empty(sidecar: Sidecar, digest: str, reason: str) -> TextFound:
    kind: TextKind = "tag" if sidecar.extension == XMP_EXTENSION else "subtitle"
    problems: Iterable[TextProblem] = (TextProblem(sidecar.name, reason),) if reason else ()
    return TextFound((ReadText(_source(sidecar, digest, kind=kind)),), tuple(problems))


def _source(
    sidecar: Sidecar,
    digest: str,
    *,
    kind: TextKind = "subtitle",
    language: str = "",
    title: str = "",
    origin: str = "",
) -> TextSource:
    parts = sidecar.parts
    return TextSource(
        kind=kind,
        origin=origin or sidecar.name,
        language=language,
        title=title or parts.title,
        default=parts.default,
        forced=parts.forced,
        for_deaf=parts.for_deaf,
        file=sidecar.name,
        size_bytes=sidecar.size_bytes,
        modified_ns=sidecar.modified_ns,
        content_hash=digest,
    )
