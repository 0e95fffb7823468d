"""The machine that figures were measured on: without it, seconds mean nothing."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.compose import Settings
    from encoder import Encoder


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine, and how an encoder runs on it.

    Attributes:
        processor: Name of the CPU.
        cores: Logical cores that this process may use.
        memory_bytes: Main memory.
        device: Device of the encoder: cpu, mps, or the name of a GPU.
        precision: Number format of its video tower.
        system: Operating system and architecture.
    """

    processor: str
    cores: int
    memory_bytes: int
    device: str
    precision: str
    system: str

    def record(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    def text(self) -> str:
        """Return `NAME, 2 cores, 8 GB, cpu, float32`."""
        parts = [
            self.processor,
            f"{self.cores} cores",
            f"{self.memory_bytes / 1e9:.0f} GB",
            self.device,
            self.precision,
        ]
        return ", ".join(parts)


def machine_of(settings: Settings, encoder: Encoder) -> Machine:
    """Return this machine, and how the encoder that was opened with these settings runs on it.

    Raises:
        WrongSetting, EncoderError: The device or precision is unknown or not there.
    """
    import psutil

    from app.compose import WrongSetting
    from encoder.loading import choose_device, device_name
    from encoder.openclip.pretrained import PREFIX
    from encoder.runtime.precision import choose_precision

    try:
        device = choose_device(settings.device)
        if encoder.id.startswith(PREFIX):  # not by the settings: the library's encoder may stand in for none
            precision = getattr(encoder, "precision", "float32")  # it depends on the kind of its image tower
        else:
            precision = choose_precision(settings.precision, device, encoder.dim)
    except ValueError as error:
        raise WrongSetting(str(error)) from error
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=int(psutil.virtual_memory().total),
        device=device_name(device),
        precision=precision,
        system=f"{platform.system()} {platform.machine()}",
    )


def _processor() -> str:
    """Return the name of the CPU. On Linux, `platform` knows only the architecture."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == "model name" and value.strip():
                    return " ".join(value.split())
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown processor"
