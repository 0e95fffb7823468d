"""The environment of a run: versions, machine and threads, to be kept beside its weights."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import Any


def describe_environment(device: str, precision: str, processes: int, given: Mapping[str, str]) -> dict[str, Any]:
    """Return facts as a JSON object.

    Args:
        device: The device that is trained on.
        precision: What it computes in.
        processes: Processes that train together.
        given: What only the caller knows, such as `version` and `commit`; a commit that is not given is null.
    """
    import numpy as np
    import torch

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.processor()
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": name or None,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": device,
        "precision": precision,
        "processes": processes,
        "commit": None,
        **given,
    }
