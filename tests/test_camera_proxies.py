"""Small copies that cameras record beside their films are no second videos."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from synthetic import make_video

from indexer.camera_proxies import Originals, is_small_copy, small_copy_of
from indexer.new_files import new_files
from indexer.scan import find_videos

PAIRS = [
    ("GX010123.MP4", "GX010123.LRV"),
    ("GX010123.MP4", "GL010123.LRV"),
    ("GS010123.360", "GL010123.LRV"),
    ("GOPR0001.MP4", "GOPR0001.LRV"),
    ("DJI_0001.MP4", "DJI_0001.LRF"),
    ("VID_20240102_030405_00_007.insv", "LRV_20240102_030405_11_007.insv"),
    ("VID_20240102_030405_00_007.mp4", "LRV_20240102_030405_01_007.lrv"),
    ("M4ROOT/CLIP/C0001.MP4", "M4ROOT/SUB/C0001S03.MP4"),
    ("C0001.MP4", "C0001S03.MP4"),
    ("CONTENTS/VIDEO/0001AB.MXF", "CONTENTS/PROXY/0001AB.MP4"),
    ("A001.mov", "Proxy/A001.mp4"),
    ("A_0001C001.MP4", "A_0001C001_P.MP4"),
]


@pytest.mark.parametrize(("original", "copy"), PAIRS)
def test_cameras_name_their_small_copies_by_rules(original: str, copy: str) -> None:
    films = Originals([f"/card/{original}", "/card/other.MP4", "/elsewhere/C0001.MP4"])
    assert films.of(f"/card/{copy}") == f"/card/{original}"
    assert films.of(f"/card/{original}") is None
    assert films.of(f"/another card/{copy}") is None


def test_a_raw_film_that_cannot_be_decoded_has_none() -> None:
    assert Originals(["/card/Z9.NEV", "/card/A001.R3D"]).of("/card/Proxy/Z9.MP4") is None
    assert Originals(["/card/C0001.MP4"]).of("/card/C0001.MP4") is None


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make_video(str(folder / "large.mp4"), [("red", 50), ("blue", 50)], size=(128, 96))
    make_video(str(folder / "small.mp4"), [("red", 50), ("blue", 50)], size=(32, 24))
    make_video(str(folder / "short.mp4"), [("red", 25)], size=(32, 24))
    return folder


def test_a_small_copy_is_as_long_and_smaller(films: Path) -> None:
    large, small, short = (str(films / f"{name}.mp4") for name in ("large", "small", "short"))
    assert is_small_copy(small, large)
    assert not is_small_copy(large, small)
    assert not is_small_copy(short, large)
    assert not is_small_copy(large, large)


def test_it_is_left_out_unless_named(films: Path, tmp_path: Path) -> None:
    shutil.copy2(films / "large.mp4", tmp_path / "GX010001.MP4")
    shutil.copy2(films / "small.mp4", tmp_path / "GL010001.LRV")
    shutil.copy2(films / "large.mp4", tmp_path / "GX010002.MP4")
    shutil.copy2(films / "short.mp4", tmp_path / "GL010002.LRV")  # of another film: no copy of it
    files = find_videos([tmp_path]).files

    def left_out(**given: object) -> list[str]:
        options = {"known": {}, "named": (), "include_exports": False} | given
        looked_at = new_files(files, present=[file.path for file in files], **options)  # type: ignore[arg-type]
        return [os.path.basename(each.file.path) for each in looked_at if each.look()[0] == "camera_proxies"]

    small = str(tmp_path / "GL010001.LRV")
    assert left_out() == ["GL010001.LRV"]
    assert left_out(named=[small]) == left_out(known={small: None}) == []
    assert small_copy_of(str(tmp_path / "GX010001.MP4")) == small
    assert small_copy_of(str(tmp_path / "GX010002.MP4")) is None


def test_without_its_film_it_is_a_video(films: Path, tmp_path: Path) -> None:
    assert small_copy_of(str(tmp_path / "GX010001.MP4")) is None
    assert Originals([]).of(str(tmp_path / "GL010001.LRV")) is None
