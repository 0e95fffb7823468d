"""ffmpeg's exit codes and last lines in words for people, and whether they say anything about the content of a file.

The one place that turns ffmpeg's text into ours. Its lines carry the names of its own parts and their addresses in
memory (`[libx264 @ 0x55d0c8]`), which help nobody.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

_STOPPED = "ffmpeg was stopped before it was done ({}); try again"
_TOO_LARGE = "the disk, or a limit of the system, allows no file of this size; choose another folder"
_CRASHES = frozenset({"SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"})
_STOP_CODES = frozenset({255, 123, 137, 143})  # ffmpeg after a signal; ffmpeg after three; a shell after KILL and TERM
_WINDOWS_STATUS = 0xC0000000  # codes from here on are those of a process that Windows ended

# Causes that lie outside the file: the sentence for each. Where several are found, the first one here is told.
_OUTSIDE: tuple[tuple[str, str], ...] = (
    ("no space left", "the disk is full; free some space and try again"),
    ("disk quota exceeded", "the quota of this disk is used up; free some space and try again"),
    ("file too large", _TOO_LARGE),
    ("read-only file system", "the disk is read-only; choose another folder"),
    ("permission denied", "a file may not be read or written; change its permissions"),
    ("operation not permitted", "a file may not be read or written; change its permissions"),
    ("cannot allocate memory", "there is not enough memory; close other programs and try again"),
    ("no such file", "a file or its folder is no longer there; check its drive and try again"),
    ("stale file handle", "the drive of a file is no longer there; check it and try again"),
    ("input/output error", "a drive reports errors; check it and try again"),
)
# Causes in the file, of which ffmpeg's own words would not tell what to make of them.
_INSIDE: tuple[tuple[str, str], ...] = (
    (r"invalid data found when processing input|decode error rate", "the file is damaged there"),
    (r"no decoder found for: (\S+)", "there is no decoder for {}"),
    (r"decoder \(codec (\S+?)\) not found", "there is no decoder for {}"),
    (r"(?:unknown|unsupported) codec", "its format has no decoder"),
    (r"(?:too big or non positive size|invalid (?:frame|video) size|width not divisible|height not divisible"
     r"|too small|picture size .* is invalid)", "its picture has a size that cannot be encoded"),
    (r"unknown timestamp|timestamps are unset|non.monoton", "its packets have no timestamps"),
    (r"matches no streams|output file does not contain any stream", "the stream is not in the file any more"),
    (r"unsupported channel layout|invalid channel layout", "the format does not support its channel layout"),
    (r"no \w+ codec tag found for codec|codec not currently supported in container|could not find tag for codec (\S+)"
     r"|(?:does not|not currently) support(?:ed)?.*(?:container|muxer|format)",
     "the container cannot hold this format"),
    (r"could not write header", "the container cannot hold these streams"),
)  # fmt: skip
# Lines that only pass on what another one has said.
_GENERIC = re.compile(
    r"conversion failed|task finished with error|terminating thread|error sending frames|error initializing"
    r"|error (?:while )?opening (?:encoder|output|an? input)|could not open encoder|nothing was written"
    r"|error while (?:filtering|processing)"
    r"|failed to (?:configure|inject)|error submitting|last message repeated|error parsing|error reinitializing"
    r"|error muxing|error writing trailer|error closing|invalid argument$|generic error in an external library",
    re.IGNORECASE,
)
_PART = re.compile(r"^(?:\[[^\]]*\]\s*)+")
_POINTER = re.compile(r"\s*@?\s*\b0x[0-9a-fA-F]{5,}\b")


def stopped_text(code: int) -> str | None:
    """Return what is said of an ffmpeg that ended because something stopped it, or None if it ended by itself.

    Args:
        code: The exit code; negative for a signal, as in `subprocess`.
    """
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        if name == "SIGXFSZ":
            return _TOO_LARGE
        if name in _CRASHES:
            return f"ffmpeg crashed ({name}); try again, or choose another ffmpeg"
        return _STOPPED.format("perhaps because memory ran short" if name == "SIGKILL" else name)
    if code in _STOP_CODES or code >= _WINDOWS_STATUS:
        return _STOPPED.format(f"code {code}")
    return None


def outside_text(lines: Sequence[str]) -> str | None:
    """Return what is said of a cause outside the file, such as a full disk, if ffmpeg's lines name one."""
    text = "\n".join(lines).lower()
    return next((said for words, said in _OUTSIDE if words in text), None)


def content_text(code: int, lines: Sequence[str]) -> str:
    """Return the cause of a failure, from ffmpeg's last lines, without its pointers and names of parts."""
    telling = [clean(line) for line in lines if not _GENERIC.search(line)] or [clean(line) for line in lines]
    telling = [line for line in telling if line]
    if not telling:
        return f"ffmpeg failed (code {code})"
    for line in reversed(telling):
        for pattern, said in _INSIDE:
            found = re.search(pattern, line, re.IGNORECASE)
            if found is not None:
                return said.format(found[1] or "it") if "{}" in said else said
    return f"ffmpeg failed ({telling[-1]})"


def clean(line: str) -> str:
    """Return a line of ffmpeg without the part that printed it, pointers, and its prefix of file names."""
    return _POINTER.sub("", _PART.sub("", line.strip())).replace("file:", "").strip().rstrip(".")
