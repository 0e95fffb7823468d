"""Recognition of lists of other files, such as playlists and manifests, by their first bytes. Standard library only."""

from __future__ import annotations

import codecs
import re

HEAD_BYTES = 1 << 16
"""First bytes of a file that are looked at: comments and blank lines may precede what tells a list."""

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MARKS = re.compile(
    rb"""
    ffconcat\ version | \#EXTM3U | \#\ VobSub\ index | RTSPtext
    | ^\s*(?:\[reference\] | \[playlist\] | c=IN\ IP)
    | <(?:\w+:)?(?:MPD|CompositionPlaylist|OutputProfileList|AssetMap|PackingList|asx|smil|playlist
        |SmoothStreamingMedia)[\s>/]
    | \A(?:\s*\#.*\n)*\s*(?:file\ +\S | (?:file|https?|s?ftps?|rtspu?|rtmp\w*|mms\w*|rtp|udp|tcp|srt|concatf?):)
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def is_list(head: bytes) -> bool:
    """Return whether these are the first bytes of a list of other files, in any encoding of text."""
    if head.startswith(_UTF_16):
        head = head.decode("utf-16", "ignore").encode()
    text = head.removeprefix(codecs.BOM_UTF8).partition(b"\0")[0]  # FFmpeg reads a text up to a zero, too
    return _NOT_TEXT.search(text) is None and _MARKS.search(text) is not None
