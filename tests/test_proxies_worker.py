"""The worker that makes proxies goes on whatever happens to one of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.web.services import proxies as proxies_module
from app.web.services.proxies import Proxies, ProxyRange
from app.web.services.proxy_making import ProxyTimes


def a_range(key: str) -> ProxyRange:
    return ProxyRange(key=key, path="gone.mp4", start=Fraction(0), end=Fraction(1), clock_jumps=False)


def made(program: str, path: str, start: Fraction, end: Fraction, target: Path, **_: Any) -> ProxyTimes:
    target.write_bytes(b"proxy")
    return ProxyTimes(offset_seconds=start, duration_seconds=end - start)


def test_an_error_of_the_clean_up_costs_no_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = Proxies(tmp_path / "proxies", limit_bytes=1)
    monkeypatch.setattr(proxies_module, "make_proxy", made)

    def denied(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", denied)
        for key in ("a", "b"):
            proxies.request(a_range(key))
            assert proxies.wait(a_range(key), 10).state == "ready"
    proxies.stop()


def test_an_error_of_our_own_is_said_of_that_proxy_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    proxies = Proxies(tmp_path / "proxies")
    monkeypatch.setattr(proxies_module, "make_proxy", made)
    with monkeypatch.context() as patched:
        patched.setattr(proxies_module, "remove", lambda path: 1 / 0)
        proxies.request(a_range("a"))
        told = proxies.wait(a_range("a"), 10)
        assert (told.state, "ZeroDivisionError" in (told.error or "")) == ("failed", True)
        assert "Traceback" in caplog.text
    proxies.request(a_range("b"))
    assert proxies.wait(a_range("b"), 10).state == "ready"
    proxies.stop()
