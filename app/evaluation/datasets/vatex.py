"""VATEX: clips of 10 s with ten English sentences each, and ten Chinese ones (Wang et al., ICCV 2019).

Files that are read: `vatex_validation_v1.0.json`, `vatex_public_test_english_v1.1.json`, `vatex_training_v1.0.json`:
`[{"videoID": "YTID_000010_000020", "enCap": [...], "chCap": [...]}, ...]`; and lists of records such as `[{"video":
..., "caption": [...]}]`. Many papers test on 1,500 videos of the validation set (Chen et al., CVPR 2020), which are a
list of their own. Chinese sentences are not used.

Video files are named by the whole id, with its times. Layout: github.com/EvolvingLMMs-Lab/lmms-eval and other readers.
"""

from __future__ import annotations

from pathlib import Path

from app.evaluation.datasets.captioned import CaptionedVideo, captioned, pairs_of, read_captions


def read_vatex(path: Path) -> list[CaptionedVideo]:
    """Read a caption file.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is none of those above.
    """
    return captioned(pairs_of(read_captions(path), path), path)
