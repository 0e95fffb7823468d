"""One zip of finished files: stored, not squeezed, because video does not shrink; whole under its name or not there."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from app.exporting.ffmpeg_binary import ExportError
from files.durability import remove
from files.publish import DRAFT_PREFIX, publish
from files.sweep import sweep_folders

_PARTS = ".prismsearch-parts-"
_KEPT_SECONDS = 14 * 24 * 3600.0
_BLOCK_BYTES = 1 << 20
_TEXTS = frozenset({".csv", ".json", ".edl", ".xml", ".fcpxml", ".otio"})


def parts_folder(target: Path) -> Path:
    """Where the clips of a zip wait beside it until all are cut: always the same, so that an export can go on."""
    return target.with_name(f"{_PARTS}{_digest(target)}")


def _digest(target: Path) -> str:
    return hashlib.blake2b(os.fsencode(target.name), digest_size=6).hexdigest()


def sweep_parts(folder: Path, keep: Path) -> None:
    """Remove parts of exports that nobody went on with for two weeks."""
    sweep_folders(folder, _PARTS, older_than_seconds=_KEPT_SECONDS, keep={keep.name})


def pack(files: Sequence[Path], target: Path, cancelled: Callable[[], bool]) -> Path | None:
    """Write the files into `target`, or the next free name; that path, None where cancelled. Raises ExportError."""
    draft = target.with_name(f"{DRAFT_PREFIX}{_digest(target)}")  # the one that a killed run left is written over
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
    entry.compress_type = zipfile.ZIP_DEFLATED if file.suffix.lower() in _TEXTS else zipfile.ZIP_STORED
    with file.open("rb") as source, archive.open(entry, "w", force_zip64=True) as into:
        while block := source.read(_BLOCK_BYTES):
            if cancelled():
                return False
            into.write(block)
    return True
