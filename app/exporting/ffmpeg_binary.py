"""The ffmpeg program: finding it and running it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence


class ExportError(Exception):
    """A clip, or a whole export, cannot be written. The message says why and, if possible, what to do."""


def find_ffmpeg(chosen: str | None = None) -> str:
    """Return the ffmpeg program: the chosen one (Settings.ffmpeg), else the packaged one, else the one on the PATH.

    Raises:
        ExportError: Ffmpeg was not found.
    """
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise ExportError(
                f"{chosen} is not a program that can be run; name another ffmpeg, or none for the packaged one"
            )
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:  # RuntimeError: the package has no binary for this system
        found = shutil.which("ffmpeg")
        if found is None:
            raise ExportError(
                "there is no ffmpeg for this system: install it so that `ffmpeg` runs, or reinstall imageio-ffmpeg"
            ) from error
        return found


def run_ffmpeg(arguments: Sequence[str], on_line: Callable[[str], None] | None = None) -> str:
    """Run ffmpeg to its end. If the caller is interrupted, the process is killed.

    Args:
        arguments: The program and its arguments.
        on_line: Called with each line of standard output as it comes.

    Returns:
        The standard output.

    Raises:
        ExportError: Ffmpeg could not be started, or failed; the message has its last line on standard error.
    """
    # Errors go to a file: a damaged source can cause any number of them, and an unread pipe would block.
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise ExportError(f"{arguments[0]} cannot be started: {error.strerror or error}") from error
        try:
            output = process.communicate()[0] if on_line is None else _read_lines(process, on_line)
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode == 0:
            return output.decode(errors="replace")
        errors.seek(0, 2)
        errors.seek(max(0, errors.tell() - 8192))
        lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    raise ExportError(f"ffmpeg: {_cause(lines) or f'ended with code {process.returncode}'}")


def _read_lines(process: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> bytes:
    lines = []
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.append(line)
            on_line(line.decode(errors="replace").rstrip())
    process.wait()
    return b"".join(lines)


def _cause(lines: list[str]) -> str:
    """Return the last line that names a cause, or else the last line."""
    if not lines:
        return ""
    causes = [
        line for line in lines if "No space left" in line or "Permission denied" in line or "No such file" in line
    ]
    return causes[-1] if causes else lines[-1]
