"""VideoPrism on an x86 CPU, with packed layers, one task per core, and reuse of the features of repeated frames."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder.layers import unit_rows
from encoder.model import Network, VideoPrismLvT
from encoder.runtime.allocator import keep_large_blocks
from encoder.runtime.cpu_tower import CpuTower
from encoder.runtime.precision import Precision
from encoder.runtime.workers import Workers

_MOST_AT_ONCE = 8
_TASKS_A_CORE = 4
"""Pictures per core in a call, so that few cores are idle at its end."""


class CpuRunner:
    """An `encoder.runtime.runner.Runner` over a `CpuTower`.

    The spatial stack, three fifths of the work, processes each picture independently, so a picture that repeats within
    a clip, a batch or from the previous batch goes through it once. Clips of short shots and of slides repeat frames,
    and segments that overlap by half share half of their frames.

    The text tower runs unchanged, in float32, because a sentence costs a thousandth of a clip.
    """

    def __init__(self, network: Network, precision: Precision) -> None:
        keep_large_blocks()
        self._config = network.config
        self._workers = Workers()
        self._network: Network | None = network  # until packed
        self._precision: Precision = precision
        self._packing = threading.Lock()
        self._packed: CpuTower | None = None
        self._text = network.text_encoder.eval() if isinstance(network, VideoPrismLvT) else None
        self._features: OrderedDict[bytes, Tensor] = OrderedDict()

    @property
    def _tower(self) -> CpuTower:
        """The video tower, packed at the first clip.

        Searching by words alone never needs its weights, which are memory-mapped and not read before that.
        """
        with self._packing:
            if self._packed is None:
                assert self._network is not None
                self._packed, self._network = CpuTower(self._network, self._precision, self._workers), None
            return self._packed

    @property
    def batch(self) -> int:
        """See `Runner.batch`."""
        return max(1, min(_MOST_AT_ONCE, _TASKS_A_CORE * self._workers.count // self._config.frames))

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.encode_clips`."""
        return self._in_parts(clips, self._tower.encode_features)

    def encode_tokens(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.encode_tokens`."""
        return self._in_parts(clips, self._tower.encode_tokens)

    def frame_features(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.frame_features`."""
        return self._tower.frame_features(torch.from_numpy(np.ascontiguousarray(frames))).numpy()

    def encode_features(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runner.encode_features`."""
        return self._tower.encode_features(torch.from_numpy(np.ascontiguousarray(features))).numpy()

    def _in_parts(self, clips: NDArray[np.uint8], encode: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
        parts = range(0, len(clips), _MOST_AT_ONCE)
        return torch.cat([self._encoded(clips[start : start + _MOST_AT_ONCE], encode) for start in parts]).numpy()

    def _encoded(self, clips: NDArray[np.uint8], encode: Callable[[Tensor], Tensor]) -> Tensor:
        """Encode clips by way of the features of their pictures; encode: (1, T, N, D) to the result for one clip."""
        pictures = np.ascontiguousarray(clips).reshape(-1, *clips.shape[2:])
        names = [picture_digest(picture) for picture in pictures]
        new = {name: i for i, name in enumerate(names) if name not in self._features}
        if new:
            features = self._tower.frame_features(torch.from_numpy(pictures[list(new.values())]))
            self._features.update(zip(new, features, strict=True))
        rows = [
            encode(torch.stack([self._features[name] for name in clip])[None])
            for clip in np.array(names, dtype=object).reshape(clips.shape[:2])
        ]
        self._keep_features(names[-2 * clips.shape[1] :])
        return torch.cat(rows)

    def _keep_features(self, names: list[bytes]) -> None:
        """Keep the features of these pictures only; those of two clips are 25 MB for LvT-B."""
        self._features = OrderedDict((name, self._features[name].clone()) for name in names)

    def encode_texts(self, ids: NDArray[np.int32], paddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runner.encode_texts`."""
        assert self._text is not None
        with torch.inference_mode():
            return unit_rows(self._text(torch.from_numpy(ids), torch.from_numpy(paddings))).numpy()


def picture_digest(picture: NDArray[np.uint8]) -> bytes:
    """Return a digest of a picture's size and pixels."""
    found = hashlib.blake2b(repr(picture.shape).encode(), digest_size=16)
    found.update(picture.data)
    return found.digest()
