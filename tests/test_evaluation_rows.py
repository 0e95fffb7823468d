"""Rows kept from one evaluation to the next: nothing is encoded twice, and damage costs one row."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder

from app.evaluation.encoded import encode_stretches
from app.evaluation.labelled import Stretch
from app.evaluation.row_store import RowStore
from encoder import ClipSpec
from indexer.media.errors import Cancelled, UnreadableVideo


class Painted:
    """Reads a stretch as a clip of the grey level that its file holds."""

    name = "painted"

    def __init__(self) -> None:
        self.read: list[Stretch] = []

    def __call__(self, stretch: Stretch, spec: ClipSpec) -> np.ndarray:
        self.read.append(stretch)
        content = Path(stretch.path).read_text()
        if content == "broken":
            raise UnreadableVideo(stretch.path, "broken", "No frame can be decoded.")
        return np.full(spec.shape, int(content), np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> list[Stretch]:
    for level in range(20):
        (tmp_path / f"{level}.mp4").write_text(str(level * 10))
    (tmp_path / "bad.mp4").write_text("broken")
    return [Stretch(str(tmp_path / f"{level}.mp4")) for level in range(20)]


def test_rows_are_those_of_the_encoder_and_what_cannot_be_read_is_named(tmp_path: Path, files: list[Stretch]) -> None:
    encoder, done = ColourEncoder(), []
    bad, gone = Stretch(str(tmp_path / "bad.mp4")), Stretch(str(tmp_path / "gone.mp4"))
    with RowStore(tmp_path / "rows", encoder.dim) as store:
        rows, unread = encode_stretches([bad, *files, gone, *files], encoder, store, Painted(), on_progress=done.append)
    assert [each.stretch for each in unread] == [bad, gone]
    assert unread[0].reason == "No frame can be decoded."
    assert "No such file" in unread[1].reason
    assert done[-1] == 22
    for level, stretch in enumerate(files):
        clip = np.full((1, *encoder.clip_spec.shape), level * 10, np.uint8)
        assert np.array_equal(rows[stretch], encoder.encode_clips(clip)[0])


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, files: list[Stretch]) -> None:
    encoder, first, second = ColourEncoder(), Painted(), Painted()
    stops: Callable[[], bool] = lambda: len(encoder.batches) == 1  # noqa: E731
    with RowStore(tmp_path / "rows", encoder.dim) as store, pytest.raises(Cancelled):
        encode_stretches(files, encoder, store, first, cancelled=stops)
    with RowStore(tmp_path / "rows", encoder.dim) as store:
        assert len(store) == encoder.batch
        rows, _ = encode_stretches(files, encoder, store, second)
    assert sum(encoder.batches) == len(rows) == 20
    assert not set(second.read) & set(files[: encoder.batch])


def test_another_content_part_or_way_of_reading_has_a_row_of_its_own(tmp_path: Path, files: list[Stretch]) -> None:
    encoder, read, other = ColourEncoder(), Painted(), Painted()
    other.name = "other"
    with RowStore(tmp_path / "rows", encoder.dim) as store:
        encode_stretches(files[:1], encoder, store, read)
        encode_stretches(files[:1], encoder, store, other)
        encode_stretches([Stretch(files[0].path, 0.0, 1.0)], encoder, store, read)
        assert len(store) == 3
        os.rename(files[0].path, moved := str(tmp_path / "moved.mp4"))
        encode_stretches([Stretch(moved)], encoder, store, read)
        assert len(store) == 3, "a renamed file has the same content"
        Path(moved).write_text("7")
        encode_stretches([Stretch(moved)], encoder, store, read)
        assert len(store) == 4


@pytest.mark.parametrize(
    "damage",
    [b'{"key": "b", "row"', b"\xff\xfe\n", b'{"key": 1, "row": ""}\n', b'{"key": "b", "row": "AAAA"}\n', b"[]\n"],
)
def test_damage_costs_one_row(tmp_path: Path, damage: bytes) -> None:
    path, row = tmp_path / "rows", np.arange(4, dtype=np.float32)
    with RowStore(path, 4) as store:
        store.add("a", row)
    with path.open("ab") as file:
        file.write(damage)
    with RowStore(path, 4) as store:
        store.add("c", row + 1)
    with RowStore(path, 4) as store:
        assert len(store) == 2
        assert np.array_equal(store["a"], row)
        assert np.array_equal(store["c"], row + 1)


def test_a_row_of_another_width_is_refused(tmp_path: Path) -> None:
    with RowStore(tmp_path / "rows", 4) as store, pytest.raises(ValueError, match="4 numbers"):
        store.add("a", np.zeros(5, np.float32))
