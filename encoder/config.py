"""Every number that shapes a VideoPrism network, and where its published weights live: one frozen record a checkpoint.

Source: google-deepmind/videoprism, videoprism/models.py (the four public configurations).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Published:
    """A file on the Hugging Face Hub. `sha256` is None where it is not known here: it is then pinned at first use."""

    repo: str
    file: str
    size_bytes: int
    revision: str = "main"
    sha256: str | None = None
    licence: str = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class VideoPrismConfig:
    """Shape of one network. `text_layers == 0`: a plain video encoder, without auxiliary layers, pooler or text."""

    name: str
    patch: int  # pixels along the side of a square patch
    frames: int  # rows of the temporal position table
    rows: int  # patches, the spatial position table is rows * columns
    columns: int
    dim: int  # D, the width of every tower
    heads: int
    mlp: int  # hidden width of the feed-forward layers of the vision stacks
    spatial_layers: int
    temporal_layers: int
    auxiliary_layers: int = 0
    text_layers: int = 0
    vocabulary: int = 0
    text_tokens: int = 64  # longer texts are cut
    logit_cap: float = 50.0
    weights: Published | None = None

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise ValueError(f"{self.name}: width {self.dim} is not a multiple of {self.heads} heads")

    @property
    def has_text(self) -> bool:
        """Whether this is an LvT (video-text) network."""
        return self.text_layers > 0

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads

    @property
    def text_mlp(self) -> int:
        """The text stack's hidden width is tied to D, not to `mlp`."""
        return 4 * self.dim

    @property
    def pooler_head_dim(self) -> int:
        """The pooler's heads together are 4 D wide, whatever `mlp` is."""
        return 4 * self.dim // self.heads

    @property
    def size(self) -> int:
        """Native side of a frame, in pixels (of the rows, where the table is not square)."""
        return self.patch * self.rows


_BASE = VideoPrismConfig(
    name="videoprism_public_v1_base", patch=18, frames=16, rows=16, columns=16, dim=768, heads=12, mlp=3072,
    spatial_layers=12, temporal_layers=4,
    weights=Published("google/videoprism-base-f16r288", "flax_base_f16r288_repeated.npz", 457_500_000),
)  # fmt: skip
_LARGE = VideoPrismConfig(
    name="videoprism_public_v1_large", patch=18, frames=8, rows=16, columns=16, dim=1024, heads=16, mlp=4096,
    spatial_layers=24, temporal_layers=4,
    weights=Published("google/videoprism-large-f8r288", "flax_large_f8r288_repeated.npz", 1_416_000_000),
)  # fmt: skip


def _lvt(plain: VideoPrismConfig, name: str, weights: Published) -> VideoPrismConfig:
    """The video-text network around a plain video encoder."""
    return replace(plain, name=name, auxiliary_layers=2, text_layers=12, vocabulary=32000, weights=weights)


DEMO = VideoPrismConfig(
    name="videoprism_lvt_demo", patch=18, frames=8, rows=4, columns=4, dim=128, heads=4, mlp=512,
    spatial_layers=4, temporal_layers=2, auxiliary_layers=2, text_layers=2, vocabulary=512, text_tokens=32,
)  # fmt: skip
"""The bundled demo encoder: the same network, small, trained on the demo world only (demo/README.md)."""

CONFIGS: Mapping[str, VideoPrismConfig] = MappingProxyType(
    {
        config.name: config
        for config in (
            _BASE,
            _LARGE,
            _lvt(
                _BASE,
                "videoprism_lvt_public_v1_base",
                Published("google/videoprism-lvt-base-f16r288", "flax_lvt_base_f16r288_repeated.npz", 990_500_000),
            ),
            _lvt(
                _LARGE,
                "videoprism_lvt_public_v1_large",
                Published("google/videoprism-lvt-large-f8r288", "flax_lvt_large_f8r288_repeated.npz", 2_320_000_000),
            ),
            DEMO,
        )
    }
)

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "base": "videoprism_lvt_public_v1_base",
        "large": "videoprism_lvt_public_v1_large",
        "demo": DEMO.name,
    }
)

VOCABULARY = Published(
    repo="google/siglip-base-patch16-224",
    file="spiece.model",
    size_bytes=798_330,
    revision="7fd15f0689c79d79e38b1c2e2e2370a7bf2761ed",
    sha256="1e5036bed065526c3c212dfbe288752391797c4bb1a284aa18c9a0b23fcaf8ec",
)
"""c4_en (cc_en.32000): VideoPrism's text vocabulary, byte for byte the one published with English SigLIP v1."""
