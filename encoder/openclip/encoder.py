"""OpenCLIP: an Encoder around any image-text model of open_clip, which averages the frames of a clip.

It sees the content of single frames, not motion, because a mean does not depend on the order of frames.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from encoder.errors import EncoderUnavailable, ModelNotFound, WeightsMismatch
from encoder.openclip.pretrained import PREFIX, create_model_options, import_open_clip, parse_name
from encoder.protocol import ClipSpec, Fit, Shape, known_shape
from encoder.runtime.turns import Turns
from encoder.tokenizer import has_word

if TYPE_CHECKING:
    from encoder.checkpoints.download_policy import Sources

DEFAULT_FRAMES = 8
_SEED = 7
_VISUAL = "visual."  # what the names of the image tower's weights begin with, in every model of open_clip
_FRAMES_AT_ONCE = 64
_TEXTS_AT_ONCE = 64
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
        sources: Allowed sources of files; None for the standard locations, without large downloads.
        shapes: See `encoder.load_encoder`.

    Raises:
        ValueError: open_clip has no such model or tag.
        ModelNotFound: The weights are not on this machine and cannot be downloaded.
        WeightsMismatch: The file has other weights, or is damaged.
        EncoderUnavailable: open_clip is not installed, the device cannot hold the model, or its pictures are not
            square.
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
    weights_id, text_id, former_id = f"{PREFIX}{name}/{tag}", f"{PREFIX}{name}/{tag}:text", None
    if tag is None:
        known_as = PREFIX + _printable(name)
        weights_id, text_id = f"{known_as}@{_space_digest(model)}", f"{known_as}:text@{_text_digest(model, tokenizer)}"
        former_id = f"{known_as}@{_digest(model)}"
    shape = known_shape(shapes, weights_id, former_id)
    if shape is not None:
        frames, fit = shape.frames, shape.fit
    return OpenCLIP(
        model, tokenizer, device, weights_id=weights_id, text_id=text_id, former_weights_id=former_id, frames=frames,
        fit=fit,
    )  # fmt: skip


@contextlib.contextmanager
def _fixed_seed() -> Any:
    """Make random weights reproducible, without changing the global random state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        yield


def _space_digest(model: Any) -> str:
    """Return a digest of what shapes the rows of pictures."""
    seen = model.visual.preprocess_cfg
    return _digest(model, lambda key: key.startswith(_VISUAL), f"{seen['size']} {seen['mean']} {seen['std']}\n")


def _text_digest(model: nn.Module, tokenizer: Any) -> str:
    """Return a digest of what shapes the rows of sentences: all other weights but the temperature, and the length.

    A tokenizer comes with the model's name, or lies in the folder of its weights.
    """
    return _digest(
        model,
        lambda key: not key.startswith(_VISUAL) and key not in ("logit_scale", "logit_bias"),
        f"{tokenizer.context_length}\n",
    )


def _digest(model: nn.Module, covered: Callable[[str], bool] = lambda key: True, before: str = "") -> str:
    """Return a digest of the weights with these names, 16 hexadecimal digits; by default, that of earlier versions."""
    found = hashlib.blake2b(before.encode(), digest_size=8)
    for key, value in sorted(model.state_dict().items()):
        if covered(key):
            found.update(f"{key} {tuple(value.shape)}\n".encode())
            found.update(np.ascontiguousarray(value.detach().cpu().float().numpy()).data)
    return found.hexdigest()


def _printable(name: str) -> str:
    """Return the model's part of the id, without the path of a local folder."""
    return "local-dir" if name.startswith("local-dir:") else name


class OpenCLIP:
    """An `encoder.Encoder` of an image-text model: a clip's row is the normalised mean of its frames' unit rows.

    Attributes:
        id, text_id: As in `Encoder`.
        former_id: As in `FormerlyNamed`.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        device: str,
        *,
        weights_id: str,
        text_id: str = "",
        former_weights_id: str | None = None,
        frames: int | None = None,
        fit: Fit = "stretch",
    ) -> None:
        """Wrap a loaded model.

        Args:
            model: A CLIP model of open_clip.
            tokenizer: Its tokenizer.
            device: A device of torch.
            weights_id: The part of `id` that names model and weights.
            text_id: See `Encoder.text_id`.
            former_weights_id: The part of `id` in earlier versions, where it was another.
            frames: T; None for 8.
            fit: How a frame that is not square becomes square.

        Raises:
            EncoderUnavailable: The device cannot hold the model, or its pictures are not square.
        """
        preprocessing = model.visual.preprocess_cfg
        size = preprocessing["size"]
        height, width = (size, size) if isinstance(size, int) else tuple(size)
        if height != width:
            raise EncoderUnavailable(
                f"{weights_id} takes pictures of {height} x {width}; only square ones are made here"
            )
        try:
            self._model = model.to(device).eval().requires_grad_(False)
        except (RuntimeError, AssertionError) as error:
            raise EncoderUnavailable(f"{weights_id} cannot run on {device}: {error}") from error
        self._tokenizer = tokenizer
        self._turns = Turns()  # some tokenizers fail in two threads at once
        self._device = torch.device(device)
        self._mean = torch.tensor(preprocessing["mean"], device=self._device).view(1, 3, 1, 1)
        self._std = torch.tensor(preprocessing["std"], device=self._device).view(1, 3, 1, 1)
        self._spec = ClipSpec(frames or DEFAULT_FRAMES, height, fit)
        shape = f"{self._spec.frames}f:{fit}"
        self.id: Final = f"{weights_id}:{shape}"
        self.text_id: Final = text_id
        self.former_id: Final = None if former_weights_id is None else f"{former_weights_id}:{shape}"
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
        return None

    @property
    def batch(self) -> int:
        return max(1, _FRAMES_AT_ONCE // self._spec.frames)

    def prepare(self) -> None:
        """Do nothing: the model is loaded."""

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Encoder.encode_clips`."""
        self._spec.require(clips)
        return self.encode_frames(clips)

    def encode_frames(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `encoder.quick.AnyFrames`."""
        if not len(clips):
            return np.zeros((0, self._dim), np.float32)
        frames = clips.reshape(-1, *clips.shape[2:])
        rows = []
        with self._turns, torch.inference_mode():
            for start in range(0, len(frames), _FRAMES_AT_ONCE):
                pixels = torch.from_numpy(np.ascontiguousarray(frames[start : start + _FRAMES_AT_ONCE]))
                images = pixels.to(self._device).permute(0, 3, 1, 2).float() / 255
                rows.append(_unit(self._model.encode_image((images - self._mean) / self._std).float()))
            mean = torch.cat(rows).reshape(*clips.shape[:2], -1).mean(dim=1)
            return _unit(mean).cpu().numpy()

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.encode_texts`."""
        rows = [] if texts else [np.zeros((0, self._dim), np.float32)]
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            with self._turns, torch.inference_mode():
                tokens = self._tokenizer([_utf8(text) for text in texts[start : start + _TEXTS_AT_ONCE]])
                rows.append(_unit(self._model.encode_text(tokens.to(self._device)).float()).cpu().numpy())
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


def _unit(rows: Tensor) -> Tensor:
    unit: Tensor = rows / rows.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return unit
