"""The server may have many files open, however few the system begins with."""

from __future__ import annotations

import subprocess
import sys

import pytest

resource = pytest.importorskip("resource", reason="Windows has no such limit")

CODE = """
import resource, sys
from app.web.services.open_files import raise_open_files_limit
soft, hard = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
raise_open_files_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "after"),
    [(256, 512, 512), (256, 256, 256), (256, 20_000, 8192), (10_000, 20_000, 10_000)],
)
def test_the_limit_is_raised_as_far_as_the_system_allows(soft: int, hard: int, after: int) -> None:
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if allowed not in (-1, resource.RLIM_INFINITY) and allowed < hard:
        pytest.skip(f"only {allowed} open files are allowed here")
    ran = subprocess.run([sys.executable, "-c", CODE, str(soft), str(hard)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(after), str(hard)]
