"""Linear heads on the tokens of patches, which are dropped after training: what is there, how it lies, how it moves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from demo.whereabouts import NOTHING, Whereabouts

_EMPTY, _POSE, _CHANGE = 0.25, 2.0, 1.0  # weights of where nothing is, of poses and of their changes; things have 1
_POSE_SIZE = 5


class PatchHeads(nn.Module):
    """Heads on tokens of each picture, for things and poses, and on tokens across pictures, for changes of poses."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.things, self.poses = nn.Linear(dim, NOTHING + 1), nn.Linear(dim, _POSE_SIZE)
        self.changes = nn.Linear(dim, _POSE_SIZE)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, spatial: Tensor, joined: Tensor, places: Whereabouts) -> tuple[Tensor, dict[str, float]]:
        """Return the loss, and the share of patches whose thing is told.

        Args:
            spatial: Tokens of pictures (B, T*N, D).
            joined: Tokens after the temporal stack (B, T*N, D).
            places: The labels.
        """
        things, poses = torch.from_numpy(places.things), torch.from_numpy(places.poses)
        covered, empty = (things >= 0) & (things != NOTHING), things == NOTHING
        if not (covered.any() and empty.any()):
            return spatial.sum() * 0, {"patch": 0.0}
        spatial, joined = spatial.view(*things.shape, -1), joined.view(*things.shape, -1)
        told = self.things(spatial[covered])
        loss = F.cross_entropy(told, things[covered])  # of its own mean: most patches are empty
        loss = loss + _EMPTY * F.cross_entropy(self.things(spatial[empty]), things[empty])
        loss = loss + _POSE * F.smooth_l1_loss(self.poses(spatial[covered]), poses[covered])
        stays = covered[:, 1:] & (things[:, 1:] == things[:, :-1])
        if stays.any():
            changes = (poses[:, 1:] - poses[:, :-1])[stays] * things.shape[1]  # as if it went on for the whole clip
            loss = loss + _CHANGE * F.smooth_l1_loss(self.changes(joined[:, 1:][stays]), changes)
        return loss, {"patch": float((told.argmax(1) == things[covered]).float().mean())}
