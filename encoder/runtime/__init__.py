"""Execution of the towers: precision, CPU and CUDA runners, and the kernels beneath them."""
