"""Exact clips, measured by decoding them: which frames, at which times, how they look, and where the sound is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numbered import Shown, clicks, constant, ffmpeg, picture, shown, sound_seconds, write

from app.exporting.clip_writer import write_clips
from app.exporting.request import ClipRequest, ExportedClip

NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
OPEN_GOP = {"bf": "3", "x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=15:min-keyint=15:scenecut=0"}
VARIABLE = np.cumsum([0, *np.random.default_rng(3).choice([17, 33, 34, 50, 125, 200], 89)]).tolist()


def sample(kind: str, folder: Path) -> Path:
    """A source of that kind, with frames numbered from 0."""
    if kind == "cfr25":
        return write(folder / "cfr25.mp4", *constant(100, Fraction(25)), sound="aac")
    if kind == "ntsc":
        return write(folder / "ntsc.mp4", *constant(120, NTSC), rate=NTSC, options=OPEN_GOP, sound="aac")
    if kind == "film":
        return write(folder / "film.mkv", *constant(100, FILM), rate=FILM, options=OPEN_GOP, sound="pcm_s16le")
    if kind == "pal in ts":
        return write(folder / "pal.ts", *constant(100, Fraction(25)), options=OPEN_GOP, sound="mp2", gop=50)
    if kind == "mpeg2 in ts":
        source = folder / "mpeg2.ts"
        return write(source, *constant(100, Fraction(25)), codec="mpeg2video", options={"bf": "2", "b": "2M"}, gop=15)
    if kind == "mpeg2 in ps":
        source = folder / "a.mpg"
        return write(source, *constant(100, Fraction(25)), codec="mpeg2video", options={"bf": "2", "b": "2M"}, gop=12,
                     sound="mp2")  # fmt: skip
    if kind == "variable mp4":
        return write(folder / "vfr.mp4", VARIABLE, Fraction(1, 1000), options={"bf": "2"}, sound="aac")
    if kind == "variable mkv":
        return write(folder / "vfr.mkv", VARIABLE, Fraction(1, 1000), sound="pcm_s16le")
    if kind == "fine mkv":
        times = [round(number * 90_000 / 29.97) for number in range(100)]
        return write(folder / "fine.mp4", times, Fraction(1, 90_000), rate=NTSC)
    if kind == "webm":
        fast = {"deadline": "realtime", "cpu-used": "8", "b": "1M"}
        return write(folder / "a.webm", *constant(60, Fraction(25)), codec="libvpx-vp9", options=fast, sound="libopus")
    if kind == "mpeg4 avi":
        return write(folder / "a.avi", *constant(75, Fraction(25)), codec="mpeg4", options={"bf": "2", "b": "2M"})
    if kind == "mjpeg avi":
        times = constant(75, Fraction(25))
        return write(folder / "m.avi", *times, codec="mjpeg", pixels="yuvj420p", options={"b": "3M"}, sound="pcm_s16le")
    if kind == "h264 avi":
        return write(folder / "h.avi", *constant(75, Fraction(25)), options={"bf": "0"}, sound="pcm_s16le")
    if kind == "raw h264":
        return write(folder / "a.h264", *constant(75, Fraction(25)), options=OPEN_GOP)
    if kind == "late start":
        plain, late = sample("ntsc", folder), folder / "late.mkv"
        ffmpeg("-i", str(plain), "-c", "copy", "-output_ts_offset", "100000", str(late))
        return late
    if kind == "negative start":
        plain, early = sample("ntsc", folder), folder / "negative.ts"
        ffmpeg(
            "-i", str(plain), "-c", "copy", "-output_ts_offset", "-2.5", "-avoid_negative_ts", "disabled", str(early)
        )
        return early
    if kind == "edit list":
        plain, cut = sample("ntsc", folder), folder / "cut.mp4"
        ffmpeg("-ss", "0.9", "-i", str(plain), "-c", "copy", str(cut))
        return cut
    if kind == "rotated":
        plain, turned = folder / "upright.mp4", folder / "rotated.mp4"
        write(plain, *constant(75, Fraction(25)), sound="aac")
        ffmpeg("-i", str(plain), "-vf", "transpose=clock", "-c:a", "copy", "-crf", "12", str(folder / "lying.mp4"))
        ffmpeg("-display_rotation", "90", "-i", str(folder / "lying.mp4"), "-c", "copy", str(turned))
        return turned
    raise AssertionError(kind)


KINDS = [
    "mpeg2 in ps",
    "cfr25",
    "ntsc",
    "film",
    "pal in ts",
    "mpeg2 in ts",
    "variable mp4",
    "variable mkv",
    "fine mkv",
    "webm",
    "mpeg4 avi",
    "mjpeg avi",
    "h264 avi",
    "raw h264",
    "late start",
    "negative start",
    "edit list",
    "rotated",
]
SILENT = {"mpeg2 in ts", "fine mkv", "mpeg4 avi", "raw h264"}
WITHOUT_TIMES = {"mpeg4 avi": Fraction(25), "raw h264": Fraction(25)}


def truth(source: Path, kind: str) -> list[Shown]:
    """The source's frames, with the times of its nominal rate where it has none."""
    if kind not in WITHOUT_TIMES:
        return shown(source)
    with av.open(str(source)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    from numbered import number_of

    rate = WITHOUT_TIMES[kind]
    return [Shown(number_of(pixels), number / rate, False, pixels) for number, pixels in enumerate(pictures)]


def requests_for(path: Path, frames: Sequence[Shown], ranges: Sequence[tuple[int, int]]) -> list[ClipRequest]:
    """From the time of one frame to the time of another."""
    ends = [*(frame.seconds for frame in frames), frames[-1].seconds + Fraction(1)]
    return [ClipRequest(path=str(path), start_seconds=ends[a], end_seconds=ends[b]) for a, b in ranges]


def file_of(clip: ExportedClip) -> Path:
    assert clip.error is None
    assert clip.file is not None
    return clip.file


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_the_frames_asked_for(kind: str, tmp_path: Path) -> None:
    source = sample(kind, tmp_path)
    frames = truth(source, kind)
    count = len(frames)
    ranges = [(0, 5), (1, 2), (14, 31), (15, 30), (count - 7, count)]
    clips = write_clips(requests_for(source, frames, ranges), tmp_path / "clips")
    for clip, (first, end) in zip(clips, ranges, strict=True):
        found = shown(file_of(clip))
        wanted = frames[first:end]
        assert [frame.number for frame in found] == [frame.number for frame in wanted]
        assert [frame.seconds for frame in found] == [frame.seconds - wanted[0].seconds for frame in wanted]
        assert clip.frames == len(wanted)
        assert clip.start_seconds == wanted[0].seconds
        assert clip.note is None
        for mine, its in zip(found, wanted, strict=True):
            difference = np.abs(mine.pixels.astype(int) - its.pixels.astype(int)).mean()
            assert difference < 4, f"frame {its.number} looks different: {difference}"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SILENT])
def test_sound_stays_in_its_place(kind: str, tmp_path: Path) -> None:
    source = sample(kind, tmp_path)
    frames = shown(source)
    count = len(frames)
    # An edit list or a seek may have left a flash out; the click belongs to the frame, wherever that is now.
    ranges = [(0, count), (10, count - 3), (17, min(count, 60))]
    worst = 0.0
    for clip, (first, end) in zip(
        write_clips(requests_for(source, frames, ranges), tmp_path / "clips"), ranges, strict=True
    ):
        found = shown(file_of(clip))
        flashes = [float(frame.seconds) for frame in found if frame.flash]
        heard = clicks(file_of(clip))
        assert flashes, f"{first}-{end} should hold a flash"
        assert clip.has_audio
        for flash in flashes:
            if flash > 0.02:  # the click of the first frame may be cut by a codec's start
                worst = max(worst, min(abs(flash - click) for click in heard))
        for click in heard:
            worst = max(worst, min(abs(flash - click) for flash in flashes))
        begins, ends = sound_seconds(file_of(clip))
        assert begins == pytest.approx(0, abs=0.002)
        assert clip.end_seconds is not None
        assert clip.start_seconds is not None
        assert ends == pytest.approx(float(clip.end_seconds - clip.start_seconds), abs=0.03)
    assert worst <= 0.005, "40 ms would pass unnoticed; what is measured is below 1"


def test_times_between_frames_take_the_frames_that_begin_inside(tmp_path: Path) -> None:
    source = sample("cfr25", tmp_path)
    asked = [(Fraction(41, 100), Fraction(52, 100)), (Fraction(0), Fraction(1, 100)), (Fraction(39, 100), Fraction(4))]
    clips = write_clips(
        [ClipRequest(path=str(source), start_seconds=a, end_seconds=b) for a, b in asked], tmp_path / "clips"
    )
    assert [[frame.number for frame in shown(file_of(clip))] for clip in clips] == [
        [11, 12],
        [0],
        list(range(10, 100)),
    ]
    assert [(clip.start_seconds, clip.end_seconds) for clip in clips] == [
        (Fraction(11, 25), Fraction(52, 100)),
        (Fraction(0), Fraction(1, 100)),
        (Fraction(10, 25), Fraction(4)),
    ]


@pytest.mark.parametrize("kind", ["ntsc", "film", "variable mkv"])
def test_times_rounded_to_milliseconds_or_to_floats_mean_the_same_frames(kind: str, tmp_path: Path) -> None:
    """What we print can be typed back, and a neighbour's frame never flashes up at either end."""
    source = sample(kind, tmp_path)
    frames = shown(source)
    for first, end in [(7, 23), (20, 33), (32, 47)]:
        exact = (frames[first].seconds, frames[end].seconds)
        asked = [
            ClipRequest(path=str(source), start_seconds=a, end_seconds=b)
            for a, b in [
                exact,
                tuple(Fraction(round(moment * 1000), 1000) for moment in exact),
                tuple(float(moment) for moment in exact),
            ]
        ]
        for clip in write_clips(asked, tmp_path / f"clips{first}"):
            assert [frame.number for frame in shown(file_of(clip))] == list(range(first, end))


def test_padding_stops_at_the_ends_of_the_video(tmp_path: Path) -> None:
    source = sample("cfr25", tmp_path)
    asked = [(Fraction(1), Fraction(2)), (Fraction(1, 5), Fraction(1)), (Fraction(3), Fraction(4))]
    clips = write_clips(
        [ClipRequest(path=str(source), start_seconds=a, end_seconds=b) for a, b in asked],
        tmp_path / "clips",
        pad_seconds=0.4,
    )
    numbers = [[frame.number for frame in shown(file_of(clip))] for clip in clips]
    assert numbers == [list(range(15, 60)), list(range(35)), list(range(65, 100))]
    assert clips[2].end_seconds == 4


def test_ten_bits_stay_ten_bits_and_colours_keep_their_tags(tmp_path: Path) -> None:
    plain, deep = sample("cfr25", tmp_path), tmp_path / "hdr.mp4"
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    ffmpeg("-i", str(plain), "-t", "1", "-an", "-c:v", "libx265", "-x265-params", "log-level=none",
           "-vf", f"format=yuv420p10le,{tags}", str(deep))  # fmt: skip
    (clip,) = write_clips(
        [ClipRequest(path=str(deep), start_seconds=Fraction(1, 5), end_seconds=Fraction(3, 5))], tmp_path / "clips"
    )
    with av.open(str(file_of(clip))) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("hevc", "yuv420p10le")
        assert stream.codec_context.codec_tag == "hvc1"
        frame = next(container.decode(stream))
        assert (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)) == (9, 16, 9)
    assert [frame.number for frame in shown(file_of(clip))] == list(range(5, 15))


def test_what_players_need_is_written(tmp_path: Path) -> None:
    """H.264 4:2:0 and AAC, the index before the pictures, even sizes, and no timecode or chapters of the source."""
    source = tmp_path / "odd.mkv"
    write(source, *constant(25, Fraction(25)), size=(97, 65), pixels="yuv444p", sound="pcm_s16le")
    (clip,) = write_clips(
        [ClipRequest(path=str(source), start_seconds=0, end_seconds=Fraction(2, 5))], tmp_path / "clips"
    )
    file = file_of(clip)
    with av.open(str(file)) as container:
        stream, voice = container.streams.video[0], container.streams.audio[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (96, 64)
        assert voice.codec_context.name == "aac"
        assert len(container.streams) == 2
        assert not container.chapters()
    content = file.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert len(shown(file)) == 10


def test_a_picture_with_rgb_keeps_its_colours(tmp_path: Path) -> None:
    source = tmp_path / "rgb.mov"
    write(source, *constant(25, Fraction(25)), codec="png", pixels="rgb24")
    (clip,) = write_clips(
        [ClipRequest(path=str(source), start_seconds=0, end_seconds=Fraction(1, 5))], tmp_path / "clips"
    )
    found = shown(file_of(clip))
    assert [frame.number for frame in found] == list(range(5))
    with av.open(str(file_of(clip))) as container:
        frame = next(container.decode(container.streams.video[0]))
        assert (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)) == (1, 1, 1)
    assert np.abs(found[3].pixels.astype(int) - picture(3, flash=False).astype(int)).mean() < 4


def test_sound_that_ends_before_or_begins_after_the_range_becomes_silence(tmp_path: Path) -> None:
    plain = sample("cfr25", tmp_path)
    short, late = tmp_path / "short.mkv", tmp_path / "late.mkv"
    ffmpeg("-i", str(plain), "-t", "1.5", "-vn", "-c", "copy", str(tmp_path / "sound.mka"))
    ffmpeg("-i", str(plain), "-i", str(tmp_path / "sound.mka"), "-map", "0:v", "-map", "1:a", "-c", "copy", str(short))
    ffmpeg("-i", str(plain), "-itsoffset", "2.2", "-i", str(tmp_path / "sound.mka"), "-map", "0:v", "-map", "1:a",
           "-c", "copy", str(late))  # fmt: skip
    for source in (short, late):
        for start, end in [
            (Fraction(1), Fraction(3)),
            (Fraction(12, 25), Fraction(38, 25)),
            (Fraction(2), Fraction(3)),
        ]:
            asked = ClipRequest(path=str(source), start_seconds=start, end_seconds=end)
            (clip,) = write_clips([asked], tmp_path / "clips")
            assert [frame.number for frame in shown(file_of(clip))] == list(range(int(start * 25), int(end * 25)))
            begins, ends = sound_seconds(file_of(clip))
            assert begins == pytest.approx(0, abs=0.002)
            assert ends == pytest.approx(float(end - start), abs=0.03)
    # Clicks of the shifted sound stand at 2.2 and 3.2 s of the video.
    (clip,) = write_clips([ClipRequest(path=str(late), start_seconds=1, end_seconds=4)], tmp_path / "clips")
    assert clicks(file_of(clip)) == pytest.approx([1.2, 2.2], abs=0.04)


def test_a_second_video_stream_or_a_cover_is_not_taken_for_the_video(tmp_path: Path) -> None:
    plain, cover, both = sample("cfr25", tmp_path), tmp_path / "cover.png", tmp_path / "both.mp4"
    ffmpeg("-i", str(plain), "-frames:v", "1", str(cover))
    ffmpeg("-i", str(cover), "-i", str(plain), "-map", "0", "-map", "1", "-c", "copy",
           "-disposition:v:0", "attached_pic", str(both))  # fmt: skip
    (clip,) = write_clips(
        [ClipRequest(path=str(both), start_seconds=1, end_seconds=Fraction(7, 5))], tmp_path / "clips"
    )
    assert [frame.number for frame in shown(file_of(clip))] == list(range(25, 35))
    assert clicks(file_of(clip)) == pytest.approx([0.0], abs=0.04)


def test_a_damaged_file_gives_what_can_be_decoded_and_says_so_or_is_whole(tmp_path: Path) -> None:
    source = sample("pal in ts", tmp_path)
    content = bytearray(source.read_bytes())
    random = np.random.default_rng(1)
    for at in random.integers(len(content) // 3, len(content) // 2, 60):
        content[int(at)] ^= 0x55
    damaged = tmp_path / "damaged.ts"
    damaged.write_bytes(content)
    (clip,) = write_clips([ClipRequest(path=str(damaged), start_seconds=1, end_seconds=3)], tmp_path / "clips")
    with av.open(str(file_of(clip))) as container:
        decoded = sum(1 for _ in container.decode(video=0))
    assert clip.frames == decoded
    assert decoded > 0
