"""The page for several people: who may reach it, and what stands before every route."""

from __future__ import annotations

import ipaddress
import shlex
import socket
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.passwords import Passwords
from app.shell.terminal import print_note, printable
from app.web.http.counts import Counts, CountsMiddleware
from app.web.http.health import HealthMiddleware
from app.web.http.login_page import LoginPage
from app.web.http.peers import Peers, is_address
from app.web.http.people_access import PeopleMiddleware
from app.web.http.security import HOSTS, SecurityMiddleware
from app.web.http.sign_in import SignInDesk
from app.web.pages.theme import DARK, LIGHT
from db.library import FILE_NAME

if TYPE_CHECKING:
    from starlette.middleware import Middleware

    from db.library import Library

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Where the page listens for several people, and who stands between.

    Attributes:
        host, port: Where it listens.
        names: Further host names that browsers know it by.
        proxies: Addresses of reverse proxies, or networks of them.
        header: The header in which they name the person; "" if they do not.
    """

    host: str
    port: int
    names: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    header: str = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names under which browsers may reach this server."""
        own = [*self.names, socket.gethostname(), *HOSTS, "[::1]"]
        if is_address(self.host):
            own.append(f"[{self.host}]" if ":" in self.host else self.host)
        return tuple(dict.fromkeys(each.lower() for each in own))

    @property
    def is_open(self) -> bool:
        """Whether other machines can connect."""
        with suppress(ValueError):
            return not ipaddress.ip_address(self.host).is_loopback
        return self.host.lower() != "localhost"


def require_people(library: Library, network: Network) -> None:
    """Return if anybody can log in.

    Raises:
        CommandError: Nobody can, so that the page would be of no use, or open.
    """
    people = library.people.all()
    if not any(each.has_password for each in people) and not (network.header and people):
        raise CommandError(
            "nobody can log in yet, so the page does not listen: prismsearch people add NAME --role ROLE adds a person",
            MISSING,
        )


def guards(library: Library, network: Network, inline_scripts: str) -> list[Middleware]:
    """Return what every request passes, in this order: counts, health, names and origins, the log-in.

    Raises:
        CommandError: The extra `server` is not installed.
    """
    from starlette.middleware import Middleware

    peers, counts = Peers(network.proxies), Counts()
    return [
        Middleware(CountsMiddleware, counts=counts, workers=library.workers if library.shared else None),
        Middleware(HealthMiddleware, ask=library.change_token),
        Middleware(
            SecurityMiddleware, hosts=network.hosts, inline_scripts=inline_scripts, peers=peers, any_address=True
        ),
        Middleware(
            PeopleMiddleware,
            desk=SignInDesk(library.people, Passwords().match, counts),
            page=LoginPage(LIGHT, DARK),
            peers=peers,
            library_id=library.id,
            header=network.header,
        ),
    ]


def print_reach(library: Library, network: Network) -> None:
    """Print where the page is, who can log in, and what is not protected."""
    shown = f"[{network.host}]" if ":" in network.host else network.host
    print_note(f"prismsearch listens on {shown}:{network.port} (Ctrl-C stops it)")
    people = library.people.all()
    named = ", ".join(f"{printable(each.name)} ({each.role})" for each in people[:_MOST_NAMED])
    more = f" and {len(people) - _MOST_NAMED} more" if len(people) > _MOST_NAMED else ""
    print_note(f"these can log in: {named}{more}")
    if network.is_open and not network.proxies:
        print_note(
            "passwords and pictures cross the network as they are: put a reverse proxy with TLS before it, "
            "and name it with --proxy (docs/network.md)"
        )
    if _is_open_to_others(library):
        print_note(
            "other users of this machine can read the library, hashes of passwords included: "
            f"chmod -R o= {printable(shlex.quote(str(library.directory)))}"
        )


def _is_open_to_others(library: Library) -> bool:
    """Return whether other users of this machine can read the library's database (not told of Windows)."""
    if library.shared or sys.platform == "win32":
        return False
    folder, file = library.directory, library.directory / FILE_NAME
    return bool(folder.stat().st_mode & stat.S_IXOTH and file.stat().st_mode & stat.S_IROTH)
