"""Decoding threads: what hangs holds up nothing, what nobody takes is discarded, errors name their cause."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from indexer import decoding
from indexer.decoding import Decoders, file_error
from indexer.media.errors import Cancelled
from indexer.messages import ClipReady, Decoded
from indexer.plan import VideoTask
from indexer.scan import FoundFile


class Media:
    """Staged pictures that know whether they were discarded."""

    def __init__(self) -> None:
        self.discarded = False

    def add(self, number: int, poster: bytes, preview: bytes) -> None:
        pass

    def discard(self) -> None:
        self.discarded = True


class Reader:
    """A video of as many clips as asked for."""

    fell_back = False
    seconds_hashing = 0.0
    notes: tuple[str, ...] = ()
    shots: tuple[object, ...] = ()
    segments: tuple[object, ...] = ()

    def __init__(self, task: VideoTask, clips: int) -> None:
        self.video = SimpleNamespace(size_bytes=task.file.size_bytes, modified_ns=task.file.modified_ns)
        self.clips = clips

    def __iter__(self) -> Any:
        for number in range(self.clips):
            yield SimpleNamespace(segment=SimpleNamespace(number=number), clips=(), poster=b"", preview=b"")


def task_of(path: Path) -> VideoTask:
    path.write_bytes(b"content")
    status = path.stat()
    file = FoundFile(path=str(path), size_bytes=status.st_size, modified_ns=status.st_mtime_ns)
    return VideoTask(file=file, fingerprint=path.name)


def threads_of_decoders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode-")]


def test_a_decoder_that_hangs_holds_up_neither_the_run_nor_the_end_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_JOIN_SECONDS", 0.05)
    hangs, goes_on = threading.Event(), threading.Event()

    def open_task(task: VideoTask, stopped: object) -> Any:
        hangs.set()
        goes_on.wait(30)
        raise Cancelled(task.file.path)

    with Decoders(open_task, lambda _: Media(), workers=2, queue_clips=1) as decoders:  # type: ignore[arg-type, return-value]
        decoders.put(task_of(tmp_path / "a.mp4"))
        assert hangs.wait(30)
    try:
        left = threads_of_decoders()
        assert len(left) == 1
        assert left[0].daemon
    finally:
        goes_on.set()
    left[0].join(30)
    assert threads_of_decoders() == []


@pytest.mark.parametrize("room", [1, 3])
def test_what_was_decoded_and_not_taken_is_discarded(tmp_path: Path, room: int) -> None:
    """With room for one message, the end of the video waits for it; with room for three, it lies in the queue."""
    task, media = task_of(tmp_path / "a.mp4"), Media()
    with Decoders(lambda *_: Reader(task, 1), lambda _: media, workers=1, queue_clips=room) as decoders:  # type: ignore[arg-type, return-value]
        decoders.put(task)
        while not decoders._messages.full() if room == 1 else decoders._messages.qsize() < 2:
            assert threads_of_decoders()
            time.sleep(0.002)
        assert not media.discarded
    assert media.discarded


def test_messages_come_in_order_and_a_finished_video_is_no_longer_in_progress(tmp_path: Path) -> None:
    task, media = task_of(tmp_path / "a.mp4"), Media()
    reader = Reader(task, 2)
    with Decoders(lambda *_: reader, lambda _: media, workers=1, queue_clips=1) as decoders:  # type: ignore[arg-type, return-value]
        decoders.put(task)
        seen = []
        while not seen or not isinstance(seen[-1], Decoded):
            message = decoders.get()
            if isinstance(message, ClipReady) and message.number == 0:
                assert decoders.in_progress() == [(task, reader)]
            seen += [message] if message is not None else []
        assert decoders.in_progress() == []
    assert [message.number for message in seen if isinstance(message, ClipReady)] == [0, 1]
    assert not media.discarded, "whoever took the message has it now"


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (FileNotFoundError(2, "No such file"), "missing", "no longer there"),
        (NotADirectoryError(20, "Not a directory"), "missing", "no longer there"),
        (PermissionError(13, "Permission denied"), "permission", "permission denied"),
        (OSError(5, "Input/output error"), "error", r"could not be read \(Input/output error\)"),
        (OSError("the drive is gone"), "error", r"could not be read \(the drive is gone\)"),
    ],
)
def test_an_error_of_the_file_system_names_its_cause(error: OSError, kind: str, says: str) -> None:
    found = file_error("/videos/a.mp4", error)
    assert found.kind == kind
    with pytest.raises(type(found), match=says):
        raise found
