"""Files of heads: the arrays in an `.npz`, and beside it, under the same name, a `.json` that says what they are for.

A head on tokens is stored under the official names, alone or with the whole tree of the official classifier. The
sidecar has the checksum of the arrays' file, so that two halves of different heads are never used together. Files may
come from anybody: whatever is wrong with them is one sentence.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from encoder.checkpoints.checkpoint import CLASSIFIER_ENCODER
from encoder.classifier_weights import flax_from_classifier, flax_from_head, head_from_flax, require_finite
from encoder.errors import WeightsMismatch
from encoder.heads import LinearHead, MapHead
from encoder.model import VideoEncoder
from encoder.weights import Array
from files.json_file import read_json
from files.regular import open_regular
from files.replace import replace_file, replacing

HeadKind = Literal["map", "linear"]

_WEIGHTS, _BIAS = "weights", "bias"
_LARGEST = 1e9  # of a head: products of a few such numbers are still finite in float32
_MAX_BYTES = 1 << 28
"""Of the arrays of a head: LvT-L's with 50,000 classes has 221 MB."""
_MAX_CLASSES = 100_000
_CHUNK_BYTES = 1 << 22
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those of `numpy.savez` and `savez_compressed`; others fail in ways of their own."""


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What a head is for.

    Attributes:
        kind: `map`, a `MapHead` on tokens, or `linear`, a `LinearHead` on rows.
        classes: Their names, in the order of the logits.
        multi_label: Whether a clip may show several classes: then a logit goes through a sigmoid, else all of them
            through a softmax.
        encoder_id: The id of the encoder whose tokens or rows it was trained on.
        dim: D, the number of columns of a token or a row.
        trained_on: What it was trained on, in words.
        version: The version of this program that wrote it.
    """

    kind: HeadKind
    classes: tuple[str, ...]
    multi_label: bool
    encoder_id: str
    dim: int
    trained_on: str
    version: str


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A head that was read, and what it is for."""

    head: MapHead | LinearHead
    facts: HeadFacts


def sidecar_of(path: Path) -> Path:
    """Return the path of the `.json` that belongs to the `.npz` of a head."""
    return path.with_suffix(".json")


def write_head(
    path: Path, head: MapHead | LinearHead, facts: HeadFacts, *, encoder: VideoEncoder | None = None
) -> None:
    """Write a head: the `.npz`, and then its `.json`, each atomically.

    Args:
        path: The `.npz`; its folder must exist.
        head: The head.
        facts: What it is for.
        encoder: The video encoder (`encoder.model.vision_of`) to store with a `MapHead`, which makes the file a whole
            checkpoint of the official classifier; None stores the head alone.

    Raises:
        ValueError: The path does not end in .npz; facts, head and encoder do not belong together; or a value of the
            head is not finite.
        OSError: A file could not be written.
    """
    if path.suffix != ".npz":
        raise ValueError(f"the file of a head ends in .npz, not {path.name!r}")
    problem = _contradiction(head, facts)
    if problem:
        raise ValueError(problem)
    if isinstance(head, LinearHead):
        if encoder is not None:
            raise ValueError("the official classifier has a head on tokens; a linear head is stored alone")
        arrays: Mapping[str, Array] = {_WEIGHTS: head.weights, _BIAS: head.bias}
    else:
        arrays = flax_from_head(head) if encoder is None else flax_from_classifier(encoder, head)
    try:
        require_finite(arrays)
    except WeightsMismatch as error:
        raise ValueError(str(error)) from error
    with replacing(path) as draft, draft.open("wb") as stream:
        np.savez(stream, **dict(arrays))  # type: ignore[arg-type]
        stream.flush()
        checksum = _checksum(draft)
    record = {**asdict(facts), "arrays": checksum}
    replace_file(sidecar_of(path), (json.dumps(record, indent=1, ensure_ascii=True) + "\n").encode())


def read_head(path: Path, *, encoder_id: str | None = None, former_id: str | None = None) -> StoredHead:
    """Read a head, without the encoder that may be stored with it.

    Args:
        path: The `.npz`.
        encoder_id: The id of the encoder that it is to be used with; None accepts any.
        former_id: Its id in earlier versions, which may have trained the head; see `encoder.protocol.former_id`.

    Raises:
        WeightsMismatch: A file is missing its other half, too large or damaged; the head is for another encoder; or
            arrays, classes and columns do not belong together.
        OSError: A file cannot be opened.
    """
    facts, checksum = _read_sidecar(sidecar_of(path))
    if encoder_id is not None and facts.encoder_id not in (encoder_id, former_id):
        raise WeightsMismatch(
            f"{path} is a head for the encoder {facts.encoder_id}, not for {encoder_id}; use that encoder, or train "
            "a head on this one"
        )
    arrays = _read_arrays(path)
    if _checksum(path) != checksum:
        raise WeightsMismatch(
            f"{path} is not the file that {sidecar_of(path).name} was written for; use both of one head"
        )
    try:
        head = head_from_flax(arrays) if facts.kind == "map" else _linear_head(arrays)
    except (WeightsMismatch, ValueError) as error:
        raise WeightsMismatch(f"{path}: {error}") from error
    problem = _contradiction(head, facts) or _overflow(arrays)
    if problem:
        raise WeightsMismatch(f"{path}: {problem}")
    return StoredHead(head, facts)


def _contradiction(head: MapHead | LinearHead, facts: HeadFacts) -> str:
    """Return what does not fit between a head and its facts; empty if everything does."""
    if isinstance(head, MapHead) != (facts.kind == "map"):
        return f"its kind is {facts.kind}, its arrays are of the other kind"
    if head.classes != len(facts.classes):
        return f"it has {head.classes} classes, and names for {len(facts.classes)}"
    if len(set(facts.classes)) != len(facts.classes) or "" in facts.classes:
        return "two of its classes have the same name, or one has none"
    if head.dim != facts.dim:
        return f"it is for {head.dim} columns, and said to be for {facts.dim}"
    return ""


def _overflow(arrays: Mapping[str, Array]) -> str:
    """Return which array is too large to be computed with in float32; empty if none is."""
    large = next((key for key, array in arrays.items() if array.size and np.abs(array).max() > _LARGEST), "")
    return f"{large} has numbers above {_LARGEST:g}, which no training gives" if large else ""


def _linear_head(arrays: Mapping[str, Array]) -> LinearHead:
    if set(arrays) != {_WEIGHTS, _BIAS}:
        raise WeightsMismatch(f"a linear head has the arrays {_WEIGHTS} and {_BIAS}, not {', '.join(sorted(arrays))}")
    for key, array in arrays.items():
        if array.dtype != np.float32:
            raise WeightsMismatch(f"{key} is {array.dtype}, expected float32")
    return LinearHead(arrays[_WEIGHTS], arrays[_BIAS])


def _read_arrays(path: Path) -> dict[str, Array]:
    """Return the arrays of the head in a file; those of an encoder are left unread."""
    try:
        with open_regular(path) as raw, np.load(raw, allow_pickle=False) as file:
            if any(each.compress_type not in _COMPRESSIONS for each in file.zip.infolist()):
                raise WeightsMismatch(f"{path} is compressed as no .npz is")
            names = [name for name in file.files if not name.startswith(CLASSIFIER_ENCODER)]
            if sum(file.zip.getinfo(f"{name}.npy").file_size for name in names) > _MAX_BYTES:
                raise WeightsMismatch(f"{path} is too large for a head: more than {_MAX_BYTES:,} bytes of arrays")
            return {name: file[name] for name in names}
    except (ValueError, TypeError, KeyError, AttributeError, EOFError, MemoryError, RuntimeError) as error:
        raise _unreadable(path, error) from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> WeightsMismatch:
    first = (str(error).splitlines() or [""])[0][:200]
    return WeightsMismatch(f"{path} is not a readable .npz of a head ({first or type(error).__name__})")


def _read_sidecar(path: Path) -> tuple[HeadFacts, str]:
    try:
        record = read_json(path)
    except FileNotFoundError as error:
        raise WeightsMismatch(
            f"{path} is missing: it says what the head beside it is for; keep the two together"
        ) from error
    except ValueError as error:
        raise WeightsMismatch(f"{path} is not a readable description of a head ({error})") from error
    try:
        return _facts_of(record)
    except (ValueError, TypeError, KeyError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise WeightsMismatch(f"{path} is not a description of a head ({reason})") from error


def _facts_of(record: Any) -> tuple[HeadFacts, str]:
    """Return the facts and the checksum in a sidecar. Raise ValueError, TypeError or KeyError for anything odd."""
    if not isinstance(record, dict):
        raise TypeError("it is no object")
    kinds = {"kind": str, "multi_label": bool, "encoder_id": str, "dim": int, "trained_on": str, "version": str}
    for name, kind in {**kinds, "classes": list, "arrays": str}.items():
        if type(record[name]) is not kind:
            raise TypeError(f"its {name} is not of the type {kind.__name__}")
    classes = record["classes"]
    if not all(isinstance(name, str) for name in classes) or len(classes) > _MAX_CLASSES:
        raise TypeError(f"its classes are not up to {_MAX_CLASSES:,} names")
    if record["kind"] not in get_args(HeadKind):
        raise ValueError(f"its kind is {record['kind'][:40]!r}, not {' or '.join(get_args(HeadKind))}")
    known = {field.name: record[field.name] for field in fields(HeadFacts)}
    return HeadFacts(**{**known, "classes": tuple(classes)}), record["arrays"]


def _checksum(path: Path) -> str:
    """Return a digest of the bytes of a file."""
    digest = hashlib.blake2b(digest_size=16)
    with open_regular(path) as raw:
        while part := raw.read(_CHUNK_BYTES):
            digest.update(part)
    return digest.hexdigest()
