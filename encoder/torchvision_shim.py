"""Import torchvision where its compiled operators do not load.

A torchvision built for CUDA beside a torch built for the CPU (what a plain installation may well give) fails on import:
its library is skipped in silence, and then fakes are registered for operators that do not exist. open_clip imports
torchvision at its top, but needs none of these operators. Found with torch 2.13 (CPU) and torchvision 0.28.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def import_torchvision() -> None:
    """Import torchvision; where its operators alone are missing, without them (calling one then raises)."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    else:
        return
    import torch

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # what is left there is half imported
    original: Callable[..., Any] = torch.library.register_fake

    def tolerant(operator: Any, function: Any = None, /, **options: Any) -> Any:
        def register(function: Any) -> Any:
            try:
                return original(operator, function, **options)
            except RuntimeError:
                if not str(operator).startswith("torchvision::"):
                    raise
                return function

        return register if function is None else register(function)

    torch.library.register_fake = tolerant
    try:
        import torchvision  # noqa: F401
    finally:
        torch.library.register_fake = original
