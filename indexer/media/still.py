"""Still pictures from Pillow as 8-bit RGB: turned as their camera says, of any depth, over white."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

_BYTE, _WORD = 0xFF, 0xFFFF


def flatten(image: Image) -> Image:
    """Return an open picture as RGB with 8 bits per channel. Transparent parts become white, as on a page.

    Raises:
        OSError, ValueError, SyntaxError, EOFError: The content is damaged.
    """
    from PIL import Image, ImageOps

    shown = ImageOps.exif_transpose(image)
    if shown.mode == "F" or shown.mode.startswith("I"):
        shown = Image.fromarray(_eight_bits(np.asarray(shown)))
    shown = shown.convert("RGBA")
    white = Image.new("RGBA", shown.size, "white")
    white.alpha_composite(shown)
    return white.convert("RGB")


def _eight_bits(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale grey levels, which Pillow would clip at 255.

    Integers have 16 bits unless one is larger. Of floating-point numbers the largest tells whether white is 1, 255 or
    65535. Beyond that, the largest is white.
    """
    levels = np.nan_to_num(grey.astype(np.float64), posinf=0, neginf=0)
    largest = float(levels.max(initial=0))
    whites = (1.0, _BYTE, _WORD) if grey.dtype.kind == "f" else (_WORD,)
    white = next((white for white in whites if largest <= white), largest)
    return np.asarray((levels.clip(0) * (_BYTE / white) + 0.5).astype(np.uint8))
