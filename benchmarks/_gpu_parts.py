"""Parts of benchmarks/gpu.py. Each writes its figures line by line, so that a cut loses none of them."""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks._gpu_correctness import correctness
from benchmarks._gpu_openclip import openclip
from benchmarks._gpu_towers import COMPILED, EAGER, Place, Tower, gigaflops, random_network, some_clips, towers
from encoder.quick import QUICK_FRAMES
from encoder.runtime.token_layout import Sequences

Write = Callable[[dict[str, Any]], None]


def timed(run: Callable[[], object], place: Place) -> float:
    """Return the median seconds of a call, after two for warm-up, over about a second and 3 to 50 calls."""
    for _ in range(1 if place.quick else 2):
        run()
    place.wait()
    taken: list[float] = []
    began = time.perf_counter()
    while len(taken) < 3 or (len(taken) < 50 and time.perf_counter() - began < 1 and not place.quick):
        if place.device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            run()
            end.record()
            end.synchronize()
            taken.append(start.elapsed_time(end) / 1000)
        else:
            moment = time.perf_counter()
            run()
            taken.append(time.perf_counter() - moment)
    return statistics.median(taken)


def machine(place: Place, write: Write) -> None:
    """Write the properties of the machine, and its bfloat16 peak: the largest rate of square random products."""
    found: dict[str, Any] = {"python": platform.python_version(), "torch": torch.__version__}
    try:
        import triton

        found["triton"] = triton.__version__
    except ImportError:
        found["triton"] = None
    if place.device.type == "cuda":
        card = torch.cuda.get_device_properties(place.device)
        found |= {
            "device": card.name,
            "GiB": round(card.total_memory / 2**30, 1),
            "processors": card.multi_processor_count,
        }
        found |= {"capability": f"{card.major}.{card.minor}", "CUDA": torch.version.cuda}
    else:
        found["device"] = platform.processor() or "cpu"
    write(found)
    for side in (256,) if place.quick else (4096, 8192, 16384):
        a, b = (torch.randn(side, side, device=place.device, dtype=torch.bfloat16) for _ in range(2))
        seconds = timed(lambda a=a, b=b: a @ b, place)  # type: ignore[misc]
        write({"peak": f"{side} x {side}", "TFLOP/s": 2 * side**3 / seconds / 1e12})
    for name in ("base", "large"):
        config = place.config(name)
        rows = 8 * config.frames * config.rows * config.columns
        for columns in (3 * config.dim, config.mlp):  # what the network's own shapes allow
            a = torch.randn(rows, config.dim, device=place.device, dtype=torch.bfloat16)
            b = torch.randn(columns, config.dim, device=place.device, dtype=torch.bfloat16)
            seconds = timed(lambda a=a, b=b: a @ b.t(), place)  # type: ignore[misc]
            write(
                {"product": f"{rows} x {config.dim} x {columns}", "TFLOP/s": 2 * a.numel() * columns / seconds / 1e12}
            )


def attention(place: Place, write: Write) -> None:
    """Measure soft-capped attention alone, for each layout: fused, with exact tanh, FlexAttention, plain."""
    from benchmarks._gpu_towers import FlexKernels
    from encoder.runtime.plain_kernels import PlainKernels

    ways: dict[str, Any] = {"plain": PlainKernels()}
    if place.device.type == "cuda":
        from encoder.runtime.triton_kernels import TritonKernels

        ways = {"fused": TritonKernels(), "fused, exact tanh": TritonKernels(exact=True), **ways}
        flex = FlexKernels()
        flex.attend = torch.compile(flex.attend, dynamic=False)  # type: ignore[method-assign]
        ways["flex attention"] = flex
    config = place.config("base")
    clips, t, n = 1 if place.quick else 8, config.frames, config.rows * config.columns
    qkv = torch.randn(clips * t * n, 3 * config.dim, device=place.device).to(torch.bfloat16)
    exact = qkv.float()
    for make in (Sequences.within_frames, Sequences.across_frames, Sequences.within_clips):
        sequences = make(clips, t, n)
        operations = 4 * sequences.count * sequences.length**2 * config.dim
        expected = PlainKernels().attend(exact, sequences, config.heads, config.logit_cap)
        for name, kernels in ways.items():
            row: dict[str, Any] = {"attention": make.__name__, "length": sequences.length, "way": name}
            try:
                attend = lambda k=kernels, s=sequences: k.attend(qkv, s, config.heads, config.logit_cap)  # noqa: E731
                row["off"] = float(
                    (attend().float() - expected).square().mean().sqrt() / expected.square().mean().sqrt()
                )
                seconds = timed(attend, place)
                row |= {"ms": seconds * 1000, "TFLOP/s": operations / seconds / 1e12}
            except Exception as error:  # noqa: BLE001  the other ways are still to be measured
                row["failed"] = f"{type(error).__name__}: {str(error)[:200]}"
            write(row)


def throughput(size: str, names: tuple[str, ...], batches: tuple[int, ...], place: Place, write: Write) -> None:
    """Measure each tower at each batch size, on clips in device memory: ms and TFLOP/s per clip, memory."""
    network = random_network(place.config(size))
    work = gigaflops(network.config)
    for name, tower in towers(names, network, place):
        if isinstance(tower, str):
            write({"network": size, "way": name, "failed": tower})
            continue
        for batch in batches:
            row = {"network": size, "way": name, "batch": batch}
            write(row | _rate(tower, some_clips(network.config, batch, place.device), work, place))
            if place.device.type == "cuda":
                torch.cuda.empty_cache()


def _rate(tower: Tower, clips: Tensor, work: float, place: Place) -> dict[str, Any]:
    cuda = place.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(place.device)
    began = time.perf_counter()
    try:
        with torch.inference_mode():
            tower(clips)
            place.wait()
            first = time.perf_counter() - began
            seconds = timed(lambda: tower(clips), place)
    except Exception as error:  # noqa: BLE001  out of memory, or what a compiler raises: the next is still measured
        return {"failed": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"}
    rate = {"ms a clip": seconds / len(clips) * 1000, "clips/s": len(clips) / seconds, "first call s": first}
    rate["TFLOP/s"] = work * len(clips) / seconds / 1000
    if cuda:
        rate["peak GB"] = torch.cuda.max_memory_allocated(place.device) / 1e9
    return rate


def runner(place: Place, write: Write) -> None:
    """Measure all of encode_clips, from host arrays to host rows, against the tower alone; and sentences."""
    from encoder.runtime.cuda import CudaRunner

    for size in ("base", "large"):
        network = random_network(place.config(size))
        whole = CudaRunner(network, str(place.device))
        for batch in dict.fromkeys((1, 8, whole.batch, 2 * whole.batch)):
            if place.quick and batch > 8:
                continue
            clips = some_clips(network.config, batch, torch.device("cpu")).numpy()
            taken = [_seconds(whole.encode_clips, clips) for _ in range(4)][1:]
            write({"network": size, "way": "encode_clips", "batch": batch, "ms a clip": min(taken) / batch * 1000})
            few = np.ascontiguousarray(clips[:, :QUICK_FRAMES])
            taken = [_seconds(whole.encode_clips, few) for _ in range(4)][1:]
            write({"network": size, "way": "quick clips", "batch": batch, "ms a clip": min(taken) / batch * 1000})
        for count, tokens in ((1, 10), (1, 64), (64, 12)):
            ids = np.full((count, 64), 7, np.int32)
            paddings = (np.arange(64)[None].repeat(count, 0) >= tokens).astype(np.float32)
            taken = [_seconds(whole.encode_texts, ids, paddings) for _ in range(6)][1:]
            write({"network": size, "texts": count, "tokens": tokens, "ms": statistics.median(taken) * 1000})


def _seconds(run: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - began


def pipeline(place: Place, write: Write) -> None:
    """Measure indexing of generated videos by the base network: the slowest stage, and the overlap of all."""
    from synthetic import make_video

    from db.library import Library
    from encoder.runtime.precision import choose_precision
    from encoder.videoprism import VideoPrism
    from indexer.pipeline import index_folders
    from indexer.settings import IndexSettings, RunOptions

    network = random_network(place.config("base"))
    precision = choose_precision("auto", str(place.device), network.config.dim)
    encoder = VideoPrism(network, None, str(place.device), weights_id="random@0", precision=precision)  # type: ignore[arg-type]
    encoder.encode_clips(np.zeros((1, *encoder.clip_spec.shape), np.uint8))
    size, shots, copies = ((96, 64), 2, 2) if place.quick else ((1280, 720), 10, 24)
    colours = ("red", "green", "blue", "yellow", "purple")
    with tempfile.TemporaryDirectory() as folder:
        films = Path(folder) / "films"
        films.mkdir()
        first = make_video(films / "0.mp4", [(colours[i % 5], 50) for i in range(shots)], size=size)
        for number in range(1, copies):  # a `free` box at the end: another content, the same pictures
            box = f"copy {number:>4}".encode()
            data = first.read_bytes() + (8 + len(box)).to_bytes(4, "big") + b"free" + box
            (films / f"{number}.mp4").write_bytes(data)
        for workers in (2,) if place.quick else (2, 8, 16):
            with Library.open(Path(folder) / f"library {workers}") as library:
                began = time.perf_counter()
                report = index_folders(library, encoder, [films], IndexSettings(), RunOptions(decode_workers=workers))
                wall = time.perf_counter() - began
            if report.stopped:
                raise RuntimeError(report.stopped)
            row = {"workers": workers, "videos": report.added, "clips": report.clips, "wall s": wall}
            row |= {f"{stage} s": report.seconds[stage] for stage in ("decode", "encode", "store")}
            row |= {"times real time": report.video_seconds / wall, "encoder at work": report.seconds["encode"] / wall}
            write(row)


def run(part: str, place: Place, write: Write) -> None:
    """Run one part, by its name in benchmarks/gpu.py."""
    batches = (1, 2) if place.quick else (8, 32, 16, 4, 64, 1, 2, 128)  # the likely best first, should time end
    few = (2,) if place.quick else (8, 32)
    runs: dict[str, Callable[[], None]] = {
        "machine": lambda: machine(place, write),
        "correctness": lambda: correctness(place, write),
        "base": lambda: throughput("base", EAGER[::-1], batches, place, write),
        "large": lambda: throughput("large", EAGER[::-1], batches, place, write),
        "attention": lambda: attention(place, write),
        "runner": lambda: runner(place, write),
        "pipeline": lambda: pipeline(place, write),
        "openclip": lambda: openclip(place, write),
        "compiled": lambda: throughput("base", COMPILED, few, place, write),
    }
    runs[part]()
