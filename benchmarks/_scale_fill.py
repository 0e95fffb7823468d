"""Synthetic libraries on a server, filled as fast as its tables and triggers take rows: by COPY, in binary form.

What `index` writes is written: videos, shots, segments, encodings and embeddings, under the library's lock, so that
every check of a reference, every index and every counter is paid for. There are no posters.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._clustered_rows import SHOTS_A_VIDEO
from benchmarks._row_library import facts_of
from benchmarks._scale_server import Server
from benchmarks.search_latency import RowsOfWords
from db.library import Library

ENCODER = RowsOfWords.id
TABLES_A_SHOT = 3  # shots, segments, embeddings
_BLOCK = 20_000  # shots of a transaction
_TICKS = 90_000  # a second
_HEAD, _END = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"
_SHAPES = ((1920, 1080), (1080, 1920), (3840, 2160), (1280, 720), (720, 720))
_VIDEO = {
    "id": "int8", "path": "bytea", "fingerprint": "text", "size_bytes": "int8", "modified_ns": "int8",
    "time_base_num": "int8", "time_base_den": "int8", "start_pts": "int8", "end_pts": "int8",
    "frame_rate_num": "int8", "frame_rate_den": "int8", "frames": "int8", "width": "int8", "height": "int8",
    "codec": "text", "facts": "text", "rotation": "int8", "has_audio": "bool", "damaged": "int8",
}  # fmt: skip


def integer_rows(values: NDArray[np.int64]) -> bytes:
    """Return int64 (rows, columns) as COPY reads rows of bigint in binary form."""
    columns = values.shape[1]
    made = np.zeros(len(values), np.dtype([("fields", ">i2"), ("each", [("bytes", ">i4"), ("value", ">i8")], columns)]))
    made["fields"] = columns
    made["each"]["bytes"], made["each"]["value"] = 8, values
    return made.tobytes()


def embedding_rows(encoder: int, ids: NDArray[np.int64], rows: NDArray[np.float16]) -> bytes:
    """Return rows of the table of embeddings as COPY reads them: encoder, segment, halfvec."""
    dim = rows.shape[1]
    head = [("fields", ">i2"), ("each", [("bytes", ">i4"), ("value", ">i8")], 2)]
    kind = np.dtype([*head, ("bytes", ">i4"), ("dim", ">i2"), ("unused", ">i2"), ("row", ">f2", (dim,))])
    made = np.zeros(len(ids), kind)
    made["fields"], made["bytes"], made["dim"], made["row"] = 3, 4 + 2 * dim, dim, rows
    made["each"]["bytes"] = 8
    made["each"]["value"] = np.stack([np.full(len(ids), encoder), ids], axis=1)
    return made.tobytes()


def fill(library: Library, rows: NDArray[np.float16], shots: int, footage: Path, *, touch: bool) -> dict[str, float]:
    """Add shots to a library on a server until it has so many. Return how many were added, and the seconds.

    Args:
        library: The library. It has no videos but those of this function.
        rows: float16 (n, D): those of the first n segments, of the next n, and so on.
        shots: In all, a multiple of SHOTS_A_VIDEO.
        footage: The folder of the videos.
        touch: Make empty files of them, because search looks for copies of a file that is not there.
    """
    held = library.segment_count()
    began, first = perf_counter(), held
    while held < shots:
        count = min(_BLOCK, shots - held)
        _add(library, rows, held, count, footage, touch=touch)
        held += count
    return {"shots": held - first, "seconds": perf_counter() - began}


def _add(library: Library, rows: NDArray[np.float16], held: int, count: int, footage: Path, *, touch: bool) -> None:
    """Add the shots from number `held` on, in one transaction."""
    chance = np.random.default_rng(held)
    ids = np.arange(held, held + count) + 1
    videos, numbers = (ids - 1) // SHOTS_A_VIDEO + 1, (ids - 1) % SHOTS_A_VIDEO
    ends = np.cumsum(chance.integers(_TICKS, 9 * _TICKS, size=(count // SHOTS_A_VIDEO, SHOTS_A_VIDEO)), axis=1)
    starts = np.concatenate([np.zeros((len(ends), 1), np.int64), ends[:, :-1]], axis=1)
    span = [starts.ravel(), ends.ravel()]
    made = [(int(video), int(end)) for video, end in zip(videos[::SHOTS_A_VIDEO], ends[:, -1], strict=True)]
    with library._database.writing() as connection:
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        cursor.execute(
            "INSERT INTO encoders (number, id, dim) VALUES (1, %s, %s) ON CONFLICT DO NOTHING", (ENCODER, rows.shape[1])
        )
        with cursor.copy(f"COPY videos ({', '.join(_VIDEO)}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(_VIDEO.values()))
            for video, end in made:
                copy.write_row(_video(video, end, footage, touch=touch))
        _copy(
            cursor, "shots (video_id, number, start_pts, end_pts)", integer_rows(np.stack([videos, numbers, *span], 1))
        )
        segments = np.stack([ids, videos, numbers, numbers, *span], 1)
        columns = "segments (id, video_id, number, shot_number, start_pts, end_pts)"
        _copy(cursor, columns, integer_rows(segments))
        picked = rows[(ids - 1) % len(rows)]
        _copy(cursor, "embeddings (encoder, segment_id, row)", embedding_rows(1, ids, picked))
        cursor.executemany(
            "INSERT INTO encodings (video_id, encoder, recipe) VALUES (%s, 1, 'rows')", [(video,) for video, _ in made]
        )
        for table, last in (("videos", videos[-1]), ("segments", ids[-1]), ("encoders", 1)):
            column = "number" if table == "encoders" else "id"
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (table, column, int(last)))


def _video(number: int, end: int, footage: Path, *, touch: bool) -> tuple[Any, ...]:
    folder = footage / f"reel {number // 100:05d}"
    path = folder / f"take {number:08d}.mp4"
    if touch:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch()
    width, height = _SHAPES[number % len(_SHAPES)]
    when = (1_700_000_000 + 3600 * number) * 10**9
    shape = (end // (_TICKS // 25), width, height, "hevc" if number % 3 else "h264", facts_of(number))
    return (number, str(path).encode(), f"rows{number:012d}", 10**9, when, 1, _TICKS, 0, end, 25, 1, *shape, 0, True, 0)


def _copy(cursor: Any, columns: str, rows: bytes) -> None:
    with cursor.copy(f"COPY {columns} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_HEAD + rows + _END)


def sizes(server: Server, schema: str) -> dict[str, int]:
    """Return the bytes of each table, without its indexes, and of each index of a library, the largest first.

    Those that hold nothing, or a page or two, are left out.
    """
    found = server.query(
        "SELECT relname, CASE relkind WHEN 'r' THEN pg_table_size(oid) ELSE pg_relation_size(oid) END AS size"
        " FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'i')"
        " AND pg_relation_size(oid) > 2 * 8192 ORDER BY size DESC",
        (schema,),
    )
    return {str(name): int(size) for name, size in found}


def show(found: dict[str, Any]) -> None:
    """Print the rate, and the bytes of a shot by table and index."""
    added = found["added"]
    if added["shots"]:
        rate = added["shots"] / added["seconds"]
        print(f"{added['shots']:,} shots added in {added['seconds']:.0f} s: {rate:,.0f} a second, of", end=" ")
        print(f"{TABLES_A_SHOT * rate:,.0f} rows; {added['server_cpu_seconds']:.0f} s of the server's CPU")
    print(f"\n{found['shots']:,} shots: {found['bytes_a_shot']:,.0f} bytes each")
    for name, size in found["sizes"].items():
        print(f"  {name:32}{size / found['shots']:>10.1f}{size / 1e6:>12,.0f} MB")


def measure(
    server: Server, library: Library, schema: str, rows: NDArray[np.float16], shots: int, footage: Path
) -> dict[str, Any]:
    """Fill a library and return rate and sizes. Only as many rows as shots: files of the videos are made."""
    cpu = server.cpu_seconds()
    added = fill(library, rows, shots, footage, touch=shots <= len(rows))
    added["server_cpu_seconds"] = server.cpu_seconds() - cpu
    for table in ("videos", "shots", "segments", "embeddings", "encodings"):
        server.query(f"VACUUM ANALYZE {schema}.{table}")
    held = sizes(server, schema)
    return {"shots": shots, "added": added, "sizes": held, "bytes_a_shot": sum(held.values()) / shots}


def rows_for(folder: Path, shots: int, dim: int, queries: int) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Return rows, float16 (shots, dim), and questions, float32 (queries, dim), made once for a folder."""
    from benchmarks._clustered_rows import clustered_rows, like_sentences

    path, asked = folder / f"rows-{shots}.npy", folder / f"questions-{shots}.npy"
    if not asked.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(asked, like_sentences(clustered_rows(path, shots, dim, queries)))
    return np.load(path, mmap_mode="r"), np.load(asked)
