"""The ffmpeg program: where it is, and one run of it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence


class ExportError(Exception):
    """A clip, or all of them, cannot be written; the message says why and, where something can be done, what."""


def find_ffmpeg(chosen: str | None = None) -> str:
    """The program to run: `chosen` where given (Settings.ffmpeg), else the packaged one, else one on the PATH.

    Raises ExportError where there is none.
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
    except (ImportError, RuntimeError) as error:  # RuntimeError: no binary for this system came with the package
        found = shutil.which("ffmpeg")
        if found is None:
            raise ExportError(
                "there is no ffmpeg for this system: install it so that `ffmpeg` runs, or reinstall imageio-ffmpeg"
            ) from error
        return found


def run_ffmpeg(arguments: Sequence[str], told: Callable[[str], None] | None = None) -> str:
    """Run it to its end and give its standard output. Ended with it where the caller is interrupted.

    told: given each line of that as it comes.

    Raises ExportError with the last line that it wrote to standard error, or what the system says about starting it.
    """
    # Errors go to a file: there is no limit to how many a damaged source causes, and nobody reads them meanwhile.
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise ExportError(f"{arguments[0]} cannot be started: {error.strerror or error}") from error
        try:
            output = process.communicate()[0] if told is None else _listened(process, told)
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode == 0:
            return output.decode(errors="replace")
        errors.seek(0, 2)
        errors.seek(max(0, errors.tell() - 8192))
        lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    raise ExportError(f"ffmpeg: {_telling(lines) or f'ended with code {process.returncode}'}")


def _listened(process: subprocess.Popen[bytes], told: Callable[[str], None]) -> bytes:
    lines = []
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.append(line)
            told(line.decode(errors="replace").rstrip())
    process.wait()
    return b"".join(lines)


def _telling(lines: list[str]) -> str:
    """The last line, with the one that names the cause where the last is only its consequence."""
    if not lines:
        return ""
    causes = [
        line for line in lines if "No space left" in line or "Permission denied" in line or "No such file" in line
    ]
    return causes[-1] if causes and causes[-1] != lines[-1] else lines[-1]
