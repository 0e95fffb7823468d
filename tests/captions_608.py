"""Closed captions written for tests: text to pairs of CEA-608, and pairs into the packets of a video."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import av
from av.packet import Packet

Pair = tuple[int, int]

LOAD, SHOW, ERASE, RETURN, ROLL_2, TEXT, DIRECT, BACKSPACE = 0x20, 0x2F, 0x2C, 0x2D, 0x25, 0x2A, 0x29, 0x21
ROW_15 = (0x14, 0x70)  # column 0
ROW_14 = (0x14, 0x50)


def odd(code: int) -> int:
    """A byte with odd parity."""
    return code | 0x80 if code.bit_count() % 2 == 0 else code


def code(first: int, second: int, channel: int = 0, *, twice: bool = True) -> list[Pair]:
    pair = odd(first | channel << 3), odd(second)
    return [pair, pair] if twice else [pair]


def command(second: int, channel: int = 0) -> list[Pair]:
    return code(0x14, second, channel)


def characters(text: str) -> list[Pair]:
    codes = [odd(ord(each)) for each in text] + [0x80] * (len(text) % 2)
    return list(zip(codes[::2], codes[1::2], strict=True))


def pop_on(text: str, channel: int = 0) -> list[Pair]:
    """The pairs that load one row and show it with the last pair but one."""
    return [*command(LOAD, channel), *code(*ROW_15, channel), *characters(text), *command(SHOW, channel)]


def user_data(pairs: Sequence[tuple[int, Pair]], *, digital: bool = False) -> bytes:
    """What A/53 puts into a frame: triples of pairs with their fields, and filling."""
    triples = [(0xF8, 0, 0), (0, 0, 0)]  # filling, in which H.264 has to escape zeros
    triples += [(0xFC | field, *pair) for field, pair in pairs]
    triples += [(0xFE, 0x12, 0x34), (0xFF, 0x02, 0x21)] if digital else []
    triples += [(0xFA, 0, 0)]
    body = bytes(each for triple in triples for each in triple)
    return b"GA94\x03" + bytes((0x40 | len(triples), 0xFF)) + body + b"\xff"


def escaped(data: bytes) -> bytes:
    """The bytes of a unit of H.264, in which no start code may occur."""
    made = bytearray()
    for each in data:
        if made[-2:] == b"\0\0" and each <= 3:
            made.append(3)
        made.append(each)
    return bytes(made)


def message(data: bytes) -> bytes:
    """A unit of H.264 with user data, with its length in front as in MP4."""
    payload = b"\xb5\x00\x31" + data
    unit = b"\x06" + escaped(bytes((4, len(payload))) + payload + b"\x80")
    return len(unit).to_bytes(4, "big") + unit


def with_captions(source: Path, target: Path, frames: Mapping[int, bytes]) -> Path:
    """Copy a video and put user data into its frames, which are numbered in the order in which they are shown."""
    with av.open(os.fspath(source)) as old, av.open(os.fspath(target), "w") as new:
        stream = old.streams.video[0]
        packets = [packet for packet in old.demux(stream) if packet.size]
        copy: Any = new.add_stream_from_template(stream)
        is_mpeg = stream.codec_context.name == "mpeg2video"
        order = sorted(packets, key=lambda packet: packet.pts or 0)
        for packet in packets:
            data = frames.get(order.index(packet), user_data([]))
            content = bytes(packet)
            if is_mpeg:
                slice_at = content.index(b"\0\0\1\1")
                content = content[:slice_at] + b"\0\0\1\xb2" + data + content[slice_at:]
            else:
                content = message(data) + content
            made = Packet(content)
            made.pts, made.dts, made.time_base, made.duration = (
                packet.pts,
                packet.dts,
                packet.time_base,
                packet.duration,
            )
            made.is_keyframe, made.stream = packet.is_keyframe, copy
            new.mux(made)
    return target
