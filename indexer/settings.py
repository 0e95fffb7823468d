"""What a person may choose about indexing, and the recipe that says whether a video must be indexed again.

Standard library only: importing this is cheap, and the command line reads its options and defaults from here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoder import ClipSpec

OptionValue = int | float | str | bool | tuple[float, ...] | None

PASS_VERSION = 2
"""Raised whenever the same file and settings would give other segments, clips or pictures than before."""

MOST_SHOWN_PIXELS = 512
"""Largest long side of posters and previews. Frames are reduced to no less than this before anything else is made of
them; as a constant, it cannot make a query's clip differ from the indexed one."""

CANDIDATE_FRAMES = 512

DECODE = MappingProxyType({"all": "every frame", "reference": "frames that others are decoded from"})
"""What is decoded. `reference` leaves out frames on which no other depends, about half of most H.264 and HEVC."""

HARDWARE = ("none", "auto", "cuda", "videotoolbox", "vaapi", "d3d11va", "qsv", "vulkan")
"""Devices that may decode, by FFmpeg's names. `auto`: the first there is of those after it."""

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
        "blend": {"blend_score": 0.5, **_ADAPTIVE},
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
"""PySceneDetect's detectors with its own option names and defaults; `blend` is its adaptive one and ours beside it, for
dissolves, wipes and fades (`blend_score`: evidence from which a transition counts, higher finds fewer).

`min_scene_len` is the one with two defaults there: 15 frames in Python, 0.6 s on its command line. Seconds mean the
same at every frame rate, so that one is taken here. A whole number means frames; text like `0.6s` or `00:00:00.600`,
or a number with a point, means seconds.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """Everything about indexing that is a matter of choice. Raises ValueError with the allowed range."""

    detector: str = "blend"
    detector_options: Mapping[str, OptionValue] = field(default_factory=dict)  # only what differs from DETECTORS
    segment_seconds: float = 8.0  # a longer shot becomes equal parts of at most this
    overlap_seconds: float = 0.5  # between neighbouring parts of one shot
    poster_pixels: int = 480  # long side of a poster
    preview_pixels: int = 320  # long side of a preview
    preview_seconds: float = 4.0  # of the preview itself, whatever the length of the segment
    preview_rate: int = 8  # frames per second of the preview
    candidate_frames: int = CANDIDATE_FRAMES  # of the open shot, kept until its end is known (and see KEPT_BYTES)
    decode: str = "all"  # of DECODE
    decode_threads: int = 0  # per video; 0 lets the decoder choose
    hardware: str = "none"  # of HARDWARE

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise ValueError(f"detector must be one of {', '.join(DETECTORS)}, got {self.detector!r}")
        if self.decode not in DECODE:
            raise ValueError(f"decode must be one of {', '.join(DECODE)}, got {self.decode!r}")
        if self.hardware not in HARDWARE:
            raise ValueError(f"hardware must be one of {', '.join(HARDWARE)}, got {self.hardware!r}")
        known = DETECTORS[self.detector]
        for name in self.detector_options:
            if name not in known:
                raise ValueError(f"the {self.detector} detector has no option {name!r}; it has {', '.join(known)}")
        object.__setattr__(self, "detector_options", MappingProxyType(dict(self.detector_options)))
        for name, low, high in (
            ("segment_seconds", 0.1, 3600.0),
            ("preview_seconds", 0.25, 60.0),
            ("poster_pixels", 16, MOST_SHOWN_PIXELS),
            ("preview_pixels", 16, MOST_SHOWN_PIXELS),
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
        """The detector's defaults with the chosen options over them."""
        return {**DETECTORS[self.detector], **self.detector_options}

    def recipe(self, spec: ClipSpec) -> str:
        """Names what was done to a video: same content and recipe, same segments, clips, posters and previews.

        Safe in a file name. Threads and hardware are left out, since decoders of one format give the same pictures.
        """
        chosen = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("decode_threads", "hardware")}
        chosen["detector_options"] = self.all_detector_options
        chosen["clip"] = [spec.frames, spec.size, spec.fit]
        chosen["pass_version"] = PASS_VERSION
        digest = hashlib.blake2b(json.dumps(chosen, sort_keys=True).encode(), digest_size=6).hexdigest()
        return f"{self.detector}-{self.segment_seconds:g}s-{spec.frames}x{spec.size}-{digest}"
