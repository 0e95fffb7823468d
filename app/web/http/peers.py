"""Origins of requests: the address of the connection, or what a reverse proxy of ours says of it.

Whoever connects can write any header, so those of proxies are read only from the addresses of ours.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from starlette.types import Scope

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SITE_BITS = 64  # of IPv6: whoever has one address has all of these


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of a request."""

    address: str
    secure: bool = False  # whether the browser's own connection has TLS
    is_proxy: bool = False  # whether one of our proxies passed it on


class Peers:
    """Tells who is at the other side of requests.

    Args:
        proxies: Addresses of our reverse proxies, or networks of them (`10.0.0.0/24`).

    Raises:
        ValueError: One is neither, or is every machine: then anybody could be believed to be anybody.
    """

    def __init__(self, proxies: Sequence[str] = ()) -> None:
        self._proxies = [ipaddress.ip_network(each) for each in proxies]
        for each in self._proxies:
            if not each.prefixlen:
                raise ValueError(f"{each} is every machine, so that anybody could claim to be anybody: name the proxy")

    def of(self, scope: Scope) -> Peer:
        """Return where a request comes from."""
        client = scope.get("client")
        direct = _address(client[0]) if client else None
        if direct is None or not self._is_proxy(direct):
            return Peer(str(direct or "unknown"))
        headers = Headers(scope=scope)
        secure = _listed(headers, "x-forwarded-proto")[-1:] == ["https"]
        # Each proxy adds the address that it saw at the end. What stands before those of ours may be anybody's words.
        for text in reversed(_listed(headers, "x-forwarded-for")):
            address = _address(text)
            if address is None:
                break
            if not self._is_proxy(address):
                return Peer(str(address), secure, is_proxy=True)
        return Peer(str(direct), secure, is_proxy=True)

    def _is_proxy(self, address: _Address) -> bool:
        return any(address in network for network in self._proxies)


def is_address(text: str) -> bool:
    """Return whether a text is the address of a machine, IPv4 or IPv6."""
    return _address(text) is not None


def site_of(address: str) -> str:
    """Return what an address shares with others that one machine may use: all of it, or the network part of IPv6."""
    found = _address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, _SITE_BITS), strict=False))
    return address


def _address(text: str) -> _Address | None:
    with suppress(ValueError):
        found = ipaddress.ip_address(text.strip())
        return getattr(found, "ipv4_mapped", None) or found
    return None


def _listed(headers: Headers, name: str) -> list[str]:
    return [part.strip() for value in headers.getlist(name) for part in value.split(",")]
