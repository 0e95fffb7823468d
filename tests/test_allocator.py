"""Large blocks stay with the process, so that a network does not wait for the kernel at every layer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from encoder.runtime.allocator import keep_large_blocks

PROGRAM = """
import ctypes, resource, sys
sys.path.insert(0, {root!r})
from encoder.runtime.allocator import keep_large_blocks
if {keep}:
    assert keep_large_blocks()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
for _ in range(50):
    block = libc.malloc(100 << 20)
    ctypes.memset(block, 1, 100 << 20)
    libc.free(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(not keep_large_blocks(), reason="the C library here is not glibc")
def test_a_block_taken_again_costs_no_page_faults() -> None:
    root = __file__.rpartition("/tests/")[0]

    def faults(keep: bool) -> int:
        program = PROGRAM.format(root=root, keep=keep)
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        return int(run.stdout)

    assert faults(keep=True) * 3 < faults(keep=False)
