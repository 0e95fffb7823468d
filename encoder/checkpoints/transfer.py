"""One file over the network: ask the hub about it, then transfer it in a way that survives being stopped.

The bytes land beside the blobs of huggingface_hub's cache under a name of their own, are checked there, and only then
become a blob; so a file in the cache is a file that was right when it came. A transfer that broke, by a cut or by kill
-9, goes on where it stopped (the client's own does so only while the process lives).
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoder.checkpoints import verified
from encoder.config import Published
from encoder.errors import ModelNotFound, WeightsMismatch

PROBE_SECONDS = 3.0
_ATTEMPTS = 5  # in a row that bring nothing
_PAUSE_SECONDS = 0.5  # before the second attempt; doubles
_TIMEOUT_SECONDS = 15.0  # without a single byte


@dataclass(frozen=True, slots=True)
class Download:
    """How far a transfer is."""

    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Remote:
    """What the hub says about a file before it is transferred."""

    url: str
    revision: str  # as asked for
    commit: str
    etag: str
    size_bytes: int

    @property
    def sha256(self) -> str | None:
        """The hub names large files by their sha256; small ones by a git hash, which says nothing to us."""
        return self.etag if re.fullmatch(r"[0-9a-f]{64}", self.etag) else None


def ask(published: Published, revision: str, *, endpoint: str | None) -> Remote:
    """One HEAD request, given up after `PROBE_SECONDS` in all. Raises OSError, or huggingface_hub's own errors."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(published.repo, published.file, revision=revision, endpoint=endpoint)
    answer: list[Any] = []

    def request() -> None:
        try:
            answer.append(get_hf_file_metadata(url, timeout=PROBE_SECONDS * 0.8, endpoint=endpoint))
        except Exception as error:  # noqa: BLE001 - handed over to the caller's thread and raised there
            answer.append(error)

    # In a thread, because looking up a name may take longer than any timeout that can be given.
    thread = threading.Thread(target=request, name="hub-probe", daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    if not answer:
        raise TimeoutError(f"no answer within {PROBE_SECONDS:.0f} s")
    found = answer[0]
    if isinstance(found, _http_error()) and not isinstance(found, OSError):
        raise ConnectionError(str(found) or type(found).__name__) from found
    if isinstance(found, Exception):
        raise found
    if not found.etag or not found.commit_hash or found.size is None or not re.fullmatch(r"[\w.-]+", found.etag):
        raise ConnectionError(f"{url} was answered, but not by a hub: no commit, ETag or size")
    return Remote(url, revision, found.commit_hash, found.etag, found.size)


def download(
    published: Published,
    remote: Remote,
    cache: Path,
    *,
    endpoint: str | None,
    progress: Callable[[Download], None] | None,
    expected: str | None,
) -> Path:
    """Transfer, check, and put into the cache. Returns the path there.

    expected: the sha256 it must have; None takes the one that the hub names. Raises ModelNotFound when it breaks off,
    WeightsMismatch when what came is not what was promised.
    """
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError
    from huggingface_hub.file_download import repo_folder_name
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]  # loaded lazily there

    storage = cache / repo_folder_name(repo_id=published.repo, repo_type="model")
    blob = storage / "blobs" / remote.etag
    partial = blob.with_name(f"{blob.name}.prismsearch.incomplete")
    lock = cache / ".locks" / storage.name / f"{blob.name}.prismsearch.lock"
    try:
        for folder in (blob.parent, lock.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if blob.exists():  # another process was faster, or only the link to it was lost
                _check(published, blob, expected or remote.sha256)
            else:
                _transfer(published.file, remote, partial, progress)
                _check(published, partial, expected or remote.sha256)
                partial.replace(blob)
        # The blob is there, so this makes only the link and the note which commit the revision is.
        path = hf_hub_download(
            published.repo,
            published.file,
            revision=remote.revision,
            cache_dir=cache,
            endpoint=endpoint,
            etag_timeout=constants.HF_HUB_ETAG_TIMEOUT,
        )
        return Path(path)
    except (_http_error(), EntryNotFoundError) as error:
        raise ModelNotFound(
            f"{published.file} came, but the hub could not be asked again: {error}; try again"
        ) from error
    except OSError as error:
        raise ModelNotFound(
            f"{published.file} could not be written to {blob.parent}: {error}. Make room there, or set HF_HOME to "
            "another disk, and run the same command again"
        ) from error


def _transfer(name: str, remote: Remote, partial: Path, progress: Callable[[Download], None] | None) -> None:
    """Bring `partial` to its full size, from where it is. Raises ModelNotFound, OSError (disk)."""
    done = partial.stat().st_size if partial.exists() else 0
    if done > remote.size_bytes:
        partial.unlink()
        done = 0
    free = shutil.disk_usage(partial.parent).free
    if free < remote.size_bytes - done:
        missing = remote.size_bytes - done
        raise ModelNotFound(
            f"{name} needs {missing:,} bytes more, but {partial.parent} has only {free:,} free. Make room there, or "
            "set HF_HOME to another disk, and run the same command again"
        )
    failures = 0
    while done < remote.size_bytes:
        before, problem = done, "the connection ended early"
        try:
            done = _stream(name, remote, partial, done, progress)
        except _http_error() as error:
            problem = str(error) or type(error).__name__
            done = partial.stat().st_size if partial.exists() else 0
        failures = 0 if done > before else failures + 1
        if failures >= _ATTEMPTS:
            raise ModelNotFound(
                f"{name}: the transfer broke off after {done:,} of {remote.size_bytes:,} bytes ({problem}). What came "
                "is kept; run the same command again to go on from there"
            )
        if done < remote.size_bytes:
            time.sleep(_PAUSE_SECONDS * 2**failures if failures else 0.0)


def _stream(name: str, remote: Remote, partial: Path, done: int, progress: Callable[[Download], None] | None) -> int:
    """One request, from byte `done` on; returns how many bytes there are now. Raises the client's errors, OSError."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    session = get_session()
    with session.stream(
        "GET", remote.url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_SECONDS
    ) as response:
        hf_raise_for_status(response)
        resumed = response.status_code == 206 and f"bytes {done}-" in response.headers.get("Content-Range", "")
        if not resumed:
            done = 0
        with partial.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_bytes():  # as they come: a larger unit would be lost at a cut
                file.write(chunk)
                done += len(chunk)
                if done > remote.size_bytes:
                    break  # it will not pass the check
                if progress is not None:
                    progress(Download(name, done, remote.size_bytes))
            file.flush()
            os.fsync(file.fileno())
    return done


def _check(published: Published, partial: Path, expected: str | None) -> None:
    """Raises WeightsMismatch, and takes away what came, when it is not the promised file."""
    if expected is None:
        return
    found = verified.sha256_of(partial)
    if found != expected:
        partial.unlink(missing_ok=True)
        raise WeightsMismatch(
            f"what came as {published.file} of {published.repo} has sha256 {found}, not {expected}. It was deleted; "
            "run the same command again, and if that repeats, the file was replaced at its source or changed on the way"
        )


def _http_error() -> type[Exception]:
    """The base of what the client's HTTP library raises (httpx, or httpx2 since huggingface_hub 2)."""
    from huggingface_hub.errors import HfHubHTTPError

    return next(c for c in HfHubHTTPError.__mro__ if c.__name__ == "HTTPError")
