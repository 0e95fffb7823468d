"""Orders: the parameters of jobs, passed to their processes as JSON.

The order is written to the job's folder and read there by the job's process, so that no file name passes through a
command line. An order is validated as a whole when it is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from app.compose import Settings
from app.encoder_choice import canonical
from app.exporting.request import ExportOptions
from app.jobs.json_records import WrongRecord, decoded, encoded
from app.jobs.state import MAX_FILE_BYTES, JobState
from app.shell.index_options import ShapingOptions, require_range
from app.shell.work_options import BATCH_SIZE_RANGE, WORKERS_RANGE
from db.server.address import parse_address
from files.json_file import read_json

ORDER_FILE = "order.json"


class OrderError(ValueError):
    """An invalid order; the message is a sentence that names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOrder:
    """Index files and folders. None stands for the value of the settings, or the indexer's default."""

    kind: Literal["index"] = "index"
    encoder: str | None = None
    workers: int | None = None
    batch_size: int | None = None
    shaping: ShapingOptions = field(default_factory=ShapingOptions)
    new_library: ShapingOptions = field(default_factory=ShapingOptions)  # what a library without videos begins with
    exclude: tuple[str, ...] = ()
    include_exports: bool = False
    redo: bool = False
    retry_failed: bool = False
    quick: bool = False  # quick passes; the next order without it makes the full ones
    read_text: bool = False  # on screen, of videos that were not read before
    yes: bool = False  # consents to encoding unchanged videos again
    fetch: bool = False  # consents to downloading the encoder's files if they are missing
    paths: tuple[str, ...]  # absolute

    def __post_init__(self) -> None:
        require_range("workers", self.workers, WORKERS_RANGE)
        require_range("batch_size", self.batch_size, BATCH_SIZE_RANGE)
        _require_absolute("paths", *self.paths)
        if self.quick and self.redo:
            raise ValueError("a quick pass takes the place of no full one: quick and redo exclude each other")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOrder:
    """Retry files that could not be indexed."""

    kind: Literal["retry"] = "retry"
    encoder: str | None = None
    shaping: ShapingOptions = field(default_factory=ShapingOptions)
    new_library: ShapingOptions = field(default_factory=ShapingOptions)  # as in IndexOrder
    paths: tuple[str, ...] = ()  # absolute; only files below these; empty: all

    def __post_init__(self) -> None:
        _require_absolute("paths", *self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadOrder:
    """Download the files of a model. Consent has been given."""

    kind: Literal["download"] = "download"
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTextOrder:
    """Read the text on screen of indexed videos, without looking for new ones."""

    kind: Literal["read-text"] = "read-text"
    redo: bool = False
    paths: tuple[str, ...]  # absolute; videos below these

    def __post_init__(self) -> None:
        _require_absolute("paths", *self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscribeOrder:
    """Turn the speech of indexed videos into text."""

    kind: Literal["transcribe"] = "transcribe"
    model: str = "small"  # a name, or the absolute path of a folder
    language: str | None = None  # None: detected
    also_subtitled: bool = False
    redo: bool = False
    fetch: bool = False  # consents to downloading the model if it is missing
    paths: tuple[str, ...] = ()  # absolute; only videos below these; empty: all

    def __post_init__(self) -> None:
        _require_absolute("paths", *self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """Export subclips of a collection, in its state when the export begins.

    The collection is identified by id, so that it may be renamed in the meantime; `collection_name` is for display.
    Where several people use the library, it is the one of this id that `person` sees.
    """

    kind: Literal["export"] = "export"
    collection: int
    collection_name: str
    subclips: tuple[int, ...] | None = None  # ids; None: all of them
    person: int | None = None  # who began it; None: whoever uses the library alone
    options: ExportOptions


Order = IndexOrder | RetryOrder | DownloadOrder | ReadTextOrder | TranscribeOrder | ExportOrder
_ORDERS: Mapping[str, type[Order]] = {
    "index": IndexOrder, "retry": RetryOrder, "download": DownloadOrder, "read-text": ReadTextOrder,
    "transcribe": TranscribeOrder, "export": ExportOrder,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """The settings that the job's process needs."""

    library: Path
    encoder: str | None
    device: str
    precision: str
    ffmpeg: str | None
    new_encoder: str | None = None  # a job that an earlier version wrote has none
    address: str | None = None  # of a library on a server, without its password; likewise

    def __post_init__(self) -> None:
        _require_absolute("library", self.library)


def _require_absolute(name: str, *paths: str | Path) -> None:
    if not all(map(os.path.isabs, paths)):
        raise ValueError(f"{name} must be absolute")


def job_kind(order: Order) -> str:
    """Return the kind of job that runs an order; a retry is an index job."""
    return "index" if order.kind == "retry" else order.kind


def order_to_json(order: Order) -> dict[str, Any]:
    """Return an order as values for JSON. `order_from_json` reads them."""
    record = encoded(order)
    assert isinstance(record, dict)
    return record


def order_from_json(record: object) -> Order:
    """Return the order in `record`.

    Raises:
        OrderError: A field is missing, unknown or of the wrong type, or the export options are invalid.
    """
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str) or record["kind"] not in _ORDERS:
        raise OrderError(f"the order is of no kind that is known ({', '.join(_ORDERS)})")
    order: Order = _checked(_ORDERS[record["kind"]], record, "order")
    return order


def order_of(state: JobState) -> Order | None:
    """Return the order of a job, to restart it; None if its journal has no valid order."""
    try:
        return order_from_json(state.order)
    except OrderError:
        return None


def write_order(folder: Path, order: Order, settings: Settings) -> None:
    """Write an order and its settings into the folder of a job.

    Raises:
        OrderError: The order is invalid, for example because a path contains a NUL character.
        OSError: The file cannot be written.
    """
    handed_on = _Settings(
        library=Path(os.path.abspath(settings.library)),
        encoder=None if settings.encoder is None else canonical(settings.encoder),
        device=settings.device,
        precision=settings.precision,
        ffmpeg=settings.ffmpeg,
        new_encoder=settings.new_encoder,
        address=None if settings.server is None else settings.server.url,
    )
    record = {"order": order_to_json(order), "settings": encoded(handed_on)}
    _document(record)
    (folder / ORDER_FILE).write_text(json.dumps(record), "ascii")


def read_order(folder: Path) -> tuple[Order, Settings]:
    """Return the order in the folder of a job, and its settings.

    Raises:
        OrderError: The file is missing, damaged, or not an order.
    """
    try:
        record = read_json(folder / ORDER_FILE, max_bytes=MAX_FILE_BYTES, follow_links=False)
    except (OSError, ValueError) as error:
        raise OrderError(f"the order of this job cannot be read ({error})") from error
    return _document(record)


def _document(record: object) -> tuple[Order, Settings]:
    if not isinstance(record, dict) or set(record) != {"order", "settings"}:
        raise OrderError("the order of this job cannot be read (it needs `order` and `settings`)")
    settings: _Settings = _checked(_Settings, record["settings"], "settings")
    values = {each.name: getattr(settings, each.name) for each in fields(settings) if each.name != "address"}
    try:
        server = None if settings.address is None else parse_address(settings.address)
    except ValueError as error:
        raise OrderError(str(error)) from error
    return order_from_json(record["order"]), Settings(**values, server=server)


def _checked(expected: Any, value: object, where: str) -> Any:
    """Return what `decoded` does. Raise OrderError instead of WrongRecord."""
    try:
        return decoded(expected, value, where)
    except WrongRecord as error:
        raise OrderError(str(error)) from error
