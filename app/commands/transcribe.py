"""`prismsearch transcribe`: speech of indexed videos as text.

A command of its own rather than an option of `index`: it has options that indexing does not know (model, language), may
download half a gigabyte, and takes longer than indexing; whoever starts it wants to choose the videos and the night.
"""

from __future__ import annotations

import os

import click

from app.commands.transcribe_run import transcribe_videos
from app.compose import Settings
from app.jobs.orders import TranscribeOrder
from app.shell.options import PathWord, json_option, with_settings


@click.command(
    epilog="""\b
Examples:
  prismsearch transcribe                      every indexed video without subtitles
  prismsearch transcribe ~/Videos/interviews
  prismsearch transcribe talk.mp4 --language de
  prismsearch transcribe --model base         a third of the work; for clear speech

\b
Needs the extra `speech`: pip install 'prismsearch[speech]'. Models: small (486 MB, the default), base
(148 MB), or a folder with a Whisper model for CTranslate2.

\b
Exit code 0: all fine; 1: finished, but some videos failed; 2: usage; 3: a model, video or the library
is missing; 130, 143, 129: stopped; what was finished is kept, and the same command goes on.""",
)
@click.argument("paths", nargs=-1, type=PathWord())
@click.option("--model", metavar="NAME", default="small", show_default=True, help="small, base, or a folder.")
@click.option(
    "--language", metavar="CODE", help="What is spoken, such as en or de; by default, it is detected for each video."
)
@click.option("--also-subtitled", is_flag=True, help="Transcribe videos that have subtitles, too.")
@click.option("--redo", is_flag=True, help="Transcribe videos that were transcribed before, too.")
@click.option("-y", "--yes", is_flag=True, help="Download a missing model without asking.")
@json_option("Print the report as JSON on standard output.")
@with_settings
def transcribe(
    settings: Settings,
    paths: tuple[str, ...],
    model: str,
    language: str | None,
    also_subtitled: bool,
    redo: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Turn the speech of indexed videos into text that can be searched (only those in PATHS, if given).

    Videos with subtitles and those that were transcribed before are left out. Nothing leaves this machine, and no video
    is encoded again. A stopped run goes on with the video that it was at.
    """
    order = TranscribeOrder(
        model=os.path.abspath(model) if os.path.isdir(model) else model,
        language=language,
        also_subtitled=also_subtitled,
        redo=redo,
        paths=tuple(map(os.path.abspath, paths)),
    )
    transcribe_videos(settings, order, yes=yes, as_json=as_json)
