"""`prismsearch transcript`: what is said in a video, as subtitles, text or JSON."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import click

from app import compose
from app.compose import Settings
from app.exporting.clip_words import WordsFrom, check_language, cut_lines
from app.exporting.words.choosing import choose_source, missing_text
from app.exporting.words.cue_files import json_bytes, srt_bytes, txt_bytes, vtt_bytes
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.file_words import no_such_file
from app.shell.options import PathWord, with_settings
from app.shell.paths import as_indexed
from app.shell.result_file import require_result_file
from app.shell.terminal import count_text, display_path, print_note, printable
from app.shell.words_options import words_options
from app.times import MAX_SECONDS
from files.replace import replace_file

_WRITERS = {".srt": srt_bytes, ".vtt": vtt_bytes, ".txt": txt_bytes}
_FORMATS = ("srt", "vtt", "txt", "json")


@click.command(
    epilog="""\b
Examples:
  prismsearch transcript holiday.mp4
  prismsearch transcript holiday.mp4 --language de --to holiday.de.srt
  prismsearch transcript holiday.mp4 --words-from speech --format json

\b
json is in the form that Whisper writes, with the times of words where they are known.""",
)
@click.argument("video", type=PathWord())
@click.option("--format", "form", type=click.Choice(_FORMATS), help="By default that of the file's name, or txt.")
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write to this file, which must not exist yet, instead of standard output.",
)  # fmt: skip
@words_options
@with_settings
def transcript(
    settings: Settings, video: str, form: str | None, target: Path | None, language: str, words_from: WordsFrom
) -> None:
    """Print what is said in VIDEO, from its subtitles, or else as it was recognised in its sound."""
    try:
        check_language(language)
    except ValueError as error:
        raise click.UsageError(f"--language: {error}") from error
    if form is None:
        stated = "" if target is None else target.suffix.lower()[1:]
        form = stated if stated in _FORMATS else "txt"
    require_result_file("--to", target)
    if target is not None and os.path.lexists(target):
        raise click.UsageError(f"--to: {display_path(str(target))} exists already; choose another name")
    with compose.open_library(settings) as library:
        path = as_indexed(library, video)
        found = library.video_at(path)
        if found is None or found.id is None:
            if not os.path.lexists(path):
                raise no_such_file(video, library)
            raise CommandError(f"{printable(path)} is not in the library; prismsearch index adds it", MISSING)
        sources = library.texts.sources(found.id)
        source = choose_source(sources, language=language, words_from=words_from)
        if source is None:
            why = missing_text(sources, language=language, words_from=words_from)
            raise CommandError(f"{printable(path)}: {why}", FAILED)
        lines = [each.line for each in library.texts.lines(found.id, source_id=source.id)]
    if form == "json":
        content = json_bytes(lines, source.language)
    else:
        content = _WRITERS[f".{form}"](cut_lines(lines, Fraction(0), Fraction(MAX_SECONDS)))
    if target is None:
        click.echo(content, nl=False)
        return
    try:
        replace_file(target, content)
    except OSError as error:
        raise CommandError(
            f"{display_path(str(target))} cannot be written: {error.strerror or error}", FAILED
        ) from error
    print_note(f"{count_text(len(lines), 'line')} in {display_path(str(target))}")
