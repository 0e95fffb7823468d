"""PP-OCRv6 (PaddlePaddle) on ONNX Runtime, by rapidocr, with the models of its wheel.

Text is found in a picture of at most `DETECTION_SIDE` pixels and recognised at the picture's own size: what costs most
does not grow with the picture, and small letters keep their pixels. Lines that are slanted, vertical or upside down are
read, too.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.errors import EngineUnavailable
from recognition.protocol import Box, FoundText
from recognition.screen.models import DIGEST, SCREEN_MODEL, find_models

DETECTION_SIDE = 960
"""Longest side of the picture in which text is found. Letters lower than about 1/40 of the picture may be missed."""

_LARGEST_SIDE = 2000  # of the picture in which it is recognised; larger ones are scaled down
_SMALLEST_SIDE = 16  # below it, nothing can be written in a picture, and rapidocr's scaling fails


class RapidTextReader:
    """A `recognition.protocol.TextReader`."""

    def __init__(self, *, threads: int) -> None:
        """Make a reader. Nothing is loaded yet.

        Args:
            threads: Threads that compute, at least 1.

        Raises:
            ValueError: No thread.
        """
        if threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads}")
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: Any = None

    @property
    def id(self) -> str:
        """See `TextReader.id`."""
        return f"{SCREEN_MODEL.name}@{DIGEST[:12]}:{DETECTION_SIDE}"

    def prepare(self) -> None:
        """See `TextReader.prepare`."""
        with self._lock:
            self._load()

    def read(self, frame: NDArray[np.uint8]) -> list[FoundText]:
        """See `TextReader.read`."""
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
            raise ValueError(f"a frame must be uint8 (H, W, 3), got {frame.dtype} {frame.shape}")
        height, width = frame.shape[:2]
        if min(height, width) * min(1, _LARGEST_SIDE / max(height, width)) < _SMALLEST_SIDE:
            return []
        with self._lock:
            found = self._load()(np.ascontiguousarray(frame[..., ::-1]))  # it takes BGR
        if found.boxes is None or found.txts is None or found.scores is None:
            return []
        return [
            FoundText(text.strip(), min(float(score), 1.0), _upright(corners, width, height))
            for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
            if text.strip()
        ]

    def _load(self) -> Any:
        if self._loaded is None:
            models = find_models()
            try:
                from rapidocr import RapidOCR
            except ImportError as error:
                raise EngineUnavailable(
                    f"reading text in pictures cannot be used ({error}); install the extra that brings it: "
                    "pip install 'prismsearch[ocr]'"
                ) from error
            self._loaded = RapidOCR(
                params={
                    "Global.log_level": "critical",
                    "Global.text_score": 0.0,  # the caller chooses: recognition.screen.merging.LEAST_CONFIDENCE
                    "Global.max_side_len": _LARGEST_SIDE,
                    "Det.model_path": str(models.detector),
                    "Det.limit_type": "max",
                    "Det.limit_side_len": DETECTION_SIDE,
                    "Rec.model_path": str(models.recogniser),
                    "Cls.model_path": str(models.classifier),
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                }
            )
        return self._loaded


def _upright(corners: NDArray[np.float32], width: int, height: int) -> Box:
    """Return the box around four corners in pixels (4, 2), as shares of the picture."""
    shares = np.clip(corners / (width, height), 0, 1)
    left, top = (float(side) for side in shares.min(0))
    right, bottom = (float(side) for side in shares.max(0))
    return left, top, right - left, bottom - top
