"""The end of the program while threads of a stopped run still work: at once, and in order."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

_UNFINISHED = ("encode", "read", "decode-", "load-encoder")  # names of threads that a stopped run no longer waits for


def leave(code: int) -> None:
    """End the process with an exit code, if threads still work that the interpreter cannot end in order.

    A thread that returns from native code while the interpreter shuts down may abort the process. Everything that must
    be written is written by then: this is the last step of the program.
    """
    others = [thread for thread in threading.enumerate() if thread.daemon and thread is not threading.current_thread()]
    if any(thread.name.startswith(_UNFINISHED) for thread in others):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or none
                stream.flush()
        os._exit(code)
