"""Encoders in several threads at once, as tabs of the page use them: every row is that of its own clip."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import goldens
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from encoder.config import CONFIGS
from encoder.model import VideoPrismLvT
from encoder.runtime.cuda import CudaRunner
from encoder.runtime.precision import packs_layers
from encoder.runtime.turns import Turns
from encoder.videoprism import VideoPrism

TABS, CLIPS = 2, 3


def small_but_wide() -> VideoPrismLvT:
    """The width, heads and pictures of the base network; random weights, few layers, few words, one frame."""
    base = CONFIGS["videoprism_lvt_public_v1_base"]
    one = {f"{stack}_layers": 1 for stack in ("spatial", "temporal", "auxiliary", "text")}
    torch.manual_seed(3)
    return VideoPrismLvT(replace(base, name="wide", frames=1, vocabulary=8, weights=None, **one)).eval()


def encode_in_tabs(encoder: VideoPrism, clips: NDArray[np.uint8]) -> list[list[NDArray[np.float32]]]:
    """Encode all clips one by one in each tab, each beginning with another one; every tab begins at once."""
    together = threading.Barrier(TABS)

    def tab(number: int) -> list[NDArray[np.float32]]:
        together.wait()
        order = [(number + at) % len(clips) for at in range(len(clips))]
        rows = {at: encoder.encode_clips(clips[at : at + 1])[0] for at in order}
        return [rows[at] for at in range(len(clips))]

    with ThreadPoolExecutor(TABS) as tabs:
        return list(tabs.map(tab, range(TABS)))


@pytest.mark.skipif(not packs_layers(), reason="packed layers are for x86 processors")
def test_tabs_get_the_rows_of_their_own_clips_in_the_full_shape() -> None:
    encoder = VideoPrism(small_but_wide(), None, "cpu", weights_id="wide@0")  # type: ignore[arg-type]
    clips = np.random.default_rng(1).integers(0, 256, (CLIPS, *encoder.clip_spec.shape), dtype=np.uint8)
    expected = [encoder.encode_clips(clip[None])[0] for clip in clips]
    assert abs(float(expected[0] @ expected[1])) < 0.9999
    for rows in encode_in_tabs(encoder, clips):
        np.testing.assert_array_equal(rows, expected)


def test_a_runner_that_shares_a_buffer_gets_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the buffers do through which clips go to a GPU."""
    runner = CudaRunner(goldens.lvt("tiny"), "cpu", dtype=torch.float32)
    send, buffer = runner._send, np.empty((1, 6, 72, 72, 3), np.uint8)

    def staged(clips: NDArray[np.uint8]) -> torch.Tensor:
        buffer[:] = clips
        threading.Event().wait(0.002)
        return send(buffer.copy())

    monkeypatch.setattr(runner, "_send", staged)
    monkeypatch.setattr("encoder.videoprism.make_runner", lambda *_, **__: runner)
    encoder = VideoPrism(goldens.lvt("tiny"), None, "cpu", weights_id="tiny@0")  # type: ignore[arg-type]
    clips = np.stack([goldens.recipe().clip_u8(seed, 6, 72) for seed in range(CLIPS)])
    expected = [encoder.encode_clips(clip[None])[0] for clip in clips]
    for rows in encode_in_tabs(encoder, clips):
        np.testing.assert_array_equal(rows, expected)


def test_turns_are_taken_in_the_order_in_which_they_were_asked_for() -> None:
    turns, got = Turns(), []

    def ask(number: int) -> None:
        with turns:
            got.append(number)

    threads = []
    with turns:
        for number in range(5):
            threads.append(threading.Thread(target=ask, args=(number,)))
            threads[-1].start()
            while len(turns._queue) < number + 2:
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    assert got == [0, 1, 2, 3, 4]


def test_a_thread_that_gives_up_waiting_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns()
    with turns:
        monkeypatch.setattr(turns._changed, "wait_for", interrupted)
        with pytest.raises(KeyboardInterrupt):
            turns.__enter__()
        monkeypatch.undo()
        assert len(turns._queue) == 1
    with turns:
        pass


def interrupted(_: object) -> None:
    raise KeyboardInterrupt
