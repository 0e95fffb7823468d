"""The part of benchmarks/gpu.py that compares rows: with goldens of the official code, and with float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks._gpu_towers import EAGER, Place, random_network, some_clips, towers
from encoder.quick import QUICK_FRAMES

Write = Callable[[dict[str, Any]], None]


def correctness(place: Place, write: Write) -> None:
    """Compare with goldens of the JAX code on the device, and full-size rows with float32, of few frames, too."""
    import goldens

    from encoder.runtime.cuda import CudaRunner
    from encoder.runtime.runner import PlainRunner

    for name in ("tiny",):
        network = goldens.lvt(name).to(place.device)
        g = goldens.golden(name)
        clips = torch.stack([goldens.tensor(g["in/clip16_u8"])[:6], goldens.tensor(g["in/clip_b_u8"])])
        expected = goldens.tensor(g["video/main/emb"])
        with torch.inference_mode():
            off = float((network.encode_video(clips.to(place.device)).cpu() - expected).abs().max())
        write({"golden": name, "way": "plain float32", "max difference": off})
        rows = CudaRunner(network.cpu(), str(place.device)).encode_clips(clips.numpy())
        cosine = float((torch.from_numpy(rows) * expected).sum(1).min())
        write({"golden": name, "way": "as it is used, bfloat16", "smallest cosine": cosine})
    for size in ("base", "large"):
        network = random_network(place.config(size))
        clips = some_clips(network.config, 2 if place.quick else 4, torch.device("cpu"))
        plain = PlainRunner(network, str(place.device)).encode_clips(clips.numpy())
        reference = torch.from_numpy(plain).double()
        for name, tower in towers(EAGER[1:], network, place):
            row: dict[str, Any] = {"network": size, "way": name}
            if isinstance(tower, str):
                row["failed"] = tower
            else:
                with torch.inference_mode():
                    found = torch.cat([tower(c[None].to(place.device)) for c in clips]).double().cpu()
                row["smallest cosine"] = float(torch.cosine_similarity(found, reference).min())
                row["max difference"] = float((found - reference).abs().max())
            write(row)
        few = np.ascontiguousarray(clips.numpy()[:, :: network.config.frames // QUICK_FRAMES][:, :QUICK_FRAMES])
        expected = torch.from_numpy(PlainRunner(network, str(place.device)).encode_clips(few))
        rows = CudaRunner(network.cpu(), str(place.device), frames=(QUICK_FRAMES,)).encode_clips(few)
        cosine = float((torch.from_numpy(rows) * expected).sum(1).min())
        write({"network": size, "way": f"{QUICK_FRAMES} frames, bfloat16", "smallest cosine": cosine})
