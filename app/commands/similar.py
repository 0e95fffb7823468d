"""`prismsearch similar`: search by example, from a file inside or outside the library, a picture, or a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.commands.composing import further_terms, print_word_notes, terms_of_each
from app.commands.examples import ExampleQuery, collection_example, image_example, video_example
from app.commands.export_selection import find_collection
from app.commands.text_run import found_text
from app.compose import Settings
from app.shell.completion_values import complete_collection, complete_files
from app.shell.composing_options import TypedTerms, composing_options
from app.shell.coverage import note_coverage
from app.shell.engine import open_engine
from app.shell.hits import Output, output_options, show_hits
from app.shell.options import with_settings
from app.shell.result_record import encoder_fields
from app.shell.search_options import SearchOptions, nothing_found, open_search, search_options
from app.shell.step_order import SteppedCommand
from app.shell.text_hits import show_fused
from app.shell.text_options import TypedText, text_options

if TYPE_CHECKING:
    from encoder import Encoder
    from search.query import Term


@click.command(
    cls=SteppedCommand,
    epilog="""\b
Examples:
  prismsearch similar film.mp4@1:20-1:25        these five seconds
  prismsearch similar film.mp4@80               the part of a shot at 80 s (or 8 seconds from there)
  prismsearch similar clip.mp4                  the whole of a short clip
  prismsearch similar --image photo.jpg -k 3    what looks like this picture
  prismsearch similar --collection Goals        what the subclips of a collection have in common
  prismsearch similar a.mp4@80 --not people     like this, without people
  prismsearch similar a.mp4@80 --said engine    like this, or with the word

\b
With several examples, what they have in common counts, and the rest does not.
Times: 12.5, 12s, 1m30s, 0:12.5, 00:00:12.500. A file name that contains an @ is found as written.
Exit code 0: a good match was found; 1: none; 2: usage; 3: a file, model or the library is missing.""",
)
@click.argument("video", required=False, metavar="VIDEO[@START[-END]]", shell_complete=complete_files)
@click.option("--image", type=click.Path(), metavar="FILE", help="Use a picture instead of a video.")
@click.option(
    "--collection",
    metavar="NAME",
    shell_complete=complete_collection,
    help="Use the subclips of a collection instead (by name or id).",
)
@composing_options
@text_options
@search_options
@output_options
@with_settings
def similar(
    settings: Settings,
    video: str | None,
    image: str | None,
    collection: str | None,
    typed: tuple[TypedTerms, ...],
    asked: TypedText,
    options: SearchOptions,
    output: Output,
) -> None:
    """Find shots that look like VIDEO, like a range of it, like a picture, or like the subclips of a collection.

    The file may be in the library (then it is left out of the hits and may even be offline) or anywhere else.
    --said, --written and --text also search in the words of the videos, in one ranking: see search --help.
    """
    asked.parts()  # whether it can be searched for, before an encoder is loaded
    if sum(each is not None for each in (video, image, collection)) != 1:
        raise click.UsageError("give a VIDEO (FILE, FILE@START or FILE@START-END), --image FILE or --collection NAME")
    if not (video or image or collection or "").strip():
        raise click.UsageError("a blank names nothing: give a VIDEO, --image FILE or --collection NAME")
    files = (*filter(None, (video, image)), *typed[0].files)
    with open_search(settings, options, files=files) as (library, encoders, options):
        described = ""

        def example(encoder: Encoder) -> ExampleQuery:
            if image is not None:
                return image_example(encoder, image)
            if collection is not None:
                return collection_example(library, encoder, find_collection(library, collection))
            return video_example(library, encoder, video or "")

        def make(encoder: Encoder) -> tuple[tuple[Term, ...], frozenset[int]]:
            nonlocal described
            found = example(encoder)
            further, own_ids = further_terms(library, encoder, typed[0])
            described = found.description
            return (*found.terms, *further), found.own_ids | own_ids

        each = terms_of_each(encoders, make)
        print_word_notes(encoders, typed[0].excluded)
        query = options.query(each.terms, leave_out=each.own_ids, own_terms=each.own_terms)
        engine = open_engine(library, encoders)
        question: dict[str, Any] = {"like": described, **encoder_fields(encoders)}
        record = typed[0].record()
        question |= {"not": record["not"], "not_like": record["not_like"], "also_like": record["like"]}
        question["looked_at"] = note_coverage(library, encoders)
        if asked:
            fused = options.fused_query(asked.parts(), query, text_weight=asked.weight)
            question |= {**asked.record(), "text_weight": fused.text_weight}
            found = found_text(library, fused, engine, options, question)
            show_fused(library, found.hits, output, found.question, nothing=found.nothing)
            return
        hits = engine.search(query)
        show_hits(library, hits, output, question, nothing=nothing_found(library, options) if not hits else "")
