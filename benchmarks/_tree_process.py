"""Processes that run code of any tree and answer requests: see benchmarks/_tree_worker.py."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

SERVE = Path(__file__).resolve().with_name("_tree_worker.py")


class TreeProcess:
    """A process with a worker over one tree's modules, on one thread. Use as a context manager, or call `close`."""

    def __init__(self, tree: Path, worker: Path, *arguments: Path) -> None:
        """Start the process and wait until it has imported what it needs.

        Args:
            tree: A checkout of any commit that has what the worker imports.
            worker: The file of the class Worker; its method `origin` returns a file of the tree.
            arguments: Of the worker.

        Raises:
            RuntimeError: The process ended, or imported the modules of another tree.
        """
        self.tree = tree.resolve()
        # -P: without it, the modules beside the worker would hide packages of the same names, such as encoder
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(SERVE), str(worker.resolve()), *(str(each.resolve()) for each in arguments)],
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
            raise RuntimeError(f"the modules were imported from {origin}, not from {self.tree}")

    def ask(self, request: str, *arguments: Any) -> Any:
        """Return the answer of a method of the worker.

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
            raise RuntimeError(f"the process of {self.tree} ended at {request!r}") from error

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
