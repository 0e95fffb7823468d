"""Processes that run the vector store of any tree and answer requests: see benchmarks/_vector_worker.py."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

WORKER = Path(__file__).resolve().with_name("_vector_worker.py")


class StoreProcess:
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
        self.tree, self.rows, self.directory = tree.resolve(), rows, directory
        # -P: without it, the modules beside the worker would hide packages of the same names, such as encoder
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER), str(rows.resolve()), str(directory.resolve())],
            cwd=self.tree,
            env=os.environ
            | {"PYTHONPATH": str(self.tree), "PYTHONDONTWRITEBYTECODE": "1"}
            | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        origin = Path(self.ask("origin"))
        if not origin.is_relative_to(self.tree):
            self.close()
            raise RuntimeError(f"the store was imported from {origin}, not from {self.tree}")

    def ask(self, request: str, *arguments: Any) -> Any:
        """Return the answer of a method of benchmarks._vector_worker.Worker.

        Raises:
            RuntimeError: The process ended; standard error has the reason.
        """
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        try:
            pickle.dump((request, arguments), requests)
            requests.flush()
            return pickle.load(answers)
        except (EOFError, BrokenPipeError) as error:
            raise RuntimeError(f"the store of {self.tree} ended at {request!r}") from error

    def restarted(self) -> StoreProcess:
        """Return another process with the same tree and files."""
        return StoreProcess(self.tree, self.rows, self.directory)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def __enter__(self) -> StoreProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
