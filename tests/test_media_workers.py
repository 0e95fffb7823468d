"""Crashes, hangs and memory bombs in files that the page reads: each costs one answer, and the server goes on."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import media_worker_tasks as tasks
import psutil
import pytest
from page_library import ORIGIN, client_of, segment_ids, small_library
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.exporting.ffmpeg_binary import run_ffmpeg
from app.media_workers import MediaWorkers
from app.web.api.examples import example_routes
from app.web.services.examples import Examples
from app.web.services.proxies import Proxies, proxy_range
from indexer.media.errors import UnreadableVideo
from indexer.workers.limits import WorkerLimits

ROOT = Path(__file__).resolve().parent.parent
CRASHED = "The decoder crashed on it (SIGABRT)."
FAULTS = [
    (tasks.aborts, CRASHED),
    (tasks.hangs, "No progress for 1.5 s"),
    (tasks.allocates, "too much memory"),
]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is watched more slowly elsewhere")


@pytest.fixture(scope="module")
def workers() -> Iterator[MediaWorkers]:
    made = MediaWorkers(WorkerLimits(stall_seconds=1.5, memory_gib=1))
    yield made
    made.close()


@pytest.mark.parametrize(("fault", "says"), FAULTS)
def test_a_dropped_file_costs_its_own_answer(
    fault: Callable[..., None], says: str, tmp_path: Path, workers: MediaWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = Examples(tmp_path, read=workers)
    client = TestClient(Starlette(routes=example_routes(examples)), base_url=ORIGIN)
    with monkeypatch.context() as patched:
        patched.setattr("app.web.services.example_media.detect_media", fault)
        answer = client.post("/api/examples", content=b"a file", headers={"X-File-Name": "a.mp4"})
    assert (answer.status_code, says in answer.json()["error"]) == (422, True), answer.text
    assert list(examples.directory.iterdir()) == []
    out = io.BytesIO()
    Image.new("RGB", (80, 60), "red").save(out, "PNG")
    assert client.post("/api/examples", content=out.getvalue(), headers={"X-File-Name": "a.png"}).status_code == 200


def test_a_video_of_the_library_is_played_without_a_forecast_and_its_proxy_says_why(
    tmp_path: Path, workers: MediaWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = small_library(tmp_path)
    identity = segment_ids(library)[0]
    ((segment, video),) = library.segments([identity]).values()
    proxies = Proxies(library.directory / "proxies", read=workers)
    client = client_of(library, proxies, workers)
    with monkeypatch.context() as patched:
        for name in ("playability._probe", "proxies.write_continuous_source"):
            patched.setattr(f"app.web.services.{name}", tasks.aborts)
        patched.setattr("app.web.api.segments.frames_in_range", tasks.aborts)
        assert client.get(f"/api/segment/{identity}").json()["playable"] is None
        answer = client.get(f"/api/frames/{identity}?from=0&to=1")
        assert (answer.status_code, CRASHED in answer.json()["error"]) == (422, True), answer.text
        proxies.request(proxy_range(segment, video))
        told = proxies.wait(proxy_range(segment, video), 20)
        assert (told.state, told.error) == ("failed", CRASHED)
    assert client.get(f"/api/segment/{identity}").json()["playable"] is not None
    assert client.get(f"/api/frames/{identity}?from=0&to=1").json()["pts"]
    proxies.stop()


def test_a_file_that_is_read_on_and_on_is_not_given_up(
    tmp_path: Path, workers: MediaWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long"
    path.write_bytes(bytes(20_000))
    code = "from app import media_workers as m; m._LOOK_SECONDS = 0.1"
    workers(exec, code, {}, path="")  # in the worker, which is then idle
    assert workers(tasks.reads_slowly, os.fspath(path), path=os.fspath(path)) == "read"


def test_with_all_workers_busy_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = MediaWorkers(WorkerLimits(stall_seconds=0.01), most=1)
    busy._room.acquire()
    with pytest.raises(UnreadableVideo, match="Other files are still being read"):
        busy(tasks.aborts, path="a.mp4")
    busy._room.release()
    busy.close()
    with pytest.raises(UnreadableVideo, match="cannot be read now") as caught:
        busy(tasks.aborts, path="a.mp4")
    assert caught.value.kind == "error"


def test_ffmpeg_has_a_limit_of_memory() -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_AS)[0]); bytearray(1 << 31)"
    said: list[str] = []
    with pytest.raises(Exception, match="MemoryError"):
        run_ffmpeg([sys.executable, "-c", code], said.append, memory_bytes=1 << 30)
    assert said == [str(1 << 30)]


def test_ffmpeg_dies_with_the_process_that_started_it() -> None:
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    code = (
        "import sys; from app.exporting.ffmpeg_binary import run_ffmpeg\n"
        f"run_ffmpeg([sys.executable, '-c', {child!r}], lambda line: print(line, flush=True))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    ffmpeg = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    try:
        ffmpeg.wait(10)
    except psutil.TimeoutExpired:
        ffmpeg.kill()
        raise
