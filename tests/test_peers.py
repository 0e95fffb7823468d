"""Where a request comes from: what a proxy of ours says, and nothing that anybody else writes."""

from __future__ import annotations

import pytest

from app.web.http.peers import Peer, Peers, is_address, site_of


def seen(client: str, proxies: list[str], **headers: str) -> Peer:
    told = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Peers(proxies).of({"type": "http", "client": (client, 1), "headers": told})


def test_without_a_proxy_it_is_the_other_side_of_the_connection() -> None:
    assert seen("203.0.113.9", [], x_forwarded_for="1.1.1.1", x_forwarded_proto="https") == Peer("203.0.113.9")
    assert seen("::ffff:203.0.113.9", []) == Peer("203.0.113.9")
    assert seen("not an address", ["0.0.0.0/1"]) == Peers(()).of({"type": "http", "headers": []}) == Peer("unknown")


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.2", "10.0.0.1"),
        ("2001:db8::7", "2001:db8::7"),
        ("", "10.0.0.1"),
        ("nonsense", "10.0.0.1"),
        ("203.0.113.9, nonsense", "10.0.0.1"),
        ("203.0.113.9:4711", "10.0.0.1"),
    ],
)
def test_behind_proxies_it_is_what_the_outermost_of_ours_saw(forwarded: str, address: str) -> None:
    peer = seen("10.0.0.1", ["10.0.0.0/30"], x_forwarded_for=forwarded)
    assert peer == Peer(address, is_proxy=True)


@pytest.mark.parametrize(
    ("proto", "secure"), [("https", True), ("http", False), ("https, http", False), ("http, https", True), ("", False)]
)
def test_the_browsers_own_connection_is_secure_if_the_last_proxy_says_so(proto: str, secure: bool) -> None:
    assert seen("10.0.0.1", ["10.0.0.1"], x_forwarded_proto=proto).secure is secure


def test_proxies_are_addresses_or_networks() -> None:
    for wrong in ("proxy.example", "10.0.0.1/24", "10.0.0", "", "0.0.0.0/0", "::/0"):
        with pytest.raises(ValueError, match=r".+"):
            Peers([wrong])
    assert seen("fd00::1", ["fd00::/8"]).is_proxy


def test_what_addresses_share() -> None:
    assert site_of("10.0.0.7") == "10.0.0.7"
    assert site_of("2001:db8::1") == site_of("2001:db8::ffff") == "2001:db8::/64"
    assert site_of("unknown") == "unknown"
    assert [is_address(each) for each in ("10.0.0.1", "::1", "localhost", "")] == [True, True, False, False]
