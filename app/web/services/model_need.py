"""Models by their names, of encoders and of speech: whether one has to be downloaded first, and its size."""

from __future__ import annotations

from dataclasses import dataclass

from app.encoder_names import JOINT, encoder_names


@dataclass(frozen=True, slots=True)
class ModelNeed:
    """Weights that `prismsearch fetch-model ALIAS` would download."""

    alias: str
    size_bytes: int
    licence: str

    @property
    def about(self) -> str:
        """Sentences on where it comes from, and under which licence."""
        source = "The model is downloaded once from the Hugging Face Hub; none of your data is sent."
        return f"{source} Its licence: {self.licence}."


def model_to_fetch(encoder_name: str) -> ModelNeed | None:
    """Return the download required before this encoder can be used, or None if none is required or known.

    Of several (`A+B`), it is the first one that is missing. Never downloads. A file put into the cache by hand is read
    once to verify it, which takes seconds.
    """
    return next((need for name in encoder_names(encoder_name) if (need := _need_of(name)) is not None), None)


def _need_of(encoder_name: str) -> ModelNeed | None:
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
        size_bytes = config.weights.size_bytes + VOCABULARY.size_bytes
        return ModelNeed(alias_of(config.name), size_bytes, config.weights.licence)
    except EncoderError:
        return None  # present but damaged: opening it reports that
    return None


def speech_model_to_fetch(name: str) -> ModelNeed | None:
    """Return the download required before a published speech model can be used; otherwise as `model_to_fetch`."""
    from app.model_downloads import fetch_from
    from encoder import EncoderError, ModelNotFound
    from encoder.checkpoints.download_policy import Sources
    from recognition.errors import RecognitionError
    from recognition.speech.models import SPEECH_MODELS, find_model

    described = SPEECH_MODELS.get(name)
    if described is None:
        return None
    try:
        find_model(name, fetch_from(Sources(offline=True)))
    except ModelNotFound:
        return ModelNeed(name, described.size_bytes, described.licence)
    except (EncoderError, RecognitionError):
        return None
    return None


def alias_of(encoder_name: str) -> str:
    """Return the short name of an encoder, such as `base`, or the name itself without one; of several, `base+demo`."""
    from encoder.config import ALIASES

    aliases = {name: alias for alias, name in ALIASES.items()}
    return JOINT.join(aliases.get(name, name) for name in encoder_name.split(JOINT))
