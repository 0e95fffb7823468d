"""`prismsearch search`: search by words."""

from __future__ import annotations

from typing import Any

import click

from app import compose
from app.compose import Settings
from app.shell.coverage import note_coverage
from app.shell.hits import Output, output_options, show_hits
from app.shell.options import with_settings
from app.shell.search_options import SearchOptions, nothing_found, open_search, search_options
from app.shell.terminal import print_note
from app.shell.word_notes import word_notes

NOT_WEIGHT = -0.5
"""Weight of `--not`: enough to change the ranking, too little to dominate the query."""


@click.command(
    epilog="""\b
Examples:
  prismsearch search "a dog running on the beach"
  prismsearch search red car at night -k 3
  prismsearch search "goal celebration" --in ~/Videos/football --min-duration 2s
  prismsearch search "birthday cake" --since 2024-01-01 --json
  prismsearch search "beach" --not people
  prismsearch search "sunset" -0 | xargs -0 mpv

\b
Exit code 0: hits were found; 1: none; 2: usage; 3: a model or the library is missing.""",
)
@click.argument("words", nargs=-1, required=True)
@click.option("--not", "unwanted", multiple=True, metavar="TEXT", help="Push hits away from this; may be repeated.")
@search_options
@output_options
@with_settings
def search(
    settings: Settings, words: tuple[str, ...], unwanted: tuple[str, ...], options: SearchOptions, output: Output
) -> None:
    """Find shots by WORDS.

    Prints rank, score (cosine, 1 is the same), time range and file, best first. The words are one English sentence or
    phrase; quotes are only needed for what the shell would change.
    """
    from search.query import TextTerm

    text = " ".join(words)
    if not text.strip():
        raise click.UsageError('the words are blank; write what is to be seen, for example "a red car at night"')
    if any(not each.strip() for each in unwanted):
        raise click.UsageError("--not needs words")
    with open_search(settings, options) as (library, encoder, options):
        try:
            notes = word_notes(encoder, [text, *unwanted])
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        for note in notes:
            print_note(note)
        engine = compose.open_engine(settings, library, encoder)
        query = options.query((TextTerm(text), *(TextTerm(each, weight=NOT_WEIGHT) for each in unwanted)))
        hits = engine.search(query)
        question: dict[str, Any] = {
            "query": text,
            "not": list(unwanted),
            "encoder": encoder.id,
            "notice": encoder.notice,
        }
        question["looked_at"] = note_coverage(library, encoder.id)
        show_hits(hits, output, question, nothing=nothing_found(library, options) if not hits else "")
