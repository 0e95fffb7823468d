"""What the ways of cutting share: one ffmpeg command line with the files put in, where reading begins, the sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.ffmpeg_binary import run_ffmpeg
from app.exporting.survey import Survey

CRF = 18
AUDIO_BITS_A_SECOND = 192_000
LEAD_SECONDS = (Fraction(1), Fraction(5), Fraction(30), None)
"""How long before the range reading begins; None: at the beginning. A second more than the key frame needs, because
the sound that belongs to a picture may lie before it in the file."""
SOURCE, TARGET = "prismsearch-source", "prismsearch-target"
"""Stand for the files while the command line is built: ffmpeg-python cannot take a name that is not UTF-8."""
QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-copyts")
"""copyts: times stay the source's own, which is what everything here is told in."""
Told = Callable[[float], None]
"""Given how much of a clip is done, 0 to 1."""
MOST_TIME_UNITS = 1_000_000  # a second, in MP4: its 32-bit lengths of frames overflow beyond


def run_graph(
    command: list[str], graph: Any, files: Mapping[str, str | Path], told: Callable[[str], None] | None = None
) -> str:
    """The standard output of ffmpeg with the files in place of what stands for them. Raises ExportError.

    told: given each line of the output as it comes.
    """
    import ffmpeg

    # `file:` keeps a name with a colon, a percent sign or a leading dash from meaning something else.
    names = {stand_in: f"file:{path}" for stand_in, path in files.items()}
    words: list[str] = ffmpeg.compile(graph, cmd=command, overwrite_output=True)
    return run_ffmpeg([names.get(word, word) for word in words], told)


def reading_from(found: Survey, start: Fraction, lead: Fraction | None) -> dict[str, Any]:
    """Where reading begins. Our own trim is exact, so ffmpeg's is switched off: it rounds to microseconds."""
    if lead is None or start - lead <= found.container_seconds(found.first_pts):
        return {}
    return {"noaccurate_seek": None, "seek_timestamp": 1, "ss": decimal(start - lead)}


def sound_filters(stream: Any, start: Fraction, end: Fraction) -> Any:
    """The filters that cut sound to the sample and keep it in its place: what is missing of it becomes silence."""
    stream = stream.filter("atrim", start=decimal(start), end=decimal(end))
    stream = stream.filter("asetpts", f"PTS-({decimal(start)})/TB")
    stream = stream.filter("aresample", **{"async": 1, "min_hard_comp": 0.02, "first_pts": 0})
    return stream.filter("apad", whole_dur=decimal(end - start))


def decimal(seconds: Fraction) -> str:
    """For ffmpeg: to the microsecond, which is what it counts in."""
    return f"{float(seconds):.6f}"


def ratio(value: Fraction, sign: str = ":") -> str:
    """For ffmpeg: exact."""
    return f"{value.numerator}{sign}{value.denominator}"
