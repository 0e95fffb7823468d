"""Facets of videos, for filters: codec, nominal frame rate and camera.

A library has few values of each, so a filter is compared with every value once, and videos by the number of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from types import MappingProxyType
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from db.media_facts import camera_name
from db.names import comparison_key
from db.records import Facets, Filters
from db.schema import videos
from db.sql import RateAndCamera
from files.json_file import parse_fraction, parse_json

Value = TypeVar("Value", bound=Hashable)

_SAME_RATE = 1 / 2500  # relative difference; 29.97 and 30 differ by 1/1000
_CODECS = MappingProxyType(
    {
        "avc": "h264", "avc1": "h264", "x264": "h264", "h265": "hevc", "x265": "hevc", "hvc1": "hevc", "hev1": "hevc",
        "h266": "vvc", "av01": "av1", "mpeg1": "mpeg1video", "mpeg2": "mpeg2video", "mp4v": "mpeg4", "xvid": "mpeg4",
        "divx": "mpeg4", "dv": "dvvideo", "dnxhr": "dnxhd", "motionjpeg": "mjpeg", "mjpg": "mjpeg",
        "prores422": "prores",
    }
)  # fmt: skip
"""FFmpeg's names of codecs by other usual ones, both without punctuation."""


class _Column(Generic[Value]):
    """A facet of V videos: the number of each one's value among the distinct ones."""

    def __init__(self, values: Sequence[Value]) -> None:
        numbers: dict[Value, int] = {}
        self.codes = np.fromiter((numbers.setdefault(value, len(numbers)) for value in values), np.int64, len(values))
        self.distinct = list(numbers)

    def mask(self, passes: Callable[[Value], bool]) -> NDArray[np.bool_]:
        """Return bool (V,): whether the value of each video passes."""
        passing = np.array([passes(value) for value in self.distinct], dtype=bool)
        return passing[self.codes] if passing.size else np.zeros(0, dtype=bool)


class VideoFacets:
    """Codec, rate and camera of V videos. Immutable.

    Args:
        ids: int64 (V,), ascending.
        codecs: FFmpeg's names.
        rates: Nominal frames per second; 0 if damaged.
        cameras: Make and model; "" if not stated.
    """

    def __init__(
        self, ids: NDArray[np.int64], codecs: Sequence[str], rates: Sequence[float], cameras: Sequence[str]
    ) -> None:
        self._ids = ids
        self._codecs, self._rates, self._cameras = _Column(codecs), _Column(rates), _Column(cameras)

    def allows(self, ids: NDArray[np.int64], filters: Filters) -> NDArray[np.bool_]:
        """Return bool (n,): whether each of these videos passes the facet filters; unknown videos do not.

        Args:
            ids: int64 (n,).
            filters: The filters.
        """
        mask = np.ones(self._ids.size, dtype=bool)
        if filters.codec is not None:
            wanted = codec_key(filters.codec)
            mask &= self._codecs.mask(lambda codec: codec_key(codec) == wanted)
        if filters.frame_rate is not None:
            rate = filters.frame_rate
            mask &= self._rates.mask(lambda each: abs(each - rate) <= _SAME_RATE * rate)
        if filters.camera is not None:
            mask &= self._cameras.mask(self._camera_passes(filters.camera))
        return np.isin(ids, self._ids[mask])

    def values(self) -> Facets:
        """Return the distinct values, without those that are not stated."""
        return Facets(
            codecs=tuple(sorted(filter(None, self._codecs.distinct))),
            frame_rates=tuple(sorted({float(f"{rate:.5g}") for rate in self._rates.distinct if rate > 0})),
            cameras=tuple(sorted(filter(None, self._cameras.distinct), key=comparison_key)),
        )

    def _camera_passes(self, wanted: str) -> Callable[[str], bool]:
        """Return whether a camera is the wanted one: by its whole name, or by words if no camera has that name."""
        whole = comparison_key(" ".join(wanted.split()))
        if any(comparison_key(camera) == whole for camera in self._cameras.distinct):
            return lambda camera: comparison_key(camera) == whole
        words = whole.split()
        return lambda camera: bool(camera) and all(word in comparison_key(camera) for word in words)


def codec_key(name: str) -> str:
    """Return a key that is equal for the names of one codec: `hevc` for H.265, x265 and HEVC."""
    plain = re.sub(r"[\W_]+", "", name.casefold())
    return _CODECS.get(plain, plain)


def asks_facets(filters: Filters) -> bool:
    """Return whether any filter is on a facet."""
    return filters.codec is not None or filters.frame_rate is not None or filters.camera is not None


def load_facets(connection: Connection) -> VideoFacets:
    """Load the facets of all videos inside the caller's transaction. Damaged facts count as not read."""
    stated = RateAndCamera(videos.c.facts)
    columns = (videos.c.id, videos.c.codec, videos.c.frame_rate_num, videos.c.frame_rate_den, stated)
    cursor = connection.execute(select(*columns).order_by(videos.c.id)).cursor
    assert cursor is not None  # the driver's, whose rows take a third of the time
    found = [row for row in cursor.fetchall() if type(row[0]) is int]
    read = {key: _rate_and_camera(*key) for key in {row[2:] for row in found}}  # few differ
    pairs = [read[row[2:]] for row in found]
    return VideoFacets(
        np.array([row[0] for row in found], np.int64),
        [str(row[1]) for row in found],
        [rate for rate, _ in pairs],
        [camera for _, camera in pairs],
    )


def _rate_and_camera(num: object, den: object, stated: object) -> tuple[float, str]:
    """Return the nominal rate, or the average if no rate is stated, and the camera.

    Args:
        num: Numerator of the average rate.
        den: Its denominator.
        stated: JSON text of a list: nominal rate, make and model; None if facts were not read.
    """
    average = num / den if isinstance(num, int) and isinstance(den, int) and den else 0.0
    try:
        rate, make, model = parse_json(stated) if isinstance(stated, str) else (None, None, None)
        return (
            average if rate is None else float(parse_fraction(rate)),
            camera_name(make if isinstance(make, str) else "", model if isinstance(model, str) else ""),
        )
    except (TypeError, ValueError, ArithmeticError):
        return average, ""
