"""MP4 files with one video track, written from packets in decoding order. ffmpeg then adds the audio.

When ffmpeg itself concatenates pieces, it rounds times and uses the header of the first piece for all. This writer does
neither.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import BinaryIO

IDENTITY = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_HEAD = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 512, b"isom", b"iso6")
_MAX_UINT32 = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The description of a video track."""

    sample_entry: bytes  # four-character code of the codec: avc1, hvc1
    configuration_box: bytes  # four-character code of the decoder configuration: avcC, hvcC
    configuration: bytes  # content of that box
    width: int
    height: int
    time_base: Fraction  # seconds per pts unit
    matrix: Sequence[int] = IDENTITY  # display matrix for players: the 9 numbers of the file format
    sample_aspect: Fraction = Fraction(1)
    colours: tuple[int, int, int, bool] | None = None  # primaries, transfer, matrix (ISO/IEC 23091-2); full range


class Mp4Writer:
    """Writes a track: add every packet in decoding order, then finish. Memory is a few bytes per packet.

    Methods raise OSError if writing fails.
    """

    def __init__(self, file: BinaryIO, track: Track) -> None:
        self._file, self._track = file, track
        self._pts, self._sizes = array("q"), array("L")
        self._keys: list[int] = []
        # The size of mdat is filled in at the end; it has the 64-bit form from the start.
        file.write(_HEAD + struct.pack(">I4sQ", 1, b"mdat", 0))
        self._content = file.tell()

    def add(self, data: bytes, pts: int, *, key: bool) -> None:
        """Add a packet. `pts` is in units of the track's time base; the earliest of all packets must be 0."""
        self._file.write(data)
        self._pts.append(pts)
        self._sizes.append(len(data))
        if key:
            self._keys.append(len(self._pts))

    def finish(self, end_pts: int) -> int:
        """Write the index.

        Args:
            end_pts: End of the last frame shown.

        Returns:
            The number of packets.

        Raises:
            ValueError: The times do not fit the format.
        """
        file, count = self._file, len(self._pts)
        size = file.tell() - self._content
        shown = sorted(self._pts)
        # Decoding times are the presentation times in order, early enough for each packet to be decoded in time.
        delay = max(own - pts for own, pts in zip(shown, self._pts, strict=True))
        offsets = [pts - own + delay for own, pts in zip(shown, self._pts, strict=True)]
        steps = [after - before for before, after in zip(shown, [*shown[1:], end_pts], strict=True)]
        unit = self._track.time_base.numerator
        if min(steps) <= 0 or max(max(steps), max(offsets)) * unit > _MAX_UINT32:
            raise ValueError("the times of the pictures do not fit an MP4 file")
        file.write(self._index([step * unit for step in steps], [each * unit for each in offsets], delay * unit))
        file.seek(self._content - 8)
        file.write(struct.pack(">Q", 16 + size))
        return count

    def _index(self, steps: list[int], offsets: list[int], delay: int) -> bytes:
        track = self._track
        scale, length = track.time_base.denominator, sum(steps)
        table = _full(b"stsd", struct.pack(">I", 1) + _entry(track))
        table += _full(b"stts", _run_lengths(steps)) + _full(b"ctts", _run_lengths(offsets))
        table += _full(b"stss", struct.pack(">I", len(self._keys)) + _numbers(self._keys))
        table += _full(b"stsc", struct.pack(">IIII", 1, 1, len(steps), 1))  # one chunk holds them all
        table += _full(b"stsz", struct.pack(">II", 0, len(steps)) + _numbers(self._sizes))
        table += _full(b"co64", struct.pack(">IQ", 1, self._content))
        data = _box(b"dinf", _full(b"dref", struct.pack(">I", 1) + _full(b"url ", b"", flags=1)))
        media = _box(b"minf", _full(b"vmhd", bytes(8), flags=1) + data + _box(b"stbl", table))
        handler = _full(b"hdlr", struct.pack(">I4s12x", 0, b"vide") + b"\0")
        lengths = struct.pack(">QQIQ", 0, 0, scale, length)
        media = _full(b"mdhd", lengths + struct.pack(">HH", 0x55C4, 0), version=1) + handler + media
        edits = _full(b"elst", struct.pack(">IQqI", 1, length, delay, 0x10000), version=1)
        matrix = struct.pack(">9i", *track.matrix)
        head = struct.pack(">QQIIQ8xHHHH", 0, 0, 1, 0, length, 0, 0, 0, 0) + matrix
        head += struct.pack(">II", track.width << 16, track.height << 16)
        whole = _full(b"tkhd", head, version=1, flags=3) + _box(b"edts", edits) + _box(b"mdia", media)
        movie = lengths + struct.pack(">IHH8x", 0x10000, 0x100, 0) + struct.pack(">9i", *IDENTITY) + bytes(24)
        return _box(b"moov", _full(b"mvhd", movie + struct.pack(">I", 2), version=1) + _box(b"trak", whole))


def _entry(track: Track) -> bytes:
    head = struct.pack(">6xH16xHHIIIH32xHh", 1, track.width, track.height, 0x480000, 0x480000, 0, 1, 24, -1)
    entry = head + _box(track.configuration_box, track.configuration)
    if track.colours is not None:
        primaries, transfer, matrix, full = track.colours
        entry += _box(b"colr", struct.pack(">4sHHHB", b"nclx", primaries, transfer, matrix, 0x80 if full else 0))
    aspect = track.sample_aspect
    return _box(track.sample_entry, entry + _box(b"pasp", struct.pack(">II", aspect.numerator, aspect.denominator)))


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _full(name: bytes, content: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags) + content)


def _run_lengths(values: Iterable[int]) -> bytes:
    """Return the run-length encoding: the number of runs, then (count, value) for each."""
    runs = [struct.pack(">II", len(list(group)), value) for value, group in groupby(values)]
    return struct.pack(">I", len(runs)) + b"".join(runs)


def _numbers(values: Sequence[int]) -> bytes:
    return struct.pack(f">{len(values)}I", *values)
