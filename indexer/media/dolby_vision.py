"""Dolby Vision configuration records, by which files tell what their base layer is. Standard library only.

Profiles 7, 8 and 9, and most of 10, have a base layer in PQ, HLG or BT.709, which is decoded as such; the metadata for
Dolby's displays is not used. Profile 5, of streaming services, has colours of its own (IPTPQc2, reshaped by metadata of
each frame), which FFmpeg decodes as if they were YCbCr: green and purple.
"""

from __future__ import annotations

import re

from files.regular import open_regular
from indexer.media.mp4_boxes import sample_entry_boxes

_RECORDS = (b"dvcC", b"dvvC", b"dvwC")
_MATROSKA_RECORD = re.compile(rb"\x41\xe7\x84dv[cvw]C.{0,64}?\x41\xed[\x80-\xff](.{5})", re.DOTALL)  # type, then data
_MATROSKA_HEADER_BYTES = 1 << 16
_OWN_COLOURS = frozenset((5, 10, 20))  # profiles that may have a base layer compatible with nothing


def has_own_colours(path: str, format_name: str) -> bool:
    """Return whether a video is Dolby Vision without a base layer that others can show, which is profile 5 mostly.

    Args:
        path: An MP4, QuickTime or Matroska file; of others, it is not known.
        format_name: FFmpeg's name of its container.

    Raises:
        OSError: The file cannot be read.
    """
    record = None
    if "mp4" in format_name:
        record = next((content for name, content in sample_entry_boxes(path) if name in _RECORDS), None)
    elif "matroska" in format_name:
        with open_regular(path) as file:
            found = _MATROSKA_RECORD.search(file.read(_MATROSKA_HEADER_BYTES))
        record = found[1] if found else None
    if record is None or len(record) < 5:
        return False
    profile, compatible = record[2] >> 1, record[4] >> 4
    return profile in _OWN_COLOURS and compatible == 0
