"""`prismsearch stats`: how much the library holds, quick and full apart, and who works for one on a server."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from app import compose
from app.compose import Settings
from app.shell.index_report import quick_text
from app.shell.listing import WORDS
from app.shell.options import json_option, with_settings
from app.shell.root_states import known_roots, root_records
from app.shell.terminal import count_text, print_json, printable, size_text, table
from app.shell.worker_text import place_text, work_text
from app.times import format_duration


def parts_text(shots: int, segments: int) -> str:
    """Return `, searched in 5 parts`; blank where no shot is long enough to have several."""
    return f", searched in {count_text(segments, 'part')}" if segments > shots else ""


@click.command(epilog="\b\nExample:\n  prismsearch stats --json")
@json_option()
@with_settings
def stats(settings: Settings, as_json: bool) -> None:
    """Show how much the library holds, which encoders it uses, and who works for one on a server."""
    with compose.open_library(settings) as library:
        held, encoders = library.stats(), library.encoders()
        if as_json:
            texts = {each.encoder_id: each.text_id for each in library.encoder_choices()}
            record: dict[str, Any] = {
                "library": library.name,
                "id": library.id,
                "videos": held.videos,
                "shots": held.shots,
                "segments": held.segments,
                "seconds": round(held.seconds, 6),
                "database_bytes": held.database_bytes,
                "media_bytes": held.media_bytes,
                "failures": held.failures,
                "quick_videos": held.quick_videos,
                "vanished": len(library.vanished_videos()),
                "roots": root_records(known_roots(settings.roots, library)),
                "workers": [dataclasses.asdict(each) for each in library.workers()],
                "words": {kind: dataclasses.asdict(count) for kind, count in library.texts.counts().items()},
                "encoders": [
                    {
                        "id": each.id,
                        "text_id": texts.get(each.quick_of or each.id) or None,
                        "dim": each.dim,
                        "segments": each.segments,
                        "quick_of": each.quick_of,
                    }
                    for each in encoders
                ],
            }
            print_json(record)
            return
        rows = [
            ("library", printable(library.name)),
            ("videos", f"{held.videos:,} ({format_duration(held.seconds)} in total)"),
            ("shots", f"{held.shots:,}{parts_text(held.shots, held.segments)}"),
            *([("quick", quick_text(held.quick_videos))] if held.quick_videos else []),
            ("failed", f"{held.failures:,}" + (" (prismsearch list --failed)" if held.failures else "")),
            (
                "on disk",
                f"{size_text(held.database_bytes)} database, {size_text(held.media_bytes)} posters and previews",
            ),
        ]
        if kept := len(library.vanished_videos()):
            days = count_text(library.keep_vanished_days(), "day")
            rows.append(("vanished", f"{count_text(kept, 'video')}, kept for {days} (prismsearch list --vanished)"))
        rows += [
            ("words", f"{WORDS[kind]}: {count_text(count.lines, 'line')} of {count_text(count.videos, 'video')}")
            for kind, count in library.texts.counts().items()
        ]
        rows += [
            (
                "encoder" if each.quick_of is None else "quick encoder",
                f"{each.id}: {count_text(each.segments, 'embedding')} of {each.dim} numbers",
            )
            for each in encoders
            if each.segments or each.quick_of is None
        ]
        rows += [
            ("root", f"{each.name} ({count_text(each.videos, 'video')}): {each.folder_shown}, {each.state_shown}")
            for each in known_roots(settings.roots, library)
        ]
        rows += [
            ("worker", f"{printable(each.machine)}: {work_text(each)} ({place_text(each)})")
            for each in library.workers()
        ]
        for line in table(rows, "<<"):
            click.echo(line)
