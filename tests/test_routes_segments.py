"""Segments for the player: neighbours and frames, which are the frames that an export takes."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from numbered import constant, ffmpeg, write
from page_library import client_of, index, segment_ids, small_library
from test_export_exact import sample

from app.exporting.survey import survey_range
from app.web.services.playability import Playability
from db.library import Library
from indexer.media.frame_times import packet_times


def test_facts_of_a_segment(tmp_path: Path) -> None:
    library = small_library(tmp_path)
    client, (first, second) = client_of(library), segment_ids(library)
    video = library.videos()[0]
    facts = client.get(f"/api/segment/{second}").json()
    assert facts == {
        "id": second,
        "video": video.id,
        "name": "a.mp4",
        "path": video.path,
        "folder": str(tmp_path / "videos"),
        "missing": False,
        "number": 1,
        "shot": 1,
        "part": 1,
        "part_count": 1,
        "start": 0.8,
        "end": 1.6,
        "start_pts": facts["start_pts"],
        "end_pts": facts["end_pts"],
        "video_start_pts": video.start_pts,
        "video_end_pts": video.end_pts,
        "time_base": [video.time_base.numerator, video.time_base.denominator],
        "rate": [25, 1],
        "timecode": "",
        "duration": 1.6,
        "width": 64,
        "height": 48,
        "codec": "h264",
        "has_audio": True,
        "playable": True,
        "has_text": False,
    }
    assert video.seconds(facts["start_pts"]) == 0.8
    Path(video.path).unlink()
    gone = client.get(f"/api/segment/{first}").json()
    assert (gone["missing"], gone["playable"]) == (True, None)
    frames = client.get(f"/api/frames/{first}?from=0&to=1")
    assert (frames.status_code, "drive" in frames.json()["error"]) == (404, True)


def test_the_time_code_that_a_file_carries(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    write(tmp_path / "plain.mov", *constant(30, Fraction(25)))
    ffmpeg("-i", str(tmp_path / "plain.mov"), "-c", "copy", "-timecode", "10:00:00:00", str(folder / "a.mov"))
    library = Library.open(tmp_path / "library")
    index(library, folder, 1)
    facts = client_of(library).get(f"/api/segment/{segment_ids(library)[0]}").json()
    assert facts["timecode"] == "10:00:00:00"


def test_cards_of_a_stack_in_the_order_asked_for_without_those_that_have_gone(tmp_path: Path) -> None:
    library = small_library(tmp_path)
    client, (first, second) = client_of(library), segment_ids(library)
    items = client.get(f"/api/cards?ids={second},4711,{first},{second}").json()["items"]
    assert [each["id"] for each in items] == [second, first]
    assert (items[0]["name"], items[0]["start"], items[0]["end"]) == ("a.mp4", 0.8, 1.6)
    assert (items[0]["missing"], items[0]["alike"]) == (False, [])
    for wrong in ("", "?ids=", "?ids=1,,2", "?ids=x", "?ids=-1", f"?ids={'9' * 19}", f"?ids={','.join(['1'] * 201)}"):
        assert client.get(f"/api/cards{wrong}").status_code == 400, wrong
    assert len(client.get(f"/api/cards?ids={','.join(map(str, range(200)))}").json()["items"]) == 2


def test_neighbours_in_order_and_only_of_the_same_video(tmp_path: Path) -> None:
    colours = ("red", "blue", "green", "white", "black")
    shots = [(colour, 15) for colour in colours]
    library = small_library(tmp_path, {"a.mp4": {"shots": shots}, "b.mp4": {"shots": shots, "size": (96, 64)}})
    client, ids = client_of(library), segment_ids(library)
    assert len(ids) == 10
    middle = client.get(f"/api/neighbours/{ids[2]}?before=1&after=1").json()["items"]
    assert [(each["id"], each["number"], each["start"], each["end"]) for each in middle] == [
        (ids[1], 1, 0.6, 1.2),
        (ids[2], 2, 1.2, 1.8),
        (ids[3], 3, 1.8, 2.4),
    ]
    assert [each["id"] for each in client.get(f"/api/neighbours/{ids[0]}").json()["items"]] == ids[:5]
    assert [each["id"] for each in client.get(f"/api/neighbours/{ids[9]}?before=0&after=9").json()["items"]] == ids[9:]
    assert client.get("/api/neighbours/4711").status_code == 404
    assert client.get(f"/api/neighbours/{ids[0]}?before=-1").status_code == 400
    assert client.get(f"/api/neighbours/{ids[0]}?before=" + "9" * 4000).status_code == 200


FRAME_KINDS = [
    "cfr25", "film", "ntsc", "variable mp4", "variable mkv", "rotated", "late start", "negative start", "pal in ts",
    "mpeg2 in ts", "mpeg4 avi", "edit list", "webm",
]  # fmt: skip
RANGES = [(0.0, 120.0), (1 / 3, 2.0), (1.4, 1.5), (2.0, 2.9), (0.5, 0.51), (0.04, 0.08)]


@pytest.mark.parametrize("kind", FRAME_KINDS)
def test_frames_are_those_that_an_export_takes(kind: str, tmp_path: Path) -> None:
    made, folder = tmp_path / "made", tmp_path / "videos"
    made.mkdir()
    folder.mkdir()
    shutil.copy2(sample(kind, made), folder)
    library = Library.open(tmp_path / "library")
    index(library, folder, 1)
    client, identity, video = client_of(library), segment_ids(library)[0], library.videos()[0]
    whole = survey_range(video.path, Fraction(0), Fraction(1000))
    for start, end in RANGES:
        told = client.get(f"/api/frames/{identity}?from={start!r}&to={end!r}").json()
        slack = Fraction(1, 2000)
        wanted = [pts for pts in whole.pts if Fraction(start) - slack <= whole.seconds(pts) < Fraction(end) - slack]
        assert told["pts"] == wanted
        assert told["seconds"] == pytest.approx([float(whole.seconds(pts)) for pts in wanted], abs=1e-9)


@pytest.mark.parametrize("kind", ["cfr25", "film", "ntsc", "variable mkv", "rotated", "late start"])
def test_usual_files_need_no_decoding(kind: str, tmp_path: Path) -> None:
    path = str(sample(kind, tmp_path))
    whole = survey_range(path, Fraction(0), Fraction(1000))
    found = packet_times(path, whole.first_pts, Fraction(1), Fraction(2), frames=len(whole.pts))
    assert found == [pts for pts in whole.pts if 1 <= whole.seconds(pts) < 2]
    assert packet_times(path, whole.first_pts, Fraction(1), Fraction(2), frames=len(whole.pts) + 1) is None or (
        kind in ("film", "variable mkv", "late start")
    ), "MP4 says how many packets there are: where decoding gave fewer, some are damaged"


def test_ranges_of_frames_that_make_no_sense(tmp_path: Path) -> None:
    library = small_library(tmp_path)
    client, (identity, *_) = client_of(library), segment_ids(library)
    for query in ("from=2&to=1", "from=-1&to=1", "from=nan", "to=inf", "from=abc", "from=0&to=1000", "to=1e400"):
        answer = client.get(f"/api/frames/{identity}?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["error"]
    assert client.get(f"/api/frames/{identity}?from=50&to=60").json() == {"pts": [], "seconds": []}
    assert client.get("/api/frames/4711").status_code == 404
    assert client.get("/api/segment/4711").status_code == 404


DEEP = {"codec": "libx264", "pix_fmt": "yuv420p10le"}


@pytest.mark.parametrize(
    ("name", "how", "playable"),
    [
        ("a.mp4", {}, True),
        ("a.mov", {}, True),
        ("a.m4v", {}, True),
        ("a.mp4", {"audio_seconds": 1.0}, True),
        ("a.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}, True),
        ("a.mkv", {}, None),
        ("a.mp4", DEEP, None),
        ("a.mp4", {"pix_fmt": "yuv422p"}, None),
        ("a.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none"}}, False),
        ("a.mkv", {"codec": "libx265", "options": {"x265-params": "log-level=none"}}, False),
        ("a.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}, False),
        ("a.avi", {"codec": "mpeg4"}, False),
        ("a.mxf", {"codec": "mpeg2video"}, False),
        ("a.ts", {}, False),
    ],
)
def test_what_browsers_play(name: str, how: dict[str, Any], playable: bool | None, tmp_path: Path) -> None:
    import av.codec.codec

    try:
        library = small_library(tmp_path, {name: {"shots": [("red", 25)], **how}})
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this PyAV cannot encode {how['codec']}")
    facts = client_of(library).get(f"/api/segment/{segment_ids(library)[0]}").json()
    assert facts["playable"] is playable


def test_a_file_is_opened_once_to_see_whether_it_plays(tmp_path: Path) -> None:
    library = small_library(tmp_path)
    video, known = library.videos()[0], Playability()
    assert known.of(video) is True
    Path(video.path).unlink()
    assert known.of(video) is True
    assert Playability().of(video) is None


@pytest.mark.parametrize(("codec", "playable"), [("pcm_s16le", True), ("alac", False), ("ac3", False), ("mp3", True)])
def test_sound_that_browsers_cannot_play_asks_for_a_proxy(codec: str, playable: bool, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    write(folder / "a.mov", *constant(30, Fraction(25)), sound="pcm_s16le")
    ffmpeg("-i", str(folder / "a.mov"), "-c:v", "copy", "-c:a", codec, str(tmp_path / "b.mov"))
    (tmp_path / "b.mov").replace(folder / "a.mov")
    library = Library.open(tmp_path / "library")
    index(library, folder, 1)
    assert Playability().of(library.videos()[0]) is playable
