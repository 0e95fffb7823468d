"""`prismsearch search`: search by words."""

from __future__ import annotations

from typing import Any

import click

from app.commands.chain_run import files_of, print_chains, typed_query
from app.commands.composing import words_query
from app.commands.link_run import link_option, show_link
from app.commands.moment_run import NO_MOMENTS, find_moments
from app.commands.text_run import show_text
from app.compose import Settings
from app.shell.chain_options import ChainOptions, chain_options
from app.shell.composing_options import TypedTerms, composing_options
from app.shell.coverage import note_coverage
from app.shell.engine import open_engine
from app.shell.file_words import RULE, looks_like_a_file, not_words
from app.shell.hits import Output, output_options, show_hits
from app.shell.moment_options import moments_option
from app.shell.options import with_settings
from app.shell.result_record import encoder_fields
from app.shell.search_options import SearchOptions, nothing_found, open_search, search_options
from app.shell.step_order import SteppedCommand
from app.shell.text_options import TypedText, text_options


@click.command(
    cls=SteppedCommand,
    epilog=f"""\b
Examples:
  prismsearch search "a dog running on the beach"
  prismsearch search red car at night -k 3
  prismsearch search "goal celebration" --in ~/Videos/football --min-duration 2s
  prismsearch search "birthday cake" --since 2024-01-01 --json
  prismsearch search "beach" --not people
  prismsearch search "spinning" --like film.mp4@1:20-1:25 --weight 0.7
  prismsearch search --said '"start the engine"'
  prismsearch search "a red car" --said "engine OR motor" --written "exit*"
  prismsearch search "a dog jumps" --then "a cat" --within 10s
  prismsearch search "a red car" --encoder base+open_clip:PE-Core-B-16/meta
  prismsearch search "a dog jumps" --moments -k 3
  prismsearch search --link "http://127.0.0.1:8501/?q=beach&shape=portrait"
  prismsearch search "sunset" -0 | xargs -0 mpv

{RULE}

\b
Exit code 0: a good match was found; 1: none; 2: usage; 3: a model or the library is missing.""",
)
@click.argument("words", nargs=-1)
@composing_options
@text_options
@chain_options
@link_option
@moments_option("Find the moment within the shot of each hit, the stretch that answers best; takes seconds for each.")
@search_options
@output_options
@with_settings
def search(
    settings: Settings,
    words: tuple[str, ...],
    typed: tuple[TypedTerms, ...],
    asked: TypedText,
    chain: ChainOptions,
    link: str | None,
    moments: bool,
    options: SearchOptions,
    output: Output,
) -> None:
    """Find shots by WORDS, by what is said or written in them, or sequences of shots: WORDS --then TEXT.

    --like, --not and --not-like apply to the step before them: in "a dog" --then "a cat" --not "a tree", the cat is
    shown without a tree.

    Prints rank, score (cosine; 1 is identical), time range and file, best first. Hits no stronger than chance are
    marked weak. WORDS are one English sentence or phrase; quotes are needed only for characters that the shell
    would interpret.

    Several encoders (--encoder A+B) answer together: the score is how strong a hit is for all of them, and each line
    says how strong it is for each.

    --said, --written and --text search in the words of the videos, alone or beside WORDS. Then each line says which
    channels found the shot, when the word comes, and the line. Hits of text alone are exported and opened from the
    word on. Limits such as --threshold and --min-strength are for shots that only the picture finds.
    """
    if link is not None:
        show_link(settings, link, words, output, options.least_level, moments=moments)
        return
    if not words and not asked:
        raise click.UsageError("say what to look for: prismsearch search WORDS")
    text = " ".join(words)
    if words and not text.strip():
        raise click.UsageError('the words are blank; describe the shot, for example "a red car at night"')
    if not chain.then and looks_like_a_file(text):
        raise not_words(text)
    if asked:
        if moments:
            raise click.UsageError(NO_MOMENTS)
        if chain.then:
            raise click.UsageError("--said, --written and --text cannot be used with --then yet; leave one of them out")
        show_text(settings, text, typed[0], asked, options, output)
        return
    if moments and chain.then:
        raise click.UsageError(NO_MOMENTS)
    files = files_of((text, *chain.then) if chain.then else (), typed)
    with open_search(settings, options, files=files) as (library, encoders, options):
        if chain.then:
            chains = typed_query(library, encoders, text, chain, options, typed)
            no = [each for step in typed for each in step.excluded]
            steps = {"query": text, "not": no, "then": list(chain.then), "steps": [each.record() for each in typed]}
            print_chains(library, encoders, chains, options, output, steps)
            return
        query = words_query(library, encoders, text, typed[0], options)
        engine = open_engine(library, encoders)
        hits = engine.search(query)
        question: dict[str, Any] = {
            "query": text,
            **typed[0].record(),
            **encoder_fields(encoders),
        }
        question["looked_at"] = note_coverage(library, encoders)
        nothing = nothing_found(library, options) if not hits else ""
        hits, found = find_moments(engine, query, hits) if moments else (hits, None)
        show_hits(library, hits, output, question, nothing=nothing, moments=found)
