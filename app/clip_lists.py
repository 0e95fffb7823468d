"""What was exported, as a table for people and editing programs (CSV) and for scripts (JSON)."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.clip_names import publish
from app.export import ExportedClip

COLUMNS = (
    "clip", "source", "start_seconds", "end_seconds", "start_frame", "end_frame", "start_timecode", "end_timecode",
    "frame_rate", "frames", "mode", "early_seconds", "late_seconds", "rank", "score", "note", "error",
)  # fmt: skip


def write_lists(clips: Sequence[ExportedClip], directory: str | Path) -> tuple[Path, Path]:
    """`clips.csv` and `clips.json` in `directory`, or the next free names; gives both. One row a clip, failed ones too.

    Raises OSError where they cannot be written; there is then no half list under either name.
    """
    folder = Path(directory).absolute()
    records = [record(clip) for clip in clips]
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, COLUMNS)
    writer.writeheader()
    writer.writerows(records)
    text = json.dumps({"clips": records}, indent=1, ensure_ascii=False)
    try:
        document = text.encode()
    except UnicodeEncodeError:  # a name that is not UTF-8: JSON has an escape for it, which reads back the same
        document = json.dumps({"clips": records}, indent=1).encode()
    # utf-8-sig: spreadsheets take a CSV without this mark for their old local encoding.
    sheet = "\ufeff".encode() + table.getvalue().encode(errors="surrogateescape")
    return _write(sheet, folder, "clips.csv"), _write(document + b"\n", folder, "clips.json")


def record(clip: ExportedClip) -> dict[str, Any]:
    """One clip as plain values. Seconds count from the source's first frame shown; `end` is the first moment after.

    Frames and timecode (hh:mm:ss:ff, no frames dropped) count at the nominal frame rate, as editing programs do; for a
    variable one they are the nearest. What is unknown because the clip failed is None.
    """
    start, end, rate = clip.start_seconds, clip.end_seconds, clip.frame_rate
    if start is None or end is None:
        start, end = Fraction(clip.request.start_seconds), Fraction(clip.request.end_seconds)
    return {
        "clip": None if clip.file is None else clip.file.name,
        "source": clip.request.path,
        "start_seconds": round(float(start), 6),
        "end_seconds": round(float(end), 6),
        "start_frame": None if rate is None else round(start * rate),
        "end_frame": None if rate is None else round(end * rate),
        "start_timecode": None if rate is None else smpte(start, rate),
        "end_timecode": None if rate is None else smpte(end, rate),
        "frame_rate": None if rate is None else str(rate),
        "frames": clip.frames,
        "mode": clip.mode,
        "early_seconds": round(float(clip.early_seconds), 6),
        "late_seconds": round(float(clip.late_seconds), 6),
        "rank": clip.request.rank,
        "score": clip.request.score,
        "note": clip.note,
        "error": clip.error,
    }


def smpte(seconds: Fraction, frame_rate: Fraction) -> str:
    """Non-drop timecode: frames counted at the rate, and shown as if there were round(rate) of them in a second."""
    frames, whole = round(seconds * frame_rate), max(1, round(frame_rate))
    total, rest = divmod(frames, whole)
    return f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}:{rest:02}"


def _write(content: bytes, folder: Path, name: str) -> Path:
    draft = folder / f".prismsearch-draft-{secrets.token_hex(6)}"
    try:
        draft.write_bytes(content)
        return publish(draft, folder, name)
    finally:
        draft.unlink(missing_ok=True)
