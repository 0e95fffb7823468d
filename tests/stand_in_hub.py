"""A stand-in for the Hugging Face Hub on loopback: what `encoder.checkpoints.hub` asks, and ways to fail."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from encoder.config import HubFile

COMMIT = "c0ffee" + "0" * 34


@dataclass
class StandInHub:
    """Files by (repo, name), how to misbehave, and what was asked."""

    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    commit: str = COMMIT
    cut_after: list[int] = field(default_factory=list)  # one GET each: close the connection after so many bytes
    hold_seconds: float = 0.0  # before such a cut, without a byte
    too_many: int = 0  # bytes sent beyond the size that was stated
    sent: int = 0  # bytes of files
    ignore_ranges: bool = False
    corrupt: bool = False  # send other bytes of the same number
    small_files: bool = False  # name files by a git hash, as the hub does for what is not in LFS
    etags: list[str] = field(default_factory=list)  # one answer each: the ETag instead of a digest
    seconds_a_chunk: float = 0.0
    redirect: bool = False  # send those who want the bytes to another host, as the hub does for large files
    silent: bool = False  # accept connections and never answer
    status: int | None = None  # answer everything with this
    requests: list[str] = field(default_factory=list)
    tokens: list[tuple[str, str | None]] = field(default_factory=list)  # path, Authorization
    endpoint: str = ""

    def publish(
        self, content: bytes, *, repo: str = "org/model", file: str = "weights.npz", pinned: bool = False
    ) -> HubFile:
        self.files[(repo, file)] = content
        return HubFile(repo, file, len(content), sha256=hashlib.sha256(content).hexdigest() if pinned else None)

    def asked(self, method: str) -> list[str]:
        return [line for line in self.requests if line.startswith(method)]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: StandInHub

    def log_message(self, *arguments: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, *, with_body: bool) -> None:
        hub = self.hub
        wanted = self.headers.get("Range")
        hub.requests.append(f"{self.command} {self.path}" + (f" {wanted}" if wanted else ""))
        hub.tokens.append((self.path, self.headers.get("Authorization")))
        if hub.silent:
            time.sleep(10)
            return
        if hub.status is not None:
            self._refuse(hub.status)
            return
        match = re.fullmatch(r"(?:/cdn)?/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)", self.path)
        if not match or not any(repo == match["repo"] for repo, _ in hub.files):
            self._refuse(404, "RepoNotFound")
            return
        content = hub.files.get((match["repo"], match["file"]))
        if content is None:
            self._refuse(404, "EntryNotFound")
            return
        if match["revision"] not in ("main", hub.commit):
            self._refuse(404, "RevisionNotFound")
            return
        digest = hashlib.sha1(b"blob %d\0" % len(content) + content) if hub.small_files else hashlib.sha256(content)
        name = hub.etags.pop(0) if hub.etags else digest.hexdigest()
        if wanted and self.headers.get("If-Range") not in (None, f'"{name}"'):
            wanted = None
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and not hub.ignore_ranges else 0
        elsewhere = hub.redirect and not self.path.startswith("/cdn/")
        if elsewhere:
            self.send_response(302)
            self.send_header("Location", f"{hub.endpoint.replace('127.0.0.1', 'localhost')}/cdn{self.path}")
        else:
            self.send_response(206 if start else 200)
        if start and not elsewhere:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", f'"{name}"')
        self.send_header("X-Repo-Commit", hub.commit)
        if not hub.small_files:
            self.send_header("X-Linked-Etag", f'"{name}"')
            self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header(
            "Content-Length", "0" if elsewhere else str(len(content) - start + (hub.too_many if with_body else 0))
        )
        self.end_headers()
        if with_body and not elsewhere:
            self._send(content, start)

    def _send(self, content: bytes, start: int) -> None:
        hub = self.hub
        if hub.corrupt:
            content = bytes(byte ^ 1 for byte in content)
        content += bytes(hub.too_many)
        end = min(len(content), start + hub.cut_after.pop(0)) if hub.cut_after else len(content)
        step = 64 * 1024
        for position in range(start, end, step):
            try:
                self.wfile.write(content[position : min(position + step, end)])
            except ConnectionError:  # the client has had enough
                self.close_connection = True
                return
            hub.sent += min(step, end - position)
            if hub.seconds_a_chunk:
                self.wfile.flush()
                time.sleep(hub.seconds_a_chunk)
        if end < len(content):
            time.sleep(hub.hold_seconds)
            self.close_connection = True


@contextmanager
def stand_in_hub() -> Iterator[StandInHub]:
    """A hub that runs until the block ends; its address is `endpoint`."""
    hub = StandInHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
