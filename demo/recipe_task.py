"""The task of the recipe: the video-text network on scenes and sentences, with helpers that are dropped afterwards.

The loss is contrastive between clips and sentences, every true pair a positive. Three helpers: linear classifiers of
what is on a clip, or told by a sentence, on both rows; linear heads on the tokens of a picture, for what reaches into a
patch and how it lies there (`whereabouts`); and a contrastive term that draws clips together that move alike, because a
search by example should find shots that move alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from demo import painting, sampler
from demo.sampler import LABELS, OF_CLIPS, SceneBatch
from demo.scenes import Scene
from demo.sentences import canonical, meaning_of
from demo.whereabouts import NOTHING, Whereabouts
from encoder.config import VideoPrismConfig
from encoder.layers import unit_rows
from encoder.model import SideOutputs, VideoPrismLvT
from encoder.tokenizer import Tokenizer
from training.initialisation import initialise
from training.losses import Temperature, contrastive_loss, soft_cross_entropy
from training.task_module import TaskModule

_LENGTHS = 4  # groups of sentences of similar length
_EMPTY, _POSE = 0.25, 2.0  # weights of where nothing is and of how things lie, beside what they are
_HEAD_SCALE = 10.0  # of unit rows, for the classifiers and the motion term


@dataclass(frozen=True)
class TaskSettings:
    """How the loss is made up; all of it is ours.

    Attributes:
        classify: Weight of the label heads; 0: none.
        pull: Weight of the motion term; 0: none.
        patches: Weight of the heads on patch tokens; 0: none.
        drop: Share of the patches that leave, the same in all pictures of a clip (tube), in the first part of a run.
        drop_steps: How many steps that part has.
        weight_decay: Of matrices.
    """

    classify: float = 0.5
    pull: float = 0.3
    patches: float = 1.0
    drop: float = 0.0
    drop_steps: int = 0
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
            seed: Of the first weights, of which patches leave, and of how the validation's clips are drawn.
            validation: Scenes that are never trained on, each with another canonical sentence.
        """
        super().__init__()
        self.weight_decay = settings.weight_decay
        self.network = VideoPrismLvT(config)
        initialise(self.network, seed)
        self.temperature = Temperature(10.0)
        self.heads = nn.ModuleList(nn.Linear(config.dim, count) for count in LABELS.values())
        self.thing_head, self.pose_head = nn.Linear(config.dim, NOTHING + 1), nn.Linear(config.dim, 5)
        for head in (*self.heads, self.thing_head, self.pose_head):
            assert isinstance(head, nn.Linear)
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        self.tokenizer, self.settings, self.seed, self.validation = tokenizer, settings, seed, tuple(validation)

    @property
    def trained(self) -> nn.Module:
        return self.network

    def forward(self, batch: SceneBatch) -> tuple[Tensor, dict[str, float]]:
        clips = torch.from_numpy(batch.clips)
        kept, side = self._kept(batch), SideOutputs()
        video = unit_rows(self.network.encode_video(clips, normalize=False, kept=kept, side=side).float())
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
            patches, figures["patch"] = self._patches(side["spatial"], batch.places, kept)
            loss = loss + self.settings.patches * patches
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

    def _kept(self, batch: SceneBatch) -> Tensor | None:
        """Return the patches that stay, int64 (B, K), another choice for each clip; None if all do."""
        config, settings = self.network.vision_encoder.config, self.settings
        if not (self.training and settings.drop and batch.number < settings.drop_steps):
            return None
        patches = config.rows * config.columns
        rng = np.random.default_rng((self.seed, batch.number, 5))
        order = rng.permuted(np.tile(np.arange(patches), (len(batch.clips), 1)), axis=1)
        return torch.from_numpy(np.sort(order[:, : patches - round(settings.drop * patches)], axis=1))

    def _patches(self, tokens: Tensor, places: Whereabouts, kept: Tensor | None) -> tuple[Tensor, float]:
        """Return the loss of the heads on patch tokens (B, T*K, D), and the share of things that they tell."""
        things, poses = torch.from_numpy(places.things), torch.from_numpy(places.poses)
        if kept is not None:
            things = things.gather(2, kept[:, None].expand(-1, things.shape[1], -1))
            poses = poses.gather(2, kept[:, None, :, None].expand(-1, poses.shape[1], -1, poses.shape[-1]))
        things, poses = things.flatten(), poses.flatten(0, 2)
        covered, empty = (things >= 0) & (things != NOTHING), things == NOTHING
        if not (covered.any() and empty.any()):
            return tokens.sum() * 0, 0.0
        tokens = tokens.flatten(0, 1)
        told = self.thing_head(tokens[covered])
        loss = F.cross_entropy(told, things[covered])  # of its own mean: most patches are empty
        loss = loss + _EMPTY * F.cross_entropy(self.thing_head(tokens[empty]), things[empty])
        loss = loss + _POSE * F.smooth_l1_loss(self.pose_head(tokens[covered]), poses[covered])
        return loss, float((told.argmax(1) == things[covered]).float().mean())

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


def _found(scores: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    return float(true[np.arange(len(scores)), scores.argmax(1)].mean())
