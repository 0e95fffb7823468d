"""Pictures of a stored preview, made small: what shots are compared by without decoding their video again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.media.errors import UnreadableVideo

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PICTURES = 64  # a preview has 32


def read_small_pictures(path: str, height: int, width: int) -> NDArray[np.uint8]:
    """Return the first MOST_PICTURES pictures of a preview: uint8 (n, height, width, 3), RGB; n is at least 1.

    Args:
        path: The preview.
        height, width: Size that all are brought to, whatever their proportions.

    Raises:
        UnreadableVideo: It is no video, or has no pictures.
        OSError: It cannot be read.
    """
    import av.error

    from indexer.media.opening import open_media

    pictures = []
    try:
        with open_media(path) as container:
            for frame in container.decode(video=0):
                pictures.append(frame.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray())
                if len(pictures) == MOST_PICTURES:
                    break
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise UnreadableVideo(path, "broken", f"The preview cannot be read ({error}).") from error
    if not pictures:
        raise UnreadableVideo(path, "broken", "The preview has no pictures.")
    return np.stack(pictures)
