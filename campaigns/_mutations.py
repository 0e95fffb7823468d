"""Damage to bytes: what disks, cables, power cuts and hands do to a file."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

PAGE = 4096


def flip_bit(data: bytearray, draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def flip_bytes(data: bytearray, draw: random.Random) -> None:
    for _ in range(draw.choice([2, 5, 20])):
        if data:
            data[draw.randrange(len(data))] = draw.randrange(256)


def cut(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data) + 1) :]


def cut_at_page(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data) // PAGE + 1) * PAGE :]


def empty(data: bytearray, draw: random.Random) -> None:
    data.clear()


def one_byte(data: bytearray, draw: random.Random) -> None:
    data[:] = bytes([draw.randrange(256)])


def zero_page(data: bytearray, draw: random.Random) -> None:
    first = draw.randrange(len(data) // PAGE + 1) * PAGE
    data[first : first + PAGE] = bytes(len(data[first : first + PAGE]))


def swap_pages(data: bytearray, draw: random.Random) -> None:
    """One page over another, as when a write went to a wrong place."""
    pages = len(data) // PAGE
    if pages > 1:
        source, target = draw.sample(range(pages), 2)
        data[target * PAGE : (target + 1) * PAGE] = data[source * PAGE : (source + 1) * PAGE]


def noise(data: bytearray, draw: random.Random) -> None:
    first = draw.randrange(len(data) + 1)
    size = min(len(data) - first, draw.choice([16, 200, PAGE]))
    data[first : first + size] = draw.randbytes(size)


def lengthen(data: bytearray, draw: random.Random) -> None:
    data += draw.choice([bytes(PAGE), draw.randbytes(777)])


DAMAGES: Mapping[str, Callable[[bytearray, random.Random], None]] = {
    "flipped bit": flip_bit, "flipped bytes": flip_bytes, "cut": cut, "cut at a page": cut_at_page, "empty": empty,
    "one byte": one_byte, "zeroed page": zero_page, "swapped pages": swap_pages, "noise": noise, "longer": lengthen,
}  # fmt: skip


def damaged(data: bytes, draw: random.Random, names: Sequence[str] = tuple(DAMAGES)) -> tuple[str, bytes]:
    """Return the name of a damage that was drawn, and the damaged bytes, which differ from the data."""
    for _ in range(20):
        name = draw.choice(names)
        changed = bytearray(data)
        DAMAGES[name](changed, draw)
        if bytes(changed) != data:
            return name, bytes(changed)
    return "longer", data + b"\0"
