"""Decoding by the graphics card or another device, through FFmpeg: which there are, and whether they can be opened.

Frames come back to the processor's memory, where everything that is made of them is made as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.settings import HARDWARE

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel

_ASKED = ("h264", "hevc", "vp9", "av1")  # a device is there if it can be opened for one of these


class NoDevice(ValueError):
    """A device that was asked for cannot be opened; the message says why and what to do."""


def choose(name: str) -> str | None:
    """The device to decode on, None for the processor. name: of HARDWARE; `auto` takes the first that can be opened.

    Raises NoDevice where the one that was named cannot be opened.
    """
    if name == "none":
        return None
    if name == "auto":
        return next((each for each in HARDWARE[2:] if _trouble(each) is None), None)
    trouble = _trouble(name)
    if trouble is not None:
        raise NoDevice(
            f"{name} cannot decode here ({trouble}); choose another device, auto for whatever there is, or none."
        )
    return name


def acceleration(device: str) -> HWAccel:
    """What av.open() takes. Formats that the device does not know are decoded by the processor."""
    from av.codec.hwaccel import HWAccel

    return HWAccel(device, allow_software_fallback=True)


def _trouble(device: str) -> str | None:
    """Why a device cannot be opened; None where it can."""
    from av.codec import Codec
    from av.codec.hwaccel import hwdevices_available
    from av.error import FFmpegError

    if device not in hwdevices_available():
        return "this build of FFmpeg was made without it"
    trouble = "it decodes no format of this build of FFmpeg"
    for codec in _ASKED:
        try:
            acceleration(device).create(Codec(codec, "r"))
        except NotImplementedError:
            continue
        except (FFmpegError, OSError) as problem:
            trouble = f"it cannot be opened: {problem.strerror or problem}"
            continue
        return None
    return trouble
