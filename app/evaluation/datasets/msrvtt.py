"""MSR-VTT: 10,000 clips of 10 to 30 s with 20 sentences each (Xu et al., CVPR 2016).

Files that are read:

- `MSRVTT_JSFUSION_test.csv`, the 1k-A set of Yu et al. (ECCV 2018) on which retrieval is published: columns `key`,
  `vid_key`, `video_id`, `sentence`; 1,000 videos with one sentence each;
- `MSRVTT_data.json` and the challenge's `test_videodatainfo.json`: `{"videos": [...], "sentences": [{"video_id":
  "video0", "caption": ...}]}`, to be used with a list of videos (the full test set has 2,990, with 20 sentences each);
- lists of records such as `[{"video": "video7020.mp4", "caption": ...}]`, into which several projects convert it.

Layouts: the readme of the challenge, and the loaders of github.com/ArrowLuo/CLIP4Clip.
"""

from __future__ import annotations

from pathlib import Path

from app.evaluation.datasets.captioned import CaptionedVideo, captioned, pairs_of, read_captions
from app.text_files import read_table, wrong


def read_msrvtt(path: Path) -> list[CaptionedVideo]:
    """Read a caption file.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is none of those above.
    """
    content = read_captions(path)
    if isinstance(content, dict):
        return captioned(pairs_of(content.get("sentences"), path), path)
    if isinstance(content, list):
        return captioned(pairs_of(content, path), path)
    rows = list(read_table(path, required=("video_id",)))
    if rows and not any("sentence" in row.cells for row in rows):
        raise wrong(path, 1, "a column `sentence` is expected beside `video_id`")
    return captioned(((row.cells["video_id"], row.cells.get("sentence", "")) for row in rows), path)
