"""The options of `index` that shape what is stored, and their values checked: detector, segments, clips."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import click

from app.shell.options import seconds_value
from indexer.settings import DECODE, DETECTORS, HARDWARE, IndexSettings, OptionValue


def detectors_text() -> str:
    """The detectors with the names and defaults of their options, for --help."""
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


def shaping_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--detector, -o, --min-scene-len, --segment-seconds, --overlap-seconds, --decode and --hardware."""
    for option in (
        click.option(
            "--hardware",
            type=click.Choice(HARDWARE),
            default="none",
            show_default=True,
            help="The device that decodes; what it cannot, the processor does, and the report says so.",
        ),
        click.option(
            "--decode",
            type=click.Choice(list(DECODE)),
            default="all",
            show_default=True,
            help="Decode all frames, or only those that others refer to: faster, shots begin up to a few frames late.",
        ),
        click.option(
            "--overlap-seconds",
            metavar="TIME",
            callback=seconds_value,
            help="How much the parts of a long shot overlap; by default 0.5.",
        ),
        click.option(
            "--segment-seconds",
            metavar="TIME",
            callback=seconds_value,
            help="Longer shots become equal parts of at most this; by default 8.",
        ),
        click.option(
            "--min-scene-len",
            metavar="LENGTH",
            help="Shortest shot: 0.6s, or a whole number of frames; by default 0.6s.",
        ),
        click.option(
            "-o",
            "--detector-option",
            "detector_options",
            multiple=True,
            metavar="NAME=VALUE",
            help="An option of the detector, see below; may be repeated.",
        ),
        click.option(
            "--detector",
            type=click.Choice(list(DETECTORS)),
            default="blend",
            show_default=True,
            help="How cuts are found.",
        ),
    ):
        command = option(command)
    return command


def index_settings(
    *,
    detector: str,
    detector_options: tuple[str, ...],
    min_scene_len: str | None,
    segment_seconds: Fraction | None,
    overlap_seconds: Fraction | None,
    decode: str = "all",
    hardware: str = "none",
) -> IndexSettings:
    """Settings from the options above; a usage error says which value is wrong, or that a device is not there."""
    if hardware != "none":
        from indexer.media.hardware import NoDevice, choose

        try:
            hardware = choose(hardware) or "auto"  # where there is none, the report tells for how many videos
        except NoDevice as error:
            raise click.UsageError(f"--hardware: {error}") from error
    chosen: dict[str, OptionValue] = {}
    for text in detector_options:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in DETECTORS[detector]:
            known = ", ".join(DETECTORS[detector])
            raise click.UsageError(f"-o {text}: write NAME=VALUE; the {detector} detector knows {known}")
        chosen[name] = _value(text, value.strip(), DETECTORS[detector][name])
    if min_scene_len is not None:
        chosen["min_scene_len"] = _length(min_scene_len)
    sizes: dict[str, float] = {}
    if segment_seconds is not None:
        sizes["segment_seconds"] = float(segment_seconds)
    if overlap_seconds is not None:
        sizes["overlap_seconds"] = float(overlap_seconds)
    try:
        return IndexSettings(
            detector=detector,
            detector_options=chosen,
            decode=decode,
            hardware=hardware,
            **sizes,  # type: ignore[arg-type]
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _value(text: str, value: str, default: OptionValue) -> OptionValue:
    """`value` in the type of the option's default. Where that is None (kernel_size), a whole number or `none`."""
    try:
        if isinstance(default, bool):
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
        if isinstance(default, tuple):
            numbers = tuple(float(each) for each in value.split(","))
            if len(numbers) != len(default):
                raise ValueError
            return numbers
        if default is None:
            return None if value.lower() == "none" else int(value)
        if isinstance(default, str):
            return _length(value) if default[:1].isdigit() else value
        return float(value) if "." in value or isinstance(default, float) else int(value)
    except (KeyError, ValueError) as error:
        raise click.UsageError(
            f"-o {text}: {value!r} is not a value for this option (default {_as_typed(default)})"
        ) from error


def _length(value: str) -> OptionValue:
    """A whole number of frames, or seconds as PySceneDetect writes them."""
    return int(value) if value.isdigit() else value
