"""Proxies of stretches that a browser cannot play: made one at a time when asked for, kept within a limit.

    <library>/proxies/KEY.mp4, KEY.json (what it shows), .draft-TOKEN.mp4 (being written)

The key is the content and the range, so a moved or renamed video keeps its proxies. Those used longest ago go first.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.exporting.ffmpeg_binary import ExportError, find_ffmpeg
from app.web.services.proxy_making import Made, Stopped, make_proxy
from files.replace import replace_file
from files.sweep import sweep_files

if TYPE_CHECKING:
    from db.records import Segment, Video

LIMIT_BYTES = 2 << 30
AROUND_SECONDS = 10
_MOST_WAITING = 16
_FAILED_SECONDS = 20.0
_STALE_SECONDS = 3600.0
_DRAFT = ".draft-"
_VERSION = "1"  # another one whenever proxies are made differently


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What a proxy is made of: seconds from the first frame shown."""

    key: str
    path: str
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyState:
    """ready: `offset` and `duration` are known; failed: `error` says why; none: nobody asked, or it had to go."""

    state: Literal["ready", "making", "failed", "none"]
    progress: float = 0.0
    offset: float = 0.0  # seconds of the source at which the proxy's time 0 is
    duration: float = 0.0
    error: str | None = None


def stretch_around(segment: Segment, video: Video) -> Stretch:
    """The segment and AROUND_SECONDS on either side, as far as the video goes."""
    around = round(AROUND_SECONDS / video.time_base)
    start = max(video.start_pts, segment.start_pts - around)
    end = min(video.end_pts, segment.end_pts + around)
    words = f"{_VERSION} {video.fingerprint} {start} {end}"
    return Stretch(
        key=hashlib.blake2b(words.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest(),
        path=video.path,
        start=(start - video.start_pts) * video.time_base,
        end=(end - video.start_pts) * video.time_base,
    )


class Proxies:
    """One of these a server; safe from several threads, and beside other servers over the same folder."""

    def __init__(
        self,
        directory: Path,
        *,
        ffmpeg: str | None = None,
        limit_bytes: int = LIMIT_BYTES,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.directory = directory
        self._ffmpeg = ffmpeg
        self._limit = limit_bytes
        self._now = now
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, Stretch] = OrderedDict()
        self._making: str | None = None
        self._progress = 0.0
        self._failed: dict[str, tuple[str, float]] = {}
        self._stopped = False
        self._worker: threading.Thread | None = None

    def file(self, stretch: Stretch) -> Path:
        """Where the finished proxy lies, or would. Looking it up counts as use."""
        path = self.directory / f"{stretch.key}.mp4"
        with suppress(OSError):  # the time of reading only: the other one tells browsers whether it is the same file
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        return path

    def ask(self, stretch: Stretch) -> ProxyState:
        """Begin to make it, where it is not there; the last one asked for comes first. Not what just failed."""
        known = self.look(stretch)
        if known.state in ("ready", "failed"):
            return known
        with self._changed:
            if self._making != stretch.key and not self._stopped:
                self._waiting[stretch.key] = stretch
                self._waiting.move_to_end(stretch.key)
                while len(self._waiting) > _MOST_WAITING:
                    self._waiting.popitem(last=False)
                if self._worker is None:
                    self._worker = threading.Thread(target=self._work, name="proxies", daemon=True)
                    self._worker.start()
                self._changed.notify_all()
        return self.look(stretch)

    def look(self, stretch: Stretch) -> ProxyState:
        """How far it is. Begins nothing."""
        with self._changed:
            if self._making == stretch.key:
                return ProxyState(state="making", progress=round(self._progress, 4))
            if stretch.key in self._waiting:
                return ProxyState(state="making")
            error, until = self._failed.get(stretch.key, ("", 0.0))
            if error and self._now() < until:
                return ProxyState(state="failed", error=error)
        return self._ready(stretch)

    def stop(self) -> None:
        """End what is being made and take no more. Waits until ffmpeg is gone."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            worker = self._worker
            self._changed.notify_all()
        if worker is not None:
            worker.join(10)

    def wait(self, stretch: Stretch, seconds: float) -> ProxyState:
        """Until it is no longer being made, at most so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._making != stretch.key and stretch.key not in self._waiting, timeout=seconds
            )
        return self.look(stretch)

    def _ready(self, stretch: Stretch) -> ProxyState:
        try:
            told = json.loads((self.directory / f"{stretch.key}.json").read_text("utf-8"))
            offset, duration = float(told["offset"]), float(told["duration"])
            if not self.file(stretch).is_file():
                return ProxyState(state="none")
        except (OSError, ValueError, KeyError, TypeError):
            return ProxyState(state="none")
        return ProxyState(state="ready", progress=1.0, offset=offset, duration=duration)

    def _work(self) -> None:
        # An older draft is what a killed server left; a younger one may be another server's.
        sweep_files(self.directory, _DRAFT, older_than_seconds=_STALE_SECONDS)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._waiting)
                if self._stopped:
                    return
                key, stretch = self._waiting.popitem()
                self._making, self._progress = key, 0.0
            error = self._make(stretch)
            with self._changed:
                self._making = None
                if error is not None:
                    self._failed = {k: v for k, v in self._failed.items() if v[1] > self._now()}
                    self._failed[key] = (error, self._now() + _FAILED_SECONDS)
                self._changed.notify_all()

    def _make(self, stretch: Stretch) -> str | None:
        """The reason why there is none, None where it was made or stopped."""
        from indexer.media.errors import UnreadableVideo

        draft = self.directory / f"{_DRAFT}{secrets.token_hex(8)}.mp4"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            made = make_proxy(
                find_ffmpeg(self._ffmpeg),
                stretch.path,
                stretch.start,
                stretch.end,
                draft,
                progress=self._tell,
                cancelled=lambda: self._stopped,
            )
            self._publish(stretch, made, draft)
        except Stopped:
            return None
        except UnreadableVideo as error:
            return error.reason
        except ExportError as error:
            return f"No copy for the browser could be made: {error}."
        except OSError as error:
            return f"No copy for the browser could be kept: {error.strerror or error} ({self.directory})."
        except Exception as error:  # noqa: BLE001 - the worker must live on for the next one
            return f"No copy for the browser could be made ({type(error).__name__}: {error})."
        finally:
            draft.unlink(missing_ok=True)
        return None

    def _tell(self, progress: float) -> None:
        self._progress = progress

    def _publish(self, stretch: Stretch, made: Made, draft: Path) -> None:
        told = {"offset": float(made.offset_seconds), "duration": float(made.duration_seconds)}
        notes = self.directory / f"{stretch.key}.json"
        replace_file(notes, json.dumps(told).encode(), draft=draft.with_suffix(".json"))
        os.replace(draft, self.directory / f"{stretch.key}.mp4")
        self._keep_within_limit(stretch.key)

    def _keep_within_limit(self, newest: str) -> None:
        """Remove those used longest ago until the rest fits; the newest stays whatever its size."""
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
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
            total -= size
