"""DiDeMo: personal videos of 25 to 30 s with descriptions of moments (Anne Hendricks et al., ICCV 2017).

For retrieval, all descriptions of a video are one paragraph (Zhang et al., ECCV 2018). Files that are read:

- `test_data.json` (1,004 videos, on which retrieval is published), `val_data.json`, `train_data.json` of
  github.com/LisaAnne/LocalizingMoments: `[{"video": "NAME.avi", "description": ..., "times": [...]}, ...]`, an entry
  for each description;
- lists of records such as `[{"video": "NAME.mp4", "caption": ... or [...]}]`.

Video files keep the name, whatever their extension. Layouts: the loaders of github.com/ArrowLuo/CLIP4Clip, which join
the descriptions in the order of the file with single spaces.
"""

from __future__ import annotations

from pathlib import Path

from app.evaluation.datasets.captioned import CaptionedVideo, captioned, pairs_of, read_captions


def read_didemo(path: Path) -> list[CaptionedVideo]:
    """Read a caption file; each video has one paragraph.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is none of those above.
    """
    return captioned(pairs_of(read_captions(path), path), path, paragraph=True)
