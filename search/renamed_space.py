"""Caches of a space that has another name now: they get it, too, so that nothing is computed again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from files.stamped import DamagedFile, StampedFiles
from search.cache_file import cache_name
from search.calibration.calibration import null_name
from search.calibration.folder import MEASURED_PREFIXES, calibration_folder
from search.covariance_file import spread_name

logger = logging.getLogger(__name__)


def rename_caches(
    library_directory: Path, former_id: str, encoder_id: str, text_id: str, *, folders: Iterable[Path]
) -> None:
    """Give the caches of a space its present name. What cannot be renamed is made again when it is needed.

    To be called before the library renames the space: if a kill comes between, the next call finds nothing to do, and
    the library still renames.

    Args:
        library_directory: The library's folder.
        former_id: The name so far.
        encoder_id: The name from now on.
        text_id: The text encoder that questions were encoded with under the former name.
        folders: Folders with caches that bear the plain name of a space: vectors and the map.
    """
    calibration = calibration_folder(library_directory)
    names = [(folder, cache_name(former_id), cache_name(encoder_id)) for folder in folders]
    names += [
        (calibration, cache_name(f"{former_id} null"), cache_name(null_name(encoder_id, text_id))),
        (calibration, cache_name(spread_name(former_id)), cache_name(spread_name(encoder_id))),
    ]
    names += [(calibration, each + cache_name(former_id), each + cache_name(encoder_id)) for each in MEASURED_PREFIXES]

    def renamed(record: dict[str, Any]) -> dict[str, Any]:
        if record.get("encoder") == former_id:
            record["encoder"] = encoder_id
        stamp = record.get("stamp")
        if isinstance(stamp, dict) and stamp.get("encoder_id") == former_id:
            stamp["encoder_id"] = encoder_id
        return record

    for folder, before, now in names:
        try:
            StampedFiles(folder, before).hand_over(StampedFiles(folder, now), renamed)
        except (OSError, ValueError, DamagedFile) as error:
            logger.warning("the cache %s cannot be renamed (%s) and will be made again", folder / before, error)
