"""The zip of an export's files: uncompressed, because video does not shrink, and renamed into place once complete."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app.exporting.ffmpeg_binary import ExportError
from app.exporting.manifest import FILE_NAME as MANIFEST_NAME
from app.exporting.manifest import Manifest, lock_manifest
from app.timelines.writing import FORMATS
from files.durability import remove
from files.sweep import sweep_folders

_PARTS = ".prismsearch-parts-"
_MAX_AGE_SECONDS = 14 * 24 * 3600.0
_BLOCK_BYTES = 1 << 20
_TEXT_SUFFIXES = frozenset(kind.suffix for kind in FORMATS.values())


def parts_folder(target: Path) -> Path:
    """Return the folder beside a zip that holds its clips until all are written.

    Its name depends only on that of the zip, so that an export can continue.
    """
    digest = hashlib.blake2b(os.fsencode(target.name), digest_size=6).hexdigest()
    return target.with_name(f"{_PARTS}{digest}")


def sweep_parts(target: Path) -> None:
    """Remove the parts of other zips not continued for two weeks."""
    own = parts_folder(target).name
    sweep_folders(target.parent, _PARTS, older_than_seconds=_MAX_AGE_SECONDS, keep={own})


@contextlib.contextmanager
def lock_parts(target: Path) -> Iterator[tuple[Path, Manifest]]:
    """Lock the parts of a zip for one export; yield their folder, created if it does not exist, and its manifest.

    Raises:
        ExportError: Another export writes this zip, or the folder cannot be created.
    """
    parts = parts_folder(target)
    with contextlib.suppress(FileExistsError):
        try:
            parts.mkdir(mode=0o700)
        except FileExistsError:
            raise
        except OSError as error:
            raise ExportError(f"the folder {parts} cannot be created: {error.strerror or error}") from error
    _require_own(parts)
    with lock_manifest(parts) as manifest:
        if manifest is None:
            raise ExportError(f"another export is writing {target} right now; wait for it, or name another zip")
        yield parts, manifest


def _require_own(parts: Path) -> None:
    """Raise ExportError unless the parts are a folder of ours: their name is known to all who may write beside them."""
    info = parts.lstat()
    if not stat.S_ISDIR(info.st_mode):
        raise ExportError(f"{parts} is a link or a file, and clips are never written through one; remove it")
    if hasattr(os, "geteuid") and info.st_uid != os.geteuid():
        raise ExportError(f"{parts} belongs to another user; write the zip into a folder of your own")


def remove_parts(parts: Path) -> None:
    """Remove the parts of an export whose zip is written. Never raises.

    The manifest goes last, so that as long as there is anything, the same export knows its zip.
    """
    with contextlib.suppress(OSError):
        for part in parts.iterdir():
            if part.name != MANIFEST_NAME:
                remove(part)
    shutil.rmtree(parts, ignore_errors=True)


def write_zip(
    files: Sequence[Path], target: Path, manifest: Manifest, key: str, cancelled: Callable[[], bool]
) -> Path | None:
    """Write files into one zip, unless the manifest of their folder knows that an earlier run wrote it.

    Returns:
        `target`, or the next free name (`all_2.zip`); None if cancelled.

    Raises:
        ExportError: The zip cannot be written.
    """

    def write(draft: Path) -> bool:
        with zipfile.ZipFile(draft, "x", zipfile.ZIP_STORED, allowZip64=True, strict_timestamps=False) as archive:
            return all(_add(archive, file, cancelled) for file in files)

    try:
        stamps = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
        digest = hashlib.blake2b(json.dumps(stamps).encode(), digest_size=16).hexdigest()
        return manifest.write_output(key, target.name, digest, write, target.parent)
    except OSError as error:
        raise ExportError(
            f"the zip cannot be written: {error.strerror or error} ({target.parent}); the clips are kept, and the "
            "same command continues from there"
        ) from error


def _add(archive: zipfile.ZipFile, file: Path, cancelled: Callable[[], bool]) -> bool:
    entry = zipfile.ZipInfo.from_file(file, file.name, strict_timestamps=False)
    entry.compress_type = zipfile.ZIP_DEFLATED if file.suffix.lower() in _TEXT_SUFFIXES else zipfile.ZIP_STORED
    with file.open("rb") as source, archive.open(entry, "w", force_zip64=True) as stream:
        while block := source.read(_BLOCK_BYTES):
            if cancelled():
                return False
            stream.write(block)
    return True
