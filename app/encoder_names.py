"""Names of encoders as a person writes them: one, or several that judge together, joined by a plus."""

from __future__ import annotations

import os

from app.settings_file import WrongSetting

JOINT = "+"


def encoder_names(text: str) -> tuple[str, ...]:
    """Return the names in `base+open_clip:PE-Core-B-16/meta`, in order. A file or folder of that name is one.

    Raises:
        WrongSetting: A name is missing, or there twice.
    """
    if JOINT not in text or os.path.exists(text):
        return (text,)
    names: list[str] = []
    parts = text.split(JOINT)
    while parts:
        # The names of files may have a plus in them: the longest one that is there counts.
        count = next((n for n in range(len(parts), 1, -1) if os.path.exists(JOINT.join(parts[:n]))), 1)
        names.append(JOINT.join(parts[:count]).strip())
        parts = parts[count:]
    if not all(names):
        raise WrongSetting(f"{text!r} lacks the name of an encoder beside a plus: base+open_clip:PE-Core-B-16/meta")
    if len(set(names)) < len(names):
        raise WrongSetting(f"{text!r} names an encoder twice")
    return tuple(names)


def one_encoder(text: str) -> str:
    """Return the name of the one encoder that is written.

    Raises:
        WrongSetting: There are several.
    """
    names = encoder_names(text)
    if len(names) > 1:
        raise WrongSetting(f"one encoder at a time can do this: choose --encoder {' or --encoder '.join(names)}")
    return names[0]
