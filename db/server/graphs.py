"""pgvector's graphs (HNSW) of the embeddings: an index of the server for each encoder, made when it is asked for.

The server keeps a graph up to date by itself. One that was not finished, because its making was stopped, is no use and
is made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from db.server.connection import ServerDatabase

MAX_COLUMNS = 4000
"""Of halfvec, in a graph."""

_MOST_MEMORY = 1 << 30  # for the making of a graph, which takes several times as long with less than it needs
_POLL_SECONDS = 0.5
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_STATE = (
    "SELECT e.number, e.dim, e.segments, i.indisvalid,"
    " pg_has_role(c.relowner, 'USAGE') AND NOT pg_is_in_recovery()"
    " AND (SELECT CAST(string_to_array(extversion, '.') AS INTEGER[]) >= '{{0,8}}' FROM pg_extension"
    "  WHERE extname = 'vector')"  # which has iterative scans
    " FROM encoders AS e JOIN pg_class AS c ON c.oid = CAST('embeddings' AS regclass)"
    " LEFT JOIN pg_index AS i ON i.indexrelid = to_regclass(quote_ident(current_schema()) || '.{0}' || e.number)"
    " WHERE e.id = %s"
)
_PROGRESS = (
    "SELECT blocks_done, blocks_total, tuples_done, tuples_total FROM pg_stat_progress_create_index WHERE pid = %s"
)


def graph_name(number: object) -> str:
    """Return the name of the graph of an encoder's rows, by the encoder's number."""
    return f"embeddings_graph_{number}"


class Graphs:
    """The graphs of a library on a server."""

    def __init__(self, database: ServerDatabase) -> None:
        self._database = database

    def is_due(self, encoder_id: str, least_rows: int) -> bool:
        """Return whether `make` would make a graph: for so many rows, in a library that this user owns."""
        with self._database.reading() as connection:
            found = connection.exec_driver_sql(_STATE.format(graph_name("")), (encoder_id,)).first()
        if found is None or self._database.read_only:
            return False
        _, dim, rows, is_valid, may_make = found
        return bool(may_make and not is_valid and rows >= least_rows and dim <= MAX_COLUMNS)

    def make(self, encoder_id: str, on_progress: Callable[[float], None]) -> bool:
        """Make the graph of an encoder's rows, while others search and write. Return False if there is one already, or
        another process makes it.

        Args:
            encoder_id: The encoder.
            on_progress: Receives the share that is done, 0 at first, then twice a second; what it raises ends the
                work.

        Raises:
            LibraryError: The server refuses, or its disk is full.
        """
        database = self._database
        with database.translated():
            driver: Any = database.connect()
            try:
                found = driver.execute(_STATE.format(graph_name("")), (encoder_id,)).fetchone()
                if found is None or found[3]:
                    return False
                number, dim, rows, is_valid, _ = found
                named = f'"{database.address.schema}".{graph_name(number)}'
                if not driver.execute(_LOCK, (f"prismsearch graph {named}",)).fetchone()[0]:
                    return False
                if is_valid is not None:
                    driver.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {named}")
                memory = min(rows * (2 * dim + 700), _MOST_MEMORY) // 1024
                driver.execute(
                    "SELECT set_config('maintenance_work_mem', greatest(%s, (SELECT setting::bigint FROM pg_settings"
                    " WHERE name = 'maintenance_work_mem'))::text, false), set_config('lock_timeout', '0', false),"
                    " set_config('statement_timeout', '0', false)",
                    (memory,),
                )
                self._execute(
                    driver,
                    f"CREATE INDEX CONCURRENTLY {graph_name(number)} ON embeddings USING hnsw"
                    f' (("row"::halfvec({int(dim)})) halfvec_ip_ops) WHERE encoder = {int(number)}',
                    on_progress,
                )
            finally:
                driver.close()
        return True

    def _execute(self, driver: Any, statement: str, on_progress: Callable[[float], None]) -> None:
        """Execute a statement that takes long in a thread, and tell meanwhile how far the server is."""
        on_progress(0.0)
        with ThreadPoolExecutor(1, "make-graph") as pool:
            made = pool.submit(driver.execute, statement)
            try:
                while True:
                    try:
                        made.result(timeout=_POLL_SECONDS)
                        return
                    except TimeoutError:
                        on_progress(self._share(driver.info.backend_pid))
            except BaseException:
                driver.cancel()
                raise

    def _share(self, process: int) -> float:
        with self._database.reading() as connection:
            found = connection.exec_driver_sql(_PROGRESS, (process,)).first()
        blocks, of_blocks, rows, of_rows = found or (0, 0, 0, 0)
        return (rows / of_rows) if of_rows else (blocks / of_blocks) if of_blocks else 0.0
