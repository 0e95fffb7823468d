"""Workaround for a torchvision whose compiled operators do not load, because it was built for another torch.

A CUDA build of torchvision beside a CPU build of torch, which a plain installation may produce, fails on import: its
library is skipped silently, and then fakes are registered for operators that do not exist. open_clip imports
torchvision at its top but needs none of these operators. Observed with torch 2.13 (CPU) and torchvision 0.28.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def import_torchvision() -> None:
    """Import torchvision; if only its operators are missing, without them (calling one then raises).

    Raises:
        ImportError: Torchvision is not installed.
        RuntimeError: It fails for another reason.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    else:
        return
    import torch

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # left half-initialised by the failed import
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
