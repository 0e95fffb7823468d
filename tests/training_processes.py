"""Two processes that train together, for test_training_distributed.py: each takes a step on its part of a batch.

    python training_processes.py FOLDER

They meet at FOLDER/meet; what each found is FOLDER/RANK.pt. They are forked, so that torch is imported once.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from encoder.layers import unit_rows
from training.distributed import gather_rows, rank, world_size
from training.gradient_cache import encode_in_chunks
from training.losses import Temperature, contrastive_loss

CLIPS, PROCESSES = 16, 2
Found = dict[str, Tensor]


class Towers(nn.Module):
    """Two small towers and a temperature; forward is the loss."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.video = nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Linear(16, 8))
        self.text = nn.Sequential(nn.Linear(5, 16), nn.GELU(), nn.Linear(16, 8))
        self.temperature = Temperature()

    def forward(self, video: Tensor, text: Tensor, positives: Tensor, size: int | None) -> Tensor:
        rows = encode_in_chunks(lambda x: unit_rows(self.video(x)), size, video)
        return contrastive_loss(rows, unit_rows(self.text(text)), positives, self.temperature.log_scale)


def batch(name: str) -> tuple[Tensor, Tensor, Tensor]:
    """A batch: in "plain", sentence i holds for clip i; in "several", some hold for more clips, and some for none."""
    random = torch.Generator().manual_seed(9)
    video, text = torch.randn(CLIPS, 6, generator=random), torch.randn(CLIPS, 5, generator=random)
    positives = torch.eye(CLIPS).bool()
    if name == "several":
        positives[0, 9] = positives[12, 3] = positives[12, 4] = True
        positives[1, 1] = positives[2, 2] = positives[5, 5] = False  # all in the first process
    return video, text, positives


def step(name: str, size: int | None = None) -> Found:
    """The loss and the gradients of a step on this process's part of a batch, after their mean over processes."""
    towers, each = Towers(), CLIPS // world_size()
    video, text, positives = batch(name)
    mine = slice(rank() * each, (rank() + 1) * each)
    module = DistributedDataParallel(towers) if world_size() > 1 else towers
    loss = module(video[mine], text[mine], positives, size)
    loss.backward()
    return {"loss": loss.detach(), **{name: p.grad for name, p in towers.named_parameters() if p.grad is not None}}


def gathered() -> Found:
    """Rows of all processes, and the gradient of a sum over them that differs between processes."""
    rows = (torch.arange(6.0).reshape(2, 3).T + 10 * rank()).requires_grad_()  # (3, 2), not contiguous
    joined = gather_rows(rows)
    (joined * (rank() + 1) * torch.arange(1.0, len(joined) + 1)[:, None]).sum().backward()
    assert rows.grad is not None
    return {"rows": joined.detach(), "gradient": rows.grad}


def train_part(own: int, folder: Path) -> None:
    """Find what process `own` finds."""
    meet = (folder / "meet").as_uri()
    dist.init_process_group("gloo", init_method=meet, rank=own, world_size=PROCESSES, timeout=timedelta(seconds=60))
    found = {
        "plain": step("plain"), "several": step("several"), "chunks": step("several", 3), "gathered": gathered(),
        "place": {"rank": torch.tensor(rank()), "world_size": torch.tensor(world_size())},
    }  # fmt: skip
    torch.save(found, folder / f"{own}.pt")
    dist.destroy_process_group()


def main(folder: Path) -> None:
    from training_children import fork

    torch.set_num_threads(1)
    children = [fork(train_part, own, folder) for own in range(PROCESSES)]
    codes = [os.waitpid(each, 0)[1] for each in children]
    sys.exit(1 if any(codes) else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
