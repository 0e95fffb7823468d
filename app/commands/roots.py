"""`prismsearch roots`: the named roots of media, and the files that a library has from before they were set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.options import json_option, with_settings
from app.shell.questions import confirm
from app.shell.root_states import known_roots, root_records
from app.shell.terminal import count_text, display_path, print_json, print_note, table
from db.media_roots import unset_text

if TYPE_CHECKING:
    from db.library import Library


@click.command(
    epilog="""\b
Examples:
  prismsearch roots                 the roots, their folders here, and whether they can be reached
  prismsearch roots adopt nas       files in the folder of nas that were indexed before it was a root
  prismsearch roots release nas     the other way: plain paths of this machine again

\b
A root is a name for a folder of videos that each machine has at a place of its own. The library stores
nas:/films/a.mp4, and each machine says where nas is: in the table [roots] of its settings file, as
nas = "/mnt/nas", or in PRISMSEARCH_ROOTS, as nas=/mnt/nas. Paths may be written as nas:/films everywhere.
adopt and release change what is stored, for all machines, at once and whole.""",
)
@click.argument("action", required=False, type=click.Choice(["adopt", "release"]), metavar="[adopt|release]")
@click.argument("name", required=False)
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option("Print the roots as JSON on standard output.")
@with_settings
def roots(settings: Settings, action: str | None, name: str | None, yes: bool, as_json: bool) -> None:
    """List the roots of media, or store the paths of files below one of them."""
    if action is None:
        with compose.open_existing_library(settings) as library:
            found = known_roots(settings.roots, library)
        if as_json:
            print_json(root_records(found))
            return
        rows = [(each.name, each.folder_shown, f"{each.videos:,}", each.state_shown) for each in found]
        for line in table(rows, "<<><", header=["root", "folder", "videos", "state"]) if rows else ():
            click.echo(line)
        if not rows:
            print_note("no roots are set: add them to [roots] in the settings file, or to PRISMSEARCH_ROOTS")
        return
    if name is None or as_json:
        raise click.UsageError(f"give the name of a root, and no --json: prismsearch roots {action} NAME")
    folder = settings.roots.folder(name)
    if folder is None:
        raise CommandError(unset_text(name), MISSING)
    with compose.open_library(settings) as library:
        (held,) = (each for each in library.root_rows() if each.name == name)
        _require_alone(library)
        if action == "adopt":
            what = f"the paths of {count_text(held.others, 'video')} in {display_path(folder)} below {name}:/"
        else:
            what = f"the paths of {count_text(held.videos, 'video')} below {name}:/ as those in {display_path(folder)}"
        confirm(
            f"Store {what}? This is for all machines that use the library; no file is touched.",
            yes=yes,
            refusal=f"this would store {what}, for all machines",
        )
        _require_alone(library)  # again: the answer may have taken long
        done = library.adopt_root(name) if action == "adopt" else library.release_root(name)
        if action == "adopt":
            _name_folders_of_searches(library)
    others = f" and {count_text(done.others, 'other row')}" if done.others else ""
    where = f"{name}:/" if action == "adopt" else display_path(folder)
    click.echo(f"{count_text(done.videos, 'video')}{others} are stored below {where} now")
    if action == "adopt":
        print_note(f"every other machine needs its own folder for {name}, in [roots] or in PRISMSEARCH_ROOTS")
    else:
        print_note(f"take {name} out of [roots] and PRISMSEARCH_ROOTS now, on all machines")


def _name_folders_of_searches(library: Library) -> None:
    """Let saved searches name the roots that their folders are in, as those that are saved from now on do."""
    from app.search_link import parse_address

    for owner in (None, *(person.id for person in library.people.all())):
        searches = library.searches.of(owner)
        for each in searches.all():
            link, problems = parse_address(each.link)
            if link.folder is not None and not problems and (named := link.query_string()) != each.link:
                searches.save(each.name, named, text_id=each.text_id)


def _require_alone(library: Library) -> None:
    """Raise CommandError while another process works for the library: it has planned by the paths as they are."""
    from app.jobs.jobs import Jobs

    doing: list[Any] = [*library.workers(), *(each for each in Jobs(library.directory).all() if each.running)]
    if doing:
        raise CommandError(
            "another process works for the library; wait until it is done, or stop it (prismsearch runs, prismsearch "
            "stats)",
            FAILED,
        )
