"""Smart clips, measured: which frames at which times, whose packets were copied unchanged, and where the sound is."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import pytest
from numbered import Shown, clicks, constant, ffmpeg, shown, sound_seconds, write

from app.exporting.clip_writer import write_clips
from app.exporting.request import ClipRequest, ExportedClip
from app.exporting.smart.check import check_clip
from app.exporting.smart.h264 import H264
from app.exporting.smart.hevc import Hevc
from app.exporting.smart.nal import NotJoinable, split_units
from app.exporting.survey import survey_range

NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
VARIABLE = np.cumsum([0, *np.random.default_rng(3).choice([17, 33, 34, 50, 125, 200], 89)]).tolist()
CLOSED = {"x264-params": "bframes=3:b-adapt=0:keyint=15:min-keyint=15:scenecut=0"}
OPEN = {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=15:min-keyint=15:scenecut=0"}


def sample(kind: str, folder: Path) -> Path:
    """A source with a closed group of pictures every 15 frames."""
    second = constant(100, Fraction(25))
    if kind == "mp4":
        return write(folder / "a.mp4", *second, options=CLOSED, sound="aac")
    if kind == "ntsc":
        return write(folder / "ntsc.mp4", *constant(110, NTSC), rate=NTSC, options=CLOSED, sound="aac")
    if kind == "film mkv":
        return write(folder / "film.mkv", *constant(100, FILM), rate=FILM, options=CLOSED, sound="pcm_s16le")
    if kind == "ts":
        return write(folder / "a.ts", *second, options=CLOSED, sound="mp2")
    if kind == "variable mp4":
        return write(folder / "v.mp4", VARIABLE, Fraction(1, 1000), options=CLOSED, sound="aac")
    if kind == "variable mkv":
        return write(folder / "v.mkv", VARIABLE, Fraction(1, 1000), options=CLOSED, sound="libopus")
    if kind == "baseline":
        return write(folder / "b.mp4", *second, options={**CLOSED, "profile": "baseline"}, sound="aac")
    if kind == "main, set 1 taken":
        taken = {"profile": "main", "x264-params": CLOSED["x264-params"] + ":sps-id=1"}
        return write(folder / "m.mov", *second, options=taken, sound="aac")
    if kind == "full range":
        return write(folder / "f.mp4", *second, options=CLOSED, pixels="yuvj420p", sound="aac")
    if kind == "late start":
        ffmpeg("-i", str(sample("ntsc", folder)), "-c", "copy", "-output_ts_offset", "90000", str(folder / "l.mkv"))
        return folder / "l.mkv"
    if kind == "edit list":
        ffmpeg("-ss", "0.9", "-i", str(sample("ntsc", folder)), "-c", "copy", str(folder / "cut.mp4"))
        return folder / "cut.mp4"
    if kind == "rotated":
        write(folder / "upright.mp4", *second, sound="aac")
        ffmpeg("-i", str(folder / "upright.mp4"), "-vf", "transpose=clock", "-c:a", "copy", "-crf", "12",
               *("-x264-params", CLOSED["x264-params"]), str(folder / "lying.mp4"))  # fmt: skip
        ffmpeg("-display_rotation", "90", "-i", str(folder / "lying.mp4"), "-c", "copy", str(folder / "r.mp4"))
        return folder / "r.mp4"
    raise AssertionError(kind)


KINDS = ["mp4", "ntsc", "film mkv", "ts", "variable mp4", "variable mkv", "baseline", "main, set 1 taken", "full range",
         "late start", "edit list", "rotated"]  # fmt: skip


def smart(path: Path, frames: Sequence[Shown], ranges: Sequence[tuple[int, int]], to: Path) -> list[ExportedClip]:
    ends = [*(frame.seconds for frame in frames), frames[-1].seconds + 1]
    asked = [ClipRequest(path=str(path), start_seconds=ends[a], end_seconds=ends[b]) for a, b in ranges]
    return write_clips(asked, to, "smart")


def file_of(clip: ExportedClip) -> Path:
    assert clip.error is None
    assert clip.file is not None
    return clip.file


def payloads(path: Path) -> list[bytes]:
    """What each packet of the picture holds, in decoding order, whatever stands between its units."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        data = [bytes(packet) for packet in container.demux(stream) if packet.size]
        codec = {"h264": H264(), "hevc": Hevc()}.get(stream.codec_context.name)
        if codec is not None:
            _, length_bytes = codec.parse_extradata(stream.codec_context.extradata)
            data = [b"|".join(split_units(each, length_bytes)) for each in data]
    return [blake2b(each).digest() for each in data]


def strictly(path: Path) -> None:
    """Decode everything; fail at the first thing that ffmpeg so much as mentions."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    words = [program, "-v", "warning", "-xerror", "-err_detect", "explode", "-i", str(path), "-fps_mode", "passthrough",
             "-enc_time_base:v", "demux", "-f", "null", "-"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def assert_same(found: Sequence[Shown], wanted: Sequence[Shown]) -> None:
    assert [frame.number for frame in found] == [frame.number for frame in wanted]
    assert [frame.seconds for frame in found] == [frame.seconds - wanted[0].seconds for frame in wanted]
    for mine, its in zip(found, wanted, strict=True):
        difference = np.abs(mine.pixels.astype(int) - its.pixels.astype(int)).mean()
        assert difference < 4, f"frame {its.number} looks different: {difference}"


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_the_frames_asked_for_and_most_packets_as_they_were(kind: str, tmp_path: Path) -> None:
    source = sample(kind, tmp_path)
    frames = shown(source)
    before = payloads(source)
    count = len(frames)
    first_key = 15 - frames[0].number % 15 if frames[0].number else 0
    key = first_key + 30
    ranges = [(key - 11, key + 22), (key, key + 15), (key, key + 14), (key - 1, key + 16), (0, count), (7, count - 2)]
    for clip, (first, end) in zip(smart(source, frames, ranges, tmp_path / "clips"), ranges, strict=True):
        file = file_of(clip)
        assert_same(shown(file), frames[first:end])
        strictly(file)
        after = payloads(file)
        begin = next(place for place, each in enumerate(after) if each in before)
        same = [each in before for each in after]
        assert same == [begin <= place < begin + clip.copied_frames for place in range(len(after))]
        at = before.index(after[begin])
        assert after[begin : begin + clip.copied_frames] == before[at : at + clip.copied_frames]
        # All from the first key frame in the range on, up to three that frames beyond the end are needed for.
        closed = [place for place in range(first_key, count, 15) if place >= first]
        assert end - closed[0] - 3 <= clip.copied_frames <= end - closed[0]
        assert clip.frames == end - first
        assert clip.note == f"{clip.copied_frames} of {clip.frames} frames copied as they are"
        assert file.suffix == ".mp4"


@pytest.mark.parametrize("kind", ["mp4", "ntsc", "film mkv", "ts", "variable mkv", "late start", "rotated"])
def test_sound_is_cut_like_that_of_exact_clips_and_stays_in_its_place(kind: str, tmp_path: Path) -> None:
    source = sample(kind, tmp_path)
    frames = shown(source)
    ranges = [(0, len(frames)), (10, len(frames) - 3), (15, 60)]
    for clip, (first, end) in zip(smart(source, frames, ranges, tmp_path / "clips"), ranges, strict=True):
        found, heard = shown(file_of(clip)), clicks(file_of(clip))
        flashes = [float(frame.seconds) for frame in found if frame.flash]
        assert clip.has_audio
        assert flashes, f"{first}-{end} should hold a flash"
        distances = [min(abs(flash - click) for flash in flashes) for click in heard]
        distances += [min(abs(flash - click) for click in heard) for flash in flashes if flash > 0.02]
        assert max(distances) <= 0.005
        begins, ends = sound_seconds(file_of(clip))
        assert clip.end_seconds is not None
        assert clip.start_seconds is not None
        assert begins == pytest.approx(0, abs=0.002)
        assert ends == pytest.approx(float(clip.end_seconds - clip.start_seconds), abs=0.03)


@pytest.mark.parametrize("container", ["mp4", "ts"])
@pytest.mark.parametrize(
    ("pixels", "params"),
    [
        ("yuv420p", "open-gop=0"),
        ("yuv420p", "open-gop=1"),
        ("yuv420p10le", "open-gop=1"),
        ("yuv420p", "open-gop=0:radl=2"),
        ("yuv420p", "bframes=0"),
    ],
)
def test_hevc_is_joined_at_closed_and_at_open_groups(container: str, pixels: str, params: str, tmp_path: Path) -> None:
    options = {"x265-params": f"log-level=none:keyint=15:min-keyint=15:scenecut=0:{params}", "crf": "12"}
    source = write(tmp_path / f"a.{container}", *constant(75, Fraction(25)), codec="libx265", pixels=pixels,
                   options=options, sound="aac", size=(192, 128))  # fmt: skip
    frames, before = shown(source), payloads(source)
    ranges = [(19, 52), (30, 45), (29, 46), (7, 73)]
    for clip, (first, end) in zip(smart(source, frames, ranges, tmp_path / "clips"), ranges, strict=True):
        file = file_of(clip)
        assert_same(shown(file), frames[first:end])
        strictly(file)
        after = payloads(file)
        same = [each in before for each in after]
        begin = same.index(True)
        assert same == [begin <= place < begin + clip.copied_frames for place in range(len(after))]
        key = -(-first // 15) * 15
        # All from the first key frame on, but the pictures shown before it and some that the end cuts off.
        assert end - key - 5 <= clip.copied_frames <= end - key
        with av.open(str(file)) as container_:
            context = container_.streams.video[0].codec_context
            assert (context.codec_tag, context.pix_fmt) == ("hvc1", pixels)


def test_a_second_layer_of_hevc_is_not_cut_apart() -> None:
    """Dolby Vision keeps it in units of a type of their own, which edges would lack."""
    key = bytes([19 << 1, 1, 0x80])
    assert Hevc().can_start_copy([key])
    assert not Hevc().can_start_copy([key, bytes([62 << 1, 1, 0x80])])


def whole(kind: str, folder: Path) -> tuple[Path, str]:
    """A source of which nothing can be copied, and the words that say why."""
    times = constant(60, Fraction(25))
    if kind == "open groups":
        return write(folder / "o.mp4", *times, options=OPEN, sound="aac"), "no key frame"
    if kind == "one group":
        return write(folder / "one.mp4", *times, gop=250), "no key frame"
    if kind == "vp9":
        fast = {"deadline": "realtime", "cpu-used": "8", "b": "1M"}
        return write(folder / "v.webm", *times, codec="libvpx-vp9", options=fast), "vp9"
    if kind == "ten bits":
        return write(folder / "t.mp4", *times, options=CLOSED, pixels="yuv420p10le"), "yuv420p10le"
    if kind == "no times":
        return write(folder / "n.h264", *times, options=CLOSED), "no times"
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["open groups", "one group", "vp9", "ten bits"])
def test_what_cannot_be_joined_is_encoded_as_a_whole_and_says_why(kind: str, tmp_path: Path) -> None:
    source, why = whole(kind, tmp_path)
    frames = shown(source)
    (clip,) = smart(source, frames, [(8, 41)], tmp_path / "clips")
    assert_same(shown(file_of(clip)), frames[8:41])
    assert clip.copied_frames == 0
    assert clip.note is not None
    assert clip.note.startswith("re-encoded as a whole: ")
    assert why in clip.note


def test_groups_that_are_open_only_later_are_copied_up_to_there(tmp_path: Path) -> None:
    """From the IDR at the very beginning, packets can be copied across the starts of open groups."""
    source, _ = whole("open groups", tmp_path)
    frames = shown(source)
    (clip,) = smart(source, frames, [(0, 47)], tmp_path / "clips")
    assert_same(shown(file_of(clip)), frames[:47])
    strictly(file_of(clip))
    assert clip.copied_frames >= 44


def test_a_stream_whose_parameter_sets_change_is_copied_up_to_the_change(tmp_path: Path) -> None:
    """Two transport streams, one behind the other: the same ids mean other things in the second."""
    one = write(tmp_path / "one.ts", *constant(45, Fraction(25)), options=CLOSED)
    other = {"x264-params": CLOSED["x264-params"] + ":ref=1:cabac=0:weightp=0"}
    two = write(tmp_path / "two.ts", list(range(50, 95)), Fraction(1, 25), options=other)
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    frames = shown(both)
    assert len(frames) == 90
    ranges = [(10, 80), (50, 80)]
    for clip, (first, end) in zip(smart(both, frames, ranges, tmp_path / "clips"), ranges, strict=True):
        found = shown(file_of(clip))
        assert len(found) == end - first
        assert [frame.seconds for frame in found] == [
            each.seconds - frames[first].seconds for each in frames[first:end]
        ]
        for mine, its in zip(found, frames[first:end], strict=True):
            assert np.abs(mine.pixels.astype(int) - its.pixels.astype(int)).mean() < 4
        strictly(file_of(clip))
        assert clip.copied_frames in (30, 18, 19, 20)


def intra(kind: str, folder: Path) -> Path:
    times = constant(60, Fraction(25))
    if kind == "mjpeg avi":
        rough: dict[str, Any] = {"codec": "mjpeg", "pixels": "yuvj420p", "options": {"b": "3M"}}
        return write(folder / "m.avi", *times, **rough, sound="pcm_s16le")
    if kind == "prores":
        return write(folder / "p.mov", *times, codec="prores_ks", pixels="yuv422p10le", sound="pcm_s24le")
    if kind == "dnxhd":
        deep = {"codec": "dnxhd", "pixels": "yuv422p", "options": {"profile": "dnxhr_lb"}, "size": (256, 128)}
        return write(folder / "d.mov", *times, **deep, sound="aac")  # type: ignore[arg-type]
    if kind == "all-key h264":
        return write(folder / "k.mp4", *times, options={"x264-params": "keyint=1"}, pixels="yuv422p10le", sound="aac")
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["mjpeg avi", "prores", "dnxhd", "all-key h264"])
def test_where_every_frame_stands_for_itself_nothing_is_encoded_again(kind: str, tmp_path: Path) -> None:
    source = intra(kind, tmp_path)
    frames, before = shown(source), payloads(source)
    ranges = [(0, 60), (23, 24), (7, 41), (52, 60)]
    for clip, (first, end) in zip(smart(source, frames, ranges, tmp_path / "clips"), ranges, strict=True):
        file = file_of(clip)
        found = shown(file)
        assert payloads(file) == before[first:end]
        assert [frame.seconds for frame in found] == [
            each.seconds - frames[first].seconds for each in frames[first:end]
        ]
        assert [frame.number for frame in found] == list(range(first, end))
        assert clip.copied_frames == clip.frames == end - first
        strictly(file)
        begins, ends = sound_seconds(file)
        assert (begins, ends) == (pytest.approx(0, abs=0.002), pytest.approx((end - first) / 25, abs=0.03))
        with av.open(str(file)) as container:
            kept = {"mjpeg avi": "pcm_s16le", "prores": "pcm_s24le"}.get(kind, "aac")
            assert container.streams.audio[0].codec_context.name == kept


def test_a_joined_file_that_shows_other_frames_is_noticed(tmp_path: Path) -> None:
    source = sample("variable mp4", tmp_path)
    found = survey_range(str(source), Fraction(1), Fraction(3))
    frames = shown(source)
    first = next(place for place, frame in enumerate(frames) if frame.seconds >= 1)
    right, late = smart(source, frames, [(first, first + len(found.pts)), (first + 1, first + 1 + len(found.pts))],
                        tmp_path / "clips")  # fmt: skip
    check_clip(file_of(right), found, [3])
    ffmpeg("-i", str(file_of(right)), "-c", "copy", "-output_ts_offset", "5", str(tmp_path / "later.mkv"))
    check_clip(tmp_path / "later.mkv", found, [3])  # times count from the first frame
    with pytest.raises(NotJoinable, match="different frames"):
        check_clip(file_of(late), found, [3])
    content = bytearray(file_of(right).read_bytes())
    at = content.index(b"mdat")
    for place in range(at + 100, at + 1000, 7):
        content[place] ^= 0x5A
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    with pytest.raises(NotJoinable):
        check_clip(broken, found, [1])


def test_an_encoder_that_takes_the_numbers_of_the_source_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another one than x264 would, which knows no option for them: copied frames would be decoded by its sets."""
    chosen = H264.encoder_options

    def taken(*arguments: Any, **named: Any) -> dict[str, Any]:
        options = chosen(*arguments, **named)
        return options | {"x264-params": options["x264-params"].replace("sps-id=1:", "sps-id=0:")}

    monkeypatch.setattr(H264, "encoder_options", taken)
    source = write(tmp_path / "a.mp4", *constant(40, Fraction(25)), options=CLOSED)
    frames = shown(source)
    (clip,) = smart(source, frames, [(8, 34)], tmp_path / "clips")
    assert clip.note == "re-encoded as a whole: this ffmpeg has another encoder than x264 or x265"
    assert_same(shown(file_of(clip)), frames[8:34])
