"""The end of the program while a thread of a stopped run still works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import atexit, sys, threading
from app.shell.leaving import leave
threading.Thread(target=threading.Event().wait, name=sys.argv[1], daemon=True).start()
atexit.register(print, "in order")
print("said")
leave(130)
"""


@pytest.mark.parametrize(("name", "code", "printed"), [("encode", 130, "said"), ("heartbeat", 0, "said in order")])
def test_the_interpreter_is_not_shut_down_under_a_thread_that_encodes(name: str, code: int, printed: str) -> None:
    root = Path(__file__).resolve().parent.parent
    ended = subprocess.run([sys.executable, "-c", CODE, name], cwd=root, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout.split()) == (code, printed.split())
