"""Which model an encoder's name stands for, whether it is on this machine, and how large it is to fetch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelNeed:
    """Weights that `prismsearch fetch-model ALIAS` would download."""

    alias: str
    size_bytes: int


def model_to_fetch(encoder_name: str) -> ModelNeed | None:
    """What has to be downloaded before this encoder can be used; None where nothing has, or nobody knows.

    Never downloads. A file that was put into the cache and never looked at is read once, which takes seconds.
    """
    from encoder import EncoderError, ModelNotFound
    from encoder.checkpoints.hub import fetch
    from encoder.config import ALIASES, CONFIGS, VOCABULARY

    config = CONFIGS.get(ALIASES.get(encoder_name, encoder_name))
    if config is None or config.weights is None or not config.has_text:
        return None
    try:
        fetch(config.weights, offline=True)
        fetch(VOCABULARY, offline=True)
    except ModelNotFound:
        return ModelNeed(alias_of(config.name), config.weights.size_bytes + VOCABULARY.size_bytes)
    except EncoderError:
        return None  # it is there and wrong: opening it says how
    return None


def alias_of(encoder_name: str) -> str:
    """The short name of an encoder (`base`) where it has one; else the name itself."""
    from encoder.config import ALIASES

    return next((alias for alias, name in ALIASES.items() if name == encoder_name), encoder_name)
