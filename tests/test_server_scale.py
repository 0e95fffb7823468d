"""The benchmark of libraries on a server, at a tiny size: what it writes is a library, and it counts what it says."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from postgres import needs_postgres, new_place

from benchmarks import _scale_engines, _scale_node, _scale_search, server_scale
from benchmarks._scale_engines import TIMES, Ask, in_turns, of_trees
from benchmarks._scale_faults import compare
from benchmarks._scale_fill import ENCODER, fill
from benchmarks._scale_probe import unit_rows, video_of
from benchmarks._scale_proxy import counting
from benchmarks._scale_worker import Done, Work, path_of
from benchmarks._scale_workers import summary
from benchmarks.search_latency import RowsOfWords
from db.library import Library

ROWS = np.linalg.qr(np.random.default_rng(3).normal(size=(150, 150)))[0].astype(np.float16)


@needs_postgres
def test_what_is_filled_is_a_sound_library(postgres: str, tmp_path: Path) -> None:
    with Library.open(new_place(postgres, tmp_path)) as library:
        assert fill(library, ROWS, 100, tmp_path / "footage", touch=True)["shots"] == 100
        assert fill(library, ROWS, 200, tmp_path / "footage", touch=False)["shots"] == 100
        assert fill(library, ROWS, 200, tmp_path / "footage", touch=True)["shots"] == 0
        stats, stamp = library.stats(), library.stamp(ENCODER)
        assert (stats.videos, stats.shots, stats.segments) == (4, 200, 200)
        assert (stamp.count, stamp.last_id, stamp.generation) == (200, 200, 0)
        stored = library.embedding_rows(ENCODER, [1, 150, 151])  # rows are repeated where there are too few
        assert np.array_equal(stored, ROWS[[0, 149, 0]].astype(np.float32))
        assert library.check() == []
        segments = library.segments_of(2)
        assert [each.id for each in segments] == list(range(51, 101))
        assert all(each.end_pts == after.start_pts for each, after in pairwise(segments))
        assert [Path(video.path).exists() for video in library.videos()] == [True, True, False, False]


def test_the_proxy_counts_both_directions(tmp_path: Path) -> None:
    path = tmp_path / "echo"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                while len(connection.recv(4, socket.MSG_WAITALL)) == 4:
                    connection.sendall(b"ninebytes")

        threading.Thread(target=answer, daemon=True).start()
        with counting(path) as counted:
            with socket.create_connection(("127.0.0.1", counted.port)) as client:
                for _ in range(3):
                    client.sendall(b"four")
                    assert client.recv(9, socket.MSG_WAITALL) == b"ninebytes"
            assert (counted.sent, counted.received, counted.both) == (12, 27, 39)
            folder = Path("/run/server")
            through = counted.address("postgresql://me@/films?host=/run/server&schema=a", folder)
            assert through.startswith(f"postgresql://me@/films?host=127.0.0.1&port={counted.port}&")
            with pytest.raises(ValueError):
                counted.address("postgresql://me@elsewhere/films", folder)


def test_the_ideal_is_a_worker_that_only_sleeps() -> None:
    work = Work(place="", folder="/", workers=2, shots=50, shot_seconds=0.01)
    ideal = Done(done=[(number, 0.5 * number) for number in range(20)], seconds=10.0)
    late = Done(done=ideal.done[:10], seconds=10.0, write_seconds=5.0, lock_seconds=4.0)
    found = summary(work, [ideal, ideal])
    assert (found["of_ideal"], found["shots_a_second"], found["lock_share"]) == (1.0, 200.0, 0.0)
    found = summary(work, [ideal, late])
    assert (found["of_ideal"], found["lock_share"], found["write_share"]) == (0.75, 0.2, 0.05)


def test_what_is_lost_or_there_twice_is_counted(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        for number in (0, 1, 2):
            video, shots, segments = video_of(path_of("/killed", number), number, 50)
            library.add_video(video, shots, segments, unit_rows(50, 1), encoder_id=RowsOfWords.id, recipe="work")
        found = compare(library, "/killed", [Done(done=[(0, 1.0), (1, 2.0)]), Done(done=[(3, 1.0), (0, 1.5)])])
        assert (found["stored"], found["lost"], found["unknown"]) == (3, 1, 1)
        assert (found["twice"], found["done_twice"]) == (0, 1)


def test_sides_take_turns_and_ratios_are_of_their_pairs() -> None:
    asked: list[str] = []

    def side(name: str, cost: float) -> Ask:
        def ask(kind: str, times: int) -> tuple[float, float]:
            asked.append(f"{name} {kind}")
            return (
                (cost * len(asked), cost) if len(asked) > 2 * len(TIMES) else (1e9, 1e9)
            )  # the first turn is left out

        return ask

    found = in_turns({"folder": side("folder", 1.0), "server": side("server", 3.0)}, 3)
    assert asked[:2] == ["server add", "folder add"]
    assert asked[2 * len(TIMES) :][:2] == ["folder add", "server add"]
    assert found["search"]["cpu_ratio"] == 3.0
    assert found["search"]["server cpu_ms"] == 3.0
    assert 2.5 < found["search"]["wall_ratio"] < 3.5


def test_a_folder_is_measured_by_the_modules_of_another_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scale_engines, "TIMES", dict.fromkeys(TIMES, 1))
    found = of_trees(tmp_path, {"former": server_scale.ROOT, "now": server_scale.ROOT}, 1)
    assert set(found) == set(TIMES)
    assert all(each["cpu_ratio"] > 0 for each in found.values())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder for a server: its own user may not pass through those of pytest, of which every new run takes care."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@needs_postgres
def test_all_parts_run_over_a_tiny_library(
    open_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_scale_node, "media_sizes", lambda library, videos: {"poster_bytes": 10_000.0})
    monkeypatch.setattr(_scale_search, "EXPANSIONS", (40,))
    monkeypatch.setattr(_scale_search, "ADDED", 50)
    monkeypatch.setattr(_scale_engines, "TIMES", dict.fromkeys(TIMES, 1))
    words = ["--shots", "200", "--behind", "100", "--searches", "10", "--without-index-shots", "300", "--workers", "2"]
    words += ["--shot-ms", "2", "--seconds", "1", "--kills", "1", "--rounds", "1", "--folder", str(open_folder)]
    found = server_scale.main(words)
    assert set(found) == {"benchmark", *server_scale.PARTS}
    sizes = found["fill"]["with_files"]["sizes"]
    assert sizes["embeddings"] > 200 * 2 * 768
    assert found["fill"]["without_index"]["added"]["shots"] == 300
    assert found["catch_up"]["had"] == 200
    assert found["catch_up"]["received_bytes"] > 100 * 2 * 768
    assert found["traffic"]["page_poster_bytes"] == 300_000
    ways = found["search"]["ways"]
    assert ways["FAISS copy, sentence, all"]["recall"] == 1.0
    assert ways["the server's own, sentence, all"]["recall"] == 1.0
    assert all(each["recall"] > 0.6 for each in ways.values())
    assert found["search"]["added_with_graph"]["shots"] == 50
    (run,) = found["workers"]["runs"]
    assert run["videos_a_second"] > 0
    assert run["commits_a_second"] > 0
    assert found["engines"]["server"]["search"]["server wall_ms"] > 0
    assert found["kill"]["stored"] > 0
    assert found["kill"]["searches"] > 0
    assert all(found["kill"][name] == 0 for name in ("lost", "twice", "done_twice"))
    assert found["kill"]["problems"] == []
    assert all("\n" not in message for message in found["kill"]["messages"])
    assert "bytes each" in capsys.readouterr().out
