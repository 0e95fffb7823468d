"""Download of one file from the hub: a probe for its metadata, then a transfer that can be resumed.

The bytes are written beside the blobs of huggingface_hub's cache under a temporary name, verified, and only then
renamed to a blob, so that files in the cache were correct on arrival. An interrupted transfer, even by kill -9, resumes
where it stopped (the client's own transfer resumes only within its process).
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from encoder.checkpoints import verified
from encoder.config import HubFile
from encoder.errors import ModelNotFound, WeightsMismatch

PROBE_SECONDS = 3.0
_ATTEMPTS = 5  # consecutive ones without a new byte
_PAUSE_SECONDS = 1.0  # before the second attempt; doubles
_NAME = re.compile(r"\w[\w.-]*", re.ASCII)  # an ETag and a commit become names of files
_TIMEOUT_SECONDS = 15.0  # without a single byte


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """The progress of a transfer: bytes received, and bytes in total."""

    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """The hub's metadata of a file."""

    url: str  # of this commit, so that every request is for the same version
    revision: str  # as requested: a branch or a commit
    commit: str
    etag: str
    size_bytes: int

    @property
    def sha256(self) -> str | None:
        """The sha256 of a large file, from its ETag; None for small files, whose ETag is a git hash."""
        return self.etag if re.fullmatch(r"[0-9a-f]{64}", self.etag) else None


def probe(hub_file: HubFile, revision: str, *, endpoint: str | None) -> RemoteFile:
    """Request a file's metadata from the hub with one HEAD request.

    Args:
        hub_file: The file.
        revision: A branch or commit of its repository.
        endpoint: The address of the hub; None for the standard one.

    Raises:
        OSError: No response within `PROBE_SECONDS`, no connection, or the response of another kind of server.
        huggingface_hub.errors.HfHubHTTPError: The hub refused; subclasses mean that the repository, revision or file
            does not exist.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(hub_file.repo, hub_file.file, revision=revision, endpoint=endpoint)
    answer: list[Any] = []

    def request() -> None:
        try:
            answer.append(get_hf_file_metadata(url, timeout=PROBE_SECONDS * 0.8, endpoint=endpoint))
        except Exception as error:  # noqa: BLE001 - handed over to the caller's thread and raised there
            answer.append(error)

    # In a thread, because resolving a host name may take longer than any timeout that the client accepts.
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
    if (
        not found.etag
        or not found.commit_hash
        or found.size is None
        or not all(map(_NAME.fullmatch, (found.etag, found.commit_hash)))
    ):
        raise ConnectionError(f"what answered is not a hub: no commit, ETag or size at {url}")
    pinned = hf_hub_url(hub_file.repo, hub_file.file, revision=found.commit_hash, endpoint=endpoint)
    return RemoteFile(pinned, revision, found.commit_hash, found.etag, found.size)


def download(
    hub_file: HubFile,
    remote: RemoteFile,
    cache: Path,
    *,
    endpoint: str | None,
    on_progress: Callable[[DownloadProgress], None] | None,
    expected: str | None,
) -> Path:
    """Download a file, check it and put it into the cache.

    Args:
        hub_file: The file.
        remote: Its metadata, from `probe`.
        cache: The folder of huggingface_hub's cache.
        endpoint: The address of the hub; None for the standard one.
        on_progress: Called as bytes arrive.
        expected: The expected sha256; None for the one stated by the hub.

    Returns:
        The path in the cache.

    Raises:
        ModelNotFound: The transfer failed, or the disk is full or not writable.
        WeightsMismatch: The downloaded file has another size or checksum.
    """
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError
    from huggingface_hub.file_download import repo_folder_name
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]  # loaded lazily there

    storage = cache / repo_folder_name(repo_id=hub_file.repo, repo_type="model")
    blob = storage / "blobs" / remote.etag
    partial = blob.with_name(f"{blob.name}.prismsearch.incomplete")
    lock = cache / ".locks" / storage.name / f"{blob.name}.prismsearch.lock"
    try:
        for folder in (blob.parent, lock.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if blob.exists():  # another process was faster, or only the link was lost
                _check(hub_file, blob, remote, expected)
            else:
                _transfer(hub_file.file, remote, partial, on_progress)
                _check(hub_file, partial, remote, expected)
                partial.replace(blob)
        # The blob exists, so this only creates the link and notes the revision's commit.
        path = hf_hub_download(
            hub_file.repo,
            hub_file.file,
            revision=remote.revision,
            cache_dir=cache,
            endpoint=endpoint,
            etag_timeout=constants.HF_HUB_ETAG_TIMEOUT,
        )
        if remote.commit not in Path(path).parts:
            raise _replaced(hub_file.file)
        return Path(path)
    except (_http_error(), EntryNotFoundError) as error:
        raise ModelNotFound(
            f"{hub_file.file} came, but the hub could not be asked again: {error}; try again"
        ) from error
    except OSError as error:
        raise ModelNotFound(
            f"{hub_file.file} could not be written to {blob.parent}: {error}. Free some space there, or set HF_HOME to "
            "another disk, and run the same command again"
        ) from error


def _transfer(
    name: str, remote: RemoteFile, partial: Path, on_progress: Callable[[DownloadProgress], None] | None
) -> None:
    """Extend `partial` to the full size, resuming where it ends. Raise ModelNotFound, or OSError from the disk."""
    if os.path.lexists(partial) and not _is_ours(partial.lstat()):
        partial.unlink()
    done = partial.stat().st_size if partial.exists() else 0
    if done > remote.size_bytes:
        partial.unlink()
        done = 0
    free = shutil.disk_usage(partial.parent).free
    if free < remote.size_bytes - done:
        missing = remote.size_bytes - done
        raise ModelNotFound(
            f"{name} needs {missing:,} bytes more, but {partial.parent} has only {free:,} free. Free some space "
            "there, or set HF_HOME to another disk, and run the same command again"
        )
    failures = 0
    while done < remote.size_bytes:
        before, problem = done, "the connection ended early"
        try:
            done = _stream(name, remote, partial, done, on_progress)
        except _http_error() as error:
            problem = str(error) or type(error).__name__
            done = partial.stat().st_size if partial.exists() else 0
        failures = 0 if done > before else failures + 1
        if failures >= _ATTEMPTS:
            raise ModelNotFound(
                f"{name}: the transfer broke off after {done:,} of {remote.size_bytes:,} bytes ({problem}). What came "
                "is kept; run the same command again to go on from there"
            )
        if failures:
            time.sleep(_PAUSE_SECONDS * 2 ** (failures - 1))


def _stream(
    name: str, remote: RemoteFile, partial: Path, done: int, on_progress: Callable[[DownloadProgress], None] | None
) -> int:
    """Append the response to one request from byte `done` on; return the new size. Raise errors of the client."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
        if remote.sha256 is None:  # nothing tells mixed versions afterwards (another host may name them otherwise)
            headers["If-Range"] = f'"{remote.etag}"'
    session = get_session()
    with session.stream(
        "GET", remote.url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_SECONDS
    ) as response:
        hf_raise_for_status(response)
        etag = response.headers.get("ETag", "").removeprefix("W/").strip('"')
        if remote.sha256 is None and not response.history and etag not in ("", remote.etag):
            partial.unlink(missing_ok=True)
            raise _replaced(name)
        resumed = response.status_code == 206 and f"bytes {done}-" in response.headers.get("Content-Range", "")
        if not resumed:
            done = 0
        with _open_partial(partial, resumed=resumed) as file:
            for chunk in response.iter_bytes():  # in network chunks: larger ones would lose more on a disconnect
                file.write(chunk)
                done += len(chunk)
                if done > remote.size_bytes:
                    break  # it will fail the check
                if on_progress is not None:
                    on_progress(DownloadProgress(name, done, remote.size_bytes))
            file.flush()
            os.fsync(file.fileno())
    return done


def _open_partial(partial: Path, *, resumed: bool) -> BinaryIO:
    """Open a partial file to append to or start over: its name is predictable, so a file of another user is refused."""
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(partial, flags, 0o666), "wb")
    if not _is_ours(os.fstat(file.fileno())):
        file.close()
        raise FileExistsError(errno.EEXIST, "it belongs to another user", str(partial))
    if resumed:
        file.seek(0, os.SEEK_END)
    else:
        file.truncate(0)
    return file


def _is_ours(info: os.stat_result) -> bool:
    """Return whether this is the status of a regular file under one name, made by this user."""
    own = not hasattr(os, "geteuid") or info.st_uid == os.geteuid()
    return stat.S_ISREG(info.st_mode) and info.st_nlink == 1 and own


def _check(hub_file: HubFile, path: Path, remote: RemoteFile, expected: str | None) -> None:
    """Raise WeightsMismatch, and delete the file, if its size or its checksum is not the expected one."""
    wanted = expected or remote.sha256
    size = path.stat().st_size
    if size != remote.size_bytes:
        wrong = f"{size:,} bytes, not {remote.size_bytes:,}"
    elif wanted is not None and (found := verified.sha256_of(path)) != wanted:
        wrong = f"sha256 {found}, not {wanted}"
    elif wanted is None and verified.matches_etag(path, remote.etag) is False:
        wrong = f"other content than its ETag {remote.etag} names"
    else:
        return
    path.unlink(missing_ok=True)
    raise WeightsMismatch(
        f"what came as {hub_file.file} of {hub_file.repo} has {wrong}. It was deleted; run the same command again, and "
        "if that repeats, the file was replaced at its source or changed on the way"
    )


def _replaced(name: str) -> WeightsMismatch:
    return WeightsMismatch(f"{name} was replaced at its source during the download; run the same command again")


def _http_error() -> type[Exception]:
    """Return the base of the errors of the client's HTTP library (httpx, or httpx2 since huggingface_hub 2)."""
    from huggingface_hub.errors import HfHubHTTPError

    return next(c for c in HfHubHTTPError.__mro__ if c.__name__ == "HTTPError")
