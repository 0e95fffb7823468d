"""`fetch-model` and `doctor`, against a stand-in hub and against things that are wrong."""

from __future__ import annotations

import dataclasses
import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cli_library
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from stand_in_hub import StandInHub, stand_in_hub

from app import child, compose
from app.cli import main
from app.commands.fetch_model import DownloadLine
from app.diagnostics.environment import check_disk, check_ffmpeg, check_library
from app.diagnostics.libraries import _answer, _start, check_decoder, check_faiss, check_torch
from app.jobs.jobs import Jobs
from app.jobs.orders import IndexOrder, Order
from app.shell.live_line import LiveLine
from app.web.services.job_card import job_card, order_to_restart
from encoder import ModelNotFound, config
from encoder.checkpoints import hub
from encoder.checkpoints.checkpoint import load_network
from encoder.checkpoints.network_facts import NetworkFacts
from encoder.checkpoints.transfer import DownloadProgress
from encoder.loading import load_parent
from encoder.protocol import with_tokens
from training.export import export_network

GOLDEN = Path(__file__).parent / "golden"
BASE = config.ALIASES["base"]


def run(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=input)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    """A hub that has small stand-ins of the vocabulary and the base weights, above the size that is asked about."""
    with stand_in_hub() as served:
        weights = served.publish(b"weights" * 1000, repo="google/base", file="base.npz")
        vocabulary = served.publish(b"words", repo="google/words", file="words.model", pinned=True)
        configs = {**config.CONFIGS, BASE: dataclasses.replace(config.CONFIGS[BASE], weights=weights)}
        monkeypatch.setattr(config, "CONFIGS", configs)
        monkeypatch.setattr(config, "VOCABULARY", vocabulary)
        monkeypatch.setattr(hub, "SMALL_BYTES", 1000)
        places = {"endpoint": served.endpoint, "cache_dir": tmp_path / "cache", "models": tmp_path / "models"}
        monkeypatch.setattr(hub, "fetch", functools.partial(hub.fetch, offline=False, **places))
        yield served


def offline(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and nothing fetched before."""
    monkeypatch.setattr(hub, "fetch", functools.partial(hub.fetch, offline=True, cache_dir=empty, models=empty))


def test_the_size_is_said_and_without_a_yes_nothing_comes(served: StandInHub) -> None:
    result = run("fetch-model")
    assert result.exit_code == 2
    assert "base.npz (0.0 MB, Apache-2.0) will be downloaded from google/base" in result.stderr
    assert "--yes" in result.stderr
    assert not any("base.npz" in line for line in served.asked("GET"))


def test_a_download_before_indexing_is_resumed_with_the_indexing(
    served: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "library").mkdir()
    order = IndexOrder(encoder=BASE, fetch=True, paths=(str(tmp_path / "films"),))
    indexed: list[Order] = []
    monkeypatch.setattr(child, "index_videos", lambda _, order: indexed.append(order))
    child.dispatch(order, compose.Settings(library=tmp_path / "library"))
    [download] = Jobs(tmp_path / "library").all()
    assert (download.kind, indexed) == ("download", [order])
    stopped = dataclasses.replace(download, outcome="stopped")
    assert job_card(stopped, has_log=False)["actions"] == ["resume", "forget"]
    assert order_to_restart(stopped, retry=False) == order


def test_a_no_on_a_terminal_downloads_nothing(served: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.shell.questions.has_terminal", lambda: True)
    assert run("fetch-model", input="n\n").exit_code == 1
    assert not any("base.npz" in line for line in served.asked("GET"))
    assert run("fetch-model", input="y\n").exit_code == 0


def test_with_a_yes_both_files_come_once(served: StandInHub) -> None:
    result = run("fetch-model", "--yes")
    assert result.exit_code == 0, result.output
    paths = [Path(line.partition(": ")[2]) for line in result.stdout.splitlines()]
    assert [path.read_bytes() for path in paths] == [b"words", b"weights" * 1000]
    asked = len(served.requests)
    again = run("fetch-model", BASE)
    assert (again.exit_code, again.stdout) == (0, result.stdout)
    assert len(served.requests) == asked, "what is here is not asked for again, and no yes is needed"


def test_a_corrupt_download_is_an_error_not_a_model(served: StandInHub) -> None:
    served.corrupt = True
    result = run("fetch-model", "--yes")
    assert result.exit_code == 3
    assert "prismsearch: what came as words.model" in result.stderr
    assert "Traceback" not in result.stderr


def test_unknown_models_are_named_with_what_there_is() -> None:
    for name in ("huge", "demo", "videoprism_public_v1_huge"):
        result = run("fetch-model", name)
        assert result.exit_code == 2
        assert "base, large" in result.stderr
    listed = [line.split()[0] for line in run("fetch-model", "--list").stdout.splitlines()]
    assert listed == ["base", "large", "videoprism_public_v1_base", "videoprism_public_v1_large"]


def test_a_plain_network_comes_without_a_vocabulary(served: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = "videoprism_public_v1_base"
    weights = served.publish(b"plain" * 1000, repo="google/plain", file="plain.npz")
    configs = {**config.CONFIGS, plain: dataclasses.replace(config.CONFIGS[plain], weights=weights)}
    monkeypatch.setattr(config, "CONFIGS", configs)
    result = run("fetch-model", plain, "--yes")
    assert result.exit_code == 0, result.output
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == ["plain.npz"]
    assert "cannot search; train heads on it" in result.stderr
    assert not any("words.model" in line for line in served.asked("GET"))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A plain checkpoint under a name of its own, so that only reading it tells what it is."""
    with np.load(GOLDEN / "tiny_params.npz") as file:
        prefix = "params/vision_encoder/"
        arrays = {f"params/{key.removeprefix(prefix)}": file[key] for key in file.files if key.startswith(prefix)}
    np.savez(tmp_path / "plain.npz", **arrays)
    return tmp_path / "plain.npz"


def test_commands_that_need_text_refuse_a_plain_network(
    tmp_path: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(tmp_path, ColourEncoder())))
    for words in (["search", "red"], ["index", str(tmp_path)]):
        for name in (str(plain), "videoprism_public_v1_base"):
            result = run(*words, "--encoder", name)
            assert result.exit_code == 2, result.output
            assert "plain video encoder: it has no text tower" in result.stderr
            assert "Traceback" not in result.stderr


def test_a_plain_network_that_a_probe_has_loaded_is_refused_all_the_same(tmp_path: Path, plain: Path) -> None:
    """It is described in the cache then, and would not be loaded again before the first sentence."""
    official = plain.rename(tmp_path / "flax_base_f16r288_repeated.npz")
    small = dataclasses.replace(load_network(official).config, name="videoprism_public_v1_base")
    settings = compose.Settings(
        library=tmp_path / "library", encoder=str(official), frames=6, fit="stretch", still_frames=0, needs_text=False
    )
    with pytest.MonkeyPatch.context() as patch:
        published = config.CONFIGS["videoprism_public_v1_base"].weights
        known = {**config.CONFIGS, "videoprism_public_v1_base": dataclasses.replace(small, weights=published)}
        patch.setattr("encoder.model_files.CONFIGS", known)
        opened = [compose.open_encoder_lazily(settings, lambda: compose.open_encoder(settings)) for _ in range(2)]
        assert [type(each).__name__ for each in opened] == ["VideoPrism", "LazyEncoder"]
        assert [with_tokens(each).token_dim for each in opened] == [32, 32]
        with pytest.raises(compose.WrongSetting, match="plain video encoder"):
            compose.open_encoder_lazily(
                dataclasses.replace(settings, needs_text=True), lambda: pytest.fail("it is not loaded")
            )


def test_searching_without_the_model_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(tmp_path, ColourEncoder())))
    monkeypatch.setattr(hub, "fetch", functools.partial(hub.fetch, offline=True, cache_dir=tmp_path, models=tmp_path))
    result = run("search", "red")
    assert result.exit_code == 3
    assert "prismsearch fetch-model" in result.stderr
    assert len(result.stderr) <= 200, "at most two lines of a terminal; the other ways are told by doctor"
    assert run("search", "red", "--encoder", "deom").exit_code == 2
    assert run("search", "red", "--encoder", str(tmp_path / "none.npz")).exit_code == 3


def test_a_download_shows_speed_and_what_is_left(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.shell.live_line.EVERY_SHARE", 0)  # else the second line may come too soon to be shown
    with LiveLine(every_seconds=0) as line:
        shower = DownloadLine(line)
        shower.show(DownloadProgress("base.npz", 500_000_000, 990_000_000))
        assert shower._began is not None
        shower._began = (shower._began[0], shower._began[1] - 10, shower._began[2])
        shower.show(DownloadProgress("base.npz", 600_000_000, 990_000_000))
    first, second = capfd.readouterr().err.splitlines()
    assert first == "base.npz  500 MB of 990 MB"
    text, speed, left = second.rsplit("  ", 2)
    assert text == "base.npz  600 MB of 990 MB"
    assert 1 < float(speed.removesuffix(" MB/s")) <= 10
    assert left.endswith(" left")


def test_two_kinds_of_faiss_are_diagnosed_with_the_cure() -> None:
    answer = {"version": "1.15", "gpus": 0, "gpu_build": False}
    assert check_faiss(answer, ["faiss-cpu"]).state == "ok"
    both = check_faiss(answer, ["faiss-cpu", "faiss-gpu"])
    assert both.state == "bad"
    assert "pip uninstall -y faiss-cpu faiss-gpu" in both.advice
    broken = check_faiss("AttributeError: module 'faiss' has no attribute '__version__'", ["faiss-gpu"])
    assert "--force-reinstall --no-deps faiss-gpu" in broken.advice
    assert "pip install faiss-cpu" in check_faiss("ModuleNotFoundError: No module named 'faiss'", []).advice


def test_a_library_that_crashes_or_is_missing_is_a_finding() -> None:
    assert _answer(_start("import os; os.abort()")) == "ended with code -6"
    missing = _answer(_start("import no_such_library"))
    assert missing == "ModuleNotFoundError: No module named 'no_such_library'"
    assert check_torch(missing).state == "bad"
    assert _answer(_start("print('noise'); print('{\"version\": 1}')")) == {"version": 1}


def test_a_torch_for_gpus_without_one_is_noted() -> None:
    answer = {"version": "2", "threads": 4, "cuda": [], "built_for_cuda": "13.0", "mps": False}
    assert check_torch(answer).state == "note"
    assert check_torch({**answer, "cuda": ["H200"]}).text == "2 on H200"
    missing = {"version": "18", "libavcodec": "62", "missing": ["hevc"], "x264": True}
    assert "without hevc" in check_decoder(missing).text


def test_places_that_cannot_be_used_are_found(tmp_path: Path) -> None:
    settings = compose.settings_from({"PRISMSEARCH_LIBRARY": str(tmp_path / "a" / "library")})
    assert check_disk(settings).state in ("ok", "note")
    assert check_library(settings).state == "note"
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "library.sqlite3").write_bytes(b"this is no database" * 500)
    assert check_library(dataclasses.replace(settings, library=broken)).state == "bad"
    assert check_ffmpeg(settings).state == "ok"
    assert check_ffmpeg(dataclasses.replace(settings, ffmpeg="no-such-ffmpeg")).state == "bad"


def test_doctor_finds_this_installation_sound(tmp_path: Path) -> None:
    """The whole of it, in a process of its own."""
    root = Path(__file__).resolve().parent.parent
    code = "from app.cli import main; main(prog_name='prismsearch')"
    result = subprocess.run(
        [sys.executable, "-c", code, "doctor", "--json", "--library", str(tmp_path / "none")],
        cwd=root, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    findings = {each["name"]: each for each in json.loads(result.stdout)}
    assert result.returncode == 0, findings
    assert {"Python", "torch", "faiss", "decoder", "shot detection", "ffmpeg", "model base", "library", "disk"} <= set(
        findings
    )
    assert findings["library"]["state"] == "note"


def test_doctor_model_without_the_model_is_exit_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "fetch", functools.partial(hub.fetch, offline=True, cache_dir=tmp_path, models=tmp_path))
    with pytest.raises(ModelNotFound, match="fetch-model"):
        compose.open_encoder(compose.settings_from({"PRISMSEARCH_ENCODER": "base"}))
    assert run("doctor", "--model").exit_code == 3
    assert run("doctor", "--clip", "x.mp4").exit_code == 2
    assert run("doctor", "--model", "nonsense").exit_code == 2


@pytest.mark.parametrize("stage", ["text", "lit"])
def test_doctor_says_what_a_trained_model_is_made_of(tmp_path: Path, stage: str) -> None:
    parent = load_parent("demo")
    with torch.no_grad():
        parent.network.get_parameter("text_encoder.norm.bias").add_(0.01)
        if stage == "lit":
            parent.network.get_parameter("pooler.norm.bias").add_(0.01)
    facts = NetworkFacts(
        config=parent.network.config, stage=stage, steps=40, parent=parent.digest, licence="", trained_on="54 clips",
        version="",
    )  # fmt: skip
    export_network(parent.network, tmp_path / "names.npz", facts)
    result = run("doctor", "--model", str(tmp_path / "names.npz"), "--json")
    assert result.exit_code == 0, result.output
    findings = {each["name"]: each for each in json.loads(result.stdout)}
    assert findings["training"]["text"] == f"trained here: stage {stage}, 40 steps on 54 clips"
    assert findings["quality"]["state"] == "note", "nothing was published for it"
    assert ("video side" in findings) == ("text tower" in findings) == (stage == "text")
    if stage == "text":
        assert findings["video side"]["text"] == "that of demo: what a library stored with it stays valid"
        assert findings["text tower"]["text"].startswith("tuned: videoprism_lvt_demo:text@")


def test_doctor_has_nothing_to_compare_the_demo_encoder_with() -> None:
    assert "there are no published outputs for videoprism_lvt_demo@" in run("doctor", "--model", "demo").stderr
