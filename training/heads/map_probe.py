"""MAP heads: a pooler that attends to all tokens of a clip, and a linear layer, trained with torch on frozen tokens.

The published recipe of the few-shot notebook of google-deepmind/videoprism
(colabs/videoprism_video_classification_demo.ipynb) is Adam at 1e-4, in batches of 40, over 10 epochs, with the sigmoid
cross-entropy where a clip may have several labels, and the softmax cross-entropy else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from training.heads.linear import check_targets

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from encoder.heads import MapHead


class Tokens(Protocol):
    """Tokens of n clips, of which a batch at a time is read: an array (n, L, D), mapped or not, or files."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, L, D)."""
        ...

    def __getitem__(self, positions: NDArray[np.intp], /) -> NDArray[np.floating]:
        """Return the tokens of the clips at these positions, float (b, L, D)."""
        ...


@dataclass(frozen=True, slots=True)
class MapRecipe:
    """How a MAP head is trained.

    Attributes:
        learning_rate: Of Adam.
        batch: Clips a step.
        epochs: How often every clip is seen.
        least_steps: More epochs, until there are as many steps; for a few clips are too few steps.
        dropout: Share of the pooled columns set to zero.
        label_smoothing: Share of the truth given to all classes alike.

    Raises:
        ValueError: A value is out of range.
    """

    learning_rate: float = 1e-4
    batch: int = 40
    epochs: int = 10
    least_steps: int = 0
    dropout: float = 0.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.learning_rate <= 0 or self.batch < 1 or self.epochs < 1 or self.least_steps < 0:
            raise ValueError("a learning rate above 0, and at least 1 clip a step and 1 epoch are needed")
        if not (0 <= self.dropout < 1 and 0 <= self.label_smoothing < 1):
            raise ValueError("dropout and label smoothing are shares from 0 to below 1")

    def epochs_of(self, clips: int) -> int:
        """Return the number of epochs over so many clips."""
        steps = -(-clips // self.batch)
        return max(self.epochs, -(-self.least_steps // max(1, steps)))


_ELEMENTS_AT_ONCE = 1 << 24
"""Tokens x columns that are in memory at once: 64 MB of float32, five clips of LvT-B."""

PUBLISHED = MapRecipe()
"""The recipe of the notebook."""

DEFAULT = MapRecipe(learning_rate=1e-3, least_steps=200)
"""The recipe of this product."""


def fit_map(
    tokens: Tokens,
    targets: NDArray[np.bool_],
    attention_heads: int,
    *,
    multi_label: bool = False,
    recipe: MapRecipe = DEFAULT,
    seed: int = 0,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> MapHead:
    """Fit a MAP head. The same tokens and seed give the same head, bit for bit on one machine.

    Args:
        tokens: (n, L, D), float16 or float32. Only batches of it are read, every clip once an epoch.
        targets: bool (n, classes), true where a clip is of a class.
        attention_heads: Heads of the pooler, which divide D; the official classifier has as many as its encoder.
        multi_label: Whether a clip may be of several classes, or of none.
        recipe: How to train.
        seed: Of the first weights, the order of the clips, and dropout.
        on_step: Called with the steps done and in all; what it raises ends the training.

    Returns:
        The head, in evaluation mode.

    Raises:
        ValueError: As in `fit_linear`.
        OSError: Tokens cannot be read.
    """
    import numpy as np
    import torch
    from torch.nn.functional import dropout

    from encoder.heads import MapHead

    if len(tokens.shape) != 3:
        raise ValueError(f"tokens (n, L, D) are needed, got {tokens.shape}")
    count = tokens.shape[0]
    check_targets(targets, count, multi_label=multi_label)
    truth = _truth(targets, multi_label, recipe.label_smoothing)
    head = MapHead(tokens.shape[2], attention_heads, targets.shape[1], seed=seed).train()
    optimizer = torch.optim.Adam(head.parameters(), lr=recipe.learning_rate)
    epochs, order = recipe.epochs_of(count), np.random.default_rng(seed)
    together = max(1, _ELEMENTS_AT_ONCE // (tokens.shape[1] * tokens.shape[2]))
    total, done = epochs * -(-count // recipe.batch), 0
    with torch.random.fork_rng(devices=[]):  # dropout draws from torch's own generator
        torch.manual_seed(seed)
        for _ in range(epochs):
            places = order.permutation(count)
            for start in range(0, count, recipe.batch):
                some = np.sort(places[start : start + recipe.batch])
                optimizer.zero_grad()
                for part in np.split(some, range(together, len(some), together)):  # their gradients add up
                    batch = torch.from_numpy(np.asarray(tokens[part], np.float32))
                    logits = head.projection(dropout(head.embed(batch), recipe.dropout, training=True))
                    loss = _loss(logits, truth[torch.from_numpy(part)], multi_label) * (len(part) / len(some))
                    if not torch.isfinite(loss):
                        raise ValueError("the tokens of a clip are not finite numbers")
                    loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                done += 1
                on_step(done, total)
    return head.eval()


def _truth(targets: NDArray[np.bool_], multi_label: bool, smoothing: float) -> torch.Tensor:
    """Return what the head is to answer, float32 (n, classes)."""
    import torch

    truth = torch.from_numpy(targets).float()
    return truth * (1 - smoothing) + smoothing / (2 if multi_label else targets.shape[1])


def _loss(logits: torch.Tensor, truth: torch.Tensor, multi_label: bool) -> torch.Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    return binary_cross_entropy_with_logits(logits, truth) if multi_label else cross_entropy(logits, truth)
