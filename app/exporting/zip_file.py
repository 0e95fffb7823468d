"""The zip of an export's files: uncompressed, because video does not shrink, and renamed into place once complete."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from app.exporting.ffmpeg_binary import ExportError
from app.timelines.writing import FORMATS
from files.durability import remove
from files.publish import DRAFT_PREFIX, publish
from files.sweep import sweep_folders

_PARTS = ".prismsearch-parts-"
_MAX_AGE_SECONDS = 14 * 24 * 3600.0
_BLOCK_BYTES = 1 << 20
_TEXT_SUFFIXES = frozenset(kind.suffix for kind in FORMATS.values())


def parts_folder(target: Path) -> Path:
    """Return the folder beside a zip that holds its clips until all are written.

    Its name depends only on that of the zip, so that an export can continue.
    """
    return target.with_name(f"{_PARTS}{_digest(target)}")


def _digest(target: Path) -> str:
    return hashlib.blake2b(os.fsencode(target.name), digest_size=6).hexdigest()


def sweep_parts(folder: Path, keep: Path) -> None:
    """Remove the parts of exports not continued for two weeks, except `keep`."""
    sweep_folders(folder, _PARTS, older_than_seconds=_MAX_AGE_SECONDS, keep={keep.name})


def write_zip(files: Sequence[Path], target: Path, cancelled: Callable[[], bool]) -> Path | None:
    """Write files into one zip.

    Returns:
        `target`, or the next free name (`all_2.zip`); None if cancelled.

    Raises:
        ExportError: The zip cannot be written.
    """
    draft = target.with_name(f"{DRAFT_PREFIX}{_digest(target)}")  # overwrites the draft of a killed run
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED, allowZip64=True, strict_timestamps=False) as archive:
            for file in files:
                if not _add(archive, file, cancelled):
                    return None
        return publish(draft, target.parent, target.name)
    except OSError as error:
        raise ExportError(
            f"the zip cannot be written: {error.strerror or error} ({target.parent}); the clips are kept, and the same "
            "command goes on from there"
        ) from error
    finally:
        remove(draft)


def _add(archive: zipfile.ZipFile, file: Path, cancelled: Callable[[], bool]) -> bool:
    entry = zipfile.ZipInfo.from_file(file, file.name, strict_timestamps=False)
    entry.compress_type = zipfile.ZIP_DEFLATED if file.suffix.lower() in _TEXT_SUFFIXES else zipfile.ZIP_STORED
    with file.open("rb") as source, archive.open(entry, "w", force_zip64=True) as stream:
        while block := source.read(_BLOCK_BYTES):
            if cancelled():
                return False
            stream.write(block)
    return True
