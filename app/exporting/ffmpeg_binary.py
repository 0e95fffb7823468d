"""The ffmpeg program: finding it and running it."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, Any

from app.exporting.ffmpeg_messages import content_text, outside_text, stopped_text
from indexer.workers.limits import limit_child

_CHECK_SECONDS = 0.1
_LAST_BYTES = 8192  # of ffmpeg's messages: a damaged source can cause any number of them


class ExportError(Exception):
    """A clip, or a whole export, cannot be written. The message says why and, if possible, what to do."""


class OutsideError(ExportError):
    """A failure that says nothing about the content of a file: ffmpeg was stopped, the disk is full, a file is gone.

    No other way of cutting is tried after it, because that would only make a worse clip of a good file.
    """


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


def run_ffmpeg(
    arguments: Sequence[str],
    on_line: Callable[[str], None] | None = None,
    *,
    check: Callable[[], None] | None = None,
    memory_bytes: int | None = None,
    messages: list[str] | None = None,
) -> str:
    """Run ffmpeg to its end, in a session of its own: a Ctrl-C in the terminal reaches only the caller.

    If the caller is interrupted, ffmpeg is killed. If the caller is itself killed, so is ffmpeg on Linux; elsewhere,
    one that encodes completes its draft, which the next run removes.

    Args:
        arguments: The program and its arguments.
        on_line: Called with each line of standard output as it comes.
        check: Called several times a second. What it raises ends ffmpeg.
        memory_bytes: The address space that it may have, on Linux; None for any.
        messages: Receives the last lines of its standard error, also where it fails.

    Returns:
        The standard output.

    Raises:
        ExportError: Ffmpeg could not be started, or failed; the message says why.
        OutsideError: Ffmpeg was stopped, or failed for a cause outside its files.
    """
    # Errors go to a file: an unread pipe would block.
    with tempfile.TemporaryFile() as errors:
        process = _start(arguments, errors, memory_bytes)
        try:
            output = _read(process, on_line, check)
        except BaseException:
            _kill(process)
            raise
        if process.returncode == 0 and messages is None:
            return output
        errors.seek(0, 2)
        errors.seek(max(0, errors.tell() - _LAST_BYTES))
        lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    if messages is not None:
        messages += lines
        if process.returncode == 0:
            return output
    outside = stopped_text(process.returncode) or outside_text(lines)
    if outside is not None:
        raise OutsideError(outside)
    raise ExportError(content_text(process.returncode, lines))


def _start(arguments: Sequence[str], errors: IO[bytes], memory_bytes: int | None) -> subprocess.Popen[bytes]:
    own: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "linux":
        own["preexec_fn"] = partial(limit_child, os.getpid(), memory_bytes)
    if os.name == "nt":
        own = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    try:
        return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, **own)
    except OSError as error:
        raise OutsideError(f"{arguments[0]} cannot be started: {error.strerror or error}") from error


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End ffmpeg and whatever it has started."""
    try:
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass  # it has just ended
    process.wait()


def _read(
    process: subprocess.Popen[bytes], on_line: Callable[[str], None] | None, check: Callable[[], None] | None
) -> str:
    """Return the standard output once the process has ended. A thread reads it, so that `check` is called meanwhile."""
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    assert process.stdout is not None
    threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
    seen = []
    while True:
        try:
            line = lines.get(timeout=_CHECK_SECONDS)
        except queue.Empty:
            line = b""
        if line is None:
            break
        if line:
            seen.append(line)
            if on_line is not None:
                on_line(line.decode(errors="replace").rstrip())
        if check is not None:
            check()
    process.wait()
    return b"".join(seen).decode(errors="replace")


def _pass_on(stream: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)
