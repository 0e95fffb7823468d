"""Downloads of the models of the room `recognition`, by the way in which the weights of encoders come.

The rooms `encoder` and `recognition` do not know of each other. Encoders have the download (announced, resumed, pinned,
verified); recognition says what it needs and takes a function that gets it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoder.checkpoints.download_policy import Sources
    from recognition.models import Fetch, ModelFile


def fetch_from(sources: Sources) -> Fetch:
    """Return a function that finds a file of a model on this machine, or downloads it.

    Args:
        sources: Where files may come from, who is asked before a large one is downloaded, and who follows it.

    Returns:
        A function that raises `encoder.ModelNotFound` if the file is not here and cannot or may not be downloaded, and
        `encoder.WeightsMismatch` if it is not the expected one.
    """

    def fetch(file: ModelFile) -> Path:
        from encoder.config import HubFile

        return sources.fetch(
            HubFile(
                repo=file.repo,
                file=file.file,
                size_bytes=file.size_bytes,
                revision=file.revision,
                sha256=file.sha256,
                licence=file.licence,
                shared_name=True,  # every Whisper has a model.bin
                instead="name a folder that has the model",
            )
        )

    return fetch
