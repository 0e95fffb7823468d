"""Words drawn into the pictures of a clip, by FFmpeg's filter `subtitles` and libass, with the fonts of the system.

ffmpeg gets the words in a file of a name of ours, with every code escaped; nothing of them is in its command line.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.exporting.clip_words import ClipCue
from app.exporting.ffmpeg_binary import ExportError, OutsideError, run_ffmpeg
from app.exporting.graph import drawn_input
from app.exporting.words.cue_files import substation_bytes

if TYPE_CHECKING:
    from app.exporting.survey import Survey

_HEIGHT = 720  # that sizes of the style count in
_FONT_SIZE, _FONT_SHARE_OF_WIDTH = 44, 0.07  # of the height, and at most of the width: a phone's picture is narrow
_MOST_CHARACTERS = 600  # of a cue: more covers the picture, and takes libass long
_PLENTY_OF_GLYPHS = 4000
_WHITE = "&H00FFFFFF"
_PQ, _HLG = 16, 18  # as ITU-T H.273 numbers transfer characteristics
_HDR_WHITE = {_PQ: "&H00949494", _HLG: "&H00BFBFBF"}
"""203 cd/m2, as ITU-R BT.2408 has it: 58 % of PQ, 75 % of HLG. White itself would dazzle."""
_NO_GLYPH = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
_NO_FILTER = re.compile(r"[Nn]o such filter|[Ff]ilter not found")


def check_burning(program: str) -> None:
    """Raise ExportError, with one line for the person, unless this ffmpeg can draw words."""
    missing = missing_glyphs(program, "Ab")
    if missing:
        raise ExportError(
            "subtitles cannot be burnt in: no font with plain letters was found; install one, such as DejaVu Sans or "
            "Noto Sans, or use --subtitles track or file"
        )


def missing_glyphs(program: str, text: str) -> str:
    """Return the characters of a text that no font of the system has.

    Raises:
        ExportError: This ffmpeg has no libass.
    """
    letters = "".join(sorted({letter for letter in text if not letter.isspace()}))[:_PLENTY_OF_GLYPHS]
    rows = "\n".join(letters[at : at + 40] for at in range(0, len(letters), 40))
    messages: list[str] = []
    with _written([ClipCue(0, 1000, rows)], _style(_WHITE, 1280, 720), (1280, 720)) as file:
        words = [
            program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning",
            *drawn_input("color=black:s=320x180:r=1:d=1"), "-vf", _filter_words(file), "-f", "null", "-",
        ]  # fmt: skip
        try:
            run_ffmpeg(words, messages=messages)
        except OutsideError:
            raise
        except ExportError as problem:
            if _NO_FILTER.search("\n".join(messages)) or "filter" in str(problem).casefold():
                raise ExportError(
                    "subtitles cannot be burnt in: this ffmpeg has no filter `subtitles` (libass); use "
                    "--subtitles track or file, or leave out PRISMSEARCH_FFMPEG to use the packaged one"
                ) from problem
            raise
    lacking = {int(code, 16) for code in _NO_GLYPH.findall("\n".join(messages))}
    return "".join(chr(code) for code in sorted(lacking) if code <= sys.maxunicode)


@contextmanager
def burning(program: str, survey: Survey) -> Iterator[tuple[Any, str]]:
    """Yield a function that draws the words of a survey into a stream of ffmpeg-python, and a note or ''.

    The stream begins with the first frame of the range at 0. Without words to burn in, the function changes nothing.
    """
    words = survey.words
    cues = []
    if words is not None and words.place == "burn":
        cues = [_shortened(cue) for cue in words.cues(survey.start_seconds, survey.end_seconds)]
    if not cues:
        yield (lambda stream: stream), ""
        return
    lacking = missing_glyphs(program, "".join(cue.text for cue in cues))
    note = ""
    if lacking:
        shown = " ".join(letter for letter in lacking[:5] if letter.isprintable())
        note = f"{len(lacking)} characters of its subtitles are in no font of this system ({shown})"
    width, height = _shown_size(survey)
    size = (max(1, round(_HEIGHT * width / height)), _HEIGHT)
    white = _HDR_WHITE.get(survey.colours.transfer, _WHITE) if survey.colours is not None else _WHITE
    with _written(cues, _style(white, *size), size) as file:

        def draw(stream: Any) -> Any:
            # The size as shown tells libass of pixels that are not square.
            return stream.filter("subtitles", filename=str(file), wrap_unicode=1, original_size=f"{width}x{height}")

        yield draw, note


def _shown_size(survey: Survey) -> tuple[int, int]:
    width, height = survey.orientation.shown_size(*survey.size, float(survey.sample_aspect))
    return (width, height) if width > 0 and height > 0 else (1280, 720)


def _style(colour: str, width: int, height: int) -> str:
    """Return the line of a style: letters with an outline, at the bottom in the middle, in the font of the system."""
    size = max(8, round(min(_FONT_SIZE * height / _HEIGHT, _FONT_SHARE_OF_WIDTH * width)))
    side, bottom = round(width * 0.05), round(height * 0.05)
    # The last value: the direction of the writing is found for each line.
    return (
        f"Default,sans-serif,{size},{colour},{colour},&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,2,0,2,"
        f"{side},{side},{bottom},-1"
    )


def _shortened(cue: ClipCue) -> ClipCue:
    if len(cue.text) <= _MOST_CHARACTERS:
        return cue
    return replace(cue, text=f"{cue.text[:_MOST_CHARACTERS].rstrip()} \u2026")


@contextmanager
def _written(cues: Sequence[ClipCue], style: str, size: tuple[int, int]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="prismsearch-words-") as folder:
        file = Path(folder) / "words.ass"
        file.write_bytes(substation_bytes(cues, style, size, drawn=True))
        yield file


def _filter_words(file: Path) -> str:
    """Return the description of the filter, as ffmpeg-python would write it in a graph."""
    import ffmpeg

    graph = ffmpeg.output(ffmpeg.input("-").filter("subtitles", filename=str(file), wrap_unicode=1), "-")
    words: list[str] = ffmpeg.get_args(graph)
    description = words[words.index("-filter_complex") + 1]
    return re.sub(r"^\[0\]|\[s0\]$", "", description)
