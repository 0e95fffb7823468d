"""Proxies of what browsers cannot play: the frames of the source at their times, in a format that all play."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from numbered import Shown, clicks, constant, ffmpeg, shown, write
from page_library import client_of, index, segment_ids, small_library
from starlette.testclient import TestClient
from synthetic import make_video
from test_export_exact import truth

from app.exporting.ffmpeg_binary import find_ffmpeg
from app.web.services import proxies as proxies_module
from app.web.services.proxies import Proxies, proxy_range
from db.library import Library

PAL = Fraction(25)
QUIET = {"x265-params": "log-level=none"}


def source(kind: str, folder: Path) -> Path:
    """A numbered video that no Chromium plays."""
    if kind == "hevc mp4":
        return write(folder / "a.mp4", *constant(75, PAL), codec="libx265", options=QUIET, sound="aac")
    if kind == "hevc 10 bit mkv":
        return write(
            folder / "a.mkv",
            *constant(75, PAL),
            codec="libx265",
            options=QUIET,
            pixels="yuv420p10le",
            sound="pcm_s16le",
        )
    if kind == "prores mov":
        return write(folder / "a.mov", *constant(60, PAL), codec="prores_ks", pixels="yuv422p10le", sound="pcm_s16le")
    if kind == "h264 10 bit":
        return write(folder / "a.mp4", *constant(75, PAL), pixels="yuv420p10le", options={"bf": "2"}, sound="aac")
    if kind == "h264 4:2:2 variable":
        times = [0, 40, 90, 100, 250, 260, 500, *range(540, 2000, 33)]
        return write(folder / "a.mp4", times, Fraction(1, 1000), pixels="yuv422p", sound="aac")
    if kind == "mxf":
        write(folder / "a.mov", *constant(60, PAL), codec="mpeg2video", options={"b": "4M"}, sound="pcm_s16le")
        ffmpeg("-i", str(folder / "a.mov"), "-c", "copy", str(folder / "a.mxf"))
        (folder / "a.mov").unlink()
        return folder / "a.mxf"
    if kind == "mjpeg avi":
        return write(
            folder / "a.avi", *constant(60, PAL), codec="mjpeg", pixels="yuvj420p", options={"b": "3M"},
            sound="pcm_s16le",
        )  # fmt: skip
    if kind == "mpeg4 avi":
        return write(folder / "a.avi", *constant(75, PAL), codec="mpeg4", options={"bf": "2", "b": "2M"})
    if kind == "rgb mov":
        return write(folder / "a.mov", *constant(40, PAL), codec="png", pixels="rgb24")
    raise AssertionError(kind)


KINDS = [
    "hevc mp4", "hevc 10 bit mkv", "prores mov", "h264 10 bit", "h264 4:2:2 variable", "mxf", "mjpeg avi", "mpeg4 avi",
    "rgb mov",
]  # fmt: skip


def library_of(kind: str, root: Path) -> Library:
    folder = root / "videos"
    folder.mkdir(parents=True)
    try:
        source(kind, folder)
    except av.codec.codec.UnknownCodecError as error:
        pytest.skip(f"this PyAV cannot encode that: {error}")
    library = Library.open(root / "library")
    index(library, folder, 1)
    return library


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Proxies]:
    proxies = Proxies(tmp_path / "library" / "proxies")
    yield proxies
    proxies.stop()


def ready(client: TestClient, proxies: Proxies, library: Library, identity: int) -> dict[str, Any]:
    begun = client.post(f"/api/proxy/{identity}")
    assert begun.status_code == 200, begun.text
    ((segment, video),) = library.segments([identity]).values()
    proxies.wait(proxy_range(segment, video), 120)
    told: dict[str, Any] = client.get(f"/api/proxy/{identity}").json()
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_shows_the_frames_of_the_source_at_their_times(kind: str, tmp_path: Path, made: Proxies) -> None:
    library = library_of(kind, tmp_path)
    client, identity, video = client_of(library, made), segment_ids(library)[0], library.videos()[0]
    told = ready(client, made, library, identity)
    assert told["state"] == "ready", told
    assert (told["offset"], told["error"], told["url"]) == (0.0, None, f"/api/proxy/{identity}/file")
    assert told["duration"] == pytest.approx(video.duration_seconds, abs=0.05)
    file = tmp_path / "proxy.mp4"
    file.write_bytes(client.get(told["url"]).content)
    wanted = truth(Path(video.path), kind)
    found = shown(file)
    assert [frame.number for frame in found] == [frame.number for frame in wanted]
    assert [float(frame.seconds) for frame in found] == pytest.approx([float(f.seconds) for f in wanted], abs=2e-3)
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert max(stream.width, stream.height) <= 960
        keys = [packet.pts for packet in container.demux(stream) if packet.size and packet.is_keyframe]
        assert len(keys) >= len(found) / 12
        if video.has_audio:
            assert container.streams.audio[0].codec_context.name == "aac"
    content = file.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    if video.has_audio:
        flashes = [float(frame.seconds) for frame in found if frame.flash][1:]
        heard = clicks(file)
        for flash in flashes:
            assert min(abs(flash - click) for click in heard) < 0.01
    part = client.get(told["url"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")


@pytest.mark.parametrize("container", ["mkv", "ts"])
def test_a_proxy_of_the_middle_says_where_it_begins(container: str, tmp_path: Path, made: Proxies) -> None:
    """40 s, and a segment from 20 to 22 s: the proxy has what lies within 10 s of it, to the frame."""
    folder = tmp_path / "videos"
    folder.mkdir()
    write(folder / f"a.{container}", *constant(1000, PAL), codec="mpeg2video", options={"b": "1M", "bf": "2"}, gop=15)
    library = Library.open(tmp_path / "library")
    index(library, folder, 1)
    video = library.videos()[0]
    frames = shown(Path(video.path))
    from db.records import Segment

    at = round(20 / video.time_base)
    segment = Segment(
        number=0,
        shot_number=0,
        start_pts=video.start_pts + at,
        end_pts=video.start_pts + at + round(2 / video.time_base),
    )
    wanted = proxy_range(segment, video)
    made.request(wanted)
    state = made.wait(wanted, 120)
    assert (state.state, state.offset, state.duration) == ("ready", 10.0, 22.0)
    found: list[Shown] = shown(made.file(wanted))
    wanted = [frame for frame in frames if 10 <= frame.seconds < 32]
    assert [frame.number for frame in found] == [frame.number for frame in wanted]


def test_large_wide_and_turned_pictures_are_made_small_and_square(tmp_path: Path, made: Proxies) -> None:
    how = {"shots": [("halves", 12)], "codec": "mpeg4", "options": {"b": "2M"}}
    library = small_library(
        tmp_path,
        {
            "wide.avi": {**how, "size": (1440, 480)},
            "narrow.avi": {**how, "size": (720, 576), "sample_aspect": Fraction(64, 45)},
            "turned.mp4": {**how, "size": (1280, 720), "rotation": 90},
            "odd.avi": {**how, "size": (102, 58)},
        },
    )
    client, sizes = client_of(library, made), {}
    for identity in segment_ids(library):
        told = ready(client, made, library, identity)
        assert told["state"] == "ready", told
        file = tmp_path / "proxy.mp4"
        file.write_bytes(client.get(told["url"]).content)
        ((_, video),) = library.segments([identity]).values()
        with av.open(str(file)) as opened:
            stream = opened.streams.video[0]
            sizes[Path(video.path).name] = (stream.width, stream.height)
            assert stream.sample_aspect_ratio in (None, 0, 1)
    assert sizes == {"wide.avi": (960, 320), "narrow.avi": (960, 540), "turned.mp4": (540, 960), "odd.avi": (102, 58)}


def test_interlaced_pictures_lose_no_frame(tmp_path: Path, made: Proxies) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    write(tmp_path / "plain.mov", *constant(60, PAL), codec="mpeg2video", options={"b": "4M"})
    ffmpeg("-i", str(tmp_path / "plain.mov"), "-c:v", "mpeg2video", "-b:v", "4M", "-flags", "+ildct+ilme",
           "-vf", "setfield=tff", str(folder / "a.mxf"))  # fmt: skip
    library = Library.open(tmp_path / "library")
    index(library, folder, 1)
    client, identity = client_of(library, made), segment_ids(library)[0]
    told = ready(client, made, library, identity)
    file = tmp_path / "proxy.mp4"
    file.write_bytes(client.get(told["url"]).content)
    with av.open(str(file)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([number / 25 for number in range(60)], abs=1e-3)


def test_a_proxy_is_made_once_and_kept(tmp_path: Path, made: Proxies, monkeypatch: pytest.MonkeyPatch) -> None:
    library = library_of("mpeg4 avi", tmp_path)
    client, identity = client_of(library, made), segment_ids(library)[0]
    assert client.get(f"/api/proxy/{identity}").json()["state"] == "none"
    assert client.get(f"/api/proxy/{identity}/file").status_code == 404
    assert ready(client, made, library, identity)["state"] == "ready"
    monkeypatch.setattr(proxies_module, "make_proxy", lambda *_, **__: pytest.fail("must not be made again"))
    assert client.post(f"/api/proxy/{identity}").json()["state"] == "ready"
    other = client_of(library, Proxies(tmp_path / "library" / "proxies"))
    assert other.post(f"/api/proxy/{identity}").json()["state"] == "ready", "also after a restart"
    Path(library.videos()[0].path).unlink()
    assert other.post(f"/api/proxy/{identity}").json()["state"] == "ready", "also without its drive"
    assert sorted(path.suffix for path in made.directory.iterdir()) == [".json", ".mp4"]


def test_the_file_of_a_proxy_stays_the_same_for_the_browser(tmp_path: Path, made: Proxies) -> None:
    library = library_of("mpeg4 avi", tmp_path)
    client, identity = client_of(library, made), segment_ids(library)[0]
    address = ready(client, made, library, identity)["url"]
    tags = {client.get(address, headers={"Range": f"bytes={at}-"}).headers["etag"] for at in (0, 10, 20)}
    assert len(tags) == 1


def test_those_used_longest_ago_go_first(tmp_path: Path) -> None:
    how = {"codec": "mpeg4", "options": {"b": "2M"}, "size": (160, 120)}
    library = small_library(
        tmp_path, {f"{name}.avi": {**how, "shots": [("noise", 20 + number)]} for number, name in enumerate("abc")}
    )
    first, second, third = segment_ids(library)
    probe = Proxies(tmp_path / "probe")
    client = client_of(library, probe)
    ready(client, probe, library, first)
    size = sum(path.stat().st_size for path in probe.directory.glob("*.mp4"))
    probe.stop()
    proxies = Proxies(tmp_path / "library" / "proxies", limit_bytes=round(2.5 * size))
    client = client_of(library, proxies)
    for identity in (first, second):
        assert ready(client, proxies, library, identity)["state"] == "ready"
    assert client.get(f"/api/proxy/{first}/file").status_code == 200  # used: now the second one is the oldest
    assert ready(client, proxies, library, third)["state"] == "ready"
    states = [client.get(f"/api/proxy/{identity}").json()["state"] for identity in (first, second, third)]
    proxies.stop()
    assert states == ["ready", "none", "ready"]
    assert len(list(proxies.directory.iterdir())) == 4


def test_what_failed_says_why_and_may_be_tried_again(tmp_path: Path) -> None:
    library = library_of("mpeg4 avi", tmp_path)
    now = [0.0]
    broken = Proxies(tmp_path / "p", ffmpeg=shutil.which("false"), now=lambda: now[0])
    client, identity = client_of(library, broken), segment_ids(library)[0]
    told = ready(client, broken, library, identity)
    assert told["state"] == "failed"
    assert "ffmpeg" in told["error"]
    assert client.post(f"/api/proxy/{identity}").json()["state"] == "failed", "not tried again and again"
    now[0] = 1000.0
    assert client.get(f"/api/proxy/{identity}").json()["state"] == "none"
    assert client.post(f"/api/proxy/{identity}").json()["state"] == "making"
    broken.stop()
    missing = Proxies(tmp_path / "p", ffmpeg="/no/such/ffmpeg")
    told = ready(client_of(library, missing), missing, library, identity)
    missing.stop()
    assert (told["state"], "not a program" in told["error"]) == ("failed", True)
    assert list((tmp_path / "p").iterdir()) == []


def test_files_that_are_gone_or_changed_are_said_at_once(tmp_path: Path, made: Proxies) -> None:
    library = library_of("mpeg4 avi", tmp_path)
    client, identity = client_of(library, made), segment_ids(library)[0]
    path = Path(library.videos()[0].path)
    path.rename(path.with_suffix(".away"))
    gone = client.post(f"/api/proxy/{identity}")
    assert (gone.status_code, "drive" in gone.json()["error"]) == (404, True)
    path.write_bytes(b"something else")
    assert client.post(f"/api/proxy/{identity}").status_code == 409
    assert client.post("/api/proxy/4711").status_code == 404
    assert client.get("/api/proxy/4711/file").status_code == 404


def test_the_small_copy_of_a_camera_is_the_proxy(tmp_path: Path, made: Proxies) -> None:
    shots = [("red", 20), ("blue", 20)]
    library = small_library(tmp_path, {"C0001.mp4": {"shots": shots, "size": (128, 96)}})
    client, identity = client_of(library, made), segment_ids(library)[0]
    copy = tmp_path / "videos" / "C0001S03.MP4"
    make_video(copy, shots, size=(32, 24), container="mp4")
    told = client.post(f"/api/proxy/{identity}").json()
    assert (told["state"], told["offset"], told["duration"]) == ("ready", 0, pytest.approx(1.6))
    assert client.get(told["url"]).content == copy.read_bytes()
    copy.rename(tmp_path / "elsewhere.mp4")
    copy.symlink_to(tmp_path / "elsewhere.mp4")
    assert client.get(told["url"]).status_code == 404, "a link may lead anywhere"
    assert client.post(f"/api/proxy/{identity}").json()["state"] == "making"


def slow_ffmpeg(folder: Path) -> str:
    """An ffmpeg that writes a little, says so, and then goes on forever."""
    program = folder / "slow-ffmpeg"
    program.write_text(
        '#!/bin/sh\nfor word; do case "$word" in file:*proxies*) echo begun > "${word#file:}";; esac; done\n'
        "echo out_time_us=500000\n"
        f"echo $$ > {folder / 'pid'}\nexec sleep 600\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def wait_for(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("this should have come true by now")


def test_stopping_the_server_ends_ffmpeg_and_leaves_nothing(tmp_path: Path) -> None:
    library = library_of("mpeg4 avi", tmp_path)
    proxies = Proxies(tmp_path / "p", ffmpeg=slow_ffmpeg(tmp_path))
    client, identity = client_of(library, proxies), segment_ids(library)[0]
    assert client.post(f"/api/proxy/{identity}").json()["state"] == "making"
    wait_for(lambda: client.get(f"/api/proxy/{identity}").json()["progress"] > 0)
    assert client.get(f"/api/proxy/{identity}").json()["progress"] == pytest.approx(0.5 / 3, abs=0.01)
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 0)
    proxies.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list((tmp_path / "p").iterdir()) == []
    assert client.post(f"/api/proxy/{identity}").json()["state"] == "none", "a server that ends begins nothing"


def test_one_that_stands_still_is_given_up(tmp_path: Path) -> None:
    from app.exporting.ffmpeg_binary import ExportError
    from app.web.services.proxy_making import make_proxy

    library = library_of("mpeg4 avi", tmp_path)
    with pytest.raises(ExportError, match="drive"):
        make_proxy(
            slow_ffmpeg(tmp_path), library.videos()[0].path, Fraction(0), Fraction(1), tmp_path / "t.mp4",
            progress=lambda _: None, cancelled=lambda: False, stalled_seconds=0.3,
        )  # fmt: skip
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_drafts_of_a_killed_server_are_swept_and_half_told_ones_are_made_again(tmp_path: Path, made: Proxies) -> None:
    library = library_of("mpeg4 avi", tmp_path)
    made.directory.mkdir()
    old, young = made.directory / ".draft-old.mp4", made.directory / ".draft-young.mp4"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    ((segment, video),) = library.segments(segment_ids(library)[:1]).values()
    wanted = proxy_range(segment, video)
    for content in ("{", "[]", json.dumps({"offset": "x", "duration": None})):
        (made.directory / f"{wanted.key}.json").write_text(content)
        assert made.state(wanted).state == "none"
    (made.directory / f"{wanted.key}.mp4").write_bytes(b"")
    made.request(wanted)
    assert made.wait(wanted, 120).state == "ready"
    assert not old.exists()
    assert young.exists()


def test_a_proxy_that_is_a_link_is_not_followed_outside(tmp_path: Path, made: Proxies) -> None:
    library = library_of("mpeg4 avi", tmp_path)
    client, identity = client_of(library, made), segment_ids(library)[0]
    address = ready(client, made, library, identity)["url"]
    ((segment, video),) = library.segments([identity]).values()
    file = made.file(proxy_range(segment, video))
    file.unlink()
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    file.symlink_to(secret)
    assert client.get(address).status_code == 404


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """As ffmpeg says it, when it cannot write."""
    library = library_of("mpeg4 avi", tmp_path)
    program = tmp_path / "full-ffmpeg"
    program.write_text("#!/bin/sh\necho 'av_interleaved_write_frame(): No space left on device' >&2\nexit 228\n")
    program.chmod(0o755)
    proxies = Proxies(tmp_path / "p", ffmpeg=str(program))
    told = ready(client_of(library, proxies), proxies, library, segment_ids(library)[0])
    proxies.stop()
    assert (told["state"], "full" in told["error"]) == ("failed", True)
    assert find_ffmpeg(None)
