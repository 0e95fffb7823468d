"""Small JSON files beside the database that are a convenience only: replaced whole, or left as they are."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_note(path: Path, content: Any) -> None:
    """Put `content` into a file of a folder that is there. Where it cannot be written, the file stays as it was."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    except OSError:
        return
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
