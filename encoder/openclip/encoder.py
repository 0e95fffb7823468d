"""OpenCLIP: an Encoder around any image-text model of open_clip, which averages the frames of a clip.

It sees the content of single frames, not motion, because a mean does not depend on the order of frames.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from encoder.errors import EncoderUnavailable, ModelNotFound, WeightsMismatch
from encoder.frame_features import Features, require_frames, require_length
from encoder.openclip.digests import space_digest, text_digest
from encoder.openclip.eager_tower import PICTURES_AT_ONCE, unit
from encoder.openclip.image_tower import make_image_tower, slow_kind
from encoder.openclip.pretrained import PREFIX, create_model_options, import_open_clip, parse_name
from encoder.protocol import ClipSpec, Fit, Shape, known_shape
from encoder.runtime.turns import Turns
from encoder.tokenizer import has_word

if TYPE_CHECKING:
    from encoder.checkpoints.download_policy import Sources

DEFAULT_FRAMES = 8
_SEED = 7
_TEXTS_AT_ONCE = 64
_SLOW = (
    "{name} computes pictures as open_clip does, in float32: its image tower ({kind}) is of a kind that packed layers "
    "do not speed up"
)
# Raised by open_clip for other keys and shapes, for damaged files, and for files of another kind.
_NOT_A_CHECKPOINT = (
    RuntimeError,
    pickle.UnpicklingError,
    SafetensorError,
    EOFError,
    KeyError,
    TypeError,
    AttributeError,
)


def load(
    spec: str,
    device: str,
    *,
    frames: int | None = None,
    fit: Fit = "stretch",
    precision: str = "auto",
    sources: Sources | None = None,
    shapes: Mapping[str, Shape] | None = None,
) -> OpenCLIP:
    """Load an encoder by its open_clip name.

    Args:
        spec: `open_clip:MODEL/PRETRAINED`, where PRETRAINED is one of open_clip's tags, the path of a checkpoint, or
            `random` (always the same weights, for tests); or `open_clip:hf-hub:ORG/REPOSITORY`, or
            `open_clip:local-dir:FOLDER`.
        device: A device of torch, such as `cpu` or `cuda:0`.
        frames: T; None for 8.
        fit: How a frame that is not square becomes square.
        precision: As in `encoder.load_encoder`.
        sources: Allowed sources of files; None for the standard locations, without large downloads.
        shapes: See `encoder.load_encoder`.

    Raises:
        ValueError: open_clip has no such model or tag.
        ModelNotFound: The weights are not on this machine and cannot be downloaded.
        WeightsMismatch: The file has other weights, or is damaged.
        EncoderUnavailable: open_clip is not installed, the device cannot hold the model or does not support the
            precision, or its pictures are not square.
    """
    from encoder.checkpoints.download_policy import Sources

    open_clip = import_open_clip()
    name, pretrained = parse_name(spec)
    arguments = create_model_options(open_clip, name, pretrained, sources or Sources())
    try:
        with _fixed_seed():
            model = open_clip.create_model(name, device="cpu", precision="fp32", **arguments)
            tokenizer = open_clip.get_tokenizer(name)
    except (OSError, ValueError) as error:
        raise ModelNotFound(f"{spec} cannot be loaded: {error}") from error
    except _NOT_A_CHECKPOINT as error:
        first = str(error).partition("\n")[0][:300]
        raise WeightsMismatch(f"{spec} cannot be loaded, its weights are not of this model: {first}") from error
    tag = pretrained if pretrained in open_clip.list_pretrained_tags_by_model(name) else None
    weights_id, text_id = f"{PREFIX}{name}/{tag}", f"{PREFIX}{name}/{tag}:text"
    if tag is None:
        known_as = PREFIX + _printable(name)
        weights_id, text_id = f"{known_as}@{space_digest(model)}", f"{known_as}:text@{text_digest(model, tokenizer)}"
    shape = known_shape(shapes, weights_id)
    if shape is not None:
        frames, fit = shape.frames, shape.fit
    return OpenCLIP(
        model, tokenizer, device, weights_id=weights_id, text_id=text_id, frames=frames, fit=fit, precision=precision
    )


@contextlib.contextmanager
def _fixed_seed() -> Any:
    """Make random weights reproducible, without changing the global random state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        yield


def _printable(name: str) -> str:
    """Return the model's part of the id, without the path of a local folder."""
    return "local-dir" if name.startswith("local-dir:") else name


class OpenCLIP:
    """An `encoder.Encoder` of an image-text model: a clip's row is the normalised mean of its frames' unit rows.

    The frames are evenly spaced and include both ends of the segment, as in the published figures of PE-Core.

    Attributes:
        id, text_id: As in `Encoder`.
        precision: What the image tower computes in; sentences are float32.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        device: str,
        *,
        weights_id: str,
        text_id: str = "",
        frames: int | None = None,
        fit: Fit = "stretch",
        precision: str = "auto",
    ) -> None:
        """Wrap a loaded model.

        Args:
            model: A CLIP model of open_clip.
            tokenizer: Its tokenizer.
            device: A device of torch.
            weights_id: The part of `id` that names model and weights.
            text_id: See `Encoder.text_id`.
            frames: T; None for 8.
            fit: How a frame that is not square becomes square.
            precision: As in `encoder.load_encoder`.

        Raises:
            EncoderUnavailable: See `make_image_tower`; or its pictures are not square.
        """
        preprocessing = model.visual.preprocess_cfg
        size = preprocessing["size"]
        height, width = (size, size) if isinstance(size, int) else tuple(size)
        if height != width:
            raise EncoderUnavailable(
                f"{weights_id} takes pictures of {height} x {width}; only square ones are made here"
            )
        self._model = model.eval().requires_grad_(False)
        slow = slow_kind(model, device)
        self._notice = _SLOW.format(name=weights_id, kind=slow) if slow else None
        self._pictures = make_image_tower(model, device, precision, name=weights_id)
        self.precision = self._pictures.precision
        self._tokenizer = tokenizer
        self._turns = Turns()  # some tokenizers fail in two threads at once
        self._device = torch.device(device)
        self._spec = ClipSpec(frames or DEFAULT_FRAMES, height, fit, ends=True)
        self.id: Final = f"{weights_id}:{self._spec.name}"
        self.text_id: Final = text_id
        self._dim = int(self.encode_texts(["a"]).shape[1])  # no attribute of all models states it

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def has_text(self) -> bool:
        return True

    @property
    def clip_spec(self) -> ClipSpec:
        return self._spec

    @property
    def notice(self) -> str | None:
        return self._notice

    @property
    def batch(self) -> int:
        return max(1, PICTURES_AT_ONCE // self._spec.frames)

    def prepare(self) -> None:
        """Do nothing: the model is loaded."""

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Encoder.encode_clips`."""
        self._spec.require(clips)
        return self.encode_frames(clips)

    def encode_frames(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `encoder.quick.AnyFrames`."""
        frames = clips.reshape(-1, *clips.shape[2:])  # of all clips: batches are made over them
        return _mean(self.frame_features(frames).reshape(*clips.shape[:2], self._dim))

    def frame_features(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FrameEncoder.frame_features`: the unit row of each frame, float32 (M, D)."""
        require_frames(self._spec, frames)
        if not len(frames):
            return np.zeros((0, self._dim), np.float32)
        with self._turns:
            return self._pictures(frames).numpy()

    def encode_features(self, features: Features) -> NDArray[np.float32]:
        """See `FrameEncoder.encode_features`: the normalised mean of the rows of frames."""
        require_length(self._spec, features)
        return _mean(features)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.encode_texts`."""
        rows = [] if texts else [np.zeros((0, self._dim), np.float32)]
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            with self._turns, torch.inference_mode():
                tokens = self._tokenizer([_utf8(text) for text in texts[start : start + _TEXTS_AT_ONCE]])
                rows.append(unit(self._model.encode_text(tokens.to(self._device)).float()).cpu().numpy())
        return np.concatenate(rows)

    def unread(self, text: str) -> str:
        """See `Encoder.unread`. These vocabularies have pieces for every byte."""
        return "" if has_word(text) else text.strip()

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """See `Encoder.truncated`."""
        limit = int(self._tokenizer.context_length)
        with self._turns:
            if hasattr(self._tokenizer, "encode"):  # CLIP's own, which adds a start and an end token
                return [len(self._tokenizer.encode(_utf8(text))) + 2 > limit for text in texts]
            return [len(self._tokenizer.tokenizer(_utf8(text))["input_ids"]) > limit for text in texts]


def _utf8(text: str) -> str:
    """Replace lone surrogates: they have no UTF-8 form, and tokenizers fail on them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _mean(features: Features) -> NDArray[np.float32]:
    """Return the normalised means of the rows of frames: (B, t, D) to (B, D)."""
    return unit(torch.from_numpy(features).mean(dim=1)).numpy()
