"""Subtitle files beside a video: what is read of each kind, and that no content makes the reader fail or hang."""

from __future__ import annotations

import itertools
import random
import time
from fractions import Fraction
from pathlib import Path

import pytest
from cue_samples import SAMPLES, SRT, Sample
from db_samples import make_video

from db.records import Video
from db.timed_text import TimedLine, TimedWord
from indexer.text import sidecar_file
from indexer.text.cues import MAX_CUES, MAX_TEXT
from indexer.text.encodings import decode
from indexer.text.found import TextFound
from indexer.text.sources import read_sidecars

ALL = [pytest.param(sample, id=f"{kind}: {sample.id}") for kind, samples in SAMPLES.items() for sample in samples]


def video_in(folder: Path, name: str = "film.mp4", seconds: int = 100) -> Video:
    path = folder / name
    path.touch()
    return make_video(str(path), seconds=seconds, frame_rate=Fraction(25))


def read(folder: Path, name: str, content: bytes, seconds: int = 100) -> TextFound:
    (folder / name).write_bytes(content)
    return read_sidecars(video_in(folder, seconds=seconds))


@pytest.mark.parametrize("sample", ALL)
def test_the_lines_of_each_file(tmp_path: Path, sample: Sample) -> None:
    found = read(tmp_path, sample.name, sample.content)
    (text,) = found.texts
    assert tuple((line.start_ms, line.end_ms, line.text) for line in text.lines) == sample.lines
    assert tuple(problem.reason for problem in found.problems) == sample.problems
    assert {problem.origin for problem in found.problems} <= {sample.name}
    assert text.source.language == sample.language
    assert (text.source.kind, text.source.file) == ("subtitle", sample.name)
    assert text.source.size_bytes == len(sample.content)


def test_every_kind_has_a_dozen_files() -> None:
    assert {kind: len(samples) >= 12 for kind, samples in SAMPLES.items()} == dict.fromkeys(SAMPLES, True)


def test_words_keep_their_times(tmp_path: Path) -> None:
    content = b"WEBVTT\n\n00:01.000 --> 00:04.000\none <00:02.000>two <00:03.000>three\n"
    (line,) = read(tmp_path, "film.vtt", content).texts[0].lines
    assert line.words == (TimedWord(1000, 2000, "one"), TimedWord(2000, 3000, "two"), TimedWord(3000, 4000, "three"))


def test_words_of_whisper_keep_times_and_confidence(tmp_path: Path) -> None:
    content = (
        b'{"segments": [{"start": 1, "end": 99, "text": "In 1999 too", "avg_logprob": 0, "words": ['
        b'{"word": " In", "start": 1, "end": 2, "score": 0.5}, {"word": "1999"}, {"word": "x", "start": 3, "end": 2},'
        b'{"word": "too", "start": 98, "end": 101, "probability": 7}, {"word": "late", "start": 200, "end": 201}]}]}'
    )
    (line,) = read(tmp_path, "film.json", content).texts[0].lines
    assert line.words == (TimedWord(1000, 2000, "In", 0.5), TimedWord(98_000, 100_000, "too"))
    assert line.confidence == 1.0


def test_many_damaged_cues_are_counted(tmp_path: Path) -> None:
    content = "".join(f"{n}\n00:00:0x --> 00:00:02\nx\n\n" for n in range(8)).encode() + SRT.format("a", "b").encode()
    (problem,) = read(tmp_path, "film.srt", content).problems
    assert problem.reason.startswith("8 of 10 cues were left out: line 2 (its times cannot be read), line 6 ")
    assert problem.reason.endswith("line 18 (its times cannot be read), and 3 more")
    assert str(problem).startswith("film.srt: 8 of 10 ")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "film.srt").open("wb") as file:
        file.truncate(1 << 30)  # sparse
    found = read_sidecars(video_in(tmp_path))
    assert found.texts[0].lines == ()
    assert found.texts[0].source.size_bytes == 1 << 30
    assert "1,073,741,824 bytes" in found.problems[0].reason


def test_a_file_that_grows_while_it_is_read_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecar_file, "MAX_BYTES", 10_000)
    video = video_in(tmp_path)
    (tmp_path / "film.srt").write_bytes(SRT.format("a", "b").encode())
    from indexer.text.sidecars import find_sidecars

    found = find_sidecars(video.path)
    (tmp_path / "film.srt").write_bytes(b"x" * 20_000)
    assert "more than 10,000 bytes" in read_sidecars(video, found).problems[0].reason


def test_there_is_a_limit_on_the_length_of_a_cue(tmp_path: Path) -> None:
    content = SRT.format("a" * 100_000, "b").encode()
    assert [len(line.text) for line in read(tmp_path, "film.srt", content).texts[0].lines] == [MAX_TEXT, 1]


def test_there_is_a_limit_on_the_number_of_cues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.text.cue_formats.MAX_CUES", 10)
    content = "".join(f"00:00:{n:02},000 --> 00:00:{n:02},500\nline {n}\n\n" for n in range(20)).encode()
    found = read(tmp_path, "film.srt", content)
    assert len(found.texts[0].lines) == 10
    assert [problem.reason for problem in found.problems] == ["it has more than 10 cues; those behind were left out"]
    assert MAX_CUES >= 100_000


@pytest.mark.parametrize("name", ["film.srt", "film.vtt", "film.ass", "film.sub", "film.ttml", "film.json", "film.txt"])
@pytest.mark.parametrize(
    "text",
    [
        "<" * 100_000,
        "<a" * 50_000,
        "{" * 100_000,
        "{\\" * 50_000,
        "&" * 100_000,
        "1:" * 50_000,
        "0" * 100_000,
        " " * 100_000,
        "-" * 100_000,
        "00:00:01,000 --> 00:00:02,000\n" * 3_000,
        "00:00:01,000 --> " * 15_000,
        "\n" * 100_000,
        "1\n\n" * 20_000,
        "[" * 100_000,
        "{1}{" * 20_000,
        "1:11 " * 20_000,
        "Speaker 1:11 " * 20_000,
    ],
    ids=lambda text: text[:8],
)
def test_no_repetition_takes_more_than_linear_time(tmp_path: Path, name: str, text: str) -> None:
    """Each takes some 0.02 s of processor time; what is quadratic would take minutes."""
    before = time.process_time()
    head = {
        "film.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n",
        "film.ass": "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,,,,,",
    }
    read(tmp_path, name, (head.get(name, "1\n00:00:01,000 --> 00:00:02,000\n") + text).encode())
    read(tmp_path, name, text.encode())
    assert time.process_time() - before < 20


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Some bytes of a file changed, cut, doubled or moved, and parts of other files within."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randint(0, len(data))
        until = min(len(data), at + chance.randint(0, 30))
        match chance.randrange(6):
            case 0:
                data[at:until] = chance.randbytes(chance.randint(0, 20))
            case 1:
                del data[at:until]
            case 2:
                data[at:at] = data[at:until] * chance.randint(1, 50)
            case 3:
                data[at:at] = chance.choice(
                    [b"\0", b"\xff\xfe", b"-->", b"\r", b"<", b"{", b"&#0;", b"9" * 400, b"\n\n"]
                )
            case 4:
                other = chance.choice(ALL).values[0].content  # type: ignore[union-attr]
                data[at:at] = other[: chance.randint(0, len(other))]
            case _:
                data = data[:at]
    return bytes(data)


@pytest.mark.parametrize("seed", range(8))
def test_no_damage_makes_the_reader_fail(tmp_path: Path, seed: int) -> None:
    """Whatever bytes a file has, lines are in order, within the video, and without control characters."""
    chance = random.Random(seed)
    names = ["film.srt", "film.en.vtt", "film.ass", "film.sub", "film.ttml", "film.json", "film.txt", "film.xmp"]
    for _ in range(60):
        sample = chance.choice(ALL).values[0]
        content = mutated(sample.content, chance)  # type: ignore[union-attr]
        name = chance.choice(names)
        found = read(tmp_path, name, content, seconds=chance.choice([1, 100, 100_000]))
        (tmp_path / name).unlink()
        assert found.texts, content
        for text in found.texts:
            assert [(line.start_ms, line.end_ms) for line in text.lines] == sorted(
                (line.start_ms, line.end_ms) for line in text.lines
            ) or _starts_ascend(text.lines), content
            for line in text.lines:
                assert line.end_ms <= 100_000_000
                assert not any(each < " " and each != "\n" for each in line.text), content
                line.text.encode()  # without halves of characters


def _starts_ascend(lines: tuple[TimedLine, ...]) -> bool:
    return all(a.start_ms <= b.start_ms for a, b in itertools.pairwise(lines))


@pytest.mark.parametrize("seed", range(4))
def test_any_bytes_have_a_text(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        text, encoding = decode(chance.randbytes(chance.randint(0, 300)), chance.choice(["", "ja", "ru", "pl", "zh"]))
        assert isinstance(text, str)
        assert encoding
