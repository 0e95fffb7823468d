"""Settings of indexing: IndexSettings shape the segments of videos, RunOptions control a single run.

The recipe of IndexSettings determines whether a video must be indexed again. Standard library only, because the command
line reads its options and defaults from here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoder import ClipSpec

OptionValue = int | float | str | bool | tuple[float, ...] | None

PASS_VERSION = 2
"""Increased whenever the same file and settings would result in other segments, clips or pictures than before."""

MAX_SHOWN_PIXELS = 512
"""Maximum long side of posters and previews. Frames are reduced to no less than this before anything else. It is a
constant, so that a query's clip cannot differ from the indexed one."""

CANDIDATE_FRAMES = 512

DECODE = MappingProxyType({"all": "every frame", "reference": "frames that others are decoded from"})
"""The frames to decode. `reference` skips non-reference frames, about half of most H.264 and HEVC."""

HARDWARE = ("none", "auto", "cuda", "videotoolbox", "vaapi", "d3d11va", "qsv", "vulkan")
"""Decoding devices, by FFmpeg's names. `auto` is the first available one of those after it."""

HASH_CONTENT = MappingProxyType(
    {"always": "every file", "local": "files that are not on a network drive", "never": "no file"}
)
"""The files of which the whole content is read and hashed, right after their decoding: see `indexer.content_hash`."""

_LENGTH = re.compile(r"\d+(\.\d*)?s?|\.\d+s?|\d+:\d\d:\d\d(\.\d+)?")  # as PySceneDetect reads a time

_CONTENT_WEIGHTS = (1.0, 1.0, 1.0, 0.0)

_ADAPTIVE: Mapping[str, OptionValue] = {
    "adaptive_threshold": 3.0,
    "min_scene_len": "0.6s",
    "window_width": 2,
    "min_content_val": 15.0,
    "weights": _CONTENT_WEIGHTS,
    "luma_only": False,
    "kernel_size": None,
}

DETECTORS: Mapping[str, Mapping[str, OptionValue]] = MappingProxyType(
    {
        "learned": {"threshold": 0.5, "support": 0.03, "blend_score": 4.0, **_ADAPTIVE, "min_scene_len": "0.3s"},
        "blend": {"blend_score": 4.0, **_ADAPTIVE, "min_scene_len": "0.3s"},
        "adaptive": _ADAPTIVE,
        "content": {
            "threshold": 27.0,
            "min_scene_len": "0.6s",
            "weights": _CONTENT_WEIGHTS,
            "luma_only": False,
            "kernel_size": None,
            "filter_mode": "merge",
        },
        "hash": {"threshold": 0.35, "size": 8, "lowpass": 2, "min_scene_len": "0.6s"},
        "histogram": {"threshold": 0.20, "bins": 128, "min_scene_len": "0.6s"},
        "threshold": {
            "threshold": 12,
            "min_scene_len": "0.6s",
            "fade_bias": 0.0,
            "add_final_scene": False,
            "method": "floor",
            "min_out_length": 0,
        },
    }
)
"""PySceneDetect's detectors, with its option names and defaults. `blend` is the adaptive one combined with our own
for dissolves, wipes and fades (`blend_score`: evidence required of a transition; a higher one finds fewer). `learned`
is a network (`threshold`: probability from which it finds a transition; at 0.5, `blend` finds
the hard cuts that it misses) combined with `blend` (`support`: probability
by the network that a cut found by `blend` alone needs). The shortest shot of both is shorter, for quick montages: on
film, 0.6 s hides true cuts, and anything from 0 to 0.5 s finds the same.

`min_scene_len` is the only option with two defaults there: 15 frames in Python, 0.6 s on the command line. The latter
is used here, because seconds mean the same at any frame rate. A whole number means frames; text like `0.6s` or
`00:00:00.600`, or a number with a decimal point, means seconds.
"""


LEARNED = frozenset({"learned"})
"""The detectors that need an `encoder.shot_boundaries.ShotBoundaryScorer`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """Settings that shape segments, clips, posters and previews. See `recipe`.

    Raises:
        ValueError: For a value out of range or an unknown name; the message has the allowed values.
    """

    detector: str = "blend"
    detector_options: Mapping[str, OptionValue] = field(default_factory=dict)  # only those that differ from DETECTORS
    segment_seconds: float = 8.0  # a longer shot is split into equal parts of at most this
    overlap_seconds: float = 0.5  # between neighbouring parts of one shot
    poster_pixels: int = 480  # long side of a poster
    preview_pixels: int = 320  # long side of a preview
    preview_seconds: float = 4.0  # maximum length of the preview
    preview_rate: int = 8  # frames per second of the preview
    candidate_frames: int = CANDIDATE_FRAMES  # frames of the current shot buffered at most; see MAX_BUFFER_BYTES
    decode: str = "all"  # key of DECODE
    decode_threads: int = 0  # per video; 0 lets the decoder choose
    hardware: str = "none"  # one of HARDWARE
    hash_content: str = "local"  # key of HASH_CONTENT

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise ValueError(f"detector must be one of {', '.join(DETECTORS)}, got {self.detector!r}")
        if self.decode not in DECODE:
            raise ValueError(f"decode must be one of {', '.join(DECODE)}, got {self.decode!r}")
        if self.hardware not in HARDWARE:
            raise ValueError(f"hardware must be one of {', '.join(HARDWARE)}, got {self.hardware!r}")
        if self.hash_content not in HASH_CONTENT:
            raise ValueError(f"hash_content must be one of {', '.join(HASH_CONTENT)}, got {self.hash_content!r}")
        for name in ("segment_seconds", "overlap_seconds", "preview_seconds"):
            object.__setattr__(self, name, float(getattr(self, name)))  # 4 and 4.0 are one recipe
        known = DETECTORS[self.detector]
        for name in self.detector_options:
            if name not in known:
                raise ValueError(f"the {self.detector} detector has no option {name!r}; it has {', '.join(known)}")
        length, kernel = self.detector_options.get("min_scene_len"), self.detector_options.get("kernel_size")
        if isinstance(length, str) and not _LENGTH.fullmatch(length):
            raise ValueError(
                f"min_scene_len must be a number of frames, or seconds such as 0.6s or 00:00:00.600, got {length!r}"
            )
        if isinstance(kernel, int) and (kernel < 3 or kernel % 2 == 0):
            raise ValueError(f"kernel_size must be odd and at least 3, or none, got {kernel}")
        chosen = {name: value for name, value in self.detector_options.items() if value != known[name]}
        object.__setattr__(self, "detector_options", MappingProxyType(chosen))
        for name, low, high in (
            ("segment_seconds", 0.1, 3600.0),
            ("preview_seconds", 0.25, 60.0),
            ("poster_pixels", 16, MAX_SHOWN_PIXELS),
            ("preview_pixels", 16, MAX_SHOWN_PIXELS),
            ("preview_rate", 1, 60),
            ("candidate_frames", 32, 65536),
            ("decode_threads", 0, 256),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be between {low} and {high}, got {getattr(self, name)}")
        if not 0 <= self.overlap_seconds <= self.segment_seconds / 2:
            raise ValueError(
                f"overlap_seconds must be between 0 and half of segment_seconds ({self.segment_seconds / 2:g}), "
                f"got {self.overlap_seconds:g}"
            )

    @property
    def all_detector_options(self) -> dict[str, OptionValue]:
        """The detector's defaults, overridden by the chosen options."""
        return {**DETECTORS[self.detector], **self.detector_options}

    def recipe(self, spec: ClipSpec) -> str:
        """Return a name for these settings, safe in a file name.

        The same content and recipe give the same segments, clips, posters and previews. Threads and hardware are left
        out, because all decoders of a format produce the same pictures, and so are hashes of the content.

        Args:
            spec: The clip shape of the encoder.
        """
        shapeless = ("decode_threads", "hardware", "hash_content")
        chosen = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in shapeless}
        chosen["detector_options"] = self.all_detector_options
        chosen["clip"] = [spec.frames, spec.size, spec.fit, *(["ends"] if spec.ends else [])]
        chosen["pass_version"] = PASS_VERSION
        digest = hashlib.blake2b(json.dumps(chosen, sort_keys=True).encode(), digest_size=6).hexdigest()
        return f"{self.detector}-{self.segment_seconds:g}s-{spec.frames}x{spec.size}-{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of one run, which do not affect the result of indexing.

    Raises:
        ValueError: For a number below 1, or a limit that is not above 0.
    """

    decode_workers: int = 2  # videos decoded at the same time
    batch_size: int | None = None  # clips per call of the encoder; None: its default. Halved if memory runs out
    queue_clips: int = 32  # decoded clips that may wait for the encoder; bounds memory
    exclude: tuple[str, ...] = ()  # patterns of names or paths to skip, see indexer.scan
    include_exports: bool = False  # index clips that prismsearch exported, too
    redo: bool = False  # index unchanged videos again
    retry_failed: bool = False  # retry files that failed before and have not changed
    sweep: bool = True  # remove videos whose files were deleted, see indexer.sweep
    dry_run: bool = False  # find out what there is to do, and change nothing
    isolated: bool = True  # read and decode in worker processes, where what goes wrong costs one file
    stall_seconds: float = 60.0  # without any progress of a file, after which it is given up
    decode_memory_gib: float = 3.0  # limit of each worker's memory, beyond the program itself

    def __post_init__(self) -> None:
        for name in ("decode_workers", "batch_size", "queue_clips"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        for name in ("stall_seconds", "decode_memory_gib"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
