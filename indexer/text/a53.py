"""Closed captions inside the packets of a video (ATSC A/53), found without decoding it."""

from __future__ import annotations

from collections.abc import Iterator

CAPTIONED_CODECS = frozenset(("h264", "hevc", "mpeg2video", "av1"))
_MARK = b"GA94\x03"  # the ATSC's identifier, and the type of user data that holds captions
_MOST_TRIPLES = 31
_ESCAPED = frozenset(("h264", "hevc"))  # they write 00 00 03 for 00 00 where it could be taken for a start code
_PROCESS = 0x40
_VALID = 0x04
_DIGITAL = 2  # this and the next kind hold CEA-708; 0 and 1 are the two fields of CEA-608

Pair = tuple[int, int, int]
"""Field, 0 or 1, and two bytes of CEA-608 with their parity."""


def has_captions(packet: bytes) -> bool:
    """Return whether a packet has a place for captions, filled or not."""
    return _MARK in packet


def caption_pairs(packet: bytes, codec: str) -> tuple[list[Pair], bool]:
    """Return the pairs of bytes of CEA-608 in a packet, without filling, and whether it holds CEA-708.

    Args:
        packet: A packet of one frame.
        codec: FFmpeg's name, one of CAPTIONED_CODECS.
    """
    pairs: list[Pair] = []
    is_digital = False
    at = packet.find(_MARK)
    while at >= 0:
        at += len(_MARK)
        data = packet[at : at + 2 + 5 * _MOST_TRIPLES]
        if codec in _ESCAPED:
            data = data.replace(b"\x00\x00\x03", b"\x00\x00")
        for kind, first, second in _triples(data):
            if kind >= _DIGITAL:
                is_digital = True
            elif first & 0x7F or second & 0x7F:
                pairs.append((kind, first, second))
        at = packet.find(_MARK, at)
    return pairs, is_digital


def _triples(data: bytes) -> Iterator[tuple[int, int, int]]:
    if len(data) < 2 or not data[0] & _PROCESS:
        return
    for number in range(data[0] & 0x1F):
        triple = data[2 + 3 * number : 5 + 3 * number]
        if len(triple) == 3 and triple[0] & _VALID:
            yield triple[0] & 3, triple[1], triple[2]
