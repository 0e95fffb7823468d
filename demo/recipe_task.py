"""The task of the recipe: the video-text network on scenes and sentences, with helpers that are dropped afterwards.

The loss is contrastive between clips and sentences, every true pair a positive. Three helpers: linear classifiers of
what is on a clip, or told by a sentence, on both rows; linear heads on patch tokens (`patch_heads`); and a contrastive
term that draws clips together that move alike, because a search by example should find shots that move alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from demo import painting, sampler
from demo.patch_heads import PatchHeads
from demo.sampler import LABELS, OF_CLIPS, SceneBatch
from demo.scenes import Scene
from demo.sentences import canonical, meaning_of
from encoder.config import VideoPrismConfig
from encoder.layers import unit_rows
from encoder.model import SideOutputs, VideoPrismLvT
from encoder.tokenizer import Tokenizer
from training.initialisation import initialise
from training.losses import Temperature, contrastive_loss, soft_cross_entropy
from training.task_module import TaskModule

_LENGTHS = 4  # groups of sentences of similar length
_HEAD_SCALE = 10.0  # of unit rows, for the classifiers and the motion term


@dataclass(frozen=True)
class TaskSettings:
    """How the loss is made up; all of it is ours.

    Attributes:
        classify: Weight of the label heads; 0: none.
        pull: Weight of the motion term; 0: none.
        patches: Weight of the heads on patch tokens; 0: none.
        weight_decay: Of matrices.
    """

    classify: float = 0.5
    pull: float = 0.3
    patches: float = 1.0
    weight_decay: float = 0.05


class SceneTask(TaskModule):
    """A task of the training loop (`training.task.Task`)."""

    def __init__(
        self,
        config: VideoPrismConfig,
        tokenizer: Tokenizer,
        settings: TaskSettings,
        seed: int,
        validation: Sequence[Scene] = (),
    ) -> None:
        """Create the network with its first weights.

        Args:
            config: The shape of the network.
            tokenizer: Of its vocabulary.
            settings: How the loss is made up.
            seed: Of the first weights, and of how the validation's clips are drawn.
            validation: Scenes that are never trained on, each with another canonical sentence.
        """
        super().__init__()
        self.weight_decay = settings.weight_decay
        self.network = VideoPrismLvT(config)
        initialise(self.network, seed)
        self.network.vision_encoder.temporal_positions.data.copy_(_waves(config.frames, config.dim))
        self.temperature = Temperature(10.0)
        self.heads = nn.ModuleList(nn.Linear(config.dim, count) for count in LABELS.values())
        self.patch_heads = PatchHeads(config.dim)
        for parameter in self.heads.parameters():
            nn.init.zeros_(parameter)
        self.tokenizer, self.settings, self.seed, self.validation = tokenizer, settings, seed, tuple(validation)

    @property
    def trained(self) -> nn.Module:
        return self.network

    def forward(self, batch: SceneBatch) -> tuple[Tensor, dict[str, float]]:
        clips = torch.from_numpy(batch.clips)
        side = SideOutputs()
        video = unit_rows(self.network.encode_video(clips, normalize=False, side=side).float())
        text = self._text(batch.sentences)
        positives, labels = torch.from_numpy(batch.positives), torch.from_numpy(batch.labels)
        contrast = contrastive_loss(video, text, positives, self.temperature.log_scale)
        loss = contrast
        figures = {"contrast": float(contrast.detach()), "scale": self.temperature.value}
        if self.settings.classify:
            still = batch.clips.shape[1] == 1
            classify, right = self._classify(video, text, labels, torch.from_numpy(batch.told), still)
            loss = loss + self.settings.classify * classify
            figures |= right
        if self.settings.patches:
            patches, right = self.patch_heads(side["spatial"], side["spatiotemporal"], batch.places)
            loss = loss + self.settings.patches * patches
            figures |= right
        if self.settings.pull and batch.clips.shape[1] > 1:
            itself = torch.eye(len(video), dtype=torch.bool)
            alike = torch.from_numpy(batch.moves) & ~itself
            loss = loss + self.settings.pull * soft_cross_entropy(
                (_HEAD_SCALE * video @ video.T).masked_fill(itself, float("-inf")), alike
            )
        with torch.no_grad():
            best = (text @ video.T).argmax(1)
            figures["hit"] = float(positives[best, torch.arange(len(text))].float().mean())
        return loss, {"loss": float(loss.detach()), **figures}

    def _text(self, sentences: Sequence[str]) -> Tensor:
        """Return unit rows (B, D). Sentences of similar length are encoded together, or half of all were padding."""
        ids, paddings = (torch.from_numpy(part) for part in self.tokenizer.encode(list(sentences)))
        by_length = (paddings < 0.5).sum(1).argsort(stable=True)
        rows = torch.cat(
            [self.network.encode_text(ids[some], paddings[some], normalize=False) for some in by_length.chunk(_LENGTHS)]
        )
        return unit_rows(rows[by_length.argsort()].float())

    def _classify(
        self, video: Tensor, text: Tensor, labels: Tensor, told: Tensor, still: bool
    ) -> tuple[Tensor, dict[str, float]]:
        total, right = video.new_zeros(()), {}
        of_text = labels.repeat(2, 1)
        for at, (name, head) in enumerate(zip(LABELS, self.heads, strict=True)):
            if still and name in OF_CLIPS:
                continue
            shown = head(_HEAD_SCALE * video)
            total = total + F.cross_entropy(shown, labels[:, at])
            says = told[:, at]
            if says.any():
                total = total + F.cross_entropy(head(_HEAD_SCALE * text[says]), of_text[says, at])
            right[name] = float((shown.argmax(1) == labels[:, at]).float().mean())
        return total, right

    def validate(self) -> Mapping[str, float]:
        """Return R@1 of canonical sentences among clips of the validation's scenes, in both directions."""
        if not self.validation:
            return {}
        rng = np.random.default_rng((self.seed, 6))
        config = self.network.vision_encoder.config
        rows = []
        for start in range(0, len(self.validation), 32):
            part = self.validation[start : start + 32]
            clips = painting.render(part, frames=config.frames, size=config.size, rng=rng)
            rows.append(unit_rows(self.network.encode_video(torch.from_numpy(clips), normalize=False)))
        video = torch.cat(rows).numpy()
        meanings = [meaning_of(scene) for scene in self.validation]
        text = self._text([canonical(meaning) for meaning in meanings]).numpy()
        true = sampler.positives(meanings, self.validation)
        return {"R@1": _found(text @ video.T, true.T), "clip to words R@1": _found(video @ text.T, true)}


def _waves(frames: int, dim: int) -> Tensor:
    """Return sines and cosines (T, D) of periods from a third of a clip to four of them, of a root mean square of 0.7.

    Temporal positions that begin like this are about as large as the tokens that they are added to. Small random ones
    have to grow before frames can be told apart: heads that tell how things move began to learn at half of the steps.
    """
    periods = frames * torch.logspace(-0.5, 0.6, dim // 2)
    angles = 2 * math.pi * torch.arange(frames)[:, None] / periods
    return 0.7 * math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=1)


def _found(scores: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    return float(true[np.arange(len(scores)), scores.argmax(1)].mean())
