"""What people and other programs put into the files of evaluations: one line each, no row lost, nothing waited for."""

from __future__ import annotations

import csv
import io
import os
import signal
import threading
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from app.commands.probe_session import unread_lines
from app.evaluation.class_names import read_class_names
from app.evaluation.datasets.msrvtt import read_msrvtt
from app.evaluation.encoded import Unread
from app.evaluation.label_files import read_labels
from app.evaluation.labelled import LabelledStretch, Stretch
from app.evaluation.own_questions import QuestionLine
from app.evaluation.question_store import QuestionStore
from app.evaluation.row_store import RowStore
from app.evaluation.task import ProbeTask
from app.text_files import TextFileError
from app.timelines.table_file import csv_bytes
from encoder.checkpoints.checkpoint import read_npz
from encoder.errors import WeightsMismatch


def test_a_line_that_ends_before_a_needed_column_is_told(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("label,file\nrun\n")
    with pytest.raises(TextFileError, match="line 2: a name of a file is missing"):
        read_labels(labels, tmp_path)
    captions = tmp_path / "captions.csv"
    captions.write_text("key,sentence,video_id\nshort\nk,a dog,video7\n")
    assert [(each.id, each.captions) for each in read_msrvtt(captions)] == [("video7", ("a dog",))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_names_are_separated_by_any_line_end(end: str, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes(end.join(["a dog", "# a comment", "a\u2028cat"]).encode())
    assert read_class_names(tmp_path / "classes.txt") == ["a dog", "a cat"]


def test_a_pipe_in_place_of_kept_rows_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.jsonl")
    with pytest.raises(OSError, match="rows"):
        RowStore(tmp_path / "rows.jsonl", 2)


def test_a_line_of_rows_that_is_nested_without_end_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with RowStore(path, 2) as store:
        store.add("a", np.ones(2, np.float32))
    path.write_bytes(b"[" * 200_000 + b"\n" + path.read_bytes())
    with RowStore(path, 2) as store:
        assert len(store) == 1


def test_a_full_disk_is_told_with_the_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits, before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with RowStore(tmp_path / "rows.jsonl", 2) as store:
            store.add("a", np.ones(2, np.float32))
            resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(tmp_path / "rows.jsonl"), limits[1]))
            with pytest.raises(OSError, match="rows"):
                store.add("b", np.ones(2, np.float32))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    with RowStore(tmp_path / "rows.jsonl", 2) as store:
        assert "a" in store
        assert "b" not in store


def test_thousands_of_classes_take_a_byte_each(tmp_path: Path) -> None:
    classes = tuple(f"c{at}" for at in range(2000))
    some = [LabelledStretch(Stretch(f"{at}.mp4"), frozenset({classes[at], "else"}), "", "") for at in range(500)]
    tracemalloc.start()
    try:
        targets = ProbeTask(some, classes, True).targets(some)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * targets.nbytes
    assert np.array_equal(targets, np.eye(500, 2000, dtype=bool))


def test_names_of_columns_are_cells_too() -> None:
    content = csv_bytes([{"p(a;=1+1\ud800\x07)": 1}], ["p(a;=1+1\ud800\x07)"])
    assert next(csv.reader(io.StringIO(content.decode("utf-8-sig")))) == ["p(a;'=1+1\ufffd)"]


def test_a_stretch_that_cannot_be_read_is_named_with_its_time() -> None:
    places = [Stretch("/a.mp4"), Stretch("/a.mp4", 100.0), Stretch("/a.mp4", None, 2.0), Stretch("/a.mp4", 100, 200)]
    assert unread_lines([Unread(each, "too late") for each in places]) == [
        "not read: /a.mp4: too late",
        "not read: /a.mp4@00:01:40.000: too late",
        "not read: /a.mp4@00:00:00.000-00:00:02.000: too late",
        "not read: /a.mp4@00:01:40.000-00:03:20.000: too late",
    ]


def test_two_requests_at_once_put_a_question_back_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = QuestionStore(tmp_path)
    key = store.add(QuestionLine("a dog"))
    store.remove(key)
    both, refused = threading.Barrier(2), []
    change = store._change

    def together(apply: object) -> str:
        both.wait(10)  # both requests have come this far before one changes anything
        return change(apply)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_change", together)

    def put_back() -> None:
        try:
            store.put_back(key)
        except KeyError:
            refused.append(key)

    threads = [threading.Thread(target=put_back) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [line.question for line in store.read().lines] == ["a dog"]
    assert refused == [key]


def test_a_question_that_could_not_be_put_back_can_be_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = QuestionStore(tmp_path)
    key = store.add(QuestionLine("a dog"))
    store.remove(key)
    with monkeypatch.context() as full:
        full.setattr("app.evaluation.question_store.replace_file", lambda *_, **__: (_ for _ in ()).throw(OSError(28)))
        with pytest.raises(OSError, match="28"):
            store.put_back(key)
    assert store.put_back(key) == key


def test_a_checkpoint_with_damaged_compression_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "damaged.npz"
    np.savez_compressed(path, a=np.arange(1000))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        begin = file.infolist()[0].header_offset + 60
    content[begin : begin + 20] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(WeightsMismatch, match="not a readable") as refused:
        read_npz(path)
    assert isinstance(refused.value.__cause__, zlib.error | zipfile.BadZipFile)
