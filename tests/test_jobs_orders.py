"""Orders of jobs: they reach the process as they are, whatever names hold, and only as they should be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import app.child
import app.commands.index
from app.child import run_order
from app.cli import main
from app.compose import Settings
from app.exporting.request import ExportOptions
from app.jobs import spawn
from app.jobs.command_line import words_of
from app.jobs.jobs import Jobs, new_id
from app.jobs.orders import (
    ORDER_FILE,
    DownloadOrder,
    ExportOrder,
    IndexOrder,
    Order,
    OrderError,
    ReadTextOrder,
    RetryOrder,
    TranscribeOrder,
    order_from_json,
    order_of,
    order_to_json,
    read_order,
    write_order,
)
from app.jobs.state import START_FILE, JobState, write_state
from app.shell.index_options import ShapingOptions

HOSTILE = [
    "--redo", "-", "--", "-o", "a b", "'; rm -rf ~ #", '"quoted"', "$HOME `id` %PATH%", "line\nbreak", "tab\tstop",
    "\x1b[31mred", "\\x00 \\udcff", "Ünïcödé 🎬", "\u202egpj.exe", " ", "*", os.fsdecode(b"not \xff\xfe utf-8"), "{}",
]  # fmt: skip

SHAPING = ShapingOptions(
    frames=8, fit="crop", still_frames=2, detector="content", detector_options=("threshold=20", "luma_only=true"),
    min_scene_len="12", segment_seconds=Fraction("4.25"), overlap_seconds=Fraction(0), decode="reference",
)  # fmt: skip
ORDERS: list[Order] = [
    IndexOrder(paths=("/films",)),
    IndexOrder(
        encoder="videoprism_lvt_demo", workers=3, batch_size=5, shaping=SHAPING,
        exclude=("*.tmp.mp4", "-x"), redo=True, retry_failed=True, paths=("/films", "/-o", "/it's"),
    ),
    RetryOrder(),
    RetryOrder(encoder="videoprism_lvt_demo", shaping=SHAPING, paths=("/films/--redo",)),
    DownloadOrder(model="base"),
    ExportOrder(collection=7, collection_name="Tray", options=ExportOptions(folder=Path("/clips"))),
    ExportOrder(
        collection=7, collection_name="--to", subclips=(3, 1), options=ExportOptions(
            zip=Path("/exports/-x.zip"), mode="copy", handles_seconds=Fraction(2, 25), name_pattern="{rank} {label}",
            audio="1,3", lists=("edl", "otio"),
        ),
    ),
    ExportOrder(
        collection=7, collection_name="Tray", options=ExportOptions(folder=Path("/l"), lists=("csv",), clips=False)
    ),
    ExportOrder(
        collection=7, collection_name="Tray", options=ExportOptions(
            folder=Path("/l"), lists=("edl",), subtitles="burn", language="pt-BR", words_from="speech", markers=True,
        ),
    ),
    ReadTextOrder(redo=True, paths=("/films/--redo",)),
    TranscribeOrder(model="base", language="de", fetch=True, paths=("/films",)),
]  # fmt: skip


def settings(root: Path) -> Settings:
    return Settings(library=root / "library", encoder="demo", device="cpu", precision="float32", ffmpeg="/opt/ffmpeg")


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.kind)
def test_an_order_is_read_as_it_was_written(order: Order, tmp_path: Path) -> None:
    write_order(tmp_path, order, settings(tmp_path))
    read, with_settings = read_order(tmp_path)
    assert read == order
    assert with_settings == replace(settings(tmp_path), encoder="videoprism_lvt_demo")
    assert order_of(JobState(id="", kind="", title="", order=order_to_json(order))) == order


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_arrive_unchanged(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried_out: list[tuple[Order, Settings]] = []
    for function in ("index_videos", "retry_failures", "export_collection"):
        monkeypatch.setattr(app.child, function, lambda settings, order: carried_out.append((order, settings)))
    orders = [
        IndexOrder(exclude=(name,), paths=(f"/films/{name}", f"/{name}")),
        RetryOrder(paths=(f"/{name}",)),
        ExportOrder(collection=1, collection_name=name, options=ExportOptions(folder=Path(f"/clips/{name}"))),
    ]
    for order in orders:
        write_order(tmp_path, order, replace(settings(tmp_path), library=tmp_path / name))
        assert run_order(tmp_path) == 0
    assert [order for order, _ in carried_out] == orders
    assert {with_settings.library for _, with_settings in carried_out} == {tmp_path / name}


def test_a_model_is_downloaded_before_an_index_job_only_where_a_person_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(
        app.child, "download", lambda settings, order, yes, before: done.append(f"download {order.model} {yes}")
    )
    monkeypatch.setattr(app.child, "index_videos", lambda settings, order: done.append("index"))
    order = IndexOrder(encoder="videoprism_lvt_public_v1_base", paths=("/films",))
    for each in (order, replace(order, fetch=True)):
        write_order(tmp_path, each, settings(tmp_path))
        assert run_order(tmp_path) == 0
    assert done == ["index", "download base True", "index"]


def test_a_speech_model_is_downloaded_before_a_transcription_only_where_a_person_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(app.child, "download_speech_model", lambda settings, order: done.append(order.model))
    monkeypatch.setattr(app.child, "transcribe_videos", lambda settings, order, yes: done.append("transcribe"))
    for each in (TranscribeOrder(model="base"), TranscribeOrder(model="base", fetch=True)):
        write_order(tmp_path, each, settings(tmp_path))
        assert run_order(tmp_path) == 0
    assert done == ["transcribe", "base", "transcribe"]


@pytest.mark.skipif(sys.platform == "win32", reason="names there cannot hold these characters")
def test_a_process_indexes_a_folder_whatever_its_name(tmp_path: Path) -> None:
    name = b"-- 'it\"s' $(x)\n--redo" + (b"\xff" if sys.platform == "linux" else b"")
    folder = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    os.mkdir(folder)
    jobs = Jobs(tmp_path / "--library")
    order = IndexOrder(paths=(folder,))
    job_id = jobs.start(order, replace(settings(tmp_path), library=tmp_path / "--library", ffmpeg=None))
    deadline = time.monotonic() + 120
    while jobs.get(job_id).running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    state = jobs.get(job_id)
    assert (state.outcome, state.message) == ("done", "no videos found"), jobs.log(job_id)
    assert state.title == os.path.basename(folder)
    assert order_of(state) == replace(order, encoder="videoprism_lvt_demo"), "and it can be started again"


GOOD = {"kind": "index", "paths": ["/films"]}
EXPORT = {"kind": "export", "collection": 1, "collection_name": "x", "options": {"folder": "/clips"}}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "no kind"),
        ([], "no kind"),
        ({}, "no kind"),
        ({"kind": "remove", "paths": ["/"]}, "no kind"),
        ({"kind": ["index"]}, "no kind"),
        ({"kind": "index"}, "lacks the field 'paths'"),
        ({**GOOD, "arguments": ["remove", "--all"]}, "unknown field, 'arguments'"),
        ({**GOOD, "paths": "/films"}, "order.paths has a value of a wrong type (str)"),
        ({**GOOD, "paths": ["/films", 7]}, "order.paths has a value of a wrong type (int)"),
        ({**GOOD, "paths": ["/a\0b"]}, "order.paths holds a NUL"),
        ({**GOOD, "redo": 1}, "order.redo"),
        ({**GOOD, "workers": True}, "order.workers"),
        ({**GOOD, "workers": 2.0}, "order.workers"),
        ({**GOOD, "workers": 0}, "order: workers must be from 1 to 256"),
        ({**GOOD, "workers": 257}, "order: workers must be from 1 to 256"),
        ({**GOOD, "batch_size": -1}, "order: batch_size must be from 1 to 4096"),
        ({**GOOD, "batch_size": 4097}, "order: batch_size must be from 1 to 4096"),
        ({**GOOD, "paths": ["films"]}, "order: paths must be absolute"),
        ({**GOOD, "paths": ["/\ud800"]}, "order.paths holds a character that no name can have"),
        ({"kind": "retry", "paths": [""]}, "order: paths must be absolute"),
        ({**GOOD, "shaping": {"frames": 0}}, "order.shaping: frames must be from 1 to 512"),
        ({**GOOD, "shaping": {"frames": 10**30}}, "order.shaping: frames must be from 1 to 512"),
        ({**GOOD, "shaping": {"still_frames": -1}}, "order.shaping: still_frames must be from 0 to 512"),
        ({**GOOD, "shaping": {"still_frames": 513}}, "order.shaping: still_frames must be from 0 to 512"),
        ({**GOOD, "shaping": {"detector": "foo"}}, "order.shaping: detector must be one of learned, blend"),
        ({**GOOD, "shaping": {"decode": "some"}}, "order.shaping: decode must be one of all"),
        ({**GOOD, "shaping": {"hardware": "abacus"}}, "order.shaping: hardware must be one of "),
        ({**GOOD, "shaping": {"fit": "wide"}}, "order.shaping.fit"),
        ({**GOOD, "shaping": None}, "order.shaping must be an object"),
        ({**GOOD, "shaping": {"segment_seconds": 8}}, "order.shaping.segment_seconds"),
        ({**GOOD, "shaping": {"segment_seconds": "1e999999999"}}, "order.shaping.segment_seconds"),
        ({**GOOD, "shaping": {"segment_seconds": "1/0"}}, "order.shaping.segment_seconds"),
        ({"kind": "download", "model": None}, "order.model"),
        ({"kind": "read-text"}, "lacks the field 'paths'"),
        ({"kind": "read-text", "paths": ["films"]}, "order: paths must be absolute"),
        ({"kind": "transcribe", "fetch": 1}, "order.fetch"),
        ({**EXPORT, "collection": "1"}, "order.collection"),
        ({**EXPORT, "subclips": [1, None]}, "order.subclips"),
        ({**EXPORT, "options": {}}, "choose where to write"),
        ({**EXPORT, "options": {"folder": "/a", "zip": "/b"}}, "choose where to write"),
        ({**EXPORT, "options": {"folder": "/a", "mode": "smartest"}}, "order.options.mode"),
        ({**EXPORT, "options": {"folder": "/a", "handles_seconds": "3601"}}, "handles must be from 0 to 3600"),
        ({**EXPORT, "options": {"folder": "/a", "name_pattern": "{title}"}}, "{title}"),
        ({**EXPORT, "options": {"folder": "/a", "lists": ["exe"]}}, "'exe'"),
    ],
)
def test_what_is_no_order_is_one_clear_line(record: Any, words: str) -> None:
    with pytest.raises(OrderError) as raised:
        order_from_json(record)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert order_of(JobState(id="", kind="index", title="", order=record)) is None


@pytest.mark.parametrize(
    "content",
    [
        None, b"", b"{", b"null", b"[" * 100_000, b"\xff\xfe\x00", b'{"order": {}}', b'{"order": {}, "settings": {}}',
        json.dumps({"order": GOOD, "settings": {"library": 5}}).encode(),
        json.dumps({"order": GOOD, "settings": {}, "more": 1}).encode(),
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_file_is_one_line(
    content: bytes | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / ORDER_FILE).write_bytes(content)
    assert run_order(tmp_path) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), err.startswith("prismsearch: ")) == ("", 1, True)


@pytest.mark.parametrize(
    ("library", "words"), [("", "library must be absolute"), ("here", "library must be absolute"),
    ("/\ud800", "settings.library holds a character")],
)  # fmt: skip
def test_a_library_that_cannot_be_begins_nothing(
    library: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_order(tmp_path, IndexOrder(paths=("/films",)), settings(tmp_path))
    record = json.loads((tmp_path / ORDER_FILE).read_text())
    record["settings"]["library"] = library
    (tmp_path / ORDER_FILE).write_text(json.dumps(record))
    begun: list[Order] = []
    monkeypatch.setattr(app.child, "index_videos", lambda settings, order: begun.append(order))
    assert (run_order(tmp_path), begun) == (2, [])
    assert words in capfd.readouterr().err


def test_a_job_whose_order_is_damaged_has_failed(tmp_path: Path) -> None:
    jobs, job_id = Jobs(tmp_path), new_id()
    folder = jobs.folder / job_id
    folder.mkdir(parents=True)
    now = time.time()
    write_state(folder / START_FILE, JobState(id=job_id, kind="index", title="x", started_at=now, updated_at=now))
    (folder / ORDER_FILE).write_text('{"order": {"kind": "index", "path')
    with (folder / "log.txt").open("wb") as log:
        command = [sys.executable, "-P", "-c", spawn._CODE, spawn._ROOT, str(folder), job_id]
        ended = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=120)
    state = jobs.get(job_id)
    assert (ended.returncode, state.outcome) == (2, "failed")
    assert state.message.startswith("the order of this job cannot be read (")
    assert jobs.log(job_id).strip() == f"prismsearch: {state.message}"


@pytest.mark.parametrize(
    "order",
    [
        IndexOrder(paths=("/no/such/folder",)),
        IndexOrder(shaping=ShapingOptions(detector_options=("nonsense=1",)), paths=("/",)),
        IndexOrder(shaping=ShapingOptions(segment_seconds=Fraction(5000)), paths=("/",)),
        RetryOrder(),
        DownloadOrder(model="huge"),
        ExportOrder(collection=1, collection_name="x", options=ExportOptions(folder=Path("/clips"))),
    ],
    ids=lambda order: order.kind,
)
def test_errors_and_exit_codes_are_those_of_the_shell(
    order: Order, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    typed = CliRunner().invoke(
        main, ["--library", str(tmp_path / "library"), *words_of(order)], prog_name="prismsearch"
    )
    write_order(tmp_path, order, settings(tmp_path))
    assert (run_order(tmp_path), capfd.readouterr().err) == (typed.exit_code, typed.stderr)
    assert typed.exit_code in (2, 3)


@pytest.mark.parametrize("order", ORDERS[:4], ids=lambda order: order.kind)
def test_the_words_of_an_order_are_the_command_that_does_the_same(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(order, IndexOrder | RetryOrder)
    carried_out: list[tuple[Settings, Order]] = []

    def keep(settings: Settings, order: Order, **_: bool) -> None:
        carried_out.append((settings, order))

    for function in ("index_videos", "retry_failures"):
        monkeypatch.setattr(app.commands.index, function, keep)
    monkeypatch.setattr(app.commands.index, "require_paths", lambda paths: None)
    result = CliRunner().invoke(main, words_of(order))
    assert result.exit_code == 0, result.output
    [(with_settings, same)] = carried_out
    assert same == replace(order, encoder=None)
    assert with_settings.encoder == order.encoder
