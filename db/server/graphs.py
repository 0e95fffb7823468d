"""pgvector's graphs (HNSW) of the embeddings: an index of the server for each encoder, made when it is asked for.

The server keeps a graph up to date by itself. One that was not finished, because its making was stopped, is no use and
is made anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from db.server.connection import ServerDatabase

logger = logging.getLogger(__name__)

MAX_COLUMNS = 4000
"""Of halfvec, in a graph."""

_LINK_BYTES = 700  # of a row in a graph that is being made, beside its two copies of the vector
# As much as the graph needs, which takes several times as long with less; but no more than what the server's own
# settings make likely that its machine can spare, unless its maintenance_work_mem is more than that.
_MEMORY = (
    "SELECT set_config('maintenance_work_mem', greatest(max(bytes) FILTER (WHERE name = 'maintenance_work_mem'),"
    " least(%s::BIGINT, greatest(%s::BIGINT, max(bytes) FILTER (WHERE name = 'shared_buffers'),"
    " max(bytes) FILTER (WHERE name = 'effective_cache_size') / 4)) / 1024 * 1024)::TEXT || 'B', false),"
    " set_config('lock_timeout', '0', false), set_config('statement_timeout', '0', false)"
    " FROM (SELECT name, pg_size_bytes(current_setting(name)) AS bytes FROM pg_settings WHERE name IN"
    " ('maintenance_work_mem', 'shared_buffers', 'effective_cache_size')) AS settings"
)
_LEAST_MOST = 1 << 30
"""Bytes that every server is asked for, if so many are needed."""
_TOO_LITTLE = "no longer fits"  # of pgvector's notice
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
                needed = rows * (2 * dim + _LINK_BYTES)
                driver.execute(_MEMORY, (needed, _LEAST_MOST))
                driver.add_notice_handler(partial(self._tell, needed))
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

    def _tell(self, needed: int, notice: Any) -> None:
        """Tell what would help if the server says that the graph does not fit into its memory. It says so once."""
        if _TOO_LITTLE in (notice.message_primary or ""):
            logger.warning(
                "the index of vectors does not fit into the memory that the server of %s gives to its making, which "
                "takes several times as long now; if its machine has more, let its administrator run: "
                "ALTER SYSTEM SET maintenance_work_mem = '%dMB'; SELECT pg_reload_conf()",
                self._database.name,
                needed // 2**20 + 1,
            )

    def _share(self, process: int) -> float:
        with self._database.reading() as connection:
            found = connection.exec_driver_sql(_PROGRESS, (process,)).first()
        blocks, of_blocks, rows, of_rows = found or (0, 0, 0, 0)
        return (rows / of_rows) if of_rows else (blocks / of_blocks) if of_blocks else 0.0
