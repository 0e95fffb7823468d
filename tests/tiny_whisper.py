"""Engines of the tests: a tiny Whisper with random weights, for CTranslate2, and pocketsphinx with real ones.

The network has the published vocabulary's size and special tokens, because these decide what is a language and what a
time, and one layer of 32 channels. It says nonsense, always the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.protocol import SAMPLE_RATE, Cancel, Passage, RecognizedLine, RecognizedWord
from recognition.speech.passages import Heard, transcribe_passages

_WIDTH, _HEADS, _LAYERS, _MELS = 32, 2, 1, 80
_FRAMES, _TOKENS = 1500, 448
_TEXT_TOKENS = 50_257
_LANGUAGES = 99


def make_tiny_whisper(folder: Path, seed: int = 0) -> Path:
    """Write a model into a folder and return it."""
    from ctranslate2.specs import whisper_spec

    rng = np.random.default_rng(seed)
    tokens = _tokens()
    spec = whisper_spec.WhisperSpec(_LAYERS, _HEADS, _LAYERS, _HEADS)

    def weights(*shape: int) -> NDArray[np.float32]:
        return rng.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)

    def linear(layer: Any, out: int, inputs: int) -> None:
        layer.weight, layer.bias = weights(out, inputs), np.zeros(out, np.float32)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(_WIDTH, np.float32), np.zeros(_WIDTH, np.float32)

    def attention(layer: Any, *, cross: bool) -> None:
        norm(layer.layer_norm)
        sizes = (_WIDTH, 2 * _WIDTH, _WIDTH) if cross else (3 * _WIDTH, _WIDTH)
        for part, out in zip(layer.linear, sizes, strict=True):
            linear(part, out, _WIDTH)

    def feed_forward(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 4 * _WIDTH, _WIDTH)
        linear(layer.linear_1, _WIDTH, 4 * _WIDTH)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = weights(_WIDTH, _MELS, 3), np.zeros(_WIDTH, np.float32)
    encoder.conv2.weight, encoder.conv2.bias = weights(_WIDTH, _WIDTH, 3), np.zeros(_WIDTH, np.float32)
    encoder.position_encodings.encodings = weights(_FRAMES, _WIDTH)
    norm(encoder.layer_norm)
    decoder.embeddings.weight = weights(len(tokens), _WIDTH)
    decoder.position_encodings.encodings = weights(_TOKENS, _WIDTH)
    norm(decoder.layer_norm)
    decoder.projection.weight = decoder.embeddings.weight
    for layer in encoder.layer:
        attention(layer.self_attention, cross=False)
        feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.self_attention, cross=False)
        attention(layer.attention, cross=True)
        feed_forward(layer.ffn)

    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = list(range(_TEXT_TOKENS + 2, _TEXT_TOKENS + 2 + _LANGUAGES))
    spec.config.alignment_heads = [(0, 0), (0, 1)]
    spec.validate()
    spec.optimize("int8")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    _write_tokenizer(folder / "tokenizer.json", tokens)
    return folder


def _tokens() -> list[str]:
    """Return the 51,865 tokens of a multilingual Whisper, with made-up words in place of most."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers.pre_tokenizers import ByteLevel

    words = sorted(ByteLevel.alphabet())
    words += [f"Ġw{i}" for i in range(_TEXT_TOKENS - len(words) - 1)]
    words.append("")  # by which CTranslate2 knows that a model is multilingual
    special = ["<|endoftext|>", "<|startoftranscript|>"]
    special += [f"<|{code}|>" for code in _LANGUAGE_CODES[:_LANGUAGES]]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>", *(f"<|{i * 0.02:.2f}|>" for i in range(1501))]
    return words + special


def _write_tokenizer(path: Path, tokens: list[str]) -> None:
    added = [
        {
            "id": i, "content": token, "special": True, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False,
        }
        for i, token in enumerate(tokens)
        if i >= _TEXT_TOKENS
    ]  # fmt: skip
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "vocab": {token: i for i, token in enumerate(tokens[:_TEXT_TOKENS])}, "merges": []}
    layout = {"version": "1.0", "added_tokens": added, "pre_tokenizer": byte_level, "decoder": byte_level}
    path.write_text(json.dumps(layout | {"model": model}), "utf-8")


class SphinxTranscriber:
    """A `Transcriber` over pocketsphinx and the English model in its wheel.

    It hears nearly nothing of free speech. Told that only `_WORDS` are spoken, in any order, it hears.
    """

    id = "pocketsphinx@en-us"

    _WORDS = "one two three four five six seven eight nine ten hundred thousand"

    def __init__(self) -> None:
        self._decoder: Any = None

    def prepare(self) -> None:
        if self._decoder is None:
            from pocketsphinx import Decoder

            words = " | ".join(self._WORDS.split())
            self._decoder = Decoder(samprate=float(SAMPLE_RATE), loglevel="FATAL", lm=None)
            self._decoder.add_jsgf_string("words", f"#JSGF V1.0; grammar words; public <spoken> = ({words})+;")
            self._decoder.activate_search("words")

    def transcribe(
        self,
        audio: Iterable[NDArray[np.float32]],
        *,
        start_ms: int = 0,
        language: str | None = None,
        cancelled: Cancel | None = None,
    ) -> Iterator[Passage]:
        if language not in (None, "en"):
            raise ValueError(f"this model knows English only, not {language!r}")
        self.prepare()
        return transcribe_passages(
            audio, _voiced, self._hear, start_ms=start_ms, language=language, cancelled=cancelled
        )

    def _hear(self, samples: NDArray[np.float32], language: str | None) -> Heard:
        lines = []
        for begin, end in _voiced(samples):
            sound = (np.clip(samples[begin:end], -1, 1) * 32767).astype("<i2").tobytes()
            self._decoder.start_utt()
            self._decoder.process_raw(sound, full_utt=True)
            self._decoder.end_utt()
            words = tuple(
                RecognizedWord(
                    begin // 16 + segment.start_frame * 10,
                    begin // 16 + (segment.end_frame + 1) * 10,
                    segment.word.partition("(")[0],
                    min(1.0, self._decoder.get_logmath().exp(segment.prob)),
                )
                for segment in self._decoder.seg() or ()
                if segment.word[0] not in "<["
            )
            if words:
                text = " ".join(word.text for word in words)
                lines.append(RecognizedLine(words[0].start_ms, words[-1].end_ms, text, None, words))
        return Heard(tuple(lines), "en", 1.0)


def _voiced(samples: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return where it is loud, joined over 0.4 s and with as much around: whole sentences."""
    from stand_in_recognition import loud_ranges

    around = SAMPLE_RATE * 2 // 5
    joined: list[list[int]] = []
    for begin, end in loud_ranges(samples):
        if joined and begin - joined[-1][1] <= 2 * around:
            joined[-1][1] = end
        else:
            joined.append([begin, end])
    return [(max(0, begin - around), min(len(samples), end + around)) for begin, end in joined]
