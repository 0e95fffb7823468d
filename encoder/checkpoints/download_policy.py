"""Where an encoder's files may come from, and who is asked before anything large is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from encoder.checkpoints import hub
from encoder.config import Published


@dataclass(frozen=True, slots=True)
class Sources:
    """Where files may come from and who is asked. All None: what is here already, in the standard places."""

    models: Path | None = None  # the models folder: see hub.models_folder
    announce: hub.Announce | None = None  # without it, nothing above 10 MB is downloaded
    progress: hub.Progress | None = None
    offline: bool | None = None  # None: as HF_HUB_OFFLINE says
    cache_dir: Path | None = None  # None: the ordinary one, as HF_HOME says
    endpoint: str | None = None  # None: as HF_ENDPOINT says

    def fetch(self, published: Published) -> Path:
        """See `hub.fetch`."""
        return hub.fetch(
            published,
            announce=self.announce,
            offline=self.offline,
            local_dir=self.models,
            progress=self.progress,
            cache_dir=self.cache_dir,
            endpoint=self.endpoint,
        )
