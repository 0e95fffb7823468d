"""Text tracks, chapters and tags of videos: what is read of them, on the clock of the first frame shown."""

from __future__ import annotations

import os
import pickle
import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import pytest
from db_samples import make_video as make_record
from jumping import flashes
from synthetic import make_video

from app.exporting.ffmpeg_binary import find_ffmpeg
from db.records import Video
from indexer.media.decode import Decoding, video_end
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.media.probe import open_source
from indexer.text.found import TextFound
from indexer.text.sidecars import find_sidecars
from indexer.text.sources import read_parts, read_text_sources, read_video
from indexer.workers.pool import WorkerPool

SRT = """\
1
00:00:00,400 --> 00:00:01,000
<i>Hello</i> <b>you</b>
second row

2
00:00:02,000 --> 00:00:03,000
Köln {\\an8}終
"""
LINES = [(400, 1000, "Hello you\nsecond row"), (2000, 3000, "Köln 終")]
FLASH_AT = 2.0  # seconds: one white frame, when the second cue begins
PICTURE = f"color=gray:s=64x48:r=25:d=4,drawbox=c=white:t=fill:enable='between(t,{FLASH_AT},{FLASH_AT}+.03)'"


def ffmpeg(*arguments: str) -> None:
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *arguments], check=True)


def with_track(path: Path, codec: str, *options: str, text: str = SRT) -> Path:
    """A video of four seconds with a text track."""
    subtitles = path.with_suffix(".subtitles")
    subtitles.write_text(text, encoding="utf-8")
    inputs = ("-f", "lavfi", "-i", PICTURE, "-f", "srt", "-i", os.fspath(subtitles))
    video = ("-c:v", "libx264", "-g", "10", "-bf", "2", "-threads", "1", "-pix_fmt", "yuv420p")
    ffmpeg(*inputs, *video, "-c:s", codec, *options, os.fspath(path))
    subtitles.unlink()
    return path


def video_of(path: Path) -> Video:
    """The record of a video, as an index run makes it."""
    with open_source(os.fspath(path)) as source:
        decoding = Decoding(source)
        frames = list(decoding)
        start, last = frames[0].pts, frames[-1]
        end = video_end(last.pts, last.duration, start_pts=start, frames=len(frames), step=source.step)
        kinds = frozenset({"clock"}) if decoding.timeline.jumps else frozenset[str]()
        return make_record(
            os.fspath(path), time_base=source.time_base, start_pts=start, end_pts=end, frames=len(frames), kinds=kinds
        )


def read_track_lines(found: TextFound) -> dict[str, list[tuple[int, int, str]]]:
    return {
        text.source.origin: [(line.start_ms, line.end_ms, line.text) for line in text.lines]
        for text in found.texts
        if text.source.kind == "subtitle"
    }


def tags(found: TextFound) -> dict[str, list[str]]:
    return {text.source.title: [line.text for line in text.lines] for text in found.texts if text.source.kind == "tag"}


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "mov_text"),
        ("a.mov", "mov_text"),
        ("a.mkv", "srt"),
        ("a.mkv", "ass"),
        ("a.mkv", "webvtt"),
        ("a.mkv", "text"),
    ],
)
def test_text_tracks(tmp_path: Path, name: str, codec: str) -> None:
    path = with_track(tmp_path / name, codec, "-metadata:s:s:0", "language=ger", "-metadata:s:s:0", "title=Für alle")
    found = read_video(video_of(path))
    assert read_track_lines(found) == {"track 1": LINES}
    (text,) = [text for text in found.texts if text.source.kind == "subtitle"]
    assert (text.source.language, text.source.file) == ("de", "")
    assert text.source.title == "Für alle"
    assert found.problems == ()


def test_flags_of_tracks(tmp_path: Path) -> None:
    path = with_track(
        tmp_path / "a.mkv",
        "srt",
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "1",
        "-disposition:s:0",
        "forced",
        "-disposition:s:1",
        "default+hearing_impaired",
    )
    sources = [text.source for text in read_video(video_of(path)).texts if text.source.kind == "subtitle"]
    assert [(source.default, source.forced, source.for_deaf) for source in sources] == [
        (False, True, False),
        (True, False, True),
    ]


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mkv", "srt", ("-output_ts_offset", "7.5")),
        ("a.mp4", "mov_text", ("-output_ts_offset", "7.5")),
        ("a.mov", "mov_text", ("-video_track_timescale", "24000")),
    ],
)
def test_times_count_from_the_first_frame_shown(tmp_path: Path, name: str, codec: str, options: Sequence[str]) -> None:
    path = with_track(tmp_path / name, codec, *options)
    assert read_track_lines(read_video(video_of(path))) == {"track 1": LINES}


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mov_text"), ("a.mov", "mov_text"), ("a.mkv", "srt")])
@pytest.mark.parametrize("cut", ["0.5", "1.3"])
def test_edit_lists_move_subtitles_with_the_pictures(tmp_path: Path, name: str, codec: str, cut: str) -> None:
    """A copy that begins in the middle of a group of pictures hides its first frames by an edit list."""
    whole = with_track(tmp_path / f"whole-{name}", codec)
    path = tmp_path / name
    ffmpeg("-ss", cut, "-i", os.fspath(whole), "-map", "0", "-c", "copy", os.fspath(path))
    video = video_of(path)
    with open_source(os.fspath(path)) as source:
        white = [
            float((frame.pts - video.start_pts) * video.time_base)
            for frame in Decoding(source)
            if frame.picture.to_ndarray(format="gray").mean() > 200
        ]
    lines = read_track_lines(read_video(video))["track 1"]
    assert lines[-1][2] == "Köln 終"
    assert abs(lines[-1][0] / 1000 - white[0]) <= 0.04


def test_times_go_on_where_a_clock_jumps(tmp_path: Path) -> None:
    """Two recordings in Matroska joined byte by byte: each begins at 0."""
    part = with_track(tmp_path / "part.mkv", "srt")
    path = tmp_path / "a.mkv"
    path.write_bytes(part.read_bytes() * 2)
    video = video_of(path)
    if "clock" not in video.kinds:
        pytest.skip("this FFmpeg reads the first part only")
    starts = [start for start, *_ in read_track_lines(read_video(video))["track 1"]]
    assert starts == [400, 2000, 4400, 6000]


def test_pictures_are_named(tmp_path: Path) -> None:
    """A track of PGS, as Blu-ray discs have."""

    def segment(kind: int, payload: bytes) -> bytes:
        return (
            b"PG" + (90_000).to_bytes(4, "big") + bytes(4) + bytes([kind]) + len(payload).to_bytes(2, "big") + payload
        )

    composition = (64).to_bytes(2, "big") + (48).to_bytes(2, "big") + b"\x10\0\0\x80\0\0\0"
    (tmp_path / "a.sup").write_bytes(segment(0x16, composition) + segment(0x80, b""))
    path = tmp_path / "a.mkv"
    make_video(tmp_path / "a.mp4", [("red", 50)])
    ffmpeg(
        "-i",
        os.fspath(tmp_path / "a.mp4"),
        "-f",
        "sup",
        "-i",
        os.fspath(tmp_path / "a.sup"),
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        os.fspath(path),
    )
    found = read_video(video_of(path))
    assert [str(problem) for problem in found.problems] == [
        "track 1: its subtitles are pictures (PGS), which are not read"
    ]
    assert read_track_lines(found) == {}


def test_damage_costs_only_what_is_damaged(tmp_path: Path) -> None:
    path = with_track(tmp_path / "a.mkv", "srt")
    whole = path.read_bytes()
    for length in range(len(whole) // 4, len(whole), len(whole) // 5):
        path.write_bytes(whole[:length])
        try:
            video = video_of(path)
        except (UnreadableVideo, IndexError):
            continue
        found = read_track_lines(read_video(video)).get("track 1", [])
        assert {(start, text) for start, _, text in found} <= {(start, text) for start, _, text in LINES}


def test_chapters_and_tags(tmp_path: Path) -> None:
    facts = tmp_path / "facts.txt"
    facts.write_text(
        ";FFMETADATA1\ntitle=A day\nartist=Ann\ncomment=Ünder the bridge\ndescription=Two\\\nrows\ndate=2024\n"
        + "".join(
            f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n"
            for start, end, title in ((0, 1500, "Beach"), (1500, 9000, "Town"), (9000, 9500, "Late"))
        ),
        encoding="utf-8",
    )
    make_video(tmp_path / "plain.mp4", [("red", 50)])
    for name in ("a.mp4", "a.mkv", "a.mov"):
        path = tmp_path / name
        movflags = ("-movflags", "use_metadata_tags") if name == "a.mov" else ()
        ffmpeg(
            "-i",
            os.fspath(tmp_path / "plain.mp4"),
            "-i",
            os.fspath(facts),
            "-map_metadata",
            "1",
            "-map",
            "0",
            "-c",
            "copy",
            *movflags,
            "-output_ts_offset",
            "0",
            os.fspath(path),
        )
        found = read_video(video_of(path))
        (chapters,) = [text for text in found.texts if text.source.kind == "chapter"]
        assert [(line.start_ms, line.end_ms, line.text) for line in chapters.lines] == [
            (0, 1500, "Beach"),
            (1500, 2000, "Town"),
        ], name
        assert [str(problem) for problem in found.problems] == [
            "chapters: 1 of 3 cues begin after the end of the video and were left out"
        ]
        stated = tags(found)
        assert (stated["title"], stated["artist"], stated["comment"]) == (["A day"], ["Ann"], ["Ünder the bridge"]), (
            name
        )
        assert stated["description"] == ["Two\nrows"], name
        assert {line.end_ms for text in found.texts if text.source.kind == "tag" for line in text.lines} == {2000}


def test_cancelling(tmp_path: Path) -> None:
    path = with_track(tmp_path / "a.mkv", "srt")
    with pytest.raises(Cancelled):
        read_text_sources(video_of(path), cancelled=lambda: True)


def test_in_a_worker_with_files_beside_it(tmp_path: Path) -> None:
    path = with_track(tmp_path / "a.mkv", "srt")
    (tmp_path / "a.en.srt").write_text(SRT, encoding="utf-8")
    video = video_of(path)
    with WorkerPool() as pool:
        with pool.task(read_parts, video, find_sidecars(video.path), True, path=video.path) as task:
            for _ in task:
                pass
        found = task.result
    assert read_track_lines(found) == {"track 1": LINES, "a.en.srt": LINES}
    assert pickle.loads(pickle.dumps(found)) == found


def test_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(UnreadableVideo):
        read_video(make_record(os.fspath(tmp_path / "a.mp4")))


def test_tracks_of_a_hundred_kinds_do_not_hinder(tmp_path: Path) -> None:
    """Sound and data beside the text are never decoded."""
    path = with_track(
        tmp_path / "a.mkv", "srt", "-attach", os.fspath(Path(__file__)), "-metadata:s:t", "mimetype=text/plain"
    )
    assert read_track_lines(read_video(video_of(path))) == {"track 1": LINES}


def test_the_flash_is_where_the_cue_is(tmp_path: Path) -> None:
    """The test video itself: the second cue begins with the white frame."""
    path = with_track(tmp_path / "a.mkv", "srt")
    with av.open(os.fspath(path)) as container:
        assert container.streams.subtitles
    assert flashes(path) == [FLASH_AT]
    assert LINES[1][0] == FLASH_AT * 1000
