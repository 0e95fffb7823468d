"""Proxies of videos that browsers cannot play: made on demand, one at a time, and kept within a size limit.

    <library>/proxies/KEY.mp4, KEY.json (what it shows), .draft-TOKEN.mp4 (being written)

The key is derived from content and range, so a moved or renamed video keeps its proxies. The least recently used are
removed first.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.exporting.continuous_source import remove_copies, write_continuous_source
from app.exporting.ffmpeg_binary import ExportError, find_ffmpeg
from app.media_workers import ReadMedia, read_here
from app.web.services.proxy_making import ProxyCancelled, ProxyTimes, make_proxy
from files.durability import create_empty, remove
from files.json_file import read_json
from files.replace import move_over, replace_file
from files.sweep import sweep_files

if TYPE_CHECKING:
    from db.records import Segment, Video

_log = logging.getLogger(__name__)

LIMIT_BYTES = 2 << 30
AROUND_SECONDS = 10
_MAX_WAITING = 16
_RETRY_SECONDS = 20.0
_STALE_SECONDS = 3600.0
_DRAFT = ".draft-"
_VERSION = "2"  # increase it whenever proxies are made differently


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRange:
    """The range of a video that a proxy covers: seconds from the first frame shown."""

    key: str
    path: str
    start: Fraction
    end: Fraction
    clock_jumps: bool | None  # see Video.clock_jumps


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyState:
    """ready: `offset` and `duration` are set. failed: `error` says why. none: not requested yet, or removed since."""

    state: Literal["ready", "making", "failed", "none"]
    progress: float = 0.0
    offset: float = 0.0  # seconds of the source at the proxy's time 0
    duration: float = 0.0
    error: str | None = None


def proxy_range(segment: Segment, video: Video) -> ProxyRange:
    """Return the range of the segment with AROUND_SECONDS on either side, within the video."""
    around = round(AROUND_SECONDS / video.time_base)
    start = max(video.start_pts, segment.start_pts - around)
    end = min(video.end_pts, segment.end_pts + around)
    words = f"{_VERSION} {video.content_hash or video.fingerprint} {start} {end}"
    return ProxyRange(
        key=hashlib.blake2b(words.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest(),
        path=video.path,
        start=(start - video.start_pts) * video.time_base,
        end=(end - video.start_pts) * video.time_base,
        clock_jumps=video.clock_jumps,
    )


class Proxies:
    """The proxies of one server. Thread-safe, and safe beside other servers over the same folder.

    Args:
        directory: Folder of the proxies, created with the first one.
        ffmpeg: Program to use; None to find one.
        limit_bytes: Total size of the proxies kept; the newest stays regardless of its size.
        read: Calls the functions that read videos.
        now: Clock for failures, in seconds.
    """

    def __init__(
        self,
        directory: Path,
        *,
        ffmpeg: str | None = None,
        limit_bytes: int = LIMIT_BYTES,
        read: ReadMedia = read_here,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.directory = directory
        self._ffmpeg = ffmpeg
        self._limit = limit_bytes
        self._read = read
        self._now = now
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, ProxyRange] = OrderedDict()
        self._making: str | None = None
        self._progress = 0.0
        self._failed: dict[str, tuple[str, float]] = {}
        self._stopped = False
        self._worker: threading.Thread | None = None

    def file(self, proxy_range: ProxyRange) -> Path:
        """Return the path of the finished proxy, which may not exist. Counts as a use of it."""
        path = self.directory / f"{proxy_range.key}.mp4"
        with suppress(OSError):  # only the access time, because the ETag is derived from the modification time
            os.utime(path, ns=(time.time_ns(), path.lstat().st_mtime_ns), follow_symlinks=False)
        return path

    def request(self, proxy_range: ProxyRange) -> ProxyState:
        """Request the proxy, unless it is ready or has just failed; the latest request is served first."""
        known = self.state(proxy_range)
        if known.state in ("ready", "failed"):
            return known
        with self._changed:
            if self._making != proxy_range.key and not self._stopped:
                self._waiting[proxy_range.key] = proxy_range
                self._waiting.move_to_end(proxy_range.key)
                while len(self._waiting) > _MAX_WAITING:
                    self._waiting.popitem(last=False)
                if self._worker is None:
                    self._worker = threading.Thread(target=self._work, name="proxies", daemon=True)
                    self._worker.start()
                self._changed.notify_all()
        return self.state(proxy_range)

    def state(self, proxy_range: ProxyRange) -> ProxyState:
        """Return the state of the proxy. Starts nothing."""
        with self._changed:
            if self._making == proxy_range.key:
                return ProxyState(state="making", progress=round(self._progress, 4))
            if proxy_range.key in self._waiting:
                return ProxyState(state="making")
            error, until = self._failed.get(proxy_range.key, ("", 0.0))
            if error and self._now() < until:
                return ProxyState(state="failed", error=error)
        return self._ready(proxy_range)

    def stop(self) -> None:
        """Cancel the proxy in progress and accept no more. Returns when ffmpeg has ended, after at most 10 s."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            worker = self._worker
            self._changed.notify_all()
        if worker is not None:
            worker.join(10)

    def wait(self, proxy_range: ProxyRange, seconds: float) -> ProxyState:
        """Wait until the proxy is no longer being made, at most `seconds`, and return its state."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._making != proxy_range.key and proxy_range.key not in self._waiting, timeout=seconds
            )
        return self.state(proxy_range)

    def _ready(self, proxy_range: ProxyRange) -> ProxyState:
        try:
            content = read_json(self.directory / f"{proxy_range.key}.json", follow_links=False)
            offset, duration = float(content["offset"]), float(content["duration"])
            if not self.file(proxy_range).is_file():
                return ProxyState(state="none")
        except (OSError, ValueError, KeyError, TypeError):
            return ProxyState(state="none")
        return ProxyState(state="ready", progress=1.0, offset=offset, duration=duration)

    def _work(self) -> None:
        # An older draft was left by a killed server; a newer one may be another server's.
        sweep_files(self.directory, _DRAFT, older_than_seconds=_STALE_SECONDS)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._waiting)
                if self._stopped:
                    return
                key, proxy_range = self._waiting.popitem()
                self._making, self._progress = key, 0.0
            error: str | None
            try:
                error = self._make(proxy_range)
            except Exception as problem:  # noqa: BLE001  the worker must survive for the next one
                _log.exception("a proxy could not be made or cleaned up after")
                error = f"A copy for the browser could not be made ({type(problem).__name__}: {problem})."
            with self._changed:
                self._making = None
                if error is not None:
                    self._failed = {k: v for k, v in self._failed.items() if v[1] > self._now()}
                    self._failed[key] = (error, self._now() + _RETRY_SECONDS)
                self._changed.notify_all()

    def _make(self, proxy_range: ProxyRange) -> str | None:
        """Return the reason for a failure, or None if the proxy was made or cancelled."""
        from indexer.media.errors import UnreadableVideo

        draft = self.directory / f"{_DRAFT}{secrets.token_hex(8)}.mp4"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            create_empty(draft)
            start, end, jumps = proxy_range.start, proxy_range.end, proxy_range.clock_jumps
            path, moved = self._read(
                write_continuous_source,
                proxy_range.path,
                start,
                end,
                draft,
                clock_jumps=jumps,
                path=proxy_range.path,
            )
            made = make_proxy(
                find_ffmpeg(self._ffmpeg),
                path,
                start - moved,
                end - moved,
                draft,
                progress=self._set_progress,
                cancelled=lambda: self._stopped,
                read=self._read,
            )
            self._publish(proxy_range, replace(made, offset_seconds=made.offset_seconds + moved), draft)
        except ProxyCancelled:
            return None
        except UnreadableVideo as error:
            return error.reason
        except ExportError as error:
            return f"A copy for the browser could not be made: {error}."
        except OSError as error:
            return f"A copy for the browser could not be stored: {error.strerror or error} ({self.directory})."
        finally:
            remove(draft)
            remove_copies(draft)
        return None

    def _set_progress(self, progress: float) -> None:
        self._progress = progress

    def _publish(self, proxy_range: ProxyRange, made: ProxyTimes, draft: Path) -> None:
        content = {"offset": float(made.offset_seconds), "duration": float(made.duration_seconds)}
        notes = self.directory / f"{proxy_range.key}.json"
        replace_file(notes, json.dumps(content).encode(), draft=draft.with_suffix(".json"))
        move_over(draft, self.directory / f"{proxy_range.key}.mp4")
        self._keep_within_limit(proxy_range.key)

    def _keep_within_limit(self, newest: str) -> None:
        """Remove the least recently used proxies until the rest fits; the newest stays regardless of its size."""
        files = []
        for path in self.directory.glob("*.mp4"):
            with suppress(OSError):
                if not path.name.startswith(_DRAFT):
                    info = path.stat()
                    files.append((path.stem == newest, info.st_atime_ns, info.st_size, path))
        files.sort()
        total = sum(size for _, _, size, _ in files)
        for keep, _, size, path in files:
            if total <= self._limit or keep:
                return
            remove(path)
            remove(path.with_suffix(".json"))
            total -= size
