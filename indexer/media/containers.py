"""Recognition of video files by extension or, without one, by their first bytes.

This is only a filter: the files that pass are opened by the decoder, which decides. Standard library only.
"""

from __future__ import annotations

import codecs
import os
import re

from files.regular import open_regular

# fmt: off
VIDEO_EXTENSIONS = frozenset((
    "264", "265", "266", "360", "3g2", "3gp", "3gpp", "amv", "apng", "apv", "ari", "arx", "asf", "avc", "avi",
    "avs2", "avs3", "bik", "bk2", "braw", "cavs", "cdxl", "cine", "crm", "dav", "divx", "dmb", "drc", "dv",
    "dvr-ms", "evc", "evo", "f4v", "flc", "fli", "flm", "flv", "gif", "glv", "gxf", "h261", "h263", "h264", "h265",
    "h266", "h26l", "hevc", "ifv", "insv", "ipu", "ism", "ismv", "ivf", "ivr", "kux", "lrv", "lvf", "lxf", "m1v",
    "m2p", "m2t", "m2ts", "m2v", "m4v", "mj2", "mjpeg", "mjpg", "mk3d", "mkv", "mlv", "moflex", "mov", "mp2v",
    "mp4", "mp4v", "mpe", "mpeg", "mpeg4", "mpg", "mpv", "mpv2", "mts", "mvi", "mxf", "mxg", "nev", "nsv", "nut",
    "obu", "ogm", "ogv", "pdv", "pmp", "psp", "pva", "qt", "r3d", "rcv", "rm", "rmvb", "roq", "smk", "thp", "tod",
    "tp", "trp", "ts", "ty", "ty+", "usm", "vc1", "viv", "vob", "vro", "vvc", "webm", "wmv", "wtv", "xmv", "y4m",
    "yop",
))
"""Extensions of videos, in lower case, without the dot: those that FFmpeg's demuxers claim, those of cameras and
recorders that use these containers, and those of raw camera formats, which are refused with their names. Left out are
pictures without a header (yuv, rgb, v210), whose size nobody knows."""

BY_CONTENT_EXTENSIONS = frozenset((
    "avif", "avs", "cin", "dat", "dif", "imx", "mod", "mve", "ogg", "ogx", "ps", "rec", "ser", "str", "vdr",
    "vid", "webp",
))
# fmt: on
"""Extensions that videos share with other files (PostScript, music, still pictures): the first bytes decide."""

_ALSO_SOURCE_CODE = frozenset({"ts", "mts"})  # also TypeScript, which must not be reported as broken videos

HEAD_BYTES = 4096

_STARTS = (
    b"\x1aE\xdf\xa3",  # EBML: Matroska, WebM
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video, a bare sequence
    b"FLV\x01",
    b"0&\xb2u\x8ef\xcf\x11",  # ASF: WMV
    b"\x06\x0e+4\x02\x05\x01\x01\r\x01\x02",  # MXF
    b".RMF",
    b"DKIF",  # IVF
    b"YUV4MPEG2 ",
    b"nut/multimedia container\x00",
    b"\xb7\xd8\x00 7I\xda\x11",  # WTV
    b"LUCAM-RECORDER",  # SER
    b"DHAV",  # DAV
    b"\x00\x00\x00\x00\x01\xbc",  # GXF
    b"\x1f\x07\x00",  # DV
)
_FILES_IN_RIFF = (b"AVI ", b"AVIX", b"CDXA")  # CDXA: video CD
_BOXES = (b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")  # old MP4 or MOV, without a leading ftyp box
_STILL_OR_SOUND = (b"heic", b"heix", b"mif1", b"avif", b"M4A ", b"M4B ", b"M4P ", b"crx ", b"jxl ")  # brands of ftyp
# H.264: sequence parameters, access unit delimiter; HEVC: video parameters, access unit delimiter
_ANNEX_B = re.compile(rb"\x00?\x00\x00\x01(?:[\x27\x47\x67]|[\x09\x29]|\x40\x01|\x46\x01)")
_OGG_VIDEO = (b"theora", b"OVP80", b"BBCD", b"fishead")


def may_be_video(path: str, extensions: frozenset[str] = VIDEO_EXTENSIONS) -> bool:
    """Return whether a file may be a video; its beginning is read only if the name is not conclusive.

    Args:
        path: Path of a regular file.
        extensions: Extensions of videos, in lower case, without the dot.

    Raises:
        OSError: If the file must be read and cannot be.
    """
    extension = extension_of(path)
    if not extension:
        return has_video_signature(read_head(path))
    if extension not in extensions:
        shared = extension in BY_CONTENT_EXTENSIONS and extensions == VIDEO_EXTENSIONS
        return shared and has_video_signature(read_head(path))
    return extension not in _ALSO_SOURCE_CODE or not is_text(read_head(path))


def extension_of(path: str) -> str:
    """Return the extension in lower case, without the dot. A trailing space is ignored: `clip.MP4 ` is `mp4`."""
    return os.path.splitext(path)[1][1:].strip().lower()


def read_head(path: str) -> bytes:
    """Return the first 4 KiB of a file."""
    with open_regular(path) as file:
        return file.read(HEAD_BYTES)


def has_video_signature(head: bytes) -> bool:
    """Return whether these are the first bytes of one of the usual video containers."""
    if head.startswith(_STARTS) or _ANNEX_B.match(head):
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILL_OR_SOUND
    if head.startswith(b"RIFF"):
        return head[8:12] in _FILES_IN_RIFF or is_animated_webp(head)
    if head.startswith(b"OggS"):
        return any(mark in head for mark in _OGG_VIDEO)
    return head[4:8] in _BOXES or _is_transport_stream(head)


def is_animated_webp(head: bytes) -> bool:
    """Return whether these are the first bytes of a WebP file with several pictures."""
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) > 20 and bool(head[20] & 2)


def is_text(head: bytes) -> bool:
    """Return whether these bytes are the beginning of a text in UTF-8; an empty file is not."""
    if not head or b"\x00" in head:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # incremental, because the last character may be cut off
    except UnicodeDecodeError:
        return False
    return True


def _is_transport_stream(head: bytes) -> bool:
    """Look for sync bytes one packet apart: 188 bytes, 192 with a time code (M2TS), 204 with error correction."""
    return not is_text(head) and transport_packets(head) is not None


def transport_packets(content: bytes) -> tuple[int, int] | None:
    """Return the place of the first packet of a transport stream and the distance of packets; None for others."""
    for packet in (188, 192, 204):
        for start in range(packet):
            marks = content[start::packet]
            if len(marks) >= 5 and not marks.strip(b"G"):
                return start, packet
    return None
