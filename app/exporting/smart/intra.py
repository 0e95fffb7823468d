"""Codecs in which every frame stands for itself (ProRes, DNxHD, MJPEG ...): the packets of a range are the exact clip.

The clip becomes a QuickTime file, which holds them all with exact times. Sound is cut to the sample and encoded again;
PCM stays PCM.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.cutting import Cut
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.graph import (
    AUDIO_BITS_A_SECOND,
    MOST_TIME_UNITS,
    QUIET,
    SOURCE,
    TARGET,
    decimal,
    reading_from,
    run_graph,
    sound_filters,
)
from app.exporting.smart.nal import NotJoinable
from app.exporting.survey import Survey

_SOUND = "prismsearch-sound"
_SOUND_LEAD = Fraction(5)  # seconds
_PCM = frozenset({"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le"})


def cut_intra(program: str, found: Survey, draft: Path) -> Cut:
    """Copy exactly the frames of `found` into `draft`. Raises NotJoinable where that cannot be done, ExportError."""
    if not found.sought:
        raise NotJoinable("the file has no times that could be sought")
    if found.time_base < Fraction(1, MOST_TIME_UNITS):
        raise NotJoinable("its times are finer than QuickTime can hold")
    sound = found.audio_index is not None
    note = f"{len(found.pts)} of {len(found.pts)} frames copied as they are"
    own = found.container_seconds(found.pts[0])
    step = (found.end_pts - found.pts[0]) * found.time_base / len(found.pts)
    # Where ffmpeg begins to copy depends on how the container is sought, so what it copied is compared.
    for start in (own, own + step / 2, own - step / 2, None):
        try:
            copied = _copy(program, found, draft, start, sound=sound)
        except ExportError as error:
            if not sound:
                raise
            copied, sound = _copy(program, found, draft, start, sound=False), False
            note += f"; without its sound ({error})"
        if copied == list(found.pts):
            return Cut(suffix=".mov", frames=len(copied), has_audio=sound, copied=len(copied), note=note)
    raise NotJoinable("the file's packets are not its frames")


def _copy(program: str, found: Survey, draft: Path, start: Fraction | None, *, sound: bool) -> list[int]:
    """The times of the copied frames in the source's own count. start: where reading begins; None: at the beginning."""
    import ffmpeg

    own, end = found.container_seconds(found.pts[0]), found.container_seconds(found.end_pts)
    reading: dict[str, Any] = {}
    if start is not None and found.pts[0] > found.first_pts:
        reading = {"seek_timestamp": 1, "ss": decimal(start)}
    picture = ffmpeg.input(SOURCE, **reading)[str(found.video_index)]
    copying: dict[str, Any] = {
        "c:v": "copy",
        "frames:v": len(found.pts),
        "map_chapters": -1,
    }
    streams, options = [picture], {"f": "mov", "movflags": "+faststart", "write_tmcd": 0}
    options |= {"bsf:v": "setts=pts=PTS-STARTPTS:dts=DTS-STARTDTS"}
    files: dict[str, str | Path] = {SOURCE: found.path, TARGET: draft}
    if sound:
        voice = ffmpeg.input(_SOUND, **reading_from(found, own, _SOUND_LEAD))[str(found.audio_index)]
        streams.append(sound_filters(voice, own, end))
        plain = found.audio_codec in _PCM
        options |= {"c:a": found.audio_codec} if plain else {"c:a": "aac", "b:a": AUDIO_BITS_A_SECOND}
        files[_SOUND] = found.path
    clip = ffmpeg.output(*streams, TARGET, **copying, **options)
    listing = ffmpeg.output(picture, "pipe:1", f="framecrc", **copying)
    report = run_graph([program, *QUIET], ffmpeg.merge_outputs(clip, listing), files)
    stated = re.search(r"^#tb 0: (\d+)/(\d+)", report, re.MULTILINE)
    scale = (Fraction(int(stated[1]), int(stated[2])) if stated else found.time_base) / found.time_base
    rows = [line.split(",") for line in report.splitlines() if line.startswith("0,")]
    return [round(int(row[2]) * scale) for row in rows if len(row) >= 6]
