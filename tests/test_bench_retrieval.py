"""`bench retrieval` on made sets of all five layouts, against the protocol in plain loops over FFmpeg and Pillow."""

from __future__ import annotations

import base64
import csv
import itertools
import json
import os
import shutil
import signal
import statistics
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from numpy.typing import NDArray
from PIL import Image
from synthetic import make_video

from app import compose
from app.cli import main
from app.evaluation.datasets import retrieval_sets
from app.evaluation.datasets.retrieval_sets import Published

NAMES = ["red", "green", "blue", "yellow", "cyan", "orange", "grey", "white", "copy"]
SIZES = [(64, 48), (48, 64), (96, 48), (64, 64), (60, 40), (64, 48), (64, 48), (64, 48)]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos whose second half is another colour; `copy` has the content of `red`."""
    folder = tmp_path_factory.mktemp("films")
    for at, name in enumerate(NAMES[:-1]):
        other = NAMES[(3 * at + 1) % 8]
        make_video(folder / f"{name}_clip.mp4", [(name, 5 + at), (other, 3 + at)], size=SIZES[at])
    shutil.copy(folder / "red_clip.mp4", folder / "copy_clip.mp4")
    return folder


def captions_of(name: str) -> list[str]:
    """Two sentences, some of which suit another video better."""
    at = NAMES.index(name)
    return [f"{name} on the left", f"{NAMES[(3 * at + 1) % 8]} top brightening"]


def layouts(folder: Path) -> dict[str, tuple[str, list[str], dict[str, list[str]]]]:
    """Write the captions in the layout of each set: file, further options, and the questions by video."""
    every = {f"{name}_clip": captions_of(name) for name in NAMES}
    paragraphs = {key: [" ".join(texts)] for key, texts in every.items()}
    rows = [["key", "vid_key", "video_id", "sentence"]]
    rows += [[f"ret{at}", f"msr{at}", key, texts[0]] for at, (key, texts) in enumerate(every.items())]
    with (folder / "MSRVTT_JSFUSION_test.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (folder / "val_1.json").write_text(
        json.dumps({f"v_{key}": {"duration": 1, "timestamps": [], "sentences": each} for key, each in every.items()})
    )
    (folder / "test_data.json").write_text(
        json.dumps([{"video": f"{key}.avi", "description": text} for key, each in every.items() for text in each])
    )
    lines = [f"{key} {text}" for key, each in every.items() for text in each]
    (folder / "AllVideoDescriptions.txt").write_text("\n".join(["# descriptions", "", *lines, "other_1_2 a cat"]))
    (folder / "test_list.txt").write_text("\n".join(every))
    (folder / "vatex_validation_v1.0.json").write_text(
        json.dumps([{"videoID": key, "enCap": each, "chCap": ["x"]} for key, each in every.items()])
    )
    return {
        "msrvtt": ("MSRVTT_JSFUSION_test.csv", [], {key: each[:1] for key, each in every.items()}),
        "activitynet": ("val_1.json", [], paragraphs),
        "didemo": ("test_data.json", [], paragraphs),
        "msvd": ("AllVideoDescriptions.txt", ["--split", str(folder / "test_list.txt")], every),
        "vatex": ("vatex_validation_v1.0.json", [], every),
    }


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ColourEncoder:
    """A small encoder in place of any other; videos are read in this process."""
    made = ColourEncoder(frames=8, size=24)
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: made)
    monkeypatch.setattr("app.media_workers.MediaWorkers", Here)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("PRISMSEARCH_ENCODER", "demo")
    return made


class Here:
    """Workers that are this process."""

    def __call__(self, function: Callable[..., Any], *arguments: Any, path: str, **rest: Any) -> Any:
        return function(*arguments, **rest)

    def close(self) -> None:
        pass


def bench(tmp_path: Path, films: Path, dataset: str, captions: str, *words: str) -> Result:
    options = ["--dataset", dataset, "--videos", str(films), "--captions", str(tmp_path / captions)]
    return CliRunner().invoke(main, ["bench", "retrieval", *options, "--work", str(tmp_path / "work"), *words])


# The protocol, in loops


@cache
def read_by_ffmpeg(path: Path, frames: int, size: int) -> NDArray[np.uint8]:
    words = ["-v", "error", "-i", str(path), "-fps_mode", "passthrough"]
    words += ["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"]
    stream = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *words], check=True, stdout=subprocess.PIPE).stdout
    width, height = (int(each) for each in stream.split(b"\n", 2)[1].split())
    head = len(b"P6\n%d %d\n255\n" % (width, height))
    step = head + 3 * width * height
    count = len(stream) // step
    clip = []
    for k in range(frames):
        at = int(np.floor(k * count / frames))
        image = Image.frombytes("RGB", (width, height), stream[at * step + head : (at + 1) * step])
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.LANCZOS)
        clip.append(np.array(image))
    return np.stack(clip)


def stored_rows(work: Path) -> list[NDArray[np.float32]]:
    (file,) = (work / "rows").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [np.frombuffer(base64.b64decode(each["row"]), "<f4") for each in lines]


def chance_within(scores: list[float], true: set[int], k: int) -> float:
    """Over all orders of the items in which none with a lower score stands before one with a higher."""
    best = max(scores[at] for at in true)
    before = sum(score > best for score in scores)
    equal = [at for at, score in enumerate(scores) if score == best]
    orders = list(itertools.permutations(equal))
    hits = [any(at in true for at in order[: max(0, k - before)]) for order in orders]
    return sum(hits) / len(hits)


def expected_rank(scores: list[float], true: set[int]) -> float:
    best = max(scores[at] for at in true)
    before = sum(score > best for score in scores)
    equal = [at for at, score in enumerate(scores) if score == best]
    first = [min(order.index(at) for at in true if at in order) for order in itertools.permutations(equal)]
    return before + 1 + sum(first) / len(first)


def dot(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return round(sum(float(a) * float(b) for a, b in zip(one, other, strict=True)), 12)


@pytest.mark.parametrize("dataset", ["msrvtt", "activitynet", "didemo", "msvd", "vatex"])
def test_every_set_gives_what_the_protocol_written_out_gives(
    tmp_path: Path, films: Path, encoder: ColourEncoder, dataset: str
) -> None:
    captions, options, questions = layouts(tmp_path)[dataset]
    result = bench(tmp_path, films, dataset, captions, *options, "--json", "--questions", str(tmp_path / "asked.csv"))
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert sum(encoder.batches) == len(questions)

    clips = {key: read_by_ffmpeg(films / f"{key}.mp4", 8, 24) for key in questions}
    expected = {key: encoder.encode_clips(clip[None])[0] for key, clip in clips.items()}
    rows = {}  # the command's own, found by being nearest
    for key, row in expected.items():
        rows[key] = min(stored_rows(tmp_path / "work"), key=lambda each, row=row: float(np.abs(each - row).max()))
        assert np.abs(rows[key] - row).max() < 2e-3, "two levels of a pixel at most"

    keys, texts, owner = list(questions), [], []
    for key in keys:
        for text in questions[key]:
            texts.append(text)
            owner.append(keys.index(key))
    asked = encoder.encode_texts(texts)
    to_video = [[dot(text, rows[key]) for key in keys] for text in asked]
    to_text = [[dot(rows[key], text) for text in asked] for key in keys]
    true_texts = [{at for at, video in enumerate(owner) if video == number} for number in range(len(keys))]
    for name, scores, true in (
        ("text_to_video", to_video, [{each} for each in owner]),
        ("video_to_text", to_text, true_texts),
    ):
        found = record[name]
        for k in (1, 5, 10):
            chances = [chance_within(row, each, k) for row, each in zip(scores, true, strict=True)]
            assert found[f"recall_at_{k}"] == pytest.approx(sum(chances) / len(chances), abs=1e-9)
        ranks = [expected_rank(row, each) for row, each in zip(scores, true, strict=True)]
        assert found["median_rank"] == statistics.median(ranks)
        assert found["mean_rank"] == pytest.approx(sum(ranks) / len(ranks), abs=1e-9)
        assert found["questions"] == len(ranks)
    assert record["text_to_video"]["tied"] > 0, "two videos are copies"
    assert 0 < record["text_to_video"]["recall_at_1"] < 1

    with (tmp_path / "asked.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    forward = [row for row in table if row["direction"] == "text to video"]
    assert [row["question"] for row in forward] == texts
    for at, row in enumerate(forward):
        assert float(row["rank"]) == pytest.approx(expected_rank(to_video[at], {owner[at]}), abs=1e-5)
        wrong = max(score for video, score in enumerate(to_video[at]) if video != owner[at])
        assert float(row["score_wrong"]) == pytest.approx(wrong, abs=1e-6)
        assert float(row["score_true"]) == pytest.approx(to_video[at][owner[at]], abs=1e-6)
        assert row["best_wrong"].removeprefix("v_") in keys
    assert len(table) == len(texts) + len(keys)


def test_a_stopped_run_goes_on_and_encodes_nothing_twice(
    tmp_path: Path, films: Path, encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ColourEncoder, "batch", 3)
    captions, _, _ = layouts(tmp_path)["msrvtt"]
    whole = json.loads(bench(tmp_path / "..", films, "msrvtt", f"{tmp_path.name}/{captions}", "--json").stdout)
    encoder.batches.clear()
    encode = encoder.encode_clips

    def encode_and_stop(clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        os.kill(os.getpid(), signal.SIGINT)
        return encode(clips)

    monkeypatch.setattr(encoder, "encode_clips", encode_and_stop)
    stopped = bench(tmp_path, films, "msrvtt", captions, "--json")
    assert stopped.exit_code == 130
    assert "the same command continues" in stopped.stderr
    first = sum(encoder.batches)
    assert 0 < first < 8
    monkeypatch.setattr(encoder, "encode_clips", encode)
    record = json.loads(bench(tmp_path, films, "msrvtt", captions, "--json").stdout)
    assert sum(encoder.batches) <= 9
    assert record["videos"]["kept_rows"] >= first
    for name in ("text_to_video", "video_to_text"):
        assert record[name] == whole[name]
    before = list(encoder.batches)
    again = bench(tmp_path, films, "msrvtt", captions)
    assert encoder.batches == before
    assert "9 videos encoded by an earlier run" in again.stdout


def test_an_incomplete_set_is_said_to_be_one_and_is_not_compared(
    tmp_path: Path, films: Path, encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = Published(50.1, 49.8, "a paper")
    monkeypatch.setattr("app.commands.retrieval_report.published_of", lambda dataset, encoder_id: figures)
    captions, _, _ = layouts(tmp_path)["vatex"]
    some = tmp_path / "some"
    shutil.copytree(films, some)
    (some / "blue_clip.mp4").unlink()
    (some / "cyan_clip.mp4").write_bytes(b"not a video")

    result = bench(tmp_path, some, "vatex", captions)
    assert result.exit_code == 1
    assert "VATEX: 7 of 9 videos, 14 questions" in result.stdout
    assert "does not compare with these: only 7 of 9 videos were evaluated" in result.stdout
    assert "difference" not in result.stdout
    assert "missing: 2 videos (blue_clip, cyan_clip)" in result.stderr
    missing = (tmp_path / "work" / "missing-vatex.txt").read_text().splitlines()
    assert [line.split("\t")[0] for line in missing] == ["blue_clip", "cyan_clip"]
    assert "no file" in missing[0]
    record = json.loads(bench(tmp_path, some, "vatex", captions, "--json").stdout)
    assert record["published"]["comparable"] is False

    whole = bench(tmp_path, films, "vatex", captions)
    assert whole.exit_code == 0
    assert not (tmp_path / "work" / "missing-vatex.txt").exists()
    assert "difference" in whole.stdout
    assert "Published: a paper; it does not say which videos." in whole.stdout
    other = bench(tmp_path, films, "msrvtt", layouts(tmp_path)["msrvtt"][0])
    assert "does not compare with these: the usual test has 1,000 videos, and these are 9" in other.stdout


def test_the_published_figure_stands_beside_the_whole_set_with_the_difference(
    tmp_path: Path, films: Path, encoder: ColourEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = retrieval_sets.RETRIEVAL_SETS["msrvtt"]
    figures = {"videoprism_lvt_public_v1_base": Published(50.0, 40.0, "a paper")}
    made = retrieval_sets.RetrievalSet("Made", chosen.read, videos=9, questions=9, published=figures)
    monkeypatch.setattr("app.commands.bench_retrieval.RETRIEVAL_SETS", {"msrvtt": made})
    monkeypatch.setattr(ColourEncoder, "id", "videoprism_lvt_public_v1_base@0123:16f:stretch")
    captions, _, _ = layouts(tmp_path)["msrvtt"]
    record = json.loads(bench(tmp_path, films, "msrvtt", captions, "--json").stdout)
    assert record["published"] == {
        "text_to_video": 0.5, "video_to_text": 0.4, "source": "a paper", "comparable": True, "why_not": None,
    }  # fmt: skip
    lines = bench(tmp_path, films, "msrvtt", captions).stdout.splitlines()
    recall = 100 * record["text_to_video"]["recall_at_1"]
    assert lines[2].split()[-2:] == ["50.0", f"{recall - 50:+.1f}"]


def test_without_any_video_or_with_another_caption_file_one_line_says_so(
    tmp_path: Path, films: Path, encoder: ColourEncoder
) -> None:
    files = layouts(tmp_path)
    (tmp_path / "empty").mkdir()
    result = bench(tmp_path, tmp_path / "empty", "msrvtt", files["msrvtt"][0])
    assert result.exit_code == 3
    assert "none of the 9 videos" in result.stderr
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in NAMES:
        (broken / f"{name}_clip.mp4").write_bytes(b"not a video")
    result = bench(tmp_path, broken, "msrvtt", files["msrvtt"][0])
    assert result.exit_code == 3
    assert "no video could be read" in result.stderr
    result = bench(tmp_path, films, "activitynet", files["msrvtt"][0], "--json")
    assert result.exit_code == 2
    assert "MSRVTT_JSFUSION_test.csv" in json.loads(result.stdout)["error"]
    for words in (["nothing.csv"], [files["msrvtt"][0], "--seed", "-1"]):
        assert bench(tmp_path, films, "msrvtt", *words).exit_code == 2


def test_the_product_s_own_way_ranks_a_video_by_its_best_segment(
    tmp_path: Path, films: Path, encoder: ColourEncoder
) -> None:
    from app.compose import open_engine, open_library
    from search.query import Query, TextTerm

    captions, _, questions = layouts(tmp_path)["vatex"]
    options = ["--own-way", "--json", "--questions", str(tmp_path / "asked.csv")]
    result = bench(tmp_path, films, "vatex", captions, *options)
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)["own_way"]
    settings = compose.Settings(library=Path(record["library"]), encoder="demo")
    with open_library(settings) as library:
        engine = open_engine(settings, library, encoder)
        assert record["segments"] == library.stamp(encoder.id).count
        with (tmp_path / "asked.csv").open(newline="") as file:
            table = {(row["question"], row["true"]): row["own_way_rank"] for row in csv.DictReader(file)}
        for key, texts in questions.items():
            for text in texts:
                best: dict[str, float] = {}
                for hit in engine.search(Query([TextTerm(text)], k=1000, duplicates="show")):
                    name = Path(hit.video.path).stem
                    best[name] = max(best.get(name, -1.0), hit.score)
                assert len(best) == len(questions)
                order = [best[each] for each in questions]
                rank = expected_rank(order, {list(questions).index(key)})
                assert float(table[text, key]) == pytest.approx(rank, abs=1e-5)
    encoder.batches.clear()
    assert bench(tmp_path, films, "vatex", captions, "--own-way", "--json").exit_code == 0
    assert encoder.batches == []
