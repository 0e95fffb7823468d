"""Closed captions: CEA-608 in packets and in tracks, on four channels, in three styles, with the right times."""

from __future__ import annotations

import os
import random
import re
import subprocess
from pathlib import Path

import av
import pytest
from av.packet import Packet
from captions_608 import (
    BACKSPACE,
    DIRECT,
    ERASE,
    RETURN,
    ROLL_2,
    ROW_14,
    ROW_15,
    SHOW,
    TEXT,
    Pair,
    characters,
    code,
    command,
    pop_on,
    user_data,
    with_captions,
)
from synthetic import make_video
from test_embedded_text import read_track_lines, video_of

from app.exporting.ffmpeg_binary import find_ffmpeg
from indexer.text.a53 import caption_pairs
from indexer.text.cea608 import CaptionChannels
from indexer.text.sources import read_video

FRAME = 40  # milliseconds


def decoded(pairs: list[Pair], field: int = 0) -> dict[str, list[tuple[int, int, str]]]:
    """Cues of pairs that come one a frame; the last ends with the video."""
    channels = CaptionChannels()
    for number, (first, second) in enumerate(pairs):
        channels.feed(field, first, second, number * FRAME)
    channels.finish(len(pairs) * FRAME)
    return {
        name: [(cue.start_ms, cue.end_ms or 0, cue.text) for cue in cues]
        for name, cues in channels.cues.items()
        if cues
    }


def test_a_caption_is_shown_from_its_command_until_it_is_erased() -> None:
    shown = pop_on("HELLO")
    pairs = [*shown, *[(0x80, 0x80)] * 10, *command(ERASE)]
    at = (len(shown) - 2) * FRAME
    assert decoded(pairs) == {"CC1": [(at, at + 12 * FRAME, "HELLO")]}


def test_a_caption_is_replaced_by_the_next() -> None:
    pairs = [*pop_on("ONE"), *pop_on("TWO")]
    half = len(pairs) // 2
    assert decoded(pairs) == {
        "CC1": [((half - 2) * FRAME, (2 * half - 2) * FRAME, "ONE"), ((2 * half - 2) * FRAME, 2 * half * FRAME, "TWO")]
    }


def test_rows_are_in_their_order() -> None:
    pairs = [*command(0x20), *code(*ROW_15), *characters("LOW"), *code(*ROW_14), *characters("HIGH"), *command(SHOW)]
    assert [text for *_, text in decoded(pairs)["CC1"]] == ["HIGH\nLOW"]


def test_rows_that_roll_are_cues_of_their_own() -> None:
    pairs = [*command(ROLL_2), *command(RETURN), *code(*ROW_15), *characters("ONE ROW"), *command(RETURN)]
    second = len(pairs)
    pairs += [*code(*ROW_15), *characters("NEXT"), *command(ERASE)]
    assert decoded(pairs) == {
        "CC1": [(6 * FRAME, (second - 2) * FRAME, "ONE ROW"), ((second + 2) * FRAME, (second + 4) * FRAME, "NEXT")]
    }


def test_captions_may_be_painted_directly() -> None:
    pairs = [
        *command(DIRECT),
        *code(*ROW_15),
        *characters("HEY"),
        *command(BACKSPACE),
        *characters("R"),
        *command(ERASE),
    ]
    assert [text for *_, text in decoded(pairs)["CC1"]] == ["HER"]


def test_each_channel_is_apart() -> None:
    assert list(decoded([*pop_on("ONE"), *pop_on("TWO", channel=1)])) == ["CC1", "CC2"]
    assert list(decoded([*pop_on("THREE"), *pop_on("FOUR", channel=1)], field=1)) == ["CC3", "CC4"]


def test_text_services_and_data_of_programmes_are_passed_over() -> None:
    assert decoded([*command(TEXT), *characters("WEATHER")]) == {}
    assert decoded([(0x01, 0x83), *characters("TITLE"), (0x8F, 0x1C)], field=1) == {}


def test_a_code_that_is_sent_once_counts_and_twice_counts_once() -> None:
    pairs = [*command(0x20), *code(*ROW_15), *code(0x11, 0x37, twice=False), *code(0x11, 0x37), *command(SHOW)]
    assert [text for *_, text in decoded(pairs)["CC1"]] == ["♪♪"]
    pairs = [*command(0x20), *code(*ROW_15), *code(0x11, 0x37), *code(0x11, 0x37), *command(SHOW)]
    assert [text for *_, text in decoded(pairs)["CC1"]] == ["♪♪"]


def of_ffmpeg(pairs: list[Pair]) -> str:
    """The text that FFmpeg's decoder reads."""
    context = av.CodecContext.create("cc_dec", "r")
    text = ""
    for first, second in [*pairs, *command(ERASE)]:
        packet = Packet(bytes((0xFC, first, second)))
        for shown in context.decode2(packet) or ():  # type: ignore[attr-defined]
            text += shown.ass.decode().split(",", 8)[8]
    return re.sub(r"\{\\[^{}]*\}", "", text).replace("\\", "")


@pytest.mark.parametrize(
    "codes",
    [
        [(0x11, 0x30 + n) for n in range(16)],
        [(0x12, 0x20 + n) for n in range(32)],
        [(0x13, 0x20 + n) for n in range(32)],
    ],
    ids=["special", "extended", "more"],
)
def test_characters_are_those_of_ffmpeg(codes: list[Pair]) -> None:
    """Extended ones replace a character before them. FFmpeg draws a few in another way."""
    simpler = str.maketrans({"‘": "'", "´": "'", "│": "¦", "—": "-", "•": "·", "\xa0": "", " ": "", "\\": ""})
    for first, second in codes:
        before = characters("ab" if first != 0x11 else "a")
        pairs = [*command(0x20), *code(*ROW_15), *before, *code(first, second), *characters("cd"), *command(SHOW)]
        ours = next(text for *_, text in decoded(pairs)["CC1"])
        theirs = of_ffmpeg(pairs)
        assert ours.translate(simpler) == theirs.translate(simpler), (first, second)


def test_letters_are_those_of_ffmpeg() -> None:
    text = "".join(map(chr, range(0x21, 0x7F)))
    for at in range(0, len(text), 16):
        pairs = pop_on(text[at : at + 16])
        assert next(each for *_, each in decoded(pairs)["CC1"]).replace("\\", "") == of_ffmpeg(pairs)


@pytest.mark.parametrize("seed", range(4))
def test_no_pairs_make_it_fail(seed: int) -> None:
    chance = random.Random(seed)
    decoded([(chance.randrange(256), chance.randrange(256)) for _ in range(20_000)], field=chance.randrange(2))


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.mpg", "mpeg2video")])
def test_captions_in_packets_have_the_times_of_their_frames(tmp_path: Path, name: str, codec: str) -> None:
    """With B-frames, so that packets come in another order than frames."""
    plain = make_video(tmp_path / f"plain-{name}", [("noise", 50)], codec=codec, options={"bf": "2"})
    pairs = [*pop_on("HELLO YOU"), *[(0x80, 0x80)] * 9, *command(ERASE), *pop_on("OK")]
    frames = {number: user_data([(0, pair), (1, (0x80, 0x80))]) for number, pair in enumerate(pairs)}
    path = with_captions(plain, tmp_path / name, frames)
    found = read_video(video_of(path))
    shown = (len(pop_on("HELLO YOU")) - 2) * FRAME
    again = (len(pairs) - 2) * FRAME
    assert read_track_lines(found) == {"CC1": [(shown, shown + 11 * FRAME, "HELLO YOU"), (again, 2000, "OK")]}
    assert found.texts[-1].source.for_deaf
    assert found.problems == ()


def test_captions_of_the_digital_kind_only_are_named(tmp_path: Path) -> None:
    plain = make_video(tmp_path / "plain.mp4", [("red", 10)])
    path = with_captions(plain, tmp_path / "a.mp4", {3: user_data([], digital=True)})
    found = read_video(video_of(path))
    assert [str(each) for each in found.problems] == [
        "captions: they are in the digital form only (CEA-708), which is not read"
    ]


def test_a_video_without_captions_is_left_after_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It need not be read to its end."""
    path = make_video(tmp_path / "a.mp4", [("red", 60)])
    monkeypatch.setattr("indexer.text.packet_pass._FIRST_PACKETS", 20)
    seen = []
    read_video(video_of(path), cancelled=lambda: bool(seen.append(1)))
    assert len(seen) == 20


def test_damaged_user_data_is_passed_over() -> None:
    data = user_data([(0, (0x94, 0x20))])
    assert caption_pairs(data, "mpeg2video") == ([(0, 0x94, 0x20)], False)
    for length in range(len(data)):
        caption_pairs(data[:length], "h264")
    assert caption_pairs(b"GA94\x03\x5f", "h264") == ([], False)
    assert caption_pairs(b"GA94\x03\x1f\xff" + b"\xfc\x94\x20" * 31, "h264") == ([], False)  # says not to read them


def test_a_caption_track_of_quicktime(tmp_path: Path) -> None:
    times = ("00:00:01:00\t94ae 94ae 9420 9420 9470 9470 c8e5 ecec ef80 942f 942f", "00:00:03:00\t942c 942c")
    scc = "\n\n".join(("Scenarist_SCC V1.0", *times, "00:00:03:20\t8080\n"))
    (tmp_path / "a.scc").write_text(scc)
    path = tmp_path / "a.mov"
    picture = ("-f", "lavfi", "-i", "color=s=64x48:r=25:d=4")
    command_line = [find_ffmpeg(), "-v", "error", "-f", "scc", "-i", os.fspath(tmp_path / "a.scc"), *picture]
    subprocess.run(
        [*command_line, "-map", "1:v", "-map", "0:s", "-c:v", "libx264", "-c:s", "copy", os.fspath(path)], check=True
    )
    found = read_video(video_of(path))
    assert read_track_lines(found) == {"CC1": [(1000, 3000, "Hello")]}
