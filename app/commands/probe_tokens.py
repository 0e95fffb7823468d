"""`prismsearch probe tokens`: what is kept to train heads on, and its deletion."""

from __future__ import annotations

from pathlib import Path

import click

from app.compose import Settings
from app.shell.evaluation_options import work_option
from app.shell.options import json_option, with_settings
from app.shell.questions import confirm
from app.shell.terminal import count_text, print_json, print_note, printable, size_text


@click.command(
    "tokens",
    epilog="""\b
Examples:
  prismsearch probe tokens            how many there are, and where
  prismsearch probe tokens --delete   delete them

\b
Heads on tokens (--head map) are trained on the tokens of each clip, which are large: 6 MB of every clip with
the base encoder. They are kept so that another training need not make them again.""",
)
@click.option("--delete", is_flag=True, help="Delete them all.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before deleting.")
@json_option()
@work_option
@with_settings
def probe_tokens(settings: Settings, work: Path, delete: bool, yes: bool, as_json: bool) -> None:
    """Show the room that tokens of clips take, or delete them."""
    from app.evaluation.token_store import FOLDER, delete_tokens, kept_tokens

    clips, size_bytes = kept_tokens(work)
    about = f"tokens of {count_text(clips, 'clip')}, {size_text(size_bytes)}, in {printable(str(work / FOLDER))}"
    if delete and clips:
        confirm(f"Delete the {about}?", yes=yes, refusal="nothing was deleted")
        delete_tokens(work)
        print_note(f"deleted: {about}")
        clips, size_bytes = kept_tokens(work)
    elif not as_json:
        click.echo(about)
    if as_json:
        print_json({"folder": str(work / FOLDER), "clips": clips, "bytes": size_bytes})
