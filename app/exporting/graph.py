"""ffmpeg command lines: the parts that all modes of cutting, and proxies, share (seeking, audio, file names)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.ffmpeg_binary import ExportError, OutsideError, run_ffmpeg
from app.exporting.survey import Survey
from indexer.media.formats import MEDIA_FORMATS, PROTOCOLS

_TEXT_FORMATS = "ass,srt,webvtt"
LEAD_SECONDS = (Fraction(1), Fraction(5), Fraction(30), None)
"""Leads of reading before the range, one per attempt; None reads from the beginning of the file. One second more than
the key frame needs, because the audio of a picture may precede it in the file."""
SOURCE, TARGET = "prismsearch-source", "prismsearch-target"
"""Placeholders for the files while the command line is built: ffmpeg-python cannot take a name that is not UTF-8."""
WORDS = "prismsearch-words"
"""Likewise, for a file of subtitles that we wrote ourselves."""
QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-copyts")
"""Global options. copyts keeps the source's own times, in which all ranges are specified."""
SPHERICAL_MP4 = {"strict": "unofficial"}
"""Output options without which ffmpeg does not write to MP4 that pictures are spherical."""
MAX_TIME_BASE_HZ = 1_000_000
"""Maximum time units per second in MP4; with more, its 32-bit frame durations overflow."""
_AND = "\0"  # no argument can hold it
_CHAIN = re.compile(r"(?<!\\);")  # between two chains of a filter graph
_LABEL = re.compile(r"\[(\w+)\]")  # of a link between chains, as ffmpeg-python names it; not of an input, 0:1
OnProgress = Callable[[float], None]
"""Called with the finished fraction of a clip, 0 to 1."""


def run_graph(
    command: list[str],
    graph: Any,
    files: Mapping[str, str | Path],
    on_line: Callable[[str], None] | None = None,
    *,
    chapters: Path | None = None,
) -> str:
    """Run ffmpeg on a graph of ffmpeg-python.

    Args:
        command: The program and its global options.
        graph: Output node of ffmpeg-python.
        files: The path for each placeholder in the graph.
        on_line: Called with each line of standard output as it comes.
        chapters: A file in FFmpeg's metadata format with the chapters of the first output.

    Returns:
        The standard output.

    Raises:
        ExportError: Ffmpeg cannot be started or failed.
        OutsideError: It was stopped, or failed for a cause outside its files, such as one that is gone.
    """
    words = compile_graph(command, graph, files)
    if chapters is not None:  # ffmpeg-python knows no input without a stream
        first_map, inputs = words.index("-map"), words.count("-i")
        written = ["-f", "ffmetadata", *input_words(f"file:{chapters}", formats="ffmetadata")]
        words[first_map:first_map] = [*written, "-map_chapters", str(inputs)]
    try:
        return run_ffmpeg(words, on_line)
    except OutsideError:
        raise
    except ExportError:
        for placeholder, path in files.items():
            _check_there(Path(path), is_target=placeholder == TARGET)
        raise


def _check_there(path: Path, *, is_target: bool) -> None:
    """Raise OutsideError if a file to read cannot be read, or the folder of the one to write is gone."""
    try:
        if is_target:
            path.parent.stat()
        else:
            with path.open("rb") as file:
                file.read(1)
    except OSError as error:
        raise OutsideError(f"{error.strerror or error} ({path.parent if is_target else path}); try again") from error


def compile_graph(command: list[str], graph: Any, files: Mapping[str, str | Path]) -> list[str]:
    """Return the command line of a graph, with the files in place of their placeholders: see run_graph."""
    import ffmpeg

    # `file:` keeps a name with a colon, a percent sign or a leading dash from meaning something else.
    names = {placeholder: f"file:{path}" for placeholder, path in files.items()}
    words: list[str] = []
    for word in ffmpeg.compile(graph, cmd=command, overwrite_output=True):
        if words and words[-1] == "-filter_complex":
            word = repeated(*separate_graphs(word))
        first, *more = word.split(_AND)
        if words and words[-1] == "-i":
            words[-1:] = input_words(names[first], formats=_TEXT_FORMATS if first == WORDS else MEDIA_FORMATS)
            continue
        words.append(names.get(first, first))
        for value in more:
            words += [words[-2], value]
    return words


def drawn_input(source: str) -> list[str]:
    """Return the words of an input that FFmpeg draws by itself, without a file, such as "color=black"."""
    return ["-f", "lavfi", "-i", source]


def input_words(name: str, *, formats: str = MEDIA_FORMATS) -> list[str]:
    """Return the words of an input: ffmpeg opens no other file whatever this one says, and never the network.

    Args:
        name: The file as ffmpeg is to read it, `file:` first.
        formats: The demuxers that may read it.
    """
    return ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", formats, "-i", name]


def separate_graphs(description: str) -> list[str]:
    """Return the parts of a filter graph that have nothing in common, such as those of picture and sound.

    In one graph, ffmpeg cannot follow when a broadcast changes the sample rate before the first picture is there.
    """
    parts: list[tuple[set[str], list[str]]] = []
    for chain in _CHAIN.split(description):
        labels, chains = set(_LABEL.findall(chain)), [chain]
        for part in [each for each in parts if each[0] & labels]:
            parts.remove(part)
            labels, chains = labels | part[0], part[1] + chains
        parts.append((labels, chains))
    return [";".join(chains) for _, chains in parts]


def repeated(*values: str) -> str:
    """Return the value of an option that stands several times, once for each of these values."""
    return _AND.join(values)


def seek_options(survey: Survey, start: Fraction, lead: Fraction | None) -> dict[str, Any]:
    """Return input options that begin reading `lead` seconds before `start`, or at the beginning of the file if None.

    The trim filter is exact, so ffmpeg's accurate seek is off: it rounds to microseconds.
    """
    if lead is None or not survey.seeks_exactly or start - lead <= survey.container_seconds(survey.first_pts):
        return {}
    return {"noaccurate_seek": None, "seek_timestamp": 1, "ss": microseconds(start - lead)}


def trim_pictures(stream: Any, survey: Survey, end_pts: int) -> Any:
    """Trim pictures to the range of a survey, the first of them at 0.

    Args:
        stream: The pictures, read from the file of the survey.
        survey: The range.
        end_pts: pts before which frames are taken, if the file can be sought; otherwise frames are counted.
    """
    if survey.seekable:
        stream = stream.filter("settb", ratio(survey.time_base, "/"))
        stream = stream.filter("trim", start_pts=survey.pts[0], end_pts=end_pts)
        return stream.filter("setpts", f"PTS-({survey.pts[0]})")
    first = survey.first_frame_number or 0
    stream = stream.filter("trim", start_frame=first, end_frame=first + len(survey.pts))
    return stream.filter("settb", ratio(1 / survey.frame_rate, "/")).filter("setpts", "N")


def time_units(survey: Survey) -> Fraction:
    """Return the time base of encoded clips, in seconds: that of the file, unless it is finer than MP4 can hold."""
    return max(survey.time_base if survey.seekable else 1 / survey.frame_rate, Fraction(1, MAX_TIME_BASE_HZ))


def audio_filters(stream: Any, start: Fraction, end: Fraction, *, pad: bool = True) -> Any:
    """Cut audio to the sample and keep it in sync; gaps become silence, and so does a missing end if `pad`."""
    stream = stream.filter("atrim", start=microseconds(start), end=microseconds(end))
    stream = stream.filter("asetpts", f"PTS-({microseconds(start)})/TB")
    stream = stream.filter("aresample", **{"async": 1, "min_hard_comp": 0.02, "first_pts": 0})
    return stream.filter("apad", whole_dur=microseconds(end - start)) if pad else stream


def last_duration_filter(length: int, last: int | None = None) -> str:
    """Return a bitstream filter that ends a track of this length (pts units from its first frame) where it should.

    ffmpeg loses the duration of the last frame, which is the longest part of some clips of a variable frame rate.
    `last` is the pts of the last packet; None for the one after which no more comes.
    """
    is_last = "eq(NEXT_DTS\\,NOPTS)" if last is None else f"eq(PTS\\,{last})"
    rest = f"max(1\\,{length}-(DTS-STARTDTS))"
    return f"setts=pts=PTS:dts=DTS:duration=if({is_last}\\,{rest}\\,min(DURATION\\,{length}-PTS))"


def framecrc_packets(report: str, time_base: Fraction) -> list[tuple[int, int]]:
    """Return (pts, duration) of each packet of stream 0 in a listing of FFmpeg's framecrc muxer.

    The listing is `#tb 0: 1/12800`, then `stream, dts, pts, duration, size, checksum` per packet. Results are in units
    of `time_base` seconds.
    """
    stated = re.search(r"^#tb 0: (\d+)/(\d+)", report, re.MULTILINE)
    scale = Fraction(int(stated[1]), int(stated[2])) / time_base if stated else Fraction(1)
    packets = []
    for line in report.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) >= 6 and fields[0] == "0":
            packets.append((round(int(fields[2]) * scale), round(int(fields[3]) * scale)))
    return packets


def microseconds(seconds: Fraction) -> str:
    """Format seconds for ffmpeg, which counts in microseconds."""
    return f"{float(seconds):.6f}"


def ratio(value: Fraction, sign: str = ":") -> str:
    """Format a fraction for ffmpeg, exactly."""
    return f"{value.numerator}{sign}{value.denominator}"
