"""Download policy: the folders and the hub that an encoder's files may come from, and consent to large downloads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from encoder.checkpoints import hub
from encoder.config import HubFile


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of an encoder's files. The default uses the standard locations and downloads nothing large.

    Attributes:
        models: The models folder, see `hub.models_folder`; None for the standard one.
        confirm: Called with a sentence before a file above 10 MB is downloaded; False declines. None declines always.
        on_progress: Called as bytes arrive.
        offline: Whether downloads are switched off; None follows HF_HUB_OFFLINE.
        cache_dir: The cache of huggingface_hub; None follows HF_HOME.
        endpoint: The address of the hub; None follows HF_ENDPOINT.
    """

    models: Path | None = None
    confirm: hub.Confirm | None = None
    on_progress: hub.OnProgress | None = None
    offline: bool | None = None
    cache_dir: Path | None = None
    endpoint: str | None = None

    def fetch(self, hub_file: HubFile) -> Path:
        """Return the local path of a file, downloading it if needed. See `hub.fetch` for the errors."""
        return hub.fetch(
            hub_file,
            confirm=self.confirm,
            offline=self.offline,
            models=self.models,
            on_progress=self.on_progress,
            cache_dir=self.cache_dir,
            endpoint=self.endpoint,
        )
