"""A library with rows of ten kinds of clips in the demo encoder's space, and captions with a new name of each."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from db.library import Library
from db.records import Segment, Shot, Video
from encoder import load_encoder

NAMES = ("zorp", "blicket", "dax", "wug", "fep", "toma", "gorp", "modi", "spoff", "glorp")
TAKES = 6


def make_library(root: Path) -> None:
    """Make `library`, `videos` and `captions.csv` in a folder; six videos of the library have no caption."""
    encoder = load_encoder("demo", "cpu")
    rng = np.random.default_rng(0)
    kinds = rng.standard_normal((len(NAMES) + 1, encoder.dim))
    lines = ["path,caption"]
    with Library.open(root / "library") as library:
        for kind, name in enumerate((*NAMES, "other")):
            for take in range(TAKES):
                row = kinds[kind] + 0.3 * rng.standard_normal(encoder.dim)
                rows = (row / np.linalg.norm(row)).astype(np.float32)[None]
                path = root / "videos" / f"{name}{take}.mp4"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(path.name.encode())
                video = Video(
                    path=str(path), fingerprint=f"{kind:016x}{take:016x}", size_bytes=path.stat().st_size,
                    modified_ns=path.stat().st_mtime_ns, time_base=Fraction(1, 1000), start_pts=0, end_pts=2000,
                    frame_rate=Fraction(25), frames=50, width=64, height=48, codec="h264",
                )  # fmt: skip
                shot = Shot(number=0, start_pts=0, end_pts=2000)
                segment = Segment(number=0, shot_number=0, start_pts=0, end_pts=2000)
                library.add_video(video, [shot], [segment], rows, encoder_id=encoder.id, recipe="test", media=None)
                if name in NAMES:
                    lines.append(f"videos/{name}{take}.mp4,a {name}")
    (root / "captions.csv").write_text("\n".join(lines))
