"""Fetching published files from a stand-in hub: found, announced, transferred, cut, damaged, declined, offline."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from stand_in_hub import COMMIT, StandInHub, stand_in_hub

from encoder import ModelNotFound, WeightsMismatch
from encoder.checkpoints import hub, transfer
from encoder.checkpoints.transfer import DownloadProgress
from encoder.config import CONFIGS, VOCABULARY, HubFile
from encoder.weights import entries

CONTENT = bytes(range(256)) * 4096  # 1 MiB
Fetch = Callable[..., Path]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    monkeypatch.setattr(transfer, "_PAUSE_SECONDS", 0.001)
    with stand_in_hub() as running:
        yield running


@pytest.fixture
def fetch(server: StandInHub, tmp_path: Path) -> Fetch:
    def call(published: HubFile, **options: object) -> Path:
        settings: dict[str, object] = {
            "endpoint": server.endpoint,
            "cache_dir": tmp_path / "cache",
            "models": tmp_path / "models",
            "offline": False,
        }
        return hub.fetch(published, **(settings | options))  # type: ignore[arg-type]

    return call


def leftovers(tmp_path: Path) -> list[Path]:
    return list(tmp_path.rglob("*.incomplete"))


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_file_is_fetched_whole_and_the_second_time_nothing_is_asked(
    server: StandInHub, fetch: Fetch, tmp_path: Path
) -> None:
    published = server.publish(CONTENT)
    seen: list[transfer.DownloadProgress] = []
    path = fetch(published, on_progress=seen.append)
    assert path.read_bytes() == CONTENT
    assert path.name == "weights.npz"  # not the cache's own name for it: the suffix says what it is
    assert COMMIT in path.parts
    assert seen[-1] == transfer.DownloadProgress("weights.npz", len(CONTENT), len(CONTENT))
    assert [s.done_bytes for s in seen] == sorted(s.done_bytes for s in seen)
    assert not leftovers(tmp_path)

    server.requests.clear()
    assert fetch(published) == path
    assert fetch(published, offline=True) == path
    assert fetch(published, endpoint=closed_port()) == path
    assert server.requests == []


def test_only_the_file_itself_is_asked_for(server: StandInHub, fetch: Fetch) -> None:
    """No telemetry, no listing: every request names the file."""
    fetch(server.publish(CONTENT))
    assert len(server.asked("GET")) == 1
    assert {line.split()[1] for line in server.asked("HEAD")} == {"/org/model/resolve/main/weights.npz"}
    assert {line.split()[1] for line in server.asked("GET")} == {f"/org/model/resolve/{COMMIT}/weights.npz"}


def test_a_lost_receipt_costs_one_reading_and_no_request(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    published = server.publish(CONTENT)
    path = fetch(published)
    (receipt,) = (tmp_path / "models" / "receipts").iterdir()
    receipt.write_text("{ not json")
    server.requests.clear()
    assert fetch(published, offline=True) == path
    assert server.requests == []
    assert json.loads(receipt.read_text())["commit"] == COMMIT


def test_another_program_finds_what_we_fetched(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    from huggingface_hub import hf_hub_download

    path = fetch(server.publish(CONTENT))
    found = hf_hub_download("org/model", "weights.npz", cache_dir=tmp_path / "cache", local_files_only=True)
    assert Path(found) == path


def test_a_cut_transfer_goes_on_where_it_broke(server: StandInHub, fetch: Fetch) -> None:
    server.cut_after = [300_000, 300_000]
    assert fetch(server.publish(CONTENT)).read_bytes() == CONTENT
    ranges = [line.split()[2] if len(line.split()) > 2 else None for line in server.asked("GET")]
    assert ranges[0] is None
    assert len(ranges) == 3
    starts = [int(r.removeprefix("bytes=").removesuffix("-")) for r in ranges[1:] if r]
    assert 0 < starts[0] < starts[1] <= 600_000


def test_bytes_from_another_host_are_resumed_and_see_no_token(
    server: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_a_secret_of_the_person")
    server.redirect = True
    server.cut_after = [300_000]
    assert fetch(server.publish(CONTENT)).read_bytes() == CONTENT
    from_there = [line for line in server.asked("GET") if "/cdn/" in line]
    assert [line.split()[-1] for line in from_there] == [from_there[0].split()[1], "bytes=300000-"]
    assert {token for path, token in server.tokens if path.startswith("/cdn/")} == {None}
    assert {token for path, token in server.tokens if path.startswith("/org/")} == {"Bearer hf_a_secret_of_the_person"}


def test_a_server_that_knows_no_ranges_is_read_from_the_start(server: StandInHub, fetch: Fetch) -> None:
    server.ignore_ranges = True
    server.cut_after = [300_000]
    assert fetch(server.publish(CONTENT)).read_bytes() == CONTENT


def test_a_transfer_that_keeps_breaking_is_kept_for_the_next_run(
    server: StandInHub, fetch: Fetch, tmp_path: Path
) -> None:
    published = server.publish(CONTENT)
    server.cut_after = [500_000] + [0] * transfer._ATTEMPTS
    with pytest.raises(ModelNotFound, match="run the same command again to go on from there"):
        fetch(published)
    (partial,) = leftovers(tmp_path)
    kept = partial.stat().st_size
    assert 0 < kept <= 500_000
    server.cut_after.clear()
    server.requests.clear()
    assert fetch(published).read_bytes() == CONTENT
    assert server.asked("GET")[0].endswith(f"bytes={kept}-")
    assert not leftovers(tmp_path)


FETCH_IN_A_PROCESS = """
import sys
from pathlib import Path
from encoder.checkpoints import hub
from encoder.config import HubFile
size, models = int(sys.argv[1]), Path(sys.argv[2])
print(hub.fetch(HubFile("org/model", "weights.npz", size), models=models, on_progress=lambda d: print(d, flush=True)))
"""


def process(server: StandInHub, tmp_path: Path, size: int, **environment: str) -> subprocess.Popen[str]:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    variables |= {"HF_ENDPOINT": server.endpoint, "HF_HOME": str(tmp_path / "home")} | environment
    return subprocess.Popen(
        [sys.executable, "-c", FETCH_IN_A_PROCESS, str(size), str(tmp_path / "models")],
        cwd=Path(__file__).parent.parent,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_kill_9_in_the_middle_then_resume(server: StandInHub, tmp_path: Path) -> None:
    """Another process each time, told by HF_ENDPOINT and HF_HOME, as a person would."""
    content = CONTENT * 6
    server.publish(content)
    server.seconds_a_chunk = 0.03
    first = process(server, tmp_path, len(content))
    assert first.stdout is not None
    for line in first.stdout:
        if "DownloadProgress(" in line:
            break
    first.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    first.wait()
    (partial,) = leftovers(tmp_path)
    kept = partial.stat().st_size
    assert 0 < kept < len(content)

    server.seconds_a_chunk = 0
    server.requests.clear()
    second = process(server, tmp_path, len(content))
    output, errors = second.communicate(timeout=60)
    assert second.returncode == 0, errors
    path = Path(output.splitlines()[-1])
    assert path.read_bytes() == content
    assert path.is_relative_to(tmp_path / "home" / "hub")
    assert server.asked("GET")[0].endswith(f"bytes={kept}-")


def test_two_at_once_transfer_it_once(server: StandInHub, tmp_path: Path) -> None:
    content = CONTENT * 2
    server.publish(content)
    server.seconds_a_chunk = 0.02
    both = [process(server, tmp_path, len(content)) for _ in range(2)]
    for one in both:
        output, errors = one.communicate(timeout=60)
        assert one.returncode == 0, errors
        assert Path(output.splitlines()[-1]).read_bytes() == content
    assert len(server.asked("GET")) == 1


def test_hf_hub_offline_is_honoured(server: StandInHub, tmp_path: Path) -> None:
    server.publish(CONTENT)
    done = process(server, tmp_path, len(CONTENT), HF_HUB_OFFLINE="1")
    _, errors = done.communicate(timeout=60)
    assert done.returncode != 0
    assert "ModelNotFound" in errors
    assert "HF_HUB_OFFLINE" in errors
    assert server.requests == []


def test_what_comes_damaged_is_deleted_and_said(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    published = server.publish(CONTENT)
    server.corrupt = True
    with pytest.raises(WeightsMismatch, match="was deleted"):
        fetch(published)
    assert not leftovers(tmp_path)
    assert not list((tmp_path / "cache").rglob("weights.npz"))
    server.corrupt = False
    assert fetch(published).read_bytes() == CONTENT


def test_a_small_file_that_comes_damaged_is_told_by_its_git_name(
    server: StandInHub, fetch: Fetch, tmp_path: Path
) -> None:
    server.small_files = server.corrupt = True
    published = server.publish(CONTENT)
    with pytest.raises(WeightsMismatch, match="other content than its ETag"):
        fetch(published)
    assert not leftovers(tmp_path)


def test_versions_are_never_mixed_where_no_checksum_is_known(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    """The transfer breaks off, and meanwhile the file is another one of the same size."""
    published = server.publish(CONTENT)
    server.etags, server.cut_after = ["v1", "v1", "v2"], [300_000]

    def replace(_: DownloadProgress) -> None:
        server.files[("org/model", "weights.npz")] = CONTENT[::-1]

    with pytest.raises(WeightsMismatch, match="was replaced at its source"):
        fetch(published, on_progress=replace)
    assert not leftovers(tmp_path)
    server.etags = ["v2"] * 3
    assert fetch(published).read_bytes() == CONTENT[::-1]


def test_a_newer_version_that_appears_during_the_download_is_not_taken_instead(
    server: StandInHub, fetch: Fetch
) -> None:
    published = server.publish(CONTENT)

    def replace(progress: DownloadProgress) -> None:
        if progress.done_bytes == len(CONTENT):
            server.files[("org/model", "weights.npz")], server.commit = CONTENT[::-1], "beef" * 10

    with pytest.raises(WeightsMismatch, match="was replaced at its source"):
        fetch(published, on_progress=replace)


def test_a_recorded_checksum_outranks_what_the_hub_says(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    server.publish(CONTENT[::-1])
    right = HubFile("org/model", "weights.npz", len(CONTENT), sha256="0" * 64)
    with pytest.raises(WeightsMismatch, match="0000000"):
        fetch(right)
    assert not list((tmp_path / "cache").rglob("weights.npz"))


@pytest.mark.parametrize("small", [False, True])
def test_damage_of_the_same_size_in_the_cache_is_found(
    server: StandInHub, fetch: Fetch, tmp_path: Path, small: bool
) -> None:
    """small: a file that the hub names by a git hash; then the first reading is what counts."""
    server.small_files = small
    published = server.publish(CONTENT)
    path = fetch(published)
    blob = path.resolve()
    damaged = bytearray(CONTENT)
    damaged[500_000] ^= 1
    blob.write_bytes(damaged)
    os.utime(blob, ns=(1, 1))
    with pytest.raises(WeightsMismatch, match="It was deleted"):
        fetch(published, offline=True)
    assert not blob.exists()
    assert fetch(published).read_bytes() == CONTENT


def test_another_file_of_that_name_upstream_is_not_taken_silently(
    server: StandInHub, fetch: Fetch, tmp_path: Path
) -> None:
    """Pinned at first use: after the cache was cleared, the same commit is asked for, not what `main` is now."""
    published = server.publish(CONTENT)
    path = fetch(published)
    path.resolve().unlink()
    server.files[("org/model", "weights.npz")] = CONTENT[::-1]
    server.requests.clear()
    with pytest.raises(WeightsMismatch):
        fetch(published)
    assert COMMIT in server.asked("GET")[0]


def test_a_file_put_by_hand_is_used_and_never_deleted(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    published = server.publish(CONTENT, pinned=True)
    (tmp_path / "models").mkdir()
    mine = tmp_path / "models" / "weights.npz"
    mine.write_bytes(CONTENT)
    assert fetch(published) == mine
    assert fetch(published, offline=True) == mine
    assert server.requests == []
    mine.write_bytes(CONTENT[::-1])
    with pytest.raises(WeightsMismatch, match="Put the right file there"):
        fetch(published)
    assert mine.read_bytes() == CONTENT[::-1]


def test_a_file_put_by_hand_that_was_cut_short_says_so(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    published = server.publish(CONTENT)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "weights.npz").write_bytes(CONTENT[:500_000])
    with pytest.raises(WeightsMismatch, match="cut short"):
        fetch(published)


def test_nothing_big_is_fetched_without_a_yes(
    server: StandInHub, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SMALL_BYTES", 1000)
    published = server.publish(CONTENT)
    said: list[str] = []

    def no(message: str) -> bool:
        said.append(message)
        return False

    with pytest.raises(ModelNotFound, match="declined"):
        fetch(published, confirm=no)
    with pytest.raises(ModelNotFound, match="nobody was asked"):
        fetch(published)
    assert server.asked("GET") == []
    assert not (tmp_path / "cache").exists()
    assert len(said) == 1
    assert "weights.npz" in said[0]
    assert "1.0 MB" in said[0]
    assert "org/model" in said[0]
    assert fetch(published, confirm=lambda message: True).read_bytes() == CONTENT


def clear_error(error: ModelNotFound, tmp_path: Path) -> None:
    """The message is two lines of a terminal at most; the rest is advice, which `doctor` shows."""
    for part in ("weights.npz", "org/model", "prismsearch fetch-model", "prismsearch doctor"):
        assert part in str(error)
    assert len(str(error)) <= 200 - len("prismsearch: ")
    for part in ("weights.npz", "org/model", "1.0 MB", str(tmp_path / "models"), "HF_HOME", "--encoder PATH", "demo"):
        assert part in error.advice


def test_no_network_is_one_clear_error(fetch: Fetch, tmp_path: Path) -> None:
    published = HubFile("org/model", "weights.npz", 1_000_000)
    with pytest.raises(ModelNotFound) as caught:
        fetch(published, endpoint=closed_port())
    clear_error(caught.value, tmp_path)
    with pytest.raises(ModelNotFound) as caught:
        fetch(published, offline=True)
    clear_error(caught.value, tmp_path)


def test_a_hub_that_never_answers_is_given_up(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    """About three seconds is the promise of the error message; ten is what a slow machine may take here."""
    server.silent = True
    started = time.monotonic()
    with pytest.raises(ModelNotFound) as caught:
        fetch(server.publish(CONTENT))
    assert time.monotonic() - started < 10
    clear_error(caught.value, tmp_path)


def test_a_name_that_takes_long_to_look_up_is_given_up(
    fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking up a name knows no timeout: the probe must end all the same."""
    monkeypatch.setattr(transfer, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(3) or [])
    with pytest.raises(ModelNotFound) as caught:
        fetch(HubFile("org/model", "weights.npz", 1_000_000), endpoint="http://hub.invalid")
    clear_error(caught.value, tmp_path)
    assert "no answer" in str(caught.value)


@pytest.mark.parametrize("missing", ["repository", "file"])
def test_what_the_hub_does_not_have_is_told_apart(server: StandInHub, fetch: Fetch, missing: str) -> None:
    published = server.publish(CONTENT)
    server.files.clear()
    if missing == "file":
        server.publish(CONTENT, file="other.npz")
    with pytest.raises(hub.FileNotOnHub, match="does not have it"):
        fetch(published)


def test_a_hub_in_trouble_is_not_a_missing_file(server: StandInHub, fetch: Fetch) -> None:
    published = server.publish(CONTENT)
    server.status = 503
    with pytest.raises(ModelNotFound, match="cannot be reached") as caught:
        fetch(published)
    assert not isinstance(caught.value, hub.FileNotOnHub)


def test_a_captive_portal_is_no_hub(server: StandInHub, fetch: Fetch) -> None:
    published = server.publish(CONTENT)
    server.status = 200
    with pytest.raises(ModelNotFound, match="not a hub"):
        fetch(published)


def test_a_full_disk_is_told_before_and_keeps_what_came(
    server: StandInHub, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = server.publish(CONTENT)
    usage = type("Usage", (), {"free": 1000})
    with monkeypatch.context() as m:
        m.setattr(transfer.shutil, "disk_usage", lambda path: usage)
        with pytest.raises(ModelNotFound, match="only 1,000 free"):
            fetch(published)
    assert server.asked("GET") == []
    assert fetch(published).read_bytes() == CONTENT


def test_a_models_folder_that_cannot_be_written_is_no_obstacle(
    server: StandInHub, fetch: Fetch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("a file where the folder should be")
    published = server.publish(CONTENT)
    path = fetch(published, models=tmp_path / "file" / "models")
    assert path.read_bytes() == CONTENT
    assert fetch(published, models=tmp_path / "file" / "models", offline=True) == path


class TestTransfers:
    """Transfers that end early, late or not at all, and files on disk that are too long or already whole."""

    @staticmethod
    def partial_of(server: StandInHub, fetch: Fetch, tmp_path: Path, published: HubFile) -> Path:
        """The file in which an interrupted transfer of `published` leaves what came."""
        server.cut_after = [500_000] + [0] * transfer._ATTEMPTS
        with pytest.raises(ModelNotFound):
            fetch(published)
        server.cut_after.clear()
        server.requests.clear()
        (partial,) = leftovers(tmp_path)
        return partial

    def test_pauses_between_attempts_double_and_begin_anew_after_bytes(
        self, server: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfer, "_PAUSE_SECONDS", 1.0)
        pauses: list[float] = []
        monkeypatch.setattr(transfer, "time", SimpleNamespace(sleep=pauses.append))
        server.cut_after = [0, 0, 0, 300_000, 0]
        assert fetch(server.publish(CONTENT)).read_bytes() == CONTENT
        assert pauses == [1, 2, 4, 1]

    def test_five_attempts_without_a_byte_are_enough(
        self, server: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.cut_after = [0] * 4
        assert fetch(server.publish(CONTENT)).read_bytes() == CONTENT
        server.cut_after = [0] * 5
        server.requests.clear()
        with pytest.raises(ModelNotFound, match="after 0 of 2,097,152 bytes"):
            fetch(server.publish(CONTENT * 2, file="other.npz"))
        assert len(server.asked("GET")) == 5

    def test_a_server_that_stops_sending_is_asked_again(
        self, server: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfer, "_TIMEOUT_SECONDS", 0.1)
        server.cut_after, server.hold_seconds = [300_000], 5.0
        assert fetch(server.publish(CONTENT)).read_bytes() == CONTENT
        assert [line.split()[2:] for line in server.asked("GET")] == [[], ["bytes=300000-"]]

    @pytest.mark.parametrize(("text", "told"), [("", "(Broken)"), ("reset by peer", "(reset by peer)")])
    def test_the_cause_is_told_even_by_an_error_without_text(
        self, server: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, text: str, told: str
    ) -> None:
        class Broken(transfer._http_error()):  # type: ignore[misc]
            pass

        def break_off(*arguments: object) -> int:
            raise Broken(text)

        monkeypatch.setattr(transfer, "_stream", break_off)
        with pytest.raises(ModelNotFound) as caught:
            fetch(server.publish(CONTENT))
        assert told in str(caught.value)

    @pytest.mark.parametrize("small", [False, True], ids=["checksum known", "only the size known"])
    def test_a_server_that_sends_too_much_is_cut_off_and_not_believed(
        self, server: StandInHub, fetch: Fetch, tmp_path: Path, small: bool
    ) -> None:
        server.small_files = small
        published = server.publish(CONTENT)
        server.too_many = 32 << 20
        seen: list[int] = []
        with pytest.raises(WeightsMismatch, match=r"has [0-9,]+ bytes, not 1,048,576. It was deleted"):
            fetch(published, on_progress=lambda progress: seen.append(progress.done_bytes))
        assert max(seen) <= len(CONTENT)
        assert server.sent < server.too_many, "all of it was read"
        assert not leftovers(tmp_path)
        server.too_many = 0
        assert fetch(published).read_bytes() == CONTENT

    def test_what_came_whole_but_unchecked_is_not_asked_for_again(
        self, server: StandInHub, fetch: Fetch, tmp_path: Path
    ) -> None:
        published = server.publish(CONTENT)
        self.partial_of(server, fetch, tmp_path, published).write_bytes(CONTENT)
        assert fetch(published).read_bytes() == CONTENT
        assert server.asked("GET") == []

    def test_what_came_whole_but_wrong_is_deleted(self, server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
        published = server.publish(CONTENT)
        self.partial_of(server, fetch, tmp_path, published).write_bytes(CONTENT[::-1])
        with pytest.raises(WeightsMismatch, match="It was deleted"):
            fetch(published)
        assert fetch(published).read_bytes() == CONTENT

    def test_leftovers_longer_than_the_file_are_of_another_one(
        self, server: StandInHub, fetch: Fetch, tmp_path: Path
    ) -> None:
        published = server.publish(CONTENT)
        self.partial_of(server, fetch, tmp_path, published).write_bytes(bytes(len(CONTENT) + 1))
        assert fetch(published).read_bytes() == CONTENT
        assert [line.split()[2:] for line in server.asked("GET")] == [[]]

    def test_room_is_needed_for_what_is_missing_only(
        self, server: StandInHub, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published = server.publish(CONTENT)
        missing = len(CONTENT) - self.partial_of(server, fetch, tmp_path, published).stat().st_size
        usage = type("Usage", (), {"free": missing - 1})
        monkeypatch.setattr(transfer.shutil, "disk_usage", lambda path: usage)
        with pytest.raises(ModelNotFound, match=f"needs {missing:,} bytes more.*only {missing - 1:,} free"):
            fetch(published)
        usage.free = missing
        assert fetch(published).read_bytes() == CONTENT


def test_a_file_in_the_cache_of_another_size_is_found(server: StandInHub, fetch: Fetch, tmp_path: Path) -> None:
    """Lost its link, so the download finds the bytes in place; named by a git hash, so only their size can be told."""
    server.small_files = True
    published = server.publish(CONTENT)
    path = fetch(published)
    blob = path.resolve()
    path.unlink()
    blob.write_bytes(CONTENT[:-1])
    for receipt in (tmp_path / "models" / "receipts").iterdir():
        receipt.unlink()
    with pytest.raises(WeightsMismatch, match=r"1,048,575 bytes, not 1,048,576"):
        fetch(published)
    assert fetch(published).read_bytes() == CONTENT


def test_sizes_of_published_weights_are_those_of_their_arrays() -> None:
    """They are told before a download, and tell whole files from others where no checksum is known."""
    for config in CONFIGS.values():
        if config.weights is not None:
            found = 4 * sum(math.prod(shape) for shape in {e.flax: e.flax_shape for e in entries(config)}.values())
            assert config.weights.size_bytes == pytest.approx(found, rel=1e-3)
    assert 0 < VOCABULARY.size_bytes < hub.SMALL_BYTES, "fetched without a question"
