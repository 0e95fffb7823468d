"""Models that engines need: what is said of one before it is downloaded, and the function that gets its files.

This room does not download. Its caller hands in a `Fetch`, which finds a file on this machine or downloads it, asks
first if it is large, and checks it: the one by which the weights of encoders come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model, in one version.

    Attributes:
        repo: The repository of the Hugging Face Hub, ORG/REPOSITORY.
        file: The name of the file in it.
        size_bytes: Its size.
        revision: The commit.
        sha256: Its checksum.
        licence: The name of its licence.
    """

    repo: str
    file: str
    size_bytes: int
    revision: str
    sha256: str
    licence: str


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What a person is told of a model before it comes.

    Attributes:
        name: What the engine calls it.
        about: One sentence: what it is good for.
        licence: The name of the licence of its weights.
        files: Its files, the largest first; empty for a model that comes inside a package.
        package: That package, as the installer knows it.
    """

    name: str
    about: str
    licence: str
    files: tuple[ModelFile, ...] = ()
    package: str | None = None

    @property
    def size_bytes(self) -> int:
        """The size of all files that have to be downloaded."""
        return sum(file.size_bytes for file in self.files)


Fetch = Callable[[ModelFile], Path]
"""Returns the path of a file on this machine, checked. Raises an error of its own if it cannot be had."""
