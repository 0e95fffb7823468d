"""Clips of whole videos as VideoPrism's reference code makes them: the reading behind its published figures.

All frames are decoded; those of the encoder's clip, at floor(k * frames / T), are cropped to their middle square and
scaled by Pillow's Lanczos filter. This reproduces the published retrieval figures of LvT-B
(github.com/GabrieleSerussi/vedje, which reads with mediapy, as the reference's own demo does). Indexing reads
otherwise: it cuts shots, and scales in a faster way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.media.errors import UnreadableVideo
from indexer.media.sampling import sample_indices

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from numpy.typing import NDArray

    from encoder import ClipSpec

    Pixels = NDArray[np.uint8]

_PASSES = 3


def read_whole_clip(path: str, spec: ClipSpec) -> Pixels:
    """Read a whole video as one clip. Memory does not grow with its length: only the frames of the clip are kept.

    The number of frames must be known before they are chosen. It is that of the packets, which are cheap to read; where
    decoding shows another number (hidden or damaged frames), the video is decoded again.

    Args:
        path: Path of the video.
        spec: T and S; its `fit` is not used, since the protocol crops.

    Returns:
        uint8 (T, S, S, 3), RGB as shown (turned as the file says). A video of fewer than T frames repeats some.

    Raises:
        UnreadableVideo: The file cannot be decoded.
    """
    count = max(1, _packets(path))
    for _ in range(_PASSES):
        kept, found = _decode(path, spec, count)
        if found == count:
            return np.stack([kept[index] for index in sample_indices(count, spec.frames, ends=spec.ends)])
        count = found
    raise UnreadableVideo(path, "error", "The file yields another number of frames each time that it is decoded.")


def _packets(path: str) -> int:
    """Return the number of packets of the video: of most files, that of its frames."""
    from indexer.media.packets import read_packets
    from indexer.media.probe import open_source

    with open_source(path) as source:
        return sum(not packet.is_discard for packet in read_packets(source, [source.stream.index]))


def _decode(path: str, spec: ClipSpec, count: int) -> tuple[dict[int, Pixels], int]:
    """Decode all frames; return those that a clip of `count` frames takes, by index, and how many there really are."""
    from av.video.reformatter import VideoReformatter

    from indexer.media.decode import Decoding, no_frames_error
    from indexer.media.probe import open_source

    wanted = set(sample_indices(count, spec.frames, ends=spec.ends))
    reformatter = VideoReformatter()
    kept: dict[int, Pixels] = {}
    found = 0
    with open_source(path) as source:
        decoding = Decoding(source)
        for frame in decoding:
            if found in wanted:
                kept[found] = _square(reformatter, frame.picture, spec.size)
            found += 1
        if not found:
            raise no_frames_error(source, decoding.damaged)
    return kept, found


def _square(reformatter: VideoReformatter, picture: VideoFrame, size: int) -> Pixels:
    """Return the middle square of a frame, (S, S, 3) RGB."""
    from av.video.reformatter import Interpolation
    from PIL import Image

    from indexer.media.orientation import Orientation

    # As the ffmpeg program converts: bicubic matters only where chroma has to be scaled in the general way.
    rgb = reformatter.reformat(picture, format="rgb24", interpolation=Interpolation.BICUBIC).to_ndarray()
    pixels = Orientation.of(picture).apply(np.asarray(rgb, np.uint8))
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))
