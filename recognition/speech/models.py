"""Whisper models for CTranslate2: those that are published with known checksums, and folders that hold others.

Sizes and checksums are those of the files at these commits, as several public projects that pin them state alike.
Whisper's weights are OpenAI's, under the MIT licence; the conversions are by SYSTRAN, the authors of faster-whisper,
under the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from files.installed_package import package_folders
from recognition.errors import ModelUnusable
from recognition.models import Fetch, ModelDescription, ModelFile

DEFAULT_MODEL = "small"

_FILES = ("model.bin", "config.json", "tokenizer.json")
"""What a folder must have. A vocabulary is there, too, as text or JSON."""


def _described(name: str, about: str, commit: str, files: tuple[tuple[str, int, str], ...]) -> ModelDescription:
    # All multilingual models of the first generation have the same words.
    words = (
        ("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
        ("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    )
    repo = f"Systran/faster-whisper-{name}"
    return ModelDescription(
        name=f"whisper-{name}",
        about=about,
        licence="MIT",
        files=tuple(ModelFile(repo, file, size, commit, sha256, "MIT") for file, size, sha256 in (*files, *words)),
    )


SPEECH_MODELS: Mapping[str, ModelDescription] = MappingProxyType(
    {
        "base": _described(
            "base",
            "the smallest that is useful: clear speech in widely spoken languages",
            "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
            (
                ("model.bin", 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
                ("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            ),
        ),
        "small": _described(
            "small",
            "99 languages, detected by itself; three times the work of base",
            "536b0662742c02347bc0e980a01041f333bce120",
            (
                ("model.bin", 483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
                ("config.json", 2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"),
            ),
        ),
    }
)
"""Models by the name that a person types."""


def installed() -> bool:
    """Return whether faster-whisper is installed. Imports nothing of it."""
    return bool(package_folders("faster_whisper"))


@dataclass(frozen=True, slots=True)
class WhisperFolder:
    """A model on this machine.

    Attributes:
        name: Its name, for `Transcriber.id`.
        path: The folder with its files.
        digest: The sha256 of its weights, if it is known beforehand.
    """

    name: str
    path: Path
    digest: str | None = None

    def weights_digest(self) -> str:
        """Return the sha256 of the weights; they are read in full if it is not known. Raise ModelUnusable."""
        if self.digest is not None:
            return self.digest
        try:
            with (self.path / "model.bin").open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelUnusable(f"the speech model {self.path} cannot be read: {error}") from error


def find_model(name_or_path: str | Path, fetch: Fetch) -> WhisperFolder:
    """Return a model's folder; its files are fetched if this machine does not have them.

    Args:
        name_or_path: A name of `SPEECH_MODELS`, or a folder with a Whisper model that was converted for CTranslate2.
        fetch: Gets a file. It may raise errors of its own, which are passed on.

    Raises:
        ValueError: There is no model of that name.
        ModelUnusable: The folder lacks a file, or the files that came lie in different folders.
    """
    described = SPEECH_MODELS.get(name_or_path) if isinstance(name_or_path, str) else None
    if described is not None:
        return folder_of(described, fetch)
    path = Path(name_or_path).expanduser()
    if not path.is_dir():
        known = ", ".join(SPEECH_MODELS)
        raise ValueError(f"there is no speech model {str(name_or_path)!r}: name one of {known}, or a folder with one")
    missing = [file for file in _FILES if not (path / file).is_file()]
    if missing:
        raise ModelUnusable(
            f"{path} is not a Whisper model for CTranslate2: it lacks {', '.join(missing)}; convert one with "
            "ct2-transformers-converter, or name one of " + ", ".join(SPEECH_MODELS)
        )
    return WhisperFolder(path.resolve().name, path)


def folder_of(described: ModelDescription, fetch: Fetch) -> WhisperFolder:
    """Return the folder of a published model whose files `fetch` gets, the largest first. Raise ModelUnusable."""
    paths = [fetch(file) for file in described.files]
    folders = {path.parent for path in paths}
    if len(folders) > 1:
        raise ModelUnusable(
            f"the files of {described.name} lie in {' and '.join(sorted(map(str, folders)))}: put all of them into one "
            "of these folders, or delete those that were put there by hand"
        )
    return WhisperFolder(described.name, folders.pop(), described.files[0].sha256)
