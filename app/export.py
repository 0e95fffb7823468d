"""Ranges of videos as clips of their own, through ffmpeg: exact to the frame by encoding again, or copied as they are.

`exact` gives precisely the frames with start <= time < end, with their own times (a variable frame rate stays one),
upright, and the sound cut to the sample. H.264 CRF 18 in 4:2:0 with 8 bits; sources with more bits (10-bit, HDR) become
HEVC Main 10, so that neither depth nor colour tags are lost. Alpha is dropped; an odd width or height loses one line.

`smart` gives the same frames, but encodes only those again that the cuts take from between their neighbours; all others
are copied as they are. Where that cannot be done (see clip_smart), the clip is encoded as in `exact` mode and says so.

`copy` takes the packets as they are, from the key frame at or before the start; how much earlier that is, is measured.
The container is kept where it can hold the streams, else Matroska.

Every clip is written beside its place under a passing name and gets its own when it is whole. One that fails says why
and the others go on.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from app.clip_names import clip_name, publish
from app.ffmpeg_binary import ExportError, find_ffmpeg

ExportMode = Literal["exact", "smart", "copy"]

_DRAFT = ".prismsearch-draft-"
_STALE_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """A range to be cut: start <= time < end, seconds counted from the first frame shown, exact as Fractions.

    rank: comes first in the clip's name; the place among the requests where None. name_hint: instead of the source's
    own name. score: only handed on to the lists.
    """

    path: str
    start_seconds: Fraction | float
    end_seconds: Fraction | float
    rank: int | None = None
    name_hint: str = ""
    score: float | None = None

    def __post_init__(self) -> None:
        try:
            start, end = Fraction(self.start_seconds), Fraction(self.end_seconds)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"the range {self.start_seconds}-{self.end_seconds} is not made of numbers") from error
        if start < 0 or end <= start:
            raise ValueError(f"a range begins at 0 or later and ends after it begins, got {float(start)}-{float(end)}")
        if self.rank is not None and self.rank < 0:
            raise ValueError(f"a rank is not negative, got {self.rank}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedClip:
    """What became of a request. `error` is None where there is a file, and says why where there is none.

    Seconds count from the source's first frame shown. In `exact` and `smart` mode the clip holds just what
    start_seconds and end_seconds say; in `copy` mode it begins early_seconds before and ends late_seconds after that.
    """

    request: ClipRequest
    mode: ExportMode
    file: Path | None = None
    start_seconds: Fraction | None = None  # of the first frame asked for, padding included
    end_seconds: Fraction | None = None
    early_seconds: Fraction = Fraction(0)
    late_seconds: Fraction = Fraction(0)
    frames: int = 0  # in the clip
    copied_frames: int = 0  # of them: packets as they are in the source, not encoded again
    frame_rate: Fraction | None = None  # of the source, nominal
    has_audio: bool = False
    note: str | None = None  # what a person should know about a clip that was written
    error: str | None = None


Progress = Callable[[int, int, ExportedClip], None]
"""Told after each clip: how many are done, of how many, and what became of this one."""


def export_clips(
    requests: Sequence[ClipRequest],
    directory: str | Path,
    mode: ExportMode = "exact",
    *,
    pad_seconds: Fraction | float = 0,
    ffmpeg: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[ExportedClip]:
    """Write one clip a request into `directory` (made where missing), in their order; nothing there is replaced.

    pad_seconds: that much more on either side, as far as the video goes. ffmpeg: a program to use instead of the
    packaged one. cancelled: asked before each clip; the rest is then given back as not written.
    Raises ExportError where there is no ffmpeg or no such folder can be made; a clip that fails raises nothing.
    """
    if mode not in ("exact", "smart", "copy"):
        raise ValueError(f"the mode is exact, smart or copy, got {mode!r}")
    pad = Fraction(pad_seconds)
    if pad < 0:
        raise ValueError(f"padding cannot be negative, got {float(pad)}")
    program = find_ffmpeg(ffmpeg)
    folder = Path(directory).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"the folder {folder} cannot be made: {error.strerror or error}") from error
    _sweep_drafts(folder)
    clips: list[ExportedClip] = []
    for number, request in enumerate(requests, start=1):
        clip = ExportedClip(request=request, mode=mode)
        if cancelled is not None and cancelled():
            clip = replace(clip, error="stopped before it was written")
        else:
            clip = _written(clip, folder, program, pad, number, len(requests))
        clips.append(clip)
        if progress is not None:
            progress(number, len(requests), clip)
    return clips


def _written(clip: ExportedClip, folder: Path, program: str, pad: Fraction, number: int, total: int) -> ExportedClip:
    """The clip with its file, or with what went wrong."""
    from app.clip_cutting import cut_copy, cut_exact
    from app.clip_smart import cut_smart
    from app.clip_survey import survey
    from indexer.errors import UnreadableVideo

    request = clip.request
    draft = folder / f"{_DRAFT}{secrets.token_hex(6)}"
    try:
        start = max(Fraction(0), Fraction(request.start_seconds) - pad)
        found = survey(request.path, start, Fraction(request.end_seconds) + pad)
        cut = {"exact": cut_exact, "smart": cut_smart, "copy": cut_copy}[clip.mode](program, found, draft)
        name = clip_name(
            number if request.rank is None else request.rank,
            request.name_hint or Path(request.path).stem,
            found.start_seconds,
            found.end_seconds,
            total=total,
            suffix=cut.suffix,
        )
        return replace(
            clip,
            file=publish(draft, folder, name),
            start_seconds=found.start_seconds,
            end_seconds=found.end_seconds,
            early_seconds=cut.early_seconds,
            late_seconds=cut.late_seconds,
            frames=cut.frames,
            copied_frames=cut.copied,
            frame_rate=found.frame_rate,
            has_audio=cut.has_audio,
            note=cut.note,
        )
    except UnreadableVideo as error:
        return replace(clip, error=error.reason)
    except ExportError as error:
        return replace(clip, error=str(error))
    except OSError as error:
        return replace(clip, error=f"{error.strerror or error} ({folder})")
    finally:
        _remove(draft)


def _sweep_drafts(folder: Path) -> None:
    """Remove what a killed run left here, long enough ago that nobody is still writing it."""
    for path in folder.glob(f"{_DRAFT}*"):
        try:
            stale = time.time() - path.stat().st_mtime > _STALE_SECONDS
        except OSError:
            continue
        if stale:
            _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a draft that stays is hidden, and swept by a later run
