"""Decoding for engines: which frames and which sound they get, and what becomes of their lines."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from captions import captions, paint
from stand_in_recognition import PaintedTextReader, ToneTranscriber, blocks, say
from synthetic import make_video
from talkies import SIZE, card, index, make_talkie
from tiny_whisper import SphinxTranscriber

from db.library import Library
from db.records import Segment, Video
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.media.sound import read_sound
from indexer.recognizing.lines import RecognizedText
from indexer.recognizing.screen import ranges_of, read_screen
from indexer.recognizing.speech import transcribe_video
from indexer.workers.pool import WorkerPool
from recognition.protocol import TextReader, Transcriber

SPEECH = Path(__file__).parent / "words" / "speech.flac"


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool() as made:
        yield made


def never() -> bool:
    return False


def read(
    tmp_path: Path, path: Path, reader: TextReader, pool: WorkerPool, cancelled: Callable[[], bool] = never
) -> RecognizedText:
    with Library.open(tmp_path / "library") as library:
        index(library, [path])
        [video] = library.videos()
        assert video.id is not None
        return read_screen(video, library.segments_of(video.id), reader, pool, cancelled=cancelled)


def heard(
    tmp_path: Path, path: Path, engine: Transcriber, pool: WorkerPool, cancelled: Callable[[], bool] = never
) -> RecognizedText:
    with Library.open(tmp_path / "library") as library:
        index(library, [path])
        [video] = library.videos()
        return transcribe_video(video, engine, pool, cancelled=cancelled)


@pytest.mark.parametrize(("name", "container"), [("cards.mp4", None), ("cards.ts", "mpegts")])
def test_text_is_read_where_it_is_shown(tmp_path: Path, pool: WorkerPool, name: str, container: str | None) -> None:
    path = make_video(
        tmp_path / name,
        [(card("one", 60), 25), (card("", 200), 25), (card("two", 20), 60)],
        size=SIZE,
        container=container,
    )
    reader = PaintedTextReader()
    found = read(tmp_path, path, reader, pool)
    assert [line.text for line in found.lines] == ["one", "two"]
    assert (found.lines[0].start_ms, found.lines[0].end_ms) == (0, 1000)
    assert (found.lines[1].start_ms, found.lines[1].end_ms) == (2000, 4400)
    box = found.lines[0].box
    assert box is not None
    assert box[0] == pytest.approx(8 / 176, abs=0.01)
    assert box[1] == pytest.approx(40 / 96, abs=0.02)
    assert found.lines[0].confidence == 0.95
    assert (found.source.kind, found.source.engine) == ("screen", "painted@1")
    assert found.frames == reader.frames == 4, "one of each short shot, two of the longer one"
    assert found.shots == 3
    assert found.cpu_seconds > 0


def test_more_frames_are_read_where_text_changes(tmp_path: Path, pool: WorkerPool) -> None:
    path = make_video(tmp_path / "cards.mp4", [(card("one"), 60), (card("two"), 60)], size=SIZE)
    found = read(tmp_path, path, PaintedTextReader(), pool)
    assert [line.text for line in found.lines] == ["one", "two"]
    assert abs(found.lines[0].end_ms - 2400) <= 500
    assert found.frames > 2


def test_parts_of_a_long_shot_are_read_once_though_they_overlap() -> None:
    video = Video(
        path="/a.mp4", fingerprint="0", size_bytes=1, modified_ns=1, time_base=Fraction(1, 100), start_pts=50,
        end_pts=2050, frame_rate=Fraction(25), frames=500, width=64, height=48, codec="h264",
    )  # fmt: skip
    parts = [
        Segment(number=0, shot_number=0, start_pts=50, end_pts=800),
        Segment(number=1, shot_number=0, start_pts=750, end_pts=1500),
        Segment(number=2, shot_number=1, start_pts=1500, end_pts=2050),
    ]
    assert ranges_of(video, parts) == [(0, 7000), (7000, 14500), (14500, 20000)]


def test_reading_can_be_stopped_between_frames(tmp_path: Path, pool: WorkerPool) -> None:
    path = make_video(tmp_path / "cards.mp4", [(card("one"), 60), (card("two"), 60)], size=SIZE)
    reader = PaintedTextReader()
    with pytest.raises(Cancelled):
        read(tmp_path, path, reader, pool, cancelled=lambda: reader.frames >= 2)
    assert reader.frames == 2


def test_sound_that_begins_later_is_heard_when_it_is(tmp_path: Path, pool: WorkerPool) -> None:
    sound = say(0.5, "rot", "blau", 1.0, "rot")
    path = make_talkie(tmp_path / "talk.mkv", sound, seconds=6, late_seconds=2.0)
    found = heard(tmp_path, path, ToneTranscriber(), pool)
    assert [line.text for line in found.lines] == ["rot blau", "rot"]
    assert [line.start_ms for line in found.lines] == [2500, 4500]
    assert [word.start_ms for word in found.lines[0].words] == [2500, 3000]
    assert (found.source.kind, found.source.engine, found.source.language) == ("speech", "tones@1", "de")


def test_sound_after_the_last_picture_is_left_out(tmp_path: Path, pool: WorkerPool) -> None:
    path = make_talkie(tmp_path / "talk.mkv", say("red", 3.0, "blue"), seconds=2)
    assert [line.text for line in heard(tmp_path, path, ToneTranscriber(), pool).lines] == ["red"]


def test_transcription_can_be_stopped(tmp_path: Path, pool: WorkerPool) -> None:
    path = make_talkie(tmp_path / "talk.mkv", say("red"), seconds=1)
    with pytest.raises(Cancelled):
        heard(tmp_path, path, ToneTranscriber(), pool, cancelled=lambda: True)


def test_stereo_at_another_rate_becomes_one_channel_of_16_khz(tmp_path: Path) -> None:
    wave = np.sin(2 * np.pi * 500 * np.arange(48_000) / 48_000)
    path = make_video(tmp_path / "silent.mp4", [("red", 25)])
    joined = tmp_path / "stereo.mkv"
    with av.open(str(path)) as source, av.open(str(joined), "w") as out:
        pictures = out.add_stream_from_template(source.streams.video[0])
        track = out.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = pictures
                out.mux(packet)
        samples = np.repeat((wave * 10_000).astype(np.int16), 2)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, 0
        out.mux(track.encode(frame))
        out.mux(track.encode(None))
    made = np.concatenate(list(read_sound(str(joined), start=Fraction(0), seconds=Fraction(1))))
    assert made.dtype == np.float32
    assert abs(len(made) - 16_000) < 50
    assert np.abs(np.fft.rfft(made[:16_000])).argmax() == pytest.approx(500, abs=3)


def test_a_file_that_changed_since_it_was_indexed_is_not_read(tmp_path: Path, pool: WorkerPool) -> None:
    path = make_talkie(tmp_path / "talk.mkv", say("red"), seconds=1)
    with Library.open(tmp_path / "library") as library:
        index(library, [path])
        [video] = library.videos()
        path.write_bytes(path.read_bytes() + b"more")
        with pytest.raises(UnreadableVideo, match="changed since it was indexed"):
            transcribe_video(video, ToneTranscriber(), pool, cancelled=never)
        path.unlink()
        with pytest.raises(UnreadableVideo, match="not there"):
            transcribe_video(video, ToneTranscriber(), pool, cancelled=never)


def test_a_real_engine_hears_in_a_video_what_it_hears_in_the_sound(tmp_path: Path, pool: WorkerPool) -> None:
    if importlib.util.find_spec("pocketsphinx") is None:
        pytest.skip("pocketsphinx, of the extra 'test', is not installed")
    with av.open(str(SPEECH)) as source:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in source.decode(audio=0)])
    sound = (samples[: 10 * 16_000] / 32767).astype(np.float32)
    path = make_talkie(tmp_path / "talk.mkv", sound, seconds=10, rate=2)
    found = heard(tmp_path, path, SphinxTranscriber(), pool)
    direct = [line for passage in SphinxTranscriber().transcribe(blocks(sound)) for line in passage.lines]
    assert found.lines
    assert [line.text for line in found.lines] == [line.text for line in direct]
    assert all(abs(a.start_ms - b.start_ms) <= 50 for a, b in zip(found.lines, direct, strict=True))


def test_a_real_engine_reads_captions_in_a_video(tmp_path: Path, pool: WorkerPool) -> None:
    if importlib.util.find_spec("rapidocr") is None:
        pytest.skip("the extra 'ocr' is not installed")
    from recognition.screen.rapid import RapidTextReader

    def caption(number: int, shade: int) -> Callable[[int], np.ndarray]:
        drawn = np.full((240, 426, 3), shade, np.uint8)
        paint(drawn, captions()[number], 24, 30, 180)
        return lambda _: drawn

    path = make_video(tmp_path / "film.mp4", [(caption(0, 60), 20), (caption(2, 120), 20)], size=(426, 240))
    found = read(tmp_path, path, RapidTextReader(threads=1), pool)
    assert [line.text for line in found.lines] == [captions()[0].text, captions()[2].text]
    assert all(line.confidence is not None and line.confidence >= 0.6 for line in found.lines)
    assert [line.start_ms for line in found.lines] == [0, 800]
