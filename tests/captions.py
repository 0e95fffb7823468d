"""The captions of tests/words, in any size, painted into pictures. Tests and benchmarks share them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_WORDS = Path(__file__).parent / "words"
_ROW = 64
_LETTERS = 46 / 64
"""Size of the letters (of the font, as word processors state it) as a share of a row."""

CHINESE_FROM = 10
"""Captions from this number on are Chinese, those before it are in Latin letters."""


@dataclass(frozen=True)
class Caption:
    text: str
    drawn: Image.Image  # grey, its row of the sheet

    def scaled(self, size: float) -> NDArray[np.float32]:
        """Return it in letters of `size` pixels, float32 (h, w): 1 where it is, 0 elsewhere."""
        scale = size / (_LETTERS * _ROW)
        shape = max(1, round(self.drawn.width * scale)), max(1, round(_ROW * scale))
        return np.asarray(self.drawn.resize(shape, Image.Resampling.LANCZOS), np.float32) / 255


@cache
def captions() -> tuple[Caption, ...]:
    """Return all twenty."""
    sheet = Image.open(_WORDS / "captions.png").convert("L")
    table = json.loads((_WORDS / "captions.json").read_text("utf-8"))
    return tuple(
        Caption(row["text"], sheet.crop((0, i * _ROW, row["width"], (i + 1) * _ROW))) for i, row in enumerate(table)
    )


def paint(
    frame: NDArray[np.uint8],
    caption: Caption,
    size: float,
    left: int,
    top: int,
    colour: tuple[int, int, int] = (255,) * 3,
) -> None:
    """Paint a caption into uint8 (H, W, 3), with a dark edge as captions have; what would lie outside is cut off."""
    letters = caption.scaled(size)[: frame.shape[0] - top, : frame.shape[1] - left, None]
    place = frame[top : top + letters.shape[0], left : left + letters.shape[1]]
    edge = np.zeros_like(letters)
    reach = max(1, round(size / 20))
    for y, x in ((-reach, 0), (reach, 0), (0, -reach), (0, reach)):
        edge = np.maximum(edge, np.roll(letters, (y, x), (0, 1)))
    dark = place * (1 - 0.8 * edge)
    place[:] = (dark * (1 - letters) + np.array(colour, np.float32) * letters).clip(0, 255).astype(np.uint8)
