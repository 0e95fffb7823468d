"""Requests to a class of one tree, in a process of its own: `python -P _tree_worker.py FILE ARGUMENT...`.

FILE has the class Worker, which is made of the arguments. PYTHONPATH decides whose modules it imports; FILE itself, and
this one, may be of another tree, so that one version measures every commit. Pickled requests (the name of a method, and
its arguments) come on standard input; pickled answers go to standard output. Times are taken by the methods: the pipe
is not part of them. benchmarks/_tree_process.py starts it and asks.
"""

from __future__ import annotations

import os
import pickle
import runpy
import sys


def main() -> None:
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever else is printed must not be read as an answer
        worker = runpy.run_path(sys.argv[1])["Worker"](*sys.argv[2:])
        while True:
            try:
                name, arguments = pickle.load(sys.stdin.buffer)
            except EOFError:
                return
            pickle.dump(getattr(worker, name)(*arguments), answers)
            answers.flush()


if __name__ == "__main__":
    main()
