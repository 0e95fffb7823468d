"""Linear heads on the tokens of patches, which are dropped after training: what is there, how it lies, how it moves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from demo.whereabouts import NOTHING, Whereabouts

_EMPTY = 0.25  # weight of where nothing is; things have 1
_POSE = torch.tensor([5.0, 5.0, 4.0, 1.0, 1.0])
"""Factors on across, down, size, sine and cosine: one over their deviation, less for angles, which few things show.
Without them the loss was a hundredth of that of things, and motion had nothing to begin with: places were told to 0.14
of the picture's height, where a thing goes 0.06 from one picture to the next."""
_CHANGE = torch.tensor([3.0, 3.0, 3.0, 0.5, 0.5])
"""The same for changes of poses, over a whole clip."""


class PatchHeads(nn.Module):
    """Heads on tokens of each picture, for things and poses, and on tokens across pictures, for changes of poses."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.things, self.poses = nn.Linear(dim, NOTHING + 1), nn.Linear(dim, len(_POSE))
        self.changes = nn.Linear(dim, len(_CHANGE))
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, spatial: Tensor, joined: Tensor, places: Whereabouts) -> tuple[Tensor, dict[str, float]]:
        """Return the loss and figures: the share of patches whose thing is told, and what is explained of the variance
        of places and of their changes.

        Args:
            spatial: Tokens of pictures (B, T*N, D).
            joined: Tokens after the temporal stack (B, T*N, D).
            places: The labels.
        """
        things, poses = torch.from_numpy(places.things), torch.from_numpy(places.poses)
        covered, empty = (things >= 0) & (things != NOTHING), things == NOTHING
        if not (covered.any() and empty.any()):
            return spatial.sum() * 0, {"patch": 0.0, "place": 0.0, "change": 0.0}
        spatial, joined = spatial.view(*things.shape, -1), joined.view(*things.shape, -1)
        told = self.things(spatial[covered])
        figures = {"patch": float((told.argmax(1) == things[covered]).float().mean()), "change": 0.0}
        loss = F.cross_entropy(told, things[covered])  # of its own mean: most patches are empty
        loss = loss + _EMPTY * F.cross_entropy(self.things(spatial[empty]), things[empty])
        pose, figures["place"] = _regression(self.poses(spatial[covered]), poses[covered] * _POSE)
        loss = loss + pose
        stays = covered[:, 1:] & (things[:, 1:] == things[:, :-1])
        if stays.any():
            changes = (poses[:, 1:] - poses[:, :-1])[stays] * things.shape[1]  # as if it went on for the whole clip
            change, figures["change"] = _regression(self.changes(joined[:, 1:][stays]), changes * _CHANGE)
            loss = loss + change
        return loss, figures


def _regression(told: Tensor, true: Tensor) -> tuple[Tensor, float]:
    """Return the loss of numbers (n, 5), and what is explained of the variance of the first two, which are places."""
    loss = F.smooth_l1_loss(told, true, reduction="none").sum(1).mean()
    left = (told - true)[:, :2].detach().square().mean() / true[:, :2].var().clamp(min=1e-9)
    return loss, 1 - float(left)
