"""`prismsearch search`: search by words."""

from __future__ import annotations

from typing import Any

import click

from app import compose
from app.commands.chain_run import NOT_WEIGHT, print_chains, typed_query
from app.commands.link_run import link_option, show_link
from app.compose import Settings
from app.shell.chain_options import ChainOptions, chain_options
from app.shell.coverage import note_coverage
from app.shell.hits import Output, output_options, show_hits
from app.shell.options import with_settings
from app.shell.search_options import SearchOptions, nothing_found, open_search, search_options
from app.shell.step_order import SteppedCommand, by_step
from app.shell.terminal import print_note
from app.shell.word_notes import word_notes


@click.command(
    cls=SteppedCommand,
    epilog="""\b
Examples:
  prismsearch search "a dog running on the beach"
  prismsearch search red car at night -k 3
  prismsearch search "goal celebration" --in ~/Videos/football --min-duration 2s
  prismsearch search "birthday cake" --since 2024-01-01 --json
  prismsearch search "beach" --not people
  prismsearch search "a dog jumps" --then "a cat" --within 10s
  prismsearch search --link "http://127.0.0.1:8501/?q=beach&shape=portrait"
  prismsearch search "sunset" -0 | xargs -0 mpv

\b
Exit code 0: hits were found; 1: none; 2: usage; 3: a model or the library is missing.""",
)
@click.argument("words", nargs=-1)
@click.option("--not", "unwanted", multiple=True, metavar="TEXT", help="Push hits away from this; may be repeated.")
@chain_options
@link_option
@search_options
@output_options
@with_settings
def search(
    settings: Settings,
    words: tuple[str, ...],
    unwanted: tuple[str, ...],
    chain: ChainOptions,
    link: str | None,
    options: SearchOptions,
    output: Output,
) -> None:
    """Find shots by WORDS, or what follows each other: WORDS --then TEXT.

    --not belongs to the step that it follows: in "a dog" --then "a cat" --not "a tree", the cat is without a tree.

    Prints rank, score (cosine, 1 is the same), time range and file, best first. The words are one English sentence or
    phrase; quotes are only needed for what the shell would change.
    """
    from search.query import TextTerm

    if link is not None:
        show_link(settings, link, words, output)
        return
    if not words:
        raise click.UsageError("Missing argument 'WORDS...'.")
    text = " ".join(words)
    if not text.strip():
        raise click.UsageError('the words are blank; write what is to be seen, for example "a red car at night"')
    if any(not each.strip() for each in unwanted):
        raise click.UsageError("--not needs words")
    with open_search(settings, options) as (library, encoder, options):
        if chain.then:
            no = [each["unwanted"] for each in by_step({"unwanted": unwanted})]
            asked = typed_query(library, encoder, text, chain, options, no)
            steps = {"query": text, "not": list(unwanted), "then": list(chain.then)}
            print_chains(settings, library, encoder, asked, options, output, steps)
            return
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
