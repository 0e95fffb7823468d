"""Configurations of VideoPrism networks: their dimensions, and the hub's files with their weights.

`CONFIGS` maps names to configurations, `ALIASES` short names to full ones.

Sources: google-deepmind/videoprism, videoprism/models.py (the four public configurations); for the commits and the
checksum of transformers' files, embeddings-benchmark/mteb (models of VideoPrism) and VidXP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the Hugging Face Hub.

    Attributes:
        repo: ORG/REPOSITORY.
        file: The name of the file in it.
        size_bytes: Its approximate size; 0 if unknown.
        revision: A branch or a commit.
        sha256: Its checksum; None if unknown, in which case the first download pins it.
        licence: The name of its licence, shown before a download.
        shared_name: Whether other repositories have files of this name. A copy put into the models folder by hand then
            lies in a folder of its repository.
        instead: What else a person can do who cannot get it.
        other_form: The same numbers in another file, which is used where this machine has it already.
    """

    repo: str
    file: str
    size_bytes: int
    revision: str = "main"
    sha256: str | None = None
    licence: str = "Apache-2.0"
    shared_name: bool = False
    instead: str = "name a file with --encoder PATH; --encoder demo needs no download"
    other_form: HubFile | None = None


@dataclass(frozen=True, slots=True)
class VideoPrismConfig:
    """The dimensions of one network.

    A network with `text_layers == 0` is a plain video encoder, without auxiliary layers, pooler and text tower.

    Attributes:
        name: The full name, as in the official code.
        patch: Side of a square patch in pixels.
        frames: Rows of the temporal position table, the native T.
        rows, columns: Patches of a frame; the spatial position table has rows * columns rows.
        dim: D, the width of every tower.
        heads: Attention heads of every tower.
        mlp: Hidden width of the feed-forward layers of the vision stacks.
        spatial_layers, temporal_layers, auxiliary_layers, text_layers: Layers of each stack.
        vocabulary: Rows of the token table.
        text_tokens: L, the maximum number of tokens of a text.
        logit_cap: The soft cap of attention logits.
        weights: The official checkpoint on the hub; None for a network without one.

    Raises:
        ValueError: `dim` is not a multiple of `heads`.
    """

    name: str
    patch: int
    frames: int
    rows: int
    columns: int
    dim: int
    heads: int
    mlp: int
    spatial_layers: int
    temporal_layers: int
    auxiliary_layers: int = 0
    text_layers: int = 0
    vocabulary: int = 0
    text_tokens: int = 64
    logit_cap: float = 50.0
    weights: HubFile | None = None

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise ValueError(f"{self.name}: width {self.dim} is not a multiple of {self.heads} heads")

    @property
    def has_text(self) -> bool:
        """Whether the network is an LvT (video-text) one."""
        return self.text_layers > 0

    @property
    def plain(self) -> VideoPrismConfig:
        """The configuration of its video encoder alone, under the same name."""
        return replace(self, auxiliary_layers=0, text_layers=0, vocabulary=0, text_tokens=64, weights=None)

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.dim // self.heads

    @property
    def text_mlp(self) -> int:
        """Hidden width of the text stack's feed-forward layers: tied to D, not to `mlp`."""
        return 4 * self.dim

    @property
    def pooler_head_dim(self) -> int:
        """Width of one head of the pooler, whose heads together are 4 D wide, regardless of `mlp`."""
        return 4 * self.dim // self.heads

    @property
    def size(self) -> int:
        """Native side of a frame in pixels; its height, if the position table is not square."""
        return self.patch * self.rows


def _published(repo: str, file: str, size_bytes: int, commit: str, sha256: str | None = None) -> HubFile:
    """Return an official `.npz`, whose checksum was not published, and the same weights as transformers has them.

    Args:
        repo: The repository of both.
        file: The name of the `.npz`.
        size_bytes: The size of either, about.
        commit: That of transformers' file: it lies in proposed changes of the repository, not on its main branch.
        sha256: The checksum of transformers' file; None where it was not published.
    """
    theirs = HubFile(repo, "model.safetensors", size_bytes, revision=commit, sha256=sha256, shared_name=True)
    return HubFile(repo, file, size_bytes, other_form=theirs)


_BASE = VideoPrismConfig(
    name="videoprism_public_v1_base", patch=18, frames=16, rows=16, columns=16, dim=768, heads=12, mlp=3072,
    spatial_layers=12, temporal_layers=4,
    weights=_published(
        "google/videoprism-base-f16r288", "flax_base_f16r288_repeated.npz", 457_500_000,
        commit="2be2ef51d0d611d0fadf21a6d1470a4ad4af9249",
    ),
)  # fmt: skip
_LARGE = VideoPrismConfig(
    name="videoprism_public_v1_large", patch=18, frames=8, rows=16, columns=16, dim=1024, heads=16, mlp=4096,
    spatial_layers=24, temporal_layers=4,
    weights=_published(
        "google/videoprism-large-f8r288", "flax_large_f8r288_repeated.npz", 1_416_000_000,
        commit="2e20e540e1cb89e734e2f2477590b7f8197250ca",
    ),
)  # fmt: skip


def _lvt(plain: VideoPrismConfig, name: str, weights: HubFile) -> VideoPrismConfig:
    """Return the configuration of the video-text network around a plain video encoder."""
    return replace(plain, name=name, auxiliary_layers=2, text_layers=12, vocabulary=32000, weights=weights)


DEMO = VideoPrismConfig(
    name="videoprism_lvt_demo", patch=18, frames=8, rows=4, columns=4, dim=128, heads=4, mlp=512,
    spatial_layers=4, temporal_layers=2, auxiliary_layers=2, text_layers=2, vocabulary=600, text_tokens=32,
)  # fmt: skip
"""The bundled demo encoder: the same architecture, small, trained on the demo world only (demo/README.md)."""

CONFIGS: Mapping[str, VideoPrismConfig] = MappingProxyType(
    {
        config.name: config
        for config in (
            _BASE,
            _LARGE,
            _lvt(
                _BASE,
                "videoprism_lvt_public_v1_base",
                _published(
                    "google/videoprism-lvt-base-f16r288",
                    "flax_lvt_base_f16r288_repeated.npz",
                    990_500_000,
                    commit="fb6de9f0eb7bc285be86bdca1cf7daa3e3ef51ff",
                    sha256="7d64ac2364d3473c0dd9fde35fb09e3cfb3b43153c3e9af79d7e49f1c8387cf5",
                ),
            ),
            _lvt(
                _LARGE,
                "videoprism_lvt_public_v1_large",
                _published(
                    "google/videoprism-lvt-large-f8r288",
                    "flax_lvt_large_f8r288_repeated.npz",
                    2_319_542_188,  # exactly, of the .npz
                    commit="03900b4ecc0b278b30abdc5953c575bb5f083865",
                ),
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


def names_with_text() -> list[str]:
    """Return the names that load a published video-text network or the demo encoder: aliases, then full names."""
    return [*sorted(ALIASES), *(name for name, config in CONFIGS.items() if config.has_text and config is not DEMO)]


def no_text(what: str) -> str:
    """Return the sentence that refuses a plain network, called `what`, where sentences have to be encoded."""
    return (
        f"{what} is a plain video encoder: it has no text tower and no pooled vector, so it cannot search. Use one of "
        f"the video-text checkpoints: {', '.join(names_with_text())}"
    )


VOCABULARY = HubFile(
    repo="google/siglip-base-patch16-224",
    file="spiece.model",
    size_bytes=798_330,
    revision="7fd15f0689c79d79e38b1c2e2e2370a7bf2761ed",
    sha256="1e5036bed065526c3c212dfbe288752391797c4bb1a284aa18c9a0b23fcaf8ec",
)
"""c4_en (cc_en.32000): VideoPrism's text vocabulary, byte for byte the one published with English SigLIP v1."""
