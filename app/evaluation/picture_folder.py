"""Videos as folders of numbered pictures, such as `12.jpg`.

Picture n is shown from n / RATE seconds on, whatever the rate of the camera was: so a stretch of such a folder has its
pictures exactly.
"""

from __future__ import annotations

import hashlib
import os

RATE = 30

_ENDINGS = (".jpg", ".jpeg", ".png")


def is_picture(name: str) -> bool:
    """Return whether a file is a picture, by its name."""
    return name.lower().endswith(_ENDINGS)


def pictures(folder: str) -> dict[int, str]:
    """Return the paths of the pictures by their numbers. Raise OSError if the folder cannot be read."""
    found: dict[int, str] = {}
    for name in sorted(os.listdir(folder)):
        stem = os.path.splitext(name)[0]
        if is_picture(name) and stem.isascii() and stem.isdigit() and len(stem) <= 9:
            found.setdefault(int(stem), os.path.join(folder, name))
    return found


def pictures_between(folder: str, start_seconds: float, end_seconds: float) -> list[str]:
    """Return the pictures of a stretch, in order.

    Raises:
        OSError: The folder cannot be read.
        ValueError: One of them is not there.
    """
    known = pictures(folder)
    numbers = range(round(start_seconds * RATE), round(end_seconds * RATE))
    absent = [number for number in numbers if number not in known]
    if absent:
        raise ValueError(f"picture {absent[0]} is not in the folder")
    return [known[number] for number in numbers]


def listing_digest(folder: str) -> str:
    """Return what stands for the content of a folder: a digest of the names, sizes and times of its files.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            state = entry.stat()
            digest.update(f"{entry.name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
