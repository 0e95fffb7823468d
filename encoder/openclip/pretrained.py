"""OpenCLIP names: parsing them, and fetching the pretrained weights that they stand for."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoder.checkpoints import hub
from encoder.config import HubFile
from encoder.errors import EncoderUnavailable, ModelNotFound

if TYPE_CHECKING:
    from encoder.checkpoints.download_policy import Sources

PREFIX = "open_clip:"
RANDOM = "random"

_LICENCES = {"PE-Core": "Apache-2.0", "SigLIP2": "Apache-2.0", "MobileCLIP2": "apple-amlr: for research only"}
"""Licences of weights by a part of their repository's name, shown before a download."""


def import_open_clip() -> Any:
    """Import and return the open_clip package. Raise EncoderUnavailable if it is not installed or not usable."""
    from encoder.openclip.torchvision_shim import import_torchvision

    try:
        import_torchvision()
        import open_clip
    except (ImportError, RuntimeError) as error:
        raise EncoderUnavailable(
            f"open_clip cannot be used ({error}); install the extra that brings it: pip install 'prismsearch[clip]'"
        ) from error
    return open_clip


def parse_name(spec: str) -> tuple[str, str | None]:
    """Split `open_clip:MODEL/PRETRAINED` into (MODEL, PRETRAINED).

    The name of a whole repository or folder, `hf-hub:...` or `local-dir:...`, has no PRETRAINED: None. Raise ValueError
    for any other form.
    """
    rest = spec.removeprefix(PREFIX)
    if rest.startswith(("hf-hub:", "local-dir:")):
        return rest, None
    name, _, pretrained = rest.partition("/")
    if not name or not pretrained:
        raise ValueError(
            f"an OpenCLIP encoder is open_clip:MODEL/PRETRAINED, for example ViT-B-32/openai, got {spec!r}"
        )
    return name, pretrained


def create_model_options(open_clip: Any, name: str, pretrained: str | None, sources: Sources) -> dict[str, Any]:
    """Fetch the files of a model, and return the arguments with which `open_clip.create_model` finds them.

    Args:
        open_clip: The package, from `import_open_clip`.
        name: MODEL of `parse_name`.
        pretrained: PRETRAINED of `parse_name`.
        sources: Allowed sources of files. Downloads need consent and are verified, as for VideoPrism.

    Raises:
        ValueError: open_clip has no such model or tag.
        ModelNotFound: The weights are not on this machine and cannot be downloaded.
        WeightsMismatch: A file's checksum is not the expected one.
    """
    if name.startswith("hf-hub:"):
        repo = name.removeprefix("hf-hub:")
        sources.fetch(_hub_file(repo, "open_clip_config.json"))
        fetch_weights(repo, "", sources)
        return {"require_pretrained": True}
    if pretrained is None:
        return {"require_pretrained": True}
    if name not in open_clip.list_models():
        raise ValueError(f"open_clip has no model {name!r}{_near(name, open_clip.list_models())}")
    if pretrained == RANDOM:
        return {"pretrained": None, "pretrained_image": False, "pretrained_text": False}
    config = open_clip.get_pretrained_cfg(name, pretrained)
    if not config:
        path = Path(pretrained).expanduser()
        if path.is_file():
            return {"pretrained": str(path)}
        tags = open_clip.list_pretrained_tags_by_model(name)
        raise ValueError(
            f"{pretrained!r} is neither a file nor one of the weights of {name}{_near(pretrained, tags)}; known: "
            f"{', '.join(tags) or 'none'}"
        )
    if not config.get("hf_hub"):
        raise ModelNotFound(
            f"the weights {pretrained} of {name} are not on a hub; download {config.get('url')} and name the file: "
            f"open_clip:{name}/PATH"
        )
    repo, _, file = config["hf_hub"].rpartition("/")
    # For weights passed as a file, create_model does not know the tag's preprocessing and activation.
    preprocessing = {key: config[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in config}
    return {
        "pretrained": str(fetch_weights(repo, file, sources)),
        "force_preprocess_cfg": preprocessing,
        "force_quick_gelu": bool(config.get("quick_gelu", False)),
    }


def fetch_weights(repo: str, file: str, sources: Sources) -> Path:
    """Fetch the weights of a repository: as safetensors if available, else in the older format.

    Args:
        repo: ORG/REPOSITORY on the hub.
        file: The name of the weights in the older format; empty for open_clip's standard name.
        sources: Allowed sources of files.

    Raises:
        ModelNotFound, WeightsMismatch: See `hub.fetch`.
    """
    old = file or "open_clip_pytorch_model.bin"
    new = "open_clip_model.safetensors" if not file else f"{file.rpartition('.')[0]}.safetensors"
    try:
        return sources.fetch(_hub_file(repo, new))
    except hub.FileNotOnHub:
        return sources.fetch(_hub_file(repo, old))


def _hub_file(repo: str, file: str) -> HubFile:
    licence = next((licence for part, licence in _LICENCES.items() if part in repo), "a licence of its own")
    return HubFile(repo, file, size_bytes=0, licence=licence, shared_name=True)


def _near(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
