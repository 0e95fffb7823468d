"""The stages by name, their settings and figures, and what each starts from. Imports no library."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

Stage = Literal["text", "lit", "adapter", "stage1", "stage2"]
STAGES: tuple[Stage, ...] = get_args(Stage)

OF_STAGE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": frozenset({"micro", "temperature", "tuned", "rank", "alpha", "layers", "guard", "guard_file"}),
        "lit": frozenset({"micro", "temperature"}),
        "adapter": frozenset({"micro", "temperature", "rank", "alpha"}),
        "stage1": frozenset({"micro", "temperature", "drop"}),
        "stage2": frozenset({"mask", "mask_ratio", "shuffle", "global_weight"}),
    }
)
"""Fields of a configuration that only some stages have."""

FIGURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text": ("score", "recall", "kept"),
        "lit": ("recall",),
        "adapter": ("recall",),
        "stage1": ("recall",),
        "stage2": ("agreement", "local", "global"),
    }
)
"""Figures of the validation of each stage that a checkpoint can be best in; by default it is the first."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "text": {
            "batch": 64, "rank": 8, "alpha": 16.0,
            "loop": {"steps": 100, "learning_rate": 5e-3, "warmup": 0.1, "patience": 5},
        },
        "lit": {"batch": 32, "loop": {"steps": 2_000, "learning_rate": 1e-4, "warmup": 0.03}},
        "adapter": {"batch": 32, "loop": {"steps": 2_000, "learning_rate": 1e-4, "warmup": 0.05}},
        "stage1": {
            "batch": 32, "drop": 0.5, "temperature": 1 / 0.07, "weight_decay": 1e-4,
            "loop": {
                "steps": 10_000, "optimizer": "adafactor", "learning_rate": 1e-4, "warmup": 0.1, "schedule": "linear",
            },
        },
        "stage2": {
            "batch": 32, "weight_decay": 0.05,
            "loop": {
                "steps": 10_000, "optimizer": "adafactor", "learning_rate": 5e-4, "warmup": 1 / 12,
                "final_factor": 0.02,
            },
        },
    }
)  # fmt: skip
"""What a stage starts from. `warmup` is a share of the steps.

Source of the rates, decays and schedules of stage1 and stage2: the VideoPrism paper (arXiv 2402.13217), table 10 and
appendix C; its batches of 4,096 and hundreds of thousands of steps are not for one's own footage. The 3 % of lit are
LiT's (arXiv 2111.07991). All other numbers are ours.
"""
