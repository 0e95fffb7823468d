"""Reasons why a file cannot be indexed that may look like a video: encryption, raw camera formats.

Nothing is decoded; only heads of files and headers of boxes are read. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from files.regular import open_regular
from indexer.media.containers import (
    extension_of,
    has_video_signature,
    is_animated_webp,
    read_head,
    transport_packets,
)
from indexer.media.errors import UnreadableKind
from indexer.media.mp4_boxes import sample_entries

Refusal = tuple[UnreadableKind, str]
"""The kind of an UnreadableVideo, and its reason."""

NO_DECODER: Refusal = ("unsupported", "There is no decoder for its video format.")
ENCRYPTED: Refusal = ("encrypted", "The video is encrypted (DRM).")

_ENCRYPTED_ENTRIES = frozenset((b"encv", b"drmi"))  # Common Encryption, FairPlay
_ENCRYPTED_MARKS = (*_ENCRYPTED_ENTRIES, b"pssh")
_EBML_ENCRYPTION = re.compile(rb"\x6d\x80.{1,64}?\x50\x35", re.DOTALL)  # ContentEncodings, ContentEncryption
_LOOKED_THROUGH_BYTES = 1 << 16  # at either end of a file
_PACK_BYTES = 2048  # of program streams on discs
_SCRAMBLED_STREAMS = frozenset((0xBD, *range(0xC0, 0xF0)))  # sound and pictures
_FEW_PACKETS = 8
_CAMERA_RAW = MappingProxyType(
    {
        "r3d": "RED raw (R3D)",
        "braw": "Blackmagic RAW",
        "ari": "ARRIRAW",
        "arx": "ARRIRAW",
        "crm": "Canon Cinema RAW Light",
        "nev": "Nikon N-RAW",
    }
)
_CAMERA_HEADS = (
    (4, b"RED1", "r3d"),
    (4, b"RED2", "r3d"),
    (0, b"ARRI", "ari"),
    (4, b"ftypbraw", "braw"),
    (4, b"ftypcrx ", "crm"),
)
_ARRI_IN_MXF = "ARRI".encode("utf-16-be")
_ENTRY_NAMES = MappingProxyType(
    {
        **dict.fromkeys((b"brst", b"brvn", b"brs2", b"brxq", b"brhq", b"brlt", b"brvl"), "Blackmagic RAW"),
        b"CRAW": "Canon Cinema RAW Light",
        **dict.fromkeys((b"vvc1", b"vvi1"), "VVC"),
        b"evc1": "EVC",
        b"apv1": "APV",
    }
)


def why_not_opened(path: str) -> Refusal:
    """Return why no demuxer accepts a file. Raises OSError if it cannot be read."""
    head = read_head(path)
    if not head.strip(b"\0"):
        return "broken", "The file begins with nothing but zeros; the download or copy was not finished."
    camera = _camera_raw(path, head)
    if camera:
        return _no_decoder(camera)
    if _seems_encrypted(path, head):
        return ENCRYPTED
    if has_video_signature(head):
        return "broken", (
            "The video cannot be opened: its index is missing or damaged, perhaps a recording or copy that was "
            "not finished."
        )
    return "not_video", "Not a video file."


def why_not_decoded(path: str) -> Refusal:
    """Return why there is no decoder for the pictures of a file. Raises OSError if it cannot be read."""
    names = [_ENTRY_NAMES[entry] for entry in sample_entries(path) if entry in _ENTRY_NAMES]
    return _no_decoder(names[0] if names else _camera_raw(path, read_head(path)))


def refused(path: str, format_name: str, tags: Mapping[str, str]) -> Refusal | None:
    """Return why a file that FFmpeg opens is refused nevertheless; None if it is not. Raises OSError.

    Args:
        path: The file.
        format_name: FFmpeg's name of its container.
        tags: Metadata of its video stream.
    """
    if format_name == "r3d":  # FFmpeg's decoder does not know what RED made of JPEG 2000
        return _no_decoder(_CAMERA_RAW["r3d"])
    if "enc_key_id" in tags:  # Matroska
        return ENCRYPTED
    if "mp4" in format_name and not _ENCRYPTED_ENTRIES.isdisjoint(sample_entries(path)):
        return ENCRYPTED
    if format_name in ("mpegts", "mpeg") and is_scrambled(_begin(path)):
        return ENCRYPTED
    if format_name == "webp_pipe" and is_animated_webp(read_head(path)):
        return "unsupported", "Animated WebP cannot be decoded; convert it to GIF or MP4."
    return None


def is_scrambled(content: bytes) -> bool:
    """Return whether most packets at the beginning of a transport or program stream are marked as scrambled."""
    if content.startswith(b"\x00\x00\x01\xba"):  # a disc: packs of one packet each, whose header has two bits for it
        packs = [content[at : at + 21] for at in range(0, len(content) - 20, _PACK_BYTES)]
        marks = [pack[20] & 0x30 for pack in packs if pack[14:17] == b"\x00\x00\x01" and pack[17] in _SCRAMBLED_STREAMS]
    else:
        found = transport_packets(content)
        marks = [] if found is None else [flags & 0xC0 for flags in content[found[0] + 3 :: found[1]]]
    return 2 * sum(map(bool, marks)) > len(marks) > _FEW_PACKETS


def _no_decoder(name: str) -> Refusal:
    if name in _CAMERA_RAW.values():
        return "unsupported", f"There is no decoder for {name}; index a transcode or the camera's proxies."
    return ("unsupported", f"There is no decoder for {name}.") if name else NO_DECODER


def _camera_raw(path: str, head: bytes) -> str:
    """Return the name of the raw camera format that a file has by its first bytes or its extension; "" for others."""
    for offset, magic, extension in _CAMERA_HEADS:
        if head[offset : offset + len(magic)] == magic:
            return _CAMERA_RAW[extension]
    if head.startswith(b"\x06\x0e\x2b\x34") and _ARRI_IN_MXF in _ends(path):
        return _CAMERA_RAW["ari"]
    return _CAMERA_RAW.get(extension_of(path), "")


def _seems_encrypted(path: str, head: bytes) -> bool:
    if head[4:8] in (b"ftyp", b"moov", b"styp", b"free", b"mdat", b"wide"):
        content = _ends(path)
        return any(mark in content for mark in _ENCRYPTED_MARKS)
    return head.startswith(b"\x1a\x45\xdf\xa3") and _EBML_ENCRYPTION.search(_ends(path)) is not None


def _begin(path: str) -> bytes:
    with open_regular(path) as file:
        return file.read(_LOOKED_THROUGH_BYTES)


def _ends(path: str) -> bytes:
    """Return the beginning and the end of a file."""
    with open_regular(path) as file:
        begin = file.read(_LOOKED_THROUGH_BYTES)
        size = file.seek(0, 2)
        file.seek(max(len(begin), size - _LOOKED_THROUGH_BYTES))
        return begin + file.read()
