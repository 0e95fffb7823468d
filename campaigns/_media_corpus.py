"""Short files of many containers and codecs, made by the packaged ffmpeg; and ways of breaking them that know boxes."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from campaigns._mutations import damaged

PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=1")
KINDS: dict[str, tuple[str, ...]] = {
    "mp4": ("-c:v", "libx264", "-g", "10", "-c:a", "aac"),
    "frag.mp4": ("-c:v", "libx264", "-g", "10", "-an", "-movflags", "frag_keyframe+empty_moov"),
    "hevc.mp4": ("-c:v", "libx265", "-x265-params", "log-level=error", "-an"),
    "mov": ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le"),
    "mpeg4.mp4": ("-c:v", "mpeg4", "-an"),
    "mkv": ("-c:v", "libx264", "-g", "10", "-c:a", "aac"),
    "ffv1.mkv": ("-c:v", "ffv1", "-an"),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
    "avi": ("-c:v", "mpeg4", "-c:a", "mp3"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-an"),
    "ts": ("-c:v", "libx264", "-g", "10", "-c:a", "aac"),
    "mpg": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "flv": ("-c:v", "flv1", "-c:a", "mp3"),
    "mxf": ("-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"),
    "wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "ogv": ("-c:v", "libtheora", "-an"),
    "gif": ("-an",),
    "3gp": ("-c:v", "mpeg4", "-an"),
    "m2ts": ("-c:v", "mpeg2video", "-an"),
    "dv": ("-target", "pal-dv", "-an"),
    "264": ("-c:v", "libx264", "-an", "-f", "h264"),
    "vob": ("-c:v", "mpeg2video", "-an", "-f", "vob"),
}


def make_corpus(folder: Path) -> Path:
    """Write one file of each kind that this ffmpeg can write."""
    import imageio_ffmpeg

    folder.mkdir(parents=True, exist_ok=True)
    program = imageio_ffmpeg.get_ffmpeg_exe()
    for name, options in KINDS.items():
        file = folder / f"film.{name}"
        sound = () if "-an" in options else SOUND
        subprocess.run(
            [program, "-v", "error", "-nostdin", "-y", *PICTURE, *sound, "-threads", "1", "-t", "0.8", *options, file],
            check=False,
        )
        if file.exists() and not file.stat().st_size:
            file.unlink()
    return folder


def broken(data: bytes, other: bytes, draw: random.Random) -> tuple[str, bytes]:
    """Return a name and broken bytes of a file: damage anywhere, behind the head, or in it; parts moved about."""
    way = draw.random()
    if way < 0.25:
        return damaged(data, draw, ("flipped bit", "flipped bytes", "cut", "zeroed page", "noise", "swapped pages"))
    if way < 0.5:  # the head is kept, so that the file is opened
        head = min(len(data), draw.choice([64, 512, 2048]))
        name, rest = damaged(data[head:], draw, ("flipped bytes", "cut", "noise", "zeroed page"))
        return f"{name} behind the head", data[:head] + rest
    if way < 0.65:
        head = min(len(data), draw.choice([64, 512, 2048]))
        name, rest = damaged(data[:head], draw, ("flipped bit", "flipped bytes", "noise"))
        return f"{name} in the head", rest + data[head:]
    if way < 0.8 and (boxes := find_boxes(data)):
        return _with_moved_box(data, boxes, draw)
    if way < 0.9:
        first, second, third = (draw.randrange(len(data) + 1) for _ in range(3))
        return "part repeated", data[:first] + data[min(second, third) : max(second, third)] + data[first:]
    at = draw.randrange(len(data) + 1)
    return "joined to another", data[:at] + other[draw.randrange(len(other) + 1) :]


def find_boxes(data: bytes) -> list[tuple[int, int]]:
    """Return start and end of boxes of an MP4, those inside containers too; empty for other files."""
    if data[4:8] != b"ftyp":
        return []
    found: list[tuple[int, int]] = []
    queue = [(0, len(data))]
    while queue:
        at, end = queue.pop()
        while at + 8 <= end:
            size = int.from_bytes(data[at : at + 4], "big")
            if not 8 <= size <= end - at:
                break
            found.append((at, at + size))
            if data[at + 4 : at + 8] in (
                b"moov",
                b"trak",
                b"mdia",
                b"minf",
                b"stbl",
                b"edts",
                b"moof",
                b"traf",
                b"udta",
            ):
                queue.append((at + 8, at + size))
            at += size
    return found


def _with_moved_box(data: bytes, boxes: list[tuple[int, int]], draw: random.Random) -> tuple[str, bytes]:
    first, end = draw.choice(boxes)
    box = data[first:end]
    way = draw.choice(["removed", "repeated", "moved", "nested", "size", "fields"])
    if way == "removed":
        return "box removed", data[:first] + data[end:]
    if way == "repeated":
        return "box repeated", data[:end] + box * draw.choice([1, 40]) + data[end:]
    if way == "size":
        size = draw.choice([0, 1, 7, 8, 2**31, 2**32 - 1, len(box) + 1, len(box) - 1])
        return "size of a box", data[:first] + size.to_bytes(4, "big") + data[first + 4 :]
    if way == "fields":
        fields = bytearray(box)
        for _ in range(draw.choice([1, 3])):
            if len(fields) >= 16:
                at = draw.randrange(8, len(fields) - 4)
                fields[at : at + 4] = draw.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"])
        return "fields of a box", data[:first] + bytes(fields) + data[end:]
    target = draw.choice(boxes)[0] + (8 if way == "nested" else 0)
    rest = data[:first] + data[end:]
    target = min(target, len(rest))
    return f"box {way}", rest[:target] + box + rest[target:]
