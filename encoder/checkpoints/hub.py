"""Files of the Hugging Face Hub: found on this machine or downloaded into the hub's ordinary cache, and verified.

This does more than the client, huggingface_hub 2.4, which by measurement accepts a damaged file of the right size,
starts again at zero after the process was stopped, and takes 23 s to report that there is no network.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from encoder.checkpoints import verified
from encoder.checkpoints.transfer import DownloadProgress, RemoteFile, download, probe
from encoder.config import ALIASES, CONFIGS, HubFile
from encoder.errors import ModelNotFound, WeightsMismatch

Confirm = Callable[[str], bool]
OnProgress = Callable[[DownloadProgress], None]

SMALL_BYTES = 10_000_000
"""Files up to this size are downloaded without consent: vocabularies are smaller, weights are not."""

_SIZE_TOLERANCE = 0.05  # relative to the size in `HubFile`, if no checksum is known
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileNotOnHub(ModelNotFound):
    """The hub has no such repository, revision or file."""


@dataclass(frozen=True, slots=True)
class _Locations:
    """The folders that are searched and written, and the hub."""

    models: Path  # see `models_folder`
    cache: Path  # huggingface_hub's cache
    endpoint: str | None


def models_folder(models: Path | None = None) -> Path:
    """Return the folder for manually downloaded weights, records of verified files and converted copies.

    Args:
        models: The folder, if one was chosen; None for the standard one among huggingface_hub's assets.
    """
    if models is not None:
        return models
    from huggingface_hub import constants

    return Path(constants.HF_ASSETS_CACHE) / "prismsearch"


def fetch(
    hub_file: HubFile,
    *,
    confirm: Confirm | None = None,
    offline: bool | None = None,
    models: Path | None = None,
    on_progress: OnProgress | None = None,
    cache_dir: Path | None = None,
    endpoint: str | None = None,
) -> Path:
    """Return the local path of a verified file; download it if this machine does not have it.

    The models folder is searched first, then the cache; then both for the file's other form. A file found there is read
    in full once and recorded as verified; later calls compare only its size and time.

    Args:
        hub_file: The file.
        confirm: Called with a sentence before a file above `SMALL_BYTES` is downloaded; returns whether to go on. None
            declines.
        offline: Whether downloads are switched off; None follows HF_HUB_OFFLINE.
        models: The models folder; None for the standard one, see `models_folder`.
        on_progress: Called as bytes arrive.
        cache_dir: The cache of huggingface_hub; None follows HF_HOME.
        endpoint: The address of the hub; None follows HF_ENDPOINT.

    Raises:
        ModelNotFound: The file is not on this machine and cannot or may not be downloaded. FileNotOnHub if the hub has
            no such file.
        WeightsMismatch: The file's checksum or size is not the expected one.
    """
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
    locations = _Locations(models_folder(models), Path(cache_dir or constants.HF_HUB_CACHE), endpoint)
    kept = _record_path(hub_file, locations)
    record = verified.read_record(kept)
    here = _found(hub_file, locations, deletable=True)
    if here is None and hub_file.other_form is not None:
        with contextlib.suppress(WeightsMismatch):  # then this one is fetched
            here = _found(hub_file.other_form, locations, deletable=False)
    if here is not None:
        return here

    if constants.HF_HUB_OFFLINE if offline is None else offline:
        raise ModelNotFound(*_advice(hub_file, locations, "HF_HUB_OFFLINE is set"))
    revision = record.commit if record and record.commit and not hub_file.sha256 else hub_file.revision
    remote = _probe(hub_file, revision, locations)
    size = remote.size_bytes
    if size > SMALL_BYTES:
        if confirm is None:
            raise ModelNotFound(*_advice(hub_file, locations, "nobody was asked to download it"))
        message = f"{hub_file.file} ({_size(size)}, {hub_file.licence}) will be downloaded from {hub_file.repo}"
        unknown = hub_file.sha256 is None and record is None
        note = "; its checksum is not known beforehand: the hub's own is taken, and kept" if unknown else ""
        if not confirm(f"{message} into {locations.cache}{note}"):
            raise ModelNotFound(*_advice(hub_file, locations, "the download was declined"))
    expected = hub_file.sha256 or (record.digest if record else None)
    path = download(
        hub_file, remote, locations.cache, endpoint=locations.endpoint, on_progress=on_progress, expected=expected
    )
    verified.write_record(
        kept, verified.VerifiedFile.of(path, expected or remote.sha256 or verified.sha256_of(path), remote.commit)
    )
    return path


def _record_path(hub_file: HubFile, locations: _Locations) -> Path:
    return verified.record_path(locations.models, f"{hub_file.repo}/{hub_file.file}".replace("/", "--"))


def _found(hub_file: HubFile, locations: _Locations, *, deletable: bool) -> Path | None:
    """Return a verified file of this machine, or None. Raise WeightsMismatch; delete a damaged one if `deletable`."""
    kept = _record_path(hub_file, locations)
    record = verified.read_record(kept)
    if record and record.is_current(Path(record.path)) and hub_file.sha256 in (None, record.digest):
        return Path(record.path)
    by_hand = _by_hand(hub_file, locations)
    if by_hand.is_file():
        return _accept(by_hand, hub_file, record, kept, deletable=False)
    cached = _cached(hub_file, record, locations)
    return None if cached is None else _accept(cached, hub_file, record, kept, deletable=deletable)


def _cached(hub_file: HubFile, record: verified.VerifiedFile | None, locations: _Locations) -> Path | None:
    """Return the file in the hub's cache: from the commit used before, else from the revision."""
    from huggingface_hub import try_to_load_from_cache

    for revision in (record.commit if record else None, hub_file.revision):
        if revision is None:
            continue
        found = try_to_load_from_cache(hub_file.repo, hub_file.file, cache_dir=locations.cache, revision=revision)
        if isinstance(found, str) and Path(found).is_file():
            return Path(found)
    return None


def _accept(
    path: Path, hub_file: HubFile, record: verified.VerifiedFile | None, kept: Path, *, deletable: bool
) -> Path:
    """Verify a local file by reading it in full, and record that. Raise WeightsMismatch."""
    blob = path.resolve()  # the cache names large files by their sha256
    named = blob.name if _SHA256.fullmatch(blob.name) else None
    wanted = hub_file.sha256 or (record.digest if record else None)
    size = blob.stat().st_size
    if wanted is None and named is None and _unlikely(size, hub_file.size_bytes):
        raise WeightsMismatch(
            f"{path} has {size:,} bytes, but {hub_file.file} has about {hub_file.size_bytes:,}; it was cut short or "
            "is another file. Remove it and fetch the model again"
        )
    try:
        found = verified.sha256_of(blob)
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error}") from error
    if deletable and wanted is None and verified.matches_etag(blob, blob.name) is False:
        raise WeightsMismatch(f"{path} was damaged: it is not what the hub calls {blob.name}. {_delete(path, blob)}")
    if deletable and named is not None and found != named:
        raise WeightsMismatch(f"{path} was damaged: its sha256 is {found}, not {named}. {_delete(path, blob)}")
    if wanted is not None and found != wanted:
        if deletable and named is None:
            raise WeightsMismatch(
                f"{path} is not {hub_file.file}: its sha256 is {found}, not {wanted}. {_delete(path, blob)}"
            )
        pinned = "" if hub_file.sha256 else f" as it was when first used here (to accept the new one, remove {kept})"
        raise WeightsMismatch(
            f"{path} is not {hub_file.file}{pinned}: its sha256 is {found}, not {wanted}. Put the right file there, "
            "or remove it and fetch the model again"
        )
    commit = path.parent.name if deletable and re.fullmatch(r"[0-9a-f]{40}", path.parent.name) else None
    verified.write_record(kept, verified.VerifiedFile.of(path, found, commit))
    return path


def _unlikely(size: int, stated: int) -> bool:
    return bool(stated) and abs(size - stated) > _SIZE_TOLERANCE * stated


def _delete(pointer: Path, blob: Path) -> str:
    """Delete a damaged file from the cache, so that the next run downloads it again; return a sentence about it."""
    try:
        for path in (pointer, blob):
            path.unlink(missing_ok=True)
    except OSError as error:
        return f"It could not be deleted ({error}): delete it by hand, then run the same command again"
    return "It was deleted; run the same command again to download it again"


def _probe(hub_file: HubFile, revision: str, locations: _Locations) -> RemoteFile:
    """Query the hub about the file, for at most about three seconds. Raise ModelNotFound."""
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        return probe(hub_file, revision, endpoint=locations.endpoint)
    except (EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        first = str(error).strip().splitlines()[0]
        raise FileNotOnHub(*_advice(hub_file, locations, f"the hub does not have it ({_short(first)})")) from error
    except OSError as error:
        raise ModelNotFound(
            *_advice(hub_file, locations, f"the hub cannot be reached ({_short(error.strerror or str(error))})")
        ) from error


def _by_hand(hub_file: HubFile, locations: _Locations) -> Path:
    """Return the path for a manual download. File names common to many repositories get a folder per repository."""
    shared = hub_file.shared_name
    return locations.models / hub_file.repo / hub_file.file if shared else locations.models / hub_file.file


def _advice(hub_file: HubFile, locations: _Locations, why: str) -> tuple[str, str]:
    """Return the arguments of ModelNotFound: what is missing, why and the first thing to do; and what else helps."""
    full = next((name for name, config in CONFIGS.items() if config.weights == hub_file), "")
    alias = next((a for a, name in ALIASES.items() if name == full), full)
    size = f" ({_size(hub_file.size_bytes)})" if hub_file.size_bytes else ""
    what = f"the model {alias}{size}" if alias else f"{hub_file.file} of {hub_file.repo}"
    # `fetch-model` gets VideoPrism files; those of others come when they are used.
    known = not hub_file.shared_name
    get = f"get it with prismsearch fetch-model {alias}".rstrip() if known else "run this once with a connection"
    return (
        f"{what} is not on this machine: {why}; {get} (more: prismsearch doctor)",
        f"copy {hub_file.file}{size} of {hub_file.repo} to {_by_hand(hub_file, locations)}; or copy a Hugging Face "
        "cache that has it and set HF_HOME" + (f"; or {hub_file.instead}" if hub_file.instead else ""),
    )


def _short(reason: str, most: int = 40) -> str:
    return reason if len(reason) <= most else f"{reason[:most].rstrip()}..."


def _size(size_bytes: int) -> str:
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.2f} GB"
    return f"{size_bytes / 1e6:.1f} MB"
