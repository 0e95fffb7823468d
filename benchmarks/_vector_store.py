"""Processes that run the vector store of any tree and answer requests: see benchmarks/_vector_worker.py."""

from __future__ import annotations

from pathlib import Path

from benchmarks._tree_process import TreeProcess

WORKER = Path(__file__).resolve().with_name("_vector_worker.py")


class StoreProcess(TreeProcess):
    """A process with one tree's store, on one thread. Use as a context manager, or call `close`."""

    def __init__(self, tree: Path, rows: Path, directory: Path) -> None:
        """Start the process and wait until it has imported the store.

        Args:
            tree: A checkout of any commit that has FaissIndex and benchmarks._clustered_rows.ArrayLibrary.
            rows: The .npy file, float16 (n, D), that stands for the library.
            directory: The folder of the index's files.

        Raises:
            RuntimeError: The process ended, or imported the store of another tree.
        """
        self.rows, self.directory = rows, directory
        super().__init__(tree, WORKER, rows, directory)

    def restarted(self) -> StoreProcess:
        """Return another process with the same tree and files."""
        return StoreProcess(self.tree, self.rows, self.directory)
