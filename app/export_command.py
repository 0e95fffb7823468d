"""`prismsearch export`: the hits of a search, hits from a JSON file, or ranges of files, as clips in a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from typing import IO, Literal

import click

from app import compose
from app.asking import ready
from app.clip_lists import record, write_lists
from app.compose import Settings
from app.export import ClipRequest, ExportedClip, export_clips
from app.interrupt import stop_on_interrupt
from app.moments import timecode
from app.narrowing import Narrowing, narrowing_options, nothing_found
from app.options import FAILED, INTERRUPTED, seconds_value, with_settings
from app.terminal import LiveLine, counted, print_json, printable, say, shown
from app.wanted_clips import from_arguments, from_hits, from_json


@click.command(
    short_help="Write hits or ranges as clips into a folder.",
    epilog="""\b
Examples:
  prismsearch export "a dog jumping" -k 5 --to clips
  prismsearch export film.mp4@1:20-1:25 film.mp4@200-210 --to clips --mode copy
  prismsearch search sunset --json > hits.json
  prismsearch export --from-json hits.json --to clips --pad 1s

\b
--mode exact encodes again and is exact to the frame; copy is quick and loses nothing, but begins at
the key frame before the range, and says how much earlier that is.
Beside the clips: lists of them as CSV and JSON. Nothing is ever overwritten.

\b
Exit code 0: every clip was written; 1: some were not, or nothing was found; 2: usage; 3: a model,
file or the library is missing.""",
)
@click.argument("what", nargs=-1, metavar="[WORDS... | FILE@START-END...]")
@click.option(
    "--to",
    "directory",
    required=True,
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Folder for the clips; made where it is missing.",
)
@click.option(
    "--from-json",
    "hits_file",
    type=click.File("rb"),
    metavar="FILE",
    help="Hits as search --json and similar --json print them; - reads standard input.",
)
@click.option(
    "--mode", type=click.Choice(["exact", "copy"]), default="exact", show_default=True, help="Encode again, or copy."
)
@click.option("--pad", metavar="TIME", callback=seconds_value, help="Take this much more before and after.")
@click.option("--json", "as_json", is_flag=True, help="What was written, as JSON on standard output.")
@narrowing_options
@with_settings
def export(
    settings: Settings,
    what: tuple[str, ...],
    directory: str,
    hits_file: IO[bytes] | None,
    mode: Literal["exact", "copy"],
    pad: Fraction | None,
    as_json: bool,
    narrowing: Narrowing,
) -> None:
    """Write clips into DIR: the hits of a search for WORDS, hits from a file, or ranges of files.

    The source files are only read. Ranges need neither a library nor an encoder.
    """
    if (not what) == (hits_file is None):
        raise click.UsageError("give WORDS to search for, FILE@START-END, or --from-json FILE (one of them)")
    if hits_file is not None:
        wanted = from_json(hits_file)
    else:
        wanted = from_arguments(what, None) or searched(settings, " ".join(what), narrowing)
    if not wanted:
        say("there are no hits to export")
        raise click.exceptions.Exit(FAILED)
    cut(settings, wanted, directory, mode, pad or Fraction(0), as_json=as_json)


def searched(settings: Settings, text: str, narrowing: Narrowing) -> list[ClipRequest]:
    """The hits of a search; exit code 1 where there are none."""
    from search.query import Query, TextTerm

    if not text.strip():
        raise click.UsageError("the words are blank; write what is to be seen")
    with ready(settings, narrowing) as (library, encoder, narrowing):
        engine = compose.open_engine(settings, library, encoder)
        hits = engine.search(
            Query((TextTerm(text),), filters=narrowing.filters, k=narrowing.top_k, threshold=narrowing.threshold)
        )
        if not hits:
            say(nothing_found(library, narrowing))
            raise click.exceptions.Exit(FAILED)
        return from_hits(hits)


def cut(
    settings: Settings,
    wanted: Sequence[ClipRequest],
    directory: str,
    mode: Literal["exact", "copy"],
    pad_seconds: Fraction,
    *,
    as_json: bool,
) -> None:
    """Cut them, say what became of each as it comes, and end with exit code 1 if one failed."""
    stopping = "stopping after this clip (Ctrl-C again: at once)"
    with LiveLine() as line, stop_on_interrupt(line, stopping) as stopped:

        def told(done: int, total: int, clip: ExportedClip) -> None:
            line.clear()
            if clip.error is not None:
                say(clip_text(clip))
            elif not as_json:
                click.echo(clip_text(clip))
            if done < total:
                line.show(f"cutting {done + 1} of {total}")

        line.show(f"cutting 1 of {len(wanted)}")
        clips = export_clips(
            wanted,
            directory,
            mode,
            pad_seconds=pad_seconds,
            ffmpeg=settings.ffmpeg,
            progress=told,
            cancelled=stopped,
        )
        interrupted = stopped()
    written = sum(clip.error is None for clip in clips)
    lists = write_lists(clips, directory) if written else ()
    if as_json:
        files = [None if clip.file is None else str(clip.file) for clip in clips]
        records = [{**record(clip), "file": file} for clip, file in zip(clips, files, strict=True)]
        print_json({"clips": records, "lists": [str(path) for path in lists]})
    else:
        listed = f", listed in {lists[0].name} and {lists[1].name}" if lists else ""
        say(f"{counted(written, 'clip')} in {shown(os.path.abspath(directory))}{listed}")
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)
    if written < len(clips):
        raise click.exceptions.Exit(FAILED)


def clip_text(clip: ExportedClip) -> str:
    """One line: the clip's file, how long it is, and what is special about it; or what was not cut, and why."""
    request = clip.request
    if clip.file is None:
        span = f"{timecode(request.start_seconds)}-{timecode(request.end_seconds)}"
        return f"not written: {printable(request.path)}@{span}: {clip.error}"
    text = shown(str(clip.file))
    if clip.early_seconds:
        text += f"  (begins {float(clip.early_seconds):.3f} s earlier, at the key frame)"
    return f"{text}  ({clip.note})" if clip.note else text
