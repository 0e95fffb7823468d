"""The common part of stages on pairs of clips and sentences: towers, temperature, loss, and validation.

Imports torch.

Letters in shapes: B clips, L tokens of a sentence, D columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from encoder.layers import unit_rows
from encoder.model import VideoPrismLvT
from encoder.pooler import AttentionPooler
from metrics.retrieval import rank_queries
from training.batches import CaptionedBatch
from training.gradient_cache import encode_in_chunks
from training.losses import Temperature, contrastive_loss
from training.task_module import TaskModule
from training.text_evaluation import distinct_sentences

if TYPE_CHECKING:
    from encoder.tokenizer import Tokenizer


class PairsStage(TaskModule):
    """A `Task` over `CaptionedBatch`: symmetric contrastive loss between clips and sentences.

    Subclasses say what is trained, and how clips become rows (`video_rows`).
    """

    recall_before: Tensor

    def __init__(
        self,
        network: VideoPrismLvT,
        tokenizer: Tokenizer,
        *,
        temperature: float,
        weight_decay: float,
        seed: int,
        micro: int | None,
        held_out: Sequence[CaptionedBatch],
    ) -> None:
        """Take a network, which is trained in place.

        Args:
            network: The network, on the CPU.
            tokenizer: Of its text tower.
            temperature: The scale of cosines at the start.
            weight_decay: Of trained matrices.
            seed: Of whatever a step draws.
            micro: Clips and sentences whose activations are in memory at once (GradCache): the gradients are those of
                the whole batch, for a second forward pass. None for all at once.
            held_out: Captioned clips that are never trained on, in batches; `positives` are not used.
        """
        super().__init__()
        self.network = network
        self.temperature = Temperature(temperature)
        self.weight_decay = weight_decay
        self._tokenizer, self._seed, self._micro = tokenizer, seed, micro
        self._held_out, self._measured = tuple(held_out), not held_out
        self.register_buffer("recall_before", torch.tensor(float("nan")))  # in the checkpoint, for runs that go on

    @property
    def trained(self) -> nn.Module:
        """The network."""
        return self.network

    def video_rows(self, clips: Tensor, number: int | None) -> Tensor:
        """Encode clips, uint8 (B, T, S, S, 3) on the device, to rows (B, D) of any length.

        Args:
            clips: The clips.
            number: Of the batch, from which random numbers are drawn; None outside of training.
        """
        raise NotImplementedError

    def forward(self, batch: CaptionedBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, the share of clips that find a true sentence first, and the scale of cosines."""
        if not len(batch.clips):
            raise ValueError("a batch without clips has no loss")
        self._measure_before()
        video = unit_rows(self.video_rows(self._on_device(batch.clips), batch.number).float())
        text = unit_rows(self.text_rows(batch.captions).float())
        positives = torch.from_numpy(batch.positives).to(video.device)
        loss = contrastive_loss(video, text, positives, self.temperature.log_scale)
        figures = {"scale": self.temperature.log_scale.detach().exp()}
        if positives.shape[1] == len(text):  # one process
            best = (video.detach() @ text.detach().T).argmax(dim=1, keepdim=True)
            figures["hit"] = positives.gather(1, best).float().mean()
        return loss, figures

    def text_rows(self, captions: Sequence[str]) -> Tensor:
        """Encode sentences to rows (B, D), not normalised, all of the same number of tokens."""
        ids, paddings = self._tokenizer.encode(captions)
        return encode_in_chunks(self._encode_text, self._micro, self._on_device(ids), self._on_device(paddings))

    def validate(self) -> Mapping[str, float]:
        """Return figures on held-out clips; none if there are none.

        Returns:
            `recall`, the share of sentences that find a clip they hold for first among all held-out clips;
            `recall_before`, the same before the first step: where it was higher, something was forgotten.
        """
        if not self._held_out:
            return {}
        now, before = self.held_out_recall(), float(self.recall_before)
        return {"recall": now, "recall_before": now if np.isnan(before) else before}

    def held_out_recall(self) -> float:
        """Return R@1 of sentences to held-out clips as the network stands."""
        pairs, captions = [], []
        with torch.no_grad():
            for batch in self._held_out:
                video = unit_rows(self.video_rows(self._on_device(batch.clips), None).float())
                text = unit_rows(self.text_rows(batch.captions).float())
                pairs.append((video.cpu(), text.cpu()))
                captions += [(caption,) for caption in batch.captions]
        clips, sentences = (torch.cat(each).numpy() for each in zip(*pairs, strict=True))
        _, relevant = distinct_sentences(captions)
        asked = [places[0] for places in relevant]
        return float(rank_queries(sentences[asked] @ clips.T, relevant).within(1).mean())

    def exported(self) -> VideoPrismLvT:
        """Return the network, in evaluation mode."""
        return self.network.eval()

    def _encode_text(self, ids: Tensor, paddings: Tensor) -> Tensor:
        return self.network.text_encoder(ids, paddings, trim=False)  # type: ignore[no-any-return]

    def _measure_before(self) -> None:
        if self._measured or not self.training:
            return
        self._measured = True
        if bool(self.recall_before.isnan()):  # else the run goes on
            self.eval()
            self.recall_before.fill_(self.held_out_recall())
            self.train()

    def _on_device(self, array: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(array).to(self.temperature.log_scale.device, non_blocking=True)


def freeze_key_bias(pooler: AttentionPooler) -> None:
    """Freeze the bias of a pooler's keys, which the softmax cancels: it never gets a gradient.

    `DistributedDataParallel` would wait for one.
    """
    pooler.k.bias.requires_grad_(False)


def in_parts(batch: CaptionedBatch, size: int) -> Iterator[CaptionedBatch]:
    """Yield the clips of a batch with their sentences, `size` at a time, for `held_out`."""
    for start in range(0, len(batch.clips), size):
        part = slice(start, start + size)
        yield CaptionedBatch(batch.clips[part], batch.captions[part], batch.positives[part, part], batch.number)
