"""Videos with captions, as sets for retrieval distribute them, and what the files of these sets have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.text_files import wrong
from files.json_file import parse_json
from files.regular import read_regular
from indexer.media.containers import VIDEO_EXTENSIONS

MOST_BYTES = 512_000_000
"""The largest caption file that is read. All captions of MSR-VTT take 30 MB, those of VATEX's training set 80 MB."""

_SUFFIX = re.compile(rf"\.({'|'.join(re.escape(each) for each in sorted(VIDEO_EXTENSIONS))})$", re.IGNORECASE)
_ID_KEYS = ("video_id", "videoID", "video", "vid_key", "id")
_TEXT_KEYS = ("caption", "enCap", "description", "sentence", "captions", "sentences")


@dataclass(frozen=True, slots=True)
class CaptionedVideo:
    """A video of a set, and the texts that ask for it.

    Attributes:
        id: Its id, as `video_id` makes it of its name in the captions.
        captions: Sentences, or one paragraph; never blank.
    """

    id: str
    captions: tuple[str, ...]


def video_id(name: str) -> str:
    """Return the id of a video by its name in a caption file, a list, or a folder: without folders and extensions."""
    name = re.split(r"[/\\]", name)[-1].strip()
    while (shorter := _SUFFIX.sub("", name)) != name and shorter:
        name = shorter
    return name


def video_ids(name: str) -> tuple[str, ...]:
    """Return the ids that the name of a file or in a list may stand for: of most sets, one."""
    return (video_id(name),)


def read_captions(path: Path) -> Any:
    """Return the content of a caption file: the value of JSON, or else the text. Text may be UTF-8 or Latin-1.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is too large, or damaged.
    """
    try:
        content = read_regular(path, max_bytes=MOST_BYTES)
    except ValueError as error:
        raise wrong(path, None, f"it is too large ({error})") from error
    if b"\0" in content[:4096]:
        raise wrong(path, None, "it is not a text file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return parse_json(text, any_number=True)
    except ValueError as error:
        raise wrong(path, None, f"this is not JSON ({error})") from error


def pairs_of(records: object, path: Path) -> Iterator[tuple[str, str]]:
    """Yield (name of the video, caption) of a list of records, one for each video or for each caption.

    Sets name these fields differently (`video`, `videoID`; `caption`, `enCap`, `description`); a caption may be a list.

    Raises:
        TextFileError: It is no such list.
    """
    if not isinstance(records, list):
        raise wrong(path, None, "a list of videos with their captions is expected")
    for number, record in enumerate(records, start=1):
        known = record if isinstance(record, dict) else {}
        name = next((known[key] for key in _ID_KEYS if isinstance(known.get(key), str)), None)
        texts = next((known[key] for key in _TEXT_KEYS if isinstance(known.get(key), str | list)), None)
        if name is None or texts is None:
            raise wrong(path, None, f"entry {number} has no name of a video, or no caption")
        for text in [texts] if isinstance(texts, str) else texts:
            if not isinstance(text, str):
                raise wrong(path, None, f"entry {number} has a caption that is not text")
            yield name, text


def captioned(pairs: Iterable[tuple[str, str]], path: Path, *, paragraph: bool = False) -> list[CaptionedVideo]:
    """Return the videos of (name, caption) pairs, in the order in which they first appear.

    White space in captions becomes single spaces; blank captions are left out.

    Args:
        pairs: From a caption file.
        path: The file, for errors.
        paragraph: Join the captions of a video, in order, to one.

    Raises:
        TextFileError: There is no caption at all.
    """
    captions: dict[str, list[str]] = {}
    for name, text in pairs:
        if (text := " ".join(text.split())) and (key := video_id(name)):
            captions.setdefault(key, []).append(text)
    if not captions:
        raise wrong(path, None, "there is no caption in it")
    return [CaptionedVideo(key, (" ".join(texts),) if paragraph else tuple(texts)) for key, texts in captions.items()]
