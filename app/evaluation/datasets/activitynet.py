"""ActivityNet Captions: videos of two minutes with about four sentences in order of time (Krishna et al., ICCV 2017).

For retrieval, all sentences of a video are one paragraph (Zhang et al., ECCV 2018). Files that are read:

- `val_1.json` (4,917 videos, on which retrieval is published), `val_2.json`, `train.json`: `{"v_ID": {"duration":
  seconds, "timestamps": [[start, end], ...], "sentences": [...]}}`;
- lists of records such as `[{"video_id": "v_ID", "caption": ...}]`.

Video files are named `v_ID` or `ID`. Layouts: the files of the data set, and the loaders of
github.com/ArrowLuo/CLIP4Clip, which join the sentences in the order of the file with single spaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.evaluation.datasets.captioned import CaptionedVideo, captioned, pairs_of, read_captions, video_id
from app.text_files import wrong


def activitynet_ids(name: str) -> tuple[str, ...]:
    """Return the ids that the name of a file or in a list may stand for: `v_ID`, or the bare `ID` of YouTube."""
    key = video_id(name)
    return key, f"v_{key}"


def read_activitynet(path: Path) -> list[CaptionedVideo]:
    """Read a caption file; each video has one paragraph.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is none of those above.
    """
    content = read_captions(path)
    pairs = _pairs(content, path) if isinstance(content, dict) else pairs_of(content, path)
    return captioned(pairs, path, paragraph=True)


def _pairs(content: dict[str, Any], path: Path) -> Iterator[tuple[str, str]]:
    for name, record in content.items():
        sentences = record.get("sentences") if isinstance(record, dict) else None
        if not isinstance(sentences, list) or not all(isinstance(each, str) for each in sentences):
            raise wrong(path, None, f"{name[:40]!r} has no list of sentences")
        for sentence in sentences:
            yield name, sentence
