"""Still pictures read by Pillow, as 8-bit RGB: turned as their camera says, of any depth, over white.

The one place where pictures are opened: regular files of formats that Pillow decodes itself, with a limit on their
pixels that is compared with the header, before anything is decoded.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from files.regular import NotRegularFile, open_regular
from indexer.media.errors import UnreadableVideo

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

MAX_PIXELS = 150_000_000  # decoded, half a gigabyte
EXTENSIONS = MappingProxyType(
    {
        "JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff",
        "AVIF": "avif", "DIB": "bmp", "DDS": "dds", "ICNS": "icns", "ICO": "ico", "JPEG2000": "jp2", "PCX": "pcx",
        "PPM": "ppm", "PSD": "psd", "QOI": "qoi", "SGI": "sgi", "TGA": "tga",
    }
)  # fmt: skip
"""The usual extension of each format, by Pillow's name of it. For others, Pillow may start programs (EPS)."""
_BYTE, _WORD = 0xFF, 0xFFFF


def read_picture(path: str, *, least_pixels: int | None = None) -> tuple[Image, str] | None:
    """Read a picture.

    Args:
        path: The file.
        least_pixels: Lengths of sides that are enough: a larger JPEG may be decoded at a fraction of its size.

    Returns:
        The picture as `flatten` returns it, and the usual extension of its format; None if Pillow does not know the
        format.

    Raises:
        UnreadableVideo: It has too many pixels, is damaged, or is no regular file.
        OSError: The file cannot be read.
    """
    from PIL import Image, UnidentifiedImageError

    Image.init()
    try:
        with open_regular(path) as file, Image.open(file, formats=[n for n in EXTENSIONS if n in Image.OPEN]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            if least_pixels is not None:
                image.draft("RGB", (least_pixels, least_pixels))
            return flatten(image), EXTENSIONS[image.format or "JPEG"]
    except UnidentifiedImageError:
        return None
    except Image.DecompressionBombError:
        raise UnreadableVideo(path, "error", "The picture has too many pixels; make it smaller.") from None
    except NotRegularFile:
        raise UnreadableVideo(path, "not_video", "This is not a regular file, but a pipe or a device.") from None
    except (ValueError, SyntaxError, EOFError, OSError) as problem:  # raised by Pillow's formats on damaged content
        if isinstance(problem, OSError) and problem.errno is not None:
            raise
        raise UnreadableVideo(path, "broken", "The picture is damaged.") from problem


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
