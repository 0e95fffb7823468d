"""Opening of media: whatever a file says, no other file is opened, nothing is waited for, and no network is reached."""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import ffmpeg
import pytest
from PIL import Image
from synthetic import make_video

from app.exporting.ffmpeg_binary import ExportError, find_ffmpeg, run_ffmpeg
from app.exporting.graph import SOURCE, compile_graph
from app.exporting.survey import survey_range
from files.regular import NotRegularFile, open_regular
from indexer.fingerprint import fingerprint
from indexer.media.errors import UnreadableVideo
from indexer.media.formats import MEDIA_FORMATS
from indexer.media.lists import is_list
from indexer.media.probe import open_source
from indexer.media.still import read_picture

pytestmark = pytest.mark.skipif(os.name == "nt", reason="named pipes")

ROOT = Path(__file__).resolve().parent.parent
LIST = "The file is a list of other files, not a video."
LISTS = {
    "concat": "ffconcat version 1.0\nfile {}\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n{}\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
    ' profiles="urn:mpeg:dash:profile:isoff-live:2011"><Period><BaseURL>{}</BaseURL></Period></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={}\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "imf": '<?xml version="1.0"?><cpl:CompositionPlaylist xmlns:cpl="x"><Id>{}</Id></cpl:CompositionPlaylist>',
    "asset map": "<AssetMap xmlns='x'><Path>{}</Path></AssetMap>",
    "smooth streaming": "<SmoothStreamingMedia MajorVersion='2'><c n='{}'/></SmoothStreamingMedia>",
    "ism": "<?xml version='1.0'?><smil><video src='{}'/></smil>",
    "asx": "<ASX version='3.0'><entry><ref href='{}'/></entry></ASX>",
    "windows media": "[Reference]\nRef1={}\n",
    "pls": "[playlist]\nFile1={}\n",
    "xspf": "<playlist version='1'><location>{}</location></playlist>",
    "quicktime": "RTSPtextRTSP://{}\n",
    "vobsub": "# VobSub index file, v7\n\nid: en, index: 0\ntimestamp: 00:00:01:000, filepos: 0\n# {}",
    "concatf": "file {}\n",
    "addresses": "# mine\n{}\n",
}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableVideo) as caught, open_source(os.fspath(path)):
        pass
    assert caught.value.kind == "not_video"
    return caught.value.reason


def nobody_came(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_refused_by_its_first_bytes_and_reaches_nothing(
    name: str, tmp_path: Path, listener: socket.socket
) -> None:
    os.mkfifo(tmp_path / "cc.sub")  # FFmpeg opens it beside a VobSub index called cc.mp4
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / "cc.mp4"
    for target in ("pipe", f"http://127.0.0.1:{listener.getsockname()[1]}/x.ts"):
        if name == "addresses" and target == "pipe":
            continue
        path.write_text(LISTS[name].format(target))
        assert refusal(path) == LIST
    assert nobody_came(listener)


@pytest.mark.parametrize("name", LISTS)
def test_neither_marks_of_encoding_nor_comments_nor_a_zero_hide_a_list(name: str) -> None:
    text = LISTS[name].format("http://example.org/é")
    for head in (
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        text.encode("latin-1"),
        b"\n \r\n\t" + text.encode(),
        b"# a comment\n" * 3000 + text.encode(),
        text.replace("\n", "\r\n").encode(),
        text.encode() + b"\0\1\2",
    ):
        assert is_list(head), head[:40]


def test_videos_and_other_texts_are_no_lists(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv", "a.avi", "a.ts"):
        assert not is_list(make_video(tmp_path / name, codec="mpeg4").read_bytes()[:65536])
    for head in (b"", b"\0", b"YUV4MPEG2 W64 H64 F25:1\nFRAME\n", b"1\n00:00:01,000 --> 00:00:02,000\nhttp://a.b\n"):
        assert not is_list(head)


def test_ffmpeg_itself_is_told_to_open_nothing_else(tmp_path: Path, listener: socket.socket) -> None:
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / "cc.mp4"
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.ts"
    for name, target in (("concat", "pipe"), ("hls", address), ("dash", address)):
        path.write_text(LISTS[name].format(target))
        graph = ffmpeg.output(ffmpeg.input(SOURCE), "-", f="null")
        words = compile_graph([find_ffmpeg(), "-nostdin", "-v", "error"], graph, {SOURCE: path})
        with pytest.raises(ExportError):
            run_ffmpeg(words)
    assert nobody_came(listener)


def test_a_movie_that_refers_to_another_file_is_not_followed(tmp_path: Path) -> None:
    """A data reference of QuickTime, which FFmpeg follows if asked to."""
    other = make_video(tmp_path / "other.mov", [("red", 5)])
    path = make_video(tmp_path / "v.mov", [("red", 5)])
    where = os.fsencode(other)
    alias = bytes(10) + bytes(28) + bytes(12) + bytes(64) + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(where)) + where + bytes(len(where) % 2) + struct.pack(">HH", 0xFFFF, 0)
    reference = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    content = path.read_bytes()
    own = struct.pack(">I4sI", 12, b"url ", 1)
    at = content.index(own)
    moov = content.index(b"moov") - 4
    assert moov < at, "the index is the last box, so that no place of a frame moves"
    grown = bytearray(content.replace(own, reference))
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = grown.index(name, moov) - 4
        size = int.from_bytes(grown[place : place + 4], "big") + len(reference) - len(own)
        grown[place : place + 4] = size.to_bytes(4, "big")
    path.write_bytes(grown)
    with pytest.raises(UnreadableVideo):
        survey_range(os.fspath(path), Fraction(0), Fraction(1))


def test_a_recording_in_parts_of_which_one_is_a_pipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mlv"
    path.write_bytes(b"MLVI" + struct.pack("<I", 52) + b"v2.0".ljust(8, b"\0") + bytes(36))
    os.mkfifo(tmp_path / "a.m00")
    assert refusal(path) == "A part of this recording is not a regular file."


def test_pipes_devices_and_folders_are_never_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        for read in (open_regular, fingerprint):
            with pytest.raises(NotRegularFile) as refused:
                read(path)
            assert refused.value.strerror, "commands show it beside the name"
            assert refused.value.filename == os.fspath(path)
        with pytest.raises(UnreadableVideo):
            read_picture(os.fspath(path))
        assert refusal(path).startswith("This is ")
    with pytest.raises(OSError, match="Too many levels"):
        open_regular(link(tmp_path), follow_links=False)


def link(folder: Path) -> Path:
    path = folder / "link"
    path.symlink_to(folder / "pipe.mp4")
    return path


def test_a_picture_starts_no_program(tmp_path: Path) -> None:
    """Pillow would hand PostScript to Ghostscript."""
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path, "EPS")
    assert read_picture(os.fspath(path)) is None


def test_no_format_that_opens_other_files_is_allowed() -> None:
    allowed = set(MEDIA_FORMATS.split(","))
    assert not allowed & {
        "concat", "dash", "hls", "imf", "sdp", "rtsp", "rtp", "sap", "vobsub", "image2", "image2pipe", "lavfi", "tty",
        "avisynth", "vapoursynth", "dvdvideo", "webm_dash_manifest", "ffmetadata", "svg_pipe", "data", "x11grab",
    }  # fmt: skip
    assert {"mov", "matroska", "avi", "mpegts", "mpeg", "mxf", "png_pipe", "wav"} <= allowed


def test_media_are_opened_in_one_place() -> None:
    """PyAV's open, Pillow's open and ffmpeg's -i each stand in one module of the rooms."""
    places = {
        r"\bav\.open\(": "indexer/media/opening.py",
        r"\bImage\.open\(": "indexer/media/still.py",
        r"\"-i\"": "app/exporting/graph.py",
        r"\bffmpeg\.(?:compile|run|run_async)\(": "app/exporting/graph.py",
    }
    for pattern, place in places.items():
        found = {
            path.relative_to(ROOT).as_posix()
            for room in ("app", "indexer", "search", "training", "encoder", "recognition", "db", "files", "metrics")
            for path in (ROOT / room).rglob("*.py")
            if re.search(pattern, path.read_text("utf-8"))
        }
        assert found == {place}, pattern
    for path in (ROOT / "app").rglob("*.py"):
        assert not re.search(r"VideoCapture|imread", path.read_text("utf-8"))
