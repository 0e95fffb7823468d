"""Recordings whose clock jumps are one timeline: frames, sound, clips, exports and proxies; long stills stay long."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import db_samples
import numpy as np
import pytest
from fakes import ColourEncoder
from jumping import SECONDS, beeps, flashes, join, make_part
from synthetic import make_video

from app.exporting.clip_writer import write_clips
from app.exporting.continuous_source import continuous_source
from app.exporting.ffmpeg_binary import find_ffmpeg
from app.exporting.request import ClipRequest, ExportMode
from app.exporting.survey import survey_range
from app.web.services.playability import Playability
from app.web.services.proxies import Proxies, ProxyRange
from app.web.services.proxy_making import make_proxy
from db.library import Library
from db.media_facts import MediaFacts
from encoder import ClipSpec
from indexer.media.clip import read_clip
from indexer.media.clock_map import clock_map
from indexer.media.continuous import _all_timed
from indexer.media.decode import Decoding
from indexer.media.frame_times import packet_times
from indexer.media.joined import starts_of_parts
from indexer.media.probe import open_source
from indexer.media.timeline import Stamp, Timeline
from indexer.missing_facts import ReadFacts, seems_to_jump
from indexer.notes import length_notes
from indexer.pipeline import index_folders
from indexer.scan import FoundFile
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

FULL_COUNTER = 2**33 / 90000  # 26.5 hours
JOINED = {
    "forward.ts": ((0, 50000), ()),
    "back.m2ts": ((50000, 0), ("libx264", "aac")),
    "again.ts": ((0, 0), ()),
    "overlapping.ts": ((0, 1), ()),
    "wrapped.ts": ((FULL_COUNTER - SECONDS, 0, 50000), ("mpeg2video",)),
    "forward.mpg": ((0, 1000), ("mpeg2video",)),
    "again.vob": ((0, 0), ("mpeg2video", "mp2", "-f", "vob")),
    "again.mkv": ((0, 0), ("libx264", "aac")),
}


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("joined")
    return {name: join(folder / name, offsets, *arguments) for name, (offsets, arguments) in JOINED.items()}


@pytest.mark.parametrize("name", JOINED)
def test_joined_recordings_are_as_long_as_their_parts_together(joined: dict[str, Path], name: str) -> None:
    with open_source(os.fspath(joined[name])) as source:
        decoding = Decoding(source)
        times = [frame.pts * source.time_base for frame in decoding]
    parts = len(JOINED[name][0])
    assert len(times) == parts * SECONDS * 25
    assert float(times[-1] - times[0]) == pytest.approx(parts * SECONDS - 0.04, abs=0.06)
    steps = [float(after - before) for before, after in itertools.pairwise(times)]
    assert min(steps) > 0.03
    assert max(steps) < 0.1, "no longer than the sound that ends a part late"
    assert decoding.timeline.jumps == parts - 1 - (name == "wrapped.ts"), (
        "FFmpeg itself counts on when the counter is full"
    )
    assert decoding.clock.synthesized, "nothing can be found by the file's own times"


EXPORTS: list[tuple[str, ExportMode]] = [
    *((name, "exact") for name in JOINED),
    *itertools.product(["forward.ts", "again.mkv"], ["smart", "copy"]),
]  # type: ignore[list-item]


@pytest.mark.parametrize(("name", "mode"), EXPORTS)
def test_exports_across_a_join_have_the_frames_and_the_sound_of_both_parts(
    joined: dict[str, Path], tmp_path: Path, name: str, mode: ExportMode, caplog: pytest.LogCaptureFixture
) -> None:
    across, after = (
        ClipRequest(path=os.fspath(joined[name]), start_seconds=Fraction(start), end_seconds=Fraction(end))
        for start, end in ((Fraction("0.5"), Fraction("3.5")), (Fraction("2.6"), Fraction("3.2")))
    )
    for clip, flashing in zip(write_clips([across, after], tmp_path, mode), (2, 1), strict=True):
        assert clip.error is None
        assert clip.file is not None
        assert clip.has_audio
        assert clip.start_seconds is not None
        assert clip.start_seconds - clip.request.start_seconds < Fraction("0.04")
        if mode != "copy":
            asked = clip.request
            found = survey_range(asked.path, asked.start_seconds, asked.end_seconds, clock_jumps=True)
            assert clip.frames == len(found.pts)
        seen, heard = flashes(clip.file), beeps(clip.file)
        assert len(seen) == flashing
        assert heard == pytest.approx(seen, abs=0.04)
        with open_source(os.fspath(clip.file)) as source:
            language = source.container.streams.audio[0].language
        assert language == ("und" if name.endswith(("mpg", "vob")) else "deu"), "program streams state no language"
    assert not list(tmp_path.glob("*copy*")), "no copy is left"
    assert not caplog.messages, "what is logged, the shell prints"


@pytest.mark.parametrize("name", ["forward.ts", "again.mkv"])
def test_proxies_across_a_join_have_the_frames_and_the_sound_of_both_parts(
    joined: dict[str, Path], tmp_path: Path, name: str
) -> None:
    target = tmp_path / "proxy.mp4"
    with continuous_source(os.fspath(joined[name]), Fraction(1, 2), Fraction(7, 2), target) as (path, moved):
        made = make_proxy(
            find_ffmpeg(),
            path,
            Fraction(1, 2) - moved,
            Fraction(7, 2) - moved,
            target,
            progress=lambda done: None,
            cancelled=lambda: False,
        )
    assert float(made.offset_seconds + moved) == pytest.approx(0.5, abs=0.04)
    assert len(flashes(target)) == 2
    assert beeps(target) == pytest.approx(flashes(target), abs=0.04)


@pytest.mark.parametrize("change", [["-ar", "44100"], ["-ac", "2"], ["-s", "96x64"], ["-an"]])
def test_parts_may_differ_in_sound_and_size(tmp_path: Path, change: list[str]) -> None:
    path = make_part(tmp_path / "a.ts", 0)
    other = make_part(tmp_path / "b.ts", 500, "libx264", "mp2", *change)
    path.write_bytes(path.read_bytes() + other.read_bytes())
    request = ClipRequest(path=os.fspath(path), start_seconds=Fraction(1, 2), end_seconds=Fraction(7, 2))
    (clip,) = write_clips([request], tmp_path)
    assert (clip.error, clip.note, clip.frames) == (None, None, 75)
    assert clip.file is not None
    heard, seen = beeps(clip.file), flashes(clip.file)
    assert len(seen) == 2
    assert heard == pytest.approx(seen[:1] if change == ["-an"] else seen, abs=0.04)


def test_far_into_a_recording_only_the_stretch_is_copied(tmp_path: Path) -> None:
    path = make_part(tmp_path / "many.ts", 0)
    path.write_bytes(path.read_bytes() * 6)
    request = ClipRequest(path=os.fspath(path), start_seconds=Fraction(9), end_seconds=Fraction("11.5"))
    draft = tmp_path / "draft"
    with continuous_source(request.path, Fraction(9), Fraction("11.5"), draft) as (copy, moved):
        assert moved >= 3
        assert os.path.getsize(copy) < 0.9 * path.stat().st_size
        inside = survey_range(copy, Fraction(9) - moved, Fraction("11.5") - moved)
    found = survey_range(request.path, Fraction(9), Fraction("11.5"), clock_jumps=True)
    assert [found.seconds(pts) for pts in found.pts] == [inside.seconds(pts) + moved for pts in inside.pts]
    (clip,) = write_clips([request], tmp_path)
    assert clip.file is not None
    assert (clip.start_seconds, clip.end_seconds) == (found.start_seconds, found.end_seconds)
    assert len(flashes(clip.file)) == 2
    assert beeps(clip.file) == pytest.approx(flashes(clip.file), abs=0.04)
    proxies = Proxies(tmp_path / "proxies")
    wanted = ProxyRange(key="a", path=request.path, start=Fraction(9), end=Fraction("11.5"), clock_jumps=True)
    proxies.request(wanted)
    proxies.wait(wanted, 60)
    state = proxies.state(wanted)
    proxies.stop()
    assert (state.state, state.error) == ("ready", None)
    assert state.offset == pytest.approx(float(found.start_seconds))


@pytest.mark.parametrize("name", ["forward.ts", "overlapping.ts", "forward.mpg", "again.mkv"])
def test_clips_to_search_with_are_those_that_were_indexed(joined: dict[str, Path], name: str) -> None:
    path = os.fspath(joined[name])
    spec = ClipSpec(5, 32)
    video_pass = VideoPass(path, spec, IndexSettings(segment_seconds=1.0, overlap_seconds=0.1), fingerprint="f")
    results = list(video_pass)
    assert len(results) >= 4
    for result in results:
        start, end = (video_pass.video.seconds(pts) for pts in (result.segment.start_pts, result.segment.end_pts))
        assert np.array_equal(read_clip(path, spec, start_seconds=start, end_seconds=end), result.clip), (start, end)


@pytest.mark.parametrize("name", ["forward.ts", "again.ts"])
def test_the_length_to_come_follows_the_bytes_where_the_clock_jumps(joined: dict[str, Path], name: str) -> None:
    assert expected(joined[name]) == pytest.approx(4, rel=0.2)


def expected(path: Path) -> float | None:
    """Return the length that is expected when all frames have been read."""
    video_pass = VideoPass(os.fspath(path), ClipSpec(2, 32), IndexSettings(), fingerprint="f")
    assert list(video_pass)
    return video_pass.seconds_expected


def test_a_library_of_an_earlier_version_indexes_files_again_whose_clock_misled_it(
    joined: dict[str, Path], tmp_path: Path
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for name in ("forward.ts", "again.ts"):
        shutil.copy(joined[name], films)
    make_part(films / "plain.ts", 70000)
    with Library.open(tmp_path / "library") as library:
        index_folders(library, ColourEncoder(), [films], IndexSettings())
        again, forward, plain = library.videos()
        assert (again.clock_jumps, forward.clock_jumps, plain.clock_jumps) == (True, True, False)
        assert forward.duration_seconds == pytest.approx(4, abs=0.05)
        assert Playability().of(dataclasses.replace(again, path="/films/a.mp4")) is False, "it needs a proxy"
        with library._database.writing() as connection:
            connection.exec_driver_sql("UPDATE videos SET facts = NULL, kinds = ''")
            connection.exec_driver_sql("UPDATE encodings SET recipe = replace(recipe, '+clock1', '')")
            connection.exec_driver_sql(f"UPDATE videos SET end_pts = end_pts + 4500000000 WHERE id = {forward.id}")
        assert library.videos()[0].clock_jumps is None
        report = index_folders(library, ColourEncoder(), [films], IndexSettings())
        assert (report.updated, report.unchanged) == (2, 1)
        assert library.videos() == [again, forward, plain]


@pytest.mark.parametrize(
    ("end", "stated", "misled"), [(50, 2, False), (50, 3, False), (50, 6, True), (50, None, False), (400, 16, True)]
)
def test_lengths_that_contradict_each_other_show_a_jump(end: int, stated: int | None, misled: bool) -> None:
    video = db_samples.make_video(frames=50, start_pts=0, end_pts=end, time_base=Fraction(1, 25))
    read = ReadFacts(
        file=FoundFile(path="a.ts", size_bytes=1, modified_ns=1),
        timecode="",
        facts=MediaFacts(nominal_rate=Fraction(25)),
        kinds=frozenset(),
        stated_seconds=None if stated is None else Fraction(stated),
    )
    assert seems_to_jump(video, read) == misled


def test_a_file_known_not_to_jump_is_not_read_through(
    joined: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.media.clock_map.clock_map", lambda path: pytest.fail("read through"))
    path = os.fspath(joined["forward.ts"])
    with continuous_source(path, Fraction(0), Fraction(1), tmp_path / "draft", clock_jumps=False) as found:
        assert found == (path, 0)
    assert survey_range(path, Fraction(0), Fraction(1)).pts


def test_only_files_whose_clock_jumps_are_mapped(joined: dict[str, Path], tmp_path: Path) -> None:
    plain = make_part(tmp_path / "plain.ts", 70000)
    assert clock_map(os.fspath(plain)) is None
    matroska = make_video(tmp_path / "plain.mkv")
    assert clock_map(os.fspath(matroska)) is None
    assert clock_map(os.fspath(make_video(tmp_path / "plain.mp4"))) is None
    found = clock_map(os.fspath(joined["again.mkv"]))
    assert found is not None
    assert len(found.pieces) == 2
    assert found.key_before(-1) is None
    assert packet_times(os.fspath(joined["again.mkv"]), 0, Fraction(5, 2), Fraction(3)) is None, "packets lack the jump"


def test_a_range_past_the_end_is_refused_by_the_files_own_times(joined: dict[str, Path], tmp_path: Path) -> None:
    path = os.fspath(joined["forward.ts"])
    request = ClipRequest(path=path, start_seconds=Fraction(100), end_seconds=Fraction(101))
    (clip,) = write_clips([request], tmp_path)
    assert clip.error is not None
    assert "last frame is shown at 00:00:03.9" in clip.error


@pytest.mark.parametrize("name", ["still.mp4", "still.mkv"])
def test_a_picture_that_stays_for_a_minute_stays_where_frames_have_their_own_times(tmp_path: Path, name: str) -> None:
    times = [*range(25), *range(1525, 1550)]
    path = make_video(tmp_path / name, [("red", 50)], times=times, time_base=Fraction(1, 25))
    assert length(path) == pytest.approx(62, abs=0.01)


def test_a_picture_that_stays_while_the_sound_goes_on_stays_in_a_transport_stream(tmp_path: Path) -> None:
    path = tmp_path / "slides.ts"
    picture = "testsrc=s=64x48:r=25:d=2,setpts='PTS+if(gte(N,25),30/TB,0)'"
    command = [find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=32"]
    subprocess.run(
        [*command, "-fps_mode", "passthrough", "-c:v", "libx264", "-c:a", "mp2", os.fspath(path)], check=True
    )
    assert length(path) == pytest.approx(32, abs=0.01)
    assert clock_map(os.fspath(path)) is None


def test_pictures_at_a_slow_pace_are_no_jumps(tmp_path: Path) -> None:
    path = make_video(tmp_path / "slow.ts", [("red", 5)], rate=Fraction(1, 5))
    assert length(path) == pytest.approx(25, abs=0.01)


def length(path: Path) -> float:
    """Return the seconds from the first frame to the end of the last."""
    with open_source(os.fspath(path)) as source:
        frames = list(Decoding(source))
        return float((frames[-1].pts + (frames[-1].duration or source.step) - frames[0].pts) * source.time_base)


def placed(stamps: Sequence[tuple[int | None, int | None, bool]], *, free: bool = True) -> list[int | None]:
    """Return the continued pts of packets, (pts, dts, key) each, at 10 units a frame and 250 a second."""
    timeline = Timeline(step=10, second=250, free_running=free)
    return [timeline.picture(Stamp(pts, dts, 10, key)).pts for pts, dts, key in stamps]


@pytest.mark.parametrize("jump", [-100_000, -50, 2511, 1_000_000])
def test_a_jump_either_way_goes_on_at_the_next_time(jump: int) -> None:
    times = [100_000, 100_010, 100_020 + jump, 100_030 + jump]
    assert placed([(time, time, False) for time in times]) == [100_000, 100_010, 100_020, 100_030]


@pytest.mark.parametrize("step", [-20, 0, 10, 2500])
def test_small_steps_are_left_alone(step: int) -> None:
    times = [100_000, 100_010, 100_020 + step]
    assert placed([(time, time, False) for time in times]) == times


def test_a_long_step_is_no_jump_where_the_container_has_an_index() -> None:
    times = [0, 10, 1_000_000, 1_000_010]
    assert placed([(time, time, False) for time in times], free=False) == times
    assert placed([(time, time, False) for time in (1000, 1010, 0)], free=False) == [1000, 1010, 1020]
    assert placed([(time, time, False) for time in (1000, 1010, 800)], free=False) == [1000, 1010, 800]


def test_a_new_part_begins_after_the_last_picture_and_the_last_sound_of_the_old_one() -> None:
    # Reordered: shown two frames after they are decoded. The new part is not.
    assert placed([(20, 0, True), (30, 10, False), (9000, 9000, True)]) == [20, 30, 40]
    timeline = Timeline(step=10, second=250, free_running=True)
    assert timeline.picture(Stamp(0, 0, 10, True)).pts == 0
    timeline.sound(1, Stamp(0, 0, 33))
    assert timeline.picture(Stamp(9000, 9000, 10, True)).pts == 33
    assert timeline.picture(Stamp(9010, 9010, 10)).pts == 43
    assert (timeline.jumps, timeline.shift) == (1, 33 - 9000)


def test_a_time_from_the_other_side_of_a_jump_is_not_believed() -> None:
    assert placed([(20, 0, True), (9000, 10, False), (9000, 8990, True)]) == [20, None, 40]
    assert placed([(None, None, True), (None, None, False)]) == [None, None]


def test_a_run_says_which_clocks_jump_and_which_headers_claim_too_much(joined: dict[str, Path], tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    shutil.copy(joined["forward.ts"], films / "a.ts")
    claims = make_video(films / "b.mkv", [("red", 50)], options={"bf": "0"})
    content = claims.read_bytes()
    assert content.count(b"\x44\x89\x88") == 1, "Duration, a float64 in milliseconds"
    at = content.index(b"\x44\x89\x88") + 3
    claims.write_bytes(content[:at] + struct.pack(">d", 50_000_000.0) + content[at + 8 :])
    assert expected(claims) == pytest.approx(2, rel=0.2), "by its bytes"
    make_video(films / "c.mp4", [("red", 3)], times=[0, 25, 25 * 7200], time_base=Fraction(1, 25))
    with Library.open(tmp_path / "library") as library:
        report = index_folders(library, ColourEncoder(), [films], IndexSettings())
    assert [
        (os.path.basename(note.path), note.reason) for note in sorted(report.notes, key=lambda note: note.path)
    ] == [
        ("a.ts", "its timestamps jump once; it is treated as one recording of 0:00:04"),
        ("b.mkv", "its header claims 13:53:20, its frames last 0:00:02"),
        ("c.mp4", "one of its frames is shown for 1:59:59"),
    ]


def test_parts_that_ffmpeg_does_not_read_are_told(joined: dict[str, Path], tmp_path: Path) -> None:
    part = make_part(tmp_path / "a.mkv", 0)
    many, films = tmp_path / "many.mkv", tmp_path / "films.mp4"
    size = part.stat().st_size
    assert starts_of_parts(os.fspath(part)) == [0]
    many.write_bytes(part.read_bytes() * 4)
    assert starts_of_parts(os.fspath(many)) == [0, size, 2 * size, 3 * size]
    with open_source(os.fspath(many)) as source:
        read = sum(1 for _ in Decoding(source)) // (25 * SECONDS)
    told = f"it is 4 recordings joined byte by byte, of which {read} can be read"
    assert (told in notes_on(many)) == (read < 4)
    film = make_video(tmp_path / "film.mp4")
    films.write_bytes(film.read_bytes() * 2)
    assert starts_of_parts(os.fspath(films)) == [0, film.stat().st_size]
    assert notes_on(films) == ("it is 2 recordings joined byte by byte, of which 1 can be read",)
    assert notes_on(film) == ()
    assert notes_on(joined["again.mkv"]) == ("its timestamps jump once; it is treated as one recording of 0:00:04",)
    live = make_video(tmp_path / "live.webm", codec="libvpx", container_options={"live": "1"})
    assert starts_of_parts(os.fspath(live)) == [0]


def notes_on(path: Path) -> tuple[str, ...]:
    video_pass = VideoPass(os.fspath(path), ClipSpec(2, 32), IndexSettings(), fingerprint="f")
    assert list(video_pass)
    return video_pass.notes


def test_a_picture_without_times_is_shown_after_those_that_follow_it() -> None:
    source: Any = SimpleNamespace(stream=SimpleNamespace(index=0), step=10)
    packet: Any = SimpleNamespace(stream_index=0)
    sound: Any = SimpleNamespace(stream_index=1)
    coming = [(20, 0), (None, None), (30, 30), (40, 40), None, (70, 60), (None, None)]
    packets = [
        (sound, Stamp(5, 5, 1), number) if times is None else (packet, Stamp(*times, 10), number)
        for number, times in enumerate(coming)
    ]
    timed = [(number, stamp.pts) for each, stamp, number in _all_timed(iter(packets), source) if each is packet]
    assert timed == [(0, 20), (1, 50), (2, 30), (3, 40), (5, 70), (6, 80)]


def test_a_plain_video_deserves_no_note() -> None:
    plain = {"jumps": 0, "stated_seconds": 10.0, "seconds": 10.0, "longest_seconds": 3600.0}
    assert length_notes(**plain) == ()
    assert length_notes(**(plain | {"stated_seconds": 0.0})) == ()
    assert length_notes(**(plain | {"stated_seconds": 80.0})) == ()
    assert len(length_notes(**(plain | {"stated_seconds": 80.1}))) == 1
    assert "12 times" in length_notes(**(plain | {"jumps": 12, "stated_seconds": 90.0}))[0]
