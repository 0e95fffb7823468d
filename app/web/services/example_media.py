"""Detection of a dropped file's kind (picture or video) from its content, and its poster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from indexer.media.errors import UnreadableVideo

POSTER_PIXELS = 640  # longer side
_UNKNOWN_MEDIA = "This is neither a picture nor a video that can be read; drop a JPEG, a PNG or a video file."


@dataclass(frozen=True, slots=True)
class DetectedMedia:
    """`extension` is for the stored file, without the dot. `poster` is a JPEG."""

    kind: Literal["image", "video"]
    extension: str
    poster: bytes


def detect_media(path: Path, name: str) -> DetectedMedia:
    """Return the kind of a file, with a poster.

    Args:
        path: The file.
        name: The file's original name; a video keeps its extension.

    Raises:
        UnreadableVideo: The file is neither a picture nor a video, is damaged, or is too large.
        OSError: The file cannot be read.
    """
    picture = _picture(path)
    return picture if picture is not None else _video(path, name)


def _picture(path: Path) -> DetectedMedia | None:
    import numpy as np

    from indexer.media.preview import encode_poster
    from indexer.media.still import read_picture

    known = read_picture(str(path), least_pixels=2 * POSTER_PIXELS)
    if known is None:
        return None
    shown, extension = known
    shown.thumbnail((POSTER_PIXELS, POSTER_PIXELS))
    return DetectedMedia("image", extension, encode_poster(np.asarray(shown)))


def _video(path: Path, name: str) -> DetectedMedia:
    from encoder import ClipSpec
    from indexer.media.containers import VIDEO_EXTENSIONS, extension_of
    from indexer.media.decode import Decoding
    from indexer.media.preview import encode_poster
    from indexer.media.probe import open_source
    from indexer.media.scale import Scaler

    try:
        with open_source(str(path)) as source:
            first = Decoding(source).first().picture
            scaler = Scaler.of(source, first, ClipSpec(1, 16))
            poster = encode_poster(scaler.shown(scaler.reduce(first), POSTER_PIXELS))
    except UnreadableVideo as error:
        if error.kind == "not_video":
            raise UnreadableVideo(str(path), "not_video", _UNKNOWN_MEDIA) from error
        raise
    extension = extension_of(name)
    if not (extension in VIDEO_EXTENSIONS and extension.isalnum()):
        extension = "video"
    return DetectedMedia("video", extension, poster)
