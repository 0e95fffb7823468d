"""PP-OCR models, taken from the wheel of rapidocr. Finding them imports nothing, and nothing is ever downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from files.installed_package import package_folders
from recognition.errors import EngineUnavailable, ModelUnusable
from recognition.models import ModelDescription

_MODULE = "rapidocr"

_CHECKSUMS: Mapping[str, str] = MappingProxyType(
    {
        "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        "PP-OCRv6_rec_small.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        "ch_ppocr_mobile_v2.0_cls_mobile.onnx": "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
    }
)
"""Detector, recogniser, and the classifier of lines that are upside down."""

SCREEN_MODEL = ModelDescription(
    name="pp-ocrv6-small",
    about="Latin letters with accents, Chinese, Japanese; other scripts are not read, or as letters that look alike",
    licence="Apache-2.0",
    package="rapidocr",
)
DIGEST = hashlib.sha256("".join(_CHECKSUMS.values()).encode()).hexdigest()
"""Of all three together, for `TextReader.id`."""


@dataclass(frozen=True, slots=True)
class ScreenModels:
    """The three files of the model."""

    detector: Path
    recogniser: Path
    classifier: Path


def installed() -> bool:
    """Return whether rapidocr is installed. Imports and reads nothing."""
    return _folder() is not None


def require_installed() -> Path:
    """Return the folder of rapidocr. Imports and reads nothing. Raise EngineUnavailable if it is not installed."""
    folder = _folder()
    if folder is None:
        raise EngineUnavailable(
            "reading text in pictures is not installed; install the extra that brings it: "
            "pip install 'prismsearch[ocr]'"
        )
    return folder


def find_models() -> ScreenModels:
    """Return the files in the installed package; each is read in full and checked.

    Raises:
        EngineUnavailable: rapidocr is not installed.
        ModelUnusable: A file is missing or damaged, or of another version.
    """
    folder = require_installed()
    return ScreenModels(*(_verified(folder / "models" / name, sha256) for name, sha256 in _CHECKSUMS.items()))


def _folder() -> Path | None:
    return next(iter(package_folders(_MODULE)), None)


def _verified(path: Path, sha256: str) -> Path:
    again = "install it again: pip install --force-reinstall --no-deps 'rapidocr>=3.10,<3.11'"
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnusable(f"rapidocr lacks its model {path.name} ({error.strerror}); {again}") from error
    if found != sha256:
        raise ModelUnusable(f"{path} is damaged, or of another version of rapidocr; {again}")
    return path
