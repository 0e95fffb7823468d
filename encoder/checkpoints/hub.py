"""Published files, from the Hugging Face Hub into its ordinary cache: found, announced, downloaded, checked.

What is done here and not left to the client (measured with huggingface_hub 2.4): it accepts a damaged file of the right
size, starts again at zero after the process was stopped, and takes 23 s to say that there is no network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from encoder.checkpoints import verified
from encoder.checkpoints.transfer import Download, Remote, ask, download
from encoder.config import ALIASES, CONFIGS, Published
from encoder.errors import ModelNotFound, WeightsMismatch

Announce = Callable[[str], bool]
Progress = Callable[[Download], None]

SMALL_BYTES = 10_000_000
"""Up to here a file is fetched without asking first; a vocabulary is, weights never are."""

_SIZE_TOLERANCE = 0.05
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileNotPublished(ModelNotFound):
    """The hub was reached, and the repository or the file is not there."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where files are looked for and put."""

    models: Path  # the user's own folder; receipts live below it
    cache: Path  # huggingface_hub's
    endpoint: str | None


def models_folder(local_dir: Path | None = None) -> Path:
    """Where weights may be put by hand, and where receipts and converted weights are kept."""
    if local_dir is not None:
        return local_dir
    from huggingface_hub import constants

    return Path(constants.HF_ASSETS_CACHE) / "prismsearch"


def fetch(
    published: Published,
    *,
    announce: Announce | None = None,
    offline: bool | None = None,
    local_dir: Path | None = None,
    progress: Progress | None = None,
    cache_dir: Path | None = None,
    endpoint: str | None = None,
) -> Path:
    """The path of a published file, verified; downloaded where it is not on this machine yet.

    announce: is told what is about to be downloaded, and agrees or not. Without it nothing above 10 MB is downloaded.
    offline: None follows HF_HUB_OFFLINE. local_dir: the models folder, see `models_folder`. cache_dir, endpoint: None
    follows HF_HOME and HF_ENDPOINT.

    Raises ModelNotFound (FileNotPublished where the hub answered that it has no such file), WeightsMismatch.
    """
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
    places = _Places(models_folder(local_dir), Path(cache_dir or constants.HF_HUB_CACHE), endpoint)
    kept = verified.place(places.models, f"{published.repo}/{published.file}".replace("/", "--"))
    receipt = verified.read(kept)
    if receipt and receipt.holds(Path(receipt.path)) and published.sha256 in (None, receipt.digest):
        return Path(receipt.path)

    by_hand = _by_hand(published, places)
    if by_hand.is_file():
        return _accept(by_hand, published, receipt, kept, deletable=False)
    cached = _cached(published, receipt, places)
    if cached is not None:
        return _accept(cached, published, receipt, kept, deletable=True)

    if constants.HF_HUB_OFFLINE if offline is None else offline:
        raise ModelNotFound(_advice(published, places, "downloading is switched off (HF_HUB_OFFLINE)"))
    revision = receipt.commit if receipt and receipt.commit and not published.sha256 else published.revision
    remote = _ask(published, revision, places)
    size = remote.size_bytes
    if size > SMALL_BYTES:
        if announce is None:
            raise ModelNotFound(_advice(published, places, f"it is {_size(size)}, and nobody was asked"))
        message = f"{published.file} ({_size(size)}, {published.licence}) will be downloaded from {published.repo}"
        if not announce(f"{message} into {places.cache}"):
            raise ModelNotFound(_advice(published, places, "the download was declined"))
    expected = published.sha256 or (receipt.digest if receipt else None)
    path = download(published, remote, places.cache, endpoint=places.endpoint, progress=progress, expected=expected)
    verified.write(kept, verified.about(path, expected or remote.sha256 or verified.sha256_of(path), remote.commit))
    return path


def _cached(published: Published, receipt: verified.Receipt | None, places: _Places) -> Path | None:
    """The file in the hub's cache: the commit that was used before, else what the revision points to."""
    from huggingface_hub import try_to_load_from_cache

    for revision in (receipt.commit if receipt else None, published.revision):
        if revision is None:
            continue
        found = try_to_load_from_cache(published.repo, published.file, cache_dir=places.cache, revision=revision)
        if isinstance(found, str) and Path(found).is_file():
            return Path(found)
    return None


def _accept(path: Path, published: Published, receipt: verified.Receipt | None, kept: Path, *, deletable: bool) -> Path:
    """Read a file that is already here in full, once, and remember that it is right. Raises WeightsMismatch."""
    blob = path.resolve()  # the cache names big files by their sha256
    named = blob.name if _SHA256.fullmatch(blob.name) else None
    wanted = published.sha256 or (receipt.digest if receipt else None)
    size = blob.stat().st_size
    if wanted is None and named is None and _unlikely(size, published.size_bytes):
        raise WeightsMismatch(
            f"{path} has {size:,} bytes, but {published.file} has about {published.size_bytes:,}; it was cut short or "
            "is another file. Remove it and fetch the model again"
        )
    try:
        found = verified.sha256_of(blob)
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error}") from error
    if deletable and named is not None and found != named:
        raise WeightsMismatch(f"{path} was damaged: its sha256 is {found}, not {named}. {_delete(path, blob)}")
    if wanted is not None and found != wanted:
        if deletable and named is None:
            raise WeightsMismatch(
                f"{path} is not {published.file}: its sha256 is {found}, not {wanted}. {_delete(path, blob)}"
            )
        pinned = "" if published.sha256 else f" as it was when first used here (to accept the new one, remove {kept})"
        raise WeightsMismatch(
            f"{path} is not {published.file}{pinned}: its sha256 is {found}, not {wanted}. Put the right file there, "
            "or remove it and fetch the model again"
        )
    commit = path.parent.name if deletable and re.fullmatch(r"[0-9a-f]{40}", path.parent.name) else None
    verified.write(kept, verified.about(path, found, commit))
    return path


def _unlikely(size: int, about: int) -> bool:
    return bool(about) and abs(size - about) > _SIZE_TOLERANCE * about


def _delete(pointer: Path, blob: Path) -> str:
    """Take a damaged file out of the cache, so that the next run fetches it anew; says what became of it."""
    try:
        for path in (pointer, blob):
            path.unlink(missing_ok=True)
    except OSError as error:
        return f"It could not be deleted ({error}): delete it by hand, then run the same command again"
    return "It was deleted; run the same command again to fetch it anew"


def _ask(published: Published, revision: str, places: _Places) -> Remote:
    """What the hub says about the file, within about three seconds. Raises ModelNotFound."""
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        return ask(published, revision, endpoint=places.endpoint)
    except (EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        first = str(error).strip().splitlines()[0]
        raise FileNotPublished(_advice(published, places, f"the hub does not have it ({first})")) from error
    except OSError as error:
        raise ModelNotFound(_advice(published, places, f"the hub cannot be reached ({error})")) from error


def _by_hand(published: Published, places: _Places) -> Path:
    """Where a person may put the file. Names that many repositories use stand below the repository's own."""
    ours = published.size_bytes > 0
    return places.models / published.file if ours else places.models / published.repo / published.file


def _advice(published: Published, places: _Places, why: str) -> str:
    size = f" ({_size(published.size_bytes)})" if published.size_bytes else ""
    alias = next((a for a, name in ALIASES.items() if CONFIGS[name].weights == published), "")
    command = f"prismsearch fetch-model {alias}".rstrip()
    return (
        f"{published.file}{size} of {published.repo} is not on this machine, and {why}. Where there is a network, run "
        f"`{command}`; or copy the file to {_by_hand(published, places)}; or copy a Hugging Face cache that has it and "
        "set HF_HOME; or name a file with --encoder PATH. `--encoder demo` needs no download"
    )


def _size(size_bytes: int) -> str:
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.2f} GB"
    return f"{size_bytes / 1e6:.1f} MB"
