"""Options that say how `export` writes clips and lists. They can stand in the settings file."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar, get_args

import click

from app.exporting.audio_choice import ALL_TRACKS, parse_audio
from app.exporting.clip_words import SubtitlePlace
from app.exporting.naming import check_pattern
from app.exporting.request import MAX_HANDLE_SECONDS, list_formats
from app.shell.completion_values import complete_lists
from app.shell.options import seconds_value
from app.shell.words_options import words_options
from app.timelines.writing import FORMATS

Value = TypeVar("Value")


def clip_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --mode, --pad, --audio, --name, --list, --subtitles, --language, --words-from and --markers to a command,
    which receives them as `mode`, `pad`, `audio`, `pattern`, `lists`, `subtitles`, `language`, `words_from`, `markers`.
    """
    for option in (
        click.option("--markers", is_flag=True, help="With --list: mark in the lists what is said in the clips."),
        words_options,
        click.option(
            "--subtitles",
            type=click.Choice(get_args(SubtitlePlace)),
            default="none",
            show_default=True,
            help="Put what is said into an SRT file beside each clip, a track in it, or its pictures (burn).",
        ),
        click.option(
            "--list",
            "lists",
            multiple=True,
            metavar="FORMAT",
            callback=_lists,
            shell_complete=complete_lists,
            help=f"{', '.join(FORMATS)}; separate several with commas, or repeat the option.",
        ),
        click.option(
            "--name",
            "pattern",
            metavar="PATTERN",
            callback=_pattern,
            help="Pattern for the names of clips, such as {collection}_{rank}_{name}.",
        ),
        click.option(
            "--audio",
            default=ALL_TRACKS,
            show_default=True,
            metavar="all|first|N,M|none",
            callback=_audio,
            help="Sound tracks to keep: all, the first, those with these numbers, or none.",
        ),
        click.option(
            "--pad", "--handles", "pad", metavar="TIME", callback=_pad, help="Add this much before and after each clip."
        ),
        click.option(
            "--mode",
            type=click.Choice(["exact", "smart", "copy"]),
            default="exact",
            show_default=True,
            help="Re-encode, re-encode only the edges, or copy.",
        ),
    ):
        command = option(command)
    return command


def _lists(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    # --list may be repeated, and may hold several with commas.
    return _checked(ctx, param, lambda: list_formats(",".join(value)) if value else None)


def _audio(ctx: click.Context, param: click.Parameter, value: str) -> str:
    return _checked(ctx, param, lambda: parse_audio(value))


def _pattern(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        _checked(ctx, param, lambda: check_pattern(value))
    return value


def _pad(ctx: click.Context, param: click.Parameter, value: str | None) -> Fraction | None:
    seconds = seconds_value(ctx, param, value)
    if seconds is not None and not 0 <= seconds <= MAX_HANDLE_SECONDS:
        raise click.BadParameter(f"handles must be from 0 to {MAX_HANDLE_SECONDS} seconds", ctx, param)
    return seconds


def _checked(ctx: click.Context, param: click.Parameter, parse: Callable[[], Value]) -> Value:
    try:
        return parse()
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
