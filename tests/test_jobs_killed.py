"""kill -9 of whoever started a run, and of the run itself: it goes on, or shows as interrupted and is resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import ColourEncoder
from pretend import snapshot
from synthetic import make_video

from app import compose
from app.cli import main
from app.compose import Settings
from app.jobs.jobs import Jobs
from app.jobs.orders import IndexOrder, order_of
from db.library import Library

ROOT = Path(__file__).resolve().parent.parent
BLEND = ("--detector", "blend")  # both runs with one detector, whichever is the default of a process
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
COLOURS = ["red", "green", "blue", "yellow", "purple"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")

# An index run that is killed when its third video has just been stored.
KILLED = """
import os, signal
from app import compose
from db.library import Library
from fakes import ColourEncoder

compose.open_encoder = lambda settings, sources=None: ColourEncoder()
real, left = Library.add_video, [3]

def killing(*arguments, **named):
    left[0] -= 1
    result = real(*arguments, **named)
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

Library.add_video = killing
from app.cli import main
main(prog_name="prismsearch")
"""

# A server that starts a run, says its id, and waits.
SERVER = """
import sys
from pathlib import Path
from app.compose import Settings
from app.jobs.jobs import Jobs
from app.jobs.orders import IndexOrder
from app.shell.index_options import ShapingOptions

library, folder = map(Path, sys.argv[1:])
settings = Settings(library=library, encoder="demo", device="cpu")
order = IndexOrder(paths=(str(folder),), shaping=ShapingOptions(detector="blend"))
print(Jobs(library).start(order, settings))
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for number, colour in enumerate(COLOURS):
        make_video(folder / f"{number} '{colour}'.mp4", [(colour, 12), ("grey", 12)], size=(48, 32))
    return folder


def until(true: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def index(library: Path, *words: str) -> int:
    return CliRunner().invoke(main, ["--library", str(library), *words]).exit_code


def test_a_run_that_was_killed_is_resumed_with_nothing_lost(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, undisturbed = tmp_path / "library", tmp_path / "undisturbed"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "--library", str(library), "index", "films", "--workers", "1", *BLEND],
        env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    jobs = Jobs(library)
    [state] = jobs.all()
    assert (state.outcome, state.running, state.title) == ("interrupted", False, "films")
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: ColourEncoder())
    assert index(undisturbed, "index", str(films), *BLEND) == 0
    assert index(library, *state.arguments) == 0
    report = jobs.all()[0].report
    assert (report["unchanged"], report["added"]) == (3, 2)
    with Library.open(library) as found, Library.open(undisturbed) as wanted:
        assert snapshot(found, ColourEncoder().id) == snapshot(wanted, ColourEncoder().id)
        assert found.check() == []


def test_a_run_outlives_the_server_and_the_next_one_resumes_what_was_killed(films: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    jobs = Jobs(library)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(library), str(films)],
        env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    job_id = server.stdout.readline().strip()
    until(lambda: jobs.get(job_id).pid != 0)
    server.kill()
    server.wait()
    assert jobs.get(job_id).running, "the server is gone, the run is not"
    assert os.getsid(jobs.get(job_id).pid) != os.getsid(0), "no Ctrl-C of a terminal reaches it"
    os.kill(jobs.get(job_id).pid, signal.SIGKILL)
    until(lambda: not jobs.get(job_id).running)
    state = jobs.get(job_id)
    assert state.outcome in ("interrupted", "failed")  # failed: it had not come to its journal yet
    order = order_of(state)
    assert isinstance(order, IndexOrder)
    assert order.paths == (str(films),)
    again = jobs.start(order, Settings(library=library, encoder="demo", device="cpu"), in_place_of=job_id)
    until(lambda: not jobs.get(again).running)
    assert [(each.id, each.outcome, each.message) for each in jobs.all()] == [(again, "done", "5 videos added")], (
        jobs.log(again)
    )
    with Library.open(library) as found:
        assert (found.stats().videos, found.check()) == (5, [])
