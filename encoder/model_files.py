"""The files of an encoder: from a name or path to weights and vocabulary. No network is built."""

from __future__ import annotations

import difflib
from pathlib import Path

from encoder.checkpoints.download_policy import Sources
from encoder.config import ALIASES, CONFIGS, DEMO, VOCABULARY, VideoPrismConfig, names_with_text, no_text
from encoder.errors import ModelNotFound
from encoder.openclip.pretrained import PREFIX

DEMO_FOLDER = Path(__file__).parent / "demo"
VOCABULARY_NAMES = ("vocabulary.model", "spiece.model", "sentencepiece.model", "c4_en.model")


def resolve(
    name_or_path: str | Path, sources: Sources, *, needs_text: bool = False
) -> tuple[VideoPrismConfig | None, Path, Path | None]:
    """Return configuration, weights and vocabulary; None for those determined by the weights or their folder.

    Args:
        name_or_path, sources, needs_text: As in `encoder.load_encoder`. Files that are not here are downloaded.

    Raises:
        ValueError: The name is unknown, or the network has no text tower where one is needed.
        ModelNotFound: There is no such file, or it could not be downloaded.
    """
    config = _config(name_or_path) if isinstance(name_or_path, str) else None
    if needs_text and config is not None and not config.has_text:
        raise ValueError(no_text(config.name))  # before anything is downloaded
    if config is not None and config.weights is None:
        weights, vocabulary = DEMO_FOLDER / f"{config.name}.npz", DEMO_FOLDER / VOCABULARY_NAMES[0]
        return config, _require(weights), _require(vocabulary)
    if config is not None and config.weights is not None:
        return config, sources.fetch(config.weights), sources.fetch(VOCABULARY) if config.has_text else None

    path = Path(name_or_path).expanduser()
    if path.is_dir():
        path = _weights_in(path)
    if not path.is_file():
        looks_like_a_path = isinstance(name_or_path, Path) or len(path.parts) > 1 or path.suffix
        if looks_like_a_path:
            raise ModelNotFound(f"there is no checkpoint at {path}; name an .npz or .safetensors file, or its folder")
        raise ValueError(_unknown(str(name_or_path)))
    if path.suffix not in (".npz", ".safetensors"):
        raise ValueError(f"{path} is not a checkpoint: official weights end in .npz, converted ones in .safetensors")
    config = next((c for c in CONFIGS.values() if c.weights and c.weights.file == path.name), None)
    if needs_text and config is not None and not config.has_text:
        raise ValueError(no_text(config.name))
    return config, path, None


def vocabulary_beside(weights: Path, config: VideoPrismConfig, sources: Sources) -> Path:
    """Return the vocabulary of a network: the file beside its weights, else that of a known network.

    Raises:
        ModelNotFound: There is none, or it could not be downloaded.
    """
    for name in VOCABULARY_NAMES:
        if (weights.parent / name).is_file():
            return weights.parent / name
    if config.name in CONFIGS and CONFIGS[config.name].weights is not None:
        return sources.fetch(VOCABULARY)
    if config.name == DEMO.name:
        return _require(DEMO_FOLDER / VOCABULARY_NAMES[0])
    raise ModelNotFound(
        f"the vocabulary of {weights.name} is not beside it: put the SentencePiece model it was trained with into "
        f"{weights.parent} as {VOCABULARY_NAMES[0]}"
    )


def files_of(name_or_path: str | Path, sources: Sources | None = None) -> list[Path]:
    """Return the files of weights and vocabulary that `load` reads.

    Args:
        name_or_path, sources: As in `encoder.load_encoder`. Files that are not here are downloaded as by `load`.

    Returns:
        The paths; empty if unknown before loading: for OpenCLIP, and for checkpoints without an official file
        name.

    Raises:
        ValueError, ModelNotFound, WeightsMismatch: As `load`.
    """
    sources = sources or Sources()
    if isinstance(name_or_path, str) and name_or_path.startswith(PREFIX):
        return []
    config, weights, vocabulary = resolve(name_or_path, sources)
    if config is not None and not config.has_text:
        return [weights]
    if vocabulary is None and config is not None:
        vocabulary = vocabulary_beside(weights, config, sources)
    return [] if vocabulary is None else [weights, vocabulary]


def _config(name: str) -> VideoPrismConfig | None:
    return CONFIGS.get(ALIASES.get(name, name))


def _require(path: Path) -> Path:
    if not path.is_file():
        raise ModelNotFound(f"{path} is missing: the installation is not complete; install prismsearch again")
    return path


def _weights_in(folder: Path) -> Path:
    """Return the one checkpoint of a folder, or of a repository in the hub's cache (`models--ORG--NAME`).

    Commits in the cache share their files: the same file in two of them is one checkpoint.
    """
    commits = sorted(path for path in folder.glob("snapshots/*") if path.is_dir())
    found: dict[Path, Path] = {}
    for path in (path for each in commits or [folder] for path in _checkpoints_in(each)):
        found.setdefault(path.resolve(), path)
    candidates = list(found.values())
    if not candidates:
        raise ModelNotFound(f"the folder {folder} contains no checkpoint: no .npz and no .safetensors")
    if len(candidates) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in candidates)
        raise ValueError(f"{folder} contains several checkpoints; choose one: {names}")
    return candidates[0]


def _checkpoints_in(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder; if one of them is an official `.npz`, that one."""
    found = sorted(p for p in folder.iterdir() if p.suffix in (".npz", ".safetensors") and not p.name.startswith("."))
    official = [p for p in found if any(c.weights and c.weights.file == p.name for c in CONFIGS.values())]
    return official or found


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, names_with_text(), cutoff=0.5)
    meant = f" (did you mean {' or '.join(near)}?)" if near else ""
    return (
        f"there is no encoder called {name!r}{meant}. Known: {', '.join(names_with_text())}, a path of an .npz or "
        ".safetensors file, or open_clip:MODEL/PRETRAINED"
    )
