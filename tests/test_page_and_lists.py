"""In and out points: the page shows what every edit list says, as other programs read it.

The ranges go the way a person sends them: into a collection over HTTP, trimmed, shown by the page, and exported by the
command that the page starts.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from page_library import client_of, segment_ids, small_library

from app.cli import main
from app.timelines.writing import FORMATS

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO has no wheel for this system")

RATES: dict[str, dict[str, Any]] = {
    "25": {"rate": 25},
    "29.97": {"rate": Fraction(30000, 1001)},
    "23.976": {"rate": Fraction(24000, 1001)},
    # As phones do: frames come 33 to 54 ms apart, and one in twenty is left out.
    "variable": {
        "rate": 25,
        "time_base": Fraction(1, 1000),
        "times": [40 * (at + at // 20) + 7 * (at % 3) for at in range(60)],
    },
}
Ranges = list[tuple[int, int]]


def read_edl(path: Path, rate: Fraction) -> Ranges:
    return read_otio_clips(otio.adapters.read_from_file(str(path), adapter_name="cmx_3600", rate=float(round(rate))))


def read_fcp7(path: Path, rate: Fraction) -> Ranges:
    return read_otio_clips(otio.adapters.read_from_file(str(path), adapter_name="fcp_xml"))


def read_otio_clips(timeline: Any) -> Ranges:
    """Frames of the video track's clips; these files carry no time code of their own, so counting begins at 0."""
    found = []
    for clip in timeline.video_tracks()[0].find_clips():
        start, length = clip.source_range.start_time, clip.source_range.duration
        found.append((round(start.value), round(start.value + length.value)))
    return found


def read_fcpxml(path: Path, rate: Fraction) -> Ranges:
    def frames(text: str | None) -> int:
        value = Fraction((text or "").removesuffix("s")) * rate
        assert value.denominator == 1, "a time that is not a whole number of frames"
        return int(value)

    clips = ElementTree.parse(path).getroot().iter("asset-clip")
    spans = [(frames(clip.get("start", "0s")), frames(clip.get("duration"))) for clip in clips]
    return [(start, start + length) for start, length in spans]


def read_otio(path: Path, rate: Fraction) -> Ranges:
    found: Ranges = []

    def walk(value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, dict):
            if str(value.get("OTIO_SCHEMA", "")).startswith("Clip."):
                span = value["source_range"]
                start, length = (span[name]["value"] for name in ("start_time", "duration"))
                found.append((round(start), round(start + length)))
            else:
                walk(list(value.values()))

    walk(json.loads(path.read_text("utf-8")))
    return found


def read_csv(path: Path, rate: Fraction) -> Ranges:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(int(row["start_frame"]), int(row["end_frame"])) for row in csv.DictReader(file)]


def read_json(path: Path, rate: Fraction) -> Ranges:
    content = json.loads(path.read_text("utf-8"))
    records = content["clips"] if isinstance(content, dict) else content
    return [(each["start_frame"], each["end_frame"]) for each in records]


READERS: dict[str, Callable[[Path, Fraction], Ranges]] = {
    "edl": read_edl,
    "fcpxml": read_fcpxml,
    "fcp7": read_fcp7,
    "otio": read_otio,
    "csv": read_csv,
    "json": read_json,
}


@pytest.mark.parametrize("kind", RATES)
def test_in_and_out_are_the_same_in_the_page_and_in_every_list(kind: str, tmp_path: Path) -> None:
    shots = [("red", 20), ("blue", 20), ("green", 20)]
    library = small_library(tmp_path, {"film.mp4": {"shots": shots, **RATES[kind]}})
    client = client_of(library)
    collection = client.get("/api/collections").json()["tray"]
    for segment in segment_ids(library):
        client.post(f"/api/collections/{collection}/subclips", json={"items": [{"segment": segment}]})
    for clip in client.get(f"/api/collections/{collection}").json()["subclips"]:
        frames = client.get(f"/api/frames/{clip['segment']}", params={"from": clip["start"], "to": clip["end"]}).json()
        assert len(frames["pts"]) >= 6
        trimmed = {"revision": clip["revision"], "start_pts": frames["pts"][2], "end_pts": frames["pts"][-3]}
        assert client.patch(f"/api/subclips/{clip['id']}", json=trimmed).status_code == 200

    shown = client.get(f"/api/collections/{collection}").json()["subclips"]
    rate = Fraction(RATES[kind]["rate"])  # of the recorder, however many frames are missing
    assert [Fraction(*clip["rate"]) for clip in shown] == [rate] * len(shown)
    in_player = [client.get(f"/api/segment/{clip['segment']}").json() for clip in shown]
    assert [Fraction(*segment["rate"]) for segment in in_player] == [rate] * len(shown)
    wanted = [(clip["in_frame"], clip["out_frame"]) for clip in shown]
    assert len(set(wanted)) == len(segment_ids(library))

    out = tmp_path / "lists"
    command = ["export", "--collection", str(collection), "--to", str(out), "--lists-only", "--list", ",".join(FORMATS)]
    ran = CliRunner().invoke(main, [*command, "--library", str(library.directory)])
    assert ran.exit_code == 0, ran.output
    for name, form in FORMATS.items():
        (path,) = out.glob(f"*{form.suffix}")
        assert READERS[name](path, rate) == wanted, f"{name} at {kind}"
