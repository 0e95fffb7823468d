"""The `text` stage: the text tower alone is tuned, on stored rows of captioned clips. Nothing is indexed again.

The loss is that of stage 1, with the video side locked as in LiT (arXiv 2111.07991), and a guard against forgetting:
rows of everyday sentences must stay where they were, `guard * mean |t - t_old|^2`. VideoPrism publishes no such stage:
the defaults are ours, chosen on the demo world. Imports torch.

Letters in shapes: B sentences, D columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from encoder.layers import unit_rows
from encoder.model import VideoPrismLvT
from metrics.retrieval import rank_queries
from training.adapters import add_adapters, merged_copy
from training.everyday import guard_parts
from training.gradient_cache import encode_in_chunks
from training.losses import PUBLISHED, Temperature, contrastive_loss, soft_cross_entropy
from training.row_batches import CaptionedRows, RowBatch
from training.task_module import TaskModule
from training.text_evaluation import distinct_sentences

if TYPE_CHECKING:
    from encoder.tokenizer import Tokenizer

GUARD = 1.0
"""The weight of the guard against forgetting."""

GUARD_BATCH = 64
"""Everyday sentences of a step."""

_AT_ONCE = 64  # sentences encoded together without gradients


class TextStage(TaskModule):
    """A `Task`: a text tower, what is trained in it, the temperature, and the sentences that hold it."""

    old_rows: Tensor
    unseen_rows: Tensor

    def __init__(
        self,
        network: VideoPrismLvT,
        tokenizer: Tokenizer,
        *,
        tuned: Literal["lora", "last"] = "lora",
        rank: int = 8,
        alpha: float = 16.0,
        layers: int = 4,
        guard: float = GUARD,
        guard_sentences: Sequence[str] | None = None,
        temperature: float = PUBLISHED,
        weight_decay: float = 0.0,
        micro: int = 0,
        seed: int = 0,
        validation: CaptionedRows | None = None,
    ) -> None:
        """Prepare the tower of a network, in place. Its video side stays as it is, and is no part of this module.

        Args:
            network: The network to tune, on the CPU. The guard's sentences are encoded with it first, which takes
                a full-size tower a minute; with `guard` 0 and without `validation`, as for an export, none are.
            tokenizer: Its tokenizer.
            tuned: What is trained: low-rank adapters in all layers, or the last layers and the norm after them.
            rank, alpha: Of the adapters.
            layers: How many of the last layers; of a tower with fewer, all.
            guard: Weight of the guard; 0 for none.
            guard_sentences: What the tower should go on reading as before; None for sentences of everyday life. One in
                ten is never held, and tells what was forgotten.
            temperature: The scale of cosines at the start.
            weight_decay: Of trained matrices.
            micro: Sentences of which activations are kept at once, the rest being encoded twice; 0 for all of a batch.
            seed: Of the adapters' first weights and of the guard's sentences.
            validation: Captioned clips that are never trained on; None if there are none.

        Raises:
            ValueError: A number is out of range.
        """
        super().__init__()
        if guard < 0 or micro < 0 or layers < 1:
            raise ValueError("a guard and a chunk of at least 0, and at least 1 layer are needed")
        self._network = (network,)  # in a tuple, so that the video side is no part of the module
        self._tokenizer, self._guard, self._micro, self._seed = tokenizer, guard, micro or None, seed
        self.weight_decay, self._validation = weight_decay, validation
        held, unseen = guard_parts(guard_sentences)
        self._sentences = held if guard else ()
        self._unseen = unseen if validation is not None and len(validation) else ()
        self.tower = network.text_encoder.requires_grad_(False)
        self.temperature = Temperature(temperature)
        # Not in checkpoints: the same network gives the same rows.
        self.register_buffer("old_rows", torch.from_numpy(self.encode(self._sentences)), persistent=False)
        self.register_buffer("unseen_rows", torch.from_numpy(self.encode(self._unseen)), persistent=False)
        if tuned == "lora":
            add_adapters(self.tower, ("stack",), rank=rank, alpha=alpha, seed=seed)
        else:
            self.tower.stack.layers[-layers:].requires_grad_(True)
            self.tower.norm.requires_grad_(True)

    @property
    def trained(self) -> nn.Module:
        """The text tower."""
        return self.tower

    def forward(self, batch: RowBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, and its parts: contrastive loss, guard, scale of cosines."""
        rows = torch.from_numpy(batch.rows).to(self.old_rows.device)
        held = self._held(batch.number)
        text = self._rows([*batch.captions, *(self._sentences[at] for at in held)])
        mine, everyday = text[: len(batch.captions)], text[len(batch.captions) :]
        positives = torch.from_numpy(batch.positives)
        contrast = contrastive_loss(rows, mine, positives, self.temperature.log_scale)
        moved = _distance(everyday, self.old_rows[held]) if held else contrast.new_zeros(())
        figures = {"contrast": contrast.detach(), "moved": moved.detach()}
        figures["scale"] = self.temperature.log_scale.detach().exp()
        return contrast + self._guard * moved, figures

    def validate(self) -> Mapping[str, float]:
        """Return figures on held-out clips and on sentences that the guard never uses; none without held-out clips.

        Returns:
            `score`, the loss with its sign changed, which decides what is best; `recall`, the share of held-out
            sentences that find their clip first among the held-out clips; `kept`, the mean cosine of unseen everyday
            sentences with their rows before.
        """
        if self._validation is None or not len(self._validation):
            return {}
        sentences, relevant = distinct_sentences(self._validation.captions)
        text, rows = torch.from_numpy(self.encode(sentences)), torch.from_numpy(self._validation.rows)
        about = torch.zeros(len(sentences), len(rows), dtype=torch.bool)
        for at, clips in enumerate(relevant):
            about[at, clips] = True
        cosines = text @ rows.T
        logits = self.temperature.log_scale.detach().cpu().exp() * cosines
        now, before = torch.from_numpy(self.encode(self._unseen)), self.unseen_rows.cpu()
        contrast = (soft_cross_entropy(logits, about) + soft_cross_entropy(logits.T, about.T)) / 2
        return {
            "score": -float(contrast + self._guard * _distance(now, before)),
            "recall": float(rank_queries(cosines.numpy(), relevant).within(1).mean()),
            "kept": float((now * before).sum(dim=1).mean()),
        }

    def encode(self, sentences: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Encode sentences as the tower stands, without gradients, to unit rows float32 (B, D)."""
        parts = [np.zeros((0, self.tower.config.dim), np.float32)]
        with torch.no_grad():
            for start in range(0, len(sentences), _AT_ONCE):
                parts.append(self._rows(sentences[start : start + _AT_ONCE]).float().cpu().numpy())
        return np.concatenate(parts)

    def exported(self) -> VideoPrismLvT:
        """Return the network with the tuned tower, adapters merged. Its video side is shared, not copied."""
        [network] = self._network
        with torch.device("meta"):
            result = VideoPrismLvT(network.config)
        state = {name: value for name, value in network.state_dict().items() if not name.startswith("text_encoder.")}
        state |= {f"text_encoder.{name}": value.cpu() for name, value in merged_copy(self.tower).state_dict().items()}
        result.load_state_dict(state, assign=True)
        return result.eval()

    def _rows(self, sentences: Sequence[str]) -> Tensor:
        ids, paddings = (
            torch.from_numpy(each).to(self.temperature.log_scale.device) for each in self._tokenizer.encode(sentences)
        )
        return unit_rows(encode_in_chunks(self.tower, self._micro, ids, paddings).float())

    def _held(self, number: int) -> list[int]:
        """Return the positions of the everyday sentences that hold the tower in step `number`."""
        if not self._sentences:
            return []
        rng = np.random.default_rng((self._seed, 2, number))
        count = min(GUARD_BATCH, len(self._sentences))
        return [int(each) for each in rng.choice(len(self._sentences), count, replace=False)]


def _distance(now: Tensor, before: Tensor) -> Tensor:
    """Return the mean squared distance of rows."""
    return (now - before).square().sum(dim=1).mean()
