"""H.264 of which every field is coded as a picture of its own (PAFF), as by camcorders. No encoder at hand does it.

The pictures are not compressed at all: slices of I_PCM macroblocks.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from interlaced import SIZE, Order, moments
from numpy.typing import NDArray

GROUP = 8
"""Frames from one IDR to the next."""


class _Bits:
    def __init__(self) -> None:
        self._bits: list[str] = []
        self._count = 0

    def add(self, *values: tuple[int, int]) -> _Bits:
        """Add numbers, (value, bits) each; 0 bits: as ue(v)."""
        for value, width in values:
            code = f"{value:0{width}b}" if width else f"{value + 1:b}"
            self._append(code if width else "0" * (len(code) - 1) + code)
        return self

    def add_bytes(self, content: bytes) -> None:
        self._append("0" * (-self._count % 8))
        self._append("".join(f"{byte:08b}" for byte in content))

    def unit(self, head: int) -> bytes:
        """A NAL unit with start code and emulation prevention."""
        self._append("1")
        self._append("0" * (-self._count % 8))
        content = int("".join(self._bits), 2).to_bytes(self._count // 8, "big")
        return b"\0\0\0\1" + bytes([head]) + re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", content)

    def _append(self, bits: str) -> None:
        self._bits.append(bits)
        self._count += len(bits)


def write_field_coded(path: Path, *, order: Order = "tff", frames: int = 30) -> Path:
    """The video of `interlaced.write_interlaced`, grey, without loss; 25 frames a second, in packets of two fields."""
    width, height = SIZE
    pictures = moments(2 * frames)[..., 0]
    sequence = _Bits().add((77, 8), (0, 8), (30, 8), (0, 0), (0, 0), (0, 0), (0, 0), (1, 0), (0, 1))
    sequence.add((width // 16 - 1, 0), (height // 32 - 1, 0), (0, 1), (0, 1), (1, 1), (0, 1))
    sequence.add((1, 1), (0, 4), (1, 1), (1, 32), (50, 32), (1, 1), (0, 4))  # VUI: 50 fields a second
    picture = _Bits().add(
        (0, 0), (0, 0), (0, 2), (0, 0), (0, 0), (0, 0), (0, 3), (0, 0), (0, 0), (0, 0), (1, 1), (0, 2)
    )
    sets = sequence.unit(0x67) + picture.unit(0x68)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.extradata = sets
        for number in range(frames):
            fields = [_field(pictures[2 * number + k], number % GROUP, k, order) for k in (0, 1)]
            first = number % GROUP == 0
            packet = av.Packet((sets if first else b"") + b"".join(fields))
            packet.stream, packet.pts, packet.dts, packet.duration = stream, number, number, 1
            packet.time_base, packet.is_keyframe = Fraction(1, 25), first
            container.mux(packet)
    return path


def _field(picture: NDArray[np.uint8], number: int, second: int, order: Order) -> bytes:
    """One slice, with everything of the field."""
    bottom = second if order == "tff" else 1 - second
    lines, idr = picture[bottom::2], number == second == 0
    bits = _Bits().add((0, 0), (7, 0), (0, 0), (number, 4), (1, 1), (bottom, 1))
    bits.add(*([(0, 0)] if idr else []), (2 * number + second, 4), (0, 2 if idr else 1), (0, 0), (1, 0))
    for top in range(0, lines.shape[0], 16):
        for left in range(0, lines.shape[1], 16):
            bits.add((25, 0))  # I_PCM
            bits.add_bytes(lines[top : top + 16, left : left + 16].tobytes() + bytes([128] * 128))
    return bits.unit(0x25 if idr else 0x21)
