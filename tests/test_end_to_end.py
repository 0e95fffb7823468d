"""The product on real files: the demo library goes in, and every caption must find its shot, cut where it was cut."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.library import Library
from encoder import Encoder, load_encoder
from indexer.media.clip import read_clip
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings
from search.engine import SearchEngine
from search.query import ClipTerm, Hit, Query, TextTerm
from search.vectors.faiss_index import FaissIndex

DEMO = Path(__file__).parent.parent / "app" / "demo_library"
TRUTH: list[dict[str, Any]] = json.loads((DEMO / "captions.json").read_text())["files"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("demo", "cpu")


@pytest.fixture(scope="module")
def library(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library.open(tmp_path_factory.mktemp("library"))
    report = index_folders(library, encoder, [DEMO], IndexSettings())
    assert report.added == len(TRUTH)
    assert not report.failed
    return library


@pytest.fixture(scope="module")
def engine(library: Library, encoder: Encoder) -> SearchEngine:
    return SearchEngine(library, encoder, FaissIndex.open(library, encoder.id, library.directory))


def shows(hit: Hit, file: str, shot: dict[str, Any]) -> bool:
    """Whether most of the hit lies within that shot."""
    video, segment = hit.video, hit.segment
    start, end = video.seconds(segment.start_pts), video.seconds(segment.end_pts)
    shared = min(end, shot["end_seconds"]) - max(start, shot["start_seconds"])
    return Path(video.path).name == file and shared > (end - start) / 2


def rank_of(engine: SearchEngine, file: str, shot: dict[str, Any]) -> int | None:
    hits = engine.search(Query(terms=(TextTerm(shot["caption"]),), k=10))
    return next((hit.rank for hit in hits if shows(hit, file, shot)), None)


def test_captions_find_their_shots(engine: SearchEngine) -> None:
    ranks = [rank_of(engine, file["file"], shot) for file in TRUTH for shot in file["shots"]]
    top = [sum(rank is not None and rank <= k for rank in ranks) / len(ranks) for k in (1, 3)]
    print(f"{len(ranks)} captions: found first {top[0]:.3f}, among the first three {top[1]:.3f}")
    assert top[1] >= 0.9


def test_hard_cuts_are_exact(library: Library) -> None:
    """Within one frame of the true cut; a file of variable rate by the shorter of the frames that meet there."""
    worst = 0.0
    for file in TRUTH:
        video = library.video_at(str(DEMO / file["file"]))
        assert video is not None
        assert video.id is not None
        starts = [video.seconds(shot.start_pts) for shot in library.shots(video.id)]
        frame = float(1 / Fraction(file["frame_rate"]))
        for shot in file["shots"]:
            if shot["transition"] == "cut":
                nearest = min(abs(start - shot["start_seconds"]) for start in starts)
                worst = max(worst, nearest / frame)
                assert nearest <= frame + 1e-3, (file["file"], shot["start_seconds"], starts)
    print(f"hard cuts are at most {worst:.3f} frames off")


def test_frames_are_all_there(library: Library) -> None:
    for file in TRUTH:
        video = library.video_at(str(DEMO / file["file"]))
        assert video is not None
        assert video.frames == file["shots"][-1]["end_frame"], file["file"]
    turned = library.video_at(str(DEMO / "07_phone_turned.mp4"))
    assert turned is not None
    assert (turned.width, turned.height, turned.rotation) == (270, 480, 90)


def test_a_range_of_a_file_finds_itself(engine: SearchEngine, encoder: Encoder) -> None:
    for name in ("01_widescreen_25.mp4", "07_phone_turned.mp4", "08_variable_rate.mp4", "11_late_start.mkv"):
        shot = next(file for file in TRUTH if file["file"] == name)["shots"][1]
        clip = read_clip(
            str(DEMO / name),
            encoder.clip_spec,
            start_seconds=shot["start_seconds"],
            end_seconds=shot["end_seconds"],
        )
        first = engine.search(Query(terms=(ClipTerm(clip),), k=1))[0]
        assert shows(first, name, shot)
        assert first.score > 0.999


def test_stored_rows_are_the_encoders(library: Library, encoder: Encoder) -> None:
    """What is stored as float16 is what the encoder says of the same frames."""
    video = library.video_at(str(DEMO / "13_one_shot.mp4"))
    assert video is not None
    assert video.id is not None
    (segment,) = library.segments_of(video.id)
    assert segment.id is not None
    stored = library.embedding_rows(encoder.id, [segment.id])[0]
    fresh = encoder.encode_clips(read_clip(video.path, encoder.clip_spec)[None])[0]
    length = float(np.linalg.norm(stored))  # 16 bits a number: nearly, not quite, of unit length
    assert abs(length - 1) < 1e-3
    assert float(stored @ fresh) / length > 0.999999
    assert float(np.abs(stored - fresh).max()) < 1e-3
