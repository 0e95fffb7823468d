"""`ui --listen` never opens a page by accident, and what it needs is said in one line."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from click.testing import CliRunner, Result
from people_page import add_person
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.cli import main
from app.shell.errors import CommandError
from app.web import server
from app.web.address import host_and_port, listen
from app.web.http.health import HealthMiddleware
from app.web.http.peers import Peers
from app.web.http.security import SecurityMiddleware
from app.web.network import Network, print_reach
from db.library import FILE_NAME, Library


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    Library.open(tmp_path / "library").close()
    return tmp_path / "library"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """Stands in for the server: what is listened on, and for whom."""
    run = MagicMock()
    monkeypatch.setattr(server, "_run", run)
    monkeypatch.setattr(server, "make_app", MagicMock())
    monkeypatch.setattr(server, "load_pages", MagicMock())
    monkeypatch.setattr(server, "raise_open_files_limit", MagicMock())
    return run


def ui(*options: str) -> Result:
    return CliRunner().invoke(main, ["ui", *options])


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "[::1]"])
def test_while_nobody_can_log_in_it_does_not_listen(library: Path, served: MagicMock, host: str) -> None:
    refused = ui("--listen", f"{host}:{free_port()}")
    assert (refused.exit_code, refused.output.count("\n")) == (3, 1)
    assert "nobody can log in yet" in refused.stderr
    assert "prismsearch people add NAME --role ROLE" in refused.stderr
    with Library.open(library) as opened:
        opened.people.add("Anna", "delete", None)
    assert ui("--listen", f"{host}:{free_port()}").exit_code == 3, "no proxy says who is Anna"
    assert not served.called


def test_it_listens_for_people_with_a_password_or_whom_a_proxy_names(library: Path, served: MagicMock) -> None:
    with Library.open(library) as opened:
        opened.people.add("Anna", "delete", None)
    came = ui("--listen", f"127.0.0.1:{free_port()}", "--proxy", "127.0.0.1", "--person-header", "X-Remote-User")
    assert came.exit_code == 0, came.output
    with Library.open(library) as opened:
        add_person(opened, "Bo", "delete")
    assert ui("--listen", f"127.0.0.1:{free_port()}").exit_code == 0
    assert served.call_count == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "8501"], "HOST:PORT"),
        (["--listen", "0.0.0.0:0"], "HOST:PORT"),
        (["--listen", "0.0.0.0:99999"], "HOST:PORT"),
        (["--listen", ":8501"], "HOST:PORT"),
        (["--listen", "::1:8501"], "brackets"),
        (["--listen", "0.0.0.0:8501", "--port", "8502"], "names the port"),
        (["--listen", "0.0.0.0:8501", "--no-token"], "do not go with --listen"),
        (["--listen", "0.0.0.0:8501", "--proxy", "proxy.example"], "proxy.example"),
        (["--listen", "0.0.0.0:8501", "--person-header", "X-User"], "needs --proxy"),
        (["--listen", "0.0.0.0:8501", "--proxy", "0.0.0.0/0", "--person-header", "X-User"], "every machine"),
        (["--listen", "0.0.0.0:8501", "--proxy", "::1", "--person-header", "X User"], "name of a header"),
        (["--person-header", "X-User"], "belong to --listen"),
        (["--proxy", "10.0.0.1"], "belong to --listen"),
        (["--host-name", "search.example"], "belong to --listen"),
    ],
)
def test_options_that_contradict_each_other(library: Path, served: MagicMock, options: list[str], said: str) -> None:
    with Library.open(library) as opened:
        add_person(opened, "Anna", "delete")
    refused = ui(*options)
    assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
    assert not served.called


def test_without_the_option_the_page_is_for_this_machine_and_asks_nobody(library: Path, served: MagicMock) -> None:
    with Library.open(library) as opened:
        add_person(opened, "Anna", "delete")
    addresses: list[str] = []
    served.side_effect = lambda _, listening: addresses.append(listening.getsockname()[0])
    assert ui("--no-browser", "--port", str(free_port())).exit_code == 0
    [call] = server.make_app.call_args_list  # type: ignore[attr-defined]
    assert call.kwargs.get("network") is None
    assert call.kwargs["access"] is not None
    assert addresses == ["127.0.0.1"]


def test_addresses_to_listen_on() -> None:
    assert host_and_port("[::]:8501") == ("::", 8501)
    assert host_and_port("search.example:80") == ("search.example", 80)
    for host in ("127.0.0.1", "localhost"):
        with listen(free_port(), host) as found:
            assert found.getsockname()[0] == "127.0.0.1"
    for host in ("198.51.100.1", "no.such.host.invalid"):
        with pytest.raises(CommandError, match="no address of this machine"):
            listen(free_port(), host)


def test_names_that_browsers_know_the_page_by() -> None:
    network = Network(host="::1", port=8501, names=("Search.Example",))
    assert {"search.example", "[::1]", "localhost", socket.gethostname().lower()} <= set(network.hosts)
    assert "0.0.0.0" in Network(host="0.0.0.0", port=1).hosts
    here, everywhere = ("127.0.0.1", "::1", "localhost"), ("0.0.0.0", "::", "10.0.0.1", "search.example")
    assert not any(Network(host=each, port=1).is_open for each in here)
    assert all(Network(host=each, port=1).is_open for each in everywhere)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("search.example", 404),
        ("10.0.0.7:8501", 404),
        ("[2001:db8::7]:8501", 404),
        ("[2001:db8::7]", 404),
        ("evil.example", 400),
        ("[::1]:x", 400),
        ("10.0.0.7.evil.example", 400),
        ("[evil.example]", 400),
        ("", 400),
    ],
)
def test_addresses_and_known_names_are_answered_and_no_others(host: str, status: int) -> None:
    guard = Middleware(SecurityMiddleware, hosts=["search.example"], peers=Peers(), any_address=True)
    client = TestClient(Starlette(middleware=[guard]))
    assert client.get("/", headers={"Host": host}).status_code == status


def test_what_is_said_at_the_start(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Library.open(library) as opened:
        for number in range(7):
            add_person(opened, f"p{number}", "search")
        print_reach(opened, Network(host="::", port=8501))
        said = capsys.readouterr().err.splitlines()
        assert said[0] == "prismsearch listens on [::]:8501 (Ctrl-C stops it)"
        assert said[1] == "these can log in: p0 (search), p1 (search), p2 (search), p3 (search), p4 (search) and 2 more"
        assert "TLS" in said[2]
        for safe in (Network(host="::", port=1, proxies=("10.0.0.1",)), Network(host="127.0.0.1", port=1)):
            print_reach(opened, safe)
            assert "TLS" not in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="has no such permissions")
@pytest.mark.parametrize(
    ("folder", "file", "told"), [(0o755, 0o644, True), (0o750, 0o644, False), (0o755, 0o640, False)]
)
def test_it_says_that_others_of_this_machine_can_read_the_hashes(
    library: Path, capsys: pytest.CaptureFixture[str], folder: int, file: int, told: bool
) -> None:
    with Library.open(library) as opened:
        library.chmod(folder)
        (library / FILE_NAME).chmod(file)
        print_reach(opened, Network(host="127.0.0.1", port=1))
        assert (f"chmod -R o= {library}" in capsys.readouterr().err) is told


def test_health_is_told_to_everybody_and_nothing_else() -> None:
    well = [True]

    def ask() -> None:
        if not well[0]:
            raise OSError("/secret/place")

    guards = [Middleware(HealthMiddleware, ask=ask), Middleware(SecurityMiddleware)]
    client = TestClient(Starlette(middleware=guards), base_url="http://10.1.2.3")
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert client.post(path).status_code == 400
    well[0] = False
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready\n")
    assert client.get("/healthz/x").status_code == client.get("/").status_code == 400


def test_host_names_and_proxies_can_come_from_the_environment(
    library: Path, served: MagicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As compose.yaml has them from .env, where they may be empty."""
    with Library.open(library) as opened:
        add_person(opened, "Ann")
    made = MagicMock()
    monkeypatch.setattr(server, "make_app", made)
    for given, names, proxies in (
        ("", (), ()), ("search.example.org 172.18.0.1", ("search.example.org", "172.18.0.1"), ("172.18.0.1",) * 2)
    ):  # fmt: skip
        monkeypatch.setenv("PRISMSEARCH_HOST_NAMES", given)
        monkeypatch.setenv("PRISMSEARCH_PROXIES", " ".join(proxies))
        assert ui("--listen", f"127.0.0.1:{free_port()}").exit_code == 0
        network = made.call_args.kwargs["network"]
        assert (network.names, network.proxies) == (names, proxies)
    assert ui("--no-browser", "--port", str(free_port())).exit_code == 0, "they do not concern a page for one person"
    monkeypatch.setenv("PRISMSEARCH_PROXIES", "nonsense")
    refused = ui("--listen", f"127.0.0.1:{free_port()}")
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)
