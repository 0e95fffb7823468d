"""Files that look like videos and cannot be indexed are refused with the reason: encrypted, raw, lists, no decoder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import av
import pytest
from synthetic import make_video

from app.exporting.ffmpeg_binary import find_ffmpeg
from indexer.media.containers import (
    BY_CONTENT_EXTENSIONS,
    VIDEO_EXTENSIONS,
    has_video_signature,
    is_animated_webp,
    may_be_video,
)
from indexer.media.errors import UnreadableVideo
from indexer.media.mp4_boxes import sample_entries
from indexer.media.probe import open_source
from indexer.media.refusals import is_scrambled, refused, why_not_decoded

ENCRYPTED = ("encrypted", "The video is encrypted (DRM).")


def refusal(path: Path) -> tuple[str, str]:
    with pytest.raises(UnreadableVideo) as caught, open_source(os.fspath(path)):
        pass
    return caught.value.kind, caught.value.reason


def renamed_entry(path: Path, entry: bytes) -> Path:
    """A video whose sample entry claims another format."""
    content = make_video(path).read_bytes()
    at = content.index(b"avc1", content.index(b"stsd"))
    path.write_bytes(content[:at] + entry + content[at + 4 :])
    return path


@pytest.mark.parametrize("scheme", [["+faststart"], ["frag_keyframe+empty_moov"], ["+write_colr"]])
def test_common_encryption_is_told(tmp_path: Path, scheme: list[str]) -> None:
    plain, path = make_video(tmp_path / "plain.mp4"), tmp_path / "encrypted.mp4"
    key = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76" * 16, "-encryption_kid", "a7" * 16]
    subprocess.run(
        [find_ffmpeg(), "-v", "error", "-i", plain, "-c", "copy", *key, "-movflags", *scheme, path], check=True
    )
    assert refusal(path) == ENCRYPTED


def test_fairplay_is_told(tmp_path: Path) -> None:
    assert refusal(renamed_entry(tmp_path / "film.m4v", b"drmi")) == ENCRYPTED


def test_encryption_is_told_where_nothing_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    head = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0\0\x40\0mdat"
    path.write_bytes(head + bytes(9000))
    assert refusal(path)[0] == "broken"
    path.write_bytes(head + bytes(90_000) + b"\0\0\0\x20pssh" + bytes(24))
    assert refusal(path) == ENCRYPTED


def test_encrypted_matroska_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    content = make_video(path, codec="libvpx", container="webm", container_options={"live": "1"}).read_bytes()
    key = b"\x47\xe2\x90" + bytes(range(16))  # ContentEncKeyID
    encryption = element(b"\x50\x35", element(b"\x47\xe1", b"\x05") + key)  # AES
    encoding = element(b"\x62\x40", element(b"\x50\x33", b"\x01") + encryption)
    tracks = content.rindex(b"\x16\x54\xae\x6b")  # the seek head names it first
    track = content.index(b"\xae", tracks + 4)
    length = 9 - content[track + 1].bit_length()
    size = int.from_bytes(content[track + 1 : track + 1 + length], "big") & ((1 << 7 * length) - 1)
    body = content[track + 1 + length : track + 1 + length + size]
    changed = element(b"\x16\x54\xae\x6b", element(b"\xae", body + element(b"\x6d\x80", encoding)))
    path.write_bytes(content[:tracks] + changed + content[track + 1 + length + size :])
    assert refusal(path) == ENCRYPTED
    with av.open(os.fspath(path)) as container:
        assert refused(os.fspath(path), "matroska,webm", container.streams.video[0].metadata) is not None
    path.write_bytes(content[:200] + changed)
    assert refusal(path) == ENCRYPTED, "too little to be opened"


def test_scrambled_broadcasts_and_discs_are_told(tmp_path: Path) -> None:
    broadcast = tmp_path / "a.ts"
    content = bytearray(make_video(broadcast, [("noise", 10)]).read_bytes())
    assert not is_scrambled(content)
    for at in range(0, len(content), 188):
        if int.from_bytes(content[at + 1 : at + 3], "big") & 0x1FFF == 0x100:  # the pictures
            content[at + 3] |= 0x80
    broadcast.write_bytes(content)
    assert refusal(broadcast) == ENCRYPTED
    disc = tmp_path / "a.vob"
    content = bytearray(make_video(disc, [("noise", 50)], codec="mpeg2video", container="vob").read_bytes())
    assert not is_scrambled(content)
    for at in range(2048, len(content), 2048):
        content[at + 20] |= 0x10
    disc.write_bytes(content)
    assert refusal(disc) == ENCRYPTED


def element(name: bytes, content: bytes) -> bytes:
    """An EBML element with a size of 8 bytes."""
    return name + (len(content) | 1 << 56).to_bytes(8, "big") + content


@pytest.mark.parametrize(
    ("name", "content", "camera"),
    [
        ("A001.R3D", b"\0\0\1\0RED1" + bytes(5000), "RED raw (R3D)"),
        ("A001.R3D", b"\0\0\1\0RED2" + bytes(5000), "RED raw (R3D)"),
        ("take.ari", b"ARRI\x12\x34\x56\x78" + bytes(5000), "ARRIRAW"),
        ("take.mxf", b"\x06\x0e\x2b\x34\2\5\1\1\r\1\2" + b"\0A\0R\0R\0I" + bytes(100), "ARRIRAW"),
        ("a.crm", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(5000), "Canon Cinema RAW Light"),
        ("a.nev", b"\1" * 500, "Nikon N-RAW"),
    ],
)
def test_raw_camera_formats_are_named(tmp_path: Path, name: str, content: bytes, camera: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert may_be_video(os.fspath(path)), "a folder of them is not passed over in silence"
    assert refusal(path) == (
        "unsupported",
        f"There is no decoder for {camera}; index a transcode or the camera's proxies.",
    )


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (b"brst", "Blackmagic RAW; index a transcode or the camera's proxies"),
        (b"zzzz", "its video format"),
    ],
)
def test_a_format_without_a_decoder_is_named(tmp_path: Path, entry: bytes, name: str) -> None:
    assert refusal(renamed_entry(tmp_path / "a.mov", entry)) == ("unsupported", f"There is no decoder for {name}.")


def test_the_names_of_codecs_that_not_every_build_decodes(tmp_path: Path) -> None:
    path = os.fspath(renamed_entry(tmp_path / "a.mp4", b"vvc1"))
    assert sample_entries(path) == [b"vvc1"]
    assert why_not_decoded(path) == ("unsupported", "There is no decoder for VVC.")


def test_sample_entries_of_damaged_and_other_files(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", audio_seconds=1)
    assert sample_entries(os.fspath(path)) == [b"avc1", b"mp4a"]
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"stsd") + 6])
    assert sample_entries(os.fspath(path)) == []
    path.write_bytes(b"\0\0\0\1moov" + bytes(8) + content)
    assert sample_entries(os.fspath(path)) == [], "a size of 0 with 64 bits"
    path.write_bytes(b"no boxes")
    assert sample_entries(os.fspath(path)) == []


def test_animated_webp_is_told_and_still_webp_is_no_video(tmp_path: Path) -> None:
    still, moving = tmp_path / "still.webp", tmp_path / "moving.webp"
    head = b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0"
    moving.write_bytes(head + b"\x02" + bytes(40))
    still.write_bytes(head + b"\x10" + bytes(40))
    assert [may_be_video(os.fspath(path)) for path in (still, moving)] == [False, True]
    assert [is_animated_webp(path.read_bytes()) for path in (still, moving)] == [False, True]
    told = refused(os.fspath(moving), "webp_pipe", {})
    assert told == ("unsupported", "Animated WebP cannot be decoded; convert it to GIF or MP4.")
    assert refused(os.fspath(still), "webp_pipe", {}) is None


@pytest.mark.parametrize(
    ("name", "content", "is_video"),
    [
        ("VIDEO.PS", b"\0\0\1\xba\x44" + bytes(50), True),
        ("letter.ps", b"%!PS-Adobe-3.0\n", False),
        ("MOV001.MOD", b"\0\0\1\xba\x44" + bytes(50), True),
        ("song.mod", b"space debris" + bytes(50), False),
        ("AVSEQ01.DAT", b"RIFF\x24\0\0\0CDXAfmt ", True),
        ("cache.dat", bytes(50), False),
        ("movie.ogg", b"OggS\0\2" + bytes(22) + b"\x80theora", True),
        ("song.ogg", b"OggS\0\2" + bytes(22) + b"\1vorbis", False),
        ("moving.avif", b"\0\0\0\x2cftypavis\0\0\0\0avisavif", True),
        ("still.avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", False),
        ("x.yuv", bytes(50), False),
    ],
)
def test_endings_that_other_files_have_too_are_told_by_content(
    tmp_path: Path, name: str, content: bytes, is_video: bool
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert may_be_video(os.fspath(path)) == is_video
    assert has_video_signature(content) == is_video


OTHER_ENDINGS = (
    # sound
    "302 722 aa aa3 aac aax ac3 ac4 acm adp ads adx aea afc aix al ape apc apl aptx aptxhd ast avr bcstm bfstm "
    "binka bit bonk brstm c2 daud dfpwm dss dtk dts dtshd eac3 ec3 fap flac fsb fwse g722 g723_1 g728 g729 "
    "genh gsm hca iamf ircam isma laf lc3 m2a m4a m4b mac mca mka mlp mp2 mp3 mpa mpc msbc msf mtaf musx nist "
    "nsp oma omg osq paf pvf qoa rco rka rsd rso sb sbc sbg sdns sdr2 sds sdx sf shn sln son sph ss2 svag svs "
    "sw tak tco thd tta ub ul uw vag vb vpk vqe vqf vql wa way wsd xmd xvag "
    # text, subtitles
    "adf ans aqt art asc cdg cdata diz ice idf idx mcc mks mpl2 nfo pjs rt sami scc smi stl sub sup txt vt vtt "
    "webvtt "
    # pictures; pictures without a header
    "cgi cif heic heif j2k jxl mods mpo qcif rgb sga v v210 xl yuv yuv10 bmv bitpacked "
)


def test_every_ending_that_ffmpegs_demuxers_claim_is_decided_on() -> None:
    claimed = set()
    for name in av.formats_available:
        try:
            claimed |= av.ContainerFormat(name, "r").extensions
        except ValueError:  # a muxer only
            continue
    others = frozenset(OTHER_ENDINGS.split())
    assert not claimed - VIDEO_EXTENSIONS - BY_CONTENT_EXTENSIONS - others
    assert not VIDEO_EXTENSIONS & BY_CONTENT_EXTENSIONS
    assert not others & (VIDEO_EXTENSIONS | BY_CONTENT_EXTENSIONS)
