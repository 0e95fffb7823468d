"""Hardware decoding through FFmpeg: the available devices, and whether they can be opened.

Decoded frames are copied back to main memory and processed as usual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.settings import HARDWARE

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel

_PROBED_CODECS = ("h264", "hevc", "vp9", "av1")  # a device is available if it can be opened for one of these


class DeviceUnavailable(ValueError):
    """A requested device cannot be opened; the message says why and what to do."""


def choose_device(name: str) -> str | None:
    """Choose the device to decode on.

    Args:
        name: One of HARDWARE; `auto` for the first device that can be opened.

    Returns:
        The name of the device for `open_source`; None for the CPU.

    Raises:
        DeviceUnavailable: If the named device cannot be opened.
    """
    if name == "none":
        return None
    if name == "auto":
        return next((each for each in HARDWARE[2:] if _unavailable_reason(each) is None), None)
    reason = _unavailable_reason(name)
    if reason is not None:
        raise DeviceUnavailable(
            f"{name} cannot decode here ({reason}); choose another device, auto for whatever there is, or none."
        )
    return name


def hardware_acceleration(device: str) -> HWAccel:
    """Return the `hwaccel` argument of PyAV. The processor decodes formats that the device does not support."""
    from av.codec.hwaccel import HWAccel

    return HWAccel(device, allow_software_fallback=True)


def _unavailable_reason(device: str) -> str | None:
    """Return why a device cannot be opened; None if it can."""
    from av.codec import Codec
    from av.codec.hwaccel import hwdevices_available
    from av.error import FFmpegError

    if device not in hwdevices_available():
        return "this build of FFmpeg was made without it"
    reason = "it decodes no format that this build of FFmpeg supports"
    for codec in _PROBED_CODECS:
        try:
            hardware_acceleration(device).create(Codec(codec, "r"))
        except NotImplementedError:
            continue
        except (FFmpegError, OSError) as problem:
            reason = f"it cannot be opened: {problem.strerror or problem}"
            continue
        return None
    return reason
