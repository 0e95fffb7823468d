"""Options that filter what is searched: folder, name, length, dates, and what the files state. Part of every search."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from app.shell.options import PathWord, Whole, seconds_value, since_value, until_value
from db.records import Filters, Orientation
from files.json_file import parse_fraction

if TYPE_CHECKING:
    from db.library import Library

_MAX_NAMED = 12  # values of a facet in a message


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --in, --named, --min-duration, --max-duration, --since, --until, --recorded-since, --recorded-until,
    --min-resolution, --orientation, --codec, --fps, --camera, --with-sound and --without-sound to a command, which
    receives them as `filters`.
    """

    @click.option(
        "--in", "folder", metavar="FOLDER", type=PathWord(), help="Only videos in this folder (or this one file)."
    )
    @click.option(
        "--min-duration", metavar="TIME", callback=seconds_value, help="Only hits at least this long: 5, 5s, 1m30s."
    )
    @click.option("--max-duration", metavar="TIME", callback=seconds_value, help="Only hits at most this long.")
    @click.option(
        "--since",
        metavar="DATE",
        callback=since_value,
        help="Only files modified since this date: 2025-03-01, '2025-03-01 14:30', yesterday, 7d, 12h, 2w.",
    )
    @click.option(
        "--until", metavar="DATE", callback=until_value, help="Only files modified up to and including this date."
    )
    @click.option(
        "--recorded-since",
        metavar="DATE",
        callback=since_value,
        help="Only videos recorded since this date, according to the file or its name; dates as for --since.",
    )
    @click.option(
        "--recorded-until",
        metavar="DATE",
        callback=until_value,
        help="Only videos recorded up to and including this date.",
    )
    @click.option("--named", "name", metavar="TEXT", help="Only files with this in their name; case does not matter.")
    @click.option(
        "--min-resolution",
        type=Whole(1, 100_000),
        metavar="PIXELS",
        help="Only videos whose shorter side has at least this many pixels: 720, 1080, 2160.",
    )
    @click.option(
        "--orientation",
        type=click.Choice(["landscape", "portrait", "square"]),
        help="Only videos of this shape, as displayed.",
    )
    @click.option("--codec", metavar="NAME", help="Only videos with this codec: h264, hevc (or H.265), prores, av1.")
    @click.option(
        "--fps",
        "frame_rate",
        metavar="RATE",
        callback=_rate_value,
        help="Only videos with this nominal frame rate: 25, 29.97, 24000/1001.",
    )
    @click.option(
        "--camera",
        metavar="WORDS",
        help="Only videos from this camera, according to the file: make, model, or words from both, such as 'sony "
        "ilce'.",
    )
    @click.option(
        "--with-sound/--without-sound", "has_sound", default=None, help="Only videos with, or without, a sound track."
    )
    @functools.wraps(command)
    def run(
        *args: Any,
        folder: str | None,
        min_duration: Fraction | None,
        max_duration: Fraction | None,
        since: int | None,
        until: int | None,
        recorded_since: int | None,
        recorded_until: int | None,
        name: str | None,
        min_resolution: int | None,
        orientation: Orientation | None,
        codec: str | None,
        frame_rate: float | None,
        camera: str | None,
        has_sound: bool | None,
        **others: Any,
    ) -> Any:
        if min_duration is not None and max_duration is not None and min_duration > max_duration:
            raise click.UsageError("--min-duration is longer than --max-duration; nothing could match")
        if since is not None and until is not None and since > until:
            raise click.UsageError("--since is later than --until; nothing could match")
        if recorded_since is not None and recorded_until is not None and recorded_since > recorded_until:
            raise click.UsageError("--recorded-since is later than --recorded-until; nothing could match")
        filters = Filters(
            folder=folder,
            min_seconds=None if min_duration is None else float(min_duration),
            max_seconds=None if max_duration is None else float(max_duration),
            since_ns=since,
            until_ns=until,
            recorded_since=None if recorded_since is None else -(-recorded_since // 10**9),
            recorded_until=None if recorded_until is None else recorded_until // 10**9,
            name=name or None,
            min_short_side=min_resolution,
            orientation=orientation,
            codec=codec or None,
            frame_rate=frame_rate,
            camera=camera if camera and camera.strip() else None,
            has_sound=has_sound,
        )
        return command(*args, filters=filters, **others)

    return run


def unmatched_facet(library: Library, filters: Filters) -> str:
    """Return a sentence about the first filter on a facet that no video passes, with the values that there are.

    It is "" if each of these filters alone lets something through.
    """
    facets = library.facets()
    rates = tuple(format_rate(rate) for rate in facets.frame_rates)
    asked = (
        ("codec", filters.codec, Filters(codec=filters.codec), facets.codecs),
        ("nominal frame rate", filters.frame_rate, Filters(frame_rate=filters.frame_rate), rates),
        ("camera", filters.camera, Filters(camera=filters.camera), facets.cameras),
    )
    for what, value, alone, there in asked:
        if not alone or passes_any(library, alone):
            continue
        wanted = format_rate(value) if isinstance(value, float) else value
        known = f"this library has {', '.join(there[:_MAX_NAMED])}" if there else "no file in this library states one"
        return f"no video has the {what} {wanted}; {known}{', ...' if len(there) > _MAX_NAMED else ''}"
    return ""


def passes_any(library: Library, filters: Filters) -> bool:
    """Return whether any segment of the library passes the filters."""
    return any(library.segment_ids(filters, encoder.id).size for encoder in library.encoders())


def format_rate(rate: float) -> str:
    """Return a frame rate as people write it: 25, 29.97, 23.976."""
    return f"{rate:.5g}"


def _rate_value(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Parse a frame rate: a number, or a fraction as NTSC rates are written."""
    if value is None:
        return None
    try:
        rate = float(parse_fraction(value.strip()))
    except (ValueError, OverflowError):
        rate = math.nan
    if not 0 < rate < math.inf:
        raise click.BadParameter(f"{value!r} is not a frame rate; write 25, 29.97 or 30000/1001", ctx, param)
    return rate
