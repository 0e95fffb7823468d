"""What an OpenCLIP name means: which model, which weights, and how their files come to this machine."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoder.checkpoints import hub
from encoder.config import Published
from encoder.errors import EncoderUnavailable, ModelNotFound

if TYPE_CHECKING:
    from encoder.checkpoints.download_policy import Sources

PREFIX = "open_clip:"
RANDOM = "random"


def import_open_clip() -> Any:
    """The open_clip package. Raises EncoderUnavailable where it is not installed or does not import."""
    from encoder.torchvision_shim import import_torchvision

    try:
        import_torchvision()
        import open_clip
    except (ImportError, RuntimeError) as error:
        raise EncoderUnavailable(
            f"open_clip cannot be used ({error}); install the extra that brings it: pip install 'prismsearch[clip]'"
        ) from error
    return open_clip


def parse(spec: str) -> tuple[str, str | None]:
    """`open_clip:A/B` -> (A, B); what names a whole repository or folder has no B."""
    rest = spec.removeprefix(PREFIX)
    if rest.startswith(("hf-hub:", "local-dir:")):
        return rest, None
    name, _, pretrained = rest.partition("/")
    if not name or not pretrained:
        raise ValueError(
            f"an OpenCLIP encoder is open_clip:MODEL/PRETRAINED, for example ViT-B-32/openai, got {spec!r}"
        )
    return name, pretrained


def options(open_clip: Any, name: str, pretrained: str | None, sources: Sources) -> dict[str, Any]:
    """Arguments of `create_model` with which it finds all files here: fetched, announced and checked as ours are."""
    if name.startswith("hf-hub:"):
        repo = name.removeprefix("hf-hub:")
        sources.fetch(_published(repo, "open_clip_config.json"))
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
    # Passed as a file, the tag's own preprocessing and activation would be lost.
    preprocessing = {key: config[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in config}
    return {
        "pretrained": str(fetch_weights(repo, file, sources)),
        "force_preprocess_cfg": preprocessing,
        "force_quick_gelu": bool(config.get("quick_gelu", False)),
    }


def fetch_weights(repo: str, file: str, sources: Sources) -> Path:
    """Weights of a repository: safetensors where there are, else the older form."""
    old = file or "open_clip_pytorch_model.bin"
    new = "open_clip_model.safetensors" if not file else f"{file.rpartition('.')[0]}.safetensors"
    try:
        return sources.fetch(_published(repo, new))
    except hub.FileNotPublished:
        return sources.fetch(_published(repo, old))


def _published(repo: str, file: str) -> Published:
    return Published(repo, file, size_bytes=0, licence="a licence of its own")


def _near(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
