"""`prismsearch people`: who may use the library over a network (`prismsearch ui --listen`), and what they did."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

import click

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING, USAGE
from app.shell.options import Whole, json_option, with_settings
from app.shell.passwords import Passwords, ask_password
from app.shell.questions import confirm
from app.shell.terminal import count_text, print_json, print_note, printable, table

ROLES = ("search", "collect", "manage", "delete")  # as db.people.records, which need not be imported for --help
_DONE_HERE = "(terminal)"


@click.group(
    epilog="""\b
Examples:
  prismsearch people add anna --role collect      asks for the password
  prismsearch people role anna manage
  prismsearch people password anna                logs anna out everywhere
  prismsearch people list
  prismsearch people log
  prismsearch people remove anna

\b
Roles, each including those before it:
  search    search, play, a tray and saved searches of their own
  collect   edit the shared collections, export clips
  manage    index, run jobs, choose folders of this machine
  delete    remove videos and shared collections

\b
People log in to `prismsearch ui --listen HOST:PORT`. Without that option the page is for you alone, and
asks for none of this. docs/network.md has the rest.""",
)
def people() -> None:
    """Say who may use the library over a network, and see what they did."""


@people.command(
    epilog="""\b
Examples:
  prismsearch people add anna --role collect
  prismsearch people add anna --role collect < password.txt     its first line
  prismsearch people add anna --role manage --no-password       a reverse proxy says who it is""",
)
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the person may do.")
@click.option("--no-password", is_flag=True, help="No password: only a reverse proxy lets the person in.")
@with_settings
def add(settings: Settings, name: str, role: str, no_password: bool) -> None:
    """Add a person. The password is asked for at the terminal, or is the first line of standard input."""
    passwords = None if no_password else Passwords()
    with compose.open_library(settings, create=True) as library:
        if library.people.named(name) is not None:
            raise CommandError(f"there is already a person called {printable(name)}; choose another name", USAGE)
        hashed = None if passwords is None else passwords.hashed(ask_password(name))
        try:
            person = library.people.add(name, role, hashed)  # type: ignore[arg-type]  # click checked the role
        except ValueError as error:
            raise CommandError(str(error), USAGE) from error
        library.people.events.note("person added", f"{person.name}, {role}")
    click.echo(f"{printable(person.name)} was added, with the role {role}")


@people.command(
    name="list",
    epilog="""\b
Examples:
  prismsearch people list
  prismsearch people list --json""",
)
@json_option()
@with_settings
def list_people(settings: Settings, as_json: bool) -> None:
    """List people with their roles."""
    with compose.open_library(settings) as library:
        found = library.people.all()
    if as_json:
        print_json([dataclasses.asdict(person) for person in found])
    elif not found:
        print_note("nobody yet; prismsearch people add NAME --role ROLE adds a person")
    else:
        how = {True: "password", False: "proxy only"}
        rows = [(printable(each.name), each.role, how[each.has_password], each.created_at[:10]) for each in found]
        for line in table(rows, "<<<<", header=("name", "role", "logs in by", "since")):
            click.echo(line)


@people.command(
    epilog="""\b
Examples:
  prismsearch people remove anna
  prismsearch people remove anna --yes""",
)
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@with_settings
def remove(settings: Settings, name: str, yes: bool) -> None:
    """Remove a person, with the tray and the saved searches, and log the person out."""
    with compose.open_library(settings) as library, _known(name):
        clips, searches = library.people.owned(name)
        what = f"{count_text(clips, 'clip')} in the tray and {count_text(searches, 'saved search', 'saved searches')}"
        confirm(f"Remove {printable(name)}, with {what}?", yes=yes, refusal=f"this would remove {what}")
        library.people.remove(name)
        library.people.events.note("person removed", name)
    click.echo(f"{printable(name)} was removed, with {what}")


@people.command(
    epilog="""\b
Examples:
  prismsearch people role anna manage""",
)
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@with_settings
def role(settings: Settings, name: str, role: str) -> None:
    """Change what a person may do, at once."""
    with compose.open_library(settings) as library, _known(name):
        person = library.people.set_role(name, role)  # type: ignore[arg-type]  # click checked the role
        library.people.events.note("role changed", f"{person.name}, {role}")
    click.echo(f"{printable(person.name)} has the role {role} from now on")


@people.command(
    epilog="""\b
Examples:
  prismsearch people password anna
  prismsearch people password anna < password.txt     its first line""",
)
@click.argument("name")
@with_settings
def password(settings: Settings, name: str) -> None:
    """Change a person's password, and log the person out everywhere."""
    passwords = Passwords()
    with compose.open_library(settings) as library, _known(name):
        library.people.owned(name)  # before anything is asked
        person = library.people.set_password(name, passwords.hashed(ask_password(name)))
        library.people.events.note("password changed", person.name)
    click.echo(f"{printable(person.name)} has a new password, and is logged out everywhere")


@people.command(
    epilog="""\b
Examples:
  prismsearch people log
  prismsearch people log --count 500 --json

\b
The last 20,000 events are kept, and the last 5,000 log-ins that failed.""",
)
@click.option("--count", type=Whole(1, 25_000), default=50, help="Number of events, newest first; by default 50.")
@json_option()
@with_settings
def log(settings: Settings, count: int, as_json: bool) -> None:
    """Show who did what: log-ins, also failed ones, deletions, exports, jobs, changes of people."""
    with compose.open_library(settings) as library:
        found = library.people.events.latest(count)
    if as_json:
        print_json([dataclasses.asdict(event) for event in found])
        return
    for event in found:
        who = event.person or (_DONE_HERE if not event.address else "-")
        row = (_local_time(event.at), who, event.address or "-", event.action, event.detail)
        click.echo("  ".join(printable(each) for each in row if each))
    if not found:
        print_note("nothing yet")


@contextmanager
def _known(name: str) -> Iterator[None]:
    """Turn a KeyError, which says that there is no such person, into a CommandError."""
    try:
        yield
    except KeyError as error:
        raise CommandError(
            f"nobody is called {printable(name)}; prismsearch people list lists people", MISSING
        ) from error


def _local_time(at: str) -> str:
    with suppress(ValueError):  # of a damaged library
        at = datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return at
