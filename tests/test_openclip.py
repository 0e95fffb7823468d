"""OpenCLIP models as encoders: how frames are prepared and averaged, where weights come from, what is said when not."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from small_clip import CONFIGURATION, register_small_clip, write_small_clip
from stand_in_hub import COMMIT, StandInHub, stand_in_hub

from encoder import EncoderUnavailable, ModelNotFound, WeightsMismatch, load_encoder
from encoder.checkpoints.download_policy import Sources
from encoder.openclip import digests, eager_tower, pretrained
from encoder.openclip.encoder import OpenCLIP
from encoder.openclip.pretrained import import_open_clip
from encoder.protocol import former_id

# Looked for, not imported: the import works only through encoder.openclip.torchvision_shim.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("open_clip") is None, reason="the extra 'clip' is not installed"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("small")
    write_small_clip(made)
    return made


@pytest.fixture(scope="module")
def encoder(folder: Path) -> OpenCLIP:
    found = load_encoder(f"open_clip:local-dir:{folder}", "cpu", frames=4)
    assert isinstance(found, OpenCLIP)
    return found


def clips(encoder: OpenCLIP, number: int = 2, seed: int = 0) -> np.ndarray:
    spec = encoder.clip_spec
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (number, spec.frames, spec.size, spec.size, 3), dtype=np.uint8)


def test_frames_go_through_the_model_as_open_clip_prepares_them(encoder: OpenCLIP, folder: Path) -> None:
    """The oracle is open_clip's own path for pictures: PIL, its transform with this model's numbers, encode_image."""
    from PIL import Image

    open_clip = import_open_clip()
    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    batch = clips(encoder)
    expected = []
    with torch.no_grad():
        for clip in batch:
            frames = torch.stack([prepare(Image.fromarray(frame)) for frame in clip])
            rows = model.encode_image(frames, normalize=True)
            expected.append((rows.mean(dim=0) / rows.mean(dim=0).norm()).numpy())
        texts = model.encode_text(open_clip.tokenize(["a dog", "two red balls"]), normalize=True).numpy()
    assert np.abs(encoder.encode_clips(batch) - np.stack(expected)).max() < 1e-5
    assert np.abs(encoder.encode_texts(["a dog", "two red balls"]) - texts).max() < 1e-5


def test_the_model_says_size_and_frames_have_a_default(folder: Path) -> None:
    found = load_encoder(f"open_clip:local-dir:{folder}", "cpu")
    assert (found.clip_spec.size, found.clip_spec.frames, found.dim) == (32, 8, 48)


def test_the_order_of_frames_means_nothing_here(encoder: OpenCLIP) -> None:
    batch = clips(encoder)
    assert np.abs(encoder.encode_clips(batch) - encoder.encode_clips(batch[:, ::-1])).max() < 1e-6


def test_many_clips_in_parts_are_the_same(encoder: OpenCLIP, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = clips(encoder, 5)
    whole = encoder.encode_clips(batch)
    monkeypatch.setattr(eager_tower, "PICTURES_AT_ONCE", 3)  # a clip is split, and the last part is shorter
    assert np.abs(encoder.encode_clips(batch) - whole).max() < 1e-6


def test_a_cut_text_is_told(encoder: OpenCLIP) -> None:
    assert encoder.truncated(["a dog", "dog " * 75, "dog " * 76, ""]) == [False, False, True, False]


def test_the_id_names_weights_not_places(encoder: OpenCLIP, tmp_path: Path) -> None:
    moved, other = tmp_path / "elsewhere", tmp_path / "other"
    write_small_clip(moved)
    write_small_clip(other, seed=2)
    assert load_encoder(f"open_clip:local-dir:{moved}", "cpu", frames=4).id == encoder.id
    assert encoder.id.endswith(":4f:stretch:ends")
    assert encoder.clip_spec.ends
    assert former_id(encoder) is None, "rows of earlier versions are of other frames"
    assert load_encoder(f"open_clip:local-dir:{other}", "cpu", frames=4).id != encoder.id
    assert "elsewhere" not in load_encoder(f"open_clip:local-dir:{moved}", "cpu").id


def test_random_weights_are_always_the_same_and_leave_other_random_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = load_encoder("open_clip:ViT-S-32-alt/random", "cpu", frames=1)
    assert torch.equal(torch.rand(3), expected)
    second = load_encoder("open_clip:ViT-S-32-alt/random", "cpu", frames=1)
    assert first.id == second.id
    assert (first.encode_texts(["a dog"]) == second.encode_texts(["a dog"])).all()


def test_a_checkpoint_file_is_accepted_and_a_wrong_one_told(tmp_path: Path) -> None:
    open_clip = import_open_clip()
    right, wrong, broken, cut, other = (tmp_path / f"{name}.pt" for name in ("mine", "wrong", "broken", "cut", "other"))
    register_small_clip(tmp_path, "test-small")
    torch.manual_seed(3)
    state = open_clip.create_model("test-small").state_dict()
    torch.save(state, right)
    torch.save({key: value for key, value in state.items() if "resblocks.1" not in key}, wrong)
    broken.write_bytes(b"not a checkpoint")
    cut.write_bytes(right.read_bytes()[:100_000])
    torch.save([1, 2, 3], other)
    found = load_encoder(f"open_clip:test-small/{right}", "cpu", frames=1)
    assert "mine" not in found.id
    assert found.id != load_encoder("open_clip:test-small/random", "cpu", frames=1).id
    for path in (wrong, broken, cut, other):
        with pytest.raises(WeightsMismatch, match=f"{path.name} cannot be loaded"):
            load_encoder(f"open_clip:test-small/{path}", "cpu")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("open_clip:", "for example ViT-B-32/openai"),
        ("open_clip:ViT-B-32", "for example ViT-B-32/openai"),
        ("open_clip:ViT-B32/openai", "did you mean ViT-B-32"),
        ("open_clip:ViT-B-32/opena", "did you mean openai"),
        ("open_clip:ViT-B-32/no/such/file.pt", "neither a file nor one of the weights"),
    ],
)
def test_unknown_names_are_answered_with_known_ones(name: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        load_encoder(name, "cpu")


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="gone"):
        load_encoder(f"open_clip:local-dir:{tmp_path / 'gone'}", "cpu")


def test_a_folder_without_weights_is_not_taken_for_random_ones(tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text(json.dumps(CONFIGURATION))
    with pytest.raises(WeightsMismatch):
        load_encoder(f"open_clip:local-dir:{tmp_path}", "cpu")


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as running:
        yield running


def test_a_tag_is_fetched_as_ours_are_and_keeps_its_own_preparation(
    hub: StandInHub, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag's weights come through the hub: asked about, checked, kept; its mean, std and activation hold."""
    open_clip = import_open_clip()
    tag = {"hf_hub": "timm/small/", "mean": (0.1, 0.2, 0.3), "std": (0.3, 0.2, 0.1), "quick_gelu": True}
    monkeypatch.setattr(open_clip, "list_models", lambda: ["small"])
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda model, name: tag if name == "laion" else {})
    weights = (folder / "open_clip_model.safetensors").read_bytes()
    hub.publish(weights, repo="timm/small", file="open_clip_model.safetensors")
    said: list[str] = []
    sources = Sources(
        models=tmp_path / "models",
        confirm=lambda message: bool(said.append(message)) or True,
        offline=False,
        cache_dir=tmp_path / "cache",
        endpoint=hub.endpoint,
    )
    options: dict[str, Any] = pretrained.create_model_options(open_clip, "small", "laion", sources)
    assert Path(options["pretrained"]).read_bytes() == weights
    assert options["force_preprocess_cfg"] == {"mean": (0.1, 0.2, 0.3), "std": (0.3, 0.2, 0.1)}
    assert options["force_quick_gelu"] is True
    assert hub.asked("GET") == [f"GET /timm/small/resolve/{COMMIT}/open_clip_model.safetensors"]


def test_the_older_form_is_taken_where_there_is_no_other(hub: StandInHub, tmp_path: Path) -> None:
    hub.publish(b"weights", repo="org/old", file="open_clip_pytorch_model.bin")
    sources = Sources(models=tmp_path, offline=False, cache_dir=tmp_path / "cache", endpoint=hub.endpoint)
    assert pretrained.fetch_weights("org/old", "", sources).read_bytes() == b"weights"


def test_offline_a_tag_is_one_clear_error(tmp_path: Path) -> None:
    sources = Sources(models=tmp_path / "models", offline=True, cache_dir=tmp_path / "cache")
    with pytest.raises(ModelNotFound, match="once with a connection") as caught:
        load_encoder("open_clip:ViT-B-32/openai", "cpu", sources=sources)
    assert "open_clip_model.safetensors" in str(caught.value)
    assert "--encoder demo" in caught.value.advice


def test_without_open_clip_the_extra_is_named() -> None:
    """In a process of its own, where the import fails as it does on a machine without the extra."""
    code = (
        "import sys; sys.modules['open_clip'] = None\n"
        "from encoder import load_encoder, EncoderUnavailable\n"
        "try: load_encoder('open_clip:ViT-B-32/openai', 'cpu')\n"
        "except EncoderUnavailable as error: print(error)\n"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=True)
    assert "prismsearch[clip]" in done.stdout


def test_a_torchvision_without_its_operators_is_no_obstacle() -> None:
    """Whichever torchvision is installed: afterwards it imports, and torch is as it was."""
    import_open_clip()
    import torchvision.transforms  # noqa: F401

    assert torch.library.register_fake.__module__.startswith("torch")


def test_pictures_that_are_not_square_are_refused() -> None:
    model = torch.nn.Module()
    model.visual = torch.nn.Module()
    model.visual.preprocess_cfg = {"size": (224, 384), "mean": (0, 0, 0), "std": (1, 1, 1)}  # type: ignore[assignment]
    with pytest.raises(EncoderUnavailable, match="224 x 384"):
        OpenCLIP(model, None, "cpu", weights_id="x")


def test_a_tokenizer_of_another_kind_counts_its_own_start_and_end(
    encoder: OpenCLIP, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = SimpleNamespace(context_length=4, tokenizer=lambda text: {"input_ids": [1, *text.split(), 2]})
    monkeypatch.setattr(encoder, "_tokenizer", words)
    assert encoder.truncated(["", "a dog", "a dog runs", "half \udcff pair"]) == [False, False, True, True]


def test_the_digest_of_weights_stays_what_libraries_have_stored() -> None:
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.copy_(torch.arange(6.0).reshape(2, 3))
        model.bias.copy_(torch.tensor([7.0, 8.0]))
    words = SimpleNamespace(context_length=77)
    stored = "b5c0a97b581d5567"
    assert digests.text_digest(model, words) == stored
    assert digests.text_digest(model.double(), words) == stored
    with torch.no_grad():
        model.bias[1] += 1
    assert digests.text_digest(model, words) != stored


@pytest.mark.parametrize(
    ("repository", "licence"),
    [
        ("timm/PE-Core-B-16", "Apache-2.0"),
        ("timm/ViT-B-16-SigLIP2", "Apache-2.0"),
        ("timm/MobileCLIP2-S0-OpenCLIP", "apple-amlr: for research only"),
        ("org/other", "a licence of its own"),
    ],
)
def test_the_licence_is_told_with_a_download(repository: str, licence: str) -> None:
    assert pretrained._hub_file(repository, "open_clip_model.safetensors").licence == licence


@pytest.mark.parametrize(("frames", "batch"), [(1, 64), (8, 8), (48, 1), (100, 1)])
def test_a_batch_has_64_frames_and_one_clip_at_least(folder: Path, frames: int, batch: int) -> None:
    assert load_encoder(f"open_clip:local-dir:{folder}", "cpu", frames=frames).batch == batch
