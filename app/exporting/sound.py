"""Sound of clips: which tracks are exported, how each is encoded, and what becomes of one that cannot be decoded.

Every track keeps its channels, language, title and place. AAC in MP4 holds mono, stereo and the layouts that AAC has a
name for; any other track (sixteen channels, four microphones of no stated layout) becomes PCM in a QuickTime file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeVar

from app.exporting.audio_choice import is_chosen, track_numbers, tracks_text
from app.exporting.ffmpeg_binary import ExportError, OutsideError
from app.exporting.graph import QUIET, audio_filters, repeated, run_graph, seek_options
from app.exporting.survey import Survey
from app.exporting.tracks import SoundTrack

Result = TypeVar("Result")

AUDIO = "prismsearch-audio"
"""Placeholder for the file that sound is read from, as in `graph`, where pictures come from another one."""

_AAC_RATES = frozenset((96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000))
_AAC_LAYOUTS = frozenset({"mono", "stereo", "3.0", "4.0", "5.0", "5.0(side)", "5.1", "5.1(side)", "7.1", "7.1(wide)"})
_AAC_BITRATE, _AAC_BITRATE_PER_CHANNEL = 192_000, 64_000  # bits per second: at least, and for more than three channels
_PCM = frozenset({"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le"})


def select_sound(survey: Survey, audio: str) -> Survey:
    """Return a survey with only the chosen ones of its sound tracks. `audio` is what parse_audio returns."""
    return replace(survey, sound=tuple(track for track in survey.sound if is_chosen(track.number, audio)))


def missing_tracks_text(survey: Survey, audio: str) -> str:
    """Return what is said of chosen tracks that the file of a survey does not have, or ''."""
    missing = [number for number in track_numbers(audio) if number > survey.extras.sound_tracks]
    return f"the file has no sound {tracks_text(missing)}" if missing else ""


def needs_pcm(track: SoundTrack) -> bool:
    """Return whether AAC could not hold the channels as they are."""
    return track.channels > 2 and track.layout not in _AAC_LAYOUTS


def clip_container(tracks: Sequence[SoundTrack]) -> tuple[str, str]:
    """Return the suffix and FFmpeg's name of the container that encoded clips with these tracks need."""
    return (".mov", "mov") if any(map(needs_pcm, tracks)) else (".mp4", "mp4")


def read_sound(survey: Survey, lead: Fraction | None, *, keep_pcm: bool = False) -> tuple[list[Any], dict[str, Any]]:
    """Do the same as `sound_output` with an input of its own, whose placeholder is AUDIO.

    Args:
        survey: The range and its tracks.
        lead: Seconds of reading before the range; None: from the beginning of the file.
        keep_pcm: Leave PCM as it is, for QuickTime files.
    """
    import ffmpeg

    options = seek_options(survey, survey.container_seconds(survey.pts[0]), lead)
    return sound_output(survey, ffmpeg.input(AUDIO, **options), keep_pcm=keep_pcm)


def sound_output(survey: Survey, source: Any, *, keep_pcm: bool = False) -> tuple[list[Any], dict[str, Any]]:
    """Return the streams of a survey's tracks, cut to the sample, and the output options that encode and name them.

    Args:
        survey: The range and its tracks, which keep their order.
        source: Input node of ffmpeg-python that reads the file.
        keep_pcm: Leave PCM as it is, for QuickTime files.
    """
    start, end = survey.container_seconds(survey.pts[0]), survey.container_seconds(survey.end_pts)
    streams: list[Any] = []
    options: dict[str, Any] = {}
    for place, track in enumerate(survey.sound):
        streams.append(audio_filters(source[str(track.index)], start, end))
        options |= {f"{name}:a:{place}": value for name, value in _encoding(track, keep_pcm=keep_pcm).items()}
        options[f"metadata:s:a:{place}"] = repeated(f"language={track.language or 'und'}", f"title={track.title}")
        options[f"disposition:a:{place}"] = track.disposition
    return streams, options


def _encoding(track: SoundTrack, *, keep_pcm: bool) -> dict[str, Any]:
    if keep_pcm and track.codec in _PCM:
        return {"c": track.codec}
    if needs_pcm(track):
        return {"c": "pcm_s16le" if track.sample_format.startswith(("s16", "u8")) else "pcm_s24le"}
    more = _AAC_BITRATE_PER_CHANNEL * track.channels if track.channels > 3 else 0
    # Explicit, because no encoder follows when the rate of a broadcast changes.
    rate = {"ar": track.sample_rate} if track.sample_rate in _AAC_RATES else {}
    return {"c": "aac", "b": max(_AAC_BITRATE, more), **rate}


def leave_out_broken(
    tracks: tuple[SoundTrack, ...],
    cut: Callable[[tuple[SoundTrack, ...]], Result],
    try_alone: Callable[[SoundTrack], object],
) -> tuple[Result, tuple[SoundTrack, ...], str]:
    """Cut with all tracks, or else without those that cannot be decoded.

    Args:
        tracks: The chosen tracks.
        cut: Writes the clip with the given tracks; raises ExportError if it cannot.
        try_alone: Decodes one track only; raises ExportError if it cannot.

    Returns:
        The result of `cut`, the tracks that it has, and a note on those left out, or ''.

    Raises:
        OutsideError: Something failed for a cause outside the file, which is no reason to leave anything out.
        ExportError: The sound is not the cause.
    """
    try:
        return cut(tracks), tracks, ""
    except OutsideError:
        raise
    except ExportError as error:
        if not tracks:
            raise
        problem = error
    broken = {tracks[0].number: str(problem)} if len(tracks) == 1 else _broken(tracks, try_alone)
    kept = tuple(track for track in tracks if track.number not in broken) if broken else ()
    try:
        result = cut(kept)
    except OutsideError:
        raise
    except ExportError:
        raise problem from None
    if kept:
        return result, kept, f"without sound {tracks_text(sorted(broken))} ({next(iter(broken.values()))})"
    return result, kept, f"without its sound ({next(iter(broken.values()), str(problem))})"


def _broken(tracks: Sequence[SoundTrack], try_alone: Callable[[SoundTrack], object]) -> dict[int, str]:
    broken = {}
    for track in tracks:
        try:
            try_alone(track)
        except OutsideError:
            raise
        except ExportError as error:
            broken[track.number] = str(error)
    return broken


def decode_sound(program: str, survey: Survey, track: SoundTrack, lead: Fraction | None) -> None:
    """Decode one track over the range of a survey, to nothing. Raise ExportError if that fails."""
    import ffmpeg

    streams, options = read_sound(replace(survey, sound=(track,)), lead)
    run_graph([program, *QUIET], ffmpeg.output(*streams, "-", f="null", **options), {AUDIO: survey.path})
