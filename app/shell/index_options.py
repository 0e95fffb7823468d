"""Shaping options of `index` and `retry`, which determine the stored clips, cuts and segments."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, get_args

import click
from click.core import ParameterSource

from app.compose import Settings
from app.shell.options import Whole, seconds_value
from db.records import Fit
from indexer.settings import DECODE, DETECTORS, HARDWARE, HASH_CONTENT, IndexSettings, OptionValue

FRAMES_RANGE = (1, 512)  # of a clip
STILL_FRAMES_RANGE = (0, 512)
STALL_SECONDS_RANGE = (1, 86_400)
DECODE_MEMORY_RANGE = (1, 1024)  # GiB
FOR_A_RUN = frozenset({"hardware", "stall_seconds", "decode_memory"})
"""Fields of ShapingOptions that shape nothing which a library stores."""


def detectors_text() -> str:
    """Return the detectors with the names and defaults of their options, for --help."""
    lines = ["\b", "Detector options (-o NAME=VALUE), named as in PySceneDetect, with defaults:"]
    for detector, options in DETECTORS.items():
        words = [f"{name}={_as_typed(value)}" for name, value in options.items() if name != "min_scene_len"]
        lines.append(f"  {detector:9}  {' '.join(words[:3])}")
        lines += [f"  {'':9}  {' '.join(words[start : start + 3])}" for start in range(3, len(words), 3)]
    return "\n".join(lines)


def _as_typed(value: OptionValue) -> str:
    if isinstance(value, tuple):
        return ",".join(f"{each:g}" for each in value)
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapingOptions:
    """Shaping options as typed. None stands for the library's stored value."""

    frames: int | None = None
    fit: Fit | None = None
    still_frames: int | None = None
    detector: str | None = None
    detector_options: tuple[str, ...] = ()  # NAME=VALUE
    min_scene_len: str | None = None
    segment_seconds: Fraction | None = None
    overlap_seconds: Fraction | None = None
    decode: str | None = None
    hash_content: str | None = None  # shapes nothing
    # For this run only; these shape nothing.
    hardware: str = "none"
    stall_seconds: int | None = None
    decode_memory: int | None = None  # GiB

    def __post_init__(self) -> None:
        require_range("frames", self.frames, FRAMES_RANGE)
        require_range("still_frames", self.still_frames, STILL_FRAMES_RANGE)
        require_range("stall_seconds", self.stall_seconds, STALL_SECONDS_RANGE)
        require_range("decode_memory", self.decode_memory, DECODE_MEMORY_RANGE)
        _require_choice("fit", self.fit, get_args(Fit))
        _require_choice("detector", self.detector, DETECTORS)
        _require_choice("decode", self.decode, DECODE)
        _require_choice("hash_content", self.hash_content, HASH_CONTENT)
        _require_choice("hardware", self.hardware, HARDWARE)

    def encoder_settings(self, settings: Settings) -> Settings:
        """Return the settings overridden by the frames, fit and still frames of these options."""
        return replace(settings, frames=self.frames, fit=self.fit, still_frames=self.still_frames)

    def filled(self, settings: Settings) -> Settings:
        """Return the settings with what they lack of frames, fit and still frames taken from these options."""
        lacking = {
            name: getattr(self, name) for name in ("frames", "fit", "still_frames") if getattr(settings, name) is None
        }
        return replace(settings, **lacking)

    def index_settings(self, own: IndexSettings) -> IndexSettings:
        """Return the settings to index with: these options over the library's stored settings.

        Options belong to their detector: another detector starts with its defaults.

        Args:
            own: The library's stored settings, from `app.cut_settings`.

        Raises:
            click.UsageError: A value is invalid, or the device of --hardware is unavailable.
        """
        hardware = self.hardware
        if hardware != "none":
            hardware = _device(hardware) or "auto"  # without a device, the report counts the videos
        detector = self.detector or own.detector
        chosen = dict(own.detector_options) if detector == own.detector else {}
        known = DETECTORS[detector]
        for text in self.detector_options:
            name, equals, value = text.partition("=")
            name = name.strip().replace("-", "_")
            if not equals or name not in known:
                raise click.UsageError(f"-o {text}: write NAME=VALUE; the {detector} detector knows {', '.join(known)}")
            chosen[name] = _value(text, value.strip(), known[name], negative=name == "fade_bias")
        if self.min_scene_len is not None:
            chosen["min_scene_len"] = _length(self.min_scene_len)
        segment, overlap = self.segment_seconds, self.overlap_seconds
        try:
            return replace(
                own,
                detector=detector,
                detector_options=chosen,
                segment_seconds=own.segment_seconds if segment is None else float(segment),
                overlap_seconds=own.overlap_seconds if overlap is None else float(overlap),
                decode=self.decode or own.decode,
                hash_content=self.hash_content or own.hash_content,
                hardware=hardware,
            )
        except ValueError as error:
            raise click.UsageError(str(error).replace("_seconds", "-seconds")) from error


def _device(hardware: str) -> str | None:
    """Return the device to decode on. A process of its own tries it, because a driver may crash or hang."""
    from indexer.media.errors import UnreadableVideo
    from indexer.media.hardware import DeviceUnavailable, choose_device
    from indexer.workers.limits import WorkerLimits
    from indexer.workers.pool import WorkerPool

    try:
        with WorkerPool(WorkerLimits(on_device=True)) as pool:
            return pool.call(choose_device, hardware, path=hardware)
    except (DeviceUnavailable, UnreadableVideo) as error:
        raise click.UsageError(f"--hardware: {error}") from error


def require_range(name: str, value: int | None, bounds: tuple[int, int]) -> None:
    """Raise ValueError unless `value` is None or within `bounds`, both inclusive."""
    low, high = bounds
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}")


def _require_choice(name: str, value: str | None, choices: Collection[str]) -> None:
    if value is not None and value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}")


def shaping_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --frames, --fit, --still-frames, --detector, -o, --min-scene-len, --segment-seconds, --overlap-seconds,
    --decode, --hash-content, --hardware, --stall-seconds and --decode-memory to a command, which receives them as
    `shaping`, a ShapingOptions. What the settings file says of new libraries it receives as `new_library`."""

    @click.option(
        "--frames",
        type=Whole(*FRAMES_RANGE),
        metavar="N",
        help="Frames per clip; by default the library's, else the encoder's own.",
    )
    @click.option(
        "--fit",
        type=click.Choice(get_args(Fit)),
        help="How wide pictures become square; by default the library's, else stretch, which keeps the whole picture.",
    )
    @click.option(
        "--still-frames",
        type=Whole(*STILL_FRAMES_RANGE),
        metavar="N",
        help="Frames per clip that hardly moves, such as a slide; fewer are faster. By default the library's, else "
        "0: as many as for any other clip.",
    )
    @click.option(
        "--detector",
        type=click.Choice(list(DETECTORS)),
        help="How cuts are found; by default the library's, else learned if its weights are installed (the "
        "extra `shots`), else blend.",
    )
    @click.option(
        "-o",
        "--detector-option",
        "detector_options",
        multiple=True,
        metavar="NAME=VALUE",
        help="An option of the detector, see below; may be repeated.",
    )
    @click.option(
        "--min-scene-len",
        metavar="LENGTH",
        help="Shortest shot: 0.6s, or a whole number of frames; by default the library's, else 0.3s for learned and "
        "blend, and 0.6s for the others.",
    )
    @click.option(
        "--segment-seconds",
        metavar="TIME",
        callback=seconds_value,
        help="Split longer shots into equal parts of at most this length; by default the library's, else 8.",
    )
    @click.option(
        "--overlap-seconds",
        metavar="TIME",
        callback=seconds_value,
        help="How much the parts of a long shot overlap; by default the library's, else 0.5.",
    )
    @click.option(
        "--decode",
        type=click.Choice(list(DECODE)),
        help="Decode all frames, or only reference frames: faster, but shots may start a few frames late. By "
        "default the library's, else all.",
    )
    @click.option(
        "--hash-content",
        type=click.Choice(list(HASH_CONTENT)),
        help="Read files a second time after decoding, to recognise copies and touched files later: always, only on "
        "local drives, or never. By default the library's, else local.",
    )
    @click.option(
        "--hardware",
        type=click.Choice(HARDWARE),
        default="none",
        show_default=True,
        help="Device for decoding; what it cannot decode is left to the processor, and the report says so.",
    )
    @click.option(
        "--stall-seconds",
        type=Whole(*STALL_SECONDS_RANGE),
        metavar="N",
        help="Give up on a file after this long without progress, because its drive is not responding or a decoder "
        "hangs; by default 60.",
    )
    @click.option(
        "--decode-memory",
        type=Whole(*DECODE_MEMORY_RANGE),
        metavar="GIB",
        help="Give up on a video whose decoding takes more memory than this; by default 3.",
    )
    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        context = click.get_current_context()
        typed = {field.name: options.pop(field.name) for field in fields(ShapingOptions)}
        from_file = [name for name in typed if context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP]
        new = {name: typed.pop(name) for name in from_file if name not in FOR_A_RUN}
        return command(*args, shaping=ShapingOptions(**typed), new_library=ShapingOptions(**new), **options)

    return run


def _value(text: str, value: str, default: OptionValue, *, negative: bool = False) -> OptionValue:
    """Return `value` in the type of the option's default; if that is None (kernel_size), an integer or None.

    Numbers are finite, and not below 0 unless `negative`.
    """
    try:
        if isinstance(default, bool):
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
        if isinstance(default, tuple):
            numbers = tuple(_number(each, float, negative=negative) for each in value.split(","))
            if len(numbers) != len(default):
                raise ValueError
            return numbers
        if default is None:
            return None if value.lower() == "none" else int(value)  # its range is checked with the settings
        if isinstance(default, str):
            return _length(value) if default[:1].isdigit() else value
        return _number(value, float if "." in value or isinstance(default, float) else int, negative=negative)
    except (KeyError, ValueError) as error:
        raise click.UsageError(
            f"-o {text}: {value!r} is not a value for this option (default {_as_typed(default)})"
        ) from error


def _number(value: str, kind: type[int] | type[float], *, negative: bool) -> int | float:
    number = kind(value)
    if not math.isfinite(number) or (number < 0 and not negative):
        raise ValueError
    return number


def _length(value: str) -> OptionValue:
    """Return a whole number of frames, or seconds as PySceneDetect writes them."""
    return int(value) if value.isdigit() else value
