"""Facts that the header of a video file states: records, and their stored form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, get_args

from files.json_file import parse_fraction, parse_json

FieldOrder = Literal["progressive", "tff", "bff", ""]
"""How frames are scanned: progressive, or interlaced with the top or the bottom field first; "" if not stated."""

VideoKind = Literal["hdr", "interlaced", "alpha", "clock", "deep"]
"""What the decode pass treats in a special way: PQ or HLG, interlaced frames, transparency, a clock that jumps, more
than 8 bits per channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack:
    """One sound track of a file, as its header states it."""

    codec: str  # FFmpeg's name
    channels: int
    layout: str = ""  # FFmpeg's name, such as mono, stereo or 5.1; "" if not stated
    language: str = ""  # ISO 639-2, such as eng; "" if not stated
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """What a file's header states; `indexer.media.facts.read_facts` reads it.

    Raises ValueError for a rate that is not positive and for an unknown field order.
    """

    nominal_rate: Fraction  # frames per second, at which editing programs count: 25, 30, 30000/1001; never an average
    field_order: FieldOrder = ""
    sample_aspect: Fraction = Fraction(1)  # width of a pixel over its height
    transfer: str = ""  # FFmpeg's name of the transfer function, such as bt709 or smpte2084; "" if not stated
    audio: tuple[AudioTrack, ...] = ()  # in the order of the file
    reel: str = ""  # name of the tape or reel that the footage came from; "" if not stated
    recorded_at: str = ""  # ISO 8601, as the file states it; "" if it does not
    camera_make: str = ""  # of the camera, as the file states it: Apple, SONY; "" if it does not
    camera_model: str = ""  # likewise: iPhone 15 Pro, ILCE-7M4

    def __post_init__(self) -> None:
        if self.nominal_rate <= 0 or self.sample_aspect <= 0:
            raise ValueError(f"rate and sample aspect must be positive: {self.nominal_rate}, {self.sample_aspect}")
        if self.field_order not in get_args(FieldOrder):
            raise ValueError(f"field order must be one of {get_args(FieldOrder)}, got {self.field_order!r}")

    @property
    def camera(self) -> str:
        """Make and model of the camera; "" if neither is stated. See `camera_name`."""
        return camera_name(self.camera_make, self.camera_model)


def camera_name(make: str, model: str) -> str:
    """Return make and model of a camera; a model that begins with its make, as Canon's do, is named alone."""
    return model if model.casefold().startswith(make.casefold()) else f"{make} {model}".strip()


def facts_to_text(facts: MediaFacts | None) -> str | None:
    """Return the stored form of facts: a JSON object, or None for unknown facts."""
    if facts is None:
        return None
    values = asdict(facts)
    for name in ("nominal_rate", "sample_aspect"):
        values[name] = str(values[name])
    return json.dumps(values, sort_keys=True)


@lru_cache(1024)  # a search reads the facts of the same videos again and again
def facts_from_text(text: str | None) -> MediaFacts | None:
    """Return facts from their stored form.

    Facts that cannot be understood (damaged, or with the fields of another version) are None as if they had never been
    read: the next index run then reads them again from the file.
    """
    if text is None:
        return None
    try:
        values: dict[str, Any] = parse_json(text)
        audio = tuple(AudioTrack(**track) for track in values.pop("audio"))
        nominal_rate, sample_aspect = (parse_fraction(values.pop(name)) for name in ("nominal_rate", "sample_aspect"))
        return MediaFacts(nominal_rate=nominal_rate, sample_aspect=sample_aspect, audio=audio, **values)
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


NEWEST_FACT = '"camera_model":'
"""In the stored form of facts that were read by this version; facts without it are read again by the next index run.

No other text of a file can look like it: quotation marks in them have a backslash.
"""


def kinds_to_text(kinds: frozenset[str]) -> str:
    """Return the stored form of kinds: sorted names with a space between them."""
    return " ".join(sorted(kinds))


def kinds_from_text(text: str) -> frozenset[str]:
    """Return kinds from their stored form; unknown names, of another version, are left out."""
    return frozenset(text.split()) & frozenset(get_args(VideoKind))
